//! CPython in wasm as componentize-py makes it: the micro-programs as a component.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use wasmtime::component::{Component, Linker, ResourceTable, TypedFunc};
use wasmtime::{Config, OptLevel, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::Outcome;
use crate::native;
use crate::rig::{Scratch, program};
use crate::rustpython::tools;

/// The release that the figures are for.
const VERSION: &str = "0.25.1";

/// Period of the epochs, as in the hub's engine.
const TICK: Duration = cordon_runtime::engine::TICK;

/// A running instance.
pub struct Componentized {
    store: Store<State>,
    run: TypedFunc<(String,), (f64,)>,
}

struct State {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

impl Componentized {
    /// Installs componentize-py into the cache if need be, builds the component,
    /// compiles and instantiates it.
    pub async fn new() -> Outcome<Self> {
        let bytes = build()?;
        let engine = wasmtime::Engine::new(&config())?;
        let component = Component::new(&engine, &bytes)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        let state = State {
            wasi: WasiCtxBuilder::new().inherit_stderr().build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&engine, state);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        tick(&engine)?;
        let instance = linker.instantiate_async(&mut store, &component).await?;
        let run = instance.get_typed_func(&mut store, "run")?;
        Ok(Self { store, run })
    }

    /// Milliseconds of one run.
    pub async fn run(&mut self, name: &str) -> Outcome<f64> {
        let (milliseconds,) = self
            .run
            .call_async(&mut self.store, (name.to_owned(),))
            .await?;
        Ok(milliseconds)
    }
}

/// As the hub's engine, without the pool, which this component does not fit.
fn config() -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true);
    config.cranelift_opt_level(OptLevel::Speed);
    config.memory_init_cow(true);
    config.max_wasm_stack(16 << 20);
    config.async_stack_size(17 << 20);
    config
}

/// Epochs go on as they do in the hub, until the engine is gone.
fn tick(engine: &wasmtime::Engine) -> Outcome<()> {
    let weak = engine.weak();
    std::thread::Builder::new()
        .name("bench-ticker".into())
        .spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        })?;
    Ok(())
}

fn build() -> Outcome<Vec<u8>> {
    let folder = install()?;
    let scratch = Scratch::new("componentize")?;
    let app = scratch.path().join("app");
    std::fs::create_dir_all(&app)?;
    for name in ["componentized.py", "micro.py", "timing.py"] {
        std::fs::copy(program(name), app.join(name))?;
    }
    let out = scratch.path().join("out.wasm");
    let output = Command::new(native::python()?)
        .arg(folder.join("bin/componentize-py"))
        .arg("-d")
        .arg(program("wit"))
        .args(["-w", "bench", "componentize", "componentized", "-p"])
        .arg(&app)
        .arg("-o")
        .arg(&out)
        .env("PYTHONPATH", &folder)
        .output()?;
    if !output.status.success() {
        return Err(format!(
            "componentize-py: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    Ok(std::fs::read(out)?)
}

fn install() -> Outcome<PathBuf> {
    let folder = tools()?.join(format!("componentize-py-{VERSION}"));
    if folder.join("bin/componentize-py").exists() {
        return Ok(folder);
    }
    println!(
        "  installing componentize-py {VERSION} from PyPI to compare with: {}",
        folder.display()
    );
    let output = pip(&folder)?;
    if !output.status.success() {
        return Err(format!("pip: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(folder)
}

fn pip(folder: &Path) -> Outcome<std::process::Output> {
    let package = format!("componentize-py=={VERSION}");
    let mut command = Command::new(native::python()?);
    command
        .args(["-m", "pip", "install", "--quiet", "--target"])
        .arg(folder)
        .arg(package);
    Ok(command.output()?)
}
