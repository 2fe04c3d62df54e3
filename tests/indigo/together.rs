//! Plugins of both kinds in one hub.

use cordon_indigo::Caller;
use serde_json::{Value, json};

use crate::stage::bundle;
use crate::support::{Bench, PluginText};

#[tokio::test(flavor = "multi_thread")]
async fn a_domoticz_and_an_indigo_plugin_run_in_one_hub() {
    let mut bench = Bench::new();
    let domoticz = PluginText {
        name: "Theirs",
        source: "
def onStart():
    try:
        import indigo
        Domoticz.Log('sees indigo')
    except ImportError:
        Domoticz.Log('up')
",
        config: "",
    };
    bench.start(domoticz).await;
    bench.line("Theirs: up").await;
    let code = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log('up, %d devices' % len(indigo.devices))
";
    let folder = bench.data_folder().join("../bundles");
    let root = bundle(&folder, "Ours", "org.example.ours", &[("plugin.py", code)]);
    let section = toml::from_str(&format!("bundle = {root:?}")).unwrap();
    bench.hub.start_indigo(&section).await.unwrap();
    bench.line("Ours: up, 0 devices").await;
    bench.hub.stop().await;
}

/// Has a lamp, which is switched by an action of its own.
const LAMP: &str = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.device.create(indigo.kProtocol.Plugin, name='lamp', deviceTypeId='lamp')

    def switch(self, action, dev):
        indigo.devices['lamp'].updateStateOnServer('onOffState', action.props['on'])
        return 'was asked by ' + action.props['by']
";

/// Asks the other plugin, and has an action for a trigger on its device.
const WATCHER: &str = "
class Plugin(indigo.PluginBase):
    lit = 0

    def runConcurrentThread(self):
        lamps = indigo.server.getPlugin('org.example.lamps')
        while 'lit' not in indigo.triggers:
            self.sleep(0.05)
        for on in (True, False, True):
            answer = lamps.executeAction('switch', props={'on': on, 'by': self.pluginId}, waitUntilDone=True)
            indigo.server.log('answer: lamp ' + answer)
        self.sleep(600)

    def tell(self, action, dev, waiting, event_data=None):
        lamp = indigo.devices[event_data['device-id']]
        self.lit += 1
        indigo.server.log('%s of %s is lit, time %d' % (lamp.name, lamp.pluginId, self.lit))
";

#[tokio::test(flavor = "multi_thread")]
async fn plugins_call_each_other_and_a_trigger_fires_on_the_others_device() {
    let mut bench = Bench::new();
    let source = "
def onStart():
    Domoticz.Heartbeat(1)
    Domoticz.Device(Name='Switch', Unit=1, TypeName='Switch', Used=1).Create()
def onHeartbeat():
    Domoticz.Log('beats with %d device' % len(Devices))
";
    let domoticz = PluginText {
        name: "Theirs",
        source,
        config: "",
    };
    bench.start(domoticz).await;
    let folder = bench.data_folder().join("../bundles");
    let devices = "<Devices><Device type='relay' id='lamp'><Name>Lamp</Name></Device></Devices>";
    let switch = "<Actions><Action id='switch'><Name>Switch</Name>\
        <CallbackMethod>switch</CallbackMethod></Action></Actions>";
    let tell = "<Actions><Action id='tell'><Name>Tell</Name>\
        <CallbackMethod>tell</CallbackMethod></Action></Actions>";
    let lamps = [
        ("plugin.py", LAMP),
        ("Devices.xml", devices),
        ("Actions.xml", switch),
    ];
    let watcher = [("plugin.py", WATCHER), ("Actions.xml", tell)];
    for (name, id, files) in [
        ("Lamps", "org.example.lamps", &lamps[..]),
        ("Watcher", "org.example.watcher", &watcher[..]),
    ] {
        let root = bundle(&folder, name, id, files);
        let section = toml::from_str(&format!("bundle = {root:?}")).unwrap();
        bench.hub.start_indigo(&section).await.unwrap();
    }
    let server = bench.hub.indigo().await.unwrap();
    server.ready();
    let operator = Caller::Operator("api-http");
    let command = async |name: &str, arguments: Value| {
        let done = server.command(&operator, name, arguments).await;
        done.unwrap_or_else(|failure| panic!("{name}: {failure}"))
    };
    while command("devices.list", json!({})).await == json!([]) {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let action = json!({"class": "indigo.PluginAction", "pluginId": "org.example.watcher",
        "pluginTypeId": "tell"});
    let trigger = json!({"name": "lit", "deviceId": "lamp", "stateSelector": "OnOffState",
        "stateChangeType": "BecomesTrue", "actions": [action]});
    command("devStateChange.create", trigger).await;
    bench
        .line("answer: lamp was asked by org.example.watcher")
        .await;
    // Off, and on again.
    bench.line("lamp of org.example.lamps is lit, time 2").await;
    bench.line("Theirs: beats with 1 device").await;
    let lamp = command("devices.get", json!({"id": "lamp"})).await;
    assert_eq!(lamp["onState"], true);
    bench.hub.stop().await;
}
