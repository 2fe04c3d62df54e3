//! The engine: one wasmtime engine, the loaded guest, one epoch ticker.
//!
//! Owns everything that instances share. Instances are made from the engine and share nothing else.
//! Never compiles wasm when a plugin starts.

pub mod artifact;
pub mod hot_pages;
mod linked;
pub mod pool;
mod ticker;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, OptLevel};

use crate::framework::Framework;
use crate::instance::state::InstanceState;
use artifact::Artifact;
use cordon_base::error::EngineError;
use hot_pages::AllHotPages;
use pool::{Allocation, Pool, thread_stacks};

pub use linked::Linked;

/// Period of the epoch ticker: how often a computing plugin is examined, and so how late a deadline
/// is noticed.
pub const TICK: Duration = Duration::from_millis(10);

/// Stack of a task: the part for compiled code, and the part that host functions need on top. Wide
/// enough that the guest's own stack of 8 MiB ends first, so that a plugin gets a `RecursionError`.
/// Pages that are never touched cost nothing.
pub const WASM_STACK: usize = 32 << 20;
const HOST_STACK: usize = 1 << 20;

/// Largest image that is mapped copy-on-write even where it has holes. The guest's
/// snapshot is about 60 MiB; wasmtime's default would copy it at every start.
const IMAGE_LIMIT: u64 = 256 << 20;

/// How an engine is to be set up.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Instances that can be alive at once.
    pub instances: u32,
    /// Largest linear memory of any instance, in bytes.
    pub memory: u64,
    /// Whether epochs and limits are compiled in. Off only to measure their cost.
    pub metering: bool,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            instances: 1000,
            memory: 1 << 30,
            metering: true,
        }
    }
}

/// The shared part of all instances. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: wasmtime::Engine,
    component: Component,
    /// Links what all frameworks have in common.
    linker: Linker<InstanceState>,
    /// The component, linked for each framework that has had an instance.
    linked: Mutex<HashMap<&'static str, Linked>>,
    allocation: Allocation,
    artifact: Artifact,
    guest: String,
    hot_pages: AllHotPages,
    thread_stacks: Arc<Semaphore>,
}

/// The wasmtime configuration that an artifact is compiled for and loaded with.
fn config(options: &EngineOptions) -> Config {
    let mut config = Config::new();
    config.wasm_component_model_async(true);
    config.wasm_component_model_async_stackful(true);
    config.epoch_interruption(options.metering);
    config.cranelift_opt_level(OptLevel::Speed);
    config.max_wasm_stack(WASM_STACK);
    config.async_stack_size(WASM_STACK + HOST_STACK);
    // A deep stack of one plugin must not stay in memory for ever.
    config.async_stack_zeroing(true);
    config.memory_init_cow(true);
    config.memory_guaranteed_dense_image_size(IMAGE_LIMIT);
    config
}

impl Engine {
    /// Loads the guest and gets ready to start instances.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] when the guest is missing or does not fit,
    /// [`EngineError::Wasm`] when this machine cannot run it.
    pub fn new(options: &EngineOptions, artifact: &Artifact) -> Result<Self, EngineError> {
        let mut config = config(options);
        let allocation = Pool::plan(options).apply(&mut config);
        let engine = wasmtime::Engine::new(&config).map_err(wasm)?;
        let (component, guest) = artifact.load(&engine, &config_key(options))?;
        component.initialize_copy_on_write_image().map_err(wasm)?;
        let linker = linked::linker(&engine, &component).map_err(wasm)?;
        // A component that does not fit is found now, not when the first plugin starts.
        Linked::new(&linker, &component).map_err(wasm)?;
        ticker::start(&engine)?;
        let thread_stacks = match allocation {
            Allocation::Pooled { slots } => usize::try_from(thread_stacks(slots)).unwrap_or(0),
            Allocation::OnDemand { .. } => Semaphore::MAX_PERMITS,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                component,
                linker,
                linked: Mutex::default(),
                allocation,
                artifact: artifact.clone(),
                guest,
                hot_pages: AllHotPages::default(),
                thread_stacks: Arc::new(Semaphore::new(thread_stacks)),
            }),
        })
    }

    /// Compiles the guest into the cache, if it is not there; returns its file.
    ///
    /// # Errors
    ///
    /// As [`Engine::new`].
    pub fn precompile(
        options: &EngineOptions,
        artifact: &Artifact,
    ) -> Result<std::path::PathBuf, EngineError> {
        let engine = wasmtime::Engine::new(&config(options)).map_err(wasm)?;
        artifact.precompile(&engine, &config_key(options))
    }

    /// The wasmtime engine, for making stores.
    #[must_use]
    pub fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner.engine
    }

    /// The guest, linked for instances of this framework and ready to be instantiated.
    ///
    /// # Errors
    ///
    /// [`EngineError::Wasm`] when the framework's interfaces do not fit the guest: a fault of ours.
    pub fn linked(&self, framework: &dyn Framework) -> Result<Linked, EngineError> {
        let name = framework.name();
        let known = &self.inner.linked;
        if let Some(linked) = lock(known).get(name) {
            return Ok(linked.clone());
        }
        let mut linker = self.inner.linker.clone();
        framework.link(&mut linker).map_err(wasm)?;
        let linked = Linked::new(&linker, &self.inner.component).map_err(wasm)?;
        // When it is linked twice at the same time, either will do.
        lock(known).insert(name, linked.clone());
        Ok(linked)
    }

    /// The pages of the snapshot that every start writes to.
    #[must_use]
    pub fn hot_pages(&self) -> &AllHotPages {
        &self.inner.hot_pages
    }

    /// The stacks that there are for threads of all instances: one permit each.
    #[must_use]
    pub fn thread_stacks(&self) -> Arc<Semaphore> {
        Arc::clone(&self.inner.thread_stacks)
    }

    /// Digest of the guest that is loaded.
    #[must_use]
    pub fn guest(&self) -> &str {
        &self.inner.guest
    }

    /// How memory is allocated on this machine, and why.
    #[must_use]
    pub fn allocation(&self) -> &Allocation {
        &self.inner.allocation
    }

    /// The guest that is loaded.
    #[must_use]
    pub fn artifact(&self) -> &Artifact {
        &self.inner.artifact
    }
}

/// Part of the compiled artifact's name: the options that change the code.
fn config_key(options: &EngineOptions) -> String {
    if options.metering { "metered" } else { "bare" }.to_owned()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wasm(error: wasmtime::Error) -> EngineError {
    EngineError::Wasm(format!("{error:#}"))
}
