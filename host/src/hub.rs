//! The running hub: services, and the plugin instances of a configuration.

use std::fs::{File, TryLockError};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::capability::files::{DATA_FOLDER, Folders, PLUGIN_FOLDER};
use crate::code_cache::CodeCache;
use crate::config::{HardwareSection, IndigoSection, PluginFolder};
use crate::connection::TlsClient;
use crate::egress::{NetworkPolicy, OwnTarget};
use crate::engine::Engine;
use crate::error::EngineError;
use crate::instance::Spec;
use crate::instance::indigo::Link;
use crate::instance::log::PluginLog;
use crate::instance::supervisor::{self, Handle, Services};
use crate::log::EventLog;
use crate::platform::domoticz::definition::PluginDefinition;
use crate::platform::domoticz::parameters::{HardwareConfig, HubFacts, parameters};
use crate::platform::domoticz::preferences::Preferences;
use crate::platform::domoticz::{DeliverError, DeviceTable, HardwareInfo, HubEvent, Plugins};
use crate::platform::indigo::bundle::Bundle;
use crate::platform::indigo::{self, IndigoServer, Plugin, ServerOptions};
use crate::process::ProcessPolicy;
use crate::protocol::Credentials;
use crate::serial::SerialPolicy;
use crate::store::Store;
use crate::web::{HubApi, VersionInfo};

/// The version that plugins see in `Parameters["DomoticzVersion"]`: that of the
/// behaviour specification.
pub const DOMOTICZ_VERSION: &str = "2025.1";

/// The commit date of the behaviour specification's reference, in the form that
/// plugins parse.
const BUILD_TIME: &str = "2025-09-20 00:00:00";

/// The hub. Dropping it without [`Hub::stop`] ends the plugins without `onStop`.
pub struct Hub {
    services: Services,
    data: PathBuf,
    listeners: Vec<SocketAddr>,
    tls: Tls,
    instances: Vec<Handle>,
    indigo: Option<Arc<IndigoServer>>,
    indigo_options: ServerOptions,
    /// Held as long as this hub uses the data folder.
    _lock: File,
}

/// TLS set-ups, one that verifies and one that accepts any certificate.
struct Tls {
    any: Arc<TlsClient>,
    verified: Option<Arc<TlsClient>>,
}

impl Tls {
    fn get(&mut self, verify: bool) -> Result<Arc<TlsClient>, EngineError> {
        if !verify {
            return Ok(Arc::clone(&self.any));
        }
        if self.verified.is_none() {
            self.verified = Some(Arc::new(TlsClient::new(true)?));
        }
        Ok(self
            .verified
            .clone()
            .unwrap_or_else(|| Arc::clone(&self.any)))
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
        std::fs::create_dir_all(data)
            .map_err(|error| EngineError::io(format!("cannot make {}", data.display()), error))?;
        let lock = lock(data)?;
        forget_other_guests(&data.join(COMPILED), engine.guest());
        let store = Store::open(&data.join("cordon.db"))?;
        let services = Services {
            code: CodeCache::new(data, engine.guest()),
            engine,
            events,
            devices: DeviceTable::new(store.clone()),
            preferences: Preferences::new(store.clone()),
            store,
        };
        let tls = Tls {
            any: Arc::new(TlsClient::new(false)?),
            verified: None,
        };
        Ok(Self {
            services,
            data: data.to_owned(),
            listeners,
            tls,
            instances: Vec::new(),
            indigo: None,
            indigo_options: ServerOptions::default(),
            _lock: lock,
        })
    }

    /// What instances work with.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
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
        let spec = self.spec(section, definition).await?;
        self.instances
            .push(supervisor::start(self.services.clone(), spec));
        Ok(())
    }

    async fn spec(
        &mut self,
        section: &HardwareSection,
        definition: &PluginDefinition,
    ) -> Result<Spec, EngineError> {
        let id = self
            .services
            .store
            .hardware_for(&section.name, &definition.key);
        let id = id
            .await
            .map_err(|error| EngineError::Store(error.to_string()))?;
        let config = |error: &dyn std::fmt::Display| EngineError::Config(error.to_string());
        let values = section.parameters.clone();
        let hardware = HardwareConfig::from_values(id, &section.name, definition, values)
            .map_err(|error| config(&error))?;
        let own = OwnTarget {
            address: hardware.address.clone().unwrap_or_default(),
            port: hardware.port.clone().unwrap_or_default(),
        };
        let settings = self.services.preferences.settings().await;
        let settings = settings.map_err(|error| EngineError::Store(error.to_string()))?;
        let parameters =
            parameters(hardware, definition, &facts(&settings)).map_err(|error| config(&error))?;
        let value = |name: &str| {
            let found = parameters.iter().find(|(key, _)| key == name);
            found.map(|(_, value)| value.clone()).unwrap_or_default()
        };
        let credentials = Credentials {
            username: value("Username"),
            password: value("Password"),
        };
        let network = NetworkPolicy::new(&own, section.grants.clone(), self.listeners.clone());
        let folders = self.folders(id, section.plugin_folder, &definition.folder);
        let typed = section.parameters.get("SerialPort").map(String::as_str);
        let serial = SerialPolicy::new(&section.grants.serial, typed);
        let programs = section.grants.exec.clone();
        let programs = ProcessPolicy::new(programs, folders.clone());
        Ok(Spec {
            hardware: id,
            name: section.name.clone(),
            key: definition.key.clone(),
            folders,
            parameters,
            environment: section.environment.clone().into_iter().collect(),
            limits: section.limits.clone(),
            network: Arc::new(network),
            programs: Arc::new(programs),
            serial: Arc::new(serial),
            credentials,
            keys: section.grants.keys.clone(),
            tls: self.tls.get(section.verify_tls)?,
            indigo: None,
        })
    }

    /// What the Indigo server shall know about this hub; to be said before it is first
    /// asked for.
    pub fn describe(&mut self, options: ServerOptions) {
        self.indigo_options = options;
    }

    /// The Indigo server of this hub.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when its objects cannot be read.
    pub async fn indigo(&mut self) -> Result<Arc<IndigoServer>, EngineError> {
        if let Some(server) = &self.indigo {
            return Ok(Arc::clone(server));
        }
        let Services { store, events, .. } = self.services.clone();
        let server = IndigoServer::open(store, events, self.indigo_options.clone()).await?;
        self.indigo = Some(Arc::clone(&server));
        Ok(server)
    }

    /// Starts an Indigo plugin.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when the bundle is broken or runs already.
    pub async fn start_indigo(&mut self, section: &IndigoSection) -> Result<(), EngineError> {
        let path = section.bundle.clone();
        let opened = tokio::task::spawn_blocking(move || Bundle::open(&path));
        let bundle = opened
            .await
            .map_err(|error| EngineError::io("cannot read the bundle", error.into()))?
            .map_err(|problem| EngineError::Config(problem.to_string()))?;
        let server = self.indigo().await?;
        let info = bundle.info.clone();
        let name = section.name.clone().unwrap_or(info.display_name);
        let id = self.services.store.hardware_for(&name, &info.identifier);
        let id = id
            .await
            .map_err(|error| EngineError::Store(error.to_string()))?;
        let folders = self.folders(id, section.plugin_folder, &bundle.root);
        let log = PluginLog::new(self.services.events.clone(), &name, &section.limits);
        let data = folders.data.clone();
        let parameters = indigo::setup::parameters(&bundle);
        let plugin = Plugin::new(bundle, data, section.limits.clone(), log);
        let plugin = server.add(plugin)?;
        let nothing = OwnTarget::default();
        let network = NetworkPolicy::new(&nothing, section.grants.clone(), self.listeners.clone());
        let serial = SerialPolicy::new(&section.grants.serial, None);
        let programs = ProcessPolicy::new(section.grants.exec.clone(), folders.clone());
        let spec = Spec {
            hardware: id,
            name,
            key: info.identifier,
            folders,
            parameters,
            environment: section.environment.clone().into_iter().collect(),
            limits: section.limits.clone(),
            network: Arc::new(network),
            programs: Arc::new(programs),
            serial: Arc::new(serial),
            credentials: Credentials::default(),
            keys: section.grants.keys.clone(),
            tls: self.tls.get(section.verify_tls)?,
            indigo: Some(Link {
                server,
                plugin: Arc::clone(&plugin),
            }),
        };
        let handle = supervisor::start(self.services.clone(), spec);
        plugin.attach(Arc::new(handle.remote()));
        self.instances.push(handle);
        Ok(())
    }

    /// The folders of the instance with this row id, in parts of the data folder of
    /// their own: a plugin never sees two of them through one.
    fn folders(&self, id: u32, access: PluginFolder, plugin: &Path) -> Folders {
        let of = |part: &str| self.data.join(part).join(id.to_string());
        Folders {
            plugin: plugin.to_owned(),
            data: of("plugins"),
            temporary: of("temporary"),
            code: self
                .data
                .join(COMPILED)
                .join(self.services.engine.guest())
                .join(id.to_string()),
            changes: (access == PluginFolder::CopyOnWrite).then(|| of("changes")),
        }
    }

    /// Stops every plugin, all at the same time, and waits for them.
    pub async fn stop(&mut self) {
        let stopping: Vec<_> = std::mem::take(&mut self.instances)
            .into_iter()
            .map(|instance| tokio::spawn(instance.stop()))
            .collect();
        for instance in stopping {
            if let Err(error) = instance.await {
                tracing::error!(%error, "an instance could not be stopped");
            }
        }
    }

    /// The HTTP API over this hub's instances as they are now, for a listener on
    /// this address.
    #[must_use]
    pub fn api(&self, listener: SocketAddr) -> HubApi {
        let running = self.instances.iter().map(Handle::remote).collect();
        HubApi {
            devices: self.services.devices.clone(),
            log: self.services.events.clone(),
            plugins: Arc::new(Running(running)),
            version: VersionInfo {
                version: DOMOTICZ_VERSION.to_owned(),
                build_time: BUILD_TIME.to_owned(),
                hash: env!("CARGO_PKG_VERSION").to_owned(),
                revision: 0,
                python_version: "3.14 (RustPython 0.6)".to_owned(),
            },
            local_only: listener.ip().is_loopback(),
        }
    }
}

/// Part of the data folder with the compiled code of each instance's modules.
const COMPILED: &str = "compiled";

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
fn lock(data: &Path) -> Result<File, EngineError> {
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

/// The instances as the web API sees them.
struct Running(Vec<supervisor::Remote>);

impl Plugins for Running {
    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError> {
        self.0
            .iter()
            .find(|instance| instance.spec.hardware == hardware)
            .ok_or(DeliverError::NoSuchHardware)?
            .deliver(event)
    }

    fn hardware(&self) -> Vec<HardwareInfo> {
        let info = |instance: &supervisor::Remote| {
            let status = instance.counters.status();
            HardwareInfo {
                id: instance.spec.hardware,
                name: instance.spec.name.clone(),
                key: instance.spec.key.clone(),
                state: status.word().to_owned(),
                detail: status.reason().to_owned(),
            }
        };
        self.0.iter().map(info).collect()
    }
}

fn facts(settings: &[(String, String)]) -> HubFacts {
    let language = settings.iter().find(|(key, _)| key == "Language");
    HubFacts {
        home_folder: PLUGIN_FOLDER.to_owned(),
        startup_folder: "/".to_owned(),
        user_data_folder: DATA_FOLDER.to_owned(),
        web_root: String::new(),
        database: String::new(),
        language: language.map_or_else(|| "en".to_owned(), |(_, value)| value.clone()),
        domoticz_version: DOMOTICZ_VERSION.to_owned(),
        domoticz_hash: env!("CARGO_PKG_VERSION").to_owned(),
        domoticz_build_time: BUILD_TIME.to_owned(),
    }
}
