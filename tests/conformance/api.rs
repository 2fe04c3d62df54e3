//! The HTTP API with plugins behind it: a request arrives as a callback, and the
//! plugin's actions are seen from outside.

use serde_json::Value;

use crate::stage::{Stage, plugin_text, section};

const PLUGIN: &str = r#"
def onStart():
    if not Devices:
        Domoticz.Device(Name="Lamp", Unit=1, TypeName="Dimmer", Used=1).Create()
        Domoticz.Device(Name="Strip", Unit=2, TypeName="RGB", Used=1).Create()
        Domoticz.Device(Name="Heat", Unit=3, TypeName="Set Point", Used=1).Create()
        Domoticz.Device(Name="Count", Unit=4, Type=243, Subtype=33, Used=1,
                        Options={"DisableLogAutoUpdate": "true"}).Create()
    Domoticz.Log("started %s %s %d" % (Parameters["Name"], Parameters["Mode1"], len(Devices)))

def onStop():
    Domoticz.Log("stopped %s" % Parameters["Name"])

def onCommand(Unit, Command, Level, Color):
    Domoticz.Log("command %d %s %s %s" % (Unit, Command, Level, Color))
    if Unit == 1:
        Devices[1].Update(nValue=2 if Level else 0, sValue=str(Level))
        Devices[4].Update(nValue=0, sValue="1000;25;2024-05-01")

def onDeviceAdded(Unit):
    Domoticz.Log("added %d %s" % (Unit, Devices[Unit].Name))

def onDeviceModified(Unit):
    Domoticz.Log("modified %d %s %s" % (Unit, Devices[Unit].Name, Devices[Unit].sValue))

def onDeviceRemoved(Unit):
    Domoticz.Log("removed %d" % Unit)
"#;

async fn ask(stage: &Stage, query: &str) -> Value {
    let text = stage.json(&format!("type=command&param={query}")).await;
    serde_json::from_str(&text).expect("JSON")
}

/// Asks and expects OK.
async fn ok(stage: &Stage, query: &str) -> Value {
    let answer = ask(stage, query).await;
    assert_eq!(answer["status"], "OK", "{query}: {answer}");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_arrives_as_a_callback_and_what_it_does_is_seen() {
    let mut stage = Stage::new();
    let folder = stage.plugin("full", &plugin_text("Full", PLUGIN));
    stage.start(&[(section("HW", "Full", ""), folder)]).await;
    stage.line("started HW").await;
    ok(&stage, "switchlight&idx=1&switchcmd=Set%20Level&level=30").await;
    stage.line("command 1 Set Level 30").await;
    ok(
        &stage,
        "setcolbrightnessvalue&idx=2&hex=00ff00&brightness=70",
    )
    .await;
    let color = r#"{"b":0,"cw":0,"g":255,"m":3,"r":0,"t":0,"ww":0}"#;
    stage.line(&format!("command 2 Set Color 70 {color}")).await;
    ok(&stage, "setsetpoint&idx=3&setpoint=20.5").await;
    stage.line("command 3 Set Level 20.5").await;
    let older = stage.json("type=setused&idx=3&setpoint=21&used=true").await;
    assert!(older.contains("\"OK\""), "{older}");
    stage.line("command 3 Set Level 21.0").await;
    // The plugin's update, by way of the callback: its value, its log and its history.
    let row = ok(&stage, "getdevices&rid=1").await["result"][0].clone();
    assert_eq!(
        (&row["Level"], &row["Status"]),
        (&Value::from(30), &Value::from("Set Level: 30 %"))
    );
    let log = ok(&stage, "getlightlog&idx=1").await;
    assert_eq!(log["result"][0]["Level"], 30);
    let graph = ok(
        &stage,
        "graph&sensor=counter&idx=4&range=2024-01-01T2024-12-31",
    )
    .await;
    assert_eq!(graph["result"][0]["v"], "0.025");
    ok(&stage, "udevice&idx=3&nvalue=0&svalue=19").await;
    stage.line("command 3 Set Level 19.0").await;
    let made = ok(
        &stage,
        "createdevice&idx=1&sensorname=Made&sensormappedtype=0x5005",
    )
    .await;
    stage.line("added 5 Made").await;
    let idx = made["idx"].as_str().expect("an idx").to_owned();
    ok(&stage, &format!("deletedevice&idx={idx}")).await;
    stage.line("removed 5").await;
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hardware_is_added_changed_kept_and_removed() {
    let mut stage = Stage::new();
    stage.plugin("full", &plugin_text("Full", PLUGIN));
    let fixed = stage.plugin("fixed", &plugin_text("Fixed", PLUGIN));
    let sections = [(section("Fixed", "Fixed", ""), fixed)];
    stage.start(&sections).await;
    stage.line("started Fixed").await;
    let types = ok(&stage, "gethardwaretypes").await;
    let full = types["result"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["key"] == "Full");
    assert_eq!(
        full.expect("the plugin")["parameters"][0]["field"],
        "Address"
    );
    let added = ok(
        &stage,
        "addhardware&htype=94&name=Added&extra=Full&Mode1=one&enabled=true",
    )
    .await;
    let idx = added["idx"].as_str().expect("an idx").to_owned();
    stage.line("started Added one 4").await;
    let query =
        format!("updatehardware&idx={idx}&name=Renamed&Mode1=two&enabled=true&password=secret");
    ok(&stage, &query).await;
    stage
        .lines(&["stopped Added", "started Renamed two 4"])
        .await;
    let listed = ok(&stage, "gethardware").await;
    let row = listed["result"]
        .as_array()
        .expect("rows")
        .iter()
        .find(|row| row["idx"] == *idx);
    let row = row.expect("the hardware");
    assert_eq!(
        (&row["Name"], &row["Mode1"], &row["Extra"]),
        (&"Renamed".into(), &"two".into(), &"Full".into())
    );
    assert!(!listed.to_string().contains("secret"), "{listed}");
    // Hardware that cannot start is not stored; that of cordon.toml is not changed.
    for (query, problem) in [
        (
            "addhardware&htype=94&name=Bad&extra=Full&port=http",
            "whole number",
        ),
        (
            "addhardware&htype=94&name=Bad&extra=Nothing",
            "no plugin with key",
        ),
        ("addhardware&htype=1&name=Bad&extra=Full", "94"),
        ("addhardware&htype=94&name=Fixed&extra=Full", "another name"),
        ("updatehardware&idx=1&name=Mine", "cordon.toml"),
        ("deletehardware&idx=1", "cordon.toml"),
        ("deletehardware&idx=99", "no hardware has this idx"),
    ] {
        let answer = ask(&stage, query).await;
        let message = answer["message"].as_str().unwrap_or("");
        assert!(
            answer["status"] == "ERR" && message.contains(problem),
            "{query}: {answer}"
        );
    }
    // It is there again when the hub is.
    stage.stop().await;
    stage.start(&sections).await;
    stage
        .lines(&["stopped Renamed", "started Renamed two 4"])
        .await;
    // Switched off it is listed, and does not run.
    ok(&stage, &format!("updatehardware&idx={idx}&enabled=false")).await;
    let listed = ok(&stage, "gethardware").await.to_string();
    assert!(listed.contains("\"Enabled\":\"false\""), "{listed}");
    let row = ok(&stage, "getdevices").await["result"]
        .as_array()
        .expect("rows")
        .len();
    assert_eq!(row, 8);
    ok(&stage, &format!("deletehardware&idx={idx}")).await;
    assert_eq!(
        ok(&stage, "getdevices").await["result"]
            .as_array()
            .expect("rows")
            .len(),
        4
    );
    let folder = stage.scratch().join("data/plugins").join(&idx);
    assert!(!folder.exists(), "its files are still there");
    stage.stop().await;
}

const REACHES: &str = r#"
import socket
def onStart():
    for port in (Parameters["Mode1"], Parameters["Port"]):
        try:
            socket.create_connection(("127.0.0.1", int(port)), timeout=5).close()
            Domoticz.Log("reached %s" % port)
        except OSError as error:
            Domoticz.Log("refused %s" % port)
    Domoticz.Log("tried")
"#;

#[tokio::test(flavor = "multi_thread")]
async fn added_hardware_reaches_its_own_address_and_port_and_no_other() {
    let own = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let other = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = |listener: &std::net::TcpListener| listener.local_addr().expect("an address").port();
    let (own_port, other_port) = (port(&own), port(&other));
    let mut stage = Stage::new();
    stage.plugin("reaches", &plugin_text("Reaches", REACHES));
    stage.start(&[]).await;
    let query = format!(
        "addhardware&htype=94&name=R&extra=Reaches&address=127.0.0.1&port={own_port}&Mode1={other_port}"
    );
    ok(&stage, &query).await;
    stage.line("tried").await;
    assert!(
        stage.said(&format!("reached {own_port}")),
        "{}",
        stage.transcript()
    );
    assert!(
        stage.said(&format!("refused {other_port}")),
        "{}",
        stage.transcript()
    );
    stage.stop().await;
}
