//! An object as one caller sees it: the attributes that follow from others included.

use serde_json::{Map, Value, json};

use super::device::{DeviceClass, EQUIPMENT, count, says};
use super::object::Object;
use super::state::{figure, text, truth};
use super::table::Collection;

/// The object for a plugin, or for the operator (`None`).
#[must_use]
pub fn view(object: &Object, plugin: Option<&str>) -> Value {
    let mut seen = Map::new();
    seen.insert("class".to_owned(), Value::from(class(object)));
    seen.insert("id".to_owned(), Value::from(object.id));
    for (key, value) in &object.fields {
        seen.insert(key.clone(), value.clone());
    }
    if object.table.folders {
        return Value::Object(seen);
    }
    let owner = object.owner();
    let props = |plugin: &str| object.props(plugin).cloned().unwrap_or_default();
    let own = props(plugin.unwrap_or(owner));
    seen.insert("pluginProps".to_owned(), Value::Object(own));
    if object.table.collection == Collection::Devices {
        let owners = props(owner);
        device(object, &owners, &mut seen);
        seen.insert("ownerProps".to_owned(), Value::Object(owners));
    }
    Value::Object(seen)
}

/// The Python class of an object.
#[must_use]
pub fn class(object: &Object) -> &str {
    if object.table.folders {
        return "indigo.Folder";
    }
    if !object.hidden.class.is_empty() {
        return &object.hidden.class;
    }
    match object.table.collection {
        Collection::Devices => object.hidden.device.python(),
        Collection::Variables => "indigo.Variable",
        Collection::Triggers => "indigo.Trigger",
        Collection::Schedules => "indigo.Schedule",
        Collection::ActionGroups => "indigo.ActionGroup",
        Collection::ControlPages => "indigo.ControlPage",
    }
}

/// What of a device follows from its states and its owner's properties.
fn device(object: &Object, props: &Map<String, Value>, seen: &mut Map<String, Value>) {
    let empty = Map::new();
    let states = object.fields.get("states").and_then(Value::as_object);
    let states = states.unwrap_or(&empty);
    let state = |key: &str| states.get(key).cloned().unwrap_or(Value::Null);
    let says = |name: &str, default| says(props, name, default);
    let class = object.hidden.device;
    let has_on = states.contains_key("onOffState");
    let mut set = |key: &str, value: Value| drop(seen.insert(key.to_owned(), value));

    let shown = object.text("displayStateId");
    let definition = object.hidden.states.iter().find(|it| it.key == shown);
    let raw = state(shown);
    let label = match states.get(&format!("{shown}.ui")) {
        Some(label) => label.clone(),
        None => Value::from(match definition {
            Some(definition) => definition.shown(&raw, None),
            None => text(&raw, None).unwrap_or_default(),
        }),
    };
    let error = object.text("errorState");
    set("displayStateValRaw", raw);
    set(
        "displayStateValUi",
        if error.is_empty() {
            label
        } else {
            Value::from(error)
        },
    );
    set("batteryLevel", state("batteryLevel"));
    set("energyCurLevel", state("curEnergyLevel"));
    set("energyAccumTotal", state("accumEnergyTotal"));
    set("supportsOnState", Value::from(has_on));
    set(
        "supportsStatusRequest",
        Value::from(says("SupportsStatusRequest", class != DeviceClass::Custom)),
    );
    set(
        "supportsEnergyMeter",
        Value::from(states.contains_key("accumEnergyTotal")),
    );
    set(
        "supportsPowerMeter",
        Value::from(states.contains_key("curEnergyLevel")),
    );
    set("supportsAllOff", Value::from(false));
    set("supportsAllLightsOnOff", Value::from(false));
    match class {
        DeviceClass::Custom => {}
        DeviceClass::Relay => {
            set("onState", state("onOffState"));
            set("ledStates", json!([]));
            set("buttonConfiguredCount", Value::from(0));
        }
        DeviceClass::Dimmer => {
            set("onState", state("onOffState"));
            set("ledStates", json!([]));
            set("buttonConfiguredCount", Value::from(0));
            set("brightness", state("brightnessLevel"));
            set("defaultBrightness", Value::from(100));
            set("onBrightensToDefaultToggle", Value::from(true));
            set("onBrightensToLast", Value::from(false));
            for (attribute, prop) in COLOR_PROPS {
                set(attribute, Value::from(says(prop, false)));
            }
            for key in COLOR_STATES {
                set(key, state(key));
            }
        }
        DeviceClass::Sensor => {
            set("onState", state("onOffState"));
            set("sensorValue", state("sensorValue"));
            set(
                "allowOnStateChange",
                Value::from(says("AllowOnStateChange", false)),
            );
            set(
                "allowSensorValueChange",
                Value::from(says("AllowSensorValueChange", false)),
            );
            set(
                "supportsSensorValue",
                Value::from(states.contains_key("sensorValue")),
            );
        }
        DeviceClass::SpeedControl => {
            set("onState", state("onOffState"));
            set("speedIndex", state("speedIndex"));
            set(
                "speedIndexCount",
                Value::from(count(props, "SpeedIndexCount", SPEEDS)),
            );
            set("speedLevel", state("speedLevel"));
        }
        DeviceClass::Thermostat => {
            set("hvacMode", state("hvacOperationMode"));
            set("fanMode", state("hvacFanMode"));
            set("coolSetpoint", state("setpointCool"));
            set("heatSetpoint", state("setpointHeat"));
            for (attribute, number, key) in [
                ("temperatures", "temperatureSensorCount", "temperatureInput"),
                ("humidities", "humiditySensorCount", "humidityInput"),
            ] {
                let values = numbered(states, key);
                set(number, Value::from(values.len()));
                set(attribute, Value::Array(values));
            }
            let names = [
                "coolIsOn",
                "heatIsOn",
                "fanIsOn",
                "dehumidifierIsOn",
                "humidifierIsOn",
            ];
            for (attribute, key) in names.into_iter().zip(EQUIPMENT) {
                set(attribute, Value::from(truth(&state(key)).unwrap_or(false)));
            }
            set(
                "supportsHvacFanMode",
                Value::from(says("SupportsHvacFanMode", true)),
            );
            set(
                "supportsHvacOperationMode",
                Value::from(says("SupportsHvacOperationMode", true)),
            );
            set(
                "supportsCoolSetpoint",
                Value::from(says("SupportsCoolSetpoint", true)),
            );
            set(
                "supportsHeatSetpoint",
                Value::from(says("SupportsHeatSetpoint", true)),
            );
        }
        DeviceClass::Sprinkler => {
            let zones = count(props, "NumZones", 1);
            let active = figure(&state("activeZone")).filter(|zone| *zone > 0.0);
            set(
                "activeZone",
                if active.is_some() {
                    state("activeZone")
                } else {
                    Value::Null
                },
            );
            set("zoneCount", Value::from(zones));
            let listed = |name: &str| listed(props, name);
            let names = listed("ZoneNames");
            let longest = listed("MaxZoneDurations");
            let name = |zone: usize| {
                let named = names.get(zone).filter(|it| !it.is_empty()).cloned();
                named.unwrap_or_else(|| format!("zone {}", zone + 1))
            };
            let number = |text: &String| text.parse().unwrap_or(0.0);
            let every = 0..usize::try_from(zones).unwrap_or(0);
            let minutes: Vec<f64> = every
                .clone()
                .map(|zone| longest.get(zone).map_or(0.0, number))
                .collect();
            set("zoneNames", every.clone().map(name).collect());
            set(
                "zoneEnableList",
                minutes.iter().map(|it| *it > 0.0).collect(),
            );
            set("zoneMaxDurations", minutes.into_iter().collect());
            let scheduled = listed("ScheduledZoneDurations");
            set(
                "zoneScheduledDurations",
                scheduled.iter().map(number).collect(),
            );
            let paused = |name: &str| props.get(name).and_then(figure);
            set(
                "pausedScheduleZone",
                json!(paused("PauseScheduleZoneIndex")),
            );
            let left = paused("PauseScheduleRemainingZoneDuration");
            set("pausedScheduleRemainingZoneDuration", json!(left));
        }
        DeviceClass::MultiIo => {
            for key in ["analogInput", "binaryInput", "sensorInput", "binaryOutput"] {
                let values = numbered(states, key);
                set(&format!("{key}Count"), Value::from(values.len()));
                set(&format!("{key}s"), Value::Array(values));
            }
        }
    }
}

/// Steps of a speed control whose plugin names no other number, off included.
pub const SPEEDS: u32 = 4;

/// The channels of a colour.
pub const COLOR_STATES: [&str; 6] = [
    "redLevel",
    "greenLevel",
    "blueLevel",
    "whiteLevel",
    "whiteLevel2",
    "whiteTemperature",
];

const COLOR_PROPS: [(&str, &str); 7] = [
    ("supportsColor", "SupportsColor"),
    ("supportsRGB", "SupportsRGB"),
    ("supportsWhite", "SupportsWhite"),
    ("supportsTwoWhiteLevels", "SupportsTwoWhiteLevels"),
    (
        "supportsTwoWhiteLevelsSimultaneously",
        "SupportsTwoWhiteLevelsSimultaneously",
    ),
    ("supportsWhiteTemperature", "SupportsWhiteTemperature"),
    (
        "supportsRGBandWhiteSimultaneously",
        "SupportsRGBandWhiteSimultaneously",
    ),
];

/// The values of `KEY1`, `KEY2` and so on.
#[must_use]
pub fn numbered(states: &Map<String, Value>, key: &str) -> Vec<Value> {
    (1..)
        .map_while(|number: u32| states.get(&format!("{key}{number}")).cloned())
        .collect()
}

/// The parts of a property that is a list by comma.
fn listed(props: &Map<String, Value>, name: &str) -> Vec<String> {
    let text = props.get(name).and_then(Value::as_str).unwrap_or("");
    if text.trim().is_empty() {
        return Vec::new();
    }
    let parts = text.split(',').take(MOST_ZONES);
    parts.map(|part| part.trim().to_owned()).collect()
}

/// Most parts of such a list: a sprinkler has no more zones.
const MOST_ZONES: usize = 64;
