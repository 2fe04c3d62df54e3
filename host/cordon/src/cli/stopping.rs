//! Being told to stop: SIGINT or SIGTERM, once or twice.
//!
//! A thread of its own listens. It works when every thread of the runtime is busy, and makes sure
//! that the program ends in time, or at once when it is told a second time.

use std::process::exit;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{oneshot, watch};

use cordon_base::error::EngineError;

/// Time that the program has beyond the grace of its plugins: plugins that did not stop are ended,
/// and the store writes the changes that it has accepted, for which it has twice ten seconds.
const MARGIN: Duration = Duration::from_secs(25);

/// Exit code of a program that was ended in the middle.
const CUT_OFF: i32 = 1;

/// Knows when the program is to stop. Clones know it together.
#[derive(Clone)]
pub struct Stopping {
    told: watch::Receiver<bool>,
}

impl Stopping {
    /// Listens from now on. From the first signal on the program ends within `grace` and
    /// 25 seconds, however it stands, and with the second at once.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the system lets nobody listen.
    pub fn listen(grace: Duration) -> Result<Self, EngineError> {
        let io = |error| EngineError::io("cannot listen for signals", error);
        let (tell, told) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(io)?;
        let mut signals = {
            let _within = runtime.enter();
            Signals::new().map_err(io)?
        };
        let listening = async move {
            signals.next().await;
            tell.send_replace(true);
            tokio::select! {
                () = signals.next() => eprintln!("cordon: told a second time, ending at once"),
                () = tokio::time::sleep(grace + MARGIN) => {
                    eprintln!("cordon: something does not end, ending without it");
                }
            }
            exit(CUT_OFF);
        };
        std::thread::Builder::new()
            .name("cordon-signals".into())
            .spawn(move || runtime.block_on(listening))
            .map_err(io)?;
        Ok(Self { told })
    }

    /// Does work that takes long and cannot be given up on a thread of its own. `None` when the
    /// program is told to stop first; the thread ends with the process.
    ///
    /// # Errors
    ///
    /// The error of the work, or [`EngineError::Io`] when the system gives no thread.
    pub async fn unless_told<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, EngineError> + Send + 'static,
    ) -> Result<Option<T>, EngineError> {
        let io = |error| EngineError::io("cannot start a thread", error);
        let (done, outcome) = oneshot::channel();
        std::thread::Builder::new()
            .name("cordon-start".into())
            // Nobody waits for the outcome any more when the program was told to stop.
            .spawn(move || drop(done.send(work())))
            .map_err(io)?;
        tokio::select! {
            biased;
            () = self.clone().told() => Ok(None),
            outcome = outcome => match outcome {
                Ok(outcome) => outcome.map(Some),
                Err(error) => Err(io(std::io::Error::other(error))),
            }
        }
    }

    /// Waits until the program is told to stop.
    pub async fn told(mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            // A task that listens does so until the end.
            std::future::pending().await
        }
    }
}

struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
