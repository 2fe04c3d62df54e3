//! Keeps one instance alive: starts it, restarts it with back-off, parks it.
//!
//! A failure drops the component. The next life starts after a pause that
//! doubles with every failure in a row; after as many as the `restarts` limit
//! allows the instance is parked with the reason on show, and stays so until
//! the operator restarts it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::code_cache::CodeCache;
use crate::connection::{ConnectionLimits, Connections, LogLevel, LogOrigin, LogSink, Reach};
use crate::engine::Engine;
use crate::error::{EngineError, InstanceFailure};
use crate::icmp::Pinger;
use crate::instance::Spec;
use crate::instance::counters::{Counters, Status};
use crate::instance::log::PluginLog;
use crate::instance::meter::Meter;
use crate::instance::ports::Ports;
use crate::instance::remote::Remote;
use crate::instance::run::{Command, Ending, Life};
use crate::instance::setup::{self, Found, Looking};
use crate::instance::state::{Domoticz, Shared};
use crate::instance::switchboard::Switchboard;
use crate::instance::threads::Threads;
use crate::limits::Limits;
use crate::log::{EventLog, Level};
use crate::platform::domoticz::image::Images;
use crate::platform::domoticz::preferences::Preferences;
use crate::platform::domoticz::{DeviceTable, House};
use crate::pool::Pools;
use crate::store::Store;

/// First pause before a restart, and the longest.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// A life that lasts this long was no failure in a row.
const HEALTHY: Duration = Duration::from_secs(600);

/// Connection events that wait for the loop; beyond them peers are stopped.
const EVENT_QUEUE: usize = 64;

/// The services of the hub that every instance uses.
#[derive(Clone)]
pub struct Services {
    /// The engine.
    pub engine: Engine,
    /// The event log.
    pub events: EventLog,
    /// The store.
    pub store: Store,
    /// The device table on it.
    pub devices: DeviceTable,
    /// Compiled code of plugins.
    pub code: CodeCache,
    /// The threads that serve all instances in turn.
    pub pools: Pools,
    /// The settings on it.
    pub preferences: Preferences,
    /// The custom icons on it.
    pub images: Images,
    /// What a change means beyond its device.
    pub house: House,
    /// The running instances.
    pub instances: Switchboard,
}

/// A running actor.
pub struct Handle {
    remote: Arc<Remote>,
    task: JoinHandle<()>,
}

impl Handle {
    /// What others may see and send.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote::clone(&self.remote)
    }

    /// Stops the plugin as its author expects it (`onStop` last) and waits for it.
    pub async fn stop(self) {
        // A full inbox is worked off first; a closed one has ended already.
        let _ = self.remote.commands.send(Command::Stop).await;
        if let Err(error) = self.task.await {
            tracing::error!(name = self.remote.spec.name, %error, "an instance's actor failed");
        }
    }
}

/// Starts the actor of an instance.
#[must_use]
pub fn start(services: Services, spec: Spec) -> Handle {
    let spec = Arc::new(spec);
    let counters = Arc::<Counters>::default();
    let capacity = usize::try_from(spec.limits.inbox).unwrap_or(usize::MAX);
    let (commands, receiver) = mpsc::channel(capacity.max(1));
    let log = PluginLog::with_levels(
        services.events.clone(),
        &spec.name,
        &spec.limits,
        spec.log_level,
    );
    let instances = services.instances.clone();
    // At once: all the rest can be done beside it.
    let looking = setup::look(&spec, &services.code, &log);
    let supervisor = Supervisor {
        services,
        log: log.clone(),
        spec: Arc::clone(&spec),
        counters: Arc::clone(&counters),
    };
    let task = tokio::spawn(supervisor.run(receiver, looking));
    let remote = Arc::new(Remote {
        spec,
        counters,
        log,
        commands,
        waiting: Arc::default(),
    });
    instances.add(&remote);
    Handle { remote, task }
}

struct Supervisor {
    services: Services,
    log: PluginLog,
    spec: Arc<Spec>,
    counters: Arc<Counters>,
}

impl Supervisor {
    async fn run(self, mut commands: mpsc::Receiver<Command>, looking: Looking) {
        let mut failures = 0_u64;
        let log = self.log.clone();
        let mut first = Some(looking);
        loop {
            let again = || setup::look(&self.spec, &self.services.code, &log);
            let looking = first.take().unwrap_or_else(again);
            self.counters.set(Status::Starting);
            let begun = Instant::now();
            let reason = match self.live(&log, &mut commands, looking).await {
                Ok(Ending::Stopped) => break,
                Ok(Ending::Restart) => {
                    failures = 0;
                    continue;
                }
                Ok(Ending::Halted) => {
                    if self.rest(&mut commands, Status::Stopped).await {
                        continue;
                    }
                    break;
                }
                Ok(Ending::Failed(
                    failure @ (InstanceFailure::StartFailed | InstanceFailure::Declined(_)),
                )) => {
                    if self.leave_off(&log, &mut commands, &failure).await {
                        continue;
                    }
                    break;
                }
                Ok(Ending::Failed(failure)) => {
                    log.hub(Level::Error, &failure.to_string());
                    failure.to_string()
                }
                Err(error) => {
                    log.hub(Level::Error, &error.to_string());
                    error.to_string()
                }
            };
            self.counters.failed();
            failures = if begun.elapsed() >= HEALTHY {
                1
            } else {
                failures + 1
            };
            if failures >= self.spec.limits.restarts {
                if self.park(&log, &mut commands, reason, failures).await {
                    failures = 0;
                    continue;
                }
                break;
            }
            if !self.pause(&log, &mut commands, reason, failures).await {
                break;
            }
        }
        self.counters.set(Status::Stopped);
    }

    /// Waits before the next start; false when told to stop meanwhile.
    async fn pause(
        &self,
        log: &PluginLog,
        commands: &mut mpsc::Receiver<Command>,
        reason: String,
        failures: u64,
    ) -> bool {
        let doublings = u32::try_from(failures.saturating_sub(1))
            .unwrap_or(u32::MAX)
            .min(16);
        let pause = FIRST_PAUSE
            .saturating_mul(1 << doublings)
            .min(LONGEST_PAUSE);
        log.hub(
            Level::Error,
            &format!("the plugin is started again in {} s", pause.as_secs()),
        );
        self.counters.set(Status::Restarting { reason });
        let wake = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(wake) => return true,
                command = commands.recv() => match command {
                    None | Some(Command::Stop) => return false,
                    Some(Command::Halt) => return self.rest(commands, Status::Stopped).await,
                    Some(Command::Restart) => return true,
                    // Events for a plugin that is not there are lost, as when it is off.
                    Some(Command::Deliver(_) | Command::Call(_)) => {}
                },
            }
        }
    }

    /// Waits until told to start again; false when told to stop for good.
    async fn rest(&self, commands: &mut mpsc::Receiver<Command>, status: Status) -> bool {
        self.counters.set(status);
        loop {
            match commands.recv().await {
                None | Some(Command::Stop) => return false,
                Some(Command::Restart) => return true,
                Some(Command::Deliver(_) | Command::Call(_) | Command::Halt) => {}
            }
        }
    }

    /// Behaviour spec 2.2: what could not be imported is not tried again. Python has
    /// told the reason already.
    async fn leave_off(
        &self,
        log: &PluginLog,
        commands: &mut mpsc::Receiver<Command>,
        failure: &InstanceFailure,
    ) -> bool {
        self.counters.failed();
        log.hub(
            Level::Error,
            "the plugin stays off until the hub is restarted",
        );
        let reason = failure.to_string();
        self.rest(commands, Status::Parked { reason }).await
    }

    async fn park(
        &self,
        log: &PluginLog,
        commands: &mut mpsc::Receiver<Command>,
        reason: String,
        failures: u64,
    ) -> bool {
        let hit = Limits::hit("restarts", failures, self.spec.limits.restarts);
        log.hub(
            Level::Error,
            &format!(
                "the plugin is parked until the hub is restarted; last reason: {reason}; {hit}"
            ),
        );
        self.rest(commands, Status::Parked { reason }).await
    }

    async fn live(
        &self,
        log: &PluginLog,
        commands: &mut mpsc::Receiver<Command>,
        looking: Looking,
    ) -> Result<Ending, EngineError> {
        let limits = &self.spec.limits;
        let (threads, spawned) = Threads::new(limits.threads);
        let (sender, events) = mpsc::channel(EVENT_QUEUE);
        let pinger = Arc::new(Pinger::new(Arc::clone(&self.spec.network), limits));
        let reach = Reach {
            network: Arc::clone(&self.spec.network),
            serial: Arc::clone(&self.spec.serial),
            pinger: Arc::clone(&pinger),
        };
        let connections = Connections::new(
            reach,
            connection_limits(limits),
            self.spec.credentials.clone(),
            Arc::clone(&self.spec.tls),
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
            Ports::new(&self.spec, log, pinger),
            Domoticz {
                key: self.spec.key.clone(),
                images: self.services.images.through(&store),
                house: self.services.house.through(&store),
            },
            self.spec.indigo.clone(),
        ));
        self.services.devices.forget_timed_out(self.spec.hardware);
        let settings = self.services.preferences.settings().await;
        let life = Life {
            spec: &self.spec,
            shared,
            meter: Meter::new(limits, Arc::clone(&self.spec.account)),
            counters: &self.counters,
            code: self.services.code.clone(),
            settings: settings.map_err(|error| EngineError::Store(error.to_string()))?,
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
        resolve_timeout: ConnectionLimits::RESOLVE_TIMEOUT,
        handshake_timeout: ConnectionLimits::HANDSHAKE_TIMEOUT,
    }
}

/// What connections have to say goes into the plugin's log, within its rate.
fn sink(log: PluginLog) -> LogSink {
    Arc::new(move |level, origin, text| {
        let level = match level {
            LogLevel::Normal => Level::Normal,
            LogLevel::Error => Level::Error,
        };
        log.plugin(origin == LogOrigin::Core, level, &text);
    })
}
