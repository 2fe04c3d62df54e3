//! The words that sections of `cordon.toml` have in common, whatever the framework of the
//! instance.
//!
//! A framework's section has words of its own beside them, all on one level. They are read by
//! hand and not with serde's `flatten`, which loses the line of an error and the words that were
//! expected there.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, Visitor};

use cordon_base::grants::Grants;
use cordon_base::hint::{Origin, Section};
use cordon_base::limits::Limits;

/// The access of a plugin to its own folder: `plugin-folder` of its section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PluginFolder {
    /// Read it.
    #[default]
    ReadOnly,
    /// Change what it sees of it: the changes go to a folder of the instance.
    CopyOnWrite,
}

impl PluginFolder {
    /// The words for it, the default first.
    pub const WORDS: [&str; 2] = ["read-only", "copy-on-write"];
}

impl FromStr for PluginFolder {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "read-only" => Ok(Self::ReadOnly),
            "copy-on-write" => Ok(Self::CopyOnWrite),
            _ => Err(format!("{} is expected", Self::WORDS.join(" or "))),
        }
    }
}

/// The part of a section that instances of all frameworks have.
#[derive(Debug, Clone, Default)]
pub struct InstanceSection {
    /// Environment variables for the plugin.
    pub environment: BTreeMap<String, String>,
    /// Permissions beyond the plugin's own parameters.
    pub grants: Grants,
    /// Limits other than the defaults.
    pub limits: Limits,
    /// The plugin's access to its own folder.
    pub plugin_folder: PluginFolder,
    /// Whether TLS connections demand a certificate that can be verified.
    pub verify_tls: bool,
    /// Where the section comes from.
    pub origin: Origin,
}

impl InstanceSection {
    /// Notes that the section is one of `cordon.toml`, in `table`, with this value of `key`.
    #[must_use]
    pub fn of_file(mut self, table: &'static str, key: &'static str, value: &str) -> Self {
        self.origin = Origin::File(Arc::new(Section {
            table,
            key,
            value: value.to_owned(),
            granted: self.grants.granted(),
        }));
        self
    }

    /// Whether an instance made from the one is as one made from the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self {
            origin: _,
            environment,
            grants,
            limits,
            plugin_folder,
            verify_tls,
        } = self;
        *environment == other.environment
            && *grants == other.grants
            && *limits == other.limits
            && *plugin_folder == other.plugin_folder
            && *verify_tls == other.verify_tls
    }

    /// Takes the value of a word, if it is one of these.
    fn take<'de, M: MapAccess<'de>>(&mut self, word: &str, map: &mut M) -> Result<(), M::Error> {
        match word {
            "environment" => self.environment = map.next_value()?,
            "grants" => self.grants = map.next_value()?,
            "limits" => self.limits = map.next_value()?,
            "plugin-folder" => self.plugin_folder = map.next_value()?,
            "verify_tls" => self.verify_tls = map.next_value()?,
            other => return Err(M::Error::custom(format!("nobody reads `{other}`"))),
        }
        Ok(())
    }
}

/// The words that a framework's section has of its own.
pub trait OwnWords {
    /// All words of the section: its own, and `environment`, `grants`, `limits`, `plugin-folder`
    /// and `verify_tls`.
    const WORDS: &'static [&'static str];

    /// Takes the value of a word if it is one of its own; false otherwise.
    ///
    /// # Errors
    ///
    /// The error of a value that does not fit.
    fn take<'de, M: MapAccess<'de>>(&mut self, word: &str, map: &mut M) -> Result<bool, M::Error>;
}

/// Reads a section: the values of its own words, and those that all instances have.
///
/// # Errors
///
/// An unknown word, with the words expected, or a value that does not fit.
pub fn read<'de, D, O>(deserializer: D) -> Result<(O, InstanceSection), D::Error>
where
    D: Deserializer<'de>,
    O: OwnWords + Default,
{
    deserializer.deserialize_map(Reader(O::default()))
}

struct Reader<O>(O);

impl<'de, O: OwnWords> Visitor<'de> for Reader<O> {
    type Value = (O, InstanceSection);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a section")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<Self::Value, M::Error> {
        let Self(mut own) = self;
        let mut instance = InstanceSection::default();
        while let Some(word) = map.next_key_seed(Word(O::WORDS))? {
            if !own.take(&word, &mut map)? {
                instance.take(&word, &mut map)?;
            }
        }
        Ok((own, instance))
    }
}

/// A word of a section. An unknown word is refused as it is read, so that the error has its place.
struct Word(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for Word {
    type Value = String;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<String, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Word {
    type Value = String;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a word of the section")
    }

    fn visit_str<E: serde::de::Error>(self, word: &str) -> Result<String, E> {
        match self.0.contains(&word) {
            true => Ok(word.to_owned()),
            false => Err(E::unknown_field(word, self.0)),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Toy {
        name: String,
    }

    impl OwnWords for Toy {
        const WORDS: &'static [&'static str] = &[
            "name",
            "environment",
            "grants",
            "limits",
            "plugin-folder",
            "verify_tls",
        ];

        fn take<'de, M: MapAccess<'de>>(
            &mut self,
            word: &str,
            map: &mut M,
        ) -> Result<bool, M::Error> {
            if word == "name" {
                self.name = map.next_value()?;
            }
            Ok(word == "name")
        }
    }

    #[derive(Debug)]
    struct Section(Toy, InstanceSection);

    impl<'de> Deserialize<'de> for Section {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            read(deserializer).map(|(own, instance)| Self(own, instance))
        }
    }

    fn line(error: &toml::de::Error, text: &str) -> usize {
        let start = error.span().unwrap().start;
        text[..start].matches('\n').count() + 1
    }

    #[test]
    fn words_of_its_own_and_those_of_every_instance_stand_on_one_level() {
        let text = "name = 'A'\nplugin-folder = 'copy-on-write'\nverify_tls = true\n\
                    [environment]\nA = 'b'\n[limits]\nthreads = 3\n[grants]\nlisten = [1]\n";
        let Section(own, instance) = toml::from_str(text).unwrap();
        assert_eq!(own.name, "A");
        assert_eq!(instance.plugin_folder, PluginFolder::CopyOnWrite);
        assert_eq!(instance.limits.threads, 3);
        assert_eq!(instance.environment["A"], "b");
        assert_eq!(instance.grants.listen.len(), 1);
        assert!(instance.verify_tls);
    }

    #[test]
    fn an_error_has_its_line_and_the_words_expected() {
        let text = "name = 'A'\n[limits]\nthreads = 3\n[grant]\n";
        let error = toml::from_str::<Section>(text).unwrap_err();
        assert!(error.message().contains("unknown field `grant`"), "{error}");
        assert!(error.message().contains("`grants`"), "{error}");
        assert_eq!(line(&error, text), 4);
        let text = "name = 'A'\n[environment]\nA = 3\n";
        let error = toml::from_str::<Section>(text).unwrap_err();
        assert!(error.message().contains("expected a string"), "{error}");
        assert_eq!(line(&error, text), 3);
    }

    #[test]
    fn the_words_for_a_plugins_folder_are_those_of_the_file() {
        for word in PluginFolder::WORDS {
            let text = format!("plugin-folder = '{word}'");
            let Section(_, instance) = toml::from_str(&text).unwrap();
            assert_eq!(word.parse(), Ok(instance.plugin_folder));
        }
        assert!("writable".parse::<PluginFolder>().is_err());
    }
}
