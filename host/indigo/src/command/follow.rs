//! States that follow from others, or from what was set.

use std::collections::HashSet;

use jiff::Zoned;
use jiff::civil::DateTime;
use serde_json::{Map, Value};

use super::common;
use crate::device::{DeviceClass, FAN_MODES, HVAC_MODES, count};
use crate::object::Object;
use crate::state::{figure, text, truth};
use crate::view::SPEEDS;

/// States that belong together follow one another, unless both were set.
pub(super) fn couple(device: &Object, states: &mut Map<String, Value>, keys: &HashSet<&str>) {
    let has = |key: &str| keys.contains(key);
    let number = |states: &Map<String, Value>, key: &str| states.get(key).and_then(figure);
    match device.hidden.device {
        DeviceClass::Dimmer if has("brightnessLevel") && !has("onOffState") => {
            let on = number(states, "brightnessLevel").is_some_and(|it| it > 0.0);
            states.insert("onOffState".to_owned(), Value::from(on));
        }
        DeviceClass::Dimmer if has("onOffState") && !has("brightnessLevel") => {
            let on = states.get("onOffState").and_then(truth) == Some(true);
            let level = number(states, "brightnessLevel").unwrap_or(0.0);
            if !on {
                states.insert("brightnessLevel".to_owned(), Value::from(0));
            } else if level <= 0.0 {
                states.insert("brightnessLevel".to_owned(), Value::from(100));
            }
        }
        DeviceClass::SpeedControl => speed(device, states, keys),
        _ => {}
    }
}

/// Index, level and whether it runs, of a speed control.
fn speed(device: &Object, states: &mut Map<String, Value>, keys: &HashSet<&str>) {
    let has = |key: &str| keys.contains(key);
    let count = device.owner_prop("SpeedIndexCount").and_then(figure);
    let top = count.unwrap_or(f64::from(SPEEDS)).clamp(2.0, 64.0).floor() - 1.0;
    let number = |states: &Map<String, Value>, key: &str| states.get(key).and_then(figure);
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
    let whole = |value: f64| Value::from(value.clamp(0.0, 100.0) as i64);
    if has("speedIndex") && !has("speedLevel") {
        let index = number(states, "speedIndex").unwrap_or(0.0);
        states.insert(
            "speedLevel".to_owned(),
            whole((index / top * 100.0).round()),
        );
    } else if has("speedLevel") && !has("speedIndex") {
        let level = number(states, "speedLevel").unwrap_or(0.0);
        states.insert("speedIndex".to_owned(), whole((level / 100.0 * top).ceil()));
    } else if has("onOffState") && !has("speedIndex") {
        if states.get("onOffState").and_then(truth) != Some(true) {
            states.insert("speedIndex".to_owned(), Value::from(0));
            states.insert("speedLevel".to_owned(), Value::from(0));
        }
        return;
    }
    if !has("onOffState") && (has("speedIndex") || has("speedLevel")) {
        let on = number(states, "speedIndex").is_some_and(|it| it > 0.0);
        states.insert("onOffState".to_owned(), Value::from(on));
    }
}

/// What a speed or a zone is called, where its plugin has no word for it.
pub(super) fn labels(device: &Object, states: &Map<String, Value>) -> Option<(String, Value)> {
    let number = |key: &str| states.get(key).and_then(figure);
    let (key, label) = match device.hidden.device {
        DeviceClass::SpeedControl => {
            let props = device.props(device.owner());
            let count = props.map_or(SPEEDS, |it| count(it, "SpeedIndexCount", SPEEDS));
            let index = number("speedIndex")?;
            let name = ["off", "low", "medium", "high"]
                .into_iter()
                .zip(0_u32..)
                .find(|(_, at)| count == 4 && f64::from(*at) == index);
            let label = name.map_or_else(|| index.to_string(), |(name, _)| name.to_owned());
            ("speedIndex.ui", label)
        }
        DeviceClass::Sprinkler => {
            let zone = number("activeZone")?;
            let names = device.owner_prop("ZoneNames").and_then(Value::as_str);
            let mut names = names.unwrap_or_default().split(',').zip(1_u32..);
            let name = names.find(|(_, at)| f64::from(*at) == zone);
            let name = name
                .map(|(name, _)| name.trim())
                .filter(|it| !it.is_empty());
            let label = match name {
                _ if zone <= 0.0 => "all zones off".to_owned(),
                Some(name) => name.to_owned(),
                None => format!("zone {zone}"),
            };
            ("activeZone.ui", label)
        }
        _ => return None,
    };
    Some((key.to_owned(), Value::from(label)))
}

/// The time that an energy total goes back to. A total of zero starts it anew.
pub(super) fn energy(device: &mut Object, states: &Map<String, Value>) {
    let total = states.get("accumEnergyTotal").and_then(figure);
    let base = device.text("energyAccumBaseTime").parse::<DateTime>().ok();
    let now = Zoned::now().datetime();
    let base = match (total, base) {
        (Some(total), Some(base)) if total > 0.0 => base,
        _ => {
            device.set("energyAccumBaseTime", common::now());
            now
        }
    };
    let seconds = now.duration_since(base).as_secs().max(0);
    device.set("energyAccumTimeDelta", seconds);
}

/// States that nobody sets, because they follow from others.
pub(super) fn derive(class: DeviceClass, states: &mut Map<String, Value>) {
    match class {
        DeviceClass::Thermostat => {
            for (modes, key) in [
                (&HVAC_MODES[..], "hvacOperationMode"),
                (&FAN_MODES[..], "hvacFanMode"),
            ] {
                let mode = states.get(key).cloned();
                for (derived, member) in modes {
                    if let Some(state) = states.get_mut(*derived) {
                        *state = Value::from(mode.as_ref().and_then(Value::as_str) == Some(member));
                    }
                }
            }
            join(states, "temperatureInput");
            join(states, "humidityInput");
        }
        DeviceClass::Sprinkler => {
            let active = states.get("activeZone").and_then(figure).unwrap_or(0.0);
            for number in 1..=64_u32 {
                let Some(zone) = states.get_mut(&format!("zone{number}")) else {
                    break;
                };
                *zone = Value::from((active - f64::from(number)).abs() < 0.5);
            }
        }
        DeviceClass::MultiIo => {
            for key in ["analogInput", "binaryInput", "sensorInput", "binaryOutput"] {
                join(states, key);
            }
        }
        _ => {}
    }
}

/// `KEYsAll`: the values of `KEY1`, `KEY2` and so on by comma.
fn join(states: &mut Map<String, Value>, key: &str) {
    let all = format!("{key}sAll");
    if !states.contains_key(&all) {
        return;
    }
    let values = (1..=64_u32).map_while(|number| {
        let value = states.get(&format!("{key}{number}"))?;
        text(value, None)
    });
    let joined = values.collect::<Vec<_>>().join(", ");
    states.insert(all, Value::from(joined));
}
