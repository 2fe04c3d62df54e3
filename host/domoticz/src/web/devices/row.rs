//! A device row as JSON, with the fields that Domoticz clients read.
//!
//! Features that this hub does not have (plans, timers, cameras) have the values of a Domoticz
//! where nobody uses them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::super::{counter, names, sensor};
use super::PLUGIN_HARDWARE;
use crate::{Device, HardwareInfo, Shown, kind};

/// The fields of a row, but for those of its hardware.
pub(super) fn text(shown: &Shown) -> String {
    let device = &shown.row.device;
    let mut fields = common(shown);
    fields.extend(unused());
    fields.extend(match kind::is_switch(device) {
        true => switch(device),
        false => sensor::fields(device, shown.first.as_ref()),
    });
    fields.extend(counter::fields(device, shown.first.as_ref()));
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    if !device.color.is_empty() {
        put("Color", json!(device.color));
    }
    let chosen = names::chosen_image(device);
    if let Some(image) = shown.icon.as_deref().or(chosen) {
        put("Image", json!(image));
    }
    Value::Object(fields).to_string()
}

/// The fields of a hardware in each of its rows; without one they are those of a
/// hardware that is not configured any more.
pub(super) fn hardware(info: Option<&HardwareInfo>) -> String {
    let fields = json!({
        "HardwareName": info.map_or("Unknown?", |info| info.name.as_str()),
        "HardwareType": info.map_or("", |info| info.key.as_str()),
        "HardwareTypeVal": PLUGIN_HARDWARE,
        "HardwareDisabled": info.is_none(),
    });
    fields.to_string()
}

/// The fields that every row has.
fn common(shown: &Shown) -> Map<String, Value> {
    let row = &shown.row;
    let device = &row.device;
    let kind = kind::of(device);
    // 12 and above mean that the device has no radio.
    let signal = match device.signal_level {
        level @ 0..=11 => json!(level),
        _ => json!("-"),
    };
    let calibration = device.calibration;
    object(json!({
        "idx": device.id.to_string(), "Name": device.name,
        "Type": kind::main_name(device), "SubType": kind.name,
        "TypeImg": names::type_image(device), "ID": device.device_id, "Unit": device.unit,
        "Used": device.used, "Favorite": i32::from(shown.favorite),
        "Description": device.description, "LastUpdate": device.last_update,
        "BatteryLevel": device.battery_level, "SignalLevel": signal,
        "CustomImage": device.image, "HaveTimeout": row.timed_out != 0,
        "HardwareID": row.hardware, "SwitchTypeVal": device.switch_type,
        "AddjValue": calibration.value, "AddjMulti": calibration.multiplier,
        "AddjValue2": calibration.value2, "AddjMulti2": calibration.multiplier2,
    }))
}

/// The values of features that this hub does not have, as in a Domoticz where nobody uses them.
fn unused() -> Map<String, Value> {
    let fields = json!({
        "Notifications": "false", "PlanID": "0", "PlanIDs": [0],
        "Protected": false, "ShowNotifications": true, "Timers": "false",
        "XOffset": "0", "YOffset": "0",
    });
    object(fields)
}

fn switch(device: &Device) -> Map<String, Value> {
    let on = kind::is_on(device);
    let off = if device.switch_type == kind::SELECTOR {
        0
    } else {
        device.last_level
    };
    let level = match device.s_value.trim().parse::<i64>() {
        Ok(steps) if on => kind::level(device, steps, false),
        _ => off.clamp(0, kind::top_level(device)),
    };
    let status = names::status(device, level);
    let dims = kind::dims(device);
    let steps = if dims { kind::dim_range(device) } else { 0 };
    let mut fields = object(json!({
        "Data": status, "Status": status, "Level": level,
        "LevelInt": kind::steps(device, level, false), "MaxDimLevel": steps,
        "HaveDimmer": dims, "HaveGroupCmd": false, "IsSubDevice": false,
        "SwitchType": kind::switch(device).name, "UsedByCamera": false,
        "StrParam1": "", "StrParam2": "", "DimmerType": "none",
        "InternalState": if on { "On" } else { "Off" },
    }));
    if kind::is_blinds(device) {
        for option in ["ReversePosition", "ReverseState"] {
            fields.insert(option.to_owned(), json!(device.option_is_true(option)));
        }
    }
    if device.device_type == kind::COLOR_SWITCH {
        // Clients look for it, whether or not there is a colour.
        fields.insert("Color".to_owned(), json!(device.color));
        fields.insert("DimmerType".to_owned(), json!("abs"));
    }
    if device.switch_type == kind::SELECTOR {
        fields.extend(selector(device));
    }
    fields
}

/// Level names and actions travel in base64, as in Domoticz since 2018.
fn selector(device: &Device) -> Map<String, Value> {
    let coded = |key| BASE64_STANDARD.encode(device.option(key).unwrap_or(""));
    let style = device.option("SelectorStyle").unwrap_or("0");
    object(json!({
        "LevelNames": coded("LevelNames"),
        "LevelActions": coded("LevelActions"),
        "LevelOffHidden": device.option_is_true("LevelOffHidden"),
        "SelectorStyle": style.parse::<i64>().unwrap_or(0),
    }))
}

/// The fields of a `json!` object.
pub(in crate::web) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
