//! The operator's commands and reports, and the instances that are parked.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cordon::hub::HubOperator;
use cordon_control::operator::{Action, Operator, OperatorError};
use cordon_control::report::{Health, InstanceReport, Source, State};
use cordon_domoticz::DeliverError;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::orders::{Asked, Order};

use crate::stub::{COMMAND, STARTED, at};
use crate::{FOR_EVER, Heart};

/// The report on the only instance.
async fn report(operator: &HubOperator) -> InstanceReport {
    let mut reports = operator.instances().await;
    assert_eq!(reports.len(), 1, "{reports:?}");
    reports.remove(0)
}

fn parked(heart: &Heart) -> bool {
    matches!(heart.remote.counters.status(), Status::Parked { .. })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_instance_is_tried_again_after_a_pause_that_doubles() {
    let code = at(STARTED, "unreachable");
    let heart = Heart::with(&code, "restarts = 1", |hub| {
        hub.set_parked(Duration::from_secs(1));
    });
    let heart = heart.await;
    heart.until("parked", parked).await;
    let begun = Instant::now();
    assert!(heart.remote.counters.next_start().is_some());
    assert!(heart.said("parked for 1 s, or until `cordon restart Stub`"));
    let failures = |heart: &Heart| heart.remote.counters.failures.load(Ordering::Relaxed);
    heart.until("a second try", |it| failures(it) == 2).await;
    assert!(begun.elapsed() >= Duration::from_millis(900));
    heart
        .until("parked again", |it| it.said("parked for 2 s"))
        .await;
    heart.until("a third try", |it| failures(it) == 3).await;
    assert!(begun.elapsed() >= Duration::from_millis(2800));
    assert!(heart.remote.counters.restarts() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_instance_waits_for_the_operator_when_no_time_is_given() {
    let code = at(STARTED, "unreachable");
    let heart = Heart::with(&code, "restarts = 1", |hub| hub.set_parked(Duration::ZERO)).await;
    heart.until("parked", parked).await;
    assert_eq!(heart.remote.counters.next_start(), None);
    assert!(heart.said("parked until `cordon restart Stub`"));
    // Others cannot have it started, and the operator can.
    heart.remote.order(Order::Restart(Asked::Other));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(parked(&heart));
    let operator = heart.hub.operator(None);
    operator.act("Stub", Action::Start).await.unwrap();
    heart
        .until("a second life", |it| it.remote.counters.restarts() == 1)
        .await;
    heart.until("parked again", parked).await;
    let told = report(&operator).await;
    assert_eq!(told.state, State::Parked);
    assert!(told.reason.contains("trapped"), "{told:?}");
    let last = told.last_error.unwrap();
    assert!(last.text.contains("trapped"), "{last:?}");
    assert_eq!(last.callback, "onStart");
    assert_eq!((told.failures, told.next_start), (2, None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_instance_is_started_by_the_operator_alone() {
    let heart = Heart::new("", "").await;
    heart.running().await;
    let operator = heart.hub.operator(None);
    operator.act("Stub", Action::Stop).await.unwrap();
    let told = report(&operator).await;
    assert_eq!((told.state, told.memory), (State::Stopped, 0));
    assert_eq!(heart.command(), Err(DeliverError::NotRunning));
    heart.remote.order(Order::Restart(Asked::Other));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(heart.remote.counters.status(), Status::Stopped);
    operator.act("Stub", Action::Start).await.unwrap();
    heart.running().await;
    // A start changes nothing about an instance that runs; a restart is another life.
    operator.act("Stub", Action::Start).await.unwrap();
    assert_eq!(heart.remote.counters.restarts(), 1);
    operator.act("Stub", Action::Restart).await.unwrap();
    heart
        .until("a third life", |it| it.remote.counters.restarts() == 2)
        .await;
    heart.running().await;
    assert_eq!(heart.remote.counters.failures.load(Ordering::Relaxed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_stays_when_the_hub_is_started_again() {
    let mut heart = Heart::new("", "").await;
    heart.running().await;
    let operator = heart.hub.operator(None);
    operator.act("Stub", Action::Stop).await.unwrap();
    heart.hub.stop().await;
    let Heart { hub, folder, .. } = heart;
    drop((operator, hub));
    let mut heart = Heart::within(folder, "", "", |_| {}).await;
    let operator = heart.hub.operator(None);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let told = report(&operator).await;
    assert_eq!(
        (told.state, told.calls, told.restarts),
        (State::Stopped, 0, 0)
    );
    operator.act("Stub", Action::Start).await.unwrap();
    heart.running().await;
    heart.hub.stop().await;
    let Heart { hub, folder, .. } = heart;
    drop((operator, hub));
    let heart = Heart::within(folder, "", "", |_| {}).await;
    heart.running().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_ends_a_callback_that_never_ends_within_the_grace() {
    let code = at(COMMAND, FOR_EVER);
    let limits = "callback-cpu = 60000\ncpu-share = 400";
    let heart = Heart::with(&code, limits, |hub| {
        hub.set_grace(Duration::from_millis(500));
    });
    let heart = heart.await;
    heart.running().await;
    heart.command().unwrap();
    let operator = heart.hub.operator(None);
    let begun = Instant::now();
    operator.act("Stub", Action::Stop).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(5));
    assert!(
        heart.said("the plugin did not stop within"),
        "{:?}",
        heart.log()
    );
    assert_eq!(heart.remote.counters.status(), Status::Stopped);
    operator.act("Stub", Action::Restart).await.unwrap();
    heart.running().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_tells_what_is_in_use() {
    let heart = Heart::new("", "").await;
    let operator = heart.hub.operator(None);
    heart.until("onStart", |it| it.calls() >= 1).await;
    heart.running().await;
    let told = report(&operator).await;
    assert_eq!(
        (&*told.name, &*told.framework, &*told.key),
        ("Stub", "domoticz", "Stub")
    );
    assert_eq!(
        (told.source, told.state),
        (Source::Configuration, State::Running)
    );
    assert_eq!((told.health, told.last_error), (Health::Fine, None));
    assert!(told.since > 0 && told.id > 0 && told.calls > 0);
    // The stub's memory has 16 pages.
    assert_eq!(told.memory, 16 << 16);
    let memory = told.limits.iter().find(|it| it.name == "memory").unwrap();
    assert_eq!((memory.used, &*memory.unit), (16 << 16, "bytes"));
    let hub = operator.hub();
    assert_eq!((hub.pid, hub.configuration), (std::process::id(), None));
    assert!(hub.resident > 0 && hub.started > 0 && !hub.loading);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_an_instance_that_there_is_not_is_told_of_others() {
    let heart = Heart::new("", "").await;
    let operator = heart.hub.operator(None);
    for name in ["stub", "Stup", "Nobody"] {
        let refused = operator.act(name, Action::Stop).await.unwrap_err();
        let OperatorError::Missing(text) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(text.contains("`Stub`"), name != "Nobody", "{text}");
    }
    let refused = operator.reload().await.unwrap_err();
    assert!(refused.to_string().contains("without a configuration file"));
    let grants = operator.grants("Stub").await.unwrap();
    assert_eq!(grants["network"], serde_json::json!([]));
    let refused = operator.set_grants("Stub", grants).await.unwrap_err();
    assert!(
        refused.to_string().contains("[hardware.grants]"),
        "{refused}"
    );
}
