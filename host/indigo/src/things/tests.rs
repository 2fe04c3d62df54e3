//! Tests of things on a server with a plugin whose methods are closures.

use std::time::Duration;

use super::*;
use crate::Caller;
use crate::fixture::Fixture;
use crate::plugin::Answer as Returned;

const DEVICES: &str = "<Devices>\
    <Device type=\"relay\" id=\"relay\"><Name>Relay</Name></Device>\
    <Device type=\"dimmer\" id=\"dimmer\"><Name>Dimmer</Name></Device></Devices>";

async fn fixture() -> Fixture {
    Fixture::new(&[("Server Plugin/Devices.xml", DEVICES)], |_, _| {
        Some(Returned::Returned(Json::Null))
    })
    .await
}

fn things(fixture: &Fixture) -> IndigoThings {
    IndigoThings::new(Arc::clone(&fixture.server))
}

async fn add(fixture: &Fixture, name: &str, kind: &str) -> String {
    let caller = Caller::Plugin(fixture.plugin.clone());
    let made = json!({"name": name, "deviceTypeId": kind});
    let device = fixture.server.command(&caller, "device.create", made).await;
    device.unwrap()["id"].to_string()
}

#[tokio::test]
async fn devices_are_listed_a_page_at_a_time_with_their_states() {
    let fixture = fixture().await;
    let things = things(&fixture);
    let mut ids = Vec::new();
    for n in 0..PAGE + 3 {
        ids.push(add(&fixture, &format!("d{n}"), "relay").await);
    }
    ids.sort_by_key(|id| id.parse::<i64>().unwrap());
    let first = things.list(None).await.unwrap();
    assert_eq!(first.things.len(), PAGE);
    let second = things.list(first.next.as_deref()).await.unwrap();
    assert_eq!(second.next, None);
    let all = first.things.iter().chain(&second.things);
    assert_eq!(all.map(|it| it.id.clone()).collect::<Vec<_>>(), ids);
    let thing = &first.things[0];
    assert_eq!(thing.instance, crate::fixture::ID);
    assert_eq!(thing.kind, "RelayDevice");
    assert!(
        thing
            .values
            .contains(&("onOffState".to_owned(), Value::Truth(false)))
    );
    assert!(thing.changed.is_some());
    assert_eq!(things.list(Some("x")).await, Err(ThingsError::Missing));
}

#[tokio::test]
async fn a_wish_reaches_the_plugin_as_an_action() {
    let fixture = fixture().await;
    let things = things(&fixture);
    let relay = add(&fixture, "r", "relay").await;
    let dimmer = add(&fixture, "d", "dimmer").await;
    things
        .operate(Rights::User, &relay, Operation::On)
        .await
        .unwrap();
    things
        .operate(Rights::User, &dimmer, Operation::Level(30.4))
        .await
        .unwrap();
    let calls = fixture.calls();
    let actions: Vec<_> = calls
        .iter()
        .filter(|(name, _)| name.contains("action"))
        .collect();
    assert_eq!(actions.len(), 2, "{calls:?}");
    assert!(actions[1].1.to_string().contains("30"), "{calls:?}");
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_reaches_nobody() {
    let fixture = fixture().await;
    let things = things(&fixture);
    let relay = add(&fixture, "r", "relay").await;
    let dimmer = add(&fixture, "d", "dimmer").await;
    let before = fixture.calls().len();
    let refused = things.operate(Rights::Viewer, &relay, Operation::On).await;
    assert_eq!(refused, Err(ThingsError::Forbidden));
    for (id, operation, reason) in [
        (&*relay, Operation::Level(1.0), "has no level"),
        (&*dimmer, Operation::Level(101.0), "from 0 to 100"),
        (&*dimmer, Operation::Level(f64::NAN), "is a number"),
        ("1", Operation::On, "no such thing"),
        ("r", Operation::On, "no such thing"),
    ] {
        let refused = things.operate(Rights::User, id, operation).await;
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(reason), "{id} {operation:?}: {refused}");
    }
    assert_eq!(fixture.calls().len(), before);
    let history = things.history(&relay, 0, i64::MAX).await;
    assert_eq!(history, Err(ThingsError::NoHistory));
}

#[tokio::test]
async fn a_watcher_hears_of_a_device_that_is_made() {
    let fixture = fixture().await;
    let mut watch = things(&fixture).watch();
    let id = add(&fixture, "r", "relay").await;
    let news = tokio::time::timeout(Duration::from_secs(5), watch.next());
    assert_eq!(news.await.unwrap(), Some(News::Changed(vec![id])));
}
