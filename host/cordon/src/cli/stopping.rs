//! Being told to stop: SIGINT or SIGTERM, once or twice.
//!
//! A thread of its own listens. It works when every thread of the runtime is busy, and sees
//! to it that the program ends in time, or at once when it is told a second time.

use std::process::exit;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use cordon_base::error::EngineError;

/// What the program has beyond the grace of its plugins: those that did not stop are ended,
/// and the store writes what was promised to be kept, for which it has twice ten seconds.
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

    /// Waits until the program is told to stop.
    pub async fn told(mut self) {
        if self.told.wait_for(|told| *told).await.is_err() {
            // Who listens does so until the end.
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
