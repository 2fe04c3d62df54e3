//! The classes of devices: which states each has by its properties.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::definition;
use super::state::{StateDefinition, StateType, figure, truth};

/// Most numbered states of a kind that a property may ask for.
const MOST: u32 = 64;

/// The class of a device, by the words of `Devices.xml`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeviceClass {
    /// Nothing but the states that its plugin declares.
    #[default]
    Custom,
    /// On and off.
    Relay,
    /// A level from 0 to 100, colours perhaps.
    Dimmer,
    /// A value, or on and off, or both.
    Sensor,
    /// A few steps, such as a fan has.
    SpeedControl,
    /// Heating and cooling.
    Thermostat,
    /// Zones that are watered one after the other.
    Sprinkler,
    /// Inputs and outputs by number.
    MultiIo,
}

impl DeviceClass {
    /// The class for a word of `Devices.xml`, without regard to case.
    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "custom" => Self::Custom,
            "relay" => Self::Relay,
            "dimmer" => Self::Dimmer,
            "sensor" => Self::Sensor,
            "speedcontrol" => Self::SpeedControl,
            "thermostat" => Self::Thermostat,
            "sprinkler" => Self::Sprinkler,
            "iodevice" | "multiio" => Self::MultiIo,
            _ => return None,
        })
    }

    /// The Python class.
    #[must_use]
    pub fn python(self) -> &'static str {
        match self {
            Self::Custom => "indigo.Device",
            Self::Relay => "indigo.RelayDevice",
            Self::Dimmer => "indigo.DimmerDevice",
            Self::Sensor => "indigo.SensorDevice",
            Self::SpeedControl => "indigo.SpeedControlDevice",
            Self::Thermostat => "indigo.ThermostatDevice",
            Self::Sprinkler => "indigo.SprinklerDevice",
            Self::MultiIo => "indigo.MultiIODevice",
        }
    }

    /// Whether the filter of a collection with this word, such as `relay`, takes it. A
    /// dimmer is a relay as well.
    #[must_use]
    pub fn matches(self, word: &str) -> bool {
        Self::of_word(word) == Some(self)
            || (self == Self::Dimmer && word.eq_ignore_ascii_case("relay"))
    }

    /// The state that is shown when the plugin names none.
    #[must_use]
    pub fn display(self, states: &[StateDefinition]) -> String {
        let wanted: &[&str] = match self {
            Self::Custom => &[],
            Self::MultiIo => &[
                "binaryOutputsAll",
                "binaryInputsAll",
                "analogInputsAll",
                "sensorInputsAll",
            ],
            Self::Relay => &["onOffState"],
            Self::Dimmer => &["brightnessLevel", "onOffState"],
            Self::Sensor => &["sensorValue", "onOffState"],
            Self::SpeedControl => &["speedIndex", "onOffState"],
            Self::Thermostat => &["temperatureInput1", "hvacOperationMode"],
            Self::Sprinkler => &["activeZone"],
        };
        let has = |key: &str| states.iter().any(|it| it.key == key);
        let found = wanted.iter().find(|key| has(key)).copied();
        found.unwrap_or_default().to_owned()
    }

    /// The states of the class, as the properties of the owner have it.
    #[must_use]
    pub fn states(self, props: &Map<String, Value>) -> Vec<StateDefinition> {
        let mut list = List {
            props,
            states: Vec::new(),
        };
        match self {
            Self::Custom => list.when("SupportsOnState", false, "onOffState", StateType::BoolOnOff),
            Self::Relay => list.add("onOffState", StateType::BoolOnOff),
            Self::Dimmer => list.dimmer(),
            Self::Sensor => {
                list.when("SupportsOnState", true, "onOffState", StateType::BoolOnOff);
                list.when(
                    "SupportsSensorValue",
                    false,
                    "sensorValue",
                    StateType::Number,
                );
            }
            Self::SpeedControl => {
                list.add("onOffState", StateType::BoolOnOff);
                list.add("speedIndex", StateType::Integer);
                list.add("speedLevel", StateType::Integer);
            }
            Self::Thermostat => list.thermostat(),
            Self::Sprinkler => {
                list.add("activeZone", StateType::Integer);
                let zones = list.count("NumZones", 1);
                list.numbered("zone", zones, StateType::BoolTrueFalse);
            }
            Self::MultiIo => list.inputs(),
        }
        list.common();
        list.states
    }
}

impl From<definition::DeviceClass> for DeviceClass {
    fn from(class: definition::DeviceClass) -> Self {
        match class {
            definition::DeviceClass::Relay => Self::Relay,
            definition::DeviceClass::Dimmer => Self::Dimmer,
            definition::DeviceClass::Sensor => Self::Sensor,
            definition::DeviceClass::SpeedControl => Self::SpeedControl,
            definition::DeviceClass::Thermostat => Self::Thermostat,
            definition::DeviceClass::Sprinkler => Self::Sprinkler,
            definition::DeviceClass::MultiIo => Self::MultiIo,
            definition::DeviceClass::Custom => Self::Custom,
        }
    }
}

/// Whether a property of a device says yes; `default` where it is not there.
#[must_use]
pub fn says(props: &Map<String, Value>, name: &str, default: bool) -> bool {
    props.get(name).and_then(truth).unwrap_or(default)
}

/// How many of something a property asks for, within reason.
#[must_use]
pub fn count(props: &Map<String, Value>, name: &str, default: u32) -> u32 {
    let Some(asked) = props.get(name).and_then(figure) else {
        return default;
    };
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped before"
    )]
    let asked = asked.clamp(0.0, f64::from(MOST)) as u32;
    asked
}

struct List<'a> {
    props: &'a Map<String, Value>,
    states: Vec<StateDefinition>,
}

impl List<'_> {
    fn says(&self, name: &str, default: bool) -> bool {
        says(self.props, name, default)
    }

    fn count(&self, name: &str, default: u32) -> u32 {
        count(self.props, name, default)
    }

    fn add(&mut self, key: &str, kind: StateType) {
        self.states.push(StateDefinition::new(key, kind));
    }

    fn when(&mut self, prop: &str, default: bool, key: &str, kind: StateType) {
        if self.says(prop, default) {
            self.add(key, kind);
        }
    }

    fn numbered(&mut self, key: &str, count: u32, kind: StateType) {
        for number in 1..=count {
            self.add(&format!("{key}{number}"), kind);
        }
    }

    fn dimmer(&mut self) {
        self.add("onOffState", StateType::BoolOnOff);
        self.add("brightnessLevel", StateType::Integer);
        if self.says("SupportsRGB", false) {
            for key in ["redLevel", "greenLevel", "blueLevel"] {
                self.add(key, StateType::Number);
            }
        }
        self.when("SupportsWhite", false, "whiteLevel", StateType::Number);
        self.when(
            "SupportsTwoWhiteLevels",
            false,
            "whiteLevel2",
            StateType::Number,
        );
        self.when(
            "SupportsWhiteTemperature",
            false,
            "whiteTemperature",
            StateType::Integer,
        );
    }

    fn thermostat(&mut self) {
        let temperatures = self.count("NumTemperatureInputs", 1);
        self.numbered("temperatureInput", temperatures, StateType::Number);
        if temperatures > 0 {
            self.add("temperatureInputsAll", StateType::String);
        }
        let humidities = self.count("NumHumidityInputs", 0);
        self.numbered("humidityInput", humidities, StateType::Number);
        if humidities > 0 {
            self.add("humidityInputsAll", StateType::String);
        }
        // Plugins of the wild switch off what theirs lacks and name nothing else.
        self.when(
            "SupportsHeatSetpoint",
            true,
            "setpointHeat",
            StateType::Number,
        );
        self.when(
            "SupportsCoolSetpoint",
            true,
            "setpointCool",
            StateType::Number,
        );
        if self.says("SupportsHvacOperationMode", true) {
            self.add("hvacOperationMode", StateType::Compound);
            for (key, _) in HVAC_MODES {
                self.add(key, StateType::BoolTrueFalse);
            }
        }
        if self.says("SupportsHvacFanMode", true) {
            self.add("hvacFanMode", StateType::Compound);
            for (key, _) in FAN_MODES {
                self.add(key, StateType::BoolTrueFalse);
            }
        }
        if self.says("ShowCoolHeatEquipmentStateUI", false) {
            for key in EQUIPMENT {
                self.add(key, StateType::BoolOnOff);
            }
        }
    }

    fn inputs(&mut self) {
        let kinds = [
            ("NumAnalogInputs", "analogInput", StateType::Number),
            ("NumBinaryInputs", "binaryInput", StateType::BoolOnOff),
            ("NumSensorInputs", "sensorInput", StateType::Number),
            ("NumBinaryOutputs", "binaryOutput", StateType::BoolOnOff),
        ];
        for (prop, key, kind) in kinds {
            let count = self.count(prop, 0);
            self.numbered(key, count, kind);
            if count > 0 {
                self.add(&format!("{key}sAll"), StateType::String);
            }
        }
    }

    /// What every class may have beside its own.
    fn common(&mut self) {
        self.when(
            "SupportsBatteryLevel",
            false,
            "batteryLevel",
            StateType::Integer,
        );
        let power = self.says("SupportsPowerMeter", false)
            || self.says("SupportsEnergyMeterCurPower", false);
        if power {
            self.add("curEnergyLevel", StateType::Number);
        }
        self.when(
            "SupportsEnergyMeter",
            false,
            "accumEnergyTotal",
            StateType::Number,
        );
    }
}

/// The truth values that follow from a thermostat's mode, by member of `kHvacMode`.
pub const HVAC_MODES: [(&str, &str); 7] = [
    ("hvacOperationModeIsOff", "Off"),
    ("hvacOperationModeIsHeat", "Heat"),
    ("hvacOperationModeIsCool", "Cool"),
    ("hvacOperationModeIsAuto", "HeatCool"),
    ("hvacOperationModeIsProgramHeat", "ProgramHeat"),
    ("hvacOperationModeIsProgramCool", "ProgramCool"),
    ("hvacOperationModeIsProgramAuto", "ProgramHeatCool"),
];

/// The same for its fan, by member of `kFanMode`.
pub const FAN_MODES: [(&str, &str); 2] =
    [("hvacFanIsAuto", "Auto"), ("hvacFanIsAlwaysOn", "AlwaysOn")];

/// What of a thermostat's equipment may run.
pub const EQUIPMENT: [&str; 5] = [
    "hvacCoolerIsOn",
    "hvacHeaterIsOn",
    "hvacFanIsOn",
    "hvacDehumidifierIsOn",
    "hvacHumidifierIsOn",
];

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use serde_json::json;

    fn keys(class: DeviceClass, props: Value) -> Vec<String> {
        let states = class.states(props.as_object().unwrap());
        states.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn a_sensor_has_the_states_that_its_properties_name() {
        assert_eq!(keys(DeviceClass::Sensor, json!({})), ["onOffState"]);
        let props = json!({"SupportsOnState": "false", "SupportsSensorValue": true});
        assert_eq!(keys(DeviceClass::Sensor, props), ["sensorValue"]);
    }

    #[test]
    fn a_thermostat_has_as_many_inputs_as_it_is_given() {
        let props = json!({"NumTemperatureInputs": "2", "SupportsCoolSetpoint": "false",
            "SupportsHvacFanMode": false, "SupportsHvacOperationMode": false});
        assert_eq!(
            keys(DeviceClass::Thermostat, props),
            [
                "temperatureInput1",
                "temperatureInput2",
                "temperatureInputsAll",
                "setpointHeat"
            ]
        );
    }

    #[test]
    fn a_count_out_of_reason_is_cut() {
        let zones = keys(DeviceClass::Sprinkler, json!({"NumZones": "1000000000000"}));
        assert_eq!(zones.len(), 65);
    }

    #[test]
    fn a_dimmer_is_a_relay_for_filters() {
        assert!(DeviceClass::Dimmer.matches("relay"));
        assert!(!DeviceClass::Relay.matches("dimmer"));
    }
}
