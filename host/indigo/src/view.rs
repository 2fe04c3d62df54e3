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

/// Adds the attributes of a device that follow from its states and its owner's properties.
fn device(object: &Object, props: &Map<String, Value>, seen: &mut Map<String, Value>) {
    let empty = Map::new();
    let states = object.fields.get("states").and_then(Value::as_object);
    let states = states.unwrap_or(&empty);
    let mut device = Attributes {
        props,
        states,
        seen,
    };
    device.display(object);
    device.of_every_class(object.hidden.device);
    match object.hidden.device {
        DeviceClass::Custom => {}
        DeviceClass::Relay => device.relay(),
        DeviceClass::Dimmer => device.dimmer(),
        DeviceClass::Sensor => device.sensor(),
        DeviceClass::SpeedControl => device.speed_control(),
        DeviceClass::Thermostat => device.thermostat(),
        DeviceClass::Sprinkler => device.sprinkler(),
        DeviceClass::MultiIo => device.multi_io(),
    }
}

/// The attributes of one device while they are made.
struct Attributes<'a> {
    /// The properties that the owner gave it.
    props: &'a Map<String, Value>,
    states: &'a Map<String, Value>,
    /// The attributes that callers see.
    seen: &'a mut Map<String, Value>,
}

impl Attributes<'_> {
    fn set(&mut self, attribute: &str, value: impl Into<Value>) {
        self.seen.insert(attribute.to_owned(), value.into());
    }

    fn state(&self, key: &str) -> Value {
        self.states.get(key).cloned().unwrap_or(Value::Null)
    }

    /// Sets an attribute to the value of a state.
    fn follow(&mut self, attribute: &str, key: &str) {
        self.set(attribute, self.state(key));
    }

    /// Sets an attribute to whether a property says so.
    fn flag(&mut self, attribute: &str, prop: &str, default: bool) {
        self.set(attribute, says(self.props, prop, default));
    }

    /// Sets an attribute to whether there is a state.
    fn known(&mut self, attribute: &str, key: &str) {
        self.set(attribute, self.states.contains_key(key));
    }

    /// The state that lists show: its value, and its words or the device's error.
    fn display(&mut self, object: &Object) {
        let shown = object.text("displayStateId");
        let definition = object.hidden.states.iter().find(|it| it.key == shown);
        let raw = self.state(shown);
        let label = match self.states.get(&format!("{shown}.ui")) {
            Some(label) => label.clone(),
            None => Value::from(match definition {
                Some(definition) => definition.shown(&raw, None),
                None => text(&raw, None).unwrap_or_default(),
            }),
        };
        let error = object.text("errorState");
        self.set("displayStateValRaw", raw);
        let label = match error.is_empty() {
            true => label,
            false => Value::from(error),
        };
        self.set("displayStateValUi", label);
    }

    fn of_every_class(&mut self, class: DeviceClass) {
        self.follow("batteryLevel", "batteryLevel");
        self.follow("energyCurLevel", "curEnergyLevel");
        self.follow("energyAccumTotal", "accumEnergyTotal");
        self.known("supportsOnState", "onOffState");
        let answers = class != DeviceClass::Custom;
        self.flag("supportsStatusRequest", "SupportsStatusRequest", answers);
        self.known("supportsEnergyMeter", "accumEnergyTotal");
        self.known("supportsPowerMeter", "curEnergyLevel");
        self.set("supportsAllOff", false);
        self.set("supportsAllLightsOnOff", false);
    }

    fn relay(&mut self) {
        self.follow("onState", "onOffState");
        self.set("ledStates", json!([]));
        self.set("buttonConfiguredCount", 0);
    }

    fn dimmer(&mut self) {
        self.relay();
        self.follow("brightness", "brightnessLevel");
        self.set("defaultBrightness", 100);
        self.set("onBrightensToDefaultToggle", true);
        self.set("onBrightensToLast", false);
        for (attribute, prop) in COLOR_PROPS {
            self.flag(attribute, prop, false);
        }
        for key in COLOR_STATES {
            self.follow(key, key);
        }
    }

    fn sensor(&mut self) {
        self.follow("onState", "onOffState");
        self.follow("sensorValue", "sensorValue");
        self.flag("allowOnStateChange", "AllowOnStateChange", false);
        self.flag("allowSensorValueChange", "AllowSensorValueChange", false);
        self.known("supportsSensorValue", "sensorValue");
    }

    fn speed_control(&mut self) {
        self.follow("onState", "onOffState");
        self.follow("speedIndex", "speedIndex");
        let steps = count(self.props, "SpeedIndexCount", SPEEDS);
        self.set("speedIndexCount", steps);
        self.follow("speedLevel", "speedLevel");
    }

    fn thermostat(&mut self) {
        self.follow("hvacMode", "hvacOperationMode");
        self.follow("fanMode", "hvacFanMode");
        self.follow("coolSetpoint", "setpointCool");
        self.follow("heatSetpoint", "setpointHeat");
        for (attribute, number, key) in [
            ("temperatures", "temperatureSensorCount", "temperatureInput"),
            ("humidities", "humiditySensorCount", "humidityInput"),
        ] {
            let values = numbered(self.states, key);
            self.set(number, values.len());
            self.set(attribute, Value::Array(values));
        }
        let names = [
            "coolIsOn",
            "heatIsOn",
            "fanIsOn",
            "dehumidifierIsOn",
            "humidifierIsOn",
        ];
        for (attribute, key) in names.into_iter().zip(EQUIPMENT) {
            self.set(attribute, truth(&self.state(key)).unwrap_or(false));
        }
        for (attribute, prop) in [
            ("supportsHvacFanMode", "SupportsHvacFanMode"),
            ("supportsHvacOperationMode", "SupportsHvacOperationMode"),
            ("supportsCoolSetpoint", "SupportsCoolSetpoint"),
            ("supportsHeatSetpoint", "SupportsHeatSetpoint"),
        ] {
            self.flag(attribute, prop, true);
        }
    }

    fn sprinkler(&mut self) {
        let zones = count(self.props, "NumZones", 1);
        let active = self.state("activeZone");
        let waters = figure(&active).is_some_and(|zone| zone > 0.0);
        self.set("activeZone", if waters { active } else { Value::Null });
        self.set("zoneCount", zones);
        let names = listed(self.props, "ZoneNames");
        let longest = listed(self.props, "MaxZoneDurations");
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
        let enabled: Vec<bool> = minutes.iter().map(|it| *it > 0.0).collect();
        self.set("zoneNames", every.map(name).collect::<Vec<_>>());
        self.set("zoneEnableList", enabled);
        self.set("zoneMaxDurations", minutes);
        let scheduled = listed(self.props, "ScheduledZoneDurations");
        let scheduled: Vec<f64> = scheduled.iter().map(number).collect();
        self.set("zoneScheduledDurations", scheduled);
        for (attribute, prop) in [
            ("pausedScheduleZone", "PauseScheduleZoneIndex"),
            (
                "pausedScheduleRemainingZoneDuration",
                "PauseScheduleRemainingZoneDuration",
            ),
        ] {
            let paused = self.props.get(prop).and_then(figure);
            self.set(attribute, json!(paused));
        }
    }

    fn multi_io(&mut self) {
        for key in ["analogInput", "binaryInput", "sensorInput", "binaryOutput"] {
            let values = numbered(self.states, key);
            self.set(&format!("{key}Count"), values.len());
            self.set(&format!("{key}s"), Value::Array(values));
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

/// The parts of a property whose text is a list with commas.
fn listed(props: &Map<String, Value>, name: &str) -> Vec<String> {
    let text = props.get(name).and_then(Value::as_str).unwrap_or("");
    if text.trim().is_empty() {
        return Vec::new();
    }
    let parts = text.split(',').take(MOST_ZONES);
    parts.map(|part| part.trim().to_owned()).collect()
}

/// Most parts of a list with commas: a sprinkler has no more zones.
const MOST_ZONES: usize = 64;
