//! Commands of an Indigo plugin that are small to give and large to carry out: their cost
//! for the hub is bounded and charged, and nobody else waits for it.

use std::time::{Duration, Instant};

use cordon_indigo::Caller;
use cordon_runtime::instance::counters::Status;
use serde_json::json;

use crate::attack::{By, assert_told};
use crate::indigo::{Attack, ID, start};
use crate::scene::{FLAT, Scene, assert_failures, until};

/// Python that sends commands as they are, without the help of module `indigo` in between.
const RAW: &str = "
import json, _cordon
def raw(name, args):
    return _cordon.call(name, args if isinstance(args, str) else json.dumps(args))
def made(name, args):
    kind, reply = raw(name, args)
    return json.loads(reply)['id']
";

/// How long another's command may take while an attack runs, on a busy machine. The requests of the
/// attacks took seconds to minutes when everybody waited for it.
const PROMPT: Duration = Duration::from_secs(2);

trips! {
    values_of_one_command_are_bounded: "command-values" => Attack {
        source: "
import _cordon
def attack():
    kind, reply = _cordon.call('variables.objects', '{\"ids\":[' + ','.join(['1'] * 80000) + ']}')
    indigo.server.log('kind %s' % bool(kind))
",
        limits: "",
        says: &["kind True"],
    };

    /// One large variable, named twenty thousand times.
    answers_are_bounded: "host-memory" => Attack {
        source: "
import json, _cordon
def attack():
    var = indigo.variable.create('big', 'x' * 100000)
    args = '{\"ids\":[' + ','.join([str(var.id)] * 20000) + ']}'
    kind, reply = _cordon.call('variables.objects', args)
    indigo.server.log('kind %s' % bool(kind))
",
        limits: "",
        says: &["kind True"],
    };

    /// Labels of states that have no key are kept as well.
    declared_states_are_bounded: "stored-bytes" => Attack {
        source: "
import json, _cordon
def attack():
    kept = 0
    for n in range(100):
        kind, reply = _cordon.call('device.create', json.dumps({'name': 'd%d' % n, 'deviceTypeId': 'custom'}))
        if kind: break
        states = [{'Key': '', 'Type': 'String', 'TriggerLabel': 'k' * 1000, 'StateLabel': ''}] * 100
        kind, reply = _cordon.call('device.stateListOrDisplayStateIdChanged',
            json.dumps({'id': json.loads(reply)['id'], 'stateList': states}))
        if kind: break
        kept += 1
    indigo.server.log('%d kept' % kept)
",
        limits: "stored-bytes = 300000",
        says: &["2 kept"],
    };

    /// A line of the hub because of a plugin is in its name, on one line, within its rate.
    lines_of_the_hub_are_the_plugins_own: "log-lines-per-second" => By(async |limit: &'static str| {
        let mut scene = Scene::new().await;
        let source = "
class Plugin(indigo.PluginBase):
    def startup(self):
        dev = indigo.device.create(protocol=indigo.kProtocol.Plugin, deviceTypeId='relay',
            name=\"x\\n2026-11-30 06:00:00.000  Status: forged\")
        indigo.device.enable(dev, value=False)
        for n in range(3000):
            indigo.device.turnOn(dev)
        import time
        time.sleep(2)
        indigo.server.log('goes on')
";
        let attacker = start(&mut scene, source, "log-lines-per-second = 5").await;
        let line = scene.said("").await;
        assert!(!line.contains('\n'), "{line}");
        let line = scene.bench.line(&format!("limit {limit}: ")).await;
        assert_told(limit, &attacker.spec.limits, &line);
        scene.said("goes on").await;
        scene.bench.drain();
        let text = scene.bench.transcript();
        let forged: Vec<_> = text.lines().filter(|it| it.contains("Status: forged")).collect();
        assert!(forged.len() < 200, "{} lines", forged.len());
        assert!(forged.iter().all(|it| it.contains("Attacker: ")), "{text}");
        assert_failures(&attacker, 0);
        scene.finish(FLAT).await;
    });
}

/// The operator's trigger on an action with the attacker's device, which the attacker makes
/// large, and copies of the trigger: what a change sets off is written in the attacker's own
/// turn, and not where the changes of all are told.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_sets_off_holds_nobody_up() {
    let mut scene = Scene::new().await;
    let source = format!(
        "{RAW}
import threading, time
class Plugin(indigo.PluginBase):
    def startup(self):
        threading.Thread(target=self.run).start()
    def run(self):
        d = made('device.create', {{'name': 'd', 'deviceTypeId': 'custom'}})
        v = made('variable.create', {{'name': 'v', 'value': '0'}})
        indigo.server.log('made %d %d.' % (d, v))
        while not len(indigo.triggers): time.sleep(.1)
        raw('device.replacePluginPropsOnServer', {{'id': d, 'props': {{'k%05d' % n: n for n in range(20000)}}}})
        for n in range(15):
            raw('trigger.duplicate', {{'id': indigo.triggers['t'].id, 'duplicateName': 't%d' % n}})
        n = 0
        while True:
            n += 1
            raw('variable.updateValue', {{'id': v, 'value': str(n)}})
    def go(self, action): pass
"
    );
    // So many steps may wait, and each takes long: the rest is told, and none is left for the
    // tests that follow.
    let attacker = start(&mut scene, &source, "inbox = 16").await;
    let line = scene.said("made ").await;
    let mut ids = line.trim_end_matches('.').rsplit(' ');
    let mut id = || ids.next().unwrap().parse::<i64>().unwrap();
    let (variable, device) = (id(), id());
    let server = scene.bench.hub.indigo().await.unwrap();
    let step = json!({"class": "indigo.PluginAction", "pluginId": ID, "pluginTypeId": "go",
        "deviceId": device});
    let trigger = json!({"name": "t", "variableId": variable, "suppressLogging": true,
        "actions": vec![step; 20]});
    let operator = Caller::Operator("api-http");
    let made = server.command(&operator, "varValueChange.create", trigger);
    made.await.unwrap();
    // The attacker's own commands wait behind its steps, and would for long.
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_failures(&attacker, 0);
    scene.finish(2 * FLAT).await;
}

/// Thousands of values for a device with thousands of properties, by two plugins' worth of
/// threads: a command of the operator is carried out meanwhile, and the work is billed.
#[tokio::test(flavor = "multi_thread")]
async fn one_long_command_holds_nobody_up() {
    let mut scene = Scene::new().await;
    let source = format!(
        "{RAW}
import threading
class Plugin(indigo.PluginBase):
    def startup(self):
        threading.Thread(target=self.run).start()
    def run(self):
        d = made('device.create', {{'name': 'd', 'deviceTypeId': 'custom'}})
        raw('device.stateListOrDisplayStateIdChanged', {{'id': d, 'stateList': [{{'Key': 'n', 'Type': 'Integer'}}]}})
        raw('device.replacePluginPropsOnServer', {{'id': d, 'props': {{'k%05d' % n: n for n in range(12000)}}}})
        args = '{{\"id\":%d,\"states\":[' % d + ','.join(['{{\"key\":\"n\",\"value\":\"x\"}}'] * 16000) + ']}}'
        indigo.server.log('begins')
        for n in range(5):
            kind, reply = raw('device.updateStatesOnServer', args)
        indigo.server.log('ends %s' % bool(kind))
"
    );
    let attacker = start(&mut scene, &source, "cpu-share = 400").await;
    scene.said("begins").await;
    let server = scene.bench.hub.indigo().await.unwrap();
    let operator = Caller::Operator("api-http");
    let variable = json!({"name": "v", "value": "0"});
    let made = server.command(&operator, "variable.create", variable).await;
    made.unwrap();
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let begun = Instant::now();
        let value = json!({"id": "v", "value": n.to_string()});
        let done = server.command(&operator, "variable.updateValue", value);
        done.await.unwrap();
        slowest = slowest.max(begun.elapsed());
    }
    assert!(
        slowest < PROMPT,
        "a command of the operator took {slowest:?}"
    );
    scene.said("ends False").await;
    let billed = server.plugin(ID).unwrap().account.billed();
    assert!(billed > Duration::from_millis(5), "{billed:?}");
    assert_failures(&attacker, 0);
    let counters = &attacker.counters;
    until("the attacker runs", || counters.status() == Status::Running).await;
    scene.finish(FLAT).await;
}

/// A filter that names one property of megabytes five hundred times took seconds; triggers
/// with long values were compared with each change before anybody was told of it.
#[tokio::test(flavor = "multi_thread")]
async fn filters_and_triggers_hold_nobody_up() {
    let mut scene = Scene::new().await;
    let source = format!(
        "{RAW}
import threading
class Plugin(indigo.PluginBase):
    def startup(self):
        threading.Thread(target=self.run).start()
    def run(self):
        made('device.create', {{'name': 'd', 'deviceTypeId': 'custom', 'props': {{'a': ' ' * 1500000 + '1'}}}})
        made('variable.create', {{'name': 'shared', 'value': ''}})
        trigger = {{'variableId': 'shared', 'variableChangeType': 'BecomesGreaterThan', 'suppressLogging': True}}
        long, n = raw('varValueChange.create', trigger | {{'name': 't', 'variableValue': 'X' * 15000}}), 0
        while not raw('varValueChange.create', trigger | {{'name': 't%d' % n, 'variableValue': chr(1046) * 100}})[0]:
            n += 1
        indigo.server.log('begins with %d, and with a long one %s' % (n, not long[0]))
        filter = 'self,' + ','.join(['props.a'] * 500)
        for n in range(300):
            raw('devices.len', {{'filter': filter}})
            raw('variable.updateValue', {{'id': 'shared', 'value': chr(1078) * 100 + str(n)}})
        indigo.server.log('ends')
"
    );
    let attacker = start(&mut scene, &source, "cpu-share = 400").await;
    scene
        .said("begins with 16, and with a long one False")
        .await;
    let server = scene.bench.hub.indigo().await.unwrap();
    let operator = Caller::Operator("api-http");
    let mut slowest = Duration::ZERO;
    for n in 0..20 {
        let begun = Instant::now();
        let value = json!({"id": "shared", "value": n.to_string()});
        for (name, arguments) in [
            ("variable.updateValue", value),
            ("devices.len", json!({"filter": "indigo.relay"})),
        ] {
            let done = server.command(&operator, name, arguments);
            done.await.unwrap();
        }
        slowest = slowest.max(begun.elapsed());
    }
    assert!(
        slowest < PROMPT,
        "commands of the operator took {slowest:?}"
    );
    scene.said("ends").await;
    assert_failures(&attacker, 0);
    let counters = &attacker.counters;
    until("the attacker runs", || counters.status() == Status::Running).await;
    scene.finish(FLAT).await;
}
