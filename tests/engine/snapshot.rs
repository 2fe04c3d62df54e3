//! What the snapshot may and may not carry over, and that it is mapped, not copied.

use crate::support::{Bench, PluginText, engine, private_bytes};

const SHOW_RANDOM: &str = r#"
import random, uuid, secrets, tempfile, os, time
def onStart():
    values = [random.random(), random.getrandbits(64), uuid.uuid4(), secrets.token_hex(8),
              os.urandom(8).hex(), next(tempfile._get_candidate_names())]
    Domoticz.Log("values " + "|".join(map(str, values)))
    Domoticz.Log("clock " + ("now" if time.time() > 1.7e9 else "old"))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn no_two_instances_share_a_random_sequence() {
    let mut bench = Bench::new();
    let mut all = Vec::new();
    for name in ["A", "B", "C"] {
        let source = SHOW_RANDOM;
        bench.start(PluginText { name, source, config: "" }).await;
        let line = bench.line(&format!("{name}: values ")).await;
        bench.line(&format!("{name}: clock now")).await;
        all.extend(line.split_once("values ").unwrap().1.split('|').map(str::to_owned));
    }
    let mut distinct = all.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!(distinct.len(), 3 * 6, "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_sees_no_environment_and_no_path_of_the_host() {
    let source = r#"
import os, sys
def onStart():
    Domoticz.Log("environment %s" % dict(os.environ))
    shown = []
    for folder in ("/", "..", "/plugin/..", "/etc", "/proc", "/home", "/root", "/data/../.."):
        try: shown.append((folder, os.listdir(folder)))
        except OSError: pass
    shown = [(folder, names) for folder, names in shown if set(names) - {"plugin", "data"}]
    Domoticz.Log("listed %s" % shown)
    for name in ("/etc/passwd", "/plugin/../../etc/passwd", "/plugin/escape", "/proc/self/environ"):
        try: open(name).read(); Domoticz.Log("read " + name)
        except OSError as e: pass
    Domoticz.Log("paths %s" % [p for p in sys.path + [__file__] if not p.startswith(("/plugin", "/data"))])
    try:
        open("/plugin/new.txt", "w"); Domoticz.Log("wrote beside the code")
    except OSError: Domoticz.Log("code is read-only")
"#;
    let mut bench = Bench::new();
    let folder = bench.plugin_folder("E");
    std::fs::create_dir_all(&folder).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", folder.join("escape")).unwrap();
    let config = "environment = { GREETING = \"hello\" }";
    bench.start(PluginText { name: "E", source, config }).await;
    bench.line("code is read-only").await;
    assert!(bench.seen_line("environment {'GREETING': 'hello'}").is_some(), "{}", bench.transcript());
    assert!(bench.seen_line("listed []").is_some(), "{}", bench.transcript());
    assert!(bench.seen_line("paths []").is_some(), "{}", bench.transcript());
    assert!(bench.seen_line("read ").is_none(), "{}", bench.transcript());
}

/// A copied image would cost every instance its 60 MiB; a mapped one costs what it
/// writes to.
#[tokio::test(flavor = "multi_thread")]
async fn the_image_is_mapped_copy_on_write() {
    let image = std::fs::metadata(engine().artifact().path()).unwrap().len();
    let mut bench = Bench::new();
    let source = "def onStart(): Domoticz.Log('up')\n";
    bench.start(PluginText { name: "First", source, config: "" }).await;
    bench.line("First: up").await;
    let before = private_bytes();
    for n in 0..20 {
        let name = format!("I{n}");
        bench.start(PluginText { name: &name, source, config: "" }).await;
        bench.line(&format!("{name}: up")).await;
    }
    let each = private_bytes().saturating_sub(before) / 20;
    println!("{} KiB private per instance, image {} KiB", each / 1024, image / 1024);
    assert!(each * 8 < image, "{each} bytes per instance of an image of {image}");
}
