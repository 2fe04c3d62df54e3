//! Tests of the cost of a hostile plugin's commands to the hub.
//!
//! Time grows with the size of the input and no faster, memory stays within the account, and lines
//! stand in the plugin's own name.

use std::fmt::Write as _;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use super::super::bounds::{COMPARED, PROPERTY, WATCHING};
use super::super::caller::Caller;
use super::super::change::What;
use super::super::fixture::Fixture;
use super::super::plugin::{Answer, Broadcast};
use super::super::table::Collection;
use super::super::{Failure, FailureKind};
use cordon_base::account::thread_cpu;
use cordon_base::limits::Limits;

const DEVICES: &str = "<Devices><Device type='relay' id='relay'><Name>Relay</Name></Device>\
    <Device type='custom' id='custom'><Name>Custom</Name></Device></Devices>";

const USER: Caller = Caller::Operator("api-http");

async fn fixture() -> Fixture {
    Fixture::new(&[("Server Plugin/Devices.xml", DEVICES)], |_, _| {
        Some(Answer::Returned(Value::Null))
    })
    .await
}

/// A command as the component sends it, from text to text.
async fn raw(fixture: &Fixture, name: &str, text: String) -> Result<Value, Failure> {
    let (server, plugin) = (&fixture.server, &fixture.plugin);
    let done = server.command_of(plugin, name.to_owned(), text).await?;
    Ok(serde_json::from_str(&done).unwrap())
}

async fn device(fixture: &Fixture, name: &str) -> i64 {
    let made = json!({"name": name, "deviceTypeId": "custom"}).to_string();
    let made = raw(fixture, "device.create", made).await.unwrap();
    made["id"].as_i64().unwrap()
}

fn limit(failure: &Failure) -> &'static str {
    failure.limit.as_ref().map_or("none", |hit| hit.which)
}

/// A list of this many of the same item.
fn repeated(item: &str, count: usize) -> String {
    let mut text = String::new();
    for n in 0..count {
        let _ = write!(text, "{}{item}", if n == 0 { "" } else { "," });
    }
    text
}

/// Computing time of all threads on behalf of the plugin for a command.
async fn time_of(fixture: &Fixture, name: &str, text: String) -> Duration {
    let (begun, billed) = (thread_cpu(), fixture.plugin.account.billed());
    let done = raw(fixture, name, text).await;
    done.unwrap();
    // The time of this thread, and the time that a pool has billed.
    thread_cpu().saturating_sub(begun) + fixture.plugin.account.billed().saturating_sub(billed)
}

/// Asserts that four times as much takes less than eight times as long.
fn assert_linear(what: &str, once: Duration, four_times: Duration) {
    let once = once.max(Duration::from_millis(1));
    assert!(four_times < once * 8, "{what}: {once:?}, {four_times:?}");
}

#[tokio::test]
async fn states_are_set_in_time_that_grows_with_what_is_given() {
    let fixture = fixture().await;
    let id = device(&fixture, "d").await;
    let list = format!(
        "{{\"id\":{id},\"stateList\":[{{\"Key\":\"n\",\"Type\":\"Integer\"}},{}]}}",
        (0..999)
            .map(|n| format!("{{\"Key\":\"s{n}\",\"Type\":\"String\"}}"))
            .collect::<Vec<_>>()
            .join(",")
    );
    raw(&fixture, "device.stateListOrDisplayStateIdChanged", list)
        .await
        .unwrap();
    let props: serde_json::Map<String, Value> =
        (0..8000).map(|n| (format!("k{n}"), json!(n))).collect();
    let props = json!({"id": id, "props": props}).to_string();
    raw(&fixture, "device.replacePluginPropsOnServer", props)
        .await
        .unwrap();
    // A value of the wrong type, an unknown state, and the last of many states.
    for item in [
        r#"{"key":"n","value":"x"}"#,
        r#"{"key":"?","value":1}"#,
        r#"{"key":"s998","value":1,"triggerEvents":false}"#,
    ] {
        let update = |count| format!("{{\"id\":{id},\"states\":[{}]}}", repeated(item, count));
        let name = "device.updateStatesOnServer";
        let once = time_of(&fixture, name, update(4000)).await;
        let four_times = time_of(&fixture, name, update(16_000)).await;
        assert_linear(item, once, four_times);
        // At the optimisation of tests. Once it took twenty seconds.
        assert!(
            four_times < Duration::from_secs(3),
            "{item}: {four_times:?}"
        );
    }
}

#[tokio::test]
async fn one_call_complains_a_few_times() {
    let fixture = fixture().await;
    let id = device(&fixture, &"n".repeat(1000)).await;
    let items = repeated(r#"{"key":"?","value":1}"#, 10_000);
    let update = format!("{{\"id\":{id},\"states\":[{items}]}}");
    raw(&fixture, "device.updateStatesOnServer", update)
        .await
        .unwrap();
    let lines = fixture.server.events().tail(None, 10_000);
    assert_eq!(lines.len(), 21);
    assert!(
        lines[20].text.contains("and 9980 more"),
        "{}",
        lines[20].text
    );
    assert!(lines.iter().all(|it| it.text.len() < 400));
}

#[tokio::test]
async fn choices_are_bounded_before_they_become_states() {
    let fixture = fixture().await;
    let id = device(&fixture, "d").await;
    let name = "device.stateListOrDisplayStateIdChanged";
    let list = |states: usize, key: usize, choices: usize| {
        let choice = |n| format!("{{\"Value\":\"{n:x}\",\"Label\":\"\"}}");
        let choices: Vec<_> = (0..choices).map(choice).collect();
        let state = |n| {
            let key = format!("{n}{}", "k".repeat(key));
            format!(
                "{{\"Key\":\"{key}\",\"Type\":\"Enumeration\",\"Options\":[{}]}}",
                choices.join(",")
            )
        };
        let states: Vec<_> = (0..states).map(state).collect();
        format!("{{\"id\":{id},\"stateList\":[{}]}}", states.join(","))
    };
    for (states, key, choices) in [(1, 1000, 1), (1, 10, 1001)] {
        let refused = raw(&fixture, name, list(states, key, choices)).await;
        assert_eq!(refused.unwrap_err().kind, FailureKind::Value);
    }
    // Eighteen thousand states of 250 bytes from 500 KB.
    let refused = raw(&fixture, name, list(18, 240, 1000)).await.unwrap_err();
    assert_eq!(limit(&refused), "stored-bytes");
    raw(&fixture, name, list(2, 10, 10)).await.unwrap();
}

#[tokio::test]
async fn the_whole_record_counts_as_it_is_stored() {
    let fixture = fixture().await;
    let name = "device.stateListOrDisplayStateIdChanged";
    let label = "k".repeat(1000);
    let states = repeated(
        &format!("{{\"Key\":\"\",\"Type\":\"String\",\"TriggerLabel\":\"{label}\"}}"),
        200,
    );
    let mut refused = None;
    for n in 0..40 {
        let id = device(&fixture, &format!("d{n}")).await;
        let list = format!("{{\"id\":{id},\"stateList\":[{states}]}}");
        if let Err(failure) = raw(&fixture, name, list).await {
            refused = Some(failure);
            break;
        }
    }
    assert_eq!(limit(&refused.unwrap()), "stored-bytes");
    let id = fixture.plugin.id();
    let used = fixture.server.database().usage(id).bytes;
    assert!(
        used > 200_000 && used <= Limits::default().stored_bytes,
        "{used}"
    );
}

#[tokio::test]
async fn answers_are_charged_before_they_are_made() {
    let fixture = fixture().await;
    let made = json!({"name": "big", "value": "x".repeat(100_000)}).to_string();
    let made = raw(&fixture, "variable.create", made).await.unwrap();
    let ids = repeated(&made["id"].to_string(), 20_000);
    let begun = fixture.plugin.account.used();
    let refused = raw(
        &fixture,
        "variables.objects",
        format!("{{\"ids\":[{ids}]}}"),
    )
    .await;
    assert_eq!(limit(&refused.unwrap_err()), "host-memory");
    let ids = repeated(&made["id"].to_string(), 3);
    let shown = raw(
        &fixture,
        "variables.objects",
        format!("{{\"ids\":[{ids}]}}"),
    )
    .await;
    assert_eq!(shown.unwrap().as_array().unwrap().len(), 3);
    // All of it was given back.
    assert_eq!(fixture.plugin.account.used(), begun);
    assert!(fixture.plugin.account.peak() <= Limits::default().host_memory);
}

#[tokio::test]
async fn arguments_are_measured_before_they_are_read() {
    let fixture = fixture().await;
    let many = format!("{{\"ids\":[{}]}}", repeated("1", 70_000));
    let refused = raw(&fixture, "variables.objects", many).await.unwrap_err();
    assert_eq!(limit(&refused), "command-values");
    let deep = format!("{{\"ids\":{}{}}}", "[".repeat(100), "]".repeat(100));
    let refused = raw(&fixture, "variables.objects", deep).await.unwrap_err();
    assert!(refused.message.contains("nested 101 deep"), "{refused}");
    let refused = raw(&fixture, "variables.objects", "{".to_owned()).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Type);
    assert_eq!(fixture.plugin.account.used(), 0);
    let long = "x".repeat(5000);
    let named = json!({"name": long, "deviceTypeId": "relay"}).to_string();
    let refused = raw(&fixture, "device.create", named).await.unwrap_err();
    assert!(refused.message.contains("1024 are allowed"), "{refused}");
}

#[tokio::test]
async fn subscriptions_count_with_their_names() {
    let fixture = fixture().await;
    let broadcast = |sender: String| Broadcast {
        sender,
        message: "m".to_owned(),
        method: "go".to_owned(),
    };
    let plugin = &fixture.plugin;
    let refused = plugin.subscribe(broadcast("p".repeat(2000)));
    assert_eq!(refused.unwrap_err().kind, FailureKind::Value);
    assert_eq!(plugin.account.used(), 0);
    plugin.subscribe(broadcast("p".repeat(1000))).unwrap();
    assert!(plugin.account.used() >= 1003);
    plugin.reset();
    assert_eq!(plugin.account.used(), 0);
}

#[tokio::test]
async fn lines_that_follow_from_a_plugin_are_its_own() {
    let fixture = fixture().await;
    let forged = "x\n2026-11-30 06:00:00.000  Status: cordon: user ann logged in";
    let made = json!({"name": forged, "deviceTypeId": "relay"}).to_string();
    let made = raw(&fixture, "device.create", made).await.unwrap();
    let id = &made["id"];
    let off = json!({"id": id, "value": false}).to_string();
    raw(&fixture, "device.enable", off).await.unwrap();
    let trigger = json!({"name": forged}).to_string();
    let trigger = raw(&fixture, "serverStartup.create", trigger)
        .await
        .unwrap();
    let trigger = json!({"id": trigger["id"]}).to_string();
    for _ in 0..1000 {
        let on = json!({"id": id}).to_string();
        raw(&fixture, "device.turnOn", on).await.unwrap();
        raw(&fixture, "trigger.execute", trigger.clone())
            .await
            .unwrap();
    }
    // The trigger also fires when the server fires it by itself.
    fixture.server.ready();
    let lines = fixture.server.events().tail(None, 100_000);
    let disabled = lines.iter().filter(|it| it.text.contains("is disabled"));
    assert!(disabled.count() > 10);
    assert!(lines.iter().any(|it| it.text.starts_with("Trigger: ")));
    for line in &lines {
        assert_eq!(line.hardware.as_deref(), Some("fixture"), "{}", line.text);
        assert!(!line.text.contains('\n'), "{}", line.text);
    }
    let rate = usize::try_from(Limits::default().log_lines).unwrap();
    assert!(lines.len() <= rate * 12, "{} lines", lines.len());
}

#[tokio::test]
async fn what_waits_for_its_time_is_charged() {
    let fixture = fixture().await;
    let step =
        json!({"class": "indigo.ExecuteGroupAction", "groupId": "none", "delayAmount": 3600});
    let group = json!({"name": "g", "actions": [step, step, step]});
    let operator = fixture.server.command(&USER, "actionGroup.create", group);
    operator.await.unwrap();
    let data = |bytes| json!({"id": "g", "event_data": {"x": "y".repeat(bytes)}}).to_string();
    let refused = raw(&fixture, "actionGroup.execute", data(70_000)).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Value);
    raw(&fixture, "actionGroup.execute", data(10_000))
        .await
        .unwrap();
    assert!(fixture.plugin.account.used() >= 30_000);
    raw(&fixture, "server.removeAllDelayedActions", "{}".to_owned())
        .await
        .unwrap();
    assert_eq!(fixture.plugin.account.used(), 0);
}

/// Triggers of the attacker itself that all wait for one long value.
#[tokio::test]
async fn triggers_are_judged_without_copies_of_what_changed() {
    let fixture = fixture().await;
    let long = "X".repeat(200_000);
    let made = json!({"name": "v", "value": long}).to_string();
    raw(&fixture, "variable.create", made).await.unwrap();
    let equal = |n| trigger(n, "v", "BecomesNotEqual", "short");
    for n in 0..WATCHING {
        raw(&fixture, "varValueChange.create", equal(n))
            .await
            .unwrap();
    }
    let mut changes = fixture.server.changes(Collection::Variables.objects());
    let account = &fixture.plugin.account;
    let (begun, billed) = (thread_cpu(), account.billed());
    let changed = json!({"id": "v", "value": long.to_lowercase()}).to_string();
    raw(&fixture, "variable.updateValue", changed)
        .await
        .unwrap();
    changes.recv().await.unwrap();
    // Once 400,000 characters were copied for each trigger, several times.
    let billed = account.billed().saturating_sub(billed);
    let spent = thread_cpu().saturating_sub(begun) + billed;
    assert!(spent < Duration::from_millis(500), "{spent:?}");
}

#[tokio::test]
async fn a_watcher_that_sleeps_keeps_little() {
    let fixture = fixture().await;
    let mut changes = fixture.server.changes(Collection::Variables.objects());
    let made = json!({"name": "v", "value": ""}).to_string();
    raw(&fixture, "variable.create", made).await.unwrap();
    for n in 0..60 {
        let value = format!("{n}{}", "x".repeat(500_000));
        let value = json!({"id": "v", "value": value}).to_string();
        raw(&fixture, "variable.updateValue", value).await.unwrap();
    }
    // The oldest long changes, of 60 MB, are gone, and the watcher is told.
    let short = changes.recv().await.unwrap();
    assert!(matches!(short.what, What::Created(_)));
    assert!(matches!(changes.recv().await, Err(RecvError::Lagged(_))));
}

/// The arguments that make a trigger on a variable.
fn trigger(number: usize, variable: &str, change: &str, value: &str) -> String {
    let trigger = json!({"name": format!("t{number}"), "variableId": variable,
        "variableChangeType": change, "variableValue": value, "suppressLogging": true});
    trigger.to_string()
}

/// Each change is compared with the values of triggers, so these values are short, and one plugin
/// has few triggers. The operator, who knows them, has as many as needed.
#[tokio::test]
async fn triggers_are_short_and_few() {
    let fixture = fixture().await;
    let made = |name: &str| json!({"name": name, "value": ""}).to_string();
    for name in ["v", "w"] {
        raw(&fixture, "variable.create", made(name)).await.unwrap();
    }
    let create = "varValueChange.create";
    let long = "x".repeat(COMPARED + 1);
    let refused = raw(&fixture, create, trigger(0, "v", "BecomesEqual", &long)).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Value);
    let refused = raw(&fixture, create, trigger(0, "v", &long, "x")).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Value);
    let longest = &long[1..];
    for n in 0..WATCHING {
        let arguments = trigger(n, "v", "BecomesEqual", longest);
        raw(&fixture, create, arguments).await.unwrap();
    }
    let replaced = json!({"id": "t0", "object": {"variableValue": long}}).to_string();
    let refused = raw(&fixture, "trigger.replaceOnServer", replaced).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Value);
    let one_more = || trigger(WATCHING, "v", "Changes", "");
    let refused = raw(&fixture, create, one_more()).await.unwrap_err();
    assert!(refused.message.contains("watch the object"), "{refused}");
    // A trigger that watches another variable may not come over. One that leaves makes room.
    raw(&fixture, create, trigger(1000, "w", "Changes", ""))
        .await
        .unwrap();
    let id = |name: &str| {
        let database = fixture.server.database();
        let table = Collection::Variables.objects();
        let name = super::super::database::Reference::Name(name.to_owned());
        database.find(table, &name).unwrap().id
    };
    let (v, w) = (id("v"), id("w"));
    let moved = |name: &str, to: i64| json!({"id": name, "object": {"variableId": to}}).to_string();
    let refused = raw(&fixture, "trigger.replaceOnServer", moved("t1000", v)).await;
    assert!(refused.is_err());
    raw(&fixture, "trigger.replaceOnServer", moved("t0", w))
        .await
        .unwrap();
    raw(&fixture, create, one_more()).await.unwrap();
    let delete = json!({"id": "t1"}).to_string();
    raw(&fixture, "trigger.delete", delete).await.unwrap();
    let names = |id: i64| -> Vec<String> {
        let watching = fixture.server.database().watching(id);
        watching.iter().map(|it| it.name().to_owned()).collect()
    };
    assert_eq!(names(v).len(), WATCHING - 1);
    assert_eq!(names(w), ["t0", "t1000"]);
    let by_user: Value = serde_json::from_str(&trigger(2000, "v", "Changes", "")).unwrap();
    fixture
        .server
        .command(&USER, create, by_user)
        .await
        .unwrap();
}

/// Whoever makes triggers pays for looking at them, whoever makes the change.
#[tokio::test]
async fn looking_at_triggers_is_paid_for_by_their_owner() {
    let fixture = fixture().await;
    let made = json!({"name": "v", "value": ""});
    let create = fixture.server.command(&USER, "variable.create", made);
    create.await.unwrap();
    // Equal but for the case of each letter, up to the last one.
    let value = "\u{416}".repeat(COMPARED / 2);
    for n in 0..WATCHING {
        let arguments = trigger(n, "v", "BecomesGreaterThan", &value);
        raw(&fixture, "varValueChange.create", arguments)
            .await
            .unwrap();
    }
    let mut changes = fixture.server.changes(Collection::Variables.objects());
    let account = &fixture.plugin.account;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let billed = account.billed();
    for n in 0..20 {
        let value = format!("{}{n}", "\u{436}".repeat(COMPARED / 2));
        let changed = json!({"id": "v", "value": value});
        let changed = fixture
            .server
            .command(&USER, "variable.updateValue", changed);
        changed.await.unwrap();
        changes.recv().await.unwrap();
    }
    let billed = account.billed().saturating_sub(billed);
    assert!(billed > Duration::from_micros(200), "{billed:?}");
    assert!(billed < Duration::from_secs(1), "{billed:?}");
}

/// A message about a change repeats a property's key before each value below it.
#[tokio::test]
async fn keys_of_properties_are_short() {
    let fixture = fixture().await;
    let id = device(&fixture, "d").await;
    let props = |key: usize| json!({"k".repeat(key): {"k".repeat(key): [0]}});
    for (name, key) in [
        ("device.replacePluginPropsOnServer", "props"),
        ("device.replaceSharedPropsOnServer", "props"),
    ] {
        let given = |length: usize| json!({"id": id, key: props(length)}).to_string();
        let refused = raw(&fixture, name, given(PROPERTY + 1)).await.unwrap_err();
        assert_eq!(refused.kind, FailureKind::Value, "{name}");
        raw(&fixture, name, given(PROPERTY)).await.unwrap();
    }
}

/// Whatever they are, they keep no other preference from being saved.
#[tokio::test]
async fn keys_that_cannot_be_saved_are_left_out() {
    let fixture = fixture().await;
    let mut prefs = json!({"Living Room": 1, "kept": {"1st": 2, "in": 3}});
    prefs["k".repeat(PROPERTY + 1)] = json!(4);
    let given = json!({ "pluginPrefs": prefs }).to_string();
    for _ in 0..3 {
        let saved = raw(&fixture, "server.savePluginPrefs", given.clone()).await;
        saved.unwrap();
    }
    let plugin = &fixture.plugin;
    let kept = crate::preferences::load(&plugin.data, plugin.id(), 1 << 20).unwrap();
    assert_eq!(Value::Object(kept), json!({"kept": {"in": 3}}));
    // Told once, as long as they are the same ones.
    let lines = fixture.server.events().tail(None, 100);
    let told = lines.iter().filter(|it| it.text.contains("are left out: "));
    assert_eq!(told.count(), 1);
}

/// One property of megabytes, named five hundred times.
#[tokio::test]
async fn a_filter_looks_at_a_property_once() {
    let fixture = fixture().await;
    let blanks = " ".repeat(1_500_000);
    let made = json!({"name": "d", "deviceTypeId": "relay",
        "props": {"a": format!("{blanks}1{blanks}")}});
    raw(&fixture, "device.create", made.to_string())
        .await
        .unwrap();
    let filter = format!("self,{}", repeated("props.a", 500));
    let len = json!({"filter": filter}).to_string();
    let spent = time_of(&fixture, "devices.len", len).await;
    assert!(spent < Duration::from_millis(200), "{spent:?}");
}

/// A command whose caller is gone ends in the middle.
#[tokio::test]
async fn a_command_that_nobody_waits_for_ends() {
    let fixture = fixture().await;
    for n in 0..200 {
        device(&fixture, &format!("d{n}")).await;
    }
    let list = || raw(&fixture, "devices.objects", "{}".to_owned());
    let whole = list().await.unwrap().as_array().unwrap().len();
    assert_eq!(whole, 200);
    let billed = fixture.plugin.account.billed();
    for _ in 0..20 {
        // The pool has begun with the command, or has not.
        let _ = tokio::time::timeout(Duration::from_micros(200), list()).await;
    }
    list().await.unwrap();
    let all = fixture.plugin.account.billed().saturating_sub(billed);
    let billed = fixture.plugin.account.billed();
    for _ in 0..21 {
        list().await.unwrap();
    }
    let waited = fixture.plugin.account.billed().saturating_sub(billed);
    assert!(all * 2 < waited, "{all:?}, {waited:?}");
}
