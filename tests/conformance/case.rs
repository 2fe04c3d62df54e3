//! A case: a folder with a `plugin.py` and a `case.toml` that says what happens to it.
//!
//! Owns the words of `case.toml`; see `tests/cases/README.md`.

use std::path::{Path, PathBuf};

use cordon::config::HardwareSection;
use serde::Deserialize;

/// `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// What is shown, in a sentence.
    pub about: String,
    /// The rules of the behaviour specification that it holds to.
    pub rules: Vec<u16>,
    /// The instances; one called `HW` when there is none.
    #[serde(default)]
    pub hardware: Vec<toml::Table>,
    /// What happens, in order.
    #[serde(default)]
    pub steps: Vec<Step>,
    /// Parts of lines that come in this order; others may be between them.
    pub log: Vec<String>,
    /// Parts of lines that never come.
    #[serde(default)]
    pub absent: Vec<String>,
}

/// One thing that happens.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Step {
    /// Waits for a line that contains this, after the one that the wait before found.
    Wait(String),
    /// Waits for a line that contains this, anywhere.
    Seen(String),
    /// Asks the API.
    Get {
        /// What follows `json.htm?`.
        query: String,
        /// Parts of the answer.
        #[serde(default)]
        answer: Vec<String>,
    },
    /// The peer does something.
    Peer(Action),
    /// The hub stops.
    Stop,
    /// The hub stops and starts again on the same data.
    Restart,
}

/// What a peer does.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Action {
    /// Waits for a connection.
    Accept,
    /// Sends this.
    Send(String),
    /// Waits until exactly this comes.
    Expect(String),
    /// Closes the connection.
    Close,
    /// Waits until the plugin has closed, having sent nothing more.
    Closed,
}

/// A case that was read.
#[derive(Debug)]
pub struct Case {
    /// Name of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    /// Its script.
    pub script: Script,
}

impl Case {
    /// Every case below `tests/cases/domoticz`, by name.
    pub fn all() -> Vec<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/domoticz");
        let entries = std::fs::read_dir(&root).expect("the cases are there");
        let mut cases: Vec<_> = entries
            .map(|entry| Self::read(entry.expect("an entry").path()))
            .collect();
        cases.sort_by(|a, b| a.name.cmp(&b.name));
        cases
    }

    fn read(folder: PathBuf) -> Self {
        let name = folder
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let text = std::fs::read_to_string(folder.join("case.toml"))
            .unwrap_or_else(|error| panic!("case {name}: case.toml: {error}"));
        let script = toml::from_str(&text).unwrap_or_else(|error| panic!("case {name}: {error}"));
        Self {
            name,
            folder,
            script,
        }
    }

    /// The sections of its instances, with `{peer}` replaced by the peer's port.
    pub fn sections(&self, peer: u16) -> Vec<HardwareSection> {
        let one = toml::Table::new();
        let tables = match self.script.hardware.as_slice() {
            [] => std::slice::from_ref(&one),
            tables => tables,
        };
        tables
            .iter()
            .map(|table| {
                let mut table = table.clone();
                table.entry("name").or_insert_with(|| "HW".into());
                table.entry("plugin").or_insert_with(|| "Case".into());
                let text = table.to_string().replace("{peer}", &peer.to_string());
                toml::from_str(&text).unwrap_or_else(|error| panic!("case {}: {error}", self.name))
            })
            .collect()
    }
}
