//! Runs the guest's initialisation and snapshots what it leaves behind.

use anyhow::Context;
use wasmtime::{Caller, Config, Engine, Extern, Instance, Linker, Store};
use wasmtime_wasi::{WasiCtxBuilder, p1::WasiP1Ctx};
use wasmtime_wizer::Wizer;

/// The export that builds the interpreter.
const INIT: &str = "cordon-init";

/// Takes the snapshot. The module sees clocks and entropy and nothing else: no
/// file, no environment, no arguments. Everything it imports from the hub traps,
/// but for the log, whose text is shown when initialisation fails.
pub async fn snapshot(module: &[u8], sources: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut config = Config::new();
    // Deep recursion of the compiler over the standard library.
    config.max_wasm_stack(16 << 20);
    config.async_stack_size(32 << 20);
    let engine = Engine::new(&config)?;
    let mut linker = Linker::<WasiP1Ctx>::new(&engine);
    wasmtime_wasi::p1::add_to_linker_async(&mut linker, |wasi| wasi)?;
    let log = "cordon:plugin/log@0.1.0";
    linker.func_wrap(log, "write", show_log)?;
    let mut store = Store::new(&engine, WasiCtxBuilder::new().inherit_stderr().build_p1());
    let mut wizer = Wizer::new();
    wizer.init_func(INIT);
    let snapshot = wizer
        .run(&mut store, module, async |store, module| {
            linker.define_unknown_imports_as_traps(module)?;
            let instance = linker.instantiate_async(&mut *store, module).await?;
            hand_over(store, &instance, sources).await?;
            Ok(instance)
        })
        .await
        .map_err(anyhow::Error::from)
        .context("the guest could not be initialised")?;
    Ok(snapshot)
}

fn show_log(mut caller: Caller<'_, WasiP1Ctx>, _: i32, _: i32, start: i32, length: i32) {
    let Some(Extern::Memory(memory)) = caller.get_export("memory") else {
        return;
    };
    let range = usize::try_from(start)
        .ok()
        .zip(usize::try_from(length).ok());
    let text = range.and_then(|(start, length)| memory.data(&caller).get(start..)?.get(..length));
    eprintln!("{}", String::from_utf8_lossy(text.unwrap_or_default()));
}

/// Writes the Python sources to where the guest makes room for them.
async fn hand_over(
    store: &mut Store<WasiP1Ctx>,
    instance: &Instance,
    sources: &[u8],
) -> wasmtime::Result<()> {
    let room = instance.get_typed_func::<u32, u32>(&mut *store, "cordon-sources")?;
    let length = u32::try_from(sources.len())?;
    let start = room.call_async(&mut *store, length).await?;
    let Some(memory) = instance.get_memory(&mut *store, "memory") else {
        wasmtime::bail!("the module exports no memory");
    };
    memory.write(&mut *store, usize::try_from(start)?, sources)?;
    Ok(())
}
