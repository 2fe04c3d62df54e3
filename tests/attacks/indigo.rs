//! Things that an Indigo plugin can make the server hold: objects, bytes, subscriptions,
//! messages, delayed commands, and calls that wait for it.

use cordon_indigo::config::IndigoSection;
use cordon_indigo::{Caller, ServerOptions};
use cordon_reach::mail::Mailer;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;
use serde_json::json;

use crate::attack::{By, Trip, assert_told};
use crate::scene::{FLAT, Scene, assert_failures, until};
use crate::support::bundle::bundle;

pub const ID: &str = "org.example.attacker";

const ACTIONS: &str = "<Actions><Action id=\"go\"><Name>Go</Name>\
    <CallbackMethod>go</CallbackMethod></Action></Actions>";

const DEVICES: &str = "<Devices><Device type=\"relay\" id=\"relay\"><Name>Relay</Name></Device>\
    <Device type=\"custom\" id=\"custom\"><Name>Custom</Name></Device></Devices>";

/// An attack from `startup`, by an Indigo plugin beside a quiet Domoticz one.
pub struct Attack {
    pub source: &'static str,
    pub limits: &'static str,
    pub says: &'static [&'static str],
}

pub async fn start(scene: &mut Scene, source: &str, limits: &str) -> Remote {
    start_with(scene, source, &format!("limits = {{ {limits} }}")).await
}

/// The same with this rest of its section.
async fn start_with(scene: &mut Scene, source: &str, config: &str) -> Remote {
    let folder = scene.bench.data_folder().join("../bundles");
    let files = [
        ("plugin.py", source),
        ("Actions.xml", ACTIONS),
        ("Devices.xml", DEVICES),
    ];
    let root = bundle(&folder, "Attacker", ID, &files);
    let section = format!("bundle = {:?}\n{config}", root.display().to_string());
    let section: IndigoSection = toml::from_str(&section).unwrap();
    scene.bench.hub.start_indigo(&section).await.unwrap();
    scene.bench.hub.instances().last().unwrap().remote()
}

impl Trip for Attack {
    async fn trip(self, name: &'static str) {
        let mut scene = Scene::new().await;
        let source = format!(
            "{}\n\nclass Plugin(indigo.PluginBase):\n    def startup(self):\n        attack()\n        \
             indigo.server.log('goes on')\n",
            self.source
        );
        let attacker = start(&mut scene, &source, self.limits).await;
        let line = scene.bench.line(&format!("limit {name}: ")).await;
        assert!(line.contains("Attacker: "), "{line}");
        assert_told(name, &attacker.spec.limits, &line);
        for line in self.says {
            scene.said(line).await;
        }
        scene.said("goes on").await;
        assert_failures(&attacker, 0);
        let counters = &attacker.counters;
        until("the attacker runs", || counters.status() == Status::Running).await;
        scene.finish(FLAT).await;
    }
}

trips! {
    objects_of_all_kinds_are_bounded: "devices" => Attack {
        source: "
def attack():
    made = 0
    for n in range(1000):
        try:
            if n % 2: indigo.variable.create('v%d' % n)
            else: indigo.device.create(protocol=indigo.kProtocol.Plugin, name='d%d' % n, deviceTypeId='relay')
            made += 1
        except RuntimeError: break
    indigo.server.log('%d made' % made)
",
        limits: "devices = 6",
        says: &["6 made"],
    };

    bytes_of_objects_are_bounded: "stored-bytes" => Attack {
        source: "
def attack():
    dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name='d', deviceTypeId='relay')
    try: dev.replacePluginPropsOnServer({'a': 'x' * 100000})
    except RuntimeError: pass
    var = indigo.variable.create('v', 'short')
    try: indigo.variable.updateValue(var, value='x' * 100000)
    except RuntimeError: pass
    indigo.server.log('kept %s %d' % (indigo.variables['v'].value, len(indigo.devices['d'].pluginProps)))
",
        limits: "stored-bytes = 20000",
        says: &["kept short 0"],
    };

    preferences_are_bounded: "stored-bytes" => Attack {
        source: "
def attack():
    from indigo import _call
    try: _call.command('server.savePluginPrefs', {'pluginPrefs': {'a': 'x' * 100000}})
    except RuntimeError: pass
",
        limits: "stored-bytes = 20000",
        says: &[],
    };

    /// Of a file that is too long to be read again, nothing would be left at the next start.
    preferences_are_bounded_as_they_are_written: "stored-bytes" => Attack {
        source: "
def attack():
    from indigo import _call
    _call.command('server.savePluginPrefs', {'pluginPrefs': {'a': 'kept'}})
    try: _call.command('server.savePluginPrefs', {'pluginPrefs': {'a': '&' * 18000}})
    except RuntimeError: indigo.server.log('refused')
",
        limits: "stored-bytes = 20000",
        says: &["refused"],
    };

    subscriptions_are_bounded: "subscriptions" => Attack {
        source: "
def attack():
    kept = 0
    for n in range(1000):
        try: indigo.server.subscribeToBroadcast('org.example.x', 'm%d' % n, 'go')
        except RuntimeError: break
        kept += 1
    indigo.server.log('%d kept' % kept)
",
        limits: "subscriptions = 5",
        says: &["5 kept"],
    };

    letters_are_bounded: "mails-per-hour" => By(async |name: &'static str| {
        // Nobody listens there: the bytes that are handed over count.
        let config = "server = \"127.0.0.1\"\nport = 1\nsecurity = \"none\"\nfrom = \"a@b\"";
        let mailer = Mailer::new(toml::from_str(config).unwrap());
        let options = ServerOptions { mailer: Some(mailer), ..ServerOptions::default() };
        let mut scene = Scene::described(options).await;
        let source = "
class Plugin(indigo.PluginBase):
    def startup(self):
        kept = 0
        for n in range(1000):
            try: indigo.server.sendEmailTo('me@example.org', subject='%d' % n)
            except RuntimeError: break
            kept += 1
        indigo.server.log('%d letters' % kept)
        # The operator's own actions count as well.
        for n in range(3):
            indigo.actionGroup.execute('bell')
        indigo.server.log('goes on')
";
        let server = scene.bench.hub.indigo().await.unwrap();
        let mail = json!({"class": "indigo.EmailAction", "emailTo": "you@example.org"});
        let group = json!({"name": "bell", "actions": [mail]});
        let operator = Caller::Operator("api-http");
        server.command(&operator, "actionGroup.create", group).await.unwrap();
        let config = "limits = { mails-per-hour = 3 }\ngrants = { mail = [\"me@example.org\"] }";
        let attacker = start_with(&mut scene, source, config).await;
        let line = scene.bench.line(&format!("limit {name}: ")).await;
        assert_told(name, &attacker.spec.limits, &line);
        scene.said("3 letters").await;
        scene.said("goes on").await;
        scene.bench.drain();
        let text = scene.bench.transcript();
        assert!(!text.contains("you@example.org"), "{text}");
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    messages_are_bounded: "broadcast-bytes" => Attack {
        source: "
def attack():
    indigo.server.broadcastToSubscribers('m', 'x' * 1000)
    try: indigo.server.broadcastToSubscribers('m', 'x' * 100000)
    except RuntimeError: indigo.server.log('refused')
",
        limits: "broadcast-bytes = 2000",
        says: &["refused"],
    };

    delayed_commands_are_bounded: "timers" => Attack {
        source: "
def attack():
    dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, name='d', deviceTypeId='relay')
    kept = 0
    for n in range(1000):
        try: indigo.device.turnOn(dev, delay=3600)
        except RuntimeError: break
        kept += 1
    indigo.server.log('%d wait' % kept)
",
        limits: "timers = 7",
        says: &["7 wait"],
    };

    /// Changes and actions for a plugin that does not come back from a callback.
    calls_that_wait_are_bounded_in_bytes: "inbox-bytes" => By(async |limit: &'static str| {
        let source = "
import threading
class Plugin(indigo.PluginBase):
    def go(self, action):
        indigo.server.log('busy')
        threading.Event().wait(5)
        indigo.server.log('goes on')
";
        let mut scene = Scene::new().await;
        let attacker = start(&mut scene, source, "inbox-bytes = 100000, inbox = 60000").await;
        let counters = attacker.counters.clone();
        until("the attacker runs", || counters.status() == Status::Running).await;
        let server = scene.bench.hub.indigo().await.unwrap();
        let caller = Caller::Operator("api-http");
        let go = |text: String| json!({"pluginId": ID, "actionTypeId": "go",
            "props": {"text": text}, "waitUntilDone": false});
        server.command(&caller, "server.pluginExecuteAction", go(String::new())).await.unwrap();
        scene.said("busy").await;
        for _ in 0..1000 {
            let text = "x".repeat(50_000);
            server.command(&caller, "server.pluginExecuteAction", go(text)).await.unwrap();
        }
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("goes on").await;
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    /// The number of calls is bounded as well.
    calls_that_wait_are_bounded: "inbox" => By(async |limit: &'static str| {
        let source = "
import threading
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.variables.subscribeToChanges()
    def go(self, action):
        indigo.server.log('busy')
        threading.Event().wait(5)
        indigo.server.log('goes on')
";
        let mut scene = Scene::new().await;
        let attacker = start(&mut scene, source, "inbox = 8").await;
        let counters = attacker.counters.clone();
        until("the attacker runs", || counters.status() == Status::Running).await;
        let server = scene.bench.hub.indigo().await.unwrap();
        let caller = Caller::Operator("api-http");
        let go = json!({"pluginId": ID, "actionTypeId": "go", "waitUntilDone": false});
        server.command(&caller, "server.pluginExecuteAction", go.clone()).await.unwrap();
        scene.said("busy").await;
        for _ in 0..100 {
            server.command(&caller, "server.pluginExecuteAction", go.clone()).await.unwrap();
        }
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("goes on").await;
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    /// The changes that a busy plugin follows: it misses some on the way, and gets the last value.
    changes_that_wait_are_bounded: "held-changes" => By(async |limit: &'static str| {
        let source = "
import threading
class Plugin(indigo.PluginBase):
    def startup(self):
        self.seen = []
        indigo.variables.subscribeToChanges()
    def go(self, action):
        indigo.server.log('busy')
        threading.Event().wait(3)
    def variableUpdated(self, old, new):
        self.seen.append((int(old.value), int(new.value)))
        if new.value == '100':
            inner = all(a[1] == b[0] for a, b in zip(self.seen, self.seen[1:]))
            indigo.server.log('%d came, joined %s' % (len(self.seen), inner))
";
        let mut scene = Scene::new().await;
        let attacker = start(&mut scene, source, "inbox = 8, held-changes = 5").await;
        let counters = attacker.counters.clone();
        until("the attacker runs", || counters.status() == Status::Running).await;
        let server = scene.bench.hub.indigo().await.unwrap();
        let caller = Caller::Operator("api-http");
        let made = json!({"name": "v", "value": "0"});
        server.command(&caller, "variable.create", made).await.unwrap();
        let go = json!({"pluginId": ID, "actionTypeId": "go", "waitUntilDone": false});
        server.command(&caller, "server.pluginExecuteAction", go).await.unwrap();
        scene.said("busy").await;
        for n in 1..=100 {
            let value = json!({"id": "v", "value": n.to_string()});
            server.command(&caller, "variable.updateValue", value).await.unwrap();
        }
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        // Eight in the inbox, and five behind them of which the last stands for many.
        scene.said("87 changes of objects came while too many waited").await;
        scene.said("13 came, joined True").await;
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });

    /// A device whose plugin changes a property at every start of it.
    restarts_of_a_device_are_bounded: "restarts-per-minute" => By(async |limit: &'static str| {
        let source = "
class Plugin(indigo.PluginBase):
    starts = 0
    def startup(self):
        indigo.device.create(protocol=indigo.kProtocol.Plugin, name='d', deviceTypeId='relay')
    def deviceStartComm(self, dev):
        self.starts += 1
        props = dev.pluginProps
        props['stamp'] = str(self.starts)
        dev.replacePluginPropsOnServer(props)
    def go(self, action):
        indigo.server.log('%d starts, the last %s' % (self.starts, indigo.devices['d'].pluginProps['stamp']))
";
        let mut scene = Scene::new().await;
        let attacker = start(&mut scene, source, "restarts-per-minute = 12").await;
        let line = scene.said(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("'d' is changed so often").await;
        let server = scene.bench.hub.indigo().await.unwrap();
        let caller = Caller::Operator("api-http");
        let go = json!({"pluginId": ID, "actionTypeId": "go", "waitUntilDone": true});
        server.command(&caller, "server.pluginExecuteAction", go.clone()).await.unwrap();
        // One start, and twelve restarts.
        scene.said("13 starts, the last 13").await;
        // The next follows by itself, when its time has come.
        tokio::time::sleep(std::time::Duration::from_secs(6)).await;
        server.command(&caller, "server.pluginExecuteAction", go).await.unwrap();
        scene.said("14 starts, the last 14").await;
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });
}

/// The reason is kept for as long as the plugin is off, and shown with the plugin.
#[tokio::test(flavor = "multi_thread")]
async fn the_reason_of_a_plugin_that_cannot_run_is_short() {
    let mut scene = Scene::new().await;
    let source = "
class Plugin(indigo.PluginBase):
    def startup(self):
        return 'y' * 3000000
";
    let attacker = start(&mut scene, source, "").await;
    scene.said("yyy").await;
    let counters = &attacker.counters;
    until("the attacker is off", || {
        !counters.status().reason().is_empty()
    })
    .await;
    let reason = counters.status().reason().len();
    assert!(reason < 5000, "{reason} bytes");
    scene.finish(FLAT).await;
}
