//! What the clock does because of plugins.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::fixture::Fixture;
use super::{fixture, plugin, user};
use cordon_base::account::thread_cpu;

/// Makes a schedule of the operator's.
async fn schedule(fixture: &Fixture, name: &str) {
    let made = json!({"name": name, "dateType": "EveryDay", "absoluteTime": "2000-01-01T03:00:00"});
    user(fixture, "schedule.create", made).await.unwrap();
}

/// Computing time of some changes of one schedule, whose time stays as it is.
async fn time_of_changes(fixture: &Fixture) -> Duration {
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = thread_cpu();
    for n in 0..20 {
        let given = json!({"id": "s0", "object": {"description": n.to_string()}});
        user(fixture, "schedule.replaceOnServer", given)
            .await
            .unwrap();
    }
    thread_cpu().saturating_sub(begun)
}

#[tokio::test]
async fn a_change_of_one_schedule_costs_the_same_among_many() {
    let fixture = fixture().await;
    schedule(&fixture, "s0").await;
    let alone = time_of_changes(&fixture).await;
    for n in 1..600 {
        schedule(&fixture, &format!("s{n}")).await;
    }
    let among_many = time_of_changes(&fixture).await;
    let alone = alone.max(Duration::from_millis(10));
    assert!(among_many < alone * 4, "{alone:?}, {among_many:?}");
}

/// Planning waits for the plugin's turn, where it is billed as the plugin's commands are.
#[tokio::test(flavor = "multi_thread")]
async fn the_plugin_that_changes_a_schedule_pays_for_its_planning() {
    let fixture = fixture().await;
    schedule(&fixture, "s").await;
    let next = async || {
        let shown = user(&fixture, "schedules.get", json!({"id": "s"})).await;
        shown.unwrap()["nextExecution"].clone()
    };
    while next().await.is_null() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = next().await;
    let (pools, account) = (fixture.server.pools().clone(), &fixture.plugin.account);
    let (end, has_ended) = std::sync::mpsc::channel::<()>();
    let busy = pools.commands.run(account, move || {
        let _ = has_ended.recv();
    });
    let changing = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let given = json!({"id": "s", "object": {"absoluteTime": "2000-01-01T15:30:00"}});
        let name = "schedule.replaceOnServer".to_owned();
        let done = fixture
            .server
            .command_of(&fixture.plugin, name, given.to_string());
        done.await.unwrap();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(
            next().await,
            before,
            "it was not planned in the plugin's turn"
        );
        end.send(()).unwrap();
    };
    let (busy, ()) = tokio::join!(busy, changing);
    busy.unwrap();
    let begun = Instant::now();
    while next().await == before {
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "it was not planned"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_schedule_has_a_type_of_time_that_there_is() {
    let fixture = fixture().await;
    schedule(&fixture, "s").await;
    for wrong in [json!("Never"), json!("x".repeat(100_000)), Value::Null] {
        let given = json!({"id": "s", "object": {"timeType": wrong}});
        let done = user(&fixture, "schedule.replaceOnServer", given).await;
        assert!(done.unwrap_err().message.contains("timeType is one of"));
    }
    let given = json!({"id": "s", "object": {"timeType": "Sunset"}});
    user(&fixture, "schedule.replaceOnServer", given)
        .await
        .unwrap();
}

/// How often a schedule was executed so far.
fn executed(fixture: &Fixture, name: &str) -> usize {
    let line = format!("Schedule: {name}");
    let lines = fixture.server.events().tail(None, 10_000);
    lines.iter().filter(|it| it.text == line).count()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(10), "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn schedules_of_everybody_are_executed_at_their_times() {
    let fixture = fixture().await;
    let countdown = |name: &str, repeat: bool| {
        json!({"name": name, "timeType": "Countdown", "autoDelete": !repeat,
            "timing": {"countdown": 1.0, "repeat": repeat}})
    };
    user(&fixture, "schedule.create", countdown("mine", true))
        .await
        .unwrap();
    plugin(&fixture, "schedule.create", countdown("its", true))
        .await
        .unwrap();
    plugin(&fixture, "schedule.create", countdown("once", false))
        .await
        .unwrap();
    until("they are executed again and again", || {
        executed(&fixture, "mine") >= 2 && executed(&fixture, "its") >= 2
    })
    .await;
    assert_eq!(executed(&fixture, "once"), 1);
    let there = user(&fixture, "schedules.contains", json!({"id": "once"})).await;
    assert_eq!(there.unwrap(), json!(false));
    for name in ["mine", "its"] {
        let off = json!({"id": name, "value": false});
        user(&fixture, "schedule.enable", off).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    let before = executed(&fixture, "mine") + executed(&fixture, "its");
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let after = executed(&fixture, "mine") + executed(&fixture, "its");
    assert_eq!(before, after, "a schedule that is disabled was executed");
    let shown = user(&fixture, "schedules.get", json!({"id": "mine"})).await;
    assert_eq!(shown.unwrap()["nextExecution"], Value::Null);
}
