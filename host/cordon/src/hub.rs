//! The running hub: services, and the plugin instances of a configuration.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use tokio::time::timeout_at;
use tokio_util::task::TaskTracker;

use crate::schemas::SCHEMAS;
use cordon_base::descriptors::Descriptors;
use cordon_base::error::EngineError;
use cordon_base::folders::Folders;
use cordon_base::log::{EventLog, Level};
use cordon_base::pool::Pools;
use cordon_base::private;
use cordon_base::problems::Problems;
use cordon_domoticz::catalogue::Library;
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::PluginDefinition;
use cordon_domoticz::favorites::Favorites;
use cordon_domoticz::history::{self, History};
use cordon_domoticz::variables::Variables;
use cordon_domoticz::web::{Board, HubApi, Management, Pages, VersionInfo};
use cordon_domoticz::{Domoticz, Plugins};
use cordon_indigo::things::IndigoThings;
use cordon_indigo::{IndigoServer, ServerOptions};
use cordon_protocol::Credentials;
use cordon_runtime::capability::files;
use cordon_runtime::code_cache::CodeCache;
use cordon_runtime::compiled::CompiledPackages;
use cordon_runtime::engine::Engine;
use cordon_runtime::instance::remote::Remote;
use cordon_runtime::instance::starts::Starts;
use cordon_runtime::instance::supervisor::{Handle, Services};
use cordon_runtime::instance::switchboard::Switchboard;
use cordon_runtime::instance::watchdog;
use cordon_runtime::section::{InstanceSection, PluginFolder};
use cordon_runtime::things::Things;
use cordon_store::Store;
use cordon_web::access::Access;
use cordon_web::budget::Budget;
use cordon_web::config::WebConfig;
use cordon_web::origin::Origins;
use domoticz::HardwareMaker;
use maker::{COMPILED, Maker, PAGES, Tls};

use configured::{Configured, Section};
pub use loading::Loading;
pub use maker::Draft;
use manager::Manager;
pub use operator::HubOperator;
use progress::Progress;
use starter::Starter;

mod changes;
mod command;
mod configured;
mod domoticz;
mod indigo;
mod loading;
mod maker;
mod manager;
mod operator;
mod progress;
mod report;
mod starter;
mod turns;

/// The version that plugins see in `Parameters["DomoticzVersion"]`: that of the
/// behaviour specification.
pub const DOMOTICZ_VERSION: &str = "2025.1";

/// The commit date of the behaviour specification's reference, in the form that
/// plugins parse.
const BUILD_TIME: &str = "2025-09-20 00:00:00";

/// How long all plugins together have to stop, unless the configuration says otherwise.
const GRACE: Duration = Duration::from_secs(20);

/// How long an instance is parked, unless the configuration says otherwise.
const PARKED: Duration = Duration::from_secs(600);

/// The hub. Dropping it without [`Hub::stop`] ends the plugins without `onStop`.
pub struct Hub {
    maker: Maker,
    domoticz: Domoticz,
    configured: Configured,
    manager: Option<Manager>,
    progress: Progress,
    /// Commands of the operator on their way.
    commands: TaskTracker,
    problems: Problems,
    web: WebConfig,
    started: Instant,
    history: Option<tokio::task::JoinHandle<()>>,
    indigo: Option<Arc<IndigoServer>>,
    indigo_options: ServerOptions,
    /// Held as long as this hub uses the data folder.
    _lock: File,
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
        let store = Store::open(&data.join("cordon.db"), SCHEMAS)?;
        if let Some(spoilt) = store.spoilt() {
            events.record(None, Level::Error, spoilt);
        }
        let instances = Switchboard::default();
        watchdog::start(&instances)?;
        let domoticz = Domoticz::new(&store, Arc::new(instances.clone()));
        let services = Services {
            code: CodeCache::new(data, engine.guest()),
            compiled: Some(CompiledPackages::new(&packages)),
            compiler: domoticz.instance("packages", Credentials::default(), false),
            engine,
            starts: Starts::new(events.clone()),
            events,
            instances,
            pools: Pools::default(),
            descriptors: Descriptors::of_process(),
            grace: GRACE,
            parked: PARKED,
        };
        let maker = Maker {
            services,
            data: data.to_owned(),
            listeners: listeners.into(),
            tls: Arc::new(Tls::new()?),
        };
        Ok(Self {
            maker,
            domoticz,
            configured: Configured::default(),
            manager: None,
            progress: Progress::default(),
            commands: TaskTracker::new(),
            problems: Problems::default(),
            web: WebConfig::default(),
            started: Instant::now(),
            history: None,
            indigo: None,
            indigo_options: ServerOptions::default(),
            _lock: lock,
        })
    }

    fn hardware(&self) -> HardwareMaker {
        HardwareMaker {
            maker: self.maker.clone(),
            domoticz: self.domoticz.clone(),
        }
    }

    /// The services that instances of all frameworks work with.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.maker.services
    }

    /// The services that Domoticz plugins work with.
    #[must_use]
    pub fn domoticz(&self) -> &Domoticz {
        &self.domoticz
    }

    /// The things of every framework that this hub has plugins of.
    #[must_use]
    pub fn things(&self) -> Vec<Arc<dyn Things>> {
        let domoticz: Arc<dyn Things> = Arc::new(self.domoticz.clone());
        let indigo = self.indigo.iter().map(|server| {
            let things: Arc<dyn Things> = Arc::new(IndigoThings::new(Arc::clone(server)));
            things
        });
        std::iter::once(domoticz).chain(indigo).collect()
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

    /// How long an instance is parked before it is tried again, zero for ever; ten minutes without
    /// this. To be called before the first instance is started.
    pub fn set_parked(&mut self, parked: Duration) {
        self.maker.services.parked = parked;
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
            let hardware = HardwareMaker {
                maker: self.maker.clone(),
                domoticz: self.domoticz.clone(),
            };
            let (problems, configured) = (self.problems.clone(), self.configured.clone());
            Manager::new(hardware, library, problems, configured, instances)
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
        if let Some(manager) = &self.manager {
            manager.start_all().await?;
        }
        self.keep_history();
        Ok(())
    }

    /// From the first instance on there is something to write down.
    fn keep_history(&mut self) {
        let domoticz = &self.domoticz;
        self.history.get_or_insert_with(|| {
            let history = History::new(domoticz.store.clone());
            tokio::spawn(history::keep(history, domoticz.preferences.clone()))
        });
    }

    /// The instances of the configuration that have an actor, in its order.
    #[must_use]
    pub fn instances(&self) -> Vec<Arc<Handle>> {
        self.configured.handles()
    }

    fn starter(&self) -> Starter {
        Starter {
            hardware: self.hardware(),
            configured: self.configured.clone(),
            indigo: self.indigo.clone(),
            library: self.manager.as_ref().map(Manager::library),
            problems: self.problems.clone(),
        }
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
        let starter = self.starter();
        let handle = starter.start_hardware(section, definition, None).await?;
        let section = Section::Hardware(Arc::new(section.clone()));
        self.configured
            .add(&section.label(), Some(section.clone()), handle);
        self.keep_history();
        Ok(())
    }

    /// Puts an instance of this definition in the place of the one of the same name that runs.
    ///
    /// # Errors
    ///
    /// As [`Self::start`]; the former instance runs on.
    pub async fn replace(
        &mut self,
        section: &HardwareSection,
        definition: &PluginDefinition,
    ) -> Result<(), EngineError> {
        let former = self.configured.labelled(&section.name);
        let former = former.and_then(|entry| entry.handle().cloned());
        let former = former.ok_or_else(|| {
            let name = &section.name;
            EngineError::Config(format!(
                "no instance is called `{name}`, as the plugin is now"
            ))
        })?;
        let starter = self.starter();
        let made = starter.start_hardware(section, definition, Some(&former));
        let handle = made.await?;
        let section = Section::Hardware(Arc::new(section.clone()));
        starter.alive(&section.label(), &section, handle);
        Ok(())
    }

    /// The row id of the instance with this name, made if there is none.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when it cannot be made, or belongs to another plugin.
    pub async fn id_of(&self, name: &str, key: &str) -> Result<u32, EngineError> {
        self.starter().id_of(name, key).await
    }

    /// The folders of the instance with this row id. The plugin sees its own folder once more in
    /// `listed_in`.
    #[must_use]
    pub fn folders(
        &self,
        id: u32,
        access: PluginFolder,
        plugin: &Path,
        listed_in: &'static str,
    ) -> Folders {
        self.maker.folders(id, access, plugin, listed_in)
    }

    /// Starts an instance of any framework.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when its parts cannot be made.
    pub fn start_instance(
        &mut self,
        section: &InstanceSection,
        draft: Draft,
    ) -> Result<Remote, EngineError> {
        let handle = self.maker.start(self.maker.spec(section, draft)?, false);
        let remote = handle.remote();
        let label = remote.spec.name.clone();
        self.configured.add(&label, None, Arc::new(handle));
        Ok(remote)
    }

    /// Stops every plugin and closes the store; nothing can be started after that.
    pub async fn stop(&mut self) {
        self.stop_instances().await;
        self.domoticz.store.close().await;
    }

    /// Stops every plugin, all at the same time, and waits for them. Plugins that have not stopped
    /// when the hub's grace is over are ended where they are.
    pub async fn stop_instances(&mut self) {
        let until = Instant::now() + self.maker.services.grace;
        if let Some(history) = self.history.take() {
            history.abort();
        }
        self.progress.stop();
        // Before anything is waited for.
        self.maker.services.instances.stop_all();
        let manager = self.manager.take();
        let managed = async {
            if let Some(manager) = manager {
                manager.stop(until).await;
            }
        };
        let configured = self.configured.take();
        self.commands.close();
        let commands = timeout_at(until.into(), self.commands.wait());
        let ((), (), ended) = tokio::join!(stop_all(configured, until), managed, commands);
        if ended.is_err() {
            tracing::error!("a command of the operator does not end");
        }
        // A command that was on its way may have started one more.
        stop_all(self.configured.take(), until).await;
        self.progress.again();
    }

    /// The HTTP API over this hub's instances as they are now, for a listener on
    /// this address.
    #[must_use]
    pub fn api(&self, listener: SocketAddr) -> HubApi {
        let (services, domoticz) = (&self.maker.services, &self.domoticz);
        let manager = self.manager.clone().filter(|_| self.web.add_hardware);
        let plugins: Arc<dyn Plugins> = Arc::new(services.instances.clone());
        HubApi {
            devices: domoticz.devices.clone(),
            board: Board::new(domoticz.devices.clone(), services.pools.commands.clone()),
            images: domoticz.images.clone(),
            house: domoticz.house.clone(),
            log: services.events.clone(),
            plugins: Arc::clone(&plugins),
            pools: services.pools.clone(),
            manager: manager.map(|manager| Arc::new(manager) as Arc<dyn Management>),
            problems: self.problems.clone(),
            access: Access::new(&self.web, cordon_indigo::web::REALM)
                .with_log(services.events.clone()),
            budget: Budget::default(),
            pages: Pages::new(
                &self.maker.data.join(PAGES),
                services.pools.files.clone(),
                plugins,
            ),
            history: History::new(domoticz.store.clone()),
            favorites: Favorites::new(domoticz.store.clone()),
            variables: Variables::new(domoticz.store.clone()),
            preferences: domoticz.preferences.clone(),
            started: self.started,
            version: VersionInfo {
                version: DOMOTICZ_VERSION.to_owned(),
                build_time: BUILD_TIME.to_owned(),
                hash: env!("CARGO_PKG_VERSION").to_owned(),
                revision: 0,
                python_version: "3.14 (RustPython 0.6)".to_owned(),
            },
            origins: Origins::new(&self.web, listener),
            place: (self.indigo_options.latitude, self.indigo_options.longitude),
            pages_origin: None,
        }
    }
}

/// Stops these instances, all at the same time, by this moment.
async fn stop_all(instances: impl IntoIterator<Item = Arc<Handle>>, until: Instant) {
    let within = until.saturating_duration_since(Instant::now());
    let stop = |instance: Arc<Handle>| async move { instance.stop(within).await };
    join_all(instances.into_iter().map(stop)).await;
}

/// Part of the folder for compiled code with the packages of all instances.
const PACKAGES: &str = "packages";

/// Removes compiled code of other guests, which this one could not run.
fn forget_other_guests(folder: &Path, guest: &str) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten().filter(|entry| entry.file_name() != guest) {
        if let Err(error) = files::remove(&entry.path()) {
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
