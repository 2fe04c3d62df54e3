//! The effect of each endless attack on the others, at the default limits but
//! for time; and how far two instances see each other.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cordon_domoticz::Deliver as _;
use cordon_runtime::instance::counters::Status;

use crate::scene::{FLAT, Scene, until};
use crate::support::{PluginText, private_bytes};

/// An attack in every life, for three beats of the neighbour.
async fn harms_only_itself(body: &str, config: &str, flat: u64) {
    let source = format!("import os, sys, threading\n{body}");
    let mut scene = Scene::new().await;
    scene.attack(&source, config).await;
    for _ in 0..2 {
        scene.beat().await;
    }
    scene.finish(flat).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn computing_for_ever() {
    let body = "
def onStart():
    while True: pass
";
    harms_only_itself(body, "limits = { callback-cpu = 2000 }", FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn computing_for_ever_in_sixteen_threads() {
    let body = "
def work():
    while True: pass
def onStart():
    for n in range(16): threading.Thread(target=work).start()
def onHeartbeat(): pass
";
    // Sixteen threads are ended with their plugin, not waited for.
    harms_only_itself(body, "limits = { callback-cpu = 1000 }", 4 * FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn allocating_for_ever() {
    let body = "
def onStart():
    blocks = []
    while True: blocks.append(bytearray(1 << 20))
";
    harms_only_itself(body, "", (256 << 20) + FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_for_ever() {
    let body = "
def onStart():
    while True: Domoticz.Log('x' * 6000)
";
    harms_only_itself(body, "limits = { callback-cpu = 2000 }", FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn opening_connections_for_ever() {
    let body = "
made = []
def more():
    for n in range(100):
        made.append(Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1'))
        made[-1].Connect()
def onStart(): more()
def onConnect(Connection, Status, Description): more()
def onDisconnect(Connection): more()
";
    // It keeps its results, in its own memory.
    let config = "limits = { memory = 134217728 }\ngrants = { network = [\"127.0.0.1:1\"] }";
    harms_only_itself(body, config, (128 << 20) + FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn recursing_for_ever() {
    let body = "
sys.setrecursionlimit(10 ** 9)
def recurse():
    try: return recurse()
    finally: recurse()
def onStart(): recurse()
";
    harms_only_itself(body, "limits = { callback-cpu = 2000 }", 2 * FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn starting_threads_for_ever() {
    let body = "
def onStart():
    while True:
        try: threading.Thread(target=lambda: None).start()
        except RuntimeError: pass
";
    harms_only_itself(body, "limits = { callback-cpu = 2000 }", 4 * FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writing_for_ever() {
    let body = "
def onStart():
    n = 0
    while True:
        n += 1
        try:
            with open('/data/%d' % n, 'w') as file: file.write('x' * 100000)
        except OSError: pass
        try: Domoticz.Device(Name='d%d' % n, Unit=n % 256, TypeName='Switch').Create()
        except Exception: pass
        Domoticz.Configuration({'n': n})
";
    let config = "limits = { callback-cpu = 2000, callback-wall = 4000, data-bytes = 1000000 }";
    harms_only_itself(body, config, FLAT).await;
}

/// Says how long the hub takes to store a value, in milliseconds.
const STORING: &str = r#"
import time
def onStart():
    Domoticz.Heartbeat(1)
    Domoticz.Device(Name="n", Unit=1, TypeName="Text", Used=1).Create()
    Domoticz.Log("up")
def onHeartbeat():
    begun = time.time()
    Devices[1].Update(nValue=0, sValue=str(begun))
    Domoticz.Log("update took %d." % ((time.time() - begun) * 1000))
"#;

/// Reads and writes for the attacker are done in its own turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_neighbour_stores_its_values_beside_one_who_stores_for_ever() {
    let source = "
import threading, _cordon
def onStart():
    Domoticz.Device(Name='n', Unit=1, TypeName='Text', Used=1).Create()
    row = Devices[1].ID
    document = '\"' + 'x' * 1000000 + '\"'
    colour = '{\"m\":1,\"x\":[' + '[],' * 20000 + '[]]}'
    large = '{\"m\":1,\"x\":[' + '[],' * 1200000 + '[]]}'
    def work(n):
        while True:
            for call in (lambda: _cordon.configuration_store(document),
                         lambda: _cordon.device_update(row, {'color': colour}),
                         lambda: _cordon.device_update(row, {'color': large}),
                         lambda: _cordon.device_update(row, {'value': (n, 'x' * 60000, 12, 255)}),
                         lambda: _cordon.devices_list()):
                try: call()
                except Exception: pass
    for n in range(16): threading.Thread(target=work, args=(n,)).start()
    Domoticz.Log('begins')
def onHeartbeat(): pass
";
    let mut scene = Scene::new().await;
    let storing = PluginText {
        name: "Storing",
        source: STORING,
        config: "",
    };
    scene.bench.start(storing).await;
    scene.bench.line("Storing: up").await;
    scene
        .attack(source, "limits = { callback-cpu = 60000 }")
        .await;
    scene.said("begins").await;
    let mut worst = 0;
    for _ in 0..8 {
        scene.bench.drain();
        scene.bench.seen.clear();
        let line = scene.bench.line("Storing: update took ").await;
        let figure = line.rsplit(' ').next().unwrap().trim_end_matches('.');
        worst = worst.max(figure.parse::<u64>().unwrap());
    }
    println!("slowest update of the neighbour: {worst} ms");
    // One group of operations at most; without turns it is seconds.
    assert!(worst < 1000, "{worst} ms");
    scene.finish((256 << 20) + FLAT).await;
}

/// Lives that fail one after the other leave nothing behind.
#[tokio::test(flavor = "multi_thread")]
async fn many_lives_cost_no_more_than_one() {
    let mut scene = Scene::new().await;
    let source = "
import os, threading
def onStart():
    threading.Thread(target=threading.Event().wait).start()
    blocks = [bytearray(1 << 20) for n in range(40)]
    os.abort()
";
    for n in 0..12 {
        let name = format!("Life{n}");
        let config = "limits = { restarts = 1 }";
        let plugin = PluginText {
            name: &name,
            source,
            config,
        };
        let life = scene.bench.start(plugin).await;
        let status = || matches!(life.counters.status(), Status::Parked { .. });
        until("it is parked", status).await;
    }
    println!("{} KiB private after twelve lives", private_bytes() / 1024);
    // Twelve lives of 40 MiB each, if anything of them stayed.
    scene.finish(2 * FLAT).await;
}

const SECRETIVE: &str = r#"
import os
def onStart():
    Domoticz.Heartbeat(1)
    name = Parameters["Name"]
    Domoticz.Device(Name="device of " + name, Unit=1, TypeName="Switch").Create()
    Domoticz.Configuration({"secret": name})
    with open("/data/secret", "w") as file: file.write(name)
    Domoticz.secret = os.secret = name
    os.environ["SECRET"] = name
    Domoticz.Log("kept")
"#;

const CURIOUS: &str = r#"
import os
def onStart():
    seen = [os.listdir("/data"), Domoticz.Configuration(), sorted(Devices)]
    seen += [hasattr(Domoticz, "secret"), hasattr(os, "secret"), "SECRET" in os.environ]
    Domoticz.Log("sees %s." % seen)
    device = Domoticz.Device(Name="own", Unit=1, TypeName="Switch")
    device.Create()
    import _cordon
    for number in range(1, 200):
        if number != Devices[1].ID:
            _cordon.device_delete(number)
            _cordon.device_touch(number)
    Domoticz.Log("done.")
"#;

/// One plugin may have several instances; the key is the same, nothing else is.
#[tokio::test(flavor = "multi_thread")]
async fn instances_do_not_see_each_other() {
    let mut scene = Scene::new().await;
    let text = |body: &str| {
        format!(
            "\"\"\"\n<plugin key=\"Same\" name=\"Same\" version=\"1\" author=\"tests\"></plugin>\n\"\"\"\nimport Domoticz\n{body}"
        )
    };
    scene
        .bench
        .start_whole("Secretive", &text(SECRETIVE), "")
        .await;
    scene.bench.line("Secretive: kept").await;
    scene.bench.start_whole("Curious", &text(CURIOUS), "").await;
    let line = scene.bench.line("Curious: sees ").await;
    assert_eq!(line, "Curious: sees [[], {}, [], False, False, False].");
    scene.bench.line("Curious: done.").await;
    let devices = &scene.bench.hub.domoticz().devices;
    let mut names = Vec::new();
    for instance in scene.bench.hub.instances() {
        let (rows, _charge) = devices.list(instance.remote().spec.hardware).await.unwrap();
        names.extend(rows.into_iter().map(|row| row.name));
    }
    names.sort();
    assert_eq!(names, ["Curious - own", "Secretive - device of Secretive"]);
    scene.finish(FLAT).await;
}

/// The neighbour's own work goes on while the attacker uses up its share.
#[tokio::test(flavor = "multi_thread")]
async fn commands_reach_the_neighbour_during_an_attack() {
    let mut scene = Scene::new().await;
    let body = "
def onStart():
    while True: pass
";
    scene.attack(body, "limits = { callback-cpu = 2000 }").await;
    let mut worst = Duration::ZERO;
    for n in 0..20 {
        let begun = std::time::Instant::now();
        let event = cordon_domoticz::HubEvent::Command {
            device_id: String::new(),
            unit: 1,
            command: format!("{n}."),
            level: cordon_domoticz::Level::Whole(0),
            color: String::new(),
        };
        scene.quiet.deliver(event).unwrap();
        scene.bench.line(&format!("Quiet: command {n}.")).await;
        worst = worst.max(begun.elapsed());
    }
    println!("slowest answer of the neighbour: {worst:?}");
    assert!(worst < Duration::from_secs(2), "{worst:?}");
    assert_eq!(scene.quiet.counters.refused.load(Ordering::Relaxed), 0);
    scene.finish(FLAT).await;
}
