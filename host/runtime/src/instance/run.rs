//! One life of the component: from instantiation to the drop of its store.
//!
//! The loop takes one thing at a time: a stop, a request of the plugin, a
//! heartbeat, an event. Every call has a deadline. Threads of the plugin run
//! beside the loop, as tasks of the same store.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use wasmtime::component::{Accessor, HasSelf};
use wasmtime::{PoolConcurrencyLimitError, Store};

use crate::abi::exports::cordon::plugin::guest::{self, Outcome};
use crate::capability::files;
use crate::capability::memory;
use crate::code_cache::CodeCache;
use crate::compiled;
use crate::engine::Engine;
use crate::framework::{Event, Lifecycle};
use crate::instance::Spec;
use crate::instance::counters::Counters;
use crate::instance::guest::{Guest, TIMES, failure};
use crate::instance::meter::Meter;
use crate::instance::metered::Metered;
use crate::instance::orders::{Asked, Order, Orders};
use crate::instance::setup::{Found, Looked, Looking};
use crate::instance::state::{InstanceState, Shared};
use crate::tls::Tls;
use cordon_base::error::{EngineError, InstanceFailure};
use cordon_base::log::Level;
use cordon_reach::socket::Sockets;

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
    /// The framework's part of the life.
    pub cycle: Box<dyn Lifecycle>,
    /// The task that examines the instance's folders.
    pub looking: Looking,
    /// The findings of that task, until the plugin has them.
    pub found: Found,
    /// How the life was told to end, once it was.
    pub told: Option<Ending>,
    /// Events from outside.
    pub inbox: &'a mut mpsc::Receiver<Event>,
}

impl Life<'_> {
    /// Runs the life to its end; `spawned` gives the threads that are to be run.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when the component cannot even be instantiated.
    pub async fn run(
        mut self,
        engine: &Engine,
        spawned: mpsc::UnboundedReceiver<u32>,
    ) -> Result<Ending, EngineError> {
        let meter = Arc::clone(&self.meter);
        let mut store = self.store(engine);
        let future = async {
            let linked = engine.linked(&*self.spec.framework)?;
            let made = linked.instantiate(&mut store).await;
            let (instance, exports) = made.map_err(not_made)?;
            self.cycle.load(&mut store, &instance).map_err(not_made)?;
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
                    let mut living = std::pin::pin!(self.live(hub, exports, spawned));
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
                    Some(match failure(&error, &self.spec.limits) {
                        InstanceFailure::Limit(hit) if TIMES.contains(&hit.which) => {
                            meter.late(hit)
                        }
                        other => other,
                    })
                }
            })
        };
        let failed = match Metered::new(Arc::clone(&meter), future).await {
            Ok(lived) => lived?,
            Err(hit) => Some(meter.late(hit)),
        };
        if let Some(failure) = &failed {
            self.counters.broke(&meter.callback(), &failure.to_string());
        }
        Ok(self.ending(failed))
    }

    /// How the life ended. A failure after the order to end is told, and changes nothing about the
    /// end.
    fn ending(&mut self, failed: Option<InstanceFailure>) -> Ending {
        match (self.told.take(), failed) {
            (Some(ending), Some(failure)) => {
                self.counters.failed();
                let line = self.shared.log.origin().failure(&failure);
                self.shared.log.hub(Level::Error, &line);
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
        let tls = Tls::new(limits, self.spec.keys.clone(), account);
        state.tls = tls.with_origin(self.shared.log.origin());
        let legacy = self.spec.network.legacy_hosts();
        state.tls.allow_legacy(legacy);
        if !legacy.is_empty() {
            let line = "grant legacy-tls: connections to these devices may use algorithms that are \
                        broken; take nothing that goes over them for secret";
            self.shared.log.hub(Level::Status, line);
        }
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
        self.counters.measured(Arc::downgrade(&looked.quota));
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
        exports: guest::Guest,
        spawned: mpsc::UnboundedReceiver<u32>,
    ) -> Result<(), InstanceFailure> {
        self.counters.begun();
        let hub = &hub.with_getter::<HasSelf<InstanceState>>(|state| state);
        let figures = (Arc::clone(&self.meter), self.counters);
        let shared = Arc::clone(&self.shared);
        let guest = &mut Guest::new(hub, exports, self.spec, shared, figures, spawned);
        // A life that compiles the plugin writes to many pages that no later life writes to.
        let compiled = self.found.code.is_some();
        let setup = self.setup();
        if guest.start(setup).await? == Outcome::Raised {
            // The plugin knows no folder of this machine, and its words name none.
            let root = self.spec.framework.root(&self.spec.folders);
            let line = format!(
                "the plugin's folder is {root:?}: `cordon check {root:?}` says what it needs, and \
                 `cordon install {root:?}` puts the packages of its requirements.txt beside it"
            );
            self.shared.log.hub(Level::Error, &line);
            return Err(InstanceFailure::StartFailed);
        }
        self.cycle.begin(guest).await?;
        hub.with(|mut access| {
            let state = access.get();
            let parts = std::mem::take(&mut state.parts);
            if compiled {
                state.hot_pages.learn(&parts);
            }
        });
        self.meter.give_place();
        self.counters.started();
        self.told = Some(self.serve(guest).await?);
        self.meter.stopping();
        self.cycle.end(guest).await
    }

    /// The main loop; returns when told to stop.
    async fn serve(&mut self, guest: &mut Guest<'_>) -> Result<Ending, InstanceFailure> {
        let mut beat = Instant::now() + self.cycle.interval();
        loop {
            // However much waits, an order comes first.
            if let Some(order) = self.orders.take() {
                return Ok(self.obey(order));
            }
            if self.cycle.settle() {
                beat = beat.min(Instant::now() + self.cycle.interval());
            }
            tokio::select! {
                order = self.orders.next() => return Ok(self.obey(order)),
                event = self.inbox.recv() => match event {
                    None => return Ok(Ending::Stopped),
                    Some(event) => self.cycle.deliver(guest, event).await?,
                },
                () = self.cycle.occurs() => self.cycle.attend(guest).await?,
                () = sleep_until(beat) => {
                    // The next heartbeat counts from when this one was due, but heartbeats never
                    // pile up.
                    self.counters.lateness.record(beat.elapsed());
                    beat = Instant::now() + self.cycle.interval();
                    self.cycle.beat(guest).await?;
                }
                id = guest.spawned() => guest.run_thread(id)?,
            }
        }
    }

    /// Ends the life for this order: from here on the supervisor counts the time.
    fn obey(&self, order: Order) -> Ending {
        self.orders.obey(order);
        order.into()
    }
}

/// Why a component was not made.
fn not_made(error: wasmtime::Error) -> EngineError {
    if error.is::<PoolConcurrencyLimitError>() {
        return EngineError::NoRoom;
    }
    EngineError::Wasm(format!("{error:#}"))
}
