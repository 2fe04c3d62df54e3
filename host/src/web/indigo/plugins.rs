//! `/cordon/indigo/plugins`: what the plugins define.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Reply, json_answer};
use super::keys::Wanted;
use crate::platform::indigo::Plugin;
use crate::platform::indigo::definition::{DeviceType, MenuItem, StateDefinition, TriggerChoice};

/// `GET /cordon/indigo/plugins`.
pub(super) async fn list(State(api): State<IndigoApi>, asked: Asked) -> Reply {
    api.admit(&asked, Wanted::Look, "GET")?;
    let plugins = api.server.plugins();
    let list: Value = plugins.iter().map(|plugin| definitions(plugin)).collect();
    Ok(json_answer(StatusCode::OK, &list))
}

/// What a plugin offers to its users.
fn definitions(plugin: &Plugin) -> Value {
    let all = &plugin.bundle.definitions;
    let devices: Value = all
        .devices
        .types
        .iter()
        .map(|it| {
            json!({"id": it.id, "name": it.name, "type": it.class.name(),
                "class": it.class.python_class(), "userMayCreate": it.user_may_create,
                "states": states(it), "hasDialog": it.config_ui.is_some()})
        })
        .collect();
    let actions: Value = all
        .actions
        .types
        .iter()
        .map(|it| {
            json!({"id": it.id, "name": it.name, "separator": it.is_separator(),
                "hidden": it.is_hidden(), "uiPath": it.ui_path, "deviceFilter": it.device_filter,
                "hasDialog": it.config_ui.is_some()})
        })
        .collect();
    let events: Value = all
        .events
        .types
        .iter()
        .map(|it| {
            json!({"id": it.id, "name": it.name, "separator": it.name.is_empty(),
                "hasDialog": it.config_ui.is_some()})
        })
        .collect();
    let item = |it: &MenuItem| {
        json!({"id": it.id, "name": it.name, "separator": it.separator, "url": it.url,
            "buttonTitle": it.button_title})
    };
    let menu: Value = all.menu.iter().map(item).collect();
    let config = all
        .config
        .as_ref()
        .map(|config| json!({"url": config.url, "hasDialog": !config.config_ui.fields.is_empty()}));
    let mut seen: Map<String, Value> = match plugin.facts() {
        Value::Object(facts) => facts,
        _ => Map::new(),
    };
    for (key, value) in [
        ("deviceTypes", devices),
        (
            "hasDeviceFactory",
            Value::Bool(all.devices.factory.is_some()),
        ),
        ("actions", actions),
        ("events", events),
        ("menuItems", menu),
        ("config", config.into()),
    ] {
        seen.insert(key.to_owned(), value);
    }
    Value::Object(seen)
}

/// The states that a device type defines, with what triggers and pages can be made of
/// them: an enumeration has a line for each of its options.
fn states(device: &DeviceType) -> Value {
    let state = |it: &StateDefinition| {
        let trigger = |choice: &TriggerChoice| {
            let conditions = choice.conditions.iter().map(|condition| condition.name());
            let conditions: Vec<_> = conditions.collect();
            json!({"key": choice.key, "label": choice.label, "conditions": conditions})
        };
        let own = json!({"key": it.id, "label": it.control_page_label});
        let derived = it.derived();
        let options = derived
            .iter()
            .map(|derived| json!({"key": derived.key, "label": derived.control_page_label}));
        let pages: Value = std::iter::once(own).chain(options).collect();
        let triggers: Value = it.trigger_choices().iter().map(trigger).collect();
        json!({"id": it.id, "readOnly": it.read_only, "triggers": triggers, "pages": pages})
    };
    device.states.iter().map(state).collect()
}
