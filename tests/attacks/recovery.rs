//! Traps and exits: the instance is dropped and started anew, or parked.

use std::sync::atomic::Ordering;

use cordon_domoticz::{Deliver, DeliverError, HubEvent};
use cordon_runtime::instance::counters::Status;

use crate::attack::{By, assert_told};
use crate::scene::{FLAT, Scene, assert_failures, until};

trips! {
    a_plugin_that_fails_at_once_is_parked: "restarts" => By(async |limit: &'static str| {
        let source = "
import os
def onStart():
    Domoticz.Log('a life')
    os.abort()
";
        let mut scene = Scene::new().await;
        let attacker = scene.attack(source, "limits = { restarts = 2 }").await;
        scene.said("the plugin is started again in 1 s").await;
        let line = scene.said("the plugin is parked").await;
        assert_told(limit, &attacker.spec.limits, &line);
        assert!(line.contains("unreachable"), "it gives the reason: {line}");
        let counters = &attacker.counters;
        until("it is parked", || matches!(counters.status(), Status::Parked { .. })).await;
        assert!(counters.status().reason().contains("unreachable"));
        assert_failures(&attacker, 2);
        let calls = counters.calls.load(Ordering::Relaxed);
        let event = HubEvent::Settings(Vec::new());
        assert_eq!(attacker.deliver(event), Err(DeliverError::NotRunning));
        scene.beat().await;
        scene.beat().await;
        assert_eq!(counters.calls.load(Ordering::Relaxed), calls);
        let transcript = scene.bench.transcript();
        assert_eq!(transcript.matches("a life").count(), 2, "{transcript}");
        scene.finish(FLAT).await;
    });

}

/// A copy of the database file alone is a backup, and nobody else reads what is kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_hub_leaves_one_whole_database_that_nobody_else_reads() {
    use std::os::unix::fs::PermissionsExt;
    let mut scene = Scene::new().await;
    let source = "
def onStart():
    for n in range(50): Domoticz.Configuration({'a': n})
    Domoticz.Log('stored')
";
    scene.attack(source, "").await;
    scene.said("stored").await;
    let data = scene.bench.data_folder();
    scene.bench.hub.stop().await;
    let files: Vec<_> = std::fs::read_dir(&data)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_type().unwrap().is_file())
        .collect();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode(&data) & 0o777, 0o700);
    let names: Vec<_> = files.iter().map(std::fs::DirEntry::file_name).collect();
    assert!(
        names
            .iter()
            .all(|name| !name.to_string_lossy().contains("-wal")),
        "{names:?}"
    );
    for file in files
        .iter()
        .filter(|it| it.file_name().to_string_lossy().contains(".db"))
    {
        assert_eq!(mode(&file.path()) & 0o777, 0o600, "{file:?}");
    }
}

/// Only its text can be at fault, and that stays the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_be_imported_stays_off() {
    let mut scene = Scene::new().await;
    let attacker = scene.attack("import nonsense\n", "").await;
    scene.bench.line("ModuleNotFoundError").await;
    scene
        .said("the plugin stays off until `cordon restart ")
        .await;
    let counters = &attacker.counters;
    until("it is parked", || {
        matches!(counters.status(), Status::Parked { .. })
    })
    .await;
    assert_failures(&attacker, 1);
    scene.finish(FLAT).await;
}

/// Ends the first life with `source`; the second must work.
async fn restarts_after(source: &str, reason: &str) {
    let life = r#"
import os, sys, threading
def onStart():
    if os.path.exists("/data/attacked"):
        Domoticz.Log("back")
    else:
        open("/data/attacked", "w").close()
        attack()
        Domoticz.Log("survived")
"#;
    let mut scene = Scene::new().await;
    let attacker = scene.attack(&format!("{life}{source}"), "").await;
    let line = scene.said(reason).await;
    assert!(!line.contains("backtrace"), "{line}");
    scene.said("the plugin is started again in 1 s").await;
    scene.said("back").await;
    assert!(scene.bench.seen_line("survived").is_none());
    assert_failures(&attacker, 1);
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_drops_the_instance() {
    restarts_after(
        "def attack(): os.abort()\n",
        "the component trapped: wasm trap",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trap_in_a_thread_drops_the_instance() {
    let source = "
def attack():
    thread = threading.Thread(target=os.abort)
    thread.start()
    thread.join()
";
    restarts_after(source, "the component trapped: wasm trap").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_process_is_the_end_of_the_instance() {
    restarts_after(
        "def attack(): os._exit(0)\n",
        "the plugin ended its own process",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_process_in_a_thread_is_the_end_of_the_instance() {
    let source = "
def attack():
    thread = threading.Thread(target=os._exit, args=(3,))
    thread.start()
    thread.join()
";
    restarts_after(source, "the plugin ended its own process").await;
}

/// As in the original: it ends the callback, not the plugin.
#[tokio::test(flavor = "multi_thread")]
async fn system_exit_is_an_exception_like_any_other() {
    let source = "
import sys, threading, _thread
def onStart():
    Domoticz.Heartbeat(1)
    thread = threading.Thread(target=sys.exit)
    thread.start()
    thread.join()
    _thread.start_new_thread(sys.exit, ())
    sys.exit(3)
def onHeartbeat():
    Domoticz.Log('beats on')
    raise KeyboardInterrupt
";
    let mut scene = Scene::new().await;
    let attacker = scene.attack(source, "").await;
    scene.said("SystemExit: 3").await;
    scene.said("beats on").await;
    scene.said("KeyboardInterrupt").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// The hub can be stopped while a plugin waits for its next life.
#[tokio::test(flavor = "multi_thread")]
async fn stopping_does_not_wait_for_a_restart() {
    let mut scene = Scene::new().await;
    let attacker = scene
        .attack("import os\ndef onStart(): os.abort()\n", "")
        .await;
    scene.said("the plugin is started again in 2 s").await;
    let begun = std::time::Instant::now();
    scene.bench.hub.stop().await;
    assert!(begun.elapsed() < std::time::Duration::from_millis(1500));
    assert_eq!(attacker.counters.status(), Status::Stopped);
}
