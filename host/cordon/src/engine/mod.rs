//! The engine: one wasmtime engine, the loaded guest, one epoch ticker.
//!
//! Owns everything that instances share. Instances are made from it and share
//! nothing else. Never compiles wasm when a plugin starts.

pub mod artifact;
pub mod hot_pages;
pub mod pool;
mod ticker;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, OptLevel};

use crate::abi::PluginPre;
use crate::capability;
use crate::instance::state::InstanceState;
use artifact::Artifact;
use cordon_base::error::EngineError;
use hot_pages::AllHotPages;
use pool::{Allocation, Pool, thread_stacks};

/// Period of the epoch ticker: how often a computing plugin is looked at, and so
/// how late a deadline is noticed.
pub const TICK: Duration = Duration::from_millis(10);

/// Stack of a task: what compiled code may use, and what host functions need on top.
/// Wide enough that the guest's own stack of 8 MiB ends first, so that a plugin
/// gets a `RecursionError`. Pages that are never touched cost nothing.
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
    /// Whether epochs and limits are compiled in. Off only to measure what they cost.
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
    plugin: PluginPre<InstanceState>,
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
        let plugin = link(&engine, &component)?;
        ticker::start(&engine)?;
        let thread_stacks = match allocation {
            Allocation::Pooled { slots } => usize::try_from(thread_stacks(slots)).unwrap_or(0),
            Allocation::OnDemand { .. } => Semaphore::MAX_PERMITS,
        };
        Ok(Self {
            inner: Arc::new(Inner {
                engine,
                plugin,
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

    /// The linked guest, ready to be instantiated.
    #[must_use]
    pub fn plugin(&self) -> &PluginPre<InstanceState> {
        &self.inner.plugin
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

/// Part of the compiled artifact's name: what of the options changes the code.
fn config_key(options: &EngineOptions) -> String {
    if options.metering { "metered" } else { "bare" }.to_owned()
}

fn link(
    engine: &wasmtime::Engine,
    component: &Component,
) -> Result<PluginPre<InstanceState>, EngineError> {
    let mut linker = Linker::new(engine);
    capability::add_to_linker(&mut linker).map_err(wasm)?;
    let instance = linker.instantiate_pre(component).map_err(wasm)?;
    PluginPre::new(instance).map_err(wasm)
}

fn wasm(error: wasmtime::Error) -> EngineError {
    EngineError::Wasm(format!("{error:#}"))
}
