//! A hub in a temporary folder, and plugins of the benchmark in it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity, Record};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::{self, PluginDefinition};
use cordon_domoticz::{Deliver, DeliverError, HubEvent, Level};
use cordon_runtime::engine::Engine;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;
use tokio::sync::broadcast;

use crate::Outcome;

/// Limits under which nothing that is measured is slowed down or ended.
pub const UNLIMITED: &str = "[limits]\ncallback-cpu = 600000\ncallback-wall = 3600000\ncpu-share = 400\nlog-lines-per-second = 10000\nwrite-bytes-per-minute = 68719476736\n";

/// A folder that goes away with the value.
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// An empty folder; `name` tells it from others of this process.
    pub fn new(name: &str) -> Outcome<Self> {
        let path = std::env::temp_dir().join(format!("cordon-bench-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path)?;
        Ok(Self { path })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Files that cannot be removed are in the system's folder for such files.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// A hub for one measurement.
pub struct Rig {
    /// The hub.
    pub hub: Hub,
    events: EventLog,
    lines: broadcast::Receiver<Arc<Record>>,
    scratch: Scratch,
}

impl Rig {
    /// An empty hub on this engine.
    pub fn new(engine: &Engine, name: &str) -> Outcome<Self> {
        let scratch = Scratch::new(name)?;
        let events = EventLog::new(LogCapacity::default());
        let lines = events.subscribe();
        let data = scratch.path().join("data");
        let hub = Hub::open(engine.clone(), events.clone(), &data, Vec::new())?;
        Ok(Self {
            hub,
            events,
            lines,
            scratch,
        })
    }

    /// Writes the folder of a plugin: its `plugin.py`, and other files beside it.
    pub fn plugin(&self, key: &str, source: &str, others: &[&Path]) -> Outcome<PluginDefinition> {
        let folder = self.scratch.path().join("plugins").join(key);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("plugin.py"), with_definition(key, source))?;
        for file in others {
            let name = file.file_name().ok_or("a file without a name")?;
            std::fs::copy(file, folder.join(name))?;
        }
        let found = definition::read_folder(&folder).map_err(|problem| problem.to_string())?;
        found
            .into_iter()
            .next()
            .ok_or_else(|| "no definition".into())
    }

    /// Starts an instance and waits for the end of its `onStart`.
    pub async fn start(
        &mut self,
        definition: &PluginDefinition,
        name: &str,
        config: &str,
    ) -> Outcome<Remote> {
        let section = section(definition, name, config)?;
        self.begin(definition, &section).await
    }

    /// The same with a section that has been read.
    pub async fn begin(
        &mut self,
        definition: &PluginDefinition,
        section: &HardwareSection,
    ) -> Outcome<Remote> {
        let remote = self.request(definition, section).await?;
        match remote.counters.settled().await {
            Status::Running => Ok(remote),
            other => Err(format!("{} is {other:?}; its log: {}", section.name, self.tail()).into()),
        }
    }

    /// Starts an instance without waiting for it.
    pub async fn spawn(
        &mut self,
        definition: &PluginDefinition,
        name: &str,
        config: &str,
    ) -> Outcome<Remote> {
        let section = section(definition, name, config)?;
        self.request(definition, &section).await
    }

    async fn request(
        &mut self,
        definition: &PluginDefinition,
        section: &HardwareSection,
    ) -> Outcome<Remote> {
        self.hub.start(section, definition).await?;
        Ok(self.hub.instances().last().ok_or("no instance")?.remote())
    }

    /// The text after `marker` in the next line that holds it.
    pub async fn answer(&mut self, marker: &str, patience: Duration) -> Outcome<String> {
        let wait = async {
            loop {
                match self.lines.recv().await {
                    Ok(record) => {
                        if let Some((_, rest)) = record.text.split_once(marker) {
                            return Ok(rest.to_owned());
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(error) => return Err(error),
                }
            }
        };
        match tokio::time::timeout(patience, wait).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(format!("no `{marker}` in the log; its end: {}", self.tail()).into()),
        }
    }

    /// The last lines of the log.
    pub fn tail(&self) -> String {
        let lines: Vec<_> = self
            .events
            .tail(None, 10)
            .iter()
            .map(|line| line.message())
            .collect();
        lines.join(" | ")
    }
}

/// The configuration of an instance.
pub fn section(
    definition: &PluginDefinition,
    name: &str,
    config: &str,
) -> Outcome<HardwareSection> {
    let text = format!("name = {name:?}\nplugin = {:?}\n{config}", definition.key);
    Ok(toml::from_str(&text)?)
}

/// An event that reaches `onCommand` with this text.
pub fn command(text: &str) -> HubEvent {
    HubEvent::Command {
        device_id: "00000001".to_owned(),
        unit: 1,
        command: text.to_owned(),
        level: Level::Whole(0),
        color: String::new(),
    }
}

/// Delivers, waiting while the inbox is full.
pub async fn deliver(remote: &Remote, event: HubEvent) -> Outcome<()> {
    loop {
        match remote.deliver(event.clone()) {
            Err(DeliverError::InboxFull) => tokio::time::sleep(Duration::from_millis(1)).await,
            other => return Ok(other?),
        }
    }
}

/// The file of a program that lies beside this one in the source tree.
pub fn program(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("programs")
        .join(name)
}

fn with_definition(key: &str, source: &str) -> String {
    format!(
        "\"\"\"\n<plugin key=\"{key}\" name=\"{key}\" version=\"1.0\" author=\"benchmark\">\n\
         <params><param field=\"Address\" label=\"a\"/><param field=\"Port\" label=\"p\"/><param field=\"Mode1\" label=\"m\"/></params>\n</plugin>\n\"\"\"\n{source}"
    )
}
