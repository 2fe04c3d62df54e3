//! The log: lines and their length.

use crate::attack::{Attack, By, Trip};
use crate::scene::{FLAT, Scene, assert_failures};

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
