//! A hub with an attacker and two quiet neighbours, and the conditions that must hold afterwards.
//!
//! Scenes take turns: each measures the memory and the computing time of the
//! whole process.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cordon_domoticz::web;
use cordon_indigo::ServerOptions;
use cordon_indigo::config::IndigoSection;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, MutexGuard};

use crate::support::bundle::bundle;
use crate::support::{Bench, PATIENCE, PluginText, private_bytes};
use crate::watch::Watch;

/// Bytes by which the host may grow under an attack on anything but the plugin's own memory:
/// the attacker's limit `host-memory`. One more instance and freed memory that the allocator
/// keeps are in it. Every attack would take several times as much if nothing stopped it.
pub const FLAT: u64 = 64 << 20;

#[test]
fn a_scene_allows_what_the_attackers_own_limit_allows() {
    assert_eq!(FLAT, cordon_base::limits::Limits::default().host_memory);
}

/// How late a neighbour's heartbeat may be, beyond the delay that the machine causes any thread.
const LATE: Duration = Duration::from_millis(100);

/// How long 99 of 100 answers of the API may take, beyond that.
const ANSWERED: Duration = Duration::from_millis(200);

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

const QUIET_INDIGO: &str = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log('up too')
";

static TURN: Mutex<()> = Mutex::const_new(());

pub struct Scene {
    pub bench: Bench,
    pub quiet: Remote,
    quiet_indigo: Remote,
    /// How many times as late as beside an attack the others may be: more than once where
    /// they wait for the cores of the machine.
    pub patience: u32,
    watch: Watch,
    before: u64,
    _turn: MutexGuard<'static, ()>,
}

impl Scene {
    /// A hub in which the neighbours run and the API is served.
    pub async fn new() -> Self {
        Self::described(ServerOptions::default()).await
    }

    /// The same with an Indigo server of this description.
    pub async fn described(options: ServerOptions) -> Self {
        let turn = TURN.lock().await;
        let mut bench = Bench::new();
        bench.hub.describe(options);
        let quiet = PluginText {
            name: "Quiet",
            source: QUIET,
            config: "",
        };
        let quiet = bench.start(quiet).await;
        bench.line("Quiet: up").await;
        let quiet_indigo = indigo(&mut bench).await;
        bench.line("up too").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = web::router(bench.hub.api(address));
        tokio::spawn(cordon_web::server::serve(
            listener,
            router,
            std::future::pending(),
        ));
        Self {
            bench,
            quiet,
            quiet_indigo,
            patience: 1,
            watch: Watch::begin(address),
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

    /// Asserts that the neighbours and a client of the API noticed nothing and that the
    /// host's memory was flat all the time, then stops the hub.
    pub async fn finish(mut self, flat: u64) {
        self.beat().await;
        let seen = self.watch.end();
        let busy = seen.machine.quantile(1.0);
        for quiet in [&self.quiet, &self.quiet_indigo] {
            let counters = &quiet.counters;
            assert_eq!(counters.status(), Status::Running);
            assert_eq!(counters.failures.load(Ordering::Relaxed), 0);
            assert_eq!(counters.raised.load(Ordering::Relaxed), 0);
            let late = counters.lateness.quantile(1.0);
            println!("a neighbour's heartbeat was {late:?} late, a mere thread {busy:?}");
            assert!(
                late < LATE * self.patience + busy,
                "the neighbour's heartbeat was {late:?} late"
            );
        }
        let (answered, lost) = (
            seen.answers.quantile(0.99),
            seen.lost.load(Ordering::Relaxed),
        );
        println!("answers took {answered:?}, {lost} were lost");
        assert!(
            answered < ANSWERED * self.patience + busy,
            "answers took {answered:?}"
        );
        assert_eq!(lost, 0, "requests without an answer");
        let grown = seen
            .peak
            .load(Ordering::Relaxed)
            .saturating_sub(self.before);
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

/// Starts the neighbour that is an Indigo plugin.
async fn indigo(bench: &mut Bench) -> Remote {
    let folder = bench.data_folder().join("../bundles");
    let files = [("plugin.py", QUIET_INDIGO)];
    let root = bundle(&folder, "Quiet too", "org.example.quiet", &files);
    let section = format!("bundle = {:?}", root.display().to_string());
    let section: IndigoSection = toml::from_str(&section).unwrap();
    bench.hub.start_indigo(&section).await.unwrap();
    bench.hub.instances().last().unwrap().remote()
}

/// Waits until `done` holds, for events without a line in the log.
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
