//! Steps that events set off are the doing of whoever caused the event or made the steps, and
//! keep nobody waiting. Objects of others stay as they are.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};

use super::super::caller::Caller;
use super::super::fixture::{Fixture, ID};
use super::super::plugin::{Answer, CATCH_UP};
use super::super::table::Collection;
use super::{plugin, user};

const DEVICES: &str = "<Devices><Device type='dimmer' id='lamp'><Name>Lamp</Name></Device>\
    <Device type='custom' id='custom'><Name>Custom</Name></Device></Devices>";
const ACTIONS: &str = "<Actions><Action id='go'><Name>Go</Name>\
    <CallbackMethod>go</CallbackMethod></Action></Actions>";

async fn fixture() -> Fixture {
    let files = [
        ("Server Plugin/Devices.xml", DEVICES),
        ("Server Plugin/Actions.xml", ACTIONS),
    ];
    Fixture::new(&files, |_, _| Some(Answer::Returned(Value::Null))).await
}

/// Names of those in whose name an action was refused: the hub's is empty.
fn blamed(fixture: &Fixture) -> Vec<String> {
    let lines = fixture.server.events().tail(None, 10_000);
    let refused = lines.iter().filter(|it| it.text.contains("ExecuteScript"));
    refused
        .map(|it| it.hardware.clone().unwrap_or_default())
        .collect()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The operator's steps in a copy of a plugin's were carried out as the operator's: beyond
/// the plugin's limits, such as that of letters, and with lines in the hub's name.
#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_a_plugin_copied_or_timed_is_its_doing() {
    let fixture = fixture().await;
    let schedule = |name: &str| {
        json!({"name": name, "absoluteTime": "2000-01-01T03:00:00",
            "actions": [{"class": "indigo.ExecuteScriptAction"}]})
    };
    let soon = |name: &str| json!({"id": name, "object": {"timeType": "Countdown"}});
    user(&fixture, "schedule.create", schedule("s"))
        .await
        .unwrap();
    let copied = json!({"id": "s", "duplicateName": "copy"});
    plugin(&fixture, "schedule.duplicate", copied)
        .await
        .unwrap();
    for name in ["copy", "s"] {
        plugin(&fixture, "schedule.replaceOnServer", soon(name))
            .await
            .unwrap();
    }
    until("both are executed", || blamed(&fixture).len() >= 2).await;
    assert_eq!(blamed(&fixture), ["fixture", "fixture"]);
    user(&fixture, "schedule.create", schedule("other"))
        .await
        .unwrap();
    user(&fixture, "schedule.replaceOnServer", soon("other"))
        .await
        .unwrap();
    until("it is executed", || blamed(&fixture).len() >= 3).await;
    assert_eq!(blamed(&fixture).last().unwrap(), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_of_the_start_that_a_plugin_copied_is_its_doing() {
    let fixture = fixture().await;
    let made = json!({"name": "t", "actions": [{"class": "indigo.ExecuteScriptAction"}]});
    user(&fixture, "serverStartup.create", made).await.unwrap();
    let copied = json!({"id": "t", "duplicateName": "copy"});
    plugin(&fixture, "trigger.duplicate", copied).await.unwrap();
    fixture.server.ready();
    until("both are fired", || blamed(&fixture).len() >= 2).await;
    assert_eq!(blamed(&fixture), ["", "fixture"]);
}

/// A device with so many properties that a step about it takes long.
async fn large_device(fixture: &Fixture) -> Value {
    let made = json!({"name": "large", "deviceTypeId": "custom"});
    let made = plugin(fixture, "device.create", made).await.unwrap();
    let props: Map<String, Value> = (0..5000).map(|n| (format!("k{n}"), json!(n))).collect();
    let props = json!({"id": made["id"], "props": props});
    plugin(fixture, "device.replacePluginPropsOnServer", props)
        .await
        .unwrap();
    made["id"].clone()
}

/// Everybody's changes come over one thread, on which such steps were carried out.
#[tokio::test(flavor = "multi_thread")]
async fn steps_about_a_large_device_are_carried_out_in_the_turn_of_whoever_caused_them() {
    let fixture = fixture().await;
    let (neighbour, told) = fixture.join("com.example.neighbour");
    fixture.server.begin(&neighbour);
    neighbour.follow(Collection::Variables);
    let device = large_device(&fixture).await;
    let variable = plugin(
        &fixture,
        "variable.create",
        json!({"name": "v", "value": "0"}),
    );
    let variable = variable.await.unwrap()["id"].clone();
    let step = json!({"class": "indigo.PluginAction", "pluginId": ID, "pluginTypeId": "go",
        "deviceId": device});
    let trigger = json!({"name": "t", "variableId": variable, "actions": [step]});
    user(&fixture, "varValueChange.create", trigger)
        .await
        .unwrap();
    let went = || {
        let calls = fixture.calls.lock().unwrap();
        calls.iter().filter(|(name, _)| name == "plugin.go").count()
    };
    // The plugin's turn on the pool of commands is taken.
    let (end, has_ended) = std::sync::mpsc::channel::<()>();
    let account = Arc::clone(&fixture.plugin.account);
    let taken = fixture.server.pools().commands.begin(&account, move || {
        let _ = has_ended.recv();
    });
    taken.unwrap();
    for n in 1..=3 {
        let caller = Caller::Plugin(Arc::clone(&fixture.plugin));
        let value = json!({"id": variable, "value": n.to_string()});
        let name = "variable.updateValue";
        fixture.server.command(&caller, name, value).await.unwrap();
    }
    until("the neighbour is told of all changes", || {
        told.lock().unwrap().len() >= 3
    })
    .await;
    assert_eq!(went(), 0, "a step was carried out where everybody waits");
    end.send(()).unwrap();
    until("the steps are carried out", || went() == 3).await;
    // A small device is no reason to wait.
    let small = json!({"id": device, "props": {}});
    plugin(&fixture, "device.replacePluginPropsOnServer", small)
        .await
        .unwrap();
    let value = json!({"id": variable, "value": "last"});
    plugin(&fixture, "variable.updateValue", value)
        .await
        .unwrap();
    until("the step is carried out", || went() == 4).await;
}

/// Waiting steps are bounded, and the plugin that fires faster than is carried out is told.
#[tokio::test(flavor = "multi_thread")]
async fn steps_that_wait_are_bounded() {
    let fixture = fixture().await;
    let device = large_device(&fixture).await;
    let step = json!({"class": "indigo.PluginAction", "pluginId": ID, "pluginTypeId": "go",
        "deviceId": device});
    let made = json!({"name": "v", "value": "0"});
    let variable = plugin(&fixture, "variable.create", made).await.unwrap()["id"].clone();
    let trigger = json!({"name": "t", "variableId": variable, "suppressLogging": true,
        "actions": [step]});
    user(&fixture, "varValueChange.create", trigger)
        .await
        .unwrap();
    let (end, has_ended) = std::sync::mpsc::channel::<()>();
    let taken = fixture
        .server
        .pools()
        .commands
        .begin(&fixture.plugin.account, move || {
            let _ = has_ended.recv();
        });
    taken.unwrap();
    for n in 1..=300 {
        let caller = Caller::Plugin(Arc::clone(&fixture.plugin));
        let value = json!({"id": variable, "value": n.to_string()});
        let name = "variable.updateValue";
        fixture.server.command(&caller, name, value).await.unwrap();
    }
    let hit = || {
        let lines = fixture.server.events().tail(None, 10_000);
        lines.iter().any(|it| it.text.contains("limit inbox: "))
    };
    until("the plugin is told", hit).await;
    end.send(()).unwrap();
}

#[tokio::test]
async fn states_of_a_device_are_its_owners_alone() {
    let fixture = fixture().await;
    let (neighbour, _) = fixture.join("com.example.neighbour");
    let made = json!({"name": "lamp", "deviceTypeId": "lamp"});
    plugin(&fixture, "device.create", made).await.unwrap();
    let other = Caller::Plugin(neighbour);
    let states = async || {
        let seen = user(&fixture, "devices.get", json!({"id": "lamp"})).await;
        seen.unwrap()["states"].clone()
    };
    for (name, more) in [
        ("device.turnOn", json!({})),
        ("device.toggle", json!({})),
        ("dimmer.setBrightness", json!({"value": 77})),
    ] {
        let before = states().await;
        let mut arguments = json!({"id": "lamp", "updateStatesOnly": true});
        let given = more.as_object().cloned().unwrap();
        arguments.as_object_mut().unwrap().extend(given);
        let done = fixture
            .server
            .command(&other, name, arguments.clone())
            .await;
        let refused = done.unwrap_err().message;
        assert!(refused.contains("only that one may do this"), "{refused}");
        assert_eq!(states().await, before, "{name}");
        plugin(&fixture, name, arguments).await.unwrap();
        let off = json!({"id": "lamp", "updateStatesOnly": true});
        plugin(&fixture, "device.turnOff", off).await.unwrap();
    }
}

#[tokio::test]
async fn nobody_changes_what_is_read_only() {
    let fixture = fixture().await;
    let value = async || {
        let seen = user(&fixture, "variables.get", json!({"id": "isDaylight"})).await;
        seen.unwrap()["value"].clone()
    };
    let before = value().await;
    for object in [json!({"value": "forged"}), json!({"name": "other"})] {
        let given = json!({"id": "isDaylight", "object": object});
        let done = plugin(&fixture, "variable.replaceOnServer", given).await;
        done.unwrap();
        assert_eq!(value().await, before);
    }
    let step = json!({"class": "indigo.ModifyVariableAction", "variableId": "isDaylight",
        "variableAction": "SetValue", "variableValue": "forged"});
    let group = json!({"name": "g", "actions": [step]});
    user(&fixture, "actionGroup.create", group).await.unwrap();
    plugin(&fixture, "actionGroup.execute", json!({"id": "g"}))
        .await
        .unwrap();
    let refused = || {
        let lines = fixture.server.events().tail(None, 1000);
        lines.iter().any(|it| it.text.contains("is read-only"))
    };
    until("the step is refused", refused).await;
    assert_eq!(value().await, before);
}

/// While the inbox of a plugin is full, and until it was told of what came meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn changes_for_a_full_inbox_are_told_later_and_in_order() {
    let fixture = fixture().await;
    let made = json!({"name": "v", "value": "0"});
    user(&fixture, "variable.create", made).await.unwrap();
    let (server, follower) = (&fixture.server, &fixture.plugin);
    server.begin(follower);
    follower.follow(Collection::Variables);
    let mut watcher = server.changes(Collection::Variables.objects());
    let mut update = async |value: u32| {
        let value = json!({"id": "v", "value": value.to_string()});
        user(&fixture, "variable.updateValue", value).await.unwrap();
        watcher.recv().await.unwrap();
    };
    fixture.calls();
    fixture.room.store(0, Ordering::SeqCst);
    for value in 1..=3 {
        update(value).await;
    }
    assert!(fixture.calls().is_empty());
    // There is room again; the plugin is called once to look, whatever comes until it does.
    fixture.room.store(u64::MAX, Ordering::SeqCst);
    update(4).await;
    update(5).await;
    assert_eq!(fixture.names(), [CATCH_UP]);
    crate::catch_up(server, follower).await;
    let calls = fixture.calls();
    let value = |of: &str, index: usize| calls[index].1[of]["value"].clone();
    for (index, call) in calls.iter().enumerate() {
        assert_eq!(call.0, "variableUpdated");
        assert_eq!(value("origVar", index), index.to_string());
        assert_eq!(value("newVar", index), (index + 1).to_string());
    }
    assert_eq!(calls.len(), 5);
    update(6).await;
    assert_eq!(fixture.names(), ["variableUpdated"]);
}

/// A full account keeps changes back as a full inbox does, and no call of the inbox ends it.
#[tokio::test(flavor = "multi_thread")]
async fn changes_for_a_full_account_are_told_when_there_is_room() {
    let fixture = fixture().await;
    let made = json!({"name": "v", "value": "0"});
    user(&fixture, "variable.create", made).await.unwrap();
    let (server, follower) = (&fixture.server, &fixture.plugin);
    server.begin(follower);
    follower.follow(Collection::Variables);
    let mut watcher = server.changes(Collection::Variables.objects());
    let mut update = async |value: u32| {
        let value = json!({"id": "v", "value": value.to_string()});
        user(&fixture, "variable.updateValue", value).await.unwrap();
        watcher.recv().await.unwrap();
    };
    fixture.calls();
    fixture.room.store(0, Ordering::SeqCst);
    update(1).await;
    let fill = || {
        let account = &fixture.plugin.account;
        account.charge(fixture.plugin.limits.host_memory - account.used())
    };
    let full = fill().unwrap();
    fixture.room.store(u64::MAX, Ordering::SeqCst);
    update(2).await;
    assert!(fixture.calls().is_empty());
    drop(full);
    let called = || fixture.names() == [CATCH_UP];
    until("the plugin is called when its account has room", called).await;
    // It is full again before the change is told.
    let full = fill().unwrap();
    crate::catch_up(server, follower).await;
    assert!(fixture.calls().is_empty());
    drop(full);
    until("the plugin is called once more", called).await;
    crate::catch_up(server, follower).await;
    let calls = fixture.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    let (name, arguments) = &calls[0];
    assert_eq!(name, "variableUpdated");
    assert_eq!(arguments["origVar"]["value"], "0");
    assert_eq!(arguments["newVar"]["value"], "2");
}
