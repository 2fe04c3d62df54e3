//! `Parameters`: the facts that a plugin is told about its own hardware (behaviour spec 2.3).
//!
//! Joins the operator's configuration with the defaults of the definition. A parameter is one of
//! [`FIELDS`], or of the plugin's own (rule 179). Paths are given by the
//! caller and are those inside the component: nothing here knows where the hub's own files are.
//! Values may be secrets and appear in no message.

use std::collections::BTreeMap;
use std::fmt;

use super::definition::{Param, PluginDefinition};

/// The parameters that every hardware has, in the order of messages.
pub const FIELDS: [&str; 11] = [
    "Address",
    "Port",
    "SerialPort",
    "Username",
    "Password",
    "Mode1",
    "Mode2",
    "Mode3",
    "Mode4",
    "Mode5",
    "Mode6",
];

/// The name of the column with the plugin's key, which no parameter can have either.
const KEY_FIELD: &str = "Extra";

/// Whether a definition that names this field means a column of the hardware, in any case, and no
/// parameter of its own (rule 179).
#[must_use]
pub fn is_reserved(field: &str) -> bool {
    let mut reserved = FIELDS.iter().chain([&KEY_FIELD]);
    reserved.any(|known| known.eq_ignore_ascii_case(field))
}

/// The parameters of a plugin's own, in order. Of two of one name the first counts.
pub fn own_params(definition: &PluginDefinition) -> impl Iterator<Item = &Param> {
    let params = &definition.params;
    let own = params.iter().enumerate().filter(|(place, param)| {
        let mut before = params.iter().take(*place);
        !is_reserved(&param.field) && !before.any(|it| it.field == param.field)
    });
    own.map(|(_, param)| param)
}

/// The parameters of hardware that was added through the API, from the values that are stored: one
/// that the definition no longer has is left out, and one of the plugin's own that was not given
/// has its `default`, whatever a form would choose (rule 180).
#[must_use]
pub fn stored_parameters(
    stored: &BTreeMap<String, String>,
    definition: &PluginDefinition,
) -> BTreeMap<String, String> {
    let columns = stored
        .iter()
        .filter(|(field, _)| FIELDS.contains(&field.as_str()));
    let columns = columns.map(|(field, value)| (field.clone(), value.clone()));
    let own = own_params(definition).map(|param| {
        let value = stored.get(&param.field).unwrap_or(&param.default);
        (param.field.clone(), value.clone())
    });
    columns.chain(own).collect()
}

/// A parameter that cannot be used; the text names the line to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParameterError {
    /// Neither one of [`FIELDS`] nor of the plugin's own.
    #[error("hardware `{hardware}`: there is no parameter `{name}`; plugin `{key}` takes {valid}")]
    Unknown {
        /// Name of the hardware.
        hardware: String,
        /// The name in the configuration.
        name: String,
        /// Key of the plugin.
        key: String,
        /// The names that the plugin defines.
        valid: String,
    },
    /// The plugin says that this parameter must be given.
    #[error(
        "hardware `{hardware}`: parameter `{field}` ({label}) is required by plugin `{key}`; give it among \
         its `parameters`, or to `cordon run` with `--param {field}=VALUE`"
    )]
    Missing {
        /// Name of the hardware.
        hardware: String,
        /// Name of the parameter.
        field: String,
        /// The parameter's label for people.
        label: String,
        /// Key of the plugin.
        key: String,
    },
    /// The port is stored as a number.
    #[error("hardware `{hardware}`: parameter `Port` must be a whole number, not `{value}`")]
    Port {
        /// Name of the hardware.
        hardware: String,
        /// The value in the configuration.
        value: String,
    },
}

/// A hardware as configured. `None` is "not given", which differs from empty.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct HardwareConfig {
    /// The hub's number for the hardware.
    pub id: u32,
    /// Name given by the operator.
    pub name: String,
    /// Host name or address.
    pub address: Option<String>,
    /// Port, a whole number as text.
    pub port: Option<String>,
    /// Path of a serial port.
    pub serial_port: Option<String>,
    /// User name at the device.
    pub username: Option<String>,
    /// Password at the device.
    pub password: Option<String>,
    /// `Mode1` to `Mode6`.
    pub mode: [Option<String>; 6],
    /// The parameters of the plugin's own that are given, as the definition spells them.
    pub own: BTreeMap<String, String>,
}

impl fmt::Debug for HardwareConfig {
    /// Shows no values: any of them may be a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HardwareConfig")
            .field("id", &self.id)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl HardwareConfig {
    /// A hardware from the parameters of its configuration section, by name.
    ///
    /// # Errors
    /// [`ParameterError::Unknown`] for a name that is no parameter.
    pub fn from_values(
        id: u32,
        name: &str,
        definition: &PluginDefinition,
        values: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ParameterError> {
        let mut config = Self {
            id,
            name: name.to_owned(),
            ..Self::default()
        };
        for (field, value) in values {
            if let Some(slot) = config.slot(&field) {
                *slot = Some(value);
            } else if own_params(definition).any(|param| param.field == field) {
                config.own.insert(field, value);
            } else {
                return Err(unknown(name, &field, definition));
            }
        }
        Ok(config)
    }

    fn slot(&mut self, field: &str) -> Option<&mut Option<String>> {
        let [mode1, mode2, mode3, mode4, mode5, mode6] = &mut self.mode;
        match field {
            "Address" => Some(&mut self.address),
            "Port" => Some(&mut self.port),
            "SerialPort" => Some(&mut self.serial_port),
            "Username" => Some(&mut self.username),
            "Password" => Some(&mut self.password),
            "Mode1" => Some(mode1),
            "Mode2" => Some(mode2),
            "Mode3" => Some(mode3),
            "Mode4" => Some(mode4),
            "Mode5" => Some(mode5),
            "Mode6" => Some(mode6),
            _ => None,
        }
    }
}

/// The facts about the hub that every plugin is told. Paths are the component's own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HubFacts {
    /// Folder of the plugin, ends with a slash.
    pub home_folder: String,
    /// Program folder, ends with a slash.
    pub startup_folder: String,
    /// Folder for the plugin's files, ends with a slash.
    pub user_data_folder: String,
    /// Web root, usually empty.
    pub web_root: String,
    /// Database path; a plugin cannot reach it.
    pub database: String,
    /// Version that plugins test for, such as `2025.1`.
    pub domoticz_version: String,
    /// Build hash.
    pub domoticz_hash: String,
    /// `YYYY-MM-DD HH:MM:SS`.
    pub domoticz_build_time: String,
}

/// `Parameters` in the order of the table in spec 2.3 (rule 14).
///
/// All values are text; the Python side makes `HardwareID` an integer.
///
/// # Errors
/// [`ParameterError::Missing`] and [`ParameterError::Port`].
pub fn parameters(
    mut config: HardwareConfig,
    definition: &PluginDefinition,
    facts: &HubFacts,
) -> Result<Vec<(String, String)>, ParameterError> {
    let hardware = config.name.clone();
    for param in &definition.params {
        fill_in(&mut config, param, definition)?;
    }
    let given_own = std::mem::take(&mut config.own);
    let own = own_params(definition).map(|param| {
        let given = given_own.get(&param.field).cloned();
        (param.field.clone(), given.unwrap_or_default())
    });
    let port = match config.port.as_deref().map_or("", str::trim) {
        // The column is an integer: an empty port is 0 (spec 2.3).
        "" => "0".to_owned(),
        text => match text.parse::<i64>() {
            Ok(number) => number.to_string(),
            Err(_) => {
                let value = text.to_owned();
                return Err(ParameterError::Port { hardware, value });
            }
        },
    };
    let mut list = identity(&config, definition, facts);
    let given = |value: Option<String>| value.unwrap_or_default();
    list.push(("Address", given(config.address)));
    list.push(("Port", port));
    list.push(("SerialPort", given(config.serial_port)));
    list.push(("Username", given(config.username)));
    list.push(("Password", given(config.password)));
    list.push(("Key", definition.key.clone()));
    let modes = ["Mode1", "Mode2", "Mode3", "Mode4", "Mode5", "Mode6"];
    list.extend(modes.into_iter().zip(config.mode.into_iter().map(given)));
    let named = |(key, value): (&str, String)| (key.to_owned(), value);
    let mut named: Vec<_> = list.into_iter().map(named).collect();
    // Of two values of one name the later one holds (rule 181).
    named.extend(own);
    let of_hub = [
        ("DomoticzVersion", &facts.domoticz_version),
        ("DomoticzHash", &facts.domoticz_hash),
        ("DomoticzBuildTime", &facts.domoticz_build_time),
    ];
    named.extend(of_hub.map(|(key, value)| (key.to_owned(), value.clone())));
    Ok(named)
}

fn identity(
    config: &HardwareConfig,
    definition: &PluginDefinition,
    facts: &HubFacts,
) -> Vec<(&'static str, String)> {
    vec![
        ("HardwareID", config.id.to_string()),
        ("HomeFolder", facts.home_folder.clone()),
        ("StartupFolder", facts.startup_folder.clone()),
        ("UserDataFolder", facts.user_data_folder.clone()),
        ("WebRoot", facts.web_root.clone()),
        ("Database", facts.database.clone()),
        // Comes from the settings at each start: see `Life::parameters`.
        ("Language", String::new()),
        ("Version", definition.version.clone()),
        ("Author", definition.author.clone()),
        ("Name", config.name.clone()),
    ]
}

/// Applies the definition of one parameter. A parameter whose row a form may hide need not be given
/// (rule 183).
fn fill_in(
    config: &mut HardwareConfig,
    param: &Param,
    definition: &PluginDefinition,
) -> Result<(), ParameterError> {
    let hardware = config.name.clone();
    let reserved = FIELDS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(&param.field));
    let column = match reserved {
        Some(field) => config.slot(field),
        None => None,
    };
    let value = match column {
        Some(slot) => slot.get_or_insert_with(|| default(param)),
        None if is_reserved(&param.field) => return Ok(()),
        None => {
            let own = config.own.entry(param.field.clone());
            own.or_insert_with(|| default(param))
        }
    };
    let required = param.required.eq_ignore_ascii_case("true") && param.visible_when.is_empty();
    if required && value.is_empty() {
        return Err(ParameterError::Missing {
            hardware,
            field: param.field.clone(),
            label: param.label.clone(),
            key: definition.key.clone(),
        });
    }
    Ok(())
}

/// The value of a form that nobody touched: a list has its marked value, else that of `default`,
/// else its first (rule 184).
fn default(param: &Param) -> String {
    let marked = param.options.iter().find(|option| option.default);
    let first = param.options.first().filter(|_| param.default.is_empty());
    match marked.or(first) {
        Some(option) => option.value.clone(),
        None => param.default.clone(),
    }
}

fn unknown(hardware: &str, name: &str, definition: &PluginDefinition) -> ParameterError {
    let defined = definition.params.iter().map(|param| param.field.as_str());
    let defined: Vec<_> = defined
        .filter(|field| !field.eq_ignore_ascii_case(KEY_FIELD))
        .collect();
    let valid = match defined.is_empty() {
        true => "none".to_owned(),
        false => defined.join(", "),
    };
    ParameterError::Unknown {
        hardware: hardware.to_owned(),
        name: name.to_owned(),
        key: definition.key.clone(),
        valid,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
