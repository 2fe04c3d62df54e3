//! Makes a life from the parts that the instance has for it.

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::instance::meter::Meter;
use crate::instance::ports::Ports;
use crate::instance::run::{Command, Ending, Life};
use crate::instance::setup::{Found, Looking};
use crate::instance::starts::Place;
use crate::instance::state::{Domoticz, Shared};
use crate::instance::supervisor::Supervisor;
use crate::instance::threads::Threads;
use cordon_base::error::EngineError;
use cordon_base::limits::Limits;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;
use cordon_domoticz::connection::{
    ConnectionLimits, Connections, Debt, LogLevel, LogOrigin, LogSink,
};

/// Connection events that wait for the loop; beyond them peers are stopped.
const EVENT_QUEUE: usize = 64;

impl Supervisor {
    /// One life, from its place among the starts to its end.
    pub(super) async fn live(
        &self,
        commands: &mut mpsc::Receiver<Command>,
        place: Place,
        looking: Looking,
    ) -> Result<Ending, EngineError> {
        // Before the place is given away to the meter: an instance that cannot even begin gives it
        // back.
        let settings = self.services.preferences.settings().await;
        let settings = settings.map_err(|error| EngineError::Store(error.to_string()))?;
        self.meter.begin(place);
        let limits = &self.spec.limits;
        let log = &self.log;
        let (threads, spawned) = Threads::new(limits.threads, self.services.engine.thread_stacks());
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        let connections = Connections::new(
            self.reach.clone(),
            connection_limits(limits),
            self.spec.credentials.clone(),
            Arc::clone(&self.spec.tls),
            debt(&self.meter),
            sink(log.clone()),
            sender,
        );
        // In the instance's own turn and at its cost.
        let store = self.services.store.of(&self.spec.account, log);
        let shared = Arc::new(Shared::new(
            self.spec.hardware,
            log.clone(),
            limits.clone(),
            Arc::clone(&self.spec.account),
            self.services.pools.clone(),
            threads,
            self.services.devices.through(&store),
            store.clone(),
            connections.board(),
            Ports::new(&self.spec, log, self.reach.clone()),
            Domoticz {
                key: self.spec.key.clone(),
                images: self.services.images.through(&store),
                house: self.services.house.through(&store),
                guards: self.spec.guards,
            },
            self.spec.indigo.clone(),
        ));
        self.services.devices.forget_timed_out(self.spec.hardware);
        let life = Life {
            spec: &self.spec,
            shared,
            meter: Arc::clone(&self.meter),
            counters: &self.counters,
            orders: &self.orders,
            code: self.services.code.clone(),
            settings,
            looking,
            found: Found::default(),
            told: None,
            commands,
            connections,
            events,
            spawned,
        };
        life.run(&self.services.engine).await
    }
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
