//! Starts, restarts and the end: many instances at once, and what a plugin
//! can gain or hold up by them.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cordon_domoticz::{Deliver, HubEvent, Level};
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;

use crate::cpu::process_cpu;
use crate::indigo;
use crate::scene::{FLAT, Scene, assert_failures, until};
use crate::support::PluginText;

/// Only the instances of one plugin have this: a package that takes long to import.
const HEAVY: &str = "
import time
while time.process_time() < 0.3: pass
";

/// Together they need several times the `callback-wall` of each.
#[tokio::test(flavor = "multi_thread")]
async fn many_that_start_together_all_start() {
    const MANY: usize = 40;
    let mut scene = Scene::new().await;
    // Those that are admitted use all cores.
    scene.patience = 5;
    let folder = scene.bench.plugin_folder("Crowd");
    std::fs::create_dir_all(folder.join("heavy")).unwrap();
    std::fs::write(folder.join("heavy/__init__.py"), HEAVY).unwrap();
    let text = "\"\"\"\n<plugin key=\"Crowd\" name=\"Crowd\" version=\"1\" author=\"tests\"></plugin>\n\"\"\"\n\
                import Domoticz\nimport heavy\ndef onStart(): Domoticz.Log('up')\n";
    std::fs::write(folder.join("plugin.py"), text).unwrap();
    let config = "limits = { callback-wall = 1500, restarts = 1 }";
    let begun = Instant::now();
    let mut crowd = Vec::new();
    for n in 0..MANY {
        let name = format!("Crowd{n}");
        crowd.push(scene.bench.start_folder(&name, &folder, config).await);
    }
    scene
        .bench
        .line("plugins wait for their turn to start")
        .await;
    for instance in &crowd {
        let settled = instance.counters.settled();
        let settled = tokio::time::timeout(Duration::from_secs(120), settled).await;
        assert_eq!(settled, Ok(Status::Running), "{}", instance.spec.name);
        assert_failures(instance, 0);
    }
    println!("{MANY} starts of 0.3 s each took {:?}", begun.elapsed());
    scene.finish(MANY as u64 * FLAT).await;
}

/// A place among the starts is for those that compute.
#[tokio::test(flavor = "multi_thread")]
async fn those_that_wait_in_their_start_hold_up_nobody() {
    let mut scene = Scene::new().await;
    let folder = scene.bench.plugin_folder("Sleepy");
    std::fs::create_dir_all(&folder).unwrap();
    let text = "\"\"\"\n<plugin key=\"Sleepy\" name=\"Sleepy\" version=\"1\" author=\"tests\"></plugin>\n\"\"\"\n\
                import Domoticz, time\ndef onStart(): time.sleep(50)\n";
    std::fs::write(folder.join("plugin.py"), text).unwrap();
    for n in 0..16 {
        let name = format!("Sleepy{n}");
        scene.bench.start_folder(&name, &folder, "").await;
    }
    let late = PluginText {
        name: "Late",
        source: "def onStart(): Domoticz.Log('up')\n",
        config: "",
    };
    scene.bench.start(late).await;
    scene.bench.line("Late: up").await;
    scene.beat().await;
    scene.bench.hub.set_grace(Duration::ZERO);
    scene.bench.hub.stop().await;
}

/// Waits until nothing of an earlier test computes in this process any more.
async fn quiet() {
    let enough = Instant::now() + Duration::from_secs(60);
    while Instant::now() < enough {
        let before = process_cpu();
        tokio::time::sleep(Duration::from_millis(500)).await;
        if process_cpu() - before < Duration::from_millis(100) {
            return;
        }
    }
}

/// Time that a life has used up is missing in the next, and the next one waits.
#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_gains_nothing_by_restarting_itself() {
    let source = "
import time
class Plugin(indigo.PluginBase):
    def startup(self):
        end = time.process_time() + 0.5
        while time.process_time() < end: pass
    def runConcurrentThread(self):
        indigo.server.restartPlugin()
        self.sleep(60)
";
    let mut scene = Scene::new().await;
    quiet().await;
    let attacker = indigo::start(&mut scene, source, "cpu-share = 10").await;
    let (wall, cpu) = (Instant::now(), process_cpu());
    for pause in [1, 2] {
        let line = format!("the plugin is started again in {pause} s");
        scene.said(&line).await;
    }
    tokio::time::sleep(Duration::from_secs(10).saturating_sub(wall.elapsed())).await;
    let used = (process_cpu() - cpu).as_secs_f64();
    let share = used / wall.elapsed().as_secs_f64();
    println!("{:.0} percent of a core at a share of 10", share * 100.0);
    assert!(share < 0.4, "{:.0} percent of a core", share * 100.0);
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// The share of the second life, whose first has used it up and trapped.
#[tokio::test(flavor = "multi_thread")]
async fn a_failure_fills_no_bucket() {
    let source = "
import os, time
def onStart():
    wall, cpu = time.monotonic(), time.process_time()
    while time.process_time() - cpu < 2: pass
    if not os.path.exists('/data/second'):
        open('/data/second', 'w').close()
        os.abort()
    Domoticz.Log('two seconds took %d s.' % (time.monotonic() - wall))
";
    let mut scene = Scene::new().await;
    let config = "limits = { cpu-share = 20, callback-wall = 60000 }";
    let attacker = scene.attack(source, config).await;
    scene.said("the plugin is started again in 1 s").await;
    let line = scene.said("two seconds took ").await;
    let seconds = line.rsplit_once("took ").unwrap().1;
    let seconds: u64 = seconds.trim_end_matches(" s.").parse().unwrap();
    // At full speed, from a full bucket of two seconds, it would be two.
    assert!(seconds >= 5, "{line}");
    assert_failures(&attacker, 1);
    scene.finish(FLAT).await;
}

fn command() -> HubEvent {
    HubEvent::Command {
        device_id: String::new(),
        unit: 1,
        command: "On".to_owned(),
        level: Level::Whole(0),
        color: String::new(),
    }
}

/// Starts a plugin whose commands take so long, and gives it as many as it takes.
async fn busy(scene: &mut Scene, seconds: u32) -> Remote {
    let source = format!(
        "
import time
def onStart(): Domoticz.Heartbeat(3600)
def onCommand(Unit, Command, Level, Color):
    Domoticz.Log('command')
    time.sleep({seconds})
def onStop(): Domoticz.Log('stopped')
"
    );
    let busy = scene.attack(&source, "").await;
    let running = || busy.counters.status() == Status::Running;
    until("it runs", running).await;
    while busy.deliver(command()).is_ok() {}
    scene.said("command").await;
    busy
}

/// Events that wait for a plugin do not come before the end.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_inbox_does_not_delay_the_stop() {
    let mut scene = Scene::new().await;
    let busy = busy(&mut scene, 1).await;
    let begun = Instant::now();
    scene.bench.hub.stop().await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    scene.said("stopped").await;
    assert!(busy.counters.calls.load(Ordering::Relaxed) < 10);
}

/// One deadline for all, whatever they are in the middle of.
#[tokio::test(flavor = "multi_thread")]
async fn a_callback_that_does_not_end_is_cut_when_the_hub_stops() {
    let mut scene = Scene::new().await;
    let busy = busy(&mut scene, 50).await;
    scene.bench.hub.set_grace(Duration::from_secs(2));
    let begun = Instant::now();
    scene.bench.hub.stop().await;
    let took = begun.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    scene
        .said("the plugin did not stop within 2 s and is ended")
        .await;
    assert_eq!(busy.counters.status(), Status::Stopped);
    assert_eq!(scene.quiet.counters.status(), Status::Stopped);
    assert!(scene.bench.seen_line("Attacker: stopped").is_none());
}

/// Neither does it help to wait in a function that keeps everything else from going on.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_computes_is_cut_when_the_hub_stops() {
    let mut scene = Scene::new().await;
    let source = "
def onStart():
    Domoticz.Log('computing')
    while True: pass
";
    let limits = "limits = { callback-cpu = 600000, callback-wall = 600000 }";
    scene.attack(source, limits).await;
    scene.said("computing").await;
    scene.bench.hub.set_grace(Duration::from_secs(1));
    let begun = Instant::now();
    scene.bench.hub.stop().await;
    assert!(begun.elapsed() < Duration::from_secs(10));
}
