//! Memory: the plugin's own, and memory that it could make the host hold.

use crate::attack::{Attack, By};
use crate::scene::{FLAT, Scene, assert_failures};

/// Above the snapshot of the interpreter, which is about 60 MiB.
const MEMORY: &str = "memory = 100663296";

/// The plugin may use its allowance.
const OWN: u64 = 96 << 20;

trips! {
    allocating_for_ever_ends_at_the_limit: "memory" => Attack::new("
def attack():
    blocks = []
    while True:
        blocks.append(bytearray(1 << 20))
").limits(MEMORY).flat(OWN + FLAT);

    one_huge_block_ends_at_the_limit: "memory" => Attack::new("
def attack(): bytearray(1 << 30)
").limits(MEMORY).flat(OWN + FLAT);

    a_string_that_doubles_ends_at_the_limit: "memory" => Attack::new("
def attack():
    text = 'x'
    while True: text += text
").limits(MEMORY).flat(OWN + FLAT);

    a_thread_that_allocates_ends_the_plugin: "memory" => Attack::new("
import threading
def work():
    blocks = []
    while True: blocks.append(bytearray(1 << 20))
def attack():
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
").limits(MEMORY).flat(OWN + FLAT);

    /// Each message fits, all together do not.
    messages_are_bounded_while_they_wait: "connection-buffer" => By(async |limit: &'static str| {
        let mut scene = Scene::new().await;
        let source = "
def onStart():
    global connection
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1')
    for n in range(200): connection.Send(bytes(1000000))
    Domoticz.Log('goes on')
";
        let attacker = scene.attack(source, "limits = { connections = 8 }").await;
        scene.said("goes on").await;
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert!(line.contains(" 8388608 allowed"), "eight connections of one MiB: {line}");
        assert_failures(&attacker, 0);
        scene.finish(2 * FLAT).await;
    });

    /// Headers without text cost the host as well.
    empty_headers_are_counted: "connection-buffer" => Attack::new("
def attack():
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Protocol='HTTP', Address='127.0.0.1', Port='1')
    headers = {'h': [''] * 100000}
    for n in range(20):
        connection.Send({'Verb': 'GET', 'URL': '/', 'Headers': headers})
");
}

/// A release is never refused, so it must not be a way to make the host hold things.
#[tokio::test(flavor = "multi_thread")]
async fn releases_in_a_loop_cost_nothing() {
    let mut scene = Scene::new().await;
    let source = "
import _cordon
def onStart():
    global connection
    connection = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='127.0.0.1', Port='1')
    connection.Connect()
    for n in range(1000000): _cordon.connection_release(1)
    Domoticz.Log('goes on')
";
    let attacker = scene.attack(source, "").await;
    scene.said("goes on").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}

/// 256 requests of 4 MiB would be a GiB.
#[tokio::test(flavor = "multi_thread")]
async fn names_of_connections_are_bounded() {
    let mut scene = Scene::new().await;
    let source = "
def onStart():
    name = 'n' * (4 << 20)
    for n in range(256):
        Domoticz.Connection(Name=name, Transport='TCP/IP', Address='127.0.0.1', Port='1').Connect()
    Domoticz.Log('goes on')
";
    let attacker = scene.attack(source, "").await;
    scene.bench.line("its name and all others 255").await;
    scene.said("goes on").await;
    assert_failures(&attacker, 0);
    scene.finish(FLAT).await;
}
