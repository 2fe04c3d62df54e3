//! A device row as JSON, with the fields that Domoticz clients read.
//!
//! Features that this hub does not have (plans, timers, cameras) have the values of a Domoticz
//! where nobody uses them.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};

use super::super::{counter, names, sensor};
use super::PLUGIN_HARDWARE;
use crate::{Device, HardwareInfo, Row, Shown, kind};

/// The fields of a row, but for those of its hardware.
pub(super) fn text(shown: &Shown) -> String {
    let mut fields = entry(&shown.row);
    fields.extend(counter::fields(&shown.row.device, shown.first));
    fields.insert("Favorite".to_owned(), json!(i32::from(shown.favorite)));
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

fn entry(row: &Row) -> Map<String, Value> {
    let device = &row.device;
    // 12 and above mean that the device has no radio.
    let signal = match device.signal_level {
        level @ 0..=11 => json!(level),
        _ => json!("-"),
    };
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("idx", json!(device.id.to_string()));
    put("Name", json!(device.name));
    put("Type", json!(names::main(device)));
    put("SubType", json!(names::sub(device)));
    put("TypeImg", json!(names::type_image(device)));
    put("ID", json!(device.device_id));
    put("Unit", json!(device.unit));
    put("Used", json!(device.used));
    put("Description", json!(device.description));
    put("LastUpdate", json!(device.last_update));
    put("BatteryLevel", json!(device.battery_level));
    put("SignalLevel", signal);
    put("CustomImage", json!(device.image));
    put("HaveTimeout", json!(row.timed_out != 0));
    put("HardwareID", json!(row.hardware));
    fields.extend(unused());
    fields.extend(match kind::is_switch(device) {
        true => switch(device),
        false => sensor::fields(device),
    });
    fields
}

/// The values of features that this hub does not have, as in a Domoticz where nobody uses them.
fn unused() -> Map<String, Value> {
    let fields = json!({
        "AddjMulti": 1.0, "AddjMulti2": 1.0, "AddjValue": 0.0, "AddjValue2": 0.0,
        "Notifications": "false", "PlanID": "0", "PlanIDs": [0],
        "Protected": false, "ShowNotifications": true, "Timers": "false",
        "XOffset": "0", "YOffset": "0",
    });
    object(fields)
}

fn switch(device: &Device) -> Map<String, Value> {
    let on = kind::is_on(device);
    let range = kind::dim_range(device);
    let off = if device.switch_type == kind::SELECTOR {
        0
    } else {
        device.last_level
    };
    let level = match device.s_value.trim().parse::<i64>() {
        Ok(steps) if on => steps.clamp(0, range) * 100 / range,
        _ => off.clamp(0, 100),
    };
    let status = names::status(device, level);
    let dims = kind::dims(device);
    let mut fields = object(json!({
        "Data": status, "Status": status, "Level": level, "LevelInt": level * range / 100,
        "MaxDimLevel": if dims { range } else { 0 },
        "HaveDimmer": dims, "HaveGroupCmd": false, "IsSubDevice": false,
        "SwitchType": names::switch_type(device), "SwitchTypeVal": device.switch_type,
        "Image": names::switch_image(device), "UsedByCamera": false,
        "StrParam1": "", "StrParam2": "", "DimmerType": "none",
        "InternalState": if on { "On" } else { "Off" },
    }));
    if kind::is_blinds(device) {
        for option in ["ReversePosition", "ReverseState"] {
            fields.insert(option.to_owned(), json!(device.option_is_true(option)));
        }
    }
    if device.device_type == kind::COLOR_SWITCH {
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
