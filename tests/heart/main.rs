//! The life of an instance, with a component of a few lines in place of the guest.
//!
//! Failures and the place where an instance is parked, the inbox, the order of a stop, the
//! deadline of a callback: none of these needs Python, and all of it runs in seconds.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    reason = "tests"
)]

mod configuration;
mod operator;
mod stub;

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::{Deliver, DeliverError, HubEvent, Level, definition};
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;

use stub::{COMMAND, STARTED, at, compute};

/// How long a test waits for something that is expected to happen soon.
const PATIENCE: Duration = Duration::from_secs(20);

/// A program for the stub that never ends.
const FOR_EVER: &str = "(loop $again (br $again))";

struct Heart {
    hub: Hub,
    events: EventLog,
    remote: Remote,
    folder: tempfile::TempDir,
}

impl Heart {
    /// An instance of the stub with this code, under these limits.
    async fn new(code: &str, limits: &str) -> Self {
        Self::with(code, limits, |_| {}).await
    }

    /// The same on a hub that was prepared for the test.
    async fn with(code: &str, limits: &str, prepare: impl FnOnce(&mut Hub)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::within(folder, code, limits, prepare).await
    }

    /// The same in a folder that may have been used before.
    async fn within(
        folder: tempfile::TempDir,
        code: &str,
        limits: &str,
        prepare: impl FnOnce(&mut Hub),
    ) -> Self {
        let plugin = folder.path().join("plugins/Stub");
        std::fs::create_dir_all(&plugin).unwrap();
        let text =
            "\"\"\"\n<plugin key=\"Stub\" name=\"Stub\" version=\"1\" author=\"t\"/>\n\"\"\"\n";
        std::fs::write(plugin.join("plugin.py"), text).unwrap();
        let events = EventLog::new(LogCapacity::default());
        let engine = stub::engine(folder.path(), code);
        let data = folder.path().join("data");
        let mut hub = Hub::open(engine, events.clone(), &data, Vec::new()).unwrap();
        prepare(&mut hub);
        let section = format!("name = 'Stub'\nplugin = 'Stub'\n[limits]\n{limits}");
        let section: HardwareSection = toml::from_str(&section).unwrap();
        let definitions = definition::read_folder(&plugin).unwrap();
        hub.start(&section, &definitions[0]).await.unwrap();
        let remote = hub.instances().last().unwrap().remote();
        Self {
            hub,
            events,
            remote,
            folder,
        }
    }

    async fn until(&self, what: &str, done: impl Fn(&Self) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !done(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "not so far: {what}; {:?}", self.log());
    }

    async fn running(&self) {
        self.until("running", |it| {
            it.remote.counters.status() == Status::Running
        })
        .await;
    }

    fn command(&self) -> Result<(), DeliverError> {
        self.remote.deliver(HubEvent::Command {
            device_id: "D".to_owned(),
            unit: 1,
            command: "On".to_owned(),
            level: Level::Whole(0),
            color: String::new(),
        })
    }

    fn log(&self) -> Vec<String> {
        let all = self.events.tail(None, usize::MAX);
        all.iter().map(|record| record.message()).collect()
    }

    fn said(&self, text: &str) -> bool {
        self.log().iter().any(|line| line.contains(text))
    }

    fn calls(&self) -> u64 {
        self.remote.counters.calls.load(Ordering::Relaxed)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_any_import_is_a_plugin() {
    let heart = Heart::new("", "").await;
    heart.running().await;
    heart.command().unwrap();
    heart
        .until("onStart and the command", |it| it.calls() >= 2)
        .await;
    assert_eq!(heart.remote.counters.failures.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_life_that_traps_is_followed_by_others_after_pauses_and_at_last_parked() {
    let heart = Heart::new(&at(STARTED, "unreachable"), "restarts = 2").await;
    let begun = Instant::now();
    heart
        .until("parked", |it| {
            matches!(it.remote.counters.status(), Status::Parked { .. })
        })
        .await;
    // The first pause is a second, give or take a quarter.
    assert!(begun.elapsed() >= Duration::from_millis(700));
    assert_eq!(heart.remote.counters.failures.load(Ordering::Relaxed), 2);
    assert!(heart.said("limit restarts"), "{:?}", heart.log());
    assert_eq!(heart.command(), Err(DeliverError::NotRunning));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_computes_on_is_ended_at_its_limit() {
    let heart = Heart::new(
        &at(COMMAND, FOR_EVER),
        "callback-cpu = 300\ncpu-share = 400",
    )
    .await;
    heart.running().await;
    heart.command().unwrap();
    heart
        .until("a failure", |it| {
            it.remote.counters.failures.load(Ordering::Relaxed) == 1
        })
        .await;
    assert!(heart.said("limit callback-cpu"), "{:?}", heart.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_inbox_refuses_and_says_so() {
    let heart = Heart::new(&at(COMMAND, FOR_EVER), "inbox = 3\ncpu-share = 400").await;
    heart.running().await;
    let accepted = (0..20).filter(|_| heart.command().is_ok()).count();
    // One may be with the plugin already.
    assert!((3..=4).contains(&accepted), "{accepted} were accepted");
    assert_eq!(heart.command(), Err(DeliverError::InboxFull));
    assert!(heart.said("limit inbox: "), "{:?}", heart.log());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_goes_before_all_that_waits() {
    let code = at(COMMAND, &compute(100_000));
    let mut heart = Heart::new(&code, "cpu-share = 400").await;
    heart.running().await;
    for _ in 0..200 {
        heart.command().unwrap();
    }
    let (calls, remote) = (heart.calls(), heart.remote.clone());
    heart.hub.stop().await;
    assert_eq!(remote.counters.status(), Status::Stopped);
    let after = remote.counters.calls.load(Ordering::Relaxed) - calls;
    // The one that runs, and onStop.
    assert!(after < 20, "{after} callbacks ran after the stop");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_callback_that_never_ends() {
    let code = at(COMMAND, FOR_EVER);
    let mut heart = Heart::new(&code, "callback-cpu = 60000\ncpu-share = 400").await;
    heart.running().await;
    heart.command().unwrap();
    heart.hub.set_grace(Duration::from_millis(500));
    let begun = Instant::now();
    heart.hub.stop().await;
    assert!(
        begun.elapsed() < Duration::from_secs(5),
        "{:?}",
        begun.elapsed()
    );
}
