//! TLS with `openssl s_server`, which sends back each line reversed.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::stage::{Stage, plugin_text, section};
use crate::support::ports::free_port;
use crate::tools::{Program, certificate, reachable};

fn s_server(folder: &Path, port: u16) -> Program {
    certificate(folder);
    let mut command = Command::new("openssl");
    command
        .args([
            "s_server", "-quiet", "-rev", "-cert", "cert.pem", "-key", "key.pem", "-accept",
        ])
        .arg(format!("127.0.0.1:{port}"))
        .current_dir(folder)
        .stderr(Stdio::null());
    Program::start(&mut command)
}

const CLIENT: &str = r#"
def onStart():
    global conn
    conn = Domoticz.Connection(Name="tls", Transport="TLS/IP", Protocol="None",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()

def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %d %s" % (Status, Description))
    if Status == 0:
        Connection.Send("hello\n")

def onMessage(Connection, Data):
    Domoticz.Log("message %r" % Data)
    Connection.Disconnect()

def onDisconnect(Connection):
    Domoticz.Log("disconnect")
"#;

async fn connect(verify: bool) -> (Stage, Program) {
    let mut stage = Stage::new();
    let port = free_port();
    let server = s_server(stage.scratch(), port);
    reachable(port).await;
    let folder = stage.plugin("client", &plugin_text("Client", CLIENT));
    let config = format!(
        "parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\" }}\nverify_tls = {verify}"
    );
    stage
        .start(&[(section("HW", "Client", &config), folder)])
        .await;
    (stage, server)
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_101_a_self_signed_certificate_is_accepted() {
    let (mut stage, _server) = connect(false).await;
    let expected = [
        "HW: connect 0 Success",
        "HW: message b'olleh\\n'",
        "HW: disconnect",
    ];
    stage.lines(&expected).await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_102_it_is_refused_when_the_operator_wants_verification() {
    let (mut stage, _server) = connect(true).await;
    stage.lines(&["HW: connect 71", "HW: disconnect"]).await;
    assert!(stage.said("certificate"), "{}", stage.transcript());
    assert!(!stage.said("connect 0"), "{}", stage.transcript());
    stage.stop().await;
}
