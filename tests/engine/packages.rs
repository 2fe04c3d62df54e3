//! Packages are compiled once for all instances that have the same, by nobody's plugin.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;

use crate::support::{Bench, PATIENCE, PluginText};

const PLUGIN: &str = r#"
import some.part
def onStart():
    Domoticz.Log("%s from %s" % (some.part.value(), some.part.__spec__.cached))
    try:
        with open("/cache/packages/some/part.cpython-314.pyc", "wb") as file:
            file.write(b"other code")
    except OSError as error:
        Domoticz.Log("refused: %s" % type(error).__name__)
"#;

/// A module about which Python has something to say.
const WARNED: &str = "
PATTERN = '\\d'
def value(): return 'found' if 1 is 1 else PATTERN
";

/// Puts a package beside the plugin that is about to be started.
fn package(bench: &Bench, plugin: &str, source: &str) {
    let folder = bench.plugin_folder(plugin).join("Packages/some");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("__init__.py"), "").unwrap();
    fs::write(folder.join("part.py"), source).unwrap();
}

async fn start(bench: &mut Bench, name: &str) -> Remote {
    let plugin = PluginText {
        name,
        source: PLUGIN,
        config: "",
    };
    bench.start(plugin).await
}

fn below(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The folder of compiled code of the one guest.
fn compiled(bench: &Bench) -> PathBuf {
    let guests = below(&bench.data_folder().join("compiled"));
    assert_eq!(guests.len(), 1);
    guests.first().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_with_copies_of_a_package_nobody_compiles_it() {
    let mut bench = Bench::new();
    let names = ["One", "Two", "Three"];
    let mut remotes = Vec::new();
    for name in names {
        package(&bench, name, WARNED);
        remotes.push(start(&mut bench, name).await);
    }
    for (name, remote) in names.iter().zip(&remotes) {
        assert_eq!(remote.counters.settled().await, Status::Running, "{name}");
        bench
            .line(&format!("{name}: found from /cache/packages/some/part"))
            .await;
        bench.line(&format!("{name}: refused: ")).await;
    }
    bench.drain();
    let told = bench.seen_lines();
    for foreign in ["packages: ", "(packages)", "Warning"] {
        assert!(!told.iter().any(|line| line.contains(foreign)), "{told:#?}");
    }
    let told = told
        .iter()
        .filter(|line| line.contains("packages are compiled"));
    assert_eq!(told.count(), 1);
    let guest = compiled(&bench);
    let shared = below(&guest.join("packages"));
    assert_eq!(shared.len(), 1, "{shared:?}");
    assert_eq!(below(&shared.first().unwrap().join("some")).len(), 2);
    for remote in remotes {
        let own = guest.join(remote.spec.hardware.to_string());
        assert_eq!(below(&own.join("packages")), Vec::<PathBuf>::new());
    }
}

/// A compiler that can be made to fail keeps no plugin from starting, and is not tried again.
#[tokio::test(flavor = "multi_thread")]
async fn packages_that_nobody_can_compile_are_left_to_the_plugin() {
    let mut bench = Bench::new();
    package(&bench, "One", "def value(): return 'found'\n");
    let deep = format!("x = {}1{}\n", "(".repeat(100_000), ")".repeat(100_000));
    let part = bench.plugin_folder("One").join("Packages/some/deep.py");
    fs::write(part, deep).unwrap();
    for life in 0..2 {
        let remote = start(&mut bench, "One").await;
        assert_eq!(remote.counters.settled().await, Status::Running, "{life}");
        bench.line("One: found").await;
        bench.seen.clear();
        bench.hub.stop_instances().await;
        bench.drain();
    }
    // The folder of the work goes after the word that it was in vain is there.
    let folder = compiled(&bench).join("packages");
    let one = tokio::time::timeout(PATIENCE, async {
        while below(&folder).len() > 1 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    assert!(one.await.is_ok(), "{:?}", below(&folder));
    assert_eq!(below(&folder).len(), 1);
}
