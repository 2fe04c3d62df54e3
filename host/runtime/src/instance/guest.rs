//! Calls of the component: the way in which a framework reaches its plugin.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep_until;
use wasmtime::component::{Accessor, AccessorTask, HasSelf};

use crate::abi::exports::cordon::plugin::guest::{self, Outcome, Setup};
use crate::instance::Spec;
use crate::instance::counters::Counters;
use crate::instance::meter::Meter;
use crate::instance::state::{InstanceState, Shared};
use cordon_base::account::Charge;
use cordon_base::error::{InstanceFailure, LimitHit};
use cordon_base::limits::Limits;

/// The component's store, for calls that run beside one another.
pub type Hub = Accessor<InstanceState, HasSelf<InstanceState>>;

/// Limits on the time of a callback.
pub(super) const TIMES: [&str; 3] = ["callback-cpu", "callback-wall", "stop-wall"];

/// How often threads that are waited for are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// The component of one life. Calls are made one at a time; each has a deadline, and threads of
/// the plugin run beside it.
pub struct Guest<'a> {
    hub: &'a Hub,
    exports: guest::Guest,
    spec: &'a Spec,
    shared: Arc<Shared>,
    meter: Arc<Meter>,
    counters: &'a Counters,
    /// Threads to be run.
    spawned: mpsc::UnboundedReceiver<u32>,
}

/// The end of a call of a function of the plugin.
pub struct Returned {
    /// How the call ended.
    pub outcome: Outcome,
    /// The value that the function returned, as JSON, and the charge for it.
    pub reply: Option<(String, Charge)>,
}

impl<'a> Guest<'a> {
    pub(super) fn new(
        hub: &'a Hub,
        exports: guest::Guest,
        spec: &'a Spec,
        shared: Arc<Shared>,
        (meter, counters): (Arc<Meter>, &'a Counters),
        spawned: mpsc::UnboundedReceiver<u32>,
    ) -> Self {
        Self {
            hub,
            exports,
            spec,
            shared,
            meter,
            counters,
            spawned,
        }
    }

    /// The component's store.
    #[must_use]
    pub fn hub(&self) -> &'a Hub {
        self.hub
    }

    /// The parts that the instance is made from.
    #[must_use]
    pub fn spec(&self) -> &'a Spec {
        self.spec
    }

    /// The data that the instance's parts share.
    #[must_use]
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Imports the plugin.
    pub(super) async fn start(&mut self, setup: Setup) -> Result<Outcome, InstanceFailure> {
        // The exports are handles that cost nothing to copy.
        let exports = self.exports.clone();
        let call = exports.call_start(self.hub, setup);
        let outcome = self.made("import", call).await?;
        self.note("import", outcome);
        Ok(outcome)
    }

    /// Makes a call of one of the framework's own exports, and counts it. `name` is the callback,
    /// for logs and limits.
    ///
    /// # Errors
    ///
    /// [`InstanceFailure`] when the life is over: a trap, or a limit of the ending kind.
    pub async fn call(
        &mut self,
        name: &str,
        call: impl Future<Output = wasmtime::Result<Outcome>> + Send,
    ) -> Result<Outcome, InstanceFailure> {
        let begun = Instant::now();
        let outcome = self.made(name, call).await?;
        self.note(name, outcome);
        self.counters.delivered(name, outcome, begun.elapsed());
        Ok(outcome)
    }

    /// Notes an exception, for whoever asks what is wrong with the plugin.
    fn note(&self, name: &str, outcome: Outcome) {
        if outcome == Outcome::Raised {
            let line = self.spec.log.notes().last_error();
            self.counters.raised(name, line);
        }
    }

    /// Calls a function of the plugin by its name; `arguments` is a JSON object.
    ///
    /// # Errors
    ///
    /// As [`Self::call`].
    pub async fn function(
        &mut self,
        name: &str,
        arguments: &str,
    ) -> Result<Returned, InstanceFailure> {
        let hub = self.hub;
        hub.with(|mut access| access.get().reply = None);
        let exports = self.exports.clone();
        let call = exports.call_call(hub, name.to_owned(), arguments.to_owned());
        let outcome = self.call(name, call).await?;
        let reply = hub.with(|mut access| access.get().reply.take());
        Ok(Returned { outcome, reply })
    }

    /// Makes one call, under the eyes of the meter, while new threads are started beside it.
    async fn made(
        &mut self,
        name: &str,
        call: impl Future<Output = wasmtime::Result<Outcome>> + Send,
    ) -> Result<Outcome, InstanceFailure> {
        self.meter.enter_callback();
        self.meter.name_callback(name);
        let mut call = std::pin::pin!(call);
        let ended = loop {
            tokio::select! {
                ended = &mut call => break ended,
                Some(id) = self.spawned.recv() => self.run_thread(id)?,
            }
        };
        self.meter.leave_callback();
        if ended.is_ok() {
            self.meter.name_callback("");
        }
        self.hub.with(|mut store| store.get().close_folders());
        ended.map_err(|error| {
            tracing::debug!(callback = name, ?error, "a call failed");
            failure(&error, &self.spec.limits)
        })
    }

    /// The next thread to be run; waits for ever when there is none.
    pub(super) async fn spawned(&mut self) -> u32 {
        match self.spawned.recv().await {
            Some(id) => id,
            None => std::future::pending().await,
        }
    }

    /// Starts a thread of the plugin beside the calls.
    pub(super) fn run_thread(&self, id: u32) -> Result<(), InstanceFailure> {
        let task = Thread {
            id,
            call: self.exports.func_run_thread(),
            shared: Arc::clone(&self.shared),
        };
        self.hub
            .spawn(task)
            .map(drop)
            .map_err(|error| failure(&error, &self.spec.limits))
    }

    /// Waits this long, or less when the last thread ends before.
    ///
    /// # Errors
    ///
    /// [`InstanceFailure`] when a thread cannot be started.
    pub async fn wait_for_threads(&mut self, at_most: Duration) -> Result<(), InstanceFailure> {
        let end = tokio::time::Instant::now() + at_most;
        while tokio::time::Instant::now() < end && self.shared.threads.alive() > 0 {
            let look = tokio::time::Instant::now() + LOOK;
            tokio::select! {
                Some(id) = self.spawned.recv() => self.run_thread(id)?,
                () = sleep_until(look) => {}
            }
        }
        Ok(())
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

/// wasmtime's words when a call copies more than the store's hostcall fuel; the type of that error
/// is private, and the words are all it gives.
const CALL_TOO_LARGE: &str = "fuel allocated for hostcalls has been exhausted";

/// Tells whose fault an error from the component is.
pub(super) fn failure(error: &wasmtime::Error, limits: &Limits) -> InstanceFailure {
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
