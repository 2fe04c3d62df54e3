//! The log: lines and their length.

use std::time::Duration;

use crate::attack::{Attack, By, Trip};
use crate::definitions::Site;
use crate::scene::{FLAT, Scene, assert_failures, until};

/// Three seconds of shouting; then quiet, so that the last line fits the rate.
const SHOUT: &str = "
import sys, time
def shout(say):
    end = time.monotonic() + 3
    while time.monotonic() < end: say()
    time.sleep(2)
";

trips! {
    lines_beyond_the_rate_are_dropped_and_counted: "log-lines-per-second" =>
        Attack::new(&format!("{SHOUT}def attack(): shout(lambda: Domoticz.Log('x' * 1000))\n"))
            .limits("log-lines-per-second = 2");

    printed_lines_are_lines: "log-lines-per-second" =>
        Attack::new(&format!("{SHOUT}def attack(): shout(lambda: print('x\\\\n' * 1000, file=sys.stderr))\n"))
            .limits("log-lines-per-second = 2");

    long_lines_are_cut: "log-line-bytes" => By(async |limit: &'static str| {
        Attack::new("def attack(): Domoticz.Error('\u{fc}' * 5000 + 'end.')\n")
            .limits("log-line-bytes = 101")
            .trip(limit)
            .await;
        let mut scene = Scene::new().await;
        let source = "
def onStart():
    Domoticz.Log('\u{fc}' * 5000 + 'end.')
    Domoticz.Log('goes on')
";
        let attacker = scene.attack(source, "limits = { log-line-bytes = 101 }").await;
        scene.said("goes on").await;
        let cut = scene.said("\u{fc}").await;
        assert_eq!(cut, format!("Attacker: {}", "\u{fc}".repeat(50)));
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });
}

/// A line per refused call would be a way around the rate.
#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_within_the_rate_too() {
    let source = "
def onStart():
    global connection
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1')
    Domoticz.Log('up')
def onStop():
    for n in range(5000): connection.Connect(); connection.Send('x')
";
    let mut scene = Scene::new().await;
    scene
        .attack(source, "limits = { log-lines-per-second = 2 }")
        .await;
    scene.said("up").await;
    scene.beat().await;
    let events = scene.bench.events.clone();
    scene.bench.hub.stop().await;
    let lines = events.tail(None, 10_000).len();
    assert!(lines < 100, "{lines} lines");
}

/// What others said stays, however much an instance says that may say much.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_pushes_out_the_lines_of_others() {
    let source = "
def onStart():
    for n in range(20000): Domoticz.Log('x' * 6000)
    Domoticz.Log('said it all')
";
    let mut scene = Scene::new().await;
    let events = scene.bench.events.clone();
    events.record(None, cordon_base::log::Level::Status, "ready");
    let limits = "limits = { log-lines-per-second = 10000 }";
    let attacker = scene.attack(source, limits).await;
    // Not by the bench, which keeps every line that it sees.
    until("all is said", || {
        let last = events.tail(None, usize::MAX);
        last.iter().any(|record| record.text == "said it all")
    })
    .await;
    assert_failures(&attacker, 0);
    for max in [usize::MAX, 1000, 50] {
        let kept = events.tail(None, max);
        let bytes: usize = kept.iter().map(|record| record.text.len()).sum();
        assert!(bytes < 8 << 20, "{bytes} bytes");
        let has = |text: &str| kept.iter().any(|record| record.message() == text);
        assert!(
            has("Quiet: up") && has("Status: ready"),
            "of {}",
            kept.len()
        );
        assert!(has("Attacker: said it all"), "of {}", kept.len());
    }
    scene.finish(FLAT).await;
}

/// Who falls silent after a flood is not forgotten.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_lines_are_told_without_a_further_line() {
    let source = "
def onStart():
    Domoticz.Heartbeat(3600)
    for n in range(500): Domoticz.Log('x')
";
    let mut scene = Scene::new().await;
    scene
        .attack(source, "limits = { log-lines-per-second = 2 }")
        .await;
    let line = scene
        .bench
        .line(" lines dropped: limit log-lines-per-second")
        .await;
    assert!(line.starts_with("Error: Attacker: 48"), "{line}");
    scene.finish(FLAT).await;
}

/// A record is a line of the console, and of nobody else than who wrote it.
#[test]
fn no_line_of_the_console_can_be_forged() {
    let site = Site::new();
    site.domoticz(
        "Attacker",
        "
def onStart():
    fake = '2026-01-01 00:00:00.000  Status: forged'
    Domoticz.Log('a\\n' + fake)
    Domoticz.Error('b\\r' + fake)
    Domoticz.Status('c\\u2028' + fake + '\\u202e\\x1b[2K')
    print('d\\x85' + fake + '\\u200b')
    Domoticz.Log('attacked')
",
    );
    let mut program = site.serve();
    program.line("attacked");
    std::thread::sleep(Duration::from_millis(500));
    assert!(program.terminate());
    let forged: Vec<_> = program
        .said
        .iter()
        .filter(|line| line.contains("forged"))
        .collect();
    assert_eq!(forged.len(), 4, "{forged:?}");
    for line in forged {
        assert!(line.contains("Attacker"), "{line}");
        let hidden = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{202e}' | '\u{200b}');
        assert!(!line.contains(hidden), "{line:?}");
    }
}
