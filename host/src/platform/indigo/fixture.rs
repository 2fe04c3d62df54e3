//! For tests: a server with a plugin whose methods are closures.

use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::bundle::Bundle;
use super::plugin::{Answer, Asked, Call, CallError, Plugin, Port};
use super::server::{IndigoServer, ServerOptions};
use crate::instance::log::PluginLog;
use crate::limits::Limits;
use crate::log::{EventLog, LogCapacity};
use crate::pool::Pools;
use crate::store::Store;

/// Id of the plugin.
pub(crate) const ID: &str = "com.example.fixture";

/// What the plugin does: name of the function and its arguments; `None` never answers.
type Behaviour = dyn Fn(&str, &Value) -> Option<Answer> + Send + Sync;

/// A server, its plugin, and the calls that the plugin got.
pub(crate) struct Fixture {
    pub(crate) server: Arc<IndigoServer>,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) calls: Arc<Mutex<Vec<(String, Value)>>>,
    _folder: TempDir,
}

struct FakePort {
    behaviour: Box<Behaviour>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    running: bool,
    /// Calls that are never answered; dropped they would count as the plugin's end.
    kept: Mutex<Vec<Call>>,
}

impl Port for FakePort {
    fn queue(&self, call: Call) -> Result<(), CallError> {
        if !self.running {
            return Err(CallError::NotRunning(ID.to_owned()));
        }
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap();
        let answer = (self.behaviour)(&call.name, &arguments);
        self.calls
            .lock()
            .unwrap()
            .push((call.name.clone(), arguments));
        match answer {
            Some(answer) => {
                if let Some(reply) = call.reply {
                    let _ = reply.send(answer);
                }
            }
            None => self.kept.lock().unwrap().push(call),
        }
        Ok(())
    }

    fn running(&self) -> bool {
        self.running
    }

    fn restart(&self, _: Asked) {}

    fn halt(&self) {}

    fn status(&self) -> (String, String) {
        ("running".to_owned(), String::new())
    }
}

impl Fixture {
    /// A running plugin with these definition files.
    pub(crate) async fn new(
        files: &[(&str, &str)],
        behaviour: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        Self::with(files, true, behaviour).await
    }

    /// The same, running or not.
    pub(crate) async fn with(
        files: &[(&str, &str)],
        running: bool,
        behaviour: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("F.indigoPlugin");
        write(&root, "Contents/Info.plist", &info());
        write(&root, "Contents/Server Plugin/plugin.py", "");
        for (name, text) in files {
            write(&root, &format!("Contents/{name}"), text);
        }
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let store = Store::open(&folder.path().join("cordon.db")).unwrap();
        let events = EventLog::new(LogCapacity::default());
        let (pools, options) = (Pools::default(), ServerOptions::default());
        let server = IndigoServer::open(store, events.clone(), pools, options).await;
        let server = server.unwrap();
        let limits = Limits::default();
        let log = PluginLog::new(events, "fixture", &limits);
        let bundle = Bundle::open(&root).unwrap();
        let plugin = server.add(Plugin::new(bundle, data, limits, log)).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        plugin.attach(Arc::new(FakePort {
            behaviour: Box::new(behaviour),
            calls: Arc::clone(&calls),
            running,
            kept: Mutex::default(),
        }));
        Self {
            server,
            plugin,
            calls,
            _folder: folder,
        }
    }

    /// The calls so far, without those about objects; the list is empty afterwards.
    pub(crate) fn calls(&self) -> Vec<(String, Value)> {
        let mut calls = self.calls.lock().unwrap();
        let wanted = |name: &str| !name.starts_with("device") && !name.starts_with("trigger");
        calls.drain(..).filter(|(name, _)| wanted(name)).collect()
    }

    /// The names of the calls so far.
    pub(crate) fn names(&self) -> Vec<String> {
        self.calls().into_iter().map(|(name, _)| name).collect()
    }
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn info() -> String {
    let key = |name: &str, value: &str| format!("<key>{name}</key><string>{value}</string>");
    let keys = [
        ("CFBundleIdentifier", ID),
        ("CFBundleDisplayName", "Fixture"),
        ("PluginVersion", "1.0"),
        ("ServerApiVersion", "3.0"),
    ];
    let keys: String = keys.iter().map(|(name, value)| key(name, value)).collect();
    format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>")
}
