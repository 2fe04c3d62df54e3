//! The `[[indigo]]` sections of `cordon.toml`.

use std::path::PathBuf;

use serde::de::{Error as _, MapAccess};
use serde::{Deserialize, Deserializer};

use cordon_runtime::section::{self, InstanceSection, OwnWords};

/// One `[[indigo]]` section: an Indigo plugin.
#[derive(Debug, Clone)]
pub struct IndigoSection {
    /// The bundle, `X.indigoPlugin`, in the folder of plugins.
    pub bundle: PathBuf,
    /// Name in logs, unique in the file; the bundle's own by default.
    pub name: Option<String>,
    /// The part that instances of all frameworks have.
    pub instance: InstanceSection,
}

impl IndigoSection {
    /// Whether an instance made from the one is as one made from the other.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        let Self {
            bundle,
            name,
            instance,
        } = self;
        *bundle == other.bundle && *name == other.name && instance.is_same(&other.instance)
    }
}

#[derive(Default)]
struct Own {
    bundle: Option<PathBuf>,
    name: Option<String>,
}

impl OwnWords for Own {
    const WORDS: &'static [&'static str] = &[
        "bundle",
        "name",
        "environment",
        "grants",
        "limits",
        "plugin-folder",
        "verify_tls",
    ];

    fn take<'de, M: MapAccess<'de>>(&mut self, word: &str, map: &mut M) -> Result<bool, M::Error> {
        match word {
            "bundle" => self.bundle = Some(map.next_value()?),
            "name" => self.name = Some(map.next_value()?),
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl<'de> Deserialize<'de> for IndigoSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (own, instance) = section::read::<_, Own>(deserializer)?;
        let bundle = own
            .bundle
            .ok_or_else(|| D::Error::missing_field("bundle"))?;
        let instance = match &own.name {
            Some(name) => instance.of_file("indigo", "name", name),
            None => instance.of_file("indigo", "bundle", &bundle.to_string_lossy()),
        };
        Ok(Self {
            bundle,
            name: own.name,
            instance,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_section_names_its_bundle_and_knows_no_parameters() {
        let text = "bundle = 'X.indigoPlugin'\n[limits]\nthreads = 2\n";
        let section: IndigoSection = toml::from_str(text).unwrap();
        assert_eq!(section.bundle, PathBuf::from("X.indigoPlugin"));
        assert_eq!((section.name, section.instance.limits.threads), (None, 2));
        for (text, reason) in [
            ("name = 'A'", "missing field `bundle`"),
            (
                "bundle = 'X'\nparameters = {}",
                "unknown field `parameters`",
            ),
        ] {
            let refused = toml::from_str::<IndigoSection>(text).unwrap_err();
            assert!(refused.message().contains(reason), "{refused}");
        }
    }
}
