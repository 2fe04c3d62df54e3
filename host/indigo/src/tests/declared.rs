//! What `Devices.xml` makes the server build: an option of a state is a state of its own,
//! with the state's id in front.

use std::fmt::Write;

use serde_json::json;

use super::{plugin, user};
use crate::bounds::{count, footprint};
use crate::fixture::Fixture;
use crate::plugin::{Answer, definitions, definitions_size};

/// A device type with so many enumerations of so many options, and long ids.
fn devices(states: usize, options: usize) -> String {
    let mut text = String::from(
        "<Devices><Device type='custom' id='plain'><Name>P</Name></Device>\
         <Device type='custom' id='large'><Name>L</Name><States>",
    );
    let options: String = (0..options)
        .map(|n| format!("<Option value='v{n}'>x</Option>"))
        .collect();
    for n in 0..states {
        let id = format!("{n}{}", "k".repeat(250));
        write!(
            text,
            "<State id='{id}'><ValueType><List>{options}</List></ValueType></State>"
        )
        .unwrap();
    }
    text + "</States></Device></Devices>"
}

async fn fixture(states: usize, options: usize) -> Fixture {
    let xml = devices(states, options);
    let behaviour = |_: &str, _: &_| Some(Answer::NotDefined);
    Fixture::new(&[("Server Plugin/Devices.xml", &xml)], behaviour).await
}

#[tokio::test]
async fn declared_states_are_summed_before_they_are_built() {
    let fixture = fixture(30, 1000).await;
    let large = json!({"name": "l", "deviceTypeId": "large"});
    let refused = plugin(&fixture, "device.create", large.clone()).await;
    let hit = refused.unwrap_err().limit.unwrap();
    assert_eq!(hit.which, "stored-bytes");
    assert!(hit.used > 30 * 1000 * 250, "{hit:?}");
    // Nothing of it was built.
    assert!(fixture.plugin.account.peak() < 1 << 20);
    // Of an operator's device the plugin's limits hold as well.
    let mut made = large;
    made["pluginId"] = fixture.plugin.id().into();
    let refused = user(&fixture, "device.create", made).await;
    assert_eq!(refused.unwrap_err().limit.unwrap().which, "stored-bytes");
    let plain = json!({"name": "p", "deviceTypeId": "plain"});
    plugin(&fixture, "device.create", plain).await.unwrap();
    let change = json!({"id": "p", "typeId": "large"});
    let refused = plugin(&fixture, "device.changeDeviceTypeId", change).await;
    assert_eq!(refused.unwrap_err().limit.unwrap().which, "stored-bytes");
    let seen = user(&fixture, "devices.get", json!({"id": "p"})).await;
    assert_eq!(seen.unwrap()["deviceTypeId"], "plain");
}

#[tokio::test]
async fn what_is_built_is_paid_for_before() {
    let fixture = fixture(5, 1000).await;
    let account = fixture.plugin.account.clone();
    let rest = fixture.plugin.limits.host_memory - account.used() - (2 << 20);
    let held = account.charge(rest).unwrap();
    let large = json!({"name": "l", "deviceTypeId": "large"});
    let refused = plugin(&fixture, "device.create", large.clone()).await;
    let hit = refused.unwrap_err().limit.unwrap();
    assert_eq!(hit.which, "host-memory");
    drop(held);
    let made = plugin(&fixture, "device.create", large).await.unwrap();
    assert_eq!(made["states"].as_object().unwrap().len(), 5 * 1001);
}

#[tokio::test]
async fn definitions_are_paid_for_before_they_are_built() {
    for (states, options) in [(1, 1000), (20, 200), (300, 1)] {
        let fixture = fixture(states, options).await;
        let bundle = &fixture.plugin.bundle;
        let built = definitions(bundle);
        let takes = footprint(&built) + count(built.to_string().len());
        let size = definitions_size(bundle);
        assert!(size >= takes, "{states} {options}: {size} {takes}");
    }
}
