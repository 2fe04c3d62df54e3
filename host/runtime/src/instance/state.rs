//! The data that the host functions of one instance work on.
//!
//! [`InstanceState`] is the data of the store and dies with it; [`Shared`] is common to host
//! functions, the instance's loop and the web API.

use std::any::Any;
use std::sync::Arc;

use wasmtime::ResourceLimiter;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::capability::files::{OWN_HANDLES, Quota, Tree, Worker};
use crate::code_cache::Compilation;
use crate::engine::hot_pages::{HotPages, Part};
use crate::framework::{Data, Framework};
use crate::instance::meter::Meter;
use crate::instance::ports::Ports;
use crate::instance::threads::Threads;
use crate::tls::Tls;
use cordon_base::account::{Account, Charge};
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pools;
use cordon_reach::socket::Sockets;

/// Largest table. The guest's are fixed when it is linked; its function table has
/// some ten thousand elements.
pub const TABLE_ELEMENTS: usize = 65_536;

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
    /// Resources of the machine itself that it has open.
    pub ports: Ports,
    /// The instance as its framework sees it.
    pub framework: Arc<dyn Framework>,
    /// The framework's data of this life.
    pub data: Data,
}

impl Shared {
    /// The worker for its files.
    #[must_use]
    pub fn files_worker(&self) -> Worker {
        Worker::new(self.pools.files.clone(), Arc::clone(&self.account))
    }

    /// The framework's data of this life.
    ///
    /// # Errors
    ///
    /// An error that ends the life, when the data is another framework's. No instance is linked
    /// with the functions of another framework, so that is a fault of ours.
    pub fn of<T: Any + Send + Sync>(&self) -> wasmtime::Result<Arc<T>> {
        let data = Arc::clone(&self.data).downcast::<T>();
        data.map_err(|_| wasmtime::format_err!("the function belongs to another framework"))
    }
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
        self.meter.set_memory(desired);
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
