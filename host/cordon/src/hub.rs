//! The running hub: services, and the plugin instances of a configuration.

use std::collections::BTreeSet;
use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::code_cache::CodeCache;
use crate::compiled::CompiledPackages;
use crate::config::{HardwareSection, PluginFolder};
use crate::engine::Engine;
use crate::instance::Spec;
use crate::instance::starts::Starts;
use crate::instance::supervisor::{self, Handle, Services};
use crate::instance::switchboard::Switchboard;
use crate::instance::watchdog;
use cordon_base::account::Account;
use cordon_base::descriptors::Descriptors;
use cordon_base::error::EngineError;
use cordon_base::folders::{DATA_FOLDER, Folders, PLUGIN_FOLDER, PLUGINS_FOLDER};
use cordon_base::log::EventLog;
use cordon_base::pool::Pools;
use cordon_base::private;
use cordon_base::problems::Problems;
use cordon_domoticz::catalogue::Library;
use cordon_domoticz::definition::PluginDefinition;
use cordon_domoticz::favorites::Favorites;
use cordon_domoticz::history::{self, History};
use cordon_domoticz::image::Images;
use cordon_domoticz::parameters::{HardwareConfig, HubFacts, parameters};
use cordon_domoticz::preferences::Preferences;
use cordon_domoticz::variables::Variables;
use cordon_domoticz::web::{Board, HubApi, Management, Pages, VersionInfo};
use cordon_domoticz::{DeviceTable, House, Plugins};
use cordon_indigo::{IndigoServer, ServerOptions};
use cordon_protocol::Credentials;
use cordon_reach::egress::{NetworkPolicy, OwnTarget};
use cordon_reach::process::ProcessPolicy;
use cordon_reach::serial::SerialPolicy;
use cordon_reach::tls_client::TlsClient;
use cordon_store::Store;
use cordon_web::access::Access;
use cordon_web::budget::Budget;
use cordon_web::config::WebConfig;
use cordon_web::origin::Origins;
use manager::Manager;

mod indigo;
mod manager;
mod turns;

/// The version that plugins see in `Parameters["DomoticzVersion"]`: that of the
/// behaviour specification.
pub const DOMOTICZ_VERSION: &str = "2025.1";

/// The commit date of the behaviour specification's reference, in the form that
/// plugins parse.
const BUILD_TIME: &str = "2025-09-20 00:00:00";

/// How long all plugins together have to stop, unless the configuration says otherwise.
const GRACE: Duration = Duration::from_secs(20);

/// The hub. Dropping it without [`Hub::stop`] ends the plugins without `onStop`.
pub struct Hub {
    maker: Maker,
    instances: Vec<Handle>,
    /// Rows of configured hardware that may be started later.
    expected: BTreeSet<u32>,
    manager: Option<Manager>,
    problems: Problems,
    web: WebConfig,
    started: Instant,
    history: Option<tokio::task::JoinHandle<()>>,
    indigo: Option<Arc<IndigoServer>>,
    indigo_options: ServerOptions,
    /// Held as long as this hub uses the data folder.
    _lock: File,
}

/// The parts that an instance is made with. Clones share them.
#[derive(Clone)]
struct Maker {
    services: Services,
    data: PathBuf,
    listeners: Arc<[SocketAddr]>,
    tls: Arc<Tls>,
}

/// TLS set-ups, one that verifies and one that accepts any certificate.
struct Tls {
    any: Arc<TlsClient>,
    verified: OnceLock<Arc<TlsClient>>,
}

impl Tls {
    fn get(&self, verify: bool) -> Result<Arc<TlsClient>, EngineError> {
        if !verify {
            return Ok(Arc::clone(&self.any));
        }
        if let Some(verified) = self.verified.get() {
            return Ok(Arc::clone(verified));
        }
        // When it is made twice at the same time, the first stays.
        let made = Arc::new(TlsClient::new(true)?);
        Ok(Arc::clone(self.verified.get_or_init(|| made)))
    }
}

impl Hub {
    /// A hub without plugins, with its database in `data`. `listeners` are the
    /// hub's own addresses, which plugins may not reach unless granted.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the store cannot be opened or TLS not be set up.
    pub fn open(
        engine: Engine,
        events: EventLog,
        data: &Path,
        listeners: Vec<SocketAddr>,
    ) -> Result<Self, EngineError> {
        private::folder(data)?;
        let lock = lock(data)?;
        let compiled = data.join(COMPILED);
        forget_other_guests(&compiled, engine.guest());
        let packages = compiled.join(engine.guest()).join(PACKAGES);
        let store = Store::open(&data.join("cordon.db"))?;
        let devices = DeviceTable::new(store.clone());
        let instances = Switchboard::default();
        watchdog::start(&instances)?;
        let services = Services {
            code: CodeCache::new(data, engine.guest()),
            compiled: Some(CompiledPackages::new(&packages)),
            engine,
            starts: Starts::new(events.clone()),
            events,
            house: House::new(&store, devices.clone(), Arc::new(instances.clone())),
            instances,
            devices,
            images: Images::new(store.clone()),
            preferences: Preferences::new(store.clone()),
            pools: Pools::default(),
            descriptors: Descriptors::of_process(),
            store,
            grace: GRACE,
        };
        let tls = Tls {
            any: Arc::new(TlsClient::new(false)?),
            verified: OnceLock::new(),
        };
        Ok(Self {
            maker: Maker {
                services,
                data: data.to_owned(),
                listeners: listeners.into(),
                tls: Arc::new(tls),
            },
            instances: Vec::new(),
            expected: BTreeSet::new(),
            manager: None,
            problems: Problems::default(),
            web: WebConfig::default(),
            started: Instant::now(),
            history: None,
            indigo: None,
            indigo_options: ServerOptions::default(),
            _lock: lock,
        })
    }

    /// The services that instances work with.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.maker.services
    }

    /// Has each instance compile the packages that it imports, and no more: for a hub that
    /// runs each plugin once.
    pub fn compile_alone(&mut self) {
        self.maker.services.compiled = None;
    }

    /// How long all plugins together have to stop; 20 seconds without this. To be called before
    /// [`Hub::manage`].
    pub fn set_grace(&mut self, grace: Duration) {
        self.maker.services.grace = grace;
    }

    /// Who may use the API; without this, this machine alone.
    pub fn set_web(&mut self, web: WebConfig) {
        self.web = web;
    }

    /// The plugins that cannot be used, from the plugins folder or the configuration.
    #[must_use]
    pub fn problems(&self) -> &Problems {
        &self.problems
    }

    /// Makes the library of this plugins folder and the manager of hardware from the API, which
    /// sees that there are never more than `instances` in all. Reads nothing and starts nothing;
    /// [`Hub::manage`] does, and until then no hardware is taken.
    pub fn prepare(&mut self, plugins: &Path, instances: u32) -> Library {
        let manager = self.manager.get_or_insert_with(|| {
            let events = self.maker.services.events.clone();
            let library = Library::new(plugins, events, self.problems.clone());
            Manager::new(
                self.maker.clone(),
                library,
                self.problems.clone(),
                instances,
            )
        });
        manager.library()
    }

    /// Starts the hardware that was added through the API, and allows more of it, after
    /// [`Hub::prepare`] if that was not done. To be called after the hardware of the
    /// configuration was started.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the hardware cannot be read.
    pub async fn manage(&mut self, plugins: &Path, instances: u32) -> Result<(), EngineError> {
        self.prepare(plugins, instances);
        let configured = self.instances.iter().map(|it| it.remote().spec.hardware);
        let configured = configured.chain(self.expected.iter().copied()).collect();
        if let Some(manager) = &self.manager {
            manager.start_all(configured).await?;
        }
        self.keep_history();
        Ok(())
    }

    /// From the first instance on there is something to write down.
    fn keep_history(&mut self) {
        let services = &self.maker.services;
        self.history.get_or_insert_with(|| {
            let history = History::new(services.store.clone());
            tokio::spawn(history::keep(history, services.preferences.clone()))
        });
    }

    /// The running instances, in the order of the configuration.
    #[must_use]
    pub fn instances(&self) -> &[Handle] {
        &self.instances
    }

    /// Starts an instance of a plugin.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when the section does not fit the definition,
    /// [`EngineError::Store`] when its row cannot be made.
    pub async fn start(
        &mut self,
        section: &HardwareSection,
        definition: &PluginDefinition,
    ) -> Result<(), EngineError> {
        let store = &self.maker.services.store;
        let id = store.hardware_for(&section.name, &definition.key).await;
        let id = id.map_err(|error| EngineError::Store(error.to_string()))?;
        let handle = self.maker.start(id, section, definition)?;
        self.instances.push(handle);
        self.keep_history();
        Ok(())
    }

    /// Keeps the place of an instance that may be started later. To be called before
    /// [`Hub::manage`].
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when its row cannot be made.
    pub async fn expect(&mut self, section: &HardwareSection) -> Result<(), EngineError> {
        let store = &self.maker.services.store;
        let id = store.hardware_for(&section.name, &section.plugin).await;
        let id = id.map_err(|error| EngineError::Store(error.to_string()))?;
        self.expected.insert(id);
        Ok(())
    }

    /// Stops every plugin and closes the store; nothing can be started after that.
    pub async fn stop(&mut self) {
        self.stop_instances().await;
        self.maker.services.store.close().await;
    }

    /// Stops every plugin, all at the same time, and waits for them. Plugins that have not stopped
    /// when the hub's grace is over are ended where they are.
    pub async fn stop_instances(&mut self) {
        let until = Instant::now() + self.maker.services.grace;
        if let Some(history) = self.history.take() {
            history.abort();
        }
        // Before anything is waited for.
        self.maker.services.instances.stop_all();
        let manager = self.manager.take();
        let managed = async {
            if let Some(manager) = manager {
                manager.stop(until).await;
            }
        };
        let configured = std::mem::take(&mut self.instances);
        let ((), ()) = tokio::join!(stop_all(configured, until), managed);
    }

    /// The HTTP API over this hub's instances as they are now, for a listener on
    /// this address.
    #[must_use]
    pub fn api(&self, listener: SocketAddr) -> HubApi {
        let services = &self.maker.services;
        let manager = self.manager.clone().filter(|_| self.web.add_hardware);
        let plugins: Arc<dyn Plugins> = Arc::new(services.instances.clone());
        HubApi {
            devices: services.devices.clone(),
            board: Board::new(services.devices.clone(), services.pools.commands.clone()),
            images: services.images.clone(),
            house: services.house.clone(),
            log: services.events.clone(),
            plugins: Arc::clone(&plugins),
            pools: services.pools.clone(),
            manager: manager.map(|manager| Arc::new(manager) as Arc<dyn Management>),
            problems: self.problems.clone(),
            access: Access::new(&self.web),
            budget: Budget::default(),
            pages: Pages::new(
                &self.maker.data.join(PAGES),
                services.pools.files.clone(),
                plugins,
            ),
            history: History::new(services.store.clone()),
            favorites: Favorites::new(services.store.clone()),
            variables: Variables::new(services.store.clone()),
            preferences: services.preferences.clone(),
            started: self.started,
            version: VersionInfo {
                version: DOMOTICZ_VERSION.to_owned(),
                build_time: BUILD_TIME.to_owned(),
                hash: env!("CARGO_PKG_VERSION").to_owned(),
                revision: 0,
                python_version: "3.14 (RustPython 0.6)".to_owned(),
            },
            origins: Origins::new(&self.web, listener),
            pages_origin: None,
        }
    }
}

/// Stops these instances, all at the same time, by this moment.
async fn stop_all(instances: impl IntoIterator<Item = Handle>, until: Instant) {
    let within = until.saturating_duration_since(Instant::now());
    join_all(instances.into_iter().map(|instance| instance.stop(within))).await;
}

impl Maker {
    fn start(
        &self,
        id: u32,
        section: &HardwareSection,
        definition: &PluginDefinition,
    ) -> Result<Handle, EngineError> {
        let spec = self.spec(id, section, definition)?;
        Ok(supervisor::start(self.services.clone(), spec))
    }

    fn spec(
        &self,
        id: u32,
        section: &HardwareSection,
        definition: &PluginDefinition,
    ) -> Result<Spec, EngineError> {
        let config = |error: &dyn std::fmt::Display| EngineError::Config(error.to_string());
        let values = section.parameters.clone();
        let hardware = HardwareConfig::from_values(id, &section.name, definition, values)
            .map_err(|error| config(&error))?;
        let own = OwnTarget {
            address: hardware.address.clone().unwrap_or_default(),
            port: hardware.port.clone().unwrap_or_default(),
        };
        let parameters =
            parameters(hardware, definition, &facts()).map_err(|error| config(&error))?;
        let value = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let credentials = Credentials {
            username: value("Username"),
            password: value("Password"),
        };
        let network = NetworkPolicy::new(&own, section.grants.clone(), self.listeners.to_vec());
        let folders = self.folders(id, section.plugin_folder, &definition.folder);
        let typed = section.parameters.get("SerialPort").map(String::as_str);
        let typed = typed.filter(|_| section.typed_serial);
        let serial = SerialPolicy::new(&section.grants.serial, typed);
        let programs = section.grants.exec.clone();
        let programs = ProcessPolicy::new(programs, folders.clone());
        Ok(Spec {
            hardware: id,
            name: section.name.clone(),
            key: definition.key.clone(),
            log_level: section.log_level,
            folders,
            parameters,
            environment: section.environment.clone().into_iter().collect(),
            limits: section.limits.clone(),
            account: Account::new(&section.limits),
            network: Arc::new(network),
            programs: Arc::new(programs),
            serial: Arc::new(serial),
            guards: section.grants.security,
            credentials,
            keys: section.grants.keys.clone(),
            tls: self.tls.get(section.verify_tls)?,
            indigo: None,
        })
    }

    /// The folders of the instance with this row id, in parts of the data folder of
    /// their own: a plugin never sees two of them through one.
    fn folders(&self, id: u32, access: PluginFolder, plugin: &Path) -> Folders {
        let of = |part: &str| self.data.join(part).join(id.to_string());
        Folders {
            plugin: plugin.to_owned(),
            listed_in: PLUGINS_FOLDER,
            data: of("plugins"),
            pages: of(PAGES),
            temporary: of("temporary"),
            code: self
                .data
                .join(COMPILED)
                .join(self.services.engine.guest())
                .join(id.to_string()),
            changes: (access == PluginFolder::CopyOnWrite).then(|| of("changes")),
        }
    }
}

/// Part of the data folder with the custom pages of each instance.
const PAGES: &str = "pages";

/// Part of the data folder with the compiled code of each instance's modules.
const COMPILED: &str = "compiled";

/// Part of that folder with the compiled packages of all instances.
const PACKAGES: &str = "packages";

/// Removes compiled code of other guests, which this one could not run.
fn forget_other_guests(folder: &Path, guest: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten().filter(|entry| entry.file_name() != guest) {
        if let Err(error) = crate::capability::files::remove(&entry.path()) {
            tracing::warn!(%error, "old compiled code stays");
        }
    }
}

/// Keeps a second hub out of the data folder. The system gives the lock back when
/// the process ends, however it ends.
pub(crate) fn lock(data: &Path) -> Result<File, EngineError> {
    let path = data.join("cordon.lock");
    let io = |error| EngineError::io(format!("cannot lock {}", path.display()), error);
    let file = File::create(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(EngineError::Config(format!(
            "another hub uses {}; stop it, or give this one another `data` folder",
            data.display()
        ))),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

fn facts() -> HubFacts {
    HubFacts {
        home_folder: PLUGIN_FOLDER.to_owned(),
        startup_folder: DATA_FOLDER.to_owned(),
        user_data_folder: DATA_FOLDER.to_owned(),
        web_root: String::new(),
        database: String::new(),
        domoticz_version: DOMOTICZ_VERSION.to_owned(),
        domoticz_hash: env!("CARGO_PKG_VERSION").to_owned(),
        domoticz_build_time: BUILD_TIME.to_owned(),
    }
}
