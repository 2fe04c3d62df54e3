//! A server for tests, with a plugin whose methods are closures.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tempfile::TempDir;

use super::bounds::footprint;
use super::bundle::Bundle;
use super::plugin::{Answer, Answered, Asked, Call, CallError, Plugin, Port};
use super::server::{IndigoServer, ServerOptions};
use cordon_base::account::Account;
use cordon_base::limits::Limits;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pools;
use cordon_store::Store;

/// Id of the plugin.
pub(crate) const ID: &str = "com.example.fixture";

/// Behaviour of the plugin: gets the name of the function and its arguments. `None` never answers.
type Behaviour = dyn Fn(&str, &Value) -> Option<Answer> + Send + Sync;

/// The calls that a plugin got.
pub(crate) type Calls = Arc<Mutex<Vec<(String, Value)>>>;

/// A server, its plugin, and the calls that the plugin got.
pub(crate) struct Fixture {
    pub(crate) server: Arc<IndigoServer>,
    pub(crate) plugin: Arc<Plugin>,
    pub(crate) calls: Arc<Mutex<Vec<(String, Value)>>>,
    pub(crate) store: Store,
    /// The word for the state of the plugin.
    pub(crate) word: Arc<Mutex<&'static str>>,
    /// How many calls there is room for.
    pub(crate) room: Arc<AtomicU64>,
    folder: TempDir,
}

struct FakePort {
    /// The account that pays for answers.
    account: Arc<Account>,
    behaviour: Box<Behaviour>,
    calls: Arc<Mutex<Vec<(String, Value)>>>,
    running: bool,
    word: Arc<Mutex<&'static str>>,
    room: Arc<AtomicU64>,
    /// Calls that are never answered. Dropping them would count as the plugin's end.
    kept: Mutex<Vec<Call>>,
}

impl FakePort {
    fn paid(&self, answer: Answer) -> Answered {
        let bytes = match &answer {
            Answer::Returned(value) | Answer::Raised(value) => footprint(value),
            Answer::NotDefined => 0,
        };
        let charge = self.account.charge(bytes).unwrap();
        Answered {
            answer,
            charge: Some(charge),
        }
    }
}

impl Port for FakePort {
    fn queue(&self, call: Call) -> Result<(), CallError> {
        if !self.running {
            return Err(CallError::NotRunning(ID.to_owned()));
        }
        let bytes = u64::try_from(call.arguments.len()).unwrap();
        if self.account.charge(bytes).is_err() {
            return Err(CallError::Busy(ID.to_owned()));
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
                    let _ = reply.send(self.paid(answer));
                }
            }
            None => self.kept.lock().unwrap().push(call),
        }
        Ok(())
    }

    fn room(&self) -> u64 {
        self.room.load(Ordering::SeqCst)
    }

    fn running(&self) -> bool {
        self.running
    }

    fn restart(&self, _: Asked) {}

    fn halt(&self) {}

    fn status(&self) -> (String, String) {
        let word = *self.word.lock().unwrap();
        (word.to_owned(), String::new())
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

    /// A plugin with these definition files, running or not.
    pub(crate) async fn with(
        files: &[(&str, &str)],
        running: bool,
        behaviour: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("F.indigoPlugin");
        write(&root, "Contents/Info.plist", &info(ID));
        write(&root, "Contents/Server Plugin/plugin.py", "");
        for (name, text) in files {
            write(&root, &format!("Contents/{name}"), text);
        }
        let data = folder.path().join("data");
        std::fs::create_dir_all(&data).unwrap();
        let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
        let events = EventLog::new(LogCapacity::default());
        let (pools, options) = (Pools::default(), ServerOptions::default());
        let server = IndigoServer::open(store.clone(), events.clone(), pools, options).await;
        let server = server.unwrap();
        let limits = Limits::default();
        let log = PluginLog::new(events, "fixture", &limits);
        let bundle = Bundle::open(&root).unwrap();
        let plugin = server.add(Plugin::new(bundle, data, limits, log)).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        let word = Arc::new(Mutex::new(if running { "running" } else { "stopped" }));
        let room = Arc::new(AtomicU64::new(u64::MAX));
        plugin.attach(Arc::new(FakePort {
            account: Arc::clone(&plugin.account),
            behaviour: Box::new(behaviour),
            calls: Arc::clone(&calls),
            running,
            word: Arc::clone(&word),
            room: Arc::clone(&room),
            kept: Mutex::default(),
        }));
        Self {
            server,
            plugin,
            calls,
            store,
            word,
            room,
            folder,
        }
    }

    /// Another running plugin on the server, and the calls that it gets. All its functions return
    /// nothing.
    pub(crate) fn join(&self, id: &str) -> (Arc<Plugin>, Calls) {
        let root = self.folder.path().join(format!("{id}.indigoPlugin"));
        write(&root, "Contents/Info.plist", &info(id));
        write(&root, "Contents/Server Plugin/plugin.py", "");
        let limits = Limits::default();
        let log = PluginLog::new(self.server.events().clone(), id, &limits);
        let data = self.folder.path().join("data");
        let plugin = Plugin::new(Bundle::open(&root).unwrap(), data, limits, log);
        let plugin = self.server.add(plugin).unwrap();
        let calls = Arc::new(Mutex::new(Vec::new()));
        plugin.attach(Arc::new(FakePort {
            account: Arc::clone(&plugin.account),
            behaviour: Box::new(|_, _| Some(Answer::Returned(Value::Null))),
            calls: Arc::clone(&calls),
            running: true,
            word: Arc::new(Mutex::new("running")),
            room: Arc::new(AtomicU64::new(u64::MAX)),
            kept: Mutex::default(),
        }));
        (plugin, calls)
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

fn info(id: &str) -> String {
    let key = |name: &str, value: &str| format!("<key>{name}</key><string>{value}</string>");
    let keys = [
        ("CFBundleIdentifier", id),
        ("CFBundleDisplayName", "Fixture"),
        ("PluginVersion", "1.0"),
        ("ServerApiVersion", "3.0"),
    ];
    let keys: String = keys.iter().map(|(name, value)| key(name, value)).collect();
    format!("<plist version=\"1.0\"><dict>{keys}</dict></plist>")
}
