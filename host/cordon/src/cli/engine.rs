//! The engine of a verb that runs plugins, whose guest may have to be compiled first.

use std::pin::pin;
use std::time::Duration;

use tokio::time::timeout;

use super::stopping::Stopping;
use cordon_base::error::EngineError;
use cordon_base::log::{EventLog, Level};
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};

/// A compiled guest is mapped in less. Whatever takes longer is told.
const SOON: Duration = Duration::from_secs(5);

/// Makes the engine; `None` when the program is told to stop first.
///
/// # Errors
///
/// [`EngineError`] when the guest is missing, does not fit or does not compile, or when the
/// machine has no room for so many instances.
pub(super) async fn make(
    options: EngineOptions,
    stopping: &Stopping,
    events: &EventLog,
) -> Result<Option<Engine>, EngineError> {
    let engine = stopping.unless_told(move || Engine::new(&options, &Artifact::locate()?));
    let mut engine = pin!(engine);
    if let Ok(made) = timeout(SOON, &mut engine).await {
        return made;
    }
    let text = "compiling the guest for this machine, which takes about a minute, once";
    events.record(None, Level::Status, text);
    engine.await
}
