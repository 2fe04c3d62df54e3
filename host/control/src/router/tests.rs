//! Tests of the addresses with a hub that only remembers.

mod document;
mod web;

use std::sync::{Mutex, PoisonError};

use axum::http::header;
use cordon_base::log::{Level, LogCapacity};
use futures_util::FutureExt;
use serde_json::json;
use tower::ServiceExt;

use super::*;
use crate::operator::Answer;
use crate::report::{
    Changes, Denied, Health, LastError, LimitReport, Problem, Source, State as Phase,
};

/// A hub that remembers the orders that it gets.
#[derive(Default)]
pub(super) struct Fake {
    orders: Mutex<Vec<String>>,
}

impl Fake {
    fn told(&self, order: String) {
        let mut orders = self.orders.lock().unwrap_or_else(PoisonError::into_inner);
        orders.push(order);
    }

    fn orders(&self) -> Vec<String> {
        std::mem::take(&mut self.orders.lock().unwrap())
    }
}

/// A report in which everything is there.
pub(super) fn report(name: &str) -> InstanceReport {
    InstanceReport {
        name: name.to_owned(),
        framework: "domoticz".to_owned(),
        key: "P".to_owned(),
        id: 3,
        source: Source::Configuration,
        state: Phase::Restarting,
        since: 5,
        reason: "SECRET reason".to_owned(),
        health: Health::RaisedInStart,
        last_error: Some(LastError {
            time: 4,
            callback: "onStart".to_owned(),
            text: "KeyError: SECRET".to_owned(),
        }),
        next_start: Some(9),
        restarts: 1,
        failures: 1,
        calls: 10,
        raised: 2,
        refused: 0,
        cpu: 1200,
        memory: 1 << 20,
        limits: vec![LimitReport {
            name: "threads".to_owned(),
            used: 1,
            allowed: 16,
            unit: "threads".to_owned(),
        }],
        denied: vec![Denied {
            name: "network".to_owned(),
            what: "SECRET.example:80".to_owned(),
            count: 2,
            time: 3,
        }],
    }
}

pub(super) fn hub_report() -> HubReport {
    HubReport {
        version: "0.1.0".to_owned(),
        pid: 1,
        started: 2,
        configuration: Some("/SECRET/cordon.toml".to_owned()),
        loading: false,
        resident: 3,
        problems: vec![problem()],
    }
}

pub(super) fn problem() -> Problem {
    Problem {
        name: "folder".to_owned(),
        reason: "SECRET".to_owned(),
    }
}

const NAMES: [&str; 3] = ["Living room", "a/b %2F?", "grants"];

impl Operator for Fake {
    fn hub(&self) -> HubReport {
        hub_report()
    }

    fn instances(&self) -> futures_util::future::BoxFuture<'_, Vec<InstanceReport>> {
        async { NAMES.map(report).into() }.boxed()
    }

    fn act<'a>(&'a self, name: &'a str, action: Action) -> Answer<'a, ()> {
        async move {
            if !NAMES.contains(&name) {
                return Err(names::missing(name, NAMES));
            }
            match action {
                Action::Start => Err(OperatorError::Refused("it runs already".to_owned())),
                Action::Reload => Err(OperatorError::Failed("the store is closed".to_owned())),
                _ => {
                    self.told(format!("{action:?} {name}"));
                    Ok(())
                }
            }
        }
        .boxed()
    }

    fn grants<'a>(&'a self, name: &'a str) -> Answer<'a, Value> {
        async move {
            match NAMES.contains(&name) {
                true => Ok(json!({"network": ["10.0.0.1:80"]})),
                false => Err(names::missing(name, NAMES)),
            }
        }
        .boxed()
    }

    fn set_grants<'a>(&'a self, name: &'a str, grants: Value) -> Answer<'a, ()> {
        self.told(format!("{name} {grants}"));
        async { Ok(()) }.boxed()
    }

    fn reload(&self) -> Answer<'_, Changes> {
        async {
            match self.orders.lock().unwrap().is_empty() {
                true => Ok(Changes::default()),
                false => Err(OperatorError::Refused("line 3: unknown field".to_owned())),
            }
        }
        .boxed()
    }
}

pub(super) struct Site {
    pub hub: Arc<Fake>,
    pub control: Control,
    pub log: EventLog,
    pub end: CancellationToken,
}

pub(super) fn site() -> Site {
    let hub = Arc::new(Fake::default());
    let log = EventLog::new(LogCapacity::default());
    let end = CancellationToken::new();
    let operator: Arc<dyn Operator> = Arc::<Fake>::clone(&hub);
    let control = Control::new(operator, log.clone(), end.clone());
    Site {
        hub,
        control,
        log,
        end,
    }
}

impl Site {
    /// Status and body of the answer over the Unix socket.
    async fn ask(&self, method: &str, path: &str, body: impl Into<Body>) -> (u16, Value) {
        let response = self.response(method, path, body).await;
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        let text = || String::from_utf8_lossy(&body).into_owned();
        (
            status,
            serde_json::from_slice(&body).unwrap_or_else(|_| text().into()),
        )
    }

    async fn response(&self, method: &str, path: &str, body: impl Into<Body>) -> Response {
        let request = Request::builder().method(method).uri(path);
        let request = request.body(body.into()).unwrap();
        local(self.control.clone()).oneshot(request).await.unwrap()
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        self.ask("GET", path, Body::empty()).await
    }

    async fn post(&self, path: &str) -> (u16, Value) {
        self.ask("POST", path, Body::empty()).await
    }
}

fn error(answer: &Value) -> &str {
    answer["error"].as_str().unwrap_or_default()
}

#[tokio::test]
async fn reports_are_those_of_the_hub() {
    let site = site();
    let (status, hub) = site.get("/cordon/v1/hub").await;
    assert_eq!(status, 200);
    assert_eq!(hub, serde_json::to_value(hub_report()).unwrap());
    let (_, all) = site.get("/cordon/v1/instances").await;
    assert_eq!(all, serde_json::to_value(NAMES.map(report)).unwrap());
    let (status, one) = site.get("/cordon/v1/instances/a%2Fb%20%252F%3F").await;
    assert_eq!((status, &one["name"]), (200, &NAMES[1].into()));
    let (_, one) = site.get("/cordon/v1/instances/grants").await;
    assert_eq!(one["name"], "grants");
    let response = site.response("GET", "/cordon/v1/hub", Body::empty()).await;
    let headers = response.headers();
    assert_eq!(headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(headers[header::CACHE_CONTROL], "no-store");
    assert_eq!(headers["x-content-type-options"], "nosniff");
}

#[tokio::test]
async fn orders_reach_the_hub_and_refusals_have_their_status() {
    let site = site();
    let at = |action: &str| format!("/cordon/v1/instances/Living%20room/{action}");
    assert_eq!(site.post(&at("stop")).await.0, 204);
    assert_eq!(site.post(&at("restart")).await.0, 204);
    assert_eq!(
        site.hub.orders(),
        ["Stop Living room", "Restart Living room"]
    );
    let (status, answer) = site.post(&at("start")).await;
    assert_eq!((status, error(&answer)), (409, "it runs already"));
    let (status, answer) = site.post(&at("reload")).await;
    assert_eq!((status, error(&answer)), (500, "the store is closed"));
    let (status, answer) = site.post(&at("destroy")).await;
    assert_eq!(status, 404);
    assert!(error(&answer).contains("start, stop, restart or reload"));
    let (status, answer) = site.post("/cordon/v1/instances/livingroom/stop").await;
    assert_eq!(status, 404);
    assert!(
        error(&answer).contains("did you mean `Living room`?"),
        "{answer}"
    );
    assert!(site.hub.orders().is_empty());
}

#[tokio::test]
async fn addresses_that_are_none_are_answered_in_json() {
    let site = site();
    for (method, path, status) in [
        ("GET", "/cordon/v1", 404),
        ("GET", "/cordon/v1/nothing/at/all", 404),
        ("GET", "/cordon/v1/instances/None", 404),
        ("GET", "/cordon/v1/instances/%FF", 400),
        ("POST", "/cordon/v1/hub", 405),
        ("GET", "/cordon/v1/instances/Living%20room/stop", 405),
        ("DELETE", "/cordon/v1/instances/Living%20room/grants", 405),
    ] {
        let (answered, answer) = site.ask(method, path, Body::empty()).await;
        assert_eq!(answered, status, "{method} {path}: {answer}");
        assert!(!error(&answer).is_empty(), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn grants_are_the_words_of_the_configuration() {
    let site = site();
    let path = "/cordon/v1/instances/Living%20room/grants";
    let (status, grants) = site.get(path).await;
    assert_eq!((status, grants), (200, json!({"network": ["10.0.0.1:80"]})));
    let set = "{\"network\":[\"10.0.0.2:80\"],\"security\":true,\"listen\":[80,\"90-99\"]}";
    assert_eq!(site.ask("PUT", path, set).await.0, 204);
    assert_eq!(site.hub.orders(), [format!("Living room {set}")]);
    for wrong in [
        "",
        "[",
        "[1]",
        "{\"netwrok\":[]}",
        "{\"network\":[\"nowhere\"]}",
        "7",
    ] {
        let (status, answer) = site.ask("PUT", path, wrong).await;
        assert_eq!(status, 422, "{wrong}: {answer}");
        assert!(answer["hint"].as_str().unwrap().contains("[grants]"));
    }
    let (status, answer) = site.ask("PUT", path, vec![b' '; MAX_BODY + 1]).await;
    assert_eq!(status, 413, "{answer}");
    assert!(site.hub.orders().is_empty());
    assert_eq!(site.get("/cordon/v1/instances/None/grants").await.0, 404);
}

#[tokio::test]
async fn a_configuration_that_is_read_again_tells_its_changes_or_its_error() {
    let site = site();
    let (status, changes) = site.post("/cordon/v1/reload").await;
    assert_eq!(status, 200);
    assert_eq!(changes, serde_json::to_value(Changes::default()).unwrap());
    site.hub.told("something".to_owned());
    let (status, answer) = site.post("/cordon/v1/reload").await;
    assert_eq!((status, error(&answer)), (422, "line 3: unknown field"));
}

#[tokio::test]
async fn the_log_is_read_with_its_bounds() {
    let site = site();
    site.log.record(Some("Living room"), Level::Normal, "one");
    site.log.record(Some("Gone"), Level::Error, "two");
    let (status, text) = site.get("/cordon/v1/log").await;
    assert_eq!(status, 200);
    let text = text.as_str().unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    let (_, line) = site.get("/cordon/v1/log?level=error&lines=5").await;
    assert_eq!(
        (&line["text"], &line["instance"]),
        (&"two".into(), &"Gone".into())
    );
    let (status, _) = site.get("/cordon/v1/log?instance=Living+room").await;
    assert_eq!(status, 200);
    // An instance that is gone may have left lines, and one that is there may have written none.
    assert_eq!(site.get("/cordon/v1/log?instance=Gone").await.0, 200);
    assert_eq!(site.get("/cordon/v1/log?instance=grants").await.0, 200);
    assert_eq!(site.get("/cordon/v1/log?instance=None").await.0, 404);
    for wrong in ["lines=10001", "lines=x", "level=bad"] {
        let (status, answer) = site.get(&format!("/cordon/v1/log?{wrong}")).await;
        assert_eq!(status, 422, "{wrong}: {answer}");
    }
}

#[tokio::test]
async fn so_many_readers_have_the_log_open() {
    let site = site();
    let mut open = Vec::new();
    for _ in 0..MAX_READERS {
        let follow = site.response("GET", "/cordon/v1/log?follow=true", Body::empty());
        open.push(follow.await);
    }
    assert_eq!(
        open[0].headers()[header::CONTENT_TYPE],
        "application/x-ndjson"
    );
    let (status, answer) = site.get("/cordon/v1/log").await;
    assert_eq!(status, 503);
    assert!(error(&answer).contains("16 readers"), "{answer}");
    open.pop();
    assert_eq!(site.get("/cordon/v1/log").await.0, 200);
    // With the hub's API all of them end.
    site.end.cancel();
    for response in open {
        to_bytes(response.into_body(), usize::MAX).await.unwrap();
    }
}

/// A hub that is slow to tell of its instances.
struct Slow(Fake);

impl Operator for Slow {
    fn hub(&self) -> HubReport {
        hub_report()
    }

    fn instances(&self) -> futures_util::future::BoxFuture<'_, Vec<InstanceReport>> {
        self.0.told(String::new());
        std::future::pending().boxed()
    }

    fn act<'a>(&'a self, name: &'a str, action: Action) -> Answer<'a, ()> {
        self.0.act(name, action)
    }

    fn grants<'a>(&'a self, name: &'a str) -> Answer<'a, Value> {
        self.0.grants(name)
    }

    fn set_grants<'a>(&'a self, name: &'a str, grants: Value) -> Answer<'a, ()> {
        self.0.set_grants(name, grants)
    }

    fn reload(&self) -> Answer<'_, Changes> {
        self.0.reload()
    }
}

#[tokio::test]
async fn so_many_lists_are_made_at_a_time_and_the_others_are_refused() {
    let slow = Arc::new(Slow(Fake::default()));
    let operator: Arc<dyn Operator> = Arc::<Slow>::clone(&slow);
    let log = EventLog::new(LogCapacity::default());
    let site = Site {
        control: Control::new(operator, log.clone(), CancellationToken::new()),
        hub: Arc::default(),
        log,
        end: CancellationToken::new(),
    };
    let all = async {
        futures_util::future::join_all((0..DESKS).map(|_| site.get("/cordon/v1/instances"))).await
    };
    let refused = async {
        tokio::task::yield_now().await;
        site.get("/cordon/v1/instances").await
    };
    let (status, answer) = tokio::select! {
        biased;
        _ = all => panic!("they never end"),
        refused = refused => refused,
    };
    assert_eq!(status, 503, "{answer}");
    assert_eq!(answer["hint"], "try again in a moment");
    assert_eq!(slow.0.orders().len(), DESKS);
}
