//! A case: a folder with a `plugin.py` and a `case.toml` with the steps.
//!
//! Owns the words of `case.toml`; see `tests/cases/README.md`.

use std::path::{Path, PathBuf};

use cordon_domoticz::config::HardwareSection;
use serde::Deserialize;

/// `case.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// The point of the case, in a sentence.
    pub about: String,
    /// The rules of the behaviour specification that it holds to.
    pub rules: Vec<u16>,
    /// The peer speaks TLS, with a certificate that nobody signed.
    #[serde(default)]
    pub tls: bool,
    /// The instances; one called `HW` when there is none.
    #[serde(default)]
    pub hardware: Vec<toml::Table>,
    /// The steps, in order.
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
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Step {
    /// Waits for a line that contains this, after the one that the wait before found.
    Wait(String),
    /// Waits for a line that contains this, anywhere.
    Seen(String),
    /// Asks the API.
    Get {
        /// The command after `json.htm?`.
        query: String,
        /// Parts of the answer.
        #[serde(default)]
        answer: Vec<String>,
        /// Parts that the answer does not have.
        #[serde(default)]
        absent: Vec<String>,
    },
    /// Sets a preference and tells the plugins.
    Prefer {
        /// Its key.
        key: String,
        /// Its text.
        #[serde(default)]
        text: String,
        /// Its number.
        #[serde(default)]
        number: i64,
    },
    /// The peer does something.
    Peer(Action),
    /// The peer for datagrams does something.
    Udp(Datagram),
    /// A page in a browser does something on the API's WebSocket.
    Page(PageAction),
    /// The hub stops.
    Stop,
    /// The hub stops and starts again on the same data.
    Restart,
}

/// A step of the peer.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Waits for a connection.
    Accept,
    /// Makes a connection to this port, where the plugin listens.
    Connect(u16),
    /// Sends this.
    Send(String),
    /// Sends the bytes with these hexadecimal digits.
    SendHex(String),
    /// Waits until exactly this comes.
    Expect(String),
    /// Waits until exactly the bytes with these hexadecimal digits come.
    ExpectHex(String),
    /// Waits until all these come, in this order; other bytes may be between them.
    Contains(Vec<String>),
    /// Closes the connection.
    Close,
    /// Waits until the plugin has closed, having sent nothing more.
    Closed,
}

/// A step of a page in a browser.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum PageAction {
    /// Opens the WebSocket.
    Open,
    /// Sends this text.
    Send(String),
    /// Waits until all these come, in this order; other bytes may be between them.
    Contains(Vec<String>),
    /// Closes the WebSocket.
    Close,
}

/// A step of the peer for datagrams.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Datagram {
    /// Sends one.
    Send {
        /// To this port of loopback.
        to: u16,
        /// Its content.
        text: String,
    },
    /// Waits for one with exactly this in it.
    Expect(String),
}

/// The ports of one run, which the script names in braces.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// `{peer}`: where the peer listens.
    pub peer: u16,
    /// `{udp}`: where the peer for datagrams is.
    pub udp: u16,
    /// `{port}`: free, for the plugin to listen on.
    pub port: u16,
}

/// A case that was read.
#[derive(Debug)]
pub struct Case {
    /// Name of its folder.
    pub name: String,
    /// The folder.
    pub folder: PathBuf,
    text: String,
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
        Self { name, folder, text }
    }

    /// Its script, with the ports in place of their names.
    pub fn script(&self, ports: Ports) -> Script {
        let text = [
            ("{peer}", ports.peer),
            ("{udp}", ports.udp),
            ("{port}", ports.port),
        ]
        .iter()
        .fold(self.text.clone(), |text, (name, port)| {
            text.replace(name, &port.to_string())
        });
        toml::from_str(&text).unwrap_or_else(|error| panic!("case {}: {error}", self.name))
    }

    /// Its subject and the rules that it shows.
    pub fn claim(&self) -> (String, Vec<u16>) {
        let nowhere = Ports {
            peer: 1,
            udp: 1,
            port: 1,
        };
        let script = self.script(nowhere);
        (script.about, script.rules)
    }

    /// The folder with its plugins in sub-folders, where it has several.
    pub fn plugins(&self) -> Option<PathBuf> {
        let plugins = self.folder.join("plugins");
        plugins.is_dir().then_some(plugins)
    }
}

impl Script {
    /// The sections of its instances.
    pub fn sections(&self) -> Vec<HardwareSection> {
        let one = toml::Table::new();
        let tables = match self.hardware.as_slice() {
            [] => std::slice::from_ref(&one),
            tables => tables,
        };
        let section = |table: &toml::Table| {
            let mut table = table.clone();
            table.entry("name").or_insert_with(|| "HW".into());
            table.entry("plugin").or_insert_with(|| "Case".into());
            toml::from_str(&table.to_string()).unwrap_or_else(|error| panic!("a section: {error}"))
        };
        tables.iter().map(section).collect()
    }
}
