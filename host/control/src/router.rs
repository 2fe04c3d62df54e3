//! The addresses of the API. `openapi.json` describes them, and `docs/api.md` tells how they are used.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, Request, State};
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get, post};
use futures_util::StreamExt;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use cordon_base::grants::Grants;
use cordon_base::log::EventLog;
use cordon_web::access::{Caller, Rights};
use cordon_web::cors;
use cordon_web::early::{Early, Reply};
use cordon_web::query::Query;
use cordon_web::server::Endless;

use crate::answer::{busy, json, mark, not_done, refused, with_hint};
use crate::gate::{as_operator, let_in};
use crate::names;
use crate::operator::{Action, Operator, OperatorError};
use crate::reading::{self, Follow, MAX_LINES, Wanted};
use crate::report::{HubReport, InstanceReport};

pub use crate::gate::Gate;

/// The description of the API.
pub const OPENAPI: &str = include_str!("../openapi.json");

/// Bytes of a request's body.
pub const MAX_BODY: usize = 64 << 10;

/// How long a body may take to come.
const BODY: Duration = Duration::from_secs(10);

/// Readers of the log at a time.
pub const MAX_READERS: usize = 16;

/// Lines of the log for a reader that does not say how many.
const LINES: usize = 100;

/// Reports that are put together at a time.
const DESKS: usize = 4;

/// How long a report waits for its turn.
const WAIT: Duration = Duration::from_secs(2);

/// Time after which an empty line says that the log is silent. The server takes a connection for
/// dead on which nothing moves for 30 seconds.
const BEAT: Duration = Duration::from_secs(10);

/// The hub and its log, for all addresses. Clones share everything.
#[derive(Clone)]
pub struct Control {
    operator: Arc<dyn Operator>,
    log: EventLog,
    end: CancellationToken,
    readers: Arc<Semaphore>,
    desks: Arc<Semaphore>,
    beat: Duration,
}

impl Control {
    /// The API of a hub. Readers that follow the log are let go when `end` is cancelled.
    #[must_use]
    pub fn new(operator: Arc<dyn Operator>, log: EventLog, end: CancellationToken) -> Self {
        Self {
            operator,
            log,
            end,
            readers: Arc::new(Semaphore::new(MAX_READERS)),
            desks: Arc::new(Semaphore::new(DESKS)),
            beat: BEAT,
        }
    }

    /// The reports on all instances, with no more than a few lists in the making.
    async fn instances(&self) -> Result<Vec<InstanceReport>, Early> {
        let turn = tokio::time::timeout(WAIT, self.desks.acquire()).await;
        let Ok(Ok(_turn)) = turn else {
            return Err(busy("too many reports are asked for"));
        };
        Ok(self.operator.instances().await)
    }
}

/// One address with its methods.
type Route = (&'static str, fn() -> MethodRouter<Control>);

/// All addresses.
const ROUTES: [Route; 8] = [
    ("/cordon/v1/hub", || get(hub)),
    ("/cordon/v1/instances", || get(instances)),
    ("/cordon/v1/instances/{name}", || get(instance)),
    ("/cordon/v1/instances/{name}/{action}", || post(act)),
    ("/cordon/v1/instances/{name}/grants", || {
        get(grants).put(set_grants)
    }),
    ("/cordon/v1/reload", || post(reload)),
    ("/cordon/v1/log", || get(log)),
    ("/cordon/v1/openapi.json", || get(openapi)),
];

/// The API for the Unix socket: whoever can open that is the operator.
pub fn local(control: Control) -> Router {
    routes().layer(from_fn(as_operator)).with_state(control)
}

/// The API for a listener that browsers and other machines reach.
pub fn web(control: Control, gate: Gate) -> Router {
    let origins = gate.origins.clone();
    routes()
        .layer(from_fn_with_state(gate, let_in))
        .layer(from_fn_with_state(origins, cors::let_in))
        .with_state(control)
}

fn routes() -> Router<Control> {
    let mut router = Router::new();
    for (path, methods) in ROUTES {
        router = router.route(path, methods());
    }
    router
        .method_not_allowed_fallback(other_method)
        .route("/cordon/v1", any(nothing))
        .route("/cordon/v1/", any(nothing))
        .route("/cordon/v1/{*rest}", any(nothing))
}

/// A handler's view of who asks.
type Who = Extension<Caller>;

/// Refuses everybody with fewer rights.
fn needs(rights: Rights, Extension(caller): &Who) -> Result<(), Early> {
    if caller.rights >= rights {
        return Ok(());
    }
    let whom = match rights {
        Rights::Admin => "only admins may do this",
        Rights::User | Rights::Viewer => "viewers may not do this",
    };
    let hint = Some("`rights` of the user under [web] in cordon.toml says who is who");
    Err(with_hint(StatusCode::FORBIDDEN, whom, hint))
}

/// The name in an address.
fn named<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Early> {
    let told = |rejection: PathRejection| refused(StatusCode::BAD_REQUEST, rejection.body_text());
    path.map(|Path(name)| name).map_err(told)
}

async fn hub(State(control): State<Control>, who: Who) -> Reply {
    needs(Rights::User, &who)?;
    let report = control.operator.hub();
    Ok(json(&match who.0.rights {
        Rights::Admin => report,
        Rights::User | Rights::Viewer => HubReport {
            configuration: None,
            problems: Vec::new(),
            ..report
        },
    }))
}

async fn instances(State(control): State<Control>, who: Who) -> Reply {
    needs(Rights::User, &who)?;
    let reports = control.instances().await?;
    let reports: Vec<_> = reports.into_iter().map(|it| shown(it, &who)).collect();
    Ok(json(&reports))
}

async fn instance(
    State(control): State<Control>,
    who: Who,
    path: Result<Path<String>, PathRejection>,
) -> Reply {
    needs(Rights::User, &who)?;
    let name = named(path)?;
    let mut reports = control.instances().await?;
    match reports.iter().position(|it| it.name == name) {
        Some(place) => Ok(json(&shown(reports.swap_remove(place), &who))),
        None => Err(unknown(&name, &reports)),
    }
}

/// Texts of plugins and their targets may hold passwords, which are the admins' affair.
fn shown(report: InstanceReport, Extension(caller): &Who) -> InstanceReport {
    match caller.rights {
        Rights::Admin => report,
        Rights::User | Rights::Viewer => InstanceReport {
            reason: String::new(),
            last_error: None,
            denied: Vec::new(),
            ..report
        },
    }
}

fn unknown(name: &str, reports: &[InstanceReport]) -> Early {
    let names = reports.iter().map(|it| it.name.as_str());
    not_done(names::missing(name, names))
}

async fn act(
    State(control): State<Control>,
    who: Who,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Reply {
    needs(Rights::Admin, &who)?;
    let (name, action) = named(path)?;
    let action = serde_json::from_value::<Action>(Value::String(action)).map_err(|_| {
        let text = "an instance can be told to start, stop, restart or reload";
        refused(StatusCode::NOT_FOUND, text)
    })?;
    done(control.operator.act(&name, action).await)
}

async fn grants(
    State(control): State<Control>,
    who: Who,
    path: Result<Path<String>, PathRejection>,
) -> Reply {
    needs(Rights::Admin, &who)?;
    let name = named(path)?;
    let grants = control.operator.grants(&name).await;
    Ok(json(&grants.map_err(not_done)?))
}

async fn set_grants(
    State(control): State<Control>,
    who: Who,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Reply {
    needs(Rights::Admin, &who)?;
    // A grant may name a program, which would make every account of the machine the hub's own.
    if who.is_local() {
        let text = "grants are set with a password";
        let hint = Some("log in, or use `cordon grant` in the hub's own account");
        return Err(with_hint(StatusCode::FORBIDDEN, text, hint));
    }
    let name = named(path)?;
    let body = body(request).await?;
    let wrong = |error: serde_json::Error| {
        let hint = "the body is a JSON object with the words of [grants], such as \
                    {\"network\": [\"192.168.1.20:80\"]}";
        with_hint(
            StatusCode::UNPROCESSABLE_ENTITY,
            error.to_string(),
            Some(hint),
        )
    };
    let grants: Value = serde_json::from_slice(&body).map_err(wrong)?;
    serde_json::from_value::<Grants>(grants.clone()).map_err(wrong)?;
    done(control.operator.set_grants(&name, grants).await)
}

/// The whole body of a request, if it is not too long and comes in time.
async fn body(request: Request) -> Result<Bytes, Early> {
    let read = to_bytes(request.into_body(), MAX_BODY);
    match tokio::time::timeout(BODY, read).await {
        Ok(Ok(body)) => Ok(body),
        Ok(Err(_)) => {
            let text = format!("a body may have {MAX_BODY} bytes");
            Err(refused(StatusCode::PAYLOAD_TOO_LARGE, text))
        }
        Err(_) => {
            let text = "the body did not come in time";
            Err(refused(StatusCode::REQUEST_TIMEOUT, text))
        }
    }
}

async fn reload(State(control): State<Control>, who: Who) -> Reply {
    needs(Rights::Admin, &who)?;
    let changes = control
        .operator
        .reload()
        .await
        .map_err(|error| match error {
            OperatorError::Refused(text) => refused(StatusCode::UNPROCESSABLE_ENTITY, text),
            other => not_done(other),
        })?;
    Ok(json(&changes))
}

async fn log(State(control): State<Control>, who: Who, uri: Uri) -> Reply {
    needs(Rights::Admin, &who)?;
    let wrong = |reason: String| refused(StatusCode::UNPROCESSABLE_ENTITY, reason);
    let query = Query::parse(&uri).map_err(wrong)?;
    let level = query.text("level").unwrap_or("debug");
    let lines = query.number("lines").map_err(wrong)?.unwrap_or(LINES);
    if lines > MAX_LINES {
        return Err(wrong(format!("`lines` may be {MAX_LINES} at most")));
    }
    let wanted = Wanted {
        instance: query.text("instance").map(str::to_owned),
        level: level.parse().map_err(wrong)?,
        lines,
    };
    if let Some(name) = &wanted.instance
        && !reading::knows(&control.log, name)
    {
        let reports = control.instances().await?;
        if !reports.iter().any(|it| it.name == *name) {
            return Err(unknown(name, &reports));
        }
    }
    let Ok(place) = Arc::clone(&control.readers).try_acquire_owned() else {
        let text = format!("{MAX_READERS} readers have the log open; close one");
        return Err(refused(StatusCode::SERVICE_UNAVAILABLE, text));
    };
    let follow = query.flag("follow").then(|| Follow {
        end: control.end.clone(),
        beat: control.beat,
    });
    let is_endless = follow.is_some();
    let lines = reading::read(&control.log, wanted, follow, place);
    let body = Body::from_stream(lines.map(Ok::<_, std::convert::Infallible>));
    let mut response = Response::new(body);
    mark(&mut response, "application/x-ndjson");
    if is_endless {
        response.extensions_mut().insert(Endless);
    }
    Ok(response)
}

async fn openapi(who: Who) -> Reply {
    needs(Rights::User, &who)?;
    let mut response = OPENAPI.into_response();
    mark(&mut response, "application/json");
    Ok(response)
}

/// The answer to a step that has nothing to tell.
fn done(outcome: Result<(), OperatorError>) -> Reply {
    outcome.map_err(not_done)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

async fn nothing(uri: Uri) -> Early {
    let text = format!("there is nothing at {}", uri.path());
    let hint = Some("/cordon/v1/openapi.json has the addresses");
    with_hint(StatusCode::NOT_FOUND, text, hint)
}

async fn other_method(method: Method) -> Early {
    let text = format!("{method} does nothing here");
    let hint = Some("/cordon/v1/openapi.json has the methods of every address");
    with_hint(StatusCode::METHOD_NOT_ALLOWED, text, hint)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
