//! The hub's HTTP API for Domoticz clients, and a status page.
//!
//! Speaks `GET /json.htm?type=command&param=...` with the field names that clients of
//! Domoticz know. It has no authentication: who can reach the listener may operate
//! every device, so where to listen is the operator's decision. Web pages of others
//! are kept out (a browser's cross-site request is refused). Never shows a parameter
//! of a plugin, because any may be a secret.

mod answer;
mod commands;
mod devices;
pub mod indigo;
mod names;
mod page;
mod query;
mod sensor;
mod server;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;

pub use server::serve;

use crate::log::EventLog;
use crate::platform::domoticz::{DeviceTable, Plugins};
use answer::Answer;
use query::Query;

/// What the API needs of the hub.
#[derive(Clone)]
pub struct HubApi {
    /// The device table.
    pub devices: DeviceTable,
    /// The event log, for `getlog`.
    pub log: EventLog,
    /// The running plugins.
    pub plugins: Arc<dyn Plugins>,
    /// What `getversion` answers.
    pub version: VersionInfo,
    /// Refuses requests whose `Host` is not this machine's own name for itself, so
    /// that a web page cannot reach a loopback listener by a name of its own. Set it
    /// when the listener is on a loopback address.
    pub local_only: bool,
}

/// What clients are told about the hub's version.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VersionInfo {
    /// Domoticz version that clients compare with, such as `2025.1`.
    pub version: String,
    /// `YYYY-MM-DD HH:MM:SS`.
    pub build_time: String,
    /// Build hash.
    pub hash: String,
    /// Revision number.
    pub revision: u32,
    /// Version of the plugins' Python.
    pub python_version: String,
}

/// The routes of the API.
pub fn router(api: HubApi) -> Router {
    Router::new()
        .route("/", get(status_page))
        .route("/json.htm", get(json))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found\n") })
        .with_state(api)
}

async fn json(State(api): State<HubApi>, headers: HeaderMap, uri: Uri) -> Response {
    if let Err(refusal) = admit(&api, &headers) {
        return Answer::error("Forbidden", refusal).with_status(StatusCode::FORBIDDEN);
    }
    match Query::parse(&uri) {
        Ok(query) => commands::run(&api, &query).await.into_response(),
        Err(reason) => Answer::error("Error", reason).with_status(StatusCode::URI_TOO_LONG),
    }
}

async fn status_page(State(api): State<HubApi>, headers: HeaderMap) -> Response {
    if let Err(refusal) = admit(&api, &headers) {
        return (StatusCode::FORBIDDEN, refusal).into_response();
    }
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [(header::CONTENT_SECURITY_POLICY, policy)];
    match api.devices.all().await {
        Ok(rows) => (headers, Html(page::render(&api.plugins.hardware(), &rows))).into_response(),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
    }
}

/// Keeps other sites' pages from using a browser that can reach the hub.
fn admit(api: &HubApi, headers: &HeaderMap) -> Result<(), String> {
    same_site(api.local_only, headers)
}

fn same_site(local_only: bool, headers: &HeaderMap) -> Result<(), String> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = text("host").unwrap_or("");
    if text("sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err("requests from other web sites are refused".to_owned());
    }
    let own = |origin: &str| {
        origin
            .split_once("://")
            .is_some_and(|(_, from)| from == host)
    };
    if text("origin").is_some_and(|origin| !own(origin)) {
        return Err("requests from pages of another origin are refused".to_owned());
    }
    same_host(local_only, headers)
}

/// Keeps a page from reaching a loopback listener by a name of its own.
fn same_host(local_only: bool, headers: &HeaderMap) -> Result<(), String> {
    let host = headers.get("host").and_then(|value| value.to_str().ok());
    if local_only && !is_local(host.unwrap_or("")) {
        return Err("use the address 127.0.0.1 or the name localhost".to_owned());
    }
    Ok(())
}

/// Whether a `Host` header names the loopback interface. HTTP/1.0 has none.
fn is_local(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let loopback = address
        .parse::<std::net::IpAddr>()
        .is_ok_and(|ip| ip.is_loopback());
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || loopback
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
