//! Grants: whom a plugin may talk to, and where it may listen.

use tokio::net::TcpListener;

use crate::scene::{FLAT, Scene, assert_failures};

/// Connects to every target and tells the outcome.
const SOURCE: &str = "
made = []
def onStart():
    for target in TARGETS:
        address, port = target.rsplit(':', 1)
        made.append(Domoticz.Connection(Name=target, Transport='TCP/IP', Address=address, Port=port))
        made[-1].Connect()
def onConnect(Connection, Status, Description):
    Domoticz.Log('%s: %s.' % (Connection.Address, Description))
";

async fn connect(targets: &[&str], config: &str) -> Scene {
    let mut scene = Scene::new().await;
    let source = SOURCE.replace("TARGETS", &format!("{targets:?}"));
    let attacker = scene.attack(&source, config).await;
    for target in targets {
        let address = target.rsplit_once(':').unwrap().0;
        scene.said(&format!("{address}: ")).await;
    }
    assert_failures(&attacker, 0);
    scene
}

/// A port of this machine on which somebody listens.
async fn local() -> (TcpListener, String) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let target = listener.local_addr().unwrap().to_string();
    (listener, target)
}

async fn nobody_came(listener: &TcpListener) {
    let wait = std::time::Duration::from_millis(200);
    let came = tokio::time::timeout(wait, listener.accept()).await;
    assert!(came.is_err(), "somebody connected");
}

fn assert_denied(scene: &Scene, target: &str) {
    // A line of its own, or an entry where there is such a line already.
    let advice = [
        format!("to allow it, add `network = [\"{target}\"]` under [hardware.grants] of the "),
        format!("to allow it, add `\"{target}\"` to `network` under [hardware.grants] of the "),
    ];
    let what = format!("denied: connection to {target}");
    let transcript = scene.bench.transcript();
    let advised = |line: &str| advice.iter().any(|advice| line.contains(advice));
    let told = |line: &str| line.contains(&what) && advised(line);
    assert!(transcript.lines().any(told), "{target} in\n{transcript}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_grant_nobody_is_reached() {
    let (listener, target) = local().await;
    // An address that is set aside for documentation, where nobody answers.
    let targets = [&target, "192.0.2.1:80", "10.1.2.3:22"];
    let scene = connect(&targets, "").await;
    for target in targets {
        assert_denied(&scene, target);
    }
    nobody_came(&listener).await;
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_opens_exactly_what_it_names() {
    let (listener, target) = local().await;
    let (other, other_target) = local().await;
    let config = format!("grants = {{ network = [\"{target}\"] }}");
    let mut scene = connect(&[&target, &other_target], &config).await;
    listener.accept().await.unwrap();
    scene.said("127.0.0.1: Success.").await;
    scene.said("127.0.0.1: Permission denied.").await;
    assert_denied(&scene, &other_target);
    nobody_came(&other).await;
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_own_address_and_port_need_no_grant() {
    let (listener, target) = local().await;
    let port = target.rsplit_once(':').unwrap().1;
    let config = format!("parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\" }}");
    let mut scene = connect(&[&target], &config).await;
    listener.accept().await.unwrap();
    scene.said("127.0.0.1: Success.").await;
    scene.finish(FLAT).await;
}

/// They must be named; in any spelling.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_for_all_is_none_for_metadata_or_this_machine() {
    let (listener, target) = local().await;
    let port = target.rsplit_once(':').unwrap().1;
    let mapped = format!("::ffff:127.0.0.1:{port}");
    let nowhere = format!("0.0.0.0:{port}");
    let targets = [
        "169.254.169.254:80",
        "100.100.100.200:80",
        &target,
        &mapped,
        &nowhere,
    ];
    let config = "grants = { network = [\"*:*\", \"0.0.0.0/0:*\", \"[::/0]:*\"] }";
    let scene = connect(&targets, config).await;
    assert_denied(&scene, "169.254.169.254:80");
    assert_denied(&scene, "100.100.100.200:80");
    assert_denied(&scene, &target);
    assert_denied(&scene, &nowhere);
    assert!(
        scene.bench.seen_line("Success.").is_none(),
        "{}",
        scene.bench.transcript()
    );
    nobody_came(&listener).await;
    scene.finish(FLAT).await;
}

/// The plugin can change its own view, but not the operator's text.
#[tokio::test(flavor = "multi_thread")]
async fn changed_parameters_are_no_grant() {
    let (listener, target) = local().await;
    let port = target.rsplit_once(':').unwrap().1;
    let source = format!(
        "
def onStart():
    global c
    Parameters['Address'] = '127.0.0.1'
    Parameters['Port'] = '{port}'
    c = Domoticz.Connection(Name='c', Transport='TCP/IP', Address='192.0.2.1', Port='{port}')
    c.Connect()
    c.Address = '127.0.0.1'
    c = Domoticz.Connection(Name='d', Transport='TCP/IP', Address='127.0.0.1', Port='{port}')
    c.Connect()
def onConnect(Connection, Status, Description):
    Domoticz.Log('%s: %s.' % (Connection.Name, Description))
"
    );
    let config = format!("parameters = {{ Address = \"192.0.2.1\", Port = \"{port}9\" }}");
    let mut scene = Scene::new().await;
    scene.attack(&source, &config).await;
    scene.said("d: Permission denied.").await;
    assert_denied(&scene, &target);
    nobody_came(&listener).await;
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn datagrams_need_a_grant_too() {
    let socket = tokio::net::UdpSocket::bind(("127.0.0.1", 0)).await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let source = format!(
        "
def onStart():
    Domoticz.Connection(Name='u', Transport='UDP/IP', Address='127.0.0.1', Port='{port}').Send('x')
"
    );
    let mut scene = Scene::new().await;
    scene.attack(&source, "").await;
    scene
        .said("send refused for connection 'u': denied: ")
        .await;
    assert_denied(&scene, &format!("127.0.0.1:{port}"));
    assert!(socket.try_recv(&mut [0; 8]).is_err());
    scene.finish(FLAT).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn listening_needs_a_grant() {
    let (listener, target) = local().await;
    drop(listener);
    let port = target.rsplit_once(':').unwrap().1;
    let source = format!(
        "
def onStart():
    global c
    c = Domoticz.Connection(Name='l', Transport='TCP/IP', Port='{port}')
    c.Listen()
def onConnect(Connection, Status, Description): Domoticz.Log('%s.' % Description)
"
    );
    let mut scene = Scene::new().await;
    scene.attack(&source, "").await;
    let line = scene.said("listen refused for connection 'l': ").await;
    let advice = format!("denied: listening on port {port}; to allow it, add `listen = [{port}]`");
    assert!(line.contains(&advice), "{line}");
    scene.said("Permission denied.").await;
    assert!(tokio::net::TcpStream::connect(&target).await.is_err());
    scene.finish(FLAT).await;
}
