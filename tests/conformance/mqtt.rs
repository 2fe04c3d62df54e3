//! Protocols MQTT and MQTTS against mosquitto.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::stage::{Stage, plugin_text, section};
use crate::support::ports::free_port;
use crate::tools::{Program, certificate, reachable};

/// A broker on three ports: for all, with TLS, and for those who have a password.
struct Broker {
    _program: Program,
    plain: u16,
    tls: u16,
    locked: u16,
}

async fn broker(folder: &Path) -> Broker {
    certificate(folder);
    let (plain, tls, locked) = (free_port(), free_port(), free_port());
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c", "users", "u", "p"])
        .current_dir(folder)
        .stderr(Stdio::null())
        .status();
    let made = made.expect("mosquitto_passwd cannot be started, install mosquitto");
    assert!(made.success(), "no file of passwords was made");
    let here = folder.to_str().expect("a path of text");
    let root = match rustix::process::geteuid().is_root() {
        true => "user root\n",
        false => "",
    };
    let text = format!(
        "per_listener_settings true\n{root}\
         listener {plain} 127.0.0.1\nallow_anonymous true\n\
         listener {tls} 127.0.0.1\nallow_anonymous true\ncertfile {here}/cert.pem\nkeyfile {here}/key.pem\n\
         listener {locked} 127.0.0.1\nallow_anonymous false\npassword_file {here}/users\n"
    );
    std::fs::write(folder.join("mosquitto.conf"), text).expect("the configuration is written");
    let mut command = Command::new("mosquitto");
    command
        .args(["-c", "mosquitto.conf"])
        .current_dir(folder)
        .stderr(Stdio::null());
    let program = Program::start(&mut command);
    for port in [plain, tls, locked] {
        reachable(port).await;
    }
    Broker {
        _program: program,
        plain,
        tls,
        locked,
    }
}

/// A plugin that does its half of every quality of service.
const CLIENT: &str = r#"
BINARY = bytes(range(256)) * 20

def onStart():
    global conn
    conn = Domoticz.Connection(Name="mqtt", Transport="TCP/IP", Protocol=Parameters["Mode1"],
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()

def onConnect(Connection, Status, Description):
    Domoticz.Log("connect %d" % Status)
    Connection.Send({"Verb": "CONNECT", "ID": "plugin", "WillTopic": "will/plugin", "WillQoS": 1,
                     "WillRetain": 1, "WillPayload": b"gone \0"})

def onMessage(Connection, Data):
    verb = Data["Verb"]
    if verb == "PUBLISH":
        Domoticz.Log("PUBLISH %s QoS %d Retain %s %d %s %r" % (Data["Topic"], Data["QoS"],
                     Data["Retain"], len(Data["Payload"]), Data["Payload"] == BINARY, Data["Payload"][:6]))
        if Data["QoS"] == 1:
            Connection.Send({"Verb": "PUBACK", "PacketIdentifier": Data["PacketIdentifier"]})
        elif Data["QoS"] == 2:
            Connection.Send({"Verb": "PUBREC", "PacketIdentifier": Data["PacketIdentifier"]})
        return
    Domoticz.Log("%s %s" % (verb, {key: value for key, value in Data.items() if key != "Verb"}))
    if verb == "CONNACK":
        Connection.Send({"Verb": "PUBLISH", "Topic": "kept", "Payload": "old", "Retain": True})
        Connection.Send({"Verb": "SUBSCRIBE", "Topics": [
            {"Topic": "kept", "QoS": 0}, {"Topic": "one/+", "QoS": 1}, {"Topic": "two/#", "QoS": 2}]})
    elif verb == "SUBACK":
        Connection.Send({"Verb": "PUBLISH", "Topic": "kept", "Payload": b"zero \xff"})
        Connection.Send({"Verb": "PUBLISH", "Topic": "one/x", "QoS": 1, "Payload": 42})
        Connection.Send({"Verb": "PUBLISH", "Topic": "two/x/y", "QoS": 2, "Payload": BINARY})
    elif verb == "PUBREC":
        Connection.Send({"Verb": "PUBREL", "PacketIdentifier": Data["PacketIdentifier"]})
    elif verb == "PUBREL":
        Connection.Send({"Verb": "PUBCOMP", "PacketIdentifier": Data["PacketIdentifier"]})
        Connection.Send({"Verb": "PING"})
    elif verb == "PINGRESP":
        Connection.Send({"Verb": "UNSUBSCRIBE", "Topics": ["one/+", "kept"]})
    elif verb == "UNSUBACK":
        Connection.Send({"Verb": "PUBLISH", "Topic": "one/x", "Payload": "nobody"})
        Connection.Disconnect() if Parameters["Mode2"] else Connection.Send({"Verb": "DISCONNECT"})

def onDisconnect(Connection):
    Domoticz.Log("disconnect")
"#;

fn config(port: u16, protocol: &str, rest: &str) -> String {
    format!(
        "parameters = {{ Address = \"127.0.0.1\", Port = \"{port}\", Mode1 = \"{protocol}\"{rest} }}"
    )
}

async fn all_verbs(protocol: &str, secure: bool) {
    let mut stage = Stage::new();
    let broker = broker(stage.scratch()).await;
    let port = if secure { broker.tls } else { broker.plain };
    let folder = stage.plugin("client", &plugin_text("Client", CLIENT));
    let config = config(port, protocol, "");
    stage
        .start(&[(section("HW", "Client", &config), folder)])
        .await;
    stage
        .lines(&[
            "HW: connect 0",
            "HW: CONNACK {'Description': 'Connection Accepted', 'Status': 0}",
        ])
        .await;
    // The broker's answers to several requests come in an order of its own.
    for line in [
        "HW: SUBACK {'PacketIdentifier': 1, 'Topics': [{'Status': 0, 'Description': 'Success - Maximum QoS 0'}, \
         {'Status': 1, 'Description': 'Success - Maximum QoS 1'}, {'Status': 2, 'Description': 'Success - Maximum QoS 2'}]}",
        "HW: PUBLISH kept QoS 0 Retain True 3 False b'old'",
        "HW: PUBLISH kept QoS 0 Retain False 6 False b'zero \\xff'",
        "HW: PUBLISH one/x QoS 1 Retain False 2 False b'42'",
        "HW: PUBLISH two/x/y QoS 2 Retain False 5120 True",
        "HW: PUBACK {'PacketIdentifier': 2}",
        "HW: PUBREC {'PacketIdentifier': 3}",
        "HW: PUBCOMP {'PacketIdentifier': 3}",
    ] {
        stage.line(line).await;
    }
    stage
        .lines(&[
            "HW: PUBREL {'PacketIdentifier': ",
            "HW: PINGRESP {}",
            "HW: UNSUBACK {'PacketIdentifier': 4}",
            "HW: disconnect",
        ])
        .await;
    assert!(!stage.said("nobody"), "{}", stage.transcript());
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_139_141_142_143_144_146_147_148_149_mosquitto_and_all_verbs() {
    all_verbs("MQTT", false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_104_mqtts_over_tcp_is_tls() {
    all_verbs("MQTTS", true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_140_145_user_and_password_are_the_hardwares() {
    let mut stage = Stage::new();
    let broker = broker(stage.scratch()).await;
    let folder = stage.plugin("client", &plugin_text("Client", CLIENT));
    let known = config(
        broker.locked,
        "MQTT",
        ", Username = \"u\", Password = \"p\"",
    );
    let unknown = config(broker.locked, "MQTT", "");
    stage
        .start(&[
            (section("Known", "Client", &known), folder.clone()),
            (section("Unknown", "Client", &unknown), folder),
        ])
        .await;
    stage
        .line("Known: CONNACK {'Description': 'Connection Accepted', 'Status': 0}")
        .await;
    stage
        .lines(&[
            "Unknown: CONNACK {'Description': 'Connection Refused, not authorized', 'Status': 5}",
            "Unknown: disconnect",
        ])
        .await;
    stage.stop().await;
}

const OBSERVER: &str = r#"
def onStart():
    global conn
    conn = Domoticz.Connection(Name="observer", Transport="TCP/IP", Protocol="MQTT",
                               Address=Parameters["Address"], Port=Parameters["Port"])
    conn.Connect()

def onConnect(Connection, Status, Description):
    Connection.Send({"Verb": "CONNECT", "ID": "observer"})

def onMessage(Connection, Data):
    if Data["Verb"] == "CONNACK":
        Connection.Send({"Verb": "SUBSCRIBE", "Topics": [{"Topic": "will/#"}]})
    else:
        Domoticz.Log("%s %r" % (Data["Verb"], Data.get("Payload")))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn the_will_of_a_client_that_leaves_without_goodbye_is_published() {
    let mut stage = Stage::new();
    let broker = broker(stage.scratch()).await;
    let observer = stage.plugin("observer", &plugin_text("Observer", OBSERVER));
    let client = stage.plugin("client", &plugin_text("Client", CLIENT));
    let observe = config(broker.plain, "MQTT", "");
    // Mode2 makes it drop the connection.
    let leave = config(broker.plain, "MQTT", ", Mode2 = \"1\"");
    stage
        .start(&[
            (section("Observer", "Observer", &observe), observer),
            (section("HW", "Client", &leave), client),
        ])
        .await;
    stage.line("HW: disconnect").await;
    stage.line("Observer: PUBLISH b'gone \\x00'").await;
    stage.stop().await;
}
