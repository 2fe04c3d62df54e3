//! Reports on the hub and its instances, as the API gives them.
//!
//! Times are milliseconds since 1970, sizes are bytes.

use serde::{Deserialize, Serialize};

/// The hub.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubReport {
    /// The version of the program.
    pub version: String,
    /// The process.
    pub pid: u32,
    /// When the hub was started.
    pub started: u64,
    /// The configuration file, unless there is none.
    pub configuration: Option<String>,
    /// Whether the configuration was not read to its end yet: more instances may come.
    pub loading: bool,
    /// Memory of the process that is in the machine's memory.
    pub resident: u64,
    /// Parts of the plugins folder that cannot be used.
    pub problems: Vec<Problem>,
}

/// Something that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its name: an instance, a folder or a key of the configuration.
    pub name: String,
    /// Why.
    pub reason: String,
}

/// Where an instance comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A section of the configuration file.
    Configuration,
    /// A client of an API.
    Api,
}

/// The state of an instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its first callback has not returned yet.
    Starting,
    /// Its callbacks are called.
    Running,
    /// It failed, and is started again after a pause.
    Restarting,
    /// It failed too often, and is tried again after a long pause.
    Parked,
    /// It was stopped by the operator or by its framework.
    Stopped,
    /// It could not be made: the reason says why.
    Unloaded,
}

/// Whether the callbacks of a life do their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// The last callback returned.
    Fine,
    /// The callback that starts the plugin raised.
    RaisedInStart,
    /// The last callback of some kind raised.
    Raising,
}

/// An exception, or the end of a life.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastError {
    /// When.
    pub time: u64,
    /// The callback that ran; empty outside of one.
    pub callback: String,
    /// The last line of the traceback, or the reason.
    pub text: String,
}

/// The use of one limit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitReport {
    /// The limit's name in the configuration.
    pub name: String,
    /// The amount in use.
    pub used: u64,
    /// The amount allowed.
    pub allowed: u64,
    /// The unit of both.
    pub unit: String,
}

/// Something that the instance asked for and did not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Denied {
    /// The grant or the limit that it lacks.
    pub name: String,
    /// The target, as the plugin named it.
    pub what: String,
    /// How often.
    pub count: u64,
    /// The last time.
    pub time: u64,
}

/// One instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceReport {
    /// Its name in the log and the configuration.
    pub name: String,
    /// Its framework.
    pub framework: String,
    /// Its plugin, by the framework's key.
    pub key: String,
    /// The id of its row in the store; 0 for one that could not be loaded.
    pub id: u32,
    /// Where it comes from.
    pub source: Source,
    /// Its state.
    pub state: State,
    /// Since when.
    pub since: u64,
    /// Why it is in this state; empty when there is nothing to say.
    pub reason: String,
    /// Whether its callbacks do their work.
    pub health: Health,
    /// The last exception or failure of all its lives.
    pub last_error: Option<LastError>,
    /// When it is started again; nothing unless that is due by itself.
    pub next_start: Option<u64>,
    /// Lives that began after the first.
    pub restarts: u64,
    /// Lives that failed.
    pub failures: u64,
    /// Callbacks that ran.
    pub calls: u64,
    /// Callbacks that raised.
    pub raised: u64,
    /// Events that were refused because the inbox was full.
    pub refused: u64,
    /// Computing time of all lives, in milliseconds.
    pub cpu: u64,
    /// The component's memory now.
    pub memory: u64,
    /// Limits of which something is in use.
    pub limits: Vec<LimitReport>,
    /// Refused wishes, the latest first; a bounded number.
    pub denied: Vec<Denied>,
}

/// The changes that a new reading of the configuration has made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Instances that are new.
    pub started: Vec<String>,
    /// Instances that are gone.
    pub stopped: Vec<String>,
    /// Instances whose sections have changed.
    pub restarted: Vec<String>,
    /// How many instances stay as they are.
    pub unchanged: u64,
    /// Keys that have changed and count only after the hub was started again.
    pub after_restart: Vec<String>,
    /// Sections that cannot be used.
    pub problems: Vec<Problem>,
}
