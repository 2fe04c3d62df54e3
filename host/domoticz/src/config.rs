//! The `[[hardware]]` sections of `cordon.toml`.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{Error as _, MapAccess, Visitor};
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
            "parameters" => {
                let texts = map.next_value::<BTreeMap<String, Text>>()?;
                self.parameters = texts.into_iter().map(|(name, it)| (name, it.0)).collect();
            }
            "log-level" => self.log_level = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

/// A value of a parameter: text, or a number or truth value that stands for its text.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a number")
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Text, E> {
        Ok(Text(number.to_string()))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Text, E> {
        Ok(Text(format!("{number:?}")))
    }

    fn visit_bool<E: serde::de::Error>(self, truth: bool) -> Result<Text, E> {
        Ok(Text(truth.to_string()))
    }
}

impl<'de> Deserialize<'de> for HardwareSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (own, instance) = section::read::<_, Own>(deserializer)?;
        let name = own.name.ok_or_else(|| D::Error::missing_field("name"))?;
        Ok(Self {
            instance: instance.of_file("hardware", "name", &name),
            name,
            plugin: own
                .plugin
                .ok_or_else(|| D::Error::missing_field("plugin"))?,
            parameters: own.parameters,
            typed_serial: true,
            log_level: own.log_level.unwrap_or(ALL_LEVELS),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;
    use cordon_base::hint::Origin;

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
    fn a_number_is_the_text_of_a_parameter() {
        let text = "name = 'A'\nplugin = 'P'\n[parameters]\nPort = 8080\nMode1 = 1.5\nMode2 = true\n\
                    Address = '10.0.0.1'\n";
        let section: HardwareSection = toml::from_str(text).unwrap();
        let value = |name: &str| section.parameters.get(name).unwrap().as_str();
        assert_eq!((value("Port"), value("Mode1")), ("8080", "1.5"));
        assert_eq!((value("Mode2"), value("Address")), ("true", "10.0.0.1"));
        let refused = refusal("name = 'A'\nplugin = 'P'\nparameters = { Port = [1] }");
        assert!(refused.contains("expected a text or a number"), "{refused}");
    }

    #[test]
    fn a_section_comes_from_its_place_in_the_file() {
        let text = "name = 'A'\nplugin = 'P'\n[grants]\nlisten = [1]\nsecurity = true\n";
        let section: HardwareSection = toml::from_str(text).unwrap();
        let Origin::File(place) = section.instance.origin else {
            panic!("a section of a file");
        };
        assert_eq!(
            (place.table, place.key, &*place.value),
            ("hardware", "name", "A")
        );
        assert_eq!(place.granted, ["listen", "security"]);
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
