//! The common part of the integration tests: a hub in a temporary folder, plugins
//! from text, and waiting for lines in the log.
//!
//! The real guest, the real store, the real API. One engine per test binary.

pub mod bundle;
pub mod ports;
pub mod tls;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity, Record};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};
use cordon_runtime::instance::remote::Remote;
use tokio::sync::broadcast;

/// How long a test waits for something that is expected to happen soon.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The program `cordon`, which cargo puts beside the folder of this binary.
pub fn cordon() -> PathBuf {
    let binary = std::env::current_exe().expect("this binary has a path");
    let profile = binary.parent().and_then(Path::parent);
    let program = profile.expect("this binary lies in deps").join("cordon");
    assert!(
        program.is_file(),
        "{} is not built; run: make build",
        program.display()
    );
    program
}

/// The engine of this binary.
pub fn engine() -> Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    let make = || {
        let artifact = Artifact::locate().expect("the guest is built");
        let options = EngineOptions {
            instances: 300,
            ..EngineOptions::default()
        };
        Engine::new(&options, &artifact).expect("the engine starts")
    };
    ENGINE.get_or_init(make).clone()
}

/// A hub of its own for one test.
pub struct Bench {
    pub hub: Hub,
    pub events: EventLog,
    lines: broadcast::Receiver<Arc<Record>>,
    /// Lines that were received, oldest first.
    pub seen: Vec<Arc<Record>>,
    folder: tempfile::TempDir,
}

/// A plugin as a test describes it.
pub struct PluginText<'a> {
    pub name: &'a str,
    /// Python below `import Domoticz`.
    pub source: &'a str,
    /// TOML of the hardware section beside name and plugin.
    pub config: &'a str,
}

impl Bench {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let events = EventLog::new(LogCapacity::default());
        let lines = events.subscribe();
        let hub = Hub::open(
            engine(),
            events.clone(),
            &folder.path().join("data"),
            Vec::new(),
        )
        .expect("the hub opens");
        Self {
            hub,
            events,
            lines,
            seen: Vec::new(),
            folder,
        }
    }

    /// Folder of the hub's own files.
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Folder of the plugin with this name.
    pub fn plugin_folder(&self, name: &str) -> PathBuf {
        self.folder.path().join("plugins").join(name)
    }

    /// Writes the plugin's folder and starts an instance of it.
    pub async fn start(&mut self, plugin: PluginText<'_>) -> Remote {
        let name = plugin.name;
        let text = format!(
            "\"\"\"\n<plugin key=\"{name}\" name=\"{name}\" version=\"1.0\" author=\"tests\">\n<params>\n\
             <param field=\"Address\" label=\"a\"/>\n<param field=\"Port\" label=\"p\"/>\n\
             <param field=\"Username\" label=\"u\"/>\n<param field=\"Password\" label=\"w\"/>\n\
             <param field=\"Mode1\" label=\"m\"/>\n</params>\n</plugin>\n\"\"\"\nimport Domoticz\n{}",
            plugin.source
        );
        self.start_whole(name, &text, plugin.config).await
    }

    /// The same with the whole text of `plugin.py`.
    pub async fn start_whole(&mut self, name: &str, text: &str, config: &str) -> Remote {
        let folder = self.plugin_folder(name);
        std::fs::create_dir_all(&folder).expect("the plugin folder is made");
        std::fs::write(folder.join("plugin.py"), text).expect("the plugin is written");
        self.start_folder(name, &folder, config).await
    }

    /// Starts an instance of the plugin in this folder.
    pub async fn start_folder(
        &mut self,
        name: &str,
        folder: &std::path::Path,
        config: &str,
    ) -> Remote {
        let definitions = definition::read_folder(folder).expect("a definition");
        let definition = definitions.first().expect("one plugin");
        let section = format!("name = {name:?}\nplugin = {:?}\n{config}", definition.key);
        let section: HardwareSection = toml::from_str(&section).expect("a valid section");
        self.hub
            .start(&section, definition)
            .await
            .expect("the instance starts");
        self.hub.instances().last().expect("an instance").remote()
    }

    /// Waits for a line that contains `text`; returns it.
    ///
    /// Panics with everything that was logged when it does not come in time.
    pub async fn line(&mut self, text: &str) -> String {
        self.line_within(text, PATIENCE).await
    }

    /// The same with a time of its own.
    pub async fn line_within(&mut self, text: &str, patience: Duration) -> String {
        if let Some(line) = self.seen_line(text) {
            return line;
        }
        let waited = tokio::time::timeout(patience, async {
            loop {
                match self.lines.recv().await {
                    Ok(record) => {
                        let line = record.message();
                        self.seen.push(record);
                        if line.contains(text) {
                            return line;
                        }
                    }
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(error) => panic!("the log ended: {error}"),
                }
            }
        })
        .await;
        match waited {
            Ok(line) => line,
            Err(_) => panic!("no line with {text:?} in:\n{}", self.transcript()),
        }
    }

    /// A line that was seen already.
    pub fn seen_line(&self, text: &str) -> Option<String> {
        self.seen
            .iter()
            .map(|record| record.message())
            .find(|line| line.contains(text))
    }

    /// The lines that were seen already.
    pub fn seen_lines(&self) -> Vec<String> {
        self.seen.iter().map(|record| record.message()).collect()
    }

    /// Takes the lines that are there without waiting.
    pub fn drain(&mut self) {
        loop {
            match self.lines.try_recv() {
                Ok(record) => self.seen.push(record),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return,
            }
        }
    }

    /// Everything that was seen, a line each.
    pub fn transcript(&self) -> String {
        let lines: Vec<_> = self.seen.iter().map(|record| record.line()).collect();
        lines.join("\n")
    }
}

/// Bytes of this process that it wrote and that are in memory
/// (`/proc/self/smaps_rollup`). Pages that are only read are the file's.
pub fn private_bytes() -> u64 {
    let text = std::fs::read_to_string("/proc/self/smaps_rollup").expect("procfs");
    text.lines()
        .filter(|line| line.starts_with("Private_Dirty:"))
        .filter_map(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
        .sum::<u64>()
        * 1024
}
