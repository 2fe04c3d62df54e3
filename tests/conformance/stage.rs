//! A hub with its API on a real socket, which can be stopped and started again on the
//! same data.
//!
//! Owns the hub, the server and the lines that were logged. Knows nothing of cases.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity, Record};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition;
use cordon_domoticz::web;
use cordon_domoticz::{Deliver, HubEvent};
use tokio::net::TcpListener;
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;

use crate::support::{PATIENCE, engine};

/// A hub, its API and its log.
pub struct Stage {
    hub: Option<Hub>,
    api: Option<Api>,
    events: EventLog,
    records: broadcast::Receiver<Arc<Record>>,
    seen: Vec<Arc<Record>>,
    folder: tempfile::TempDir,
}

struct Api {
    address: SocketAddr,
    end: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Stage {
    /// A hub without plugins.
    pub fn new() -> Self {
        let events = EventLog::new(LogCapacity::default());
        let records = events.subscribe();
        Self {
            hub: None,
            api: None,
            events,
            records,
            seen: Vec::new(),
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    /// Starts the hub with these sections, each with the folder of its plugin, and
    /// the API.
    pub async fn start(&mut self, sections: &[(HardwareSection, PathBuf)]) {
        let (listener, mut hub) = self.open().await;
        for (section, folder) in sections {
            let definitions = definition::read_folder(folder).expect("a definition");
            let definition = definitions
                .iter()
                .find(|definition| definition.key == section.plugin)
                .expect("the key is defined");
            hub.start(section, definition)
                .await
                .expect("the instance starts");
        }
        let plugins = self.folder.path().join("plugins");
        hub.manage(&plugins, 100)
            .await
            .expect("the hardware is read");
        self.offer(listener, hub);
    }

    /// The same with plugins that are looked for in a folder as `cordon serve` does.
    /// A plugin that cannot be started is an error in the log.
    pub async fn start_found(&mut self, sections: &[HardwareSection], plugins: &Path) {
        let (listener, mut hub) = self.open().await;
        let catalogue = hub.prepare(plugins, 100).look().await;
        let error = |name, text| {
            self.events
                .record(name, cordon_base::log::Level::Error, text)
        };
        for section in sections {
            let name = Some(section.name.as_str());
            match catalogue.find(&section.plugin) {
                Some(definition) => {
                    if let Err(problem) = hub.start(section, definition).await {
                        error(name, problem.to_string());
                    }
                }
                None => error(name, format!("no plugin with key `{}`", section.plugin)),
            }
        }
        hub.manage(plugins, 100).await.expect("the hub is managed");
        self.offer(listener, hub);
    }

    async fn open(&self) -> (TcpListener, Hub) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let data = self.folder.path().join("data");
        let hub =
            Hub::open(engine(), self.events.clone(), &data, vec![address]).expect("the hub opens");
        (listener, hub)
    }

    fn offer(&mut self, listener: TcpListener, hub: Hub) {
        let address = listener.local_addr().expect("an address");
        let (end, ended) = oneshot::channel();
        let router = web::router(hub.api(address));
        let task = tokio::spawn(async move {
            let end = async {
                let _ = ended.await;
            };
            cordon_web::server::serve(listener, router, end).await;
        });
        self.hub = Some(hub);
        self.api = Some(Api { address, end, task });
    }

    /// Stops the plugins and the API as the program does at SIGTERM.
    pub async fn stop(&mut self) {
        if let Some(api) = self.api.take() {
            let _ = api.end.send(());
            api.task.await.expect("the API ends");
        }
        if let Some(mut hub) = self.hub.take() {
            hub.stop().await;
        }
    }

    /// Sets a preference, which plugins see from their next start on.
    pub async fn prefer(&self, key: &str, text: &str, number: i64) {
        let hub = self.hub.as_ref().expect("the hub runs");
        let set = hub.domoticz().preferences.set(key, text, number).await;
        set.expect("the preference is stored");
    }

    /// Tells the plugins the preferences as they are now.
    pub async fn tell_settings(&self) {
        let hub = self.hub.as_ref().expect("the hub runs");
        let settings = hub.domoticz().preferences.settings().await;
        let settings = settings.expect("the preferences are read");
        for instance in hub.instances() {
            let told = instance
                .remote()
                .deliver(HubEvent::Settings(settings.clone()));
            told.expect("the plugin runs");
        }
    }

    /// Puts a plugin into a folder of its own below the stage's.
    pub fn plugin(&self, name: &str, source: &str) -> PathBuf {
        let folder = self.folder.path().join("plugins").join(name);
        std::fs::create_dir_all(&folder).expect("the plugin folder is made");
        std::fs::write(folder.join("plugin.py"), source).expect("the plugin is written");
        folder
    }

    /// Folder for whatever else a test needs; removed at its end.
    pub fn scratch(&self) -> &Path {
        self.folder.path()
    }

    /// Where the API is.
    pub fn address(&self) -> SocketAddr {
        self.api.as_ref().expect("the API is up").address
    }

    /// The answer of `json.htm` to this query.
    pub async fn json(&self, query: &str) -> String {
        let address = self.address();
        let url = format!("http://{address}/json.htm?{query}");
        let asked = tokio::task::spawn_blocking(move || {
            let mut answer = ureq::get(&url).call().expect("an answer");
            answer.body_mut().read_to_string().expect("a text")
        });
        asked.await.expect("the request ends")
    }

    /// Waits until a line that was not passed over yet contains `text`; returns it
    /// and the place after it.
    pub async fn line_from(&mut self, mut place: usize, text: &str) -> Result<usize, String> {
        let waited = tokio::time::timeout(PATIENCE, async {
            loop {
                while let Some(record) = self.seen.get(place) {
                    place += 1;
                    if record.message().contains(text) {
                        return place;
                    }
                }
                match self.records.recv().await {
                    Ok(record) => self.seen.push(record),
                    Err(broadcast::error::RecvError::Lagged(_)) => {}
                    Err(error) => panic!("the log ended: {error}"),
                }
            }
        });
        match waited.await {
            Ok(place) => Ok(place),
            Err(_) => Err(format!("no line with {text:?} in time")),
        }
    }

    /// Waits for a line anywhere in the log.
    pub async fn line(&mut self, text: &str) -> String {
        match self.line_from(0, text).await {
            Ok(after) => self.seen[after - 1].message(),
            Err(problem) => panic!("{problem}, in:\n{}", self.transcript()),
        }
    }

    /// Waits for these lines in this order, others may be between them.
    pub async fn lines(&mut self, texts: &[&str]) {
        let mut place = 0;
        for text in texts {
            place = match self.line_from(place, text).await {
                Ok(place) => place,
                Err(problem) => panic!("{problem}, in:\n{}", self.transcript()),
            };
        }
    }

    /// Whether a line contains `text`, of those logged up to now.
    pub fn said(&mut self, text: &str) -> bool {
        self.drain();
        self.seen
            .iter()
            .any(|record| record.message().contains(text))
    }

    /// Everything that was logged up to now, a line each.
    pub fn transcript(&mut self) -> String {
        self.drain();
        let lines: Vec<_> = self.seen.iter().map(|record| record.line()).collect();
        lines.join("\n")
    }

    fn drain(&mut self) {
        loop {
            match self.records.try_recv() {
                Ok(record) => self.seen.push(record),
                Err(broadcast::error::TryRecvError::Lagged(_)) => {}
                Err(_) => return,
            }
        }
    }
}

/// One section of `cordon.toml`.
pub fn section(name: &str, plugin: &str, config: &str) -> HardwareSection {
    let text = format!("name = {name:?}\nplugin = {plugin:?}\n{config}");
    toml::from_str(&text).expect("a valid section")
}

/// The text of a plugin with this key; `source` stands below `import Domoticz`.
pub fn plugin_text(key: &str, source: &str) -> String {
    let fields = ["Address", "Port", "Username", "Password", "Mode1", "Mode2"];
    let params: String = fields
        .map(|field| format!("<param field=\"{field}\" label=\"{field}\"/>\n"))
        .concat();
    format!(
        "\"\"\"\n<plugin key=\"{key}\" name=\"{key}\" version=\"1.0\" author=\"tests\">\n\
         <params>\n{params}</params>\n</plugin>\n\"\"\"\nimport Domoticz\n{source}"
    )
}
