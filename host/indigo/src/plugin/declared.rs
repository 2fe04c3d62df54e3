//! The definitions of a bundle as the base class of plugins has them.

use serde_json::{Value, json};

use crate::bounds;
use crate::bundle::Bundle;
use crate::definition::{
    ActionType, ConfigUi, DeviceType, EventType, MenuDialog, MenuItem, ValueType,
};
use crate::state::{StateDefinition, Sum};

/// Bytes of memory that [`definitions`] takes with its text, about.
#[must_use]
pub fn definitions_size(bundle: &Bundle) -> u64 {
    const PART: u64 = 4096;
    const OPTION: u64 = 1024;
    // Once as a value, and in the text, where a character may take six bytes.
    const COPIES: u64 = 7;
    let all = &bundle.definitions;
    let raw = |ui: Option<&ConfigUi>| {
        let text = ui.map_or(0, |ui| ui.raw_xml.len());
        bounds::count(text)
            .saturating_mul(COPIES)
            .saturating_add(PART)
    };
    let devices = all.devices.types.iter().map(|it| {
        let texts = Sum::of(&it.states).kept.saturating_mul(COPIES);
        let states = it.states.iter().map(|state| {
            let options = match &state.value_type {
                ValueType::Enumeration(options) => options.len(),
                _ => 0,
            };
            bounds::count(options)
                .saturating_mul(OPTION)
                .saturating_add(PART)
        });
        let states = states.fold(texts, u64::saturating_add);
        raw(it.config_ui.as_ref()).saturating_add(states)
    });
    let actions = all
        .actions
        .types
        .iter()
        .map(|it| raw(it.config_ui.as_ref()));
    let events = all.events.types.iter().map(|it| raw(it.config_ui.as_ref()));
    let menu = all.menu.iter().map(|it| match &it.dialog {
        MenuDialog::Own(ui) => raw(Some(ui)),
        MenuDialog::Action(id) => {
            let action = all.actions.find(id);
            raw(action.and_then(|it| it.config_ui.as_ref()))
        }
        MenuDialog::None => PART,
    });
    let config = raw(all.config.as_ref().map(|it| &it.config_ui));
    let parts = devices.chain(actions).chain(events).chain(menu);
    parts.fold(config, u64::saturating_add)
}

/// The definitions of a bundle as the base class of plugins has them.
#[must_use]
pub fn definitions(bundle: &Bundle) -> Value {
    let definitions = &bundle.definitions;
    let raw = |ui: Option<&'_ ConfigUi>| ui.map_or(String::new(), |ui| ui.raw_xml.clone());
    let device = |it: &DeviceType| {
        let states: Vec<StateDefinition> = it.states.iter().map(Into::into).collect();
        let value = json!({
            "Name": it.name,
            "Type": it.class.name(),
            "SubType": it.sub_type.as_ref().map_or("", |it| it.member.as_str()),
            "States": states,
            "DisplayStateId": it.display_state_id,
            "ConfigUIRawXml": raw(it.config_ui.as_ref()),
        });
        (it.id.clone(), value)
    };
    let action = |it: &ActionType| {
        let value = json!({
            "Name": it.name,
            "CallbackMethod": it.callback,
            "DeviceFilter": it.device_filter,
            "UiPath": it.ui_path,
            "ConfigUIRawXml": raw(it.config_ui.as_ref()),
        });
        (it.id.clone(), value)
    };
    let event = |it: &EventType| {
        let value = json!({ "Name": it.name, "ConfigUIRawXml": raw(it.config_ui.as_ref()) });
        (it.id.clone(), value)
    };
    let item = |it: &MenuItem| {
        json!({
            "Id": it.id,
            "Name": it.name,
            "CallbackMethod": it.callback,
            "ButtonTitle": it.button_title,
            "ConfigUIRawXml": match &it.dialog {
                MenuDialog::Own(ui) => raw(Some(ui)),
                MenuDialog::Action(id) => {
                    let action = definitions.actions.find(id);
                    raw(action.and_then(|it| it.config_ui.as_ref()))
                }
                MenuDialog::None => String::new(),
            },
        })
    };
    let map = |pairs: Vec<(String, Value)>| Value::Object(pairs.into_iter().collect());
    json!({
        "devices": map(definitions.devices.types.iter().map(device).collect()),
        "actions": map(definitions.actions.types.iter().map(action).collect()),
        "events": map(definitions.events.types.iter().map(event).collect()),
        "menuItems": definitions.menu.iter().map(item).collect::<Vec<_>>(),
        "prefsConfigUIRawXml": definitions.config.as_ref().map(|it| &it.config_ui.raw_xml),
    })
}
