//! The machine sleeps and wakes up, and the operator's hook says so over HTTP.

use serde_json::{Value, json};

use crate::site::{KEY, Site, send};
use crate::stage::{PLUGIN, Stage};

const DEVICES: &str = "<Devices>\
    <Device type=\"relay\" id=\"relay\"><Name>Relay</Name></Device></Devices>";

const CODE: &str = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name='lamp', deviceTypeId='relay')
    def deviceStartComm(self, dev):
        indigo.server.log('start ' + dev.name)
    def deviceStopComm(self, dev):
        indigo.server.log('stop ' + dev.name)
";

const OWN: &str = "
class Plugin(indigo.PluginBase):
    def prepare_to_sleep(self):
        indigo.server.log('sleeps')
        raise OSError('not now')
    def wakeUp(self):
        indigo.server.log('wakes')
";

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_of_the_system_puts_plugins_to_sleep_and_wakes_them() {
    let mut stage = Stage::new();
    let files = [("plugin.py", CODE), ("Devices.xml", DEVICES)];
    stage.start("Case", PLUGIN, &files, "").await;
    stage.line("start lamp").await;
    let own = [("plugin.py", OWN)];
    stage.start("Own", "org.example.own", &own, "").await;
    let server = stage.server().await;
    let running = |id: &str| server.plugin(id).is_some_and(|it| it.running());
    let both = async |_: &mut Stage| running(PLUGIN) && running("org.example.own");
    stage.until("both plugins", both).await;
    let site = Site::open(&mut stage).await;
    let (status, _, body) = send(&site, "GET", "/cordon/indigo/sleep", Value::Null).await;
    assert_eq!(status, 405, "{body}");
    for (path, answer) in [
        (
            "sleep",
            json!({"org.example.case": "done", "org.example.own": "raised"}),
        ),
        // They sleep already.
        ("sleep", json!({})),
        (
            "wake",
            json!({"org.example.case": "done", "org.example.own": "done"}),
        ),
        ("wake", json!({})),
    ] {
        let path = format!("/cordon/indigo/{path}");
        let (status, _, body) = send(&site, "POST", &path, json!({})).await;
        assert_eq!(status, 200, "{body}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body, json!({ "plugins": answer }), "{path}");
    }
    stage.stop().await;
    let text = stage.transcript();
    let own = |line: &&str| line.starts_with("Case: st");
    let steps: Vec<_> = text.lines().filter(own).collect();
    let expected = ["start", "stop", "start", "stop"].map(|word| format!("Case: {word} lamp"));
    assert_eq!(steps, expected, "{text}");
    assert_eq!(text.matches("Own: sleeps").count(), 1, "{text}");
    assert_eq!(text.matches("Own: wakes").count(), 1, "{text}");
    assert!(text.contains("OSError: not now"), "{text}");
}

/// The script that the documentation has for systemd, run as systemd runs it.
#[tokio::test(flavor = "multi_thread")]
async fn the_documented_hook_works() {
    let docs = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/indigo.md");
    let docs = std::fs::read_to_string(docs).unwrap();
    let script = docs.split("```sh\n").nth(1).expect("the hook");
    let script = script.split("```").next().expect("its end").to_owned();
    let mut stage = Stage::new();
    let code = OWN.replace("        raise OSError('not now')\n", "");
    stage.start_code(&code, "").await;
    let server = stage.server().await;
    let running = async |_: &mut Stage| server.plugin(PLUGIN).is_some_and(|it| it.running());
    stage.until("the plugin", running).await;
    let site = Site::open(&mut stage).await;
    let script = script
        .replace("127.0.0.1:8080", &site.address.to_string())
        .replace("Bearer KEY", &format!("Bearer {KEY}"));
    let file = stage.path().join("hook");
    std::fs::write(&file, script).unwrap();
    for (verb, line) in [("pre", "sleeps"), ("post", "wakes")] {
        let mut hook = std::process::Command::new("/bin/sh");
        hook.arg(&file).args([verb, "suspend"]);
        let ran = tokio::task::spawn_blocking(move || hook.output()).await;
        let ran = ran.unwrap().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "{ran:?}");
        assert_eq!(said, "{\"plugins\":{\"org.example.case\":\"done\"}}");
        stage.line(line).await;
    }
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nobody_is_put_to_sleep() {
    let mut stage = Stage::new();
    stage.start_code(OWN, "").await;
    let site = Site::open(&mut stage).await;
    let asking = move || {
        let config = ureq::Agent::config_builder().http_status_as_error(false);
        let agent: ureq::Agent = config.build().into();
        let path = format!("http://{}/cordon/indigo/sleep", site.address);
        agent.post(&path).send_empty().unwrap().status().as_u16()
    };
    assert_eq!(tokio::task::spawn_blocking(asking).await.unwrap(), 401);
    stage.stop().await;
    let text = stage.transcript();
    assert!(!text.contains("sleeps"), "{text}");
}
