//! Domoticz as a framework of the hub: the services of all its plugins, and its instances.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use wasmtime::component::Linker;

use crate::announcement::{Announcer, Refusal};
use crate::capability;
use crate::configuration::Configuration;
use crate::connection::{ConnectionLimits, Connections, Debt, LogLevel, LogOrigin, LogSink};
use crate::event::Plugins;
use crate::image::Images;
use crate::life::Life;
use crate::preferences::Preferences;
use crate::requests::Requests;
use crate::state::{Heartbeat, State};
use crate::{DeviceTable, House};
use cordon_base::error::EngineError;
use cordon_base::limits::Limits;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;
use cordon_protocol::Credentials;
use cordon_runtime::framework::{Birth, CommandFailure, FailureKind, Framework, Lifecycle};
use cordon_runtime::instance::meter::Meter;
use cordon_runtime::instance::state::{InstanceState, Shared};
use cordon_store::Store;

/// Connection events that wait for the loop; beyond them peers are stopped.
const EVENT_QUEUE: usize = 64;

/// The services of the hub that all Domoticz plugins use. Clones share them.
#[derive(Clone)]
pub struct Domoticz {
    /// The store.
    pub store: Store,
    /// The device table in the store.
    pub devices: DeviceTable,
    /// The custom icons in the store.
    pub images: Images,
    /// The settings in the store.
    pub preferences: Preferences,
    /// The consequences of a change beyond its device.
    pub house: House,
    plugins: Arc<dyn Plugins>,
}

impl Domoticz {
    /// The services on this store, and on the plugins that run.
    #[must_use]
    pub fn new(store: &Store, plugins: Arc<dyn Plugins>) -> Self {
        let devices = DeviceTable::new(store.clone());
        Self {
            house: House::new(store, devices.clone(), Arc::clone(&plugins)),
            plugins,
            devices,
            images: Images::new(store.clone()),
            preferences: Preferences::new(store.clone()),
            store: store.clone(),
        }
    }

    /// The plugins that run.
    #[must_use]
    pub fn plugins(&self) -> &dyn Plugins {
        &*self.plugins
    }

    /// An instance of the plugin with this key. Its connections use `credentials` for HTTP and
    /// MQTT; `guards` is the operator's word that its security panels set the status of the house.
    #[must_use]
    pub fn instance(
        &self,
        key: &str,
        credentials: Credentials,
        guards: bool,
    ) -> Arc<dyn Framework> {
        Arc::new(DomoticzInstance {
            services: self.clone(),
            key: key.to_owned(),
            credentials,
            guards,
        })
    }
}

/// An instance of a Domoticz plugin.
struct DomoticzInstance {
    services: Domoticz,
    key: String,
    credentials: Credentials,
    guards: bool,
}

impl DomoticzInstance {
    async fn begin(&self, birth: Birth<'_>) -> Result<Box<dyn Lifecycle>, EngineError> {
        let services = &self.services;
        let settings = services.preferences.settings().await;
        let settings = settings.map_err(|error| EngineError::Store(error.to_string()))?;
        let spec = birth.spec;
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        let connections = Connections::new(
            birth.reach.clone(),
            connection_limits(&spec.limits),
            self.credentials.clone(),
            Arc::clone(&spec.tls),
            debt(birth.meter),
            sink(birth.log.clone()),
            sender,
        );
        // In the instance's own turn and at its cost.
        let store = services.store.of(&spec.account, birth.log);
        let state = State {
            hardware: spec.hardware,
            key: self.key.clone(),
            guards: self.guards,
            devices: services.devices.through(&store),
            images: services.images.through(&store),
            house: services.house.through(&store),
            connections: connections.board(),
            requests: Requests::new(&spec.limits, &spec.account, birth.log),
            heartbeat: Heartbeat::default(),
            configuration: Configuration::new(store),
        };
        services.devices.forget_timed_out(spec.hardware);
        Ok(Box::new(Life {
            state: Arc::new(state),
            settings,
            connections,
            events,
            next: None,
            exports: None,
        }))
    }
}

impl Framework for DomoticzInstance {
    fn name(&self) -> &'static str {
        "domoticz"
    }

    fn link(&self, linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
        capability::add_to_linker(linker)
    }

    fn live<'a>(
        &'a self,
        birth: Birth<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Lifecycle>, EngineError>> {
        Box::pin(self.begin(birth))
    }

    fn command(
        &self,
        shared: &Arc<Shared>,
        name: String,
        arguments: String,
    ) -> BoxFuture<'static, Result<String, CommandFailure>> {
        let done = announce(shared, &name, &arguments);
        Box::pin(async { done })
    }
}

/// Carries out the two commands of a Domoticz plugin.
fn announce(shared: &Shared, name: &str, arguments: &str) -> Result<String, CommandFailure> {
    let state = shared.of::<State>().map_err(|error| CommandFailure {
        kind: FailureKind::Other,
        message: error.to_string(),
        limit: None,
    })?;
    let by = Announcer {
        hardware: shared.hardware,
        key: &state.key,
        account: &shared.account,
        timers: shared.limits.timers,
    };
    let announced = state.house.announce(&by, name, arguments);
    announced.map_err(|refusal| {
        let message = refusal.to_string();
        let (kind, limit) = match refusal {
            Refusal::Unknown(_) => (FailureKind::Unsupported, None),
            Refusal::Invalid(_) => (FailureKind::Value, None),
            Refusal::Limit(hit) => (FailureKind::Limit, Some(hit)),
        };
        CommandFailure {
            kind,
            message,
            limit,
        }
    })
}

fn connection_limits(limits: &Limits) -> ConnectionLimits {
    ConnectionLimits {
        connections: u32::try_from(limits.connections).unwrap_or(u32::MAX),
        buffer_bytes: limits.connection_buffer,
        timers: u32::try_from(limits.timers).unwrap_or(u32::MAX),
        handshake_timeout: ConnectionLimits::HANDSHAKE_TIMEOUT,
    }
}

/// Connections rest while the plugin does.
fn debt(meter: &Arc<Meter>) -> Debt {
    let meter = Arc::clone(meter);
    Arc::new(move || meter.debt())
}

/// Messages of connections go into the plugin's log, within its rate.
fn sink(log: PluginLog) -> LogSink {
    Arc::new(move |level, origin, text| {
        let level = match level {
            LogLevel::Normal => Level::Normal,
            LogLevel::Error => Level::Error,
        };
        log.plugin(origin == LogOrigin::Core, level, &text);
    })
}
