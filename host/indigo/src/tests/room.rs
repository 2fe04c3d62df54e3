//! Tests that plugins pay for the memory that the hub keeps because of them, for as long as it is
//! kept.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::{Value, json};

use super::super::caller::Caller;
use super::super::fixture::Fixture;
use super::super::table::Collection;
use super::races::refuse_writes;
use super::{fixture, plugin, user};
use crate::failure::FailureKind;
use cordon_base::limits::Limits;

/// A device of the plugin, with long properties.
async fn device(fixture: &Fixture) -> i64 {
    let props = json!({"long": "x".repeat(100_000)});
    let made = json!({"name": "d", "deviceTypeId": "relay", "props": props});
    let made = plugin(fixture, "device.create", made).await.unwrap();
    made["id"].as_i64().unwrap()
}

/// Bytes that the plugin pays for when all changes were told.
async fn used(fixture: &Fixture) -> u64 {
    tokio::time::sleep(Duration::from_millis(200)).await;
    fixture.plugin.account.used()
}

#[tokio::test]
async fn an_object_stays_paid_for_when_another_changes_it() {
    let fixture = fixture().await;
    let id = device(&fixture).await;
    let paid = used(&fixture).await;
    assert!(paid > 100_000, "{paid}");
    let described = |text: &str| json!({"id": id, "object": {"description": text}});
    user(&fixture, "device.replaceOnServer", described("by the user"))
        .await
        .unwrap();
    let now = used(&fixture).await;
    assert!(now > 100_000 && now < paid + 10_000, "{now}, {paid}");
    // Without room for both versions, the charge for the old one goes on.
    let left = Limits::default().host_memory - now;
    let rest = fixture.plugin.account.charge(left).unwrap();
    user(&fixture, "device.replaceOnServer", described("again"))
        .await
        .unwrap();
    drop(rest);
    let again = used(&fixture).await;
    assert!(again > 100_000 && again < paid + 10_000, "{again}, {paid}");
    user(&fixture, "device.delete", json!({"id": id}))
        .await
        .unwrap();
    assert_eq!(used(&fixture).await, 0);
}

/// The parts of others in an object count for them. They have a bound of their own, because whoever
/// lists the object is shown them.
#[tokio::test]
async fn parts_of_others_take_none_of_the_owners_room() {
    let fixture = fixture().await;
    let (other, _) = fixture.join("com.example.other");
    let caller = Caller::Plugin(other);
    let give = async |name: String, arguments: Value| {
        fixture.server.command(&caller, &name, arguments).await
    };
    let write = async |id: &Value, value: String| {
        let arguments = json!({"id": id, "value": value});
        give("variable.updateValue".to_owned(), arguments).await
    };
    let keep = async |id: i64, values: usize| {
        let props = json!({"list": vec![0; values]});
        let arguments = json!({"id": id, "props": props});
        give("device.replacePluginPropsOnServer".to_owned(), arguments).await
    };
    let id = device(&fixture).await;
    let made = json!({"name": "v", "value": "x".repeat(1000)});
    let made = plugin(&fixture, "variable.create", made).await.unwrap();
    let paid = used(&fixture).await;
    write(&made["id"], "z".repeat(50_000)).await.unwrap();
    keep(id, 5000).await.unwrap();
    assert!(used(&fixture).await <= paid);
    let usage = fixture.server.database().usage("com.example.other");
    assert!(usage.objects == 0 && usage.bytes > 60_000, "{usage:?}");
    // The owner can do nothing about them, and has all the room that it had.
    let left = Limits::default().host_memory - used(&fixture).await;
    let rest = fixture.plugin.account.charge(left).unwrap();
    write(&made["id"], "w".repeat(60_000)).await.unwrap();
    drop(rest);
    let refused = keep(id, 31_000).await.unwrap_err().to_string();
    assert!(refused.contains("objects of others"), "{refused}");
    // A copy is paid by whoever makes it, and has nothing of others.
    let before = fixture.server.database().usage("com.example.other");
    let twice = json!({"id": id, "duplicateName": "copy"});
    let copy = plugin(&fixture, "device.duplicate", twice).await.unwrap();
    let after = fixture.server.database().usage("com.example.other");
    assert_eq!(before, after);
    assert_eq!(copy["globalProps"].as_object().unwrap().len(), 1);
    let shared = json!({"id": id, "props": {"list": vec![0; 5000]}});
    let paid = used(&fixture).await;
    give("device.replaceSharedPropsOnServer".to_owned(), shared)
        .await
        .unwrap();
    assert!(used(&fixture).await <= paid);
    write(&made["id"], "w".to_owned()).await.unwrap();
    keep(id, 0).await.unwrap();
    let none = json!({"id": id, "props": {}});
    give("device.replaceSharedPropsOnServer".to_owned(), none)
        .await
        .unwrap();
    let usage = fixture.server.database().usage("com.example.other");
    assert!(usage.shared < 2000, "{usage:?}");
}

/// Calls that other plugins cause leave half of an inbox to the operator.
#[tokio::test]
async fn others_do_not_fill_the_inbox_of_a_plugin() {
    let fixture = fixture().await;
    let (other, _) = fixture.join("com.example.other");
    let caller = Caller::Plugin(other);
    let off = json!({"id": device(&fixture).await});
    let by_other = async || {
        let done = fixture
            .server
            .command(&caller, "device.turnOff", off.clone());
        done.await
    };
    let half = Limits::default().inbox / 2;
    fixture.room.store(half + 1, Ordering::SeqCst);
    by_other().await.unwrap();
    fixture.room.store(half, Ordering::SeqCst);
    let refused = by_other().await.unwrap_err();
    assert_eq!(refused.kind, FailureKind::Busy);
    user(&fixture, "device.turnOff", off.clone()).await.unwrap();
}

#[tokio::test]
async fn an_object_stays_paid_for_when_a_change_is_not_stored() {
    let fixture = fixture().await;
    let id = device(&fixture).await;
    let paid = used(&fixture).await;
    refuse_writes(&fixture).await;
    let described = json!({"id": id, "object": {"description": "new"}});
    assert!(
        plugin(&fixture, "device.replaceOnServer", described)
            .await
            .is_err()
    );
    assert_eq!(used(&fixture).await, paid);
    assert!(
        plugin(&fixture, "device.delete", json!({"id": id}))
            .await
            .is_err()
    );
    assert_eq!(used(&fixture).await, paid);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_awake_misses_no_change_however_large() {
    let fixture = fixture().await;
    let id = device(&fixture).await;
    let mut devices = fixture.server.changes(Collection::Devices.objects());
    let mut variables = fixture.server.changes(Collection::Variables.objects());
    let lists = Value::Array(vec![json!([]); 14_000]);
    for n in 0..3 {
        let name = json!({"name": format!("v{n}")});
        user(&fixture, "variable.create", name).await.unwrap();
        let props = json!({"id": id, "props": {"n": n, "lists": lists}});
        user(&fixture, "device.replacePluginPropsOnServer", props)
            .await
            .unwrap();
        let change = devices.recv().await.unwrap();
        assert_eq!(change.what.object().id, id);
        assert!(n == 0 || change.memory > 16 << 20, "{}", change.memory);
    }
    // This watcher has slept, but no change of the objects that it watches was long.
    let mut names = Vec::new();
    while names.len() < 3 {
        let change = variables.recv().await.unwrap();
        let name = change.what.object().name().to_owned();
        if name != "isDaylight" {
            names.push(name);
        }
    }
    assert_eq!(names, ["v0", "v1", "v2"]);
}
