//! The time that the snapshot and the precompiled artifact save.
//!
//! The guest's module before the snapshot is initialised here as the snapshot tool
//! does it. That, plus a start from the snapshot, is a start without one.

use std::path::{Path, PathBuf};
use std::time::Instant;

use cordon_runtime::engine::Engine;
use wasmtime::component::Component;
use wasmtime::{Config, Linker, Module, Store};
use wasmtime_wasi::WasiCtxBuilder;
use wasmtime_wasi::p1::WasiP1Ctx;

use crate::report::{Goal, Report};
use crate::rig::{Rig, program};
use crate::sample::Samples;
use crate::{Outcome, target};

/// The sources that the snapshot tool puts into the memory.
#[path = "../../guest-runtime/snapshot/src/bundle.rs"]
mod bundle;

const SECTION: &str = "snapshot";
const ROUNDS: usize = 15;
const LOADS: usize = 15;

/// Stacks as the snapshot tool has them: imports recurse deeply.
const WASM_STACK: usize = 16 << 20;

/// Measures both.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    loads(report, engine)?;
    let file = module_file()?;
    if !file.exists() {
        report.note(
            SECTION,
            format!(
                "no start without the snapshot: there is no {}; run `make build`",
                file.display()
            ),
        );
        return Ok(());
    }
    let cold = Cold::new(&file)?;
    let mut rig = Rig::new(engine, SECTION)?;
    let plugin = rig.plugin(
        "Empty",
        &std::fs::read_to_string(program("empty_plugin.py"))?,
        &[],
    )?;
    let (mut warm, mut without) = (Samples::default(), Samples::default());
    for round in 0..=ROUNDS {
        let begun = Instant::now();
        rig.start(&plugin, "Empty", "").await?;
        let start = begun.elapsed();
        rig.hub.stop_instances().await;
        let begun = Instant::now();
        cold.initialise().await?;
        let initialised = begun.elapsed();
        if round > 0 {
            warm.push_time(start);
            without.push_time(initialised + start);
        }
    }
    report.arm(SECTION, "start from the snapshot", "ms", &warm);
    report.arm(
        SECTION,
        "start without: initialise, then the same",
        "ms",
        &without,
    );
    let ratio = without.median() / warm.median();
    report.ratio(
        SECTION,
        "without / from the snapshot",
        ratio,
        Goal::AtLeast(25.0),
    );
    Ok(())
}

/// Loading the compiled artifact, with the check of its component's hash, against
/// compiling it.
fn loads(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let bytes = std::fs::read(engine.artifact().path())?;
    let (mut compiling, mut loading) = (Samples::default(), Samples::default());
    for _ in 0..LOADS {
        let begun = Instant::now();
        engine.artifact().load(engine.wasmtime(), "metered")?;
        loading.push_time(begun.elapsed());
    }
    let begun = Instant::now();
    Component::new(engine.wasmtime(), &bytes)?;
    compiling.push_time(begun.elapsed());
    report.arm(SECTION, "load the compiled artifact", "ms", &loading);
    report.arm(SECTION, "compile it", "ms", &compiling);
    let ratio = compiling.median() / loading.median();
    report.ratio(SECTION, "compile / load", ratio, Goal::AtLeast(100.0));
    Ok(())
}

/// The linked module as the guest's build leaves it.
fn module_file() -> Outcome<PathBuf> {
    if let Some(file) = std::env::var_os("CORDON_BENCH_MODULE") {
        return Ok(file.into());
    }
    let target = target()?;
    let targets = target.parent().ok_or("the target folder has no parent")?;
    let profile = std::env::var("CORDON_GUEST_PROFILE").unwrap_or_else(|_| "release".to_owned());
    Ok(targets
        .join("guest/wasm32-wasip1")
        .join(profile)
        .join("cordon_guest.wasm"))
}

/// The guest without a snapshot, compiled and linked.
struct Cold {
    module: Module,
    linker: Linker<WasiP1Ctx>,
    sources: Vec<u8>,
}

impl Cold {
    fn new(file: &Path) -> Outcome<Self> {
        let mut config = Config::new();
        config.max_wasm_stack(WASM_STACK);
        config.async_stack_size(2 * WASM_STACK);
        let engine = wasmtime::Engine::new(&config)?;
        let module = Module::from_file(&engine, file)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p1::add_to_linker_async(&mut linker, |wasi| wasi)?;
        linker.define_unknown_imports_as_traps(&module)?;
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../guest-runtime/python");
        Ok(Self {
            module,
            linker,
            sources: bundle::read(&folder)?,
        })
    }

    /// Instantiates it and builds the interpreter.
    async fn initialise(&self) -> Outcome<()> {
        let wasi = WasiCtxBuilder::new().inherit_stderr().build_p1();
        let mut store = Store::new(self.module.engine(), wasi);
        let instance = self
            .linker
            .instantiate_async(&mut store, &self.module)
            .await?;
        let room = instance.get_typed_func::<u32, u32>(&mut store, "cordon-sources")?;
        let length = u32::try_from(self.sources.len())?;
        let start = room.call_async(&mut store, length).await?;
        let memory = instance
            .get_memory(&mut store, "memory")
            .ok_or("the module exports no memory")?;
        memory.write(&mut store, usize::try_from(start)?, &self.sources)?;
        let init = instance.get_typed_func::<(), ()>(&mut store, "cordon-init")?;
        Ok(init.call_async(&mut store, ()).await?)
    }
}
