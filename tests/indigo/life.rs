//! How instances start, fail, and are started again.

use std::sync::atomic::Ordering;

use cordon_control::operator::{Action, Operator};
use cordon_indigo::life::FLUSH;
use cordon_runtime::instance::counters::Status;
use serde_json::json;

use crate::stage::{PLUGIN, Stage};
use crate::support::PATIENCE;

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_raises_in_startup_is_started_again() {
    let mut stage = Stage::new();
    let code = "
import os
class Plugin(indigo.PluginBase):
    def startup(self):
        if not os.path.exists('/data/tried'):
            open('/data/tried', 'w').close()
            raise OSError('no bridge')
        indigo.server.log('second time')
";
    stage.start_code(code, "").await;
    stage.line("no bridge").await;
    stage.line("the plugin raised in startup").await;
    stage.line("started again in 1 s").await;
    stage.line("second time").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_cannot_be_imported_stays_off_until_it_is_restarted() {
    let mut stage = Stage::new();
    let remote = stage.start_code("import nothing_of_this_name\n", "").await;
    stage.line("nothing_of_this_name").await;
    stage.line("stays off").await;
    let parked = || matches!(remote.counters.status(), Status::Parked { .. });
    stage.until("the end", async |_| parked()).await;
    let given = json!({"pluginId": PLUGIN});
    let facts = stage.done("server.getPlugin", given.clone()).await;
    assert_eq!(facts["isRunning"], false);
    stage.done("server.pluginRestart", given).await;
    stage.line("nothing_of_this_name").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_restarts_and_stops_itself() {
    let mut stage = Stage::new();
    let code = "
import os
class Plugin(indigo.PluginBase):
    def runConcurrentThread(self):
        if not os.path.exists('/data/tried'):
            open('/data/tried', 'w').close()
            indigo.server.restartPlugin('once more')
        else:
            indigo.server.stopPlugin('enough', isError=True)
        self.sleep(600)
    def shutdown(self):
        indigo.server.log('shutdown')
";
    let remote = stage.start_code(code, "").await;
    stage.line("once more").await;
    stage.line("shutdown").await;
    stage.line("enough").await;
    stage.line("shutdown").await;
    stage
        .until("the end", async |_| {
            remote.counters.status() == Status::Stopped
        })
        .await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thread_that_does_not_stop_is_dropped() {
    let mut stage = Stage::new();
    let code = "
import time
class Plugin(indigo.PluginBase):
    def runConcurrentThread(self):
        indigo.server.log('thread')
        while True:
            time.sleep(0.2)
    def shutdown(self):
        indigo.server.log('shutdown')
";
    stage.start_code(code, "").await;
    stage.line("thread").await;
    let begun = std::time::Instant::now();
    stage.stop().await;
    let text = stage.transcript();
    assert!(text.contains("shutdown"), "{text}");
    assert!(text.contains("runConcurrentThread does not end"), "{text}");
    assert!(begun.elapsed().as_secs() >= 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn threads_that_would_not_keep_a_process_alive_end_silently() {
    let mut stage = Stage::new();
    let code = "
import _thread, concurrent.futures, threading, time
def for_ever():
    while True:
        time.sleep(0.2)
class Plugin(indigo.PluginBase):
    def startup(self):
        threading.Thread(target=for_ever, name='daemon', daemon=True).start()
        _thread.start_new_thread(for_ever, ())
        # Its worker waits for work, and is no daemon.
        self.pool = concurrent.futures.ThreadPoolExecutor(1)
        self.pool.submit(int).result()
        indigo.server.log('threads %d' % threading.active_count())
    def shutdown(self):
        indigo.server.log('shutdown')
";
    stage.start_code(code, "").await;
    stage.line("threads 3").await;
    stage.stop().await;
    let text = stage.transcript();
    let after = text.split("shutdown").nth(1).expect("the shutdown");
    assert_eq!(after.trim(), "", "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_threads_are_waited_for_and_named_when_they_do_not_end() {
    let mut stage = Stage::new();
    let code = "
import threading, time
class Plugin(indigo.PluginBase):
    def startup(self):
        self.over = threading.Event()
        threading.Thread(target=self.pump, name='pump').start()
        threading.Thread(target=self.flush, name='flush').start()
        indigo.server.log('started')
    def pump(self):
        while True:
            time.sleep(0.2)
    def flush(self):
        self.over.wait()
        time.sleep(1)
        indigo.server.log('flushed')
    def shutdown(self):
        indigo.server.log('shutdown')
        self.over.set()
";
    stage.start_code(code, "").await;
    stage.line("started").await;
    stage.stop().await;
    let text = stage.transcript();
    let after = text.split("shutdown").nth(1).expect("the shutdown");
    assert!(after.contains("flushed"), "{text}");
    let line = "threads still run 10 s after shutdown and are ended with the plugin: pump";
    assert!(text.lines().any(|it| it.ends_with(line)), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_registered_for_the_end_runs_at_the_end() {
    let mut stage = Stage::new();
    let code = "
import atexit, threading, time
class Plugin(indigo.PluginBase):
    def startup(self):
        atexit.register(indigo.server.log, 'first')
        atexit.register(lambda: 1 / 0)
        atexit.register(indigo.server.log, 'last')
        self.over = threading.Event()
        threading.Thread(target=self.flush).start()
        indigo.server.log('started')
    def flush(self):
        self.over.wait()
        time.sleep(0.5)
        indigo.server.log('flushed')
    def shutdown(self):
        indigo.server.log('shutdown')
        self.over.set()
";
    stage.start_code(code, "").await;
    stage.line("started").await;
    stage.stop().await;
    let text = stage.transcript();
    let after = text.split("started").nth(1).expect("the end");
    let words = ["shutdown", "flushed", "last", "ZeroDivisionError", "first"];
    let places: Vec<_> = words.iter().map(|word| after.find(word)).collect();
    assert!(places.iter().all(Option::is_some), "{text}");
    assert!(places.is_sorted(), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_without_an_end_does_not_keep_the_hub() {
    let mut stage = Stage::new();
    let code = "
import time
class Plugin(indigo.PluginBase):
    def shutdown(self):
        indigo.server.log('shutdown')
        time.sleep(3600)
    def startup(self):
        indigo.server.log('started')
";
    // The bound of stopping; callbacks may take longer.
    let config = "limits = { stop-wall = 3000 }";
    let remote = stage.start_code(code, config).await;
    stage.line("started").await;
    let begun = std::time::Instant::now();
    stage.stop().await;
    assert!(begun.elapsed() < std::time::Duration::from_secs(12));
    let text = stage.transcript();
    assert!(text.contains("limit stop-wall: "), "{text}");
    assert_eq!(text.matches("Case: shutdown").count(), 1, "{text}");
    assert_eq!(remote.counters.status(), Status::Stopped);
    assert_eq!(remote.counters.failures.load(Ordering::Relaxed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_was_missed_is_told_and_not_made_up_for() {
    let mut stage = Stage::new();
    let server = stage.server().await;
    server.ready();
    let timing = json!({"countdown": 2.0, "repeat": true});
    let schedule = json!({"name": "tick", "timeType": "Countdown", "timing": timing});
    let made = stage.done("schedule.create", schedule).await;
    let next = json!({"id": made["id"]});
    stage
        .until("its next time", async |stage| {
            let seen = stage.done("schedules.get", next.clone()).await;
            seen["nextExecution"].is_string()
        })
        .await;
    drop(server);
    stage.stop().await;
    // Beyond its time, wherever in the second it is.
    tokio::time::sleep(std::time::Duration::from_secs(4)).await;
    stage.drain();
    stage.open();
    stage.server().await;
    let line = stage.line("schedule 'tick' was due at").await;
    let words = "while the hub was off and was not executed; it is due next at";
    assert!(
        line.starts_with("Warning: ") && line.contains(words),
        "{line}"
    );
    stage.line("Schedule: tick").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_and_ids_outlive_the_hub() {
    let mut stage = Stage::new();
    stage
        .start_code("class Plugin(indigo.PluginBase): pass\n", "")
        .await;
    let first = stage
        .done("variable.create", json!({"name": "a", "value": "1"}))
        .await;
    let gone = stage.done("variable.create", json!({"name": "b"})).await;
    stage.done("variable.delete", json!({"id": "b"})).await;
    stage.stop().await;
    stage.open();
    let again = stage.done("variables.get", json!({"id": "a"})).await;
    assert_eq!(again, first);
    let next = stage.done("variable.create", json!({"name": "c"})).await;
    assert!(
        next["id"].as_i64() > gone["id"].as_i64(),
        "an id came twice"
    );
    stage.stop().await;
}

/// Preferences that only a thread of the plugin changes are written while nobody calls the plugin.
#[tokio::test(flavor = "multi_thread")]
async fn preferences_are_flushed_now_and_then() {
    let mut stage = Stage::new();
    let code = "
import threading
class Plugin(indigo.PluginBase):
    def startup(self):
        threading.Timer(1, self.change).start()
    def change(self):
        self.pluginPrefs['room'] = 'attic'
        indigo.server.log('changed')
";
    stage.start_code(code, "").await;
    stage.line("changed").await;
    let file = "data/plugins/1/Preferences/Plugins/org.example.case.indiPref";
    let file = stage.path().join(file);
    let begun = std::time::Instant::now();
    loop {
        let text = std::fs::read_to_string(&file).unwrap_or_default();
        if text.contains("attic") {
            break;
        }
        assert!(begun.elapsed() < 2 * FLUSH + PATIENCE, "it is not written");
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_plugin_runs_once() {
    let mut stage = Stage::new();
    stage
        .start_code("class Plugin(indigo.PluginBase): pass\n", "")
        .await;
    let text = format!("bundle = {:?}", stage.path().join("Case.indigoPlugin"));
    let section = toml::from_str(&text).unwrap();
    let error = stage.hub().start_indigo(&section).await.unwrap_err();
    assert!(error.to_string().contains("a plugin runs once"), "{error}");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_reads_the_bundle_again_and_keeps_the_objects() {
    let mut stage = Stage::new();
    let code = |text: &str| {
        format!(
            "class Plugin(indigo.PluginBase):\n    def startup(self):\n        \
             indigo.server.log('{text} ' + str(len(indigo.variables)))\n"
        )
    };
    let remote = stage.start_code(&code("first life"), "").await;
    stage.line("first life 1").await;
    let arguments = serde_json::json!({ "name": "kept", "value": "1" });
    stage.done("variable.create", arguments).await;
    let file = "Case.indigoPlugin/Contents/Server Plugin/plugin.py";
    std::fs::write(stage.path().join(file), code("second life")).unwrap();
    let operator = stage.hub().operator(None);
    operator
        .act(&remote.spec.name, Action::Reload)
        .await
        .unwrap();
    stage.line("second life 2").await;
    let now = stage.hub().instances().last().unwrap().remote();
    assert!(!std::sync::Arc::ptr_eq(&now.spec, &remote.spec));
    assert_eq!(remote.counters.status(), Status::Stopped);
    // The server calls the new instance.
    let server = stage.server().await;
    assert_eq!(server.plugins().len(), 1);
    until_running(&server).await;
    stage.stop().await;
}

async fn until_running(server: &cordon_indigo::IndigoServer) {
    let begun = std::time::Instant::now();
    while !server.plugin(crate::stage::PLUGIN).unwrap().running() {
        assert!(begun.elapsed() < PATIENCE, "it does not run");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_definition_stops_only_its_plugin() {
    let mut stage = Stage::new();
    let files = [
        ("plugin.py", "class Plugin(indigo.PluginBase): pass\n"),
        (
            "Devices.xml",
            "<Devices>\n<Device type=\"relay\" id=\"x\"><Name>X</Device></Devices>",
        ),
    ];
    let root = crate::stage::bundle(stage.path(), "Broken", "org.example.broken", &files);
    let section = toml::from_str(&format!("bundle = {root:?}")).unwrap();
    let error = stage
        .hub()
        .start_indigo(&section)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("Devices.xml") && error.contains('2'),
        "{error}"
    );
    let code =
        "class Plugin(indigo.PluginBase):\n    def startup(self): indigo.server.log('well')\n";
    stage.start_code(code, "").await;
    stage.line("well").await;
    stage.stop().await;
}
