//! Tests of the server with a plugin whose methods are closures.

mod clock;
mod cost;
mod declared;
mod events;
mod races;
mod room;

use serde_json::{Value, json};

use super::caller::Caller;
use super::fixture::Fixture;
use super::plugin::Answer;
use super::table::Collection;
use super::{Failure, FailureKind};

const DEVICES: &str =
    "<Devices><Device type=\"relay\" id=\"relay\"><Name>Relay</Name></Device></Devices>";

const USER: Caller = Caller::Operator("api-http");

async fn fixture() -> Fixture {
    Fixture::new(&[("Server Plugin/Devices.xml", DEVICES)], |_, _| {
        Some(Answer::Returned(Value::Null))
    })
    .await
}

async fn user(fixture: &Fixture, name: &str, arguments: Value) -> Result<Value, Failure> {
    fixture.server.command(&USER, name, arguments).await
}

async fn plugin(fixture: &Fixture, name: &str, arguments: Value) -> Result<Value, Failure> {
    let caller = Caller::Plugin(fixture.plugin.clone());
    fixture.server.command(&caller, name, arguments).await
}

#[tokio::test]
async fn a_refused_command_changes_nothing() {
    let fixture = fixture().await;
    for name in ["a", "b"] {
        user(
            &fixture,
            "variable.create",
            json!({"name": name, "value": "1"}),
        )
        .await
        .unwrap();
    }
    let renamed = json!({"id": "b", "object": {"value": "2", "name": "a"}});
    let refused = user(&fixture, "variable.replaceOnServer", renamed).await;
    assert_eq!(refused.unwrap_err().message, "NameNotUniqueError");
    let b = user(&fixture, "variables.get", json!({"id": "b"}))
        .await
        .unwrap();
    assert_eq!(b["value"], "1");
}

#[tokio::test]
async fn only_the_operator_says_what_the_hub_does_by_itself() {
    let fixture = fixture().await;
    let group = json!({"name": "g", "actions": [{"class": "indigo.ResetInterfacesAction"}]});
    let refused = plugin(&fixture, "actionGroup.create", group.clone()).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Unsupported);
    user(&fixture, "actionGroup.create", group).await.unwrap();
    let steps = json!({"id": "g", "actions": []});
    assert!(
        plugin(&fixture, "actionGroup.setActions", steps)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_plugin_cannot_fill_what_counts_for_others() {
    let fixture = fixture().await;
    let text = "x".repeat(70_000);
    user(
        &fixture,
        "variable.create",
        json!({"name": "a", "value": ""}),
    )
    .await
    .unwrap();
    let value = json!({"id": "a", "value": text});
    let refused = plugin(&fixture, "variable.updateValue", value.clone()).await;
    assert_eq!(refused.unwrap_err().kind, FailureKind::Limit);
    user(&fixture, "variable.updateValue", value).await.unwrap();
    // A value that is too large already may shrink.
    let less = json!({"id": "a", "value": "x".repeat(69_000)});
    plugin(&fixture, "variable.updateValue", less)
        .await
        .unwrap();
}

#[tokio::test]
async fn groups_that_execute_each_other_come_to_an_end() {
    let fixture = fixture().await;
    let both = json!([
        {"class": "indigo.ExecuteGroupAction", "groupId": "b"},
        {"class": "indigo.ExecuteGroupAction", "groupId": "b"},
    ]);
    let other = json!([
        {"class": "indigo.ExecuteGroupAction", "groupId": "a"},
        {"class": "indigo.ExecuteGroupAction", "groupId": "a"},
    ]);
    let group = |name: &str, actions: Value| json!({"name": name, "actions": actions});
    user(&fixture, "actionGroup.create", group("a", both))
        .await
        .unwrap();
    user(&fixture, "actionGroup.create", group("b", other))
        .await
        .unwrap();
    // By the server itself: a client's line would be one too many.
    let server = Caller::Operator("server");
    let execute = json!({"id": "a"});
    let done = fixture
        .server
        .command(&server, "actionGroup.execute", execute);
    done.await.unwrap();
    let lines = fixture.server.events().tail(None, 10_000);
    let told = lines
        .iter()
        .any(|it| it.text.contains("thousand consequences"));
    assert!(told, "two to the sixteenth steps were done");
}

#[tokio::test]
async fn a_device_follows_the_properties_of_its_owner() {
    let fixture = fixture().await;
    let made = json!({"name": "d", "deviceTypeId": "relay", "props": {"address": "1", "SupportsBatteryLevel": true}});
    let device = plugin(&fixture, "device.create", made).await.unwrap();
    assert_eq!(device["address"], "1");
    assert_eq!(
        device["states"],
        json!({"onOffState": false, "batteryLevel": 0})
    );
    let props = json!({"id": "d", "props": {"address": "2"}});
    let device = plugin(&fixture, "device.replacePluginPropsOnServer", props)
        .await
        .unwrap();
    assert_eq!(
        (&device["address"], &device["states"]),
        (&json!("2"), &json!({"onOffState": false}))
    );
    let bad = json!({"id": "d", "props": {"2nd <key>": 1}});
    assert!(
        plugin(&fixture, "device.replacePluginPropsOnServer", bad)
            .await
            .is_err()
    );
    let seen = user(&fixture, "devices.get", json!({"id": "d"}))
        .await
        .unwrap();
    assert_eq!(seen["ownerProps"], json!({"address": "2"}));
}

#[tokio::test]
async fn watchers_are_told_after_the_change_in_order() {
    let fixture = fixture().await;
    let variables = Collection::Variables.objects();
    let mut changes = fixture.server.changes(variables);
    for n in 0..20 {
        let name = format!("v{n}");
        user(&fixture, "variable.create", json!({"name": name}))
            .await
            .unwrap();
    }
    let mut names = Vec::new();
    while names.len() < 20 {
        let change = changes.recv().await.unwrap();
        let name = change.what.object().name().to_owned();
        if name != "isDaylight" {
            names.push(name);
        }
    }
    let wanted: Vec<String> = (0..20).map(|n| format!("v{n}")).collect();
    assert_eq!(names, wanted);
}

#[tokio::test]
async fn a_folder_takes_its_contents_along_or_leaves_them() {
    let fixture = fixture().await;
    for all in [false, true] {
        user(&fixture, "variables.folder.create", json!({"name": "f"}))
            .await
            .unwrap();
        let name = format!("in {all}").replace(' ', "_");
        user(
            &fixture,
            "variable.create",
            json!({"name": name, "folder": "f"}),
        )
        .await
        .unwrap();
        let gone = json!({"id": "f", "deleteAllChildren": all});
        user(&fixture, "variables.folder.delete", gone)
            .await
            .unwrap();
        let left = user(&fixture, "variables.contains", json!({"id": name}))
            .await
            .unwrap();
        assert_eq!(left, json!(!all));
    }
}
