//! The `[[hardware]]` sections of `cordon.toml`.

use std::collections::BTreeMap;

use serde::de::{Error as _, MapAccess};
use serde::{Deserialize, Deserializer};

use cordon_runtime::section::{self, InstanceSection, OwnWords};

/// Every level of a plugin's lines: 1 normal, 2 status, 4 error, added up.
pub const ALL_LEVELS: u32 = 7;

/// One `[[hardware]]` section: an instance of a plugin.
#[derive(Debug, Clone)]
pub struct HardwareSection {
    /// Name, unique in the file; its rows are kept under it.
    pub name: String,
    /// Key of the plugin.
    pub plugin: String,
    /// Values of the plugin's parameters, such as `Address`.
    pub parameters: BTreeMap<String, String>,
    /// The part that instances of all frameworks have.
    pub instance: InstanceSection,
    /// Whether parameter `SerialPort` grants the port: the operator has typed it.
    pub typed_serial: bool,
    /// Which levels of the plugin's lines are kept: 1 normal, 2 status, 4 error, added up.
    pub log_level: u32,
}

impl HardwareSection {
    /// Whether an instance made from the one is as one made from the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self {
            name,
            plugin,
            parameters,
            instance,
            typed_serial,
            log_level,
        } = self;
        *name == other.name
            && *plugin == other.plugin
            && *parameters == other.parameters
            && instance.is_same(&other.instance)
            && *typed_serial == other.typed_serial
            && *log_level == other.log_level
    }
}

#[derive(Default)]
struct Own {
    name: Option<String>,
    plugin: Option<String>,
    parameters: BTreeMap<String, String>,
    log_level: Option<u32>,
}

impl OwnWords for Own {
    const WORDS: &'static [&'static str] = &[
        "name",
        "plugin",
        "parameters",
        "log-level",
        "environment",
        "grants",
        "limits",
        "plugin-folder",
        "verify_tls",
    ];

    fn take<'de, M: MapAccess<'de>>(&mut self, word: &str, map: &mut M) -> Result<bool, M::Error> {
        match word {
            "name" => self.name = Some(map.next_value()?),
            "plugin" => self.plugin = Some(map.next_value()?),
            "parameters" => self.parameters = map.next_value()?,
            "log-level" => self.log_level = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for HardwareSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (own, instance) = section::read::<_, Own>(deserializer)?;
        Ok(Self {
            name: own.name.ok_or_else(|| D::Error::missing_field("name"))?,
            plugin: own
                .plugin
                .ok_or_else(|| D::Error::missing_field("plugin"))?,
            parameters: own.parameters,
            instance,
            typed_serial: true,
            log_level: own.log_level.unwrap_or(ALL_LEVELS),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        let error = toml::from_str::<HardwareSection>(text).unwrap_err();
        error.message().to_owned()
    }

    #[test]
    fn a_section_has_its_own_words_and_those_of_every_instance() {
        let text = "name = 'A'\nplugin = 'P'\nlog-level = 4\nparameters = { Address = 'x' }\n\
                    plugin-folder = 'copy-on-write'\n[grants]\nsecurity = true\n";
        let section: HardwareSection = toml::from_str(text).unwrap();
        assert_eq!((&*section.name, &*section.plugin), ("A", "P"));
        assert_eq!(section.log_level, 4);
        assert_eq!(section.parameters.get("Address").unwrap(), "x");
        assert!(section.instance.grants.security && section.typed_serial);
        let section: HardwareSection = toml::from_str("name = 'A'\nplugin = 'P'").unwrap();
        assert_eq!(section.log_level, ALL_LEVELS);
    }

    #[test]
    fn a_section_without_a_plugin_or_with_an_unknown_word_is_refused() {
        assert!(refusal("name = 'A'").contains("missing field `plugin`"));
        assert!(refusal("plugin = 'P'").contains("missing field `name`"));
        let refused = refusal("name = 'A'\nplugin = 'P'\nbundle = 'B'");
        assert!(refused.contains("unknown field `bundle`"), "{refused}");
        let refused = refusal("name = 'A'\nplugin = 'P'\ntyped_serial = false");
        assert!(
            refused.contains("unknown field `typed_serial`"),
            "{refused}"
        );
    }
}
