//! Device types: what `Devices.xml` defines.

use super::field::ConfigUi;
use super::named::{by_name, name_of};
use super::state::StateDefinition;

/// The class of a device type; decides its built-in states and actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DeviceClass {
    /// On and off.
    Relay,
    /// On, off and brightness.
    Dimmer,
    /// An on state, a value, or both.
    Sensor,
    /// On, off and speeds.
    SpeedControl,
    /// Heating and cooling.
    Thermostat,
    /// Zones.
    Sprinkler,
    /// Inputs and outputs by number. The original's definitions have no word for it;
    /// this is the one of its filters and its namespace of commands.
    MultiIo,
    /// Only what its definition says.
    Custom,
}

impl DeviceClass {
    /// All classes with the name that a definition gives them.
    pub const NAMES: [(&'static str, Self); 8] = [
        ("relay", Self::Relay),
        ("dimmer", Self::Dimmer),
        ("sensor", Self::Sensor),
        ("speedcontrol", Self::SpeedControl),
        ("thermostat", Self::Thermostat),
        ("sprinkler", Self::Sprinkler),
        ("iodevice", Self::MultiIo),
        ("custom", Self::Custom),
    ];

    /// The class of this name, whatever its case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        by_name(&Self::NAMES, name)
    }

    /// The name in a definition.
    #[must_use]
    pub fn name(self) -> &'static str {
        name_of(&Self::NAMES, &self)
    }

    /// The class that Python sees.
    #[must_use]
    pub fn python_class(self) -> &'static str {
        match self {
            Self::Relay => "indigo.RelayDevice",
            Self::Dimmer => "indigo.DimmerDevice",
            Self::Sensor => "indigo.SensorDevice",
            Self::SpeedControl => "indigo.SpeedControlDevice",
            Self::Thermostat => "indigo.ThermostatDevice",
            Self::Sprinkler => "indigo.SprinklerDevice",
            Self::MultiIo => "indigo.MultiIODevice",
            Self::Custom => "indigo.Device",
        }
    }
}

/// What a device is used for, as in `kSensorDeviceSubType.Temperature, ui=Outdoor`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubType {
    /// The enumeration, such as `kSensorDeviceSubType`; empty for free text.
    pub enumeration: String,
    /// The member, such as `Temperature`, or the free text.
    pub member: String,
    /// Text for people in place of the member's; `None` when not given.
    pub ui: Option<String>,
}

impl SubType {
    /// Reads the `subType` attribute and the `ui` attribute beside it.
    #[must_use]
    pub fn parse(text: &str, ui: Option<&str>) -> Self {
        let (constant, rest) = text.split_once(',').unwrap_or((text, ""));
        let inline = rest.trim().strip_prefix("ui=").map(str::trim);
        let constant = constant.trim();
        let constant = constant.strip_prefix("indigo.").unwrap_or(constant);
        let (enumeration, member) = match constant.split_once('.') {
            Some((enumeration, member)) if enumeration.starts_with('k') => (enumeration, member),
            _ => ("", constant),
        };
        let ui = inline.or(ui).filter(|ui| !ui.is_empty());
        Self {
            enumeration: enumeration.to_owned(),
            member: member.to_owned(),
            ui: ui.map(str::to_owned),
        }
    }
}

/// A device type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceType {
    /// Unique in the plugin; the `deviceTypeId` of its devices.
    pub id: String,
    /// Class.
    pub class: DeviceClass,
    /// Sub type; `None` when not given.
    pub sub_type: Option<SubType>,
    /// Whether users may make such a device; `allowUserCreation`.
    pub user_may_create: bool,
    /// Name for people and first `model` of its devices.
    pub name: String,
    /// Settings dialog; `None` when there is none.
    pub config_ui: Option<ConfigUi>,
    /// States beside those of the class, in order, with separators.
    pub states: Vec<StateDefinition>,
    /// State shown in the device list; `None` for the class's own.
    pub display_state_id: Option<String>,
    /// Line in `Devices.xml`, from 1.
    pub line: u32,
}

/// A dialog that makes several devices at once. Its values are not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceFactory {
    /// Title of the dialog.
    pub name: String,
    /// Text on the button that ends it; empty for the default.
    pub button_title: String,
    /// The dialog.
    pub config_ui: ConfigUi,
}

/// What `Devices.xml` defines.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceDefinitions {
    /// Help page; `None` for the plugin's own.
    pub support_url: Option<String>,
    /// The device types in order.
    pub types: Vec<DeviceType>,
    /// The factory dialog.
    pub factory: Option<DeviceFactory>,
}

impl DeviceDefinitions {
    /// The device type of this id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&DeviceType> {
        self.types.iter().find(|device| device.id == id)
    }
}
