//! `getdevices`: device rows with the fields that Domoticz clients read.
//!
//! What this hub does not have (plans, favourites, timers, cameras) has the value it
//! has in a Domoticz where nobody uses it.

use std::cmp::Ordering;
use std::collections::HashMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Zoned;
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::commands::{Call, midnight};
use super::query::Query;
use super::{counter, names, sensor};
use crate::platform::domoticz::{Device, HardwareInfo, Row, kind};

/// Hardware type number of Python plugins (spec 1.4).
pub(super) const PLUGIN_HARDWARE: u32 = 94;

/// Carries `getdevices` out.
pub(super) async fn list(call: &Call<'_>) -> Result<Answer, String> {
    let (api, query) = (call.api, call.query);
    let failed = |error: &dyn std::fmt::Display| error.to_string();
    let wanted = Wanted::parse(query)?;
    let favorites = api.favorites.all().await.map_err(|error| failed(&error))?;
    let mut rows = api.devices.all().await.map_err(|error| failed(&error))?;
    rows.retain(|row| wanted.includes(row, favorites.contains(&row.device.id)));
    rows.sort_by(|a, b| order(query.text("order"), a, b));
    let hardware = api.plugins.hardware().into_iter();
    let hardware: HashMap<u32, HardwareInfo> = hardware.map(|info| (info.id, info)).collect();
    let now = Zoned::now();
    let counters = rows
        .iter()
        .filter(|row| counter::is_one(&row.device))
        .map(|row| row.device.id);
    let today = midnight(now.date()).unwrap_or(0);
    let first = api.history.first_figures(counters.collect(), today).await;
    let first: HashMap<i64, f64> = first.map_err(|error| failed(&error))?.into_iter().collect();
    let result = rows
        .iter()
        .map(|row| {
            let id = row.device.id;
            let mut fields = entry(row, hardware.get(&row.hardware));
            fields.extend(counter::fields(&row.device, first.get(&id).copied()));
            fields.insert(
                "Favorite".to_owned(),
                json!(i32::from(favorites.contains(&id))),
            );
            Value::Object(fields)
        })
        .collect();
    let answer = Answer::ok("Devices")
        .with("ActTime", now.timestamp().as_second())
        .with("ServerTime", now.strftime("%Y-%m-%d %H:%M:%S").to_string())
        .with("app_version", api.version.version.as_str());
    Ok(answer.with_result(result))
}

/// Which rows a client asks for.
struct Wanted {
    id: Option<i64>,
    hardware: Option<u32>,
    /// There are no plans, so nothing is on one.
    plan: bool,
    used: Option<bool>,
    filter: String,
    favorites: bool,
    hidden: bool,
    since: i64,
}

impl Wanted {
    fn parse(query: &Query) -> Result<Self, String> {
        let used = match query.text("used") {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        Ok(Self {
            id: query.number("rid")?,
            hardware: query.number("hwidx")?,
            plan: query.number::<i64>("plan")?.is_some_and(|plan| plan > 0),
            used,
            filter: query.text("filter").unwrap_or("all").to_owned(),
            favorites: query.flag("favorite"),
            hidden: query.flag("displayhidden"),
            since: query.number("lastupdate")?.unwrap_or(0),
        })
    }

    fn includes(&self, row: &Row, favorite: bool) -> bool {
        let device = &row.device;
        if let Some(id) = self.id {
            return device.id == id;
        }
        let used = self.used.is_none_or(|used| used == (device.used != 0));
        let shown = self.hidden || !device.name.starts_with('$');
        let recent = row.updated.as_second() >= self.since;
        let owned = self
            .hardware
            .is_none_or(|hardware| hardware == row.hardware);
        let liked = favorite || !self.favorites;
        used && shown && recent && owned && liked && !self.plan && self.has_kind(device)
    }

    fn has_kind(&self, device: &Device) -> bool {
        match self.filter.as_str() {
            "light" | "lights" => kind::is_switch(device),
            "temp" => names::is_temperature(device),
            "weather" => names::is_weather(device),
            "utility" => {
                let other = names::is_temperature(device) || names::is_weather(device);
                !other && !kind::is_switch(device)
            }
            _ => true,
        }
    }
}

fn order(by: Option<&str>, a: &Row, b: &Row) -> Ordering {
    match by {
        Some("LastUpdate") => b.updated.cmp(&a.updated),
        Some("ID" | "idx") => a.device.id.cmp(&b.device.id),
        // `Name`, and Domoticz' own order, which is that of dashboards.
        _ => a
            .device
            .name
            .to_lowercase()
            .cmp(&b.device.name.to_lowercase()),
    }
}

fn entry(row: &Row, hardware: Option<&HardwareInfo>) -> Map<String, Value> {
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
    put(
        "HardwareName",
        json!(hardware.map_or("Unknown?", |info| info.name.as_str())),
    );
    put(
        "HardwareType",
        json!(hardware.map_or("", |info| info.key.as_str())),
    );
    put("HardwareTypeVal", json!(PLUGIN_HARDWARE));
    put("HardwareDisabled", json!(hardware.is_none()));
    fields.extend(unused());
    fields.extend(match kind::is_switch(device) {
        true => switch(device),
        false => sensor::fields(device),
    });
    fields
}

/// What a Domoticz has where nobody uses it.
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
pub(super) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(fields) => fields,
        _ => Map::new(),
    }
}
