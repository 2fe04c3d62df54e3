//! The attributes of a device that follow from its states and its owner's properties.

use serde_json::{Map, Value, json};

use super::{COLOR_STATES, SPEEDS, numbered};
use crate::device::{DeviceClass, EQUIPMENT, count, says};
use crate::object::Object;
use crate::state::{figure, text, truth};

/// Adds the attributes of a device. `props` are its owner's properties.
pub(super) fn add(object: &Object, props: &Map<String, Value>, seen: &mut Map<String, Value>) {
    let empty = Map::new();
    let states = object.fields.get("states").and_then(Value::as_object);
    let mut attributes = Attributes {
        states: states.unwrap_or(&empty),
        props,
        seen,
    };
    attributes.shown(object);
    attributes.of_all(object.hidden.device);
    match object.hidden.device {
        DeviceClass::Custom => {}
        DeviceClass::Relay => attributes.relay(),
        DeviceClass::Dimmer => attributes.dimmer(),
        DeviceClass::Sensor => attributes.sensor(),
        DeviceClass::SpeedControl => attributes.speed_control(),
        DeviceClass::Thermostat => attributes.thermostat(),
        DeviceClass::Sprinkler => attributes.sprinkler(),
        DeviceClass::MultiIo => attributes.inputs_and_outputs(),
    }
}

/// The attributes of one device, and what they follow from.
struct Attributes<'a> {
    states: &'a Map<String, Value>,
    props: &'a Map<String, Value>,
    seen: &'a mut Map<String, Value>,
}

impl Attributes<'_> {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.seen.insert(key.to_owned(), value.into());
    }

    fn state(&self, key: &str) -> Value {
        self.states.get(key).cloned().unwrap_or(Value::Null)
    }

    fn has(&self, key: &str) -> bool {
        self.states.contains_key(key)
    }

    /// The value that lists of devices show, and its text.
    fn shown(&mut self, object: &Object) {
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
        match error.is_empty() {
            true => self.set("displayStateValUi", label),
            false => self.set("displayStateValUi", error),
        }
    }

    fn of_all(&mut self, class: DeviceClass) {
        let asks = says(
            self.props,
            "SupportsStatusRequest",
            class != DeviceClass::Custom,
        );
        self.set("batteryLevel", self.state("batteryLevel"));
        self.set("energyCurLevel", self.state("curEnergyLevel"));
        self.set("energyAccumTotal", self.state("accumEnergyTotal"));
        self.set("supportsOnState", self.has("onOffState"));
        self.set("supportsStatusRequest", asks);
        self.set("supportsEnergyMeter", self.has("accumEnergyTotal"));
        self.set("supportsPowerMeter", self.has("curEnergyLevel"));
        self.set("supportsAllOff", false);
        self.set("supportsAllLightsOnOff", false);
    }

    fn relay(&mut self) {
        self.set("onState", self.state("onOffState"));
        self.set("ledStates", json!([]));
        self.set("buttonConfiguredCount", 0);
    }

    fn dimmer(&mut self) {
        self.relay();
        self.set("brightness", self.state("brightnessLevel"));
        self.set("defaultBrightness", 100);
        self.set("onBrightensToDefaultToggle", true);
        self.set("onBrightensToLast", false);
        for (attribute, prop) in COLOR_PROPS {
            self.set(attribute, says(self.props, prop, false));
        }
        for key in COLOR_STATES {
            self.set(key, self.state(key));
        }
    }

    fn sensor(&mut self) {
        self.set("onState", self.state("onOffState"));
        self.set("sensorValue", self.state("sensorValue"));
        for (attribute, prop) in [
            ("allowOnStateChange", "AllowOnStateChange"),
            ("allowSensorValueChange", "AllowSensorValueChange"),
        ] {
            self.set(attribute, says(self.props, prop, false));
        }
        self.set("supportsSensorValue", self.has("sensorValue"));
    }

    fn speed_control(&mut self) {
        self.set("onState", self.state("onOffState"));
        self.set("speedIndex", self.state("speedIndex"));
        let steps = count(self.props, "SpeedIndexCount", SPEEDS);
        self.set("speedIndexCount", steps);
        self.set("speedLevel", self.state("speedLevel"));
    }

    fn thermostat(&mut self) {
        self.set("hvacMode", self.state("hvacOperationMode"));
        self.set("fanMode", self.state("hvacFanMode"));
        self.set("coolSetpoint", self.state("setpointCool"));
        self.set("heatSetpoint", self.state("setpointHeat"));
        for (attribute, number, key) in [
            ("temperatures", "temperatureSensorCount", "temperatureInput"),
            ("humidities", "humiditySensorCount", "humidityInput"),
        ] {
            let values = numbered(self.states, key);
            self.set(number, values.len());
            self.set(attribute, values);
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
            self.set(attribute, says(self.props, prop, true));
        }
    }

    fn sprinkler(&mut self) {
        let zones = count(self.props, "NumZones", 1);
        let active = figure(&self.state("activeZone")).filter(|zone| *zone > 0.0);
        let active = active.map_or(Value::Null, |_| self.state("activeZone"));
        self.set("activeZone", active);
        self.set("zoneCount", zones);
        let names = listed(self.props, "ZoneNames");
        let longest = listed(self.props, "MaxZoneDurations");
        let name = |zone: usize| {
            let named = names.get(zone).filter(|it| !it.is_empty()).cloned();
            named.unwrap_or_else(|| format!("zone {}", zone + 1))
        };
        let number = |text: &String| text.parse().unwrap_or(0.0);
        let every = 0..usize::try_from(zones).unwrap_or(0);
        let minutes = every.clone();
        let minutes: Vec<f64> = minutes
            .map(|zone| longest.get(zone).map_or(0.0, number))
            .collect();
        self.set("zoneNames", every.map(name).collect::<Value>());
        let enabled = minutes.iter().map(|it| *it > 0.0);
        self.set("zoneEnableList", enabled.collect::<Value>());
        self.set("zoneMaxDurations", minutes);
        let scheduled = listed(self.props, "ScheduledZoneDurations");
        let scheduled = scheduled.iter().map(number);
        self.set("zoneScheduledDurations", scheduled.collect::<Value>());
        let props = self.props;
        let paused = |name: &str| props.get(name).and_then(figure);
        self.set(
            "pausedScheduleZone",
            json!(paused("PauseScheduleZoneIndex")),
        );
        let left = paused("PauseScheduleRemainingZoneDuration");
        self.set("pausedScheduleRemainingZoneDuration", json!(left));
    }

    fn inputs_and_outputs(&mut self) {
        for key in ["analogInput", "binaryInput", "sensorInput", "binaryOutput"] {
            let values = numbered(self.states, key);
            self.set(&format!("{key}Count"), values.len());
            self.set(&format!("{key}s"), values);
        }
    }
}

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
