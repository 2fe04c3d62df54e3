//! The inbox: requests of the plugin, and events for it.

use std::sync::atomic::Ordering;

use cordon_domoticz::{Deliver, DeliverError, HubEvent, Level};

use crate::attack::{Attack, By, assert_told};
use crate::scene::{FLAT, Scene, assert_failures};

fn command(n: u32) -> HubEvent {
    HubEvent::Command {
        device_id: String::new(),
        unit: 1,
        command: format!("{n}."),
        level: Level::Whole(0),
        color: String::new(),
    }
}

trips! {
    requests_of_one_callback_are_bounded: "inbox" => Attack::new("
def attack():
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1')
    for n in range(1000): connection.Send('x')
").limits("inbox = 8");

    connections_of_one_callback_are_bounded: "inbox" => Attack::new("
def attack():
    for n in range(1000):
        Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1').Connect()
").limits("inbox = 8");

    /// The sender is told, what was accepted is delivered in order.
    events_for_a_busy_plugin_are_refused: "inbox" => By(async |limit: &'static str| {
        let source = "
import threading
go_on = threading.Event()
def onStart():
    Domoticz.Heartbeat(3600)
    Domoticz.Log('up')
def onCommand(Unit, Command, Level, Color):
    Domoticz.Log('command ' + Command)
    if Command == '0.': threading.Timer(2, go_on.set).start()
    go_on.wait()
";
        let mut scene = Scene::new().await;
        let attacker = scene.attack(source, "limits = { inbox = 4 }").await;
        scene.said("up").await;
        crate::scene::until("it runs", || attacker.deliver(command(0)).is_ok()).await;
        scene.said("command 0.").await;
        // One that blocks has left the inbox; four fit.
        for n in 1..=4 {
            attacker.deliver(command(n)).unwrap();
        }
        for n in 5..=1000 {
            assert_eq!(attacker.deliver(command(n)), Err(DeliverError::InboxFull));
        }
        assert_eq!(attacker.counters.refused.load(Ordering::Relaxed), 996);
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.quiet.deliver(command(77)).unwrap();
        scene.bench.line("Quiet: command 77.").await;
        for n in 1..=4 {
            scene.said(&format!("command {n}.")).await;
        }
        assert!(scene.bench.seen_line("command 5.").is_none());
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });
}
