//! The data that the host functions of one instance work on.
//!
//! [`InstanceState`] is the data of the store and dies with it; [`Shared`] is common to host
//! functions, the instance's loop and the web API.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::capability::files::{OWN_HANDLES, Quota, Tree, Worker};
use crate::code_cache::Compilation;
use crate::engine::hot_pages::{HotPages, Part};
use crate::instance::indigo::Link;
use crate::instance::meter::Meter;
use crate::instance::ports::Ports;
use crate::instance::threads::Threads;
use crate::tls::Tls;
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pools;
use cordon_domoticz::connection::{ConnectionId, Request, StatusBoard};
use cordon_domoticz::image::Images;
use cordon_domoticz::{DeviceLimits, DeviceTable, House};
use cordon_reach::socket::Sockets;
use cordon_store::Store;

/// Default heartbeat interval in seconds (behaviour spec 8.3).
const HEARTBEAT: u32 = 10;

/// Largest table. The guest's are fixed when it is linked; its function table has
/// some ten thousand elements.
pub const TABLE_ELEMENTS: usize = 65_536;

/// Services of the hub for Domoticz plugins.
pub struct Domoticz {
    /// Key of the plugin: its icons have names that start with it.
    pub key: String,
    /// The custom icons.
    pub images: Images,
    /// The security status, and who is notified.
    pub house: House,
    /// Whether the plugin's security panels set the status of the house.
    pub guards: bool,
}

impl Drop for Shared {
    /// A life that ended takes no notifications.
    fn drop(&mut self) {
        self.domoticz.house.notifiers().forget(self.hardware);
    }
}

/// The data that an instance's parts share.
pub struct Shared {
    /// Row id of the hardware.
    pub hardware: u32,
    /// Its log.
    pub log: PluginLog,
    /// Its limits.
    pub limits: Limits,
    /// The memory and time that the hub spends for the instance.
    pub account: Arc<Account>,
    /// The threads that serve all instances in turn.
    pub pools: Pools,
    /// Its threads.
    pub threads: Threads,
    /// Its rows.
    pub devices: DeviceTable,
    /// The store that keeps its configuration.
    pub store: Store,
    /// The states of its connections.
    pub connections: StatusBoard,
    /// Resources of the machine itself that it has open.
    pub ports: Ports,
    /// Its further services of Domoticz.
    pub domoticz: Domoticz,
    /// The server of an Indigo plugin.
    pub indigo: Option<Link>,
    /// Requests that wait for the running callback to return.
    requests: Mutex<VecDeque<Waiting>>,
    /// Rung when a request came while no callback runs.
    pub requested: Notify,
    heartbeat: AtomicU32,
    next_heartbeat: AtomicU32,
    stopping: AtomicBool,
}

impl Shared {
    /// The shared part of a new instance.
    #[must_use]
    #[allow(
        clippy::too_many_arguments,
        reason = "each is a part of its own, and there is one caller"
    )]
    pub fn new(
        hardware: u32,
        log: PluginLog,
        limits: Limits,
        account: Arc<Account>,
        pools: Pools,
        threads: Threads,
        devices: DeviceTable,
        store: Store,
        connections: StatusBoard,
        ports: Ports,
        domoticz: Domoticz,
        indigo: Option<Link>,
    ) -> Self {
        Self {
            hardware,
            log,
            limits,
            account,
            pools,
            threads,
            devices,
            store,
            connections,
            ports,
            domoticz,
            indigo,
            requests: Mutex::default(),
            requested: Notify::new(),
            heartbeat: AtomicU32::new(HEARTBEAT),
            next_heartbeat: AtomicU32::new(HEARTBEAT),
            stopping: AtomicBool::new(false),
        }
    }

    /// Queues a request for after the running callback.
    ///
    /// # Errors
    ///
    /// The `inbox` limit; `connection-buffer` when the request, together with the requests that
    /// wait already, would hold more bytes than the connections may; `host-memory`.
    pub fn request(&self, request: Request) -> Result<(), LimitHit> {
        let Limits {
            inbox,
            connections,
            connection_buffer,
            ..
        } = self.limits;
        let mut requests = self.lock_requests();
        let waiting = u64::try_from(requests.len()).unwrap_or(u64::MAX);
        check("inbox", waiting.saturating_add(1), inbox)?;
        let size = request.size();
        check("connection-buffer", size, connection_buffer)?;
        let held = requests.iter().map(|it| it.request.size()).sum::<u64>();
        let room = connection_buffer.saturating_mul(connections);
        check("connection-buffer", held.saturating_add(size), room)?;
        let charge = self.account.charge(size.saturating_add(REQUEST))?;
        requests.push_back(Waiting {
            request,
            _charge: Some(charge),
        });
        drop(requests);
        self.requested.notify_one();
        Ok(())
    }

    /// Queues a release, which must not be refused because it gives something back. A second
    /// release of the same connection adds nothing.
    pub fn request_release(&self, id: ConnectionId) {
        let mut requests = self.lock_requests();
        let mut last = requests.iter().rev().map(|it| &it.request);
        let last = last.find(|request| request.id() == id);
        if matches!(last, Some(Request::Release { .. })) {
            return;
        }
        requests.push_back(Waiting {
            request: Request::Release { id },
            _charge: None,
        });
        drop(requests);
        self.requested.notify_one();
    }

    /// Whether a request for this connection waits.
    #[must_use]
    pub fn has_request_for(&self, id: ConnectionId) -> bool {
        self.lock_requests().iter().any(|it| it.request.id() == id)
    }

    /// The requests that wait, in order.
    pub fn take_requests(&self) -> impl Iterator<Item = Request> {
        let taken = std::mem::take(&mut *self.lock_requests());
        taken.into_iter().map(|it| it.request)
    }

    fn lock_requests(&self) -> std::sync::MutexGuard<'_, VecDeque<Waiting>> {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The heartbeat interval in force, in seconds.
    #[must_use]
    pub fn heartbeat(&self) -> u32 {
        self.heartbeat.load(Ordering::Relaxed)
    }

    /// Asks for another interval from the end of the callback on; 0 is ignored.
    pub fn set_heartbeat(&self, seconds: u32) {
        if seconds > 0 {
            self.next_heartbeat.store(seconds, Ordering::Relaxed);
        }
    }

    /// Puts a changed interval in force; true when it changed.
    #[must_use]
    pub fn settle_heartbeat(&self) -> bool {
        let next = self.next_heartbeat.load(Ordering::Relaxed);
        self.heartbeat.swap(next, Ordering::Relaxed) != next
    }

    /// Whether the instance is being stopped (rule 22).
    #[must_use]
    pub fn stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    /// Stops the instance: from here on connections refuse new work.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    /// The worker for its files.
    #[must_use]
    pub fn files_worker(&self) -> Worker {
        Worker::new(self.pools.files.clone(), Arc::clone(&self.account))
    }

    /// The limits on rows and texts.
    #[must_use]
    pub fn device_limits(&self) -> DeviceLimits {
        DeviceLimits::from(&self.limits)
    }
}

/// Cost of a request beside its texts.
const REQUEST: u64 = 512;

/// A request with its charge.
struct Waiting {
    request: Request,
    _charge: Option<Charge>,
}

fn check(which: &'static str, used: u64, limit: u64) -> Result<(), LimitHit> {
    if used > limit {
        return Err(Limits::hit(which, used, limit));
    }
    Ok(())
}

/// The data of an instance's store.
pub struct InstanceState {
    /// The shared part.
    pub shared: Arc<Shared>,
    /// The quota of the files that the plugin writes.
    pub quota: Arc<Quota>,
    /// The folders that the plugin sees.
    pub tree: Arc<Tree>,
    /// The instance's computing time.
    pub meter: Arc<Meter>,
    /// The sockets of the plugin's own Python.
    pub sockets: Arc<Sockets>,
    /// Where compiled code goes; nothing once the plugin's own code runs.
    pub compilation: Option<Compilation>,
    /// The pages that every start writes to.
    pub hot_pages: Arc<HotPages>,
    /// The parts of the memory that the runtime has shown, while the hot pages are learned.
    pub parts: Vec<Part>,
    /// Its TLS contexts and sessions.
    pub tls: Tls,
    /// The value that the running function has returned so far.
    pub reply: Option<(String, Charge)>,
    wasi: WasiCtx,
    table: ResourceTable,
    memory_limit: u64,
}

impl InstanceState {
    /// The state of a new store. Its folders come when they have been examined.
    #[must_use]
    pub fn new(shared: Arc<Shared>, meter: Arc<Meter>, sockets: Sockets, wasi: WasiCtx) -> Self {
        let mut table = ResourceTable::new();
        let handles = usize::try_from(shared.limits.handles).unwrap_or(usize::MAX);
        table.set_max_capacity(handles.saturating_add(OWN_HANDLES));
        Self {
            memory_limit: shared.limits.memory,
            tls: Tls::new(&shared.limits, Vec::new(), Arc::clone(&shared.account)),
            quota: Quota::nothing(shared.log.clone(), shared.files_worker()),
            tree: Tree::new(
                [],
                shared.ports.reach.descriptors.clone(),
                shared.log.clone(),
            ),
            shared,
            meter,
            sockets: Arc::new(sockets),
            compilation: None,
            hot_pages: Arc::default(),
            parts: Vec::new(),
            reply: None,
            wasi,
            table,
        }
    }
}

impl InstanceState {
    /// Closes folders that only look open; an idle instance holds none.
    pub fn close_folders(&mut self) {
        self.tree.release(&mut self.table);
    }
}

impl WasiView for InstanceState {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl ResourceLimiter for InstanceState {
    /// Ends the instance at its limit. RustPython cannot go on after a failed
    /// allocation, so refusing would only hide the reason behind an abort.
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let desired = u64::try_from(desired).unwrap_or(u64::MAX);
        if desired > self.memory_limit {
            return Err(Limits::hit("memory", desired, self.memory_limit).into());
        }
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS)
    }
}
