//! Contents that the snapshot may carry over, and others that it may not; it is mapped, not copied.

use crate::support::{Bench, PluginText};

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
        bench
            .start(PluginText {
                name,
                source,
                config: "",
            })
            .await;
        let line = bench.line(&format!("{name}: values ")).await;
        bench.line(&format!("{name}: clock now")).await;
        all.extend(
            line.split_once("values ")
                .unwrap()
                .1
                .split('|')
                .map(str::to_owned),
        );
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
    Domoticz.Log("environment %s" % sorted(os.environ))
    Domoticz.Log("greeting %s." % os.environ["GREETING"])
    shown = []
    for folder in ("/", "..", "/plugin/..", "/etc", "/proc", "/home", "/root", "/data/../.."):
        try: shown.append((folder, os.listdir(folder)))
        except OSError: pass
    shown = [(folder, names) for folder, names in shown if set(names) - {"cache", "plugin", "data", "tmp"}]
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
    bench
        .start(PluginText {
            name: "E",
            source,
            config,
        })
        .await;
    bench.line("code is read-only").await;
    assert!(
        bench
            .seen_line("environment ['GREETING', 'HOME', 'LANG', 'LOGNAME', 'PATH', 'TMPDIR'")
            .is_some(),
        "{}",
        bench.transcript()
    );
    assert!(bench.seen_line("greeting hello.").is_some());
    assert!(
        bench.seen_line("listed []").is_some(),
        "{}",
        bench.transcript()
    );
    assert!(
        bench.seen_line("paths []").is_some(),
        "{}",
        bench.transcript()
    );
    assert!(bench.seen_line("read ").is_none(), "{}", bench.transcript());
}

/// A copied image would be anonymous memory, all of it dirty. A mapped one shows as
/// a private mapping of the compiled file, of which an instance owns the pages it wrote.
#[tokio::test(flavor = "multi_thread")]
async fn the_image_is_mapped_copy_on_write() {
    const INSTANCES: usize = 20;
    let mut bench = Bench::new();
    let source = "def onStart(): Domoticz.Log('up')\n";
    for n in 0..INSTANCES {
        let name = format!("I{n}");
        bench
            .start(PluginText {
                name: &name,
                source,
                config: "",
            })
            .await;
        bench.line(&format!("{name}: up")).await;
    }
    let images = image_mappings();
    assert!(images.len() >= INSTANCES, "{images:?}");
    let worst = images
        .iter()
        .map(|image| image.dirty * 100 / image.size)
        .max();
    println!(
        "{} images, at most {worst:?} percent of one written",
        images.len()
    );
    // Other tests of this binary run computing plugins at the same time; a copy
    // would be at 100.
    assert!(worst < Some(50), "{images:?}");
    let mut dirty: Vec<_> = images
        .iter()
        .map(|image| image.dirty * 100 / image.size)
        .collect();
    dirty.sort_unstable();
    // Blocks that starts write to lie side by side; where it was allocated it would be 3.
    assert!(dirty[INSTANCES / 2] <= 1, "{images:?}");
}

#[derive(Debug)]
struct Image {
    /// Size and written part, in KiB.
    size: u64,
    dirty: u64,
}

/// The writable private mappings of the compiled guest, one per instance.
fn image_mappings() -> Vec<Image> {
    let text = std::fs::read_to_string("/proc/self/smaps").unwrap();
    let mut images = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        let mut words = line.split_whitespace();
        let first = words.next().unwrap_or_default();
        let figure = |words: &mut std::str::SplitWhitespace<'_>| {
            words.next().and_then(|word| word.parse().ok()).unwrap_or(0)
        };
        match first {
            "Size:" if inside => images.push(Image {
                size: figure(&mut words),
                dirty: 0,
            }),
            "Private_Dirty:" if inside => images.last_mut().unwrap().dirty = figure(&mut words),
            _ if first.contains('-') => {
                inside = line.contains(" rw-p ") && line.ends_with(".cwasm")
            }
            _ => {}
        }
    }
    // The file's own relocated data is small; images are tens of MiB.
    images.retain(|image| image.size > 16 << 10);
    images
}

#[tokio::test(flavor = "multi_thread")]
async fn the_module_of_the_other_framework_is_out_of_reach() {
    let source = r#"
import sys
def onStart():
    try:
        import indigo
        Domoticz.Log("found it")
    except ImportError as e:
        Domoticz.Log("not there: %s" % e)
    Domoticz.Log("loaded %s" % [name for name in sys.modules if name.startswith("indigo")])
"#;
    let mut bench = Bench::new();
    let config = "";
    let name = "A";
    bench
        .start(PluginText {
            name,
            source,
            config,
        })
        .await;
    let words = "it is the module of Indigo plugins, and this is a Domoticz plugin";
    let line = format!("A: not there: No module named 'indigo': {words}");
    bench.line(&line).await;
    bench.line("A: loaded []").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_can_look_at_its_own_stack() {
    let source = r#"
import inspect
def onStart():
    Domoticz.Log("in %s" % inspect.stack()[0].function)
"#;
    let mut bench = Bench::new();
    let config = "";
    let name = "A";
    bench
        .start(PluginText {
            name,
            source,
            config,
        })
        .await;
    bench.line("A: in onStart").await;
}
