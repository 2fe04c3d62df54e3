//! Runs the guest's initialisation and takes a snapshot of the memory after it.

use wasmtime::error::Context;
use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Result, Store};
use wasmtime_wasi::random::Deterministic;
use wasmtime_wasi::{WasiCtxBuilder, p1::WasiP1Ctx};
use wasmtime_wizer::Wizer;

use crate::placement::Trace;

/// The export that builds the interpreter.
pub const INIT: &str = "cordon-init";

/// The bytes that the module gets for entropy. They are the same in both
/// initialisations, which have to allocate the same blocks in the same order.
pub type Seed = [u8; 64];

/// The host's side of a module.
pub struct State {
    wasi: WasiP1Ctx,
    /// The trace of an instrumented module.
    pub trace: Trace,
}

/// Takes the snapshot. `hot` lists the blocks of the heap that are to lie side by side.
///
/// The module sees clocks and entropy and nothing else: no file, no environment, no
/// arguments. Everything it imports from the hub traps, but for the log, whose text is
/// shown when initialisation fails.
pub async fn snapshot(module: &[u8], sources: &[u8], seed: &Seed, hot: &[u8]) -> Result<Vec<u8>> {
    let engine = engine()?;
    let mut linker = linker(&engine)?;
    let mut store = store(&engine, seed);
    let mut wizer = Wizer::new();
    wizer.init_func(INIT);
    let snapshot = wizer
        .run(&mut store, module, async |store, module| {
            linker.define_unknown_imports_as_traps(module)?;
            let instance = linker.instantiate_async(&mut *store, module).await?;
            hand_over(store, &instance, "cordon-sources", sources, 1).await?;
            hand_over(store, &instance, "cordon-hot-blocks", hot, 8).await?;
            Ok(instance)
        })
        .await
        .context("the guest could not be initialised")?;
    Ok(snapshot)
}

/// An engine with room for the compiler's deep recursion over the standard library.
pub fn engine() -> Result<Engine> {
    let mut config = Config::new();
    config.max_wasm_stack(16 << 20);
    config.async_stack_size(32 << 20);
    Engine::new(&config)
}

/// The functions that the module may import.
pub fn linker(engine: &Engine) -> Result<Linker<State>> {
    let mut linker = Linker::<State>::new(engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, |state| &mut state.wasi)?;
    linker.func_wrap("cordon:plugin/log@0.1.0", "write", show_log)?;
    Ok(linker)
}

/// A store with this entropy.
pub fn store(engine: &Engine, seed: &Seed) -> Store<State> {
    let mut wasi = WasiCtxBuilder::new();
    wasi.inherit_stderr()
        .secure_random(Deterministic::new(seed.to_vec()))
        .insecure_random(Deterministic::new(seed.to_vec()));
    let wasi = wasi.build_p1();
    let trace = Trace::default();
    Store::new(engine, State { wasi, trace })
}

fn show_log(mut caller: Caller<'_, State>, _: i32, _: i32, start: i32, length: i32) {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return;
    };
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(length).ok());
    let text = range.and_then(|(start, length)| memory.data(&caller).get(start..)?.get(..length));
    eprintln!("{}", String::from_utf8_lossy(text.unwrap_or_default()));
}

/// Writes bytes to where an export of the guest makes room for them, in units of so many.
pub async fn hand_over(
    store: &mut Store<State>,
    instance: &Instance,
    export: &str,
    bytes: &[u8],
    unit: usize,
) -> Result<()> {
    let room = instance.get_typed_func::<u32, u32>(&mut *store, export)?;
    let count = u32::try_from(bytes.len() / unit)?;
    let start = room.call_async(&mut *store, count).await?;
    let memory = instance.get_memory(&mut *store, "memory");
    let memory = memory.context("the module exports no memory")?;
    memory.write(&mut *store, usize::try_from(start)?, bytes)?;
    Ok(())
}
