//! A hub with an attacker and a quiet neighbour, and what must hold afterwards.
//!
//! Scenes take turns: each measures the memory and the computing time of the
//! whole process.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cordon::instance::counters::Status;
use cordon::instance::remote::Remote;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::{Bench, PATIENCE, PluginText, private_bytes};

/// Bytes that the host may have grown by after an attack on anything but the
/// plugin's own memory: one more instance, freed memory that the allocator keeps.
/// Every attack would take several times as much if nothing stopped it.
pub const FLAT: u64 = 64 << 20;

/// How late a heartbeat of the neighbour may be on a busy machine. A hub that an
/// attacker holds up would make it as late as the attack is long.
const LATE: Duration = Duration::from_secs(3);

const QUIET: &str = r#"
beats = 0
def onStart():
    Domoticz.Heartbeat(1)
    Domoticz.Log("up")
def onHeartbeat():
    global beats
    beats += 1
    Domoticz.Log("beat %d." % beats)
def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("command " + Command)
"#;

static TURN: Mutex<()> = Mutex::const_new(());

pub struct Scene {
    pub bench: Bench,
    pub quiet: Remote,
    before: u64,
    _turn: MutexGuard<'static, ()>,
}

impl Scene {
    /// A hub in which the neighbour runs.
    pub async fn new() -> Self {
        let turn = TURN.lock().await;
        let mut bench = Bench::new();
        let quiet = PluginText {
            name: "Quiet",
            source: QUIET,
            config: "",
        };
        let quiet = bench.start(quiet).await;
        bench.line("Quiet: up").await;
        Self {
            bench,
            quiet,
            before: private_bytes(),
            _turn: turn,
        }
    }

    /// Starts the attacker.
    pub async fn attack(&mut self, source: &str, config: &str) -> Remote {
        let name = "Attacker";
        self.bench
            .start(PluginText {
                name,
                source,
                config,
            })
            .await
    }

    /// Waits for the neighbour's next beat.
    pub async fn beat(&mut self) {
        self.bench.drain();
        let next = self.quiet.counters.lateness.count() + 1;
        self.bench.line(&format!("Quiet: beat {next}.")).await;
    }

    /// Asserts that the neighbour noticed nothing and that the host's memory is
    /// flat, then stops the hub.
    pub async fn finish(mut self, flat: u64) {
        self.beat().await;
        let counters = &self.quiet.counters;
        assert_eq!(counters.status(), Status::Running);
        assert_eq!(counters.failures.load(Ordering::Relaxed), 0);
        assert_eq!(counters.raised.load(Ordering::Relaxed), 0);
        let late = counters.lateness.quantile(1.0);
        assert!(late < LATE, "the neighbour's heartbeat was {late:?} late");
        let grown = private_bytes().saturating_sub(self.before);
        println!(
            "the host grew by {} KiB from {} KiB",
            grown / 1024,
            self.before / 1024
        );
        assert!(grown < flat, "the host grew by {} KiB", grown / 1024);
        self.bench.hub.stop().await;
    }

    /// Waits for a line of the attacker; returns it.
    pub async fn said(&mut self, text: &str) -> String {
        self.bench.line(&format!("Attacker: {text}")).await
    }
}

/// Waits until `done` holds, for what leaves no line in the log.
pub async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let waited = tokio::time::timeout(PATIENCE, async {
        while !done() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(waited.await.is_ok(), "not within {PATIENCE:?}: {what}");
}

/// Asserts that the instance failed this often so far.
pub fn assert_failures(remote: &Remote, failures: u64) {
    assert_eq!(remote.counters.failures.load(Ordering::Relaxed), failures);
}
