//! Hardware, which is plugin instances, and the plugins that hardware can be made of.
//!
//! Hardware of `cordon.toml` is listed without its parameters, because any of them may be a secret.
//! Hardware that was added through the API is listed with all values that a form has to show again,
//! but without the parameters that its plugin calls passwords. The parameters of a plugin's own travel
//! as one JSON object, `settings` (rules 186 to 188).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Weak};

use serde_json::{Map, Value, json};

use super::super::Management;
use super::super::devices::PLUGIN_HARDWARE;
use super::{Answer, Call, Outcome};
use crate::HardwareInfo;
use crate::definition::{Param, PluginDefinition};
use crate::parameters::{is_reserved, own_params};
use cordon_store::ManagedHardware;

/// Parameters by the name that clients give them and the one that plugins see.
const FIELDS: &[(&str, &str)] = &[
    ("address", "Address"),
    ("port", "Port"),
    ("serialport", "SerialPort"),
    ("username", "Username"),
    ("password", "Password"),
    ("Mode1", "Mode1"),
    ("Mode2", "Mode2"),
    ("Mode3", "Mode3"),
    ("Mode4", "Mode4"),
    ("Mode5", "Mode5"),
    ("Mode6", "Mode6"),
];

/// Most bytes of the JSON of `settings`, and of one value in it.
const MAX_SETTINGS: usize = 65_536;
const MAX_SETTING: usize = 4096;

/// Parameters of the commands here that are no parameters of a plugin, whatever it calls its own.
const OF_COMMANDS: [&str; 9] = [
    "type", "param", "idx", "htype", "name", "extra", "enabled", "loglevel", "settings",
];

/// The number of all levels.
const ALL_LEVELS: u32 = 7;

pub(super) async fn list(call: &Call<'_>) -> Outcome {
    let (mut managed, definitions) = match &call.api.manager {
        Some(manager) => (manager.hardware().await?, manager.definitions().await?),
        None => (Vec::new(), Vec::new()),
    };
    let mut rows = Vec::new();
    for info in call.api.plugins.hardware() {
        let place = managed.iter().position(|hardware| hardware.id == info.id);
        let hardware = place.map(|place| managed.swap_remove(place));
        rows.push(row(&info, hardware.as_ref(), &definitions));
    }
    // The running hub does not know hardware that is stopped.
    managed.sort_by_key(|hardware| hardware.id);
    for hardware in &managed {
        let info = HardwareInfo {
            id: hardware.id,
            name: hardware.name.clone(),
            key: hardware.key.clone(),
            state: "stopped".to_owned(),
            detail: String::new(),
        };
        rows.push(row(&info, Some(hardware), &definitions));
    }
    let answer = Answer::ok("Hardware").with("problems", problems(call));
    Ok(answer.with_result(rows))
}

/// The folders of plugins and the sections of the configuration that cannot be used, with the
/// reason.
fn problems(call: &Call<'_>) -> Value {
    let all = call.api.problems.all().into_iter();
    all.map(|(name, reason)| json!({"name": name, "reason": reason}))
        .collect()
}

fn row(
    info: &HardwareInfo,
    managed: Option<&ManagedHardware>,
    definitions: &[Arc<PluginDefinition>],
) -> Value {
    let definition = definitions.iter().find(|plugin| plugin.key == info.key);
    let shown = |field: &str| {
        let value = managed.and_then(|hardware| hardware.parameters.get(field));
        let secret = definition.is_none_or(|plugin| is_secret(plugin, field));
        value.filter(|_| !secret).map_or("", String::as_str)
    };
    let mut fields = Map::new();
    for (_, field) in FIELDS.iter().filter(|(_, field)| *field != "Port") {
        fields.insert((*field).to_owned(), Value::from(shown(field)));
    }
    let (settings, passwords) = settings_of(managed, definition.map(|it| &**it));
    let enabled = managed.is_none_or(|hardware| hardware.enabled);
    let rest = json!({
        "idx": info.id.to_string(), "Name": info.name, "Enabled": enabled.to_string(),
        "Type": PLUGIN_HARDWARE, "Extra": info.key, "State": info.state, "Detail": info.detail,
        "Port": shown("Port").parse::<i64>().unwrap_or(0), "DataTimeout": 0,
        "LogLevel": managed.map_or(ALL_LEVELS, |hardware| hardware.log_level),
        "Managed": managed.is_some(), "Settings": settings, "SettingsPwdSet": passwords,
    });
    fields.extend(super::super::devices::object(rest));
    Value::Object(fields)
}

/// The parameters of a plugin's own, passwords blank, and which passwords are set (rule 188).
fn settings_of(
    managed: Option<&ManagedHardware>,
    definition: Option<&PluginDefinition>,
) -> (Map<String, Value>, Map<String, Value>) {
    let (mut settings, mut passwords) = (Map::new(), Map::new());
    let (Some(hardware), Some(definition)) = (managed, definition) else {
        return (settings, passwords);
    };
    for param in own_params(definition) {
        let value = hardware.parameters.get(&param.field);
        let mut value = value.unwrap_or(&param.default).as_str();
        if param.is_password() {
            if !value.is_empty() {
                passwords.insert(param.field.clone(), Value::from(true));
            }
            value = "";
        }
        settings.insert(param.field.clone(), Value::from(value));
    }
    (settings, passwords)
}

fn is_secret(plugin: &PluginDefinition, field: &str) -> bool {
    let mut params = plugin.params.iter();
    let of_column = |param: &Param| param.field.eq_ignore_ascii_case(field) && is_reserved(field);
    let is_password =
        |param: &Param| param.is_password() && (param.field == field || of_column(param));
    field == "Password" || params.any(is_password)
}

pub(super) async fn types(call: &Call<'_>) -> Outcome {
    let definitions = manager(call)?.definitions().await?;
    // Whoever reads slowly keeps no definition that is there no more.
    let definitions: Vec<_> = definitions.iter().map(Arc::downgrade).collect();
    let weight = size_of_val(definitions.as_slice());
    let row = |plugin: Weak<PluginDefinition>| {
        let plugin = plugin.upgrade()?;
        Some(json!({
            "idx": PLUGIN_HARDWARE, "key": plugin.key, "name": plugin.name,
            "author": plugin.author, "wikiURL": plugin.wikilink,
            "externalURL": plugin.externallink, "description": plugin.description,
            "enabled": true,
            "parameters": plugin.params.iter().map(parameter).collect::<Vec<_>>(),
        }))
    };
    let answer = Answer::ok("GetHardwareTypes").with("problems", problems(call));
    Ok(answer.with_each(definitions.into_iter().filter_map(row), weight))
}

fn parameter(param: &Param) -> Value {
    let mut fields = super::super::devices::object(json!({
        "field": param.field, "label": param.label, "width": param.width,
        "required": param.required, "default": param.default, "password": param.password,
        "rows": param.rows,
    }));
    // Only where they are given: older clients do not know them.
    let more = [
        ("type", &param.input),
        ("min", &param.min),
        ("max", &param.max),
        ("step", &param.step),
        ("visible_when", &param.visible_when),
        ("group", &param.group),
    ];
    for (name, value) in more.into_iter().filter(|(_, value)| !value.is_empty()) {
        fields.insert(name.to_owned(), Value::from(value.as_str()));
    }
    if !param.description.is_empty() {
        let description = Value::from(param.description.as_str());
        fields.insert("description".to_owned(), description);
    }
    if !param.options.is_empty() {
        let options = param.options.iter().map(|option| {
            let mut fields = Map::new();
            fields.insert("label".to_owned(), Value::from(option.label.as_str()));
            fields.insert("value".to_owned(), Value::from(option.value.as_str()));
            if option.default {
                fields.insert("default".to_owned(), Value::from("true"));
            }
            Value::Object(fields)
        });
        fields.insert("options".to_owned(), options.collect());
    }
    Value::Object(fields)
}

pub(super) async fn add(call: &Call<'_>) -> Outcome {
    let manager = manager(call)?;
    if call.query.required::<u32>("htype")? != PLUGIN_HARDWARE {
        return Err("hardware of this hub is plugins: `htype` is 94".to_owned());
    }
    let key = call.query.needed("extra")?;
    let definitions = manager.definitions().await?;
    let definition = definitions.iter().find(|plugin| plugin.key == key);
    let mut parameters = given(call);
    if let Some(definition) = definition {
        parameters.extend(given_own(call, definition)?);
    }
    let hardware = ManagedHardware {
        id: 0,
        name: call.query.needed("name")?.trim().to_owned(),
        key: key.to_owned(),
        enabled: call.query.raw("enabled").is_none() || call.query.flag("enabled"),
        log_level: call.query.number("loglevel")?.unwrap_or(ALL_LEVELS),
        parameters,
    };
    let id = manager.save(hardware).await?;
    Ok(Answer::ok("AddHardware").with("idx", id.to_string()))
}

pub(super) async fn update(call: &Call<'_>) -> Outcome {
    let manager = manager(call)?;
    let id: u32 = call.query.required("idx")?;
    let known = manager.hardware().await?;
    let Some(mut hardware) = known.into_iter().find(|hardware| hardware.id == id) else {
        let configured = call.api.plugins.hardware();
        return Err(match configured.iter().any(|info| info.id == id) {
            true => "this hardware is in cordon.toml; change it there".to_owned(),
            false => "no hardware has this idx".to_owned(),
        });
    };
    let definitions = manager.definitions().await?;
    let definition = definitions.iter().find(|plugin| plugin.key == hardware.key);
    if let Some(definition) = definition {
        replace_own(&mut hardware, given_own(call, definition)?, definition);
    }
    for (field, value) in given(call) {
        let secret = definition.is_some_and(|plugin| is_secret(plugin, &field));
        if !(secret && value.is_empty()) {
            hardware.parameters.insert(field, value);
        }
    }
    if let Some(name) = call.query.text("name") {
        hardware.name = name.trim().to_owned();
    }
    if call.query.raw("enabled").is_some() {
        hardware.enabled = call.query.flag("enabled");
    }
    if let Some(level) = call.query.number("loglevel")? {
        hardware.log_level = level;
    }
    manager.save(hardware).await?;
    Ok(Answer::ok("UpdateHardware"))
}

pub(super) async fn delete(call: &Call<'_>) -> Outcome {
    let id: u32 = call.query.required("idx")?;
    manager(call)?.remove(id).await?;
    Ok(Answer::ok("DeleteHardware"))
}

fn manager<'a>(call: &Call<'a>) -> Result<&'a Arc<dyn Management>, String> {
    let manager = call.api.manager.as_ref();
    manager.ok_or_else(|| {
        "this hub takes no hardware from here; see `add-hardware` in section [web] of cordon.toml"
            .to_owned()
    })
}

/// The parameters in a request, by the names that plugins see. Empty ones too: a form
/// has all fields.
fn given(call: &Call<'_>) -> BTreeMap<String, String> {
    let mut parameters = BTreeMap::new();
    for (name, field) in FIELDS {
        // The names of plugins are taken as well.
        if let Some(value) = call.query.raw(name).or(call.query.raw(field)) {
            parameters.insert((*field).to_owned(), value.to_owned());
        }
    }
    parameters
}

/// The parameters of the plugin's own in a request: those of the JSON object `settings`, and values
/// under their own names, as older clients would send them (rule 186). Others are left out.
fn given_own(
    call: &Call<'_>,
    definition: &PluginDefinition,
) -> Result<BTreeMap<String, String>, String> {
    let settings = call.query.raw("settings").unwrap_or("");
    if settings.len() > MAX_SETTINGS {
        return Err(format!("`settings` is over {MAX_SETTINGS} bytes"));
    }
    let settings: Map<String, Value> = match settings {
        "" => Map::new(),
        text => serde_json::from_str(text)
            .map_err(|_| "`settings` is not the text of a JSON object".to_owned())?,
    };
    let mut values = BTreeMap::new();
    for param in own_params(definition) {
        let field = param.field.as_str();
        let value = call.query.raw(field);
        if let Some(value) = value.filter(|_| !OF_COMMANDS.contains(&field)) {
            values.insert(field.to_owned(), value.to_owned());
        }
    }
    for (field, value) in settings {
        let value = match value {
            Value::String(text) => text,
            // Check boxes and numbers of clients that make no texts of them.
            value @ (Value::Bool(_) | Value::Number(_)) => value.to_string(),
            _ => return Err(format!("`{field}` in `settings` is not a text")),
        };
        values.insert(field, value);
    }
    if let Some((field, _)) = values.iter().find(|(_, value)| value.len() > MAX_SETTING) {
        return Err(format!(
            "`{field}` in `settings` is over {MAX_SETTING} bytes"
        ));
    }
    let own: BTreeSet<_> = own_params(definition).map(|it| it.field.as_str()).collect();
    values.retain(|field, _| own.contains(field.as_str()));
    Ok(values)
}

/// Puts the given parameters in the place of all of the plugin's own, but for passwords that are
/// not given or empty, which stay (rule 187).
fn replace_own(
    hardware: &mut ManagedHardware,
    given: BTreeMap<String, String>,
    definition: &PluginDefinition,
) {
    let known = std::mem::take(&mut hardware.parameters);
    let (columns, former): (BTreeMap<_, _>, BTreeMap<_, _>) =
        known.into_iter().partition(|(field, _)| is_reserved(field));
    hardware.parameters = columns;
    hardware.parameters.extend(given);
    for param in own_params(definition).filter(|param| param.is_password()) {
        let value = hardware.parameters.get(&param.field);
        let former = former.get(&param.field);
        if let (None | Some(""), Some(former)) = (value.map(String::as_str), former) {
            hardware
                .parameters
                .insert(param.field.clone(), former.clone());
        }
    }
}
