//! `/cordon/indigo/plugins`: what the plugins define.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Reply, error, json_bytes, text_answer};
use super::keys::Wanted;
use crate::Plugin;
use crate::definition::{
    ActionType, DeviceType, EventType, MenuItem, StateDefinition, TriggerChoice,
};

/// Most bytes of what is said about one plugin; of one that defines more there are only the
/// facts.
const LONGEST: usize = 1 << 20;

/// `GET /cordon/indigo/plugins`.
pub(super) async fn list(State(api): State<IndigoApi>, asked: Asked) -> Reply {
    api.admit(&asked, Wanted::Look, "GET")?;
    let plugins = api.server.plugins();
    // As large as plugins make their definitions: not on a thread that serves others.
    let server = &api.server;
    let made = server.pools().commands.run(server.own_account(), move || {
        let mut text = Vec::from(b"[");
        for (place, plugin) in plugins.iter().enumerate() {
            if place > 0 {
                text.push(b',');
            }
            write(&mut text, plugin);
        }
        text.push(b']');
        text
    });
    match made.await {
        Ok(text) => Ok(text_answer(StatusCode::OK, text)),
        Err(problem) => {
            let text = problem.to_string();
            Err(error(StatusCode::SERVICE_UNAVAILABLE, "busy", &text).into())
        }
    }
}

/// What a plugin offers to its users, as far as there is room.
fn write(text: &mut Vec<u8>, plugin: &Arc<Plugin>) {
    let whole = Offered(plugin);
    let written = json_bytes(&whole, LONGEST).and_then(|bytes| {
        text.reserve(bytes);
        serde_json::to_writer(&mut *text, &whole).ok()
    });
    if written.is_none() {
        let mut facts = plugin.facts();
        if let Some(facts) = facts.as_object_mut() {
            facts.insert("definitionsTooLarge".to_owned(), Value::Bool(true));
        }
        text.extend_from_slice(facts.to_string().as_bytes());
    }
}

/// What a plugin offers. It is written as it is gone through, never held as a whole.
struct Offered<'a>(&'a Plugin);

impl Serialize for Offered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let all = &self.0.bundle.definitions;
        let mut seen = serializer.serialize_map(None)?;
        if let Value::Object(facts) = self.0.facts() {
            for (key, value) in &facts {
                seen.serialize_entry(key, value)?;
            }
        }
        seen.serialize_entry("deviceTypes", &Each(&all.devices.types, Device))?;
        seen.serialize_entry("hasDeviceFactory", &all.devices.factory.is_some())?;
        seen.serialize_entry("actions", &Each(&all.actions.types, action))?;
        seen.serialize_entry("events", &Each(&all.events.types, event))?;
        seen.serialize_entry("menuItems", &Each(&all.menu, item))?;
        let config = all.config.as_ref().map(
            |config| json!({"url": config.url, "hasDialog": !config.config_ui.fields.is_empty()}),
        );
        seen.serialize_entry("config", &config)?;
        seen.end()
    }
}

/// A list of things as they are seen.
struct Each<'a, T, F>(&'a [T], F);

impl<'a, T, F, V> Serialize for Each<'a, T, F>
where
    F: Fn(&'a T) -> V,
    V: Serialize,
{
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(&self.1))
    }
}

struct Device<'a>(&'a DeviceType);

impl Serialize for Device<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let it = self.0;
        let mut seen = serializer.serialize_map(None)?;
        seen.serialize_entry("id", &it.id)?;
        seen.serialize_entry("name", &it.name)?;
        seen.serialize_entry("type", it.class.name())?;
        seen.serialize_entry("class", it.class.python_class())?;
        seen.serialize_entry("userMayCreate", &it.user_may_create)?;
        seen.serialize_entry("states", &Each(&it.states, state))?;
        seen.serialize_entry("hasDialog", &it.config_ui.is_some())?;
        seen.end()
    }
}

/// A state, with what triggers and pages can be made of it: an enumeration has a line for
/// each of its options.
fn state(it: &StateDefinition) -> Value {
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
}

fn action(it: &ActionType) -> Value {
    json!({"id": it.id, "name": it.name, "separator": it.is_separator(),
        "hidden": it.is_hidden(), "uiPath": it.ui_path, "deviceFilter": it.device_filter,
        "hasDialog": it.config_ui.is_some()})
}

fn event(it: &EventType) -> Value {
    json!({"id": it.id, "name": it.name, "separator": it.name.is_empty(),
        "hasDialog": it.config_ui.is_some()})
}

fn item(it: &MenuItem) -> Value {
    json!({"id": it.id, "name": it.name, "separator": it.separator, "url": it.url,
        "buttonTitle": it.button_title})
}
