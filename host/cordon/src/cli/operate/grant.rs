//! `cordon grant`: shows and sets the grants of an instance.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use serde_json::{Map, Value};

use super::{HubPlace, Unanswered, print, print_json, words};
use crate::config::explained;
use cordon_base::regular_file::RegularFile;

/// Largest file with grants in bytes.
const MAX_FILE: usize = 64 << 10;

/// Arguments of `cordon grant`.
///
/// Without KEY the grants are shown, in the words of [hardware.grants]. With values they take the
/// place of the present ones of KEY, and the instance is restarted. Only instances that were added
/// through an API have grants that can be set; those of the others stand in cordon.toml.
#[derive(Args)]
pub struct Grant {
    /// The instance.
    instance: String,
    /// The kind of grant, such as network, listen or security.
    #[arg(conflicts_with = "file")]
    key: Option<String>,
    /// The values, such as 192.168.1.20:80, 8090 or true.
    values: Vec<String>,
    /// Takes all grants of KEY away.
    #[arg(long, requires = "key", conflicts_with = "values")]
    remove: bool,
    /// Sets all grants to those of a TOML file.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Shows them as JSON.
    #[arg(long, conflicts_with_all = ["key", "file"])]
    json: bool,
    #[command(flatten)]
    place: HubPlace,
}

impl Grant {
    /// Shows or sets the grants.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn act(self) -> Result<ExitCode, Unanswered> {
        let change = match (&self.key, &self.file) {
            (None, None) => None,
            (Some(key), _) => Some(Change::of(key, &self.values, self.remove)?),
            (None, Some(file)) => Some(Change::All(read(file)?)),
        };
        let hub = self.place.hub()?;
        let name = &self.instance;
        let Some(change) = change else {
            let grants = hub.heard(hub.client.grants(name))?;
            match self.json {
                true => print_json(&grants)?,
                false => print(&toml_of(name, grants)?)?,
            }
            return Ok(ExitCode::SUCCESS);
        };
        let grants = match change {
            Change::All(grants) => grants,
            Change::Of(key, value) => with(hub.heard(hub.client.grants(name))?, key, value),
        };
        hub.heard(hub.client.set_grants(name, &grants))?;
        print(&format!(
            "the grants of `{}` are set, and it is restarted\n",
            words::shown(name)
        ))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A change of grants.
#[derive(Debug, PartialEq)]
enum Change {
    All(Value),
    /// The new value of a key; nothing takes it away.
    Of(String, Option<Value>),
}

impl Change {
    fn of(key: &str, values: &[String], remove: bool) -> Result<Self, Unanswered> {
        let value = match (values, remove) {
            ([], true) => None,
            ([], false) => {
                let key = words::shown(key);
                return Err(Unanswered(format!(
                    "give the values of `{key}`, or --remove to take all of them away"
                )));
            }
            ([one], _) if one == "true" => Some(Value::Bool(true)),
            ([one], _) if one == "false" => Some(Value::Bool(false)),
            (values, _) => Some(values.iter().map(|text| entry(text)).collect()),
        };
        Ok(Self::Of(key.to_owned(), value))
    }
}

/// One entry of a list: a number is a port.
fn entry(text: &str) -> Value {
    let number = text.parse::<u16>();
    number.map_or_else(|_| text.into(), Value::from)
}

fn with(grants: Value, key: String, value: Option<Value>) -> Value {
    let mut grants = match grants {
        Value::Object(grants) => grants,
        _ => Map::new(),
    };
    match value {
        Some(value) => {
            grants.insert(key, value);
        }
        None => {
            grants.shift_remove(&key);
        }
    }
    Value::Object(grants)
}

fn read(path: &Path) -> Result<Value, Unanswered> {
    let shown = path.display();
    let text = RegularFile::open(path).and_then(|file| file.whole(MAX_FILE));
    let text = text.map_err(|error| Unanswered(format!("cannot read {shown}: {error}")))?;
    let text = String::from_utf8_lossy(&text);
    let read = toml::from_str::<Value>(&text);
    read.map_err(|error| Unanswered(format!("{shown}: {}", explained(&error, &text))))
}

fn toml_of(name: &str, grants: Value) -> Result<String, Unanswered> {
    let mut grants = grants;
    if let Value::Object(grants) = &mut grants {
        grants.retain(|_, value| !value.is_null());
    }
    let text = toml::to_string(&grants).map_err(|error| Unanswered(error.to_string()))?;
    let text = match text.is_empty() {
        true => "# none\n",
        false => &text,
    };
    Ok(format!("# grants of `{}`\n{text}", words::shown(name)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(key: &str, values: &[&str]) -> Option<Value> {
        let values: Vec<_> = values.iter().map(|it| (*it).to_owned()).collect();
        match Change::of(key, &values, false).unwrap() {
            Change::Of(_, value) => value,
            Change::All(_) => None,
        }
    }

    #[test]
    fn values_are_those_of_the_configuration() {
        let network = of("network", &["10.0.0.1:80", "*:443"]);
        assert_eq!(network, Some(json!(["10.0.0.1:80", "*:443"])));
        assert_eq!(of("listen", &["80", "90-99"]), Some(json!([80, "90-99"])));
        assert_eq!(of("security", &["true"]), Some(json!(true)));
        let refused = Change::of("network", &[], false).unwrap_err();
        assert!(refused.to_string().contains("--remove"));
        assert_eq!(
            Change::of("network", &[], true).unwrap(),
            Change::Of("network".into(), None)
        );
    }

    #[test]
    fn one_key_is_changed_and_the_others_stay() {
        let before = json!({"network": ["a:1"], "security": true});
        let after = with(before.clone(), "network".to_owned(), Some(json!(["b:2"])));
        assert_eq!(after, json!({"network": ["b:2"], "security": true}));
        let after = with(before, "network".to_owned(), None);
        assert_eq!(after, json!({"security": true}));
    }

    #[test]
    fn grants_are_shown_as_they_are_written() {
        let grants = json!({"network": ["a:1"], "security": true, "listen": null});
        let text = toml_of("A\n", grants).unwrap();
        assert_eq!(
            text,
            "# grants of `A\\n`\nnetwork = [\"a:1\"]\nsecurity = true\n"
        );
        assert!(toml_of("A", json!({})).unwrap().ends_with("# none\n"));
        let keys = json!({"keys": [{"name": "w", "certificate": "/c", "key": "/k"}]});
        let text = toml_of("A", keys.clone()).unwrap();
        assert_eq!(toml::from_str::<Value>(&text).unwrap(), keys);
    }

    #[test]
    fn a_file_is_read_whole_or_refused_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grants.toml");
        std::fs::write(&path, "network = [\"a:1\"]\n").unwrap();
        assert_eq!(read(&path).unwrap(), json!({"network": ["a:1"]}));
        std::fs::write(&path, "\nnetwork = [\n").unwrap();
        let refused = read(&path).unwrap_err().to_string();
        assert!(
            refused.contains("line 2") || refused.contains("line 3"),
            "{refused}"
        );
        assert!(read(folder.path()).is_err());
    }
}
