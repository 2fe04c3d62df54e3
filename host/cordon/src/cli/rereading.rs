//! Being told to read the configuration again: SIGHUP.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinHandle;

use cordon_base::error::EngineError;
use cordon_base::log::{EventLog, Level};
use cordon_control::operator::Operator;

/// Hears the signal.
pub(super) struct Rereading(Signal);

/// A task that follows the signal; it ends when this is dropped.
pub(super) struct Following(JoinHandle<()>);

impl Rereading {
    /// Listens from now on: the signal does not end the program any more. A signal that comes before
    /// somebody follows it is followed then.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the system lets nobody listen.
    pub(super) fn listen() -> Result<Self, EngineError> {
        let io = |error| EngineError::io("cannot listen for signals", error);
        signal(SignalKind::hangup()).map(Self).map_err(io)
    }

    /// Has the configuration read again with every signal, one reading after the other. An error of
    /// the file is told, and changes nothing.
    pub(super) fn follow(mut self, operator: Arc<dyn Operator>, events: EventLog) -> Following {
        Following(tokio::spawn(async move {
            while self.0.recv().await.is_some() {
                if let Err(error) = operator.reload().await {
                    events.record(None, Level::Error, error.to_string());
                }
            }
        }))
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}
