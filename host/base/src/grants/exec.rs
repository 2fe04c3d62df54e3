//! A program that the hub may run for a plugin, as the operator writes it.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::GrantedPath;
use crate::error::EngineError;

/// Longest name of a variable.
const LONGEST: usize = 64;

/// One entry of `exec`: the path of a program, or a table with the variables that the
/// plugin may set for it: `{ program = "/usr/bin/x", env = ["HOME"] }`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecGrant {
    /// The program.
    pub program: GrantedPath,
    /// Variables of the environment that the plugin may set for it.
    pub env: Vec<String>,
}

/// As it is written in full.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    program: GrantedPath,
    #[serde(default)]
    env: Vec<String>,
}

impl TryFrom<Table> for ExecGrant {
    type Error = EngineError;

    fn try_from(table: Table) -> Result<Self, EngineError> {
        for name in &table.env {
            if !is_name(name) || loads_code(name) {
                return Err(EngineError::Config(format!(
                    "env {name:?} of an exec grant cannot be granted; write the names of \
                     variables, and none that begins with LD_ or GLIBC_: these load code into \
                     any program"
                )));
            }
        }
        Ok(Self {
            program: table.program,
            env: table.env,
        })
    }
}

impl FromStr for ExecGrant {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        Ok(Self {
            program: text.parse()?,
            env: Vec::new(),
        })
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = ExecGrant;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "the path of a program such as \"/usr/bin/uptime\", or a table such as \
             { program = \"/usr/bin/uptime\", env = [\"HOME\"] }",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<ExecGrant, E> {
        text.parse().map_err(E::custom)
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<ExecGrant, M::Error> {
        let table = Table::deserialize(MapAccessDeserializer::new(map))?;
        table.try_into().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for ExecGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// Whether this is the name of a variable, short enough to be told.
#[must_use]
pub fn is_name(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=LONGEST).contains(&name.len())
        && name.bytes().all(word)
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// Whether a variable loads code into whatever program there is, so that nobody can grant it.
#[must_use]
pub fn loads_code(name: &str) -> bool {
    name.starts_with("LD_") || name.starts_with("GLIBC_")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::Grants;

    #[test]
    fn a_program_is_a_path_or_a_table_with_names() {
        let text =
            "exec = [\"/bin/a\", { program = \"/bin/b\", env = [\"HOME\", \"http_proxy\"] }]";
        let grants: Grants = toml::from_str(text).unwrap();
        let programs: Vec<_> = grants.exec.iter().map(|it| it.program.path()).collect();
        assert_eq!(programs, ["/bin/a", "/bin/b"].map(std::path::Path::new));
        let names: Vec<_> = grants.exec.iter().map(|it| it.env.len()).collect();
        assert_eq!(names, [0, 2]);
    }

    #[test]
    fn what_is_not_understood_is_refused_with_what_is() {
        for (text, told) in [
            ("exec = [1]", "env = [\"HOME\"]"),
            ("exec = [\"uptime\"]", "absolute path"),
            ("exec = [{ program = \"/bin/b\", evn = [] }]", "evn"),
            (
                "exec = [{ program = \"/bin/b\", env = [\"LD_PRELOAD\"] }]",
                "LD_",
            ),
            (
                "exec = [{ program = \"/bin/b\", env = [\"A=B\"] }]",
                "names of",
            ),
        ] {
            let error = toml::from_str::<Grants>(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
