//! A hub with Indigo plugins in a temporary folder, which can be stopped and started.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity, Record};
use cordon_indigo::config::IndigoSection;
use cordon_indigo::{Caller, Failure, IndigoServer, ServerOptions};
use cordon_reach::mail::Mailer;
use cordon_runtime::instance::remote::Remote;
use serde_json::Value;
use tokio::sync::broadcast;

pub use crate::support::bundle::bundle;
use crate::support::{PATIENCE, engine};

/// Files of a bundle that lie in `Server Plugin`.
pub const FILES: [&str; 6] = [
    "plugin.py",
    "Devices.xml",
    "Actions.xml",
    "Events.xml",
    "MenuItems.xml",
    "PluginConfig.xml",
];

/// The plugin that a test looks at.
pub const PLUGIN: &str = "org.example.case";

pub struct Stage {
    folder: tempfile::TempDir,
    pub hub: Option<Hub>,
    pub events: EventLog,
    lines: broadcast::Receiver<Arc<Record>>,
    pub seen: Vec<String>,
    /// The sender of mail when the hub is opened the next time.
    pub mailer: Option<Mailer>,
}

impl Stage {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let events = EventLog::new(LogCapacity::default());
        let lines = events.subscribe();
        let mut stage = Self {
            folder,
            hub: None,
            events,
            lines,
            seen: Vec::new(),
            mailer: None,
        };
        stage.open();
        stage
    }

    /// Opens the hub on the data of before.
    pub fn open(&mut self) {
        let data = self.folder.path().join("data");
        let mut hub = Hub::open(engine(), self.events.clone(), &data, Vec::new()).unwrap();
        hub.describe(ServerOptions {
            latitude: 51.48,
            longitude: 0.0,
            web_url: "http://127.0.0.1:8176".to_owned(),
            port: 8176,
            mailer: self.mailer.clone(),
        });
        self.hub = Some(hub);
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn hub(&mut self) -> &mut Hub {
        self.hub.as_mut().expect("the hub is open")
    }

    /// Makes a bundle in the stage's folder and starts it.
    pub async fn start(
        &mut self,
        name: &str,
        id: &str,
        files: &[(&str, &str)],
        config: &str,
    ) -> Remote {
        let root = bundle(self.folder.path(), name, id, files);
        self.start_bundle(&root, config).await
    }

    /// The plugin that a test looks at, from its code alone.
    pub async fn start_code(&mut self, code: &str, config: &str) -> Remote {
        self.start("Case", PLUGIN, &[("plugin.py", code)], config)
            .await
    }

    pub async fn start_bundle(&mut self, root: &Path, config: &str) -> Remote {
        let text = format!("bundle = {:?}\n{config}", root.display().to_string());
        let section: IndigoSection = toml::from_str(&text).unwrap();
        self.hub().start_indigo(&section).await.unwrap();
        self.hub().instances().last().unwrap().remote()
    }

    pub async fn server(&mut self) -> Arc<IndigoServer> {
        self.hub().indigo().await.unwrap()
    }

    /// A command as the API gives it.
    pub async fn command(&mut self, name: &str, arguments: Value) -> Result<Value, Failure> {
        let server = self.server().await;
        let caller = Caller::Operator("api-http");
        server.command(&caller, name, arguments).await
    }

    /// The same, where it must be carried out.
    pub async fn done(&mut self, name: &str, arguments: Value) -> Value {
        match self.command(name, arguments).await {
            Ok(value) => value,
            Err(failure) => panic!("{name}: {failure}\n{}", self.transcript()),
        }
    }

    /// Stops the hub.
    pub async fn stop(&mut self) {
        if let Some(mut hub) = self.hub.take() {
            hub.stop().await;
        }
    }

    /// Waits for a line behind those seen so far that contains this.
    pub async fn line(&mut self, text: &str) -> String {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                let line = self.next().await;
                if line.contains(text) {
                    return line;
                }
            }
        });
        match waited.await {
            Ok(line) => line,
            Err(_) => panic!("no line with {text:?} in:\n{}", self.transcript()),
        }
    }

    async fn next(&mut self) -> String {
        loop {
            match self.lines.recv().await {
                Ok(record) => {
                    let line = record.message();
                    self.seen.push(line.clone());
                    return line;
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(error) => panic!("the log ended: {error}"),
            }
        }
    }

    /// Takes the lines that are there.
    pub fn drain(&mut self) {
        while let Ok(record) = self.lines.try_recv() {
            self.seen.push(record.message());
        }
    }

    pub fn transcript(&mut self) -> String {
        self.drain();
        self.seen.join("\n")
    }

    /// Waits until this holds.
    pub async fn until(&mut self, what: &str, mut holds: impl AsyncFnMut(&mut Self) -> bool) {
        let end = tokio::time::Instant::now() + PATIENCE;
        while tokio::time::Instant::now() < end {
            if holds(self).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{what} did not come:\n{}", self.transcript());
    }
}
