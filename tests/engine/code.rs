//! Compiled code is kept by the hash of its source, and only by the runtime.

use std::path::Path;
use std::time::Duration;

use cordon_runtime::instance::counters::Status;

use crate::support::{Bench, PluginText, engine};

fn entries(folder: &Path) -> usize {
    let Ok(guests) = std::fs::read_dir(folder.join("code")) else {
        return 0;
    };
    guests
        .map(|guest| std::fs::read_dir(guest.unwrap().path()).unwrap().count())
        .sum()
}

/// Waits until the background writer has made this many entries.
async fn entries_become(folder: &Path, count: usize) {
    for _ in 0..300 {
        if entries(folder) == count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{} entries, {count} expected", entries(folder));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_runs_the_kept_code() {
    let mut bench = Bench::new();
    let source = "def onStart(): Domoticz.Log('line %d' % onStart.__code__.co_firstlineno)\n";
    let config = "";
    bench
        .start(PluginText {
            name: "One",
            source,
            config,
        })
        .await;
    let first = bench.line("One: line").await;
    entries_become(&bench.data_folder(), 1).await;
    let text = std::fs::read(bench.plugin_folder("One").join("plugin.py")).unwrap();
    bench
        .start_whole("Two", std::str::from_utf8(&text).unwrap(), config)
        .await;
    let second = bench.line("Two: line").await;
    assert_eq!(first.replace("One", "Two"), second);
    assert_eq!(entries(&bench.data_folder()), 1, "compiled a second time");
}

/// No later life writes to the pages of the compiler: their pages would be made ready for
/// nothing, and be each instance's own as long as it lives.
#[tokio::test(flavor = "multi_thread")]
async fn a_life_that_compiles_its_plugin_teaches_no_pages() {
    let mut bench = Bench::new();
    let text = "\"\"\"\n<plugin key=\"Lesson\" name=\"Lesson\" version=\"1\" author=\"tests\">\n\
                <params/>\n</plugin>\n\"\"\"\nimport Domoticz\n";
    // The second and the third find the code of the first, and two lessons are enough.
    for (name, learns) in [("L1", true), ("L2", true), ("L3", false)] {
        let remote = bench.start_whole(name, text, "").await;
        assert_eq!(remote.counters.settled().await, Status::Running);
        entries_become(&bench.data_folder(), 1).await;
        assert_eq!(engine().hot_pages().of("Lesson").learns(), learns, "{name}");
    }
}

/// Only those that found compiled code teach pages, and two of these are enough.
#[tokio::test(flavor = "multi_thread")]
async fn of_three_that_start_at_once_one_compiles() {
    let mut bench = Bench::new();
    let mut text = "\"\"\"\n<plugin key=\"Burst\" name=\"Burst\" version=\"1\" author=\"tests\">\n\
                    <params/>\n</plugin>\n\"\"\"\nimport Domoticz\n"
        .to_owned();
    // So much that the others are there long before the first has compiled it.
    for number in 0..2000 {
        text += &format!("def part{number}(a, b):\n    return [a, b, {number}]\n");
    }
    let mut started = Vec::new();
    for name in ["B1", "B2", "B3"] {
        started.push(bench.start_whole(name, &text, "").await);
    }
    for remote in started {
        assert_eq!(remote.counters.settled().await, Status::Running);
    }
    assert_eq!(entries(&bench.data_folder()), 1);
    assert!(!engine().hot_pages().of("Burst").learns());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_refuses_code_from_a_plugin() {
    let source = r#"
import _cordon, hashlib
def poison():
    _cordon.code_keep(hashlib.sha256(b"somebody else's source").hexdigest(), b"bad")
poison()
def onStart():
    poison()
    Domoticz.Log("poisoned")
"#;
    let mut bench = Bench::new();
    bench
        .start(PluginText {
            name: "P",
            source,
            config: "",
        })
        .await;
    bench.line("poisoned").await;
    entries_become(&bench.data_folder(), 1).await;
    bench.hub.stop().await;
    assert_eq!(entries(&bench.data_folder()), 1);
}
