//! The epoch ticker: one thread per engine.

use std::thread;

use crate::engine::TICK;
use cordon_base::error::EngineError;
use cordon_base::standstill::Watcher;

/// Starts the thread. The thread holds the engine weakly and ends with it.
pub fn start(engine: &wasmtime::Engine) -> Result<(), EngineError> {
    let weak = engine.weak();
    thread::Builder::new()
        .name("cordon-ticker".into())
        .spawn(move || {
            let watcher = Watcher::begin();
            loop {
                thread::sleep(TICK);
                watcher.look();
                match weak.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => return,
                }
            }
        })
        .map(drop)
        .map_err(|error| EngineError::io("cannot start the epoch ticker", error))
}
