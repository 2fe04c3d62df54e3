//! One life of the component: from instantiation to the drop of its store.
//!
//! The loop takes one thing at a time: a stop, a request of the plugin, a
//! heartbeat, an event. Every call has a deadline. Threads of the plugin run
//! beside the loop, as tasks of the same store.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wasmtime::component::{Accessor, AccessorTask, HasSelf};
use wasmtime::{PoolConcurrencyLimitError, Store};

use crate::abi::Plugin;
use crate::abi::exports::cordon::plugin::domoticz::Event;
use crate::abi::exports::cordon::plugin::guest::Outcome;
use crate::capability::files;
use crate::capability::memory;
use crate::code_cache::CodeCache;
use crate::compiled;
use crate::engine::Engine;
use crate::instance::Spec;
use crate::instance::convert;
use crate::instance::counters::Counters;
use crate::instance::indigo::FLUSH;
use crate::instance::meter::Meter;
use crate::instance::metered::Metered;
use crate::instance::orders::{Order, Orders};
use crate::instance::setup::{Found, Looked, Looking};
use crate::instance::state::{InstanceState, Shared};
use crate::tls::Tls;
use cordon_base::account::Charge;
use cordon_base::error::{EngineError, InstanceFailure, LimitHit};
use cordon_base::limits::Limits;
use cordon_base::log::Level;
use cordon_domoticz::HubEvent;
use cordon_domoticz::connection::{ConnectionEvent, Connections};
use cordon_indigo::Call;
use cordon_indigo::plugin::Asked;
use cordon_reach::socket::Sockets;

pub(super) type Hub = Accessor<InstanceState, HasSelf<InstanceState>>;

/// How long threads may take to end after `onStop` (behaviour spec 2.4: ten
/// waits of one second, each with a line).
const THREAD_GRACE: u32 = 10;

/// How long threads may take to end before the log mentions them.
const THREAD_EXIT: Duration = Duration::from_millis(200);

/// How long connections may take to give their last events when stopping.
const DISCONNECT_GRACE: Duration = Duration::from_secs(5);

/// An entry of the inbox of an instance.
pub enum Command {
    /// Deliver an event, when its turn comes; the charge for it is held until then.
    Deliver(HubEvent, Charge),
    /// Call a function of an Indigo plugin, when its turn comes.
    Call(Call),
}

/// How a life ended.
pub enum Ending {
    /// The life was told to stop and did.
    Stopped,
    /// The life was told to start again.
    Restart(Asked),
    /// The life was told to stop until it is told to start again.
    Halted,
    /// The life failed; the reason has not been logged yet.
    Failed(InstanceFailure),
    /// The life has not begun: its packages are to be compiled first.
    Unprepared(compiled::Sought),
}

impl From<Order> for Ending {
    fn from(order: Order) -> Self {
        match order {
            Order::Stop => Self::Stopped,
            Order::Halt => Self::Halted,
            Order::Restart(asked) => Self::Restart(asked),
        }
    }
}

/// Everything one life works with.
pub struct Life<'a> {
    /// The parts that the instance is made from.
    pub spec: &'a Spec,
    /// The instance's shared state, made for this life.
    pub shared: Arc<Shared>,
    /// The instance's computing time, which outlives the life.
    pub meter: Arc<Meter>,
    /// Figures that outlive the life.
    pub counters: &'a Counters,
    /// Orders, which go before everything that waits.
    pub orders: &'a Orders,
    /// Compiled code of earlier starts.
    pub code: CodeCache,
    /// `Settings` at the start.
    pub settings: Vec<(String, String)>,
    /// The task that examines the instance's folders.
    pub looking: Looking,
    /// The findings of that task, until the plugin has them.
    pub found: Found,
    /// How the life was told to end, once it was.
    pub told: Option<Ending>,
    /// Commands from outside.
    pub commands: &'a mut mpsc::Receiver<Command>,
    /// The connections of this life.
    pub connections: Connections,
    /// Events of these connections.
    pub events: mpsc::Receiver<ConnectionEvent>,
    /// Threads to be run.
    pub spawned: mpsc::UnboundedReceiver<u32>,
}

impl Life<'_> {
    /// Runs the life to its end.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the component cannot even be instantiated.
    pub async fn run(mut self, engine: &Engine) -> Result<Ending, EngineError> {
        let meter = Arc::clone(&self.meter);
        let mut store = self.store(engine);
        let future = async {
            let plugin = engine.plugin().instantiate_async(&mut store);
            let plugin = plugin.await.map_err(not_made)?;
            // Everything that the life waits for from here on is bounded as in a callback.
            self.meter.enter_callback();
            // The component was made while the folders were examined.
            let looked = (&mut self.looking).await;
            let looked = looked
                .map_err(|error| EngineError::io("cannot look into the folders", error.into()))??;
            if let Some(missing) = self.take(looked, store.data_mut()).await {
                self.told = Some(Ending::Unprepared(missing));
                return Ok(None);
            }
            let lived = store
                .run_concurrent(async |hub| {
                    let mut living = std::pin::pin!(self.live(hub, &plugin));
                    std::future::poll_fn(|context| {
                        meter.attend();
                        living.as_mut().poll(context)
                    })
                    .await
                })
                .await;
            Ok::<_, EngineError>(match lived {
                Ok(lived) => lived.err(),
                Err(error) => {
                    tracing::debug!(?error, "a life ended");
                    Some(failure(&error, &self.spec.limits))
                }
            })
        };
        let failed = match Metered::new(Arc::clone(&meter), future).await {
            Ok(lived) => lived?,
            Err(hit) => Some(hit.into()),
        };
        Ok(self.ending(failed))
    }

    /// How the life ended. A failure after the order to end is told, and changes nothing about the
    /// end.
    fn ending(&mut self, failed: Option<InstanceFailure>) -> Ending {
        match (self.told.take(), failed) {
            (Some(ending), Some(failure)) => {
                self.counters.failed();
                self.shared.log.hub(Level::Error, &failure.to_string());
                ending
            }
            (Some(ending), None) => ending,
            (None, Some(failure)) => Ending::Failed(failure),
            (None, None) => Ending::Stopped,
        }
    }

    fn store(&self, engine: &Engine) -> Store<InstanceState> {
        let limits = &self.spec.limits;
        let mut state = InstanceState::new(
            Arc::clone(&self.shared),
            Arc::clone(&self.meter),
            Sockets::new(
                self.shared.ports.reach.clone(),
                limits,
                self.shared.log.clone(),
            ),
            files::wasi(limits.random_bytes),
        );
        state.hot_pages = engine.hot_pages().of(&self.spec.key);
        let account = Arc::clone(&self.spec.account);
        state.tls = Tls::new(limits, self.spec.keys.clone(), account);
        let mut store = Store::new(engine.wasmtime(), state);
        store.limiter(|state| state);
        // In force when the runtime has shown its memory, before any plugin's line.
        let call_bytes = usize::try_from(limits.call_bytes).unwrap_or(usize::MAX);
        store.set_hostcall_fuel(call_bytes.max(memory::PART));
        self.meter.attach(&mut store);
        store
    }

    /// Takes the findings about the folders, and gives the component its view of them. Returns the
    /// packages if they are to be compiled first.
    async fn take(
        &mut self,
        looked: Looked,
        state: &mut InstanceState,
    ) -> Option<compiled::Sought> {
        if looked.packages.is_some() {
            return looked.packages;
        }
        state.quota = looked.quota;
        state.tree = looked.tree;
        self.found = looked.found;
        let (pool, account) = (&self.shared.pools.files, &self.spec.account);
        let main_file = self.spec.main_file();
        let settled = self.code.settle(looked.code, &main_file, pool, account);
        let (code, compilation) = settled.await;
        self.found.code = code;
        state.compilation = Some(compilation);
        None
    }

    async fn live(
        &mut self,
        hub: &Accessor<InstanceState>,
        plugin: &Plugin,
    ) -> Result<(), InstanceFailure> {
        let hub = &hub.with_getter::<HasSelf<InstanceState>>(|state| state);
        let indigo = self.spec.indigo.as_ref();
        if let Some(link) = indigo {
            link.plugin.reset();
        }
        // A life that compiles the plugin writes to many pages that no later life writes to.
        let compiled = self.found.code.is_some();
        if self.start(hub, plugin).await? == Outcome::Raised {
            return Err(InstanceFailure::StartFailed);
        }
        match indigo {
            Some(link) => self.begin(hub, plugin, link).await?,
            None => drop(self.deliver(hub, plugin, Event::Started).await?),
        }
        hub.with(|mut access| {
            let state = access.get();
            let parts = std::mem::take(&mut state.parts);
            if compiled {
                state.hot_pages.learn(&parts);
            }
        });
        self.meter.give_place();
        self.counters.started();
        self.told = Some(self.serve(hub, plugin).await?);
        self.stop(hub, plugin).await
    }

    /// The main loop; returns when told to stop.
    async fn serve(&mut self, hub: &Hub, plugin: &Plugin) -> Result<Ending, InstanceFailure> {
        let mut beat = Instant::now() + self.interval();
        loop {
            // However much waits, an order comes first.
            if let Some(order) = self.orders.take() {
                return Ok(self.obey(order));
            }
            self.carry_out_requests();
            if self.shared.settle_heartbeat() {
                beat = beat.min(Instant::now() + self.interval());
            }
            tokio::select! {
                order = self.orders.next() => return Ok(self.obey(order)),
                command = self.commands.recv() => match command {
                    None => return Ok(Ending::Stopped),
                    Some(Command::Deliver(event, charge)) => {
                        self.deliver(hub, plugin, event.into()).await?;
                        drop(charge);
                    }
                    Some(Command::Call(call)) => self.answer(hub, plugin, call).await?,
                },
                Some(event) = self.events.recv() => {
                    let (event, credit) = convert::connection(event);
                    self.deliver(hub, plugin, event).await?;
                    drop(credit);
                }
                () = sleep_until(beat) => {
                    // The next heartbeat counts from when this one was due, but heartbeats never
                    // pile up.
                    self.counters.lateness.record(beat.elapsed());
                    beat = Instant::now() + self.interval();
                    match self.spec.indigo {
                        Some(_) => self.flush(hub, plugin).await?,
                        None => drop(self.deliver(hub, plugin, Event::Heartbeat).await?),
                    }
                }
                Some(id) = self.spawned.recv() => self.run_thread(hub, plugin, id)?,
                () = self.shared.requested.notified() => {}
            }
        }
    }

    /// Ends the life for this order: from here on the supervisor counts the time.
    fn obey(&self, order: Order) -> Ending {
        self.orders.obey(order);
        order.into()
    }

    fn interval(&self) -> Duration {
        match self.spec.indigo {
            Some(_) => FLUSH,
            None => Duration::from_secs(u64::from(self.shared.heartbeat())),
        }
    }

    fn carry_out_requests(&mut self) {
        for request in self.shared.take_requests() {
            self.connections.carry_out(request);
        }
    }

    /// Stops as behaviour spec 2.4 says: connections first, `onStop` last, then the threads.
    async fn stop(&mut self, hub: &Hub, plugin: &Plugin) -> Result<(), InstanceFailure> {
        self.shared.stop();
        self.connections.shutdown();
        let grace = Instant::now() + DISCONNECT_GRACE;
        while self.connections.open() > 0 {
            tokio::select! {
                Some(event) = self.events.recv() => {
                    let (event, _credit) = convert::connection(event);
                    self.deliver(hub, plugin, event).await?;
                }
                () = sleep_until(grace) => break,
            }
        }
        while let Ok(event) = self.events.try_recv() {
            let (event, _credit) = convert::connection(event);
            self.deliver(hub, plugin, event).await?;
        }
        match &self.spec.indigo {
            Some(link) => return self.end(hub, plugin, link).await,
            None => drop(self.deliver(hub, plugin, Event::Stopping).await?),
        }
        // A thread that Python has joined is still on its way out of the component.
        self.wait_for_threads(hub, plugin, THREAD_EXIT).await?;
        for second in 1..=THREAD_GRACE {
            let alive = self.shared.threads.alive();
            if alive == 0 {
                return Ok(());
            }
            let line = format!(
                "{alive} threads still run after onStop, {second} of {THREAD_GRACE} s waited"
            );
            self.shared.log.hub(Level::Error, &line);
            self.wait_for_threads(hub, plugin, Duration::from_secs(1))
                .await?;
        }
        let line = "threads still run, the plugin is ended with them";
        self.shared.log.hub(Level::Error, line);
        Ok(())
    }

    /// Waits this long, or less when the last thread ends before.
    pub(super) async fn wait_for_threads(
        &mut self,
        hub: &Hub,
        plugin: &Plugin,
        at_most: Duration,
    ) -> Result<(), InstanceFailure> {
        let end = Instant::now() + at_most;
        while Instant::now() < end && self.shared.threads.alive() > 0 {
            let look = Instant::now() + Duration::from_millis(20);
            tokio::select! {
                Some(id) = self.spawned.recv() => self.run_thread(hub, plugin, id)?,
                () = sleep_until(look) => {}
            }
        }
        Ok(())
    }

    async fn start(&mut self, hub: &Hub, plugin: &Plugin) -> Result<Outcome, InstanceFailure> {
        let setup = self.setup();
        let call = plugin.cordon_plugin_guest();
        self.call(hub, plugin, "import", call.call_start(hub, setup))
            .await
    }

    async fn deliver(
        &mut self,
        hub: &Hub,
        plugin: &Plugin,
        event: Event,
    ) -> Result<Outcome, InstanceFailure> {
        let name = convert::callback(&event);
        let domoticz = plugin.cordon_plugin_domoticz();
        let begun = Instant::now();
        let outcome = self
            .call(hub, plugin, name, domoticz.call_deliver(hub, event))
            .await?;
        self.counters.delivered(outcome, begun.elapsed());
        Ok(outcome)
    }

    /// Makes one call, under the eyes of the meter, while new threads are started beside it.
    pub(super) async fn call(
        &mut self,
        hub: &Hub,
        plugin: &Plugin,
        name: &str,
        call: impl Future<Output = wasmtime::Result<Outcome>>,
    ) -> Result<Outcome, InstanceFailure> {
        self.meter.enter_callback();
        let mut call = std::pin::pin!(call);
        let begun = Instant::now();
        let most = self.spec.limits.stop_wall;
        // Whoever stops a plugin waits for it, so a callback has less time then.
        let is_stopping = self.told.is_some();
        let ended = loop {
            tokio::select! {
                ended = &mut call => break ended,
                Some(id) = self.spawned.recv() => self.run_thread(hub, plugin, id)?,
                () = sleep_until(begun + Duration::from_millis(most)), if is_stopping => {
                    let used = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
                    return Err(Limits::hit("stop-wall", used.max(most), most).into());
                }
            }
        };
        self.meter.leave_callback();
        hub.with(|mut store| store.get().close_folders());
        ended.map_err(|error| {
            tracing::debug!(callback = name, ?error, "a call failed");
            failure(&error, &self.spec.limits)
        })
    }

    fn run_thread(&self, hub: &Hub, plugin: &Plugin, id: u32) -> Result<(), InstanceFailure> {
        let guest = plugin.cordon_plugin_guest();
        let task = Thread {
            id,
            call: guest.func_run_thread(),
            shared: Arc::clone(&self.shared),
        };
        hub.spawn(task)
            .map(drop)
            .map_err(|error| failure(&error, &self.spec.limits))
    }
}

/// A Python thread: one call that lasts as long as the thread.
struct Thread {
    id: u32,
    call: wasmtime::component::TypedFunc<(u32,), ()>,
    shared: Arc<Shared>,
}

impl AccessorTask<InstanceState, HasSelf<InstanceState>> for Thread {
    async fn run(self, hub: &Hub) -> wasmtime::Result<()> {
        let ended = self.call.call_concurrent(hub, (self.id,)).await;
        self.shared.threads.ended(self.id);
        ended
    }
}

/// Why a component was not made.
fn not_made(error: wasmtime::Error) -> EngineError {
    if error.is::<PoolConcurrencyLimitError>() {
        return EngineError::NoRoom;
    }
    EngineError::Wasm(format!("{error:#}"))
}

/// wasmtime's words when a call copies more than the store's hostcall fuel; the type of that error
/// is private, and the words are all it gives.
const CALL_TOO_LARGE: &str = "fuel allocated for hostcalls has been exhausted";

/// Tells whose fault an error from the component is.
fn failure(error: &wasmtime::Error, limits: &Limits) -> InstanceFailure {
    if let Some(hit) = error.downcast_ref::<LimitHit>() {
        return hit.clone().into();
    }
    if let Some(wasmtime::Trap::StackOverflow) = error.downcast_ref::<wasmtime::Trap>() {
        let limit = Limits::default().wasm_stack;
        return Limits::hit("wasm-stack", limit, limit).into();
    }
    if error.downcast_ref::<wasmtime_wasi::I32Exit>().is_some() {
        return InstanceFailure::Exited;
    }
    // The cause alone: the errors around it are the backtrace of the runtime, which means nothing
    // to the author of a plugin.
    let cause = error.root_cause().to_string();
    if cause.contains(CALL_TOO_LARGE) {
        // The size that the call wanted is not known: more than it may.
        let limit = limits.call_bytes;
        return Limits::hit("call-bytes", limit.saturating_add(1), limit).into();
    }
    InstanceFailure::Trap(cause)
}
