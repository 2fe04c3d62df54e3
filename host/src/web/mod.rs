//! The hub's HTTP API for Domoticz clients, custom pages and icons, and a status page.
//!
//! Speaks `/json.htm?type=command&param=...` with the field names that clients of
//! Domoticz know; `docs/api.md` has the commands. Who may use it is decided in
//! [`access`]; web pages of others are kept from commanding it in [`origin`], and pages
//! of plugins have an origin of their own ([`site`]). Everything that a client can send or make the hub keep is bounded.

mod access;
mod answer;
mod bodies;
mod body;
mod budget;
mod commands;
mod compare;
mod counter;
mod devices;
mod digest;
mod early;
mod figure;
mod forwarded;
mod gzip;
pub mod indigo;
mod names;
mod origin;
mod page;
mod pages;
mod places;
mod query;
mod rows;
mod sensor;
mod server;
mod site;
mod stream;
mod throttle;

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Form, Path, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;

pub use access::{Access, Rights};
pub use budget::Budget;
pub use commands::markdown;
pub use devices::Board;
pub use origin::Origins;
pub use pages::Pages;
pub use server::serve;
pub use site::{Listeners, PagesOrigin};

use crate::config::WebConfig;
use crate::log::EventLog;
use crate::platform::domoticz::definition::PluginDefinition;
use crate::platform::domoticz::favorites::Favorites;
use crate::platform::domoticz::history::History;
use crate::platform::domoticz::image::Images;
use crate::platform::domoticz::preferences::Preferences;
use crate::platform::domoticz::variables::Variables;
use crate::platform::domoticz::{DeviceTable, House, Plugins};
use crate::platform::problems::Problems;
use crate::pool::Pools;
use crate::store::ManagedHardware;
use access::Caller;
use answer::Answer;
use commands::Call;
use early::{Early, Reply};
use forwarded::Client;
use origin::Act;
use page::StatusPage;
use query::Query;
use server::Peer;

/// Bytes of a form, and of an uploaded file.
const MAX_FORM: usize = 64 << 10;
const MAX_UPLOAD: usize = 4 << 20;
/// Bytes of an icon, of which there are many on a page.
const MAX_ICON: usize = 256 << 10;

/// What the API needs of the hub.
#[derive(Clone)]
pub struct HubApi {
    /// The device table.
    pub devices: DeviceTable,
    /// What lists show of it.
    pub board: Board,
    /// The custom icons.
    pub images: Images,
    /// The security status and notifications; told of every change from outside.
    pub house: House,
    /// The event log, for `getlog`.
    pub log: EventLog,
    /// The running plugins.
    pub plugins: Arc<dyn Plugins>,
    /// Threads for work that may block or take long.
    pub pools: Pools,
    /// What adds and removes hardware; `None` when this hub does not.
    pub manager: Option<Arc<dyn Management>>,
    /// What cannot be used of what there is.
    pub problems: Problems,
    /// Who may use the API.
    pub access: Access,
    /// Room for answers under way.
    pub budget: Budget,
    /// Pages of plugins.
    pub pages: Pages,
    /// What devices showed.
    pub history: History,
    /// Devices to see first.
    pub favorites: Favorites,
    /// User variables.
    pub variables: Variables,
    /// The settings.
    pub preferences: Preferences,
    /// When the hub was started.
    pub started: Instant,
    /// What `getversion` answers.
    pub version: VersionInfo,
    /// Which names and origins are the hub's own.
    pub origins: Origins,
    /// Where browsers are sent that ask for pages of plugins; `None` shows them here.
    pub pages_origin: Option<PagesOrigin>,
}

impl HubApi {
    /// The same for the listener of pages on this address.
    #[must_use]
    pub fn of_pages(&self, config: &WebConfig, listener: SocketAddr) -> Self {
        Self {
            origins: Origins::of_pages(config, listener),
            ..self.clone()
        }
    }
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

/// Adds, changes and removes hardware while the hub runs. Texts of errors say what to do.
pub trait Management: Send + Sync {
    /// The plugins of which there can be hardware.
    fn definitions(&self) -> BoxFuture<'_, Result<Vec<Arc<PluginDefinition>>, String>>;

    /// All hardware that was added, running or not.
    fn hardware(&self) -> BoxFuture<'_, Result<Vec<ManagedHardware>, String>>;

    /// Adds hardware (`id` 0) or changes it, and starts it anew; returns its id.
    fn save(&self, hardware: ManagedHardware) -> BoxFuture<'_, Result<u32, String>>;

    /// Stops hardware and removes it with its devices and files.
    fn remove(&self, id: u32) -> BoxFuture<'_, Result<(), String>>;
}

/// The routes of the API.
pub fn router(api: HubApi) -> Router {
    let room = (api.budget.clone(), api.access.clone());
    Router::new()
        .route("/", get(status_page))
        .route("/json.htm", get(json).post(json))
        .route("/images/{name}", get(icon))
        .route("/templates/{name}", get(custom_page))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route("/uploadcustomicon", post(upload))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found\n") })
        .layer(from_fn_with_state(room, budget::of_whole_answers))
        .with_state(api)
}

/// The routes of the origin that pages of plugins have for themselves.
pub fn pages_router(api: HubApi) -> Router {
    let room = (api.budget.clone(), api.access.clone());
    Router::new()
        .route("/templates/{name}", get(custom_page))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found\n") })
        .layer(from_fn_with_state(room, budget::of_whole_answers))
        .with_state(api)
}

async fn json(
    State(api): State<HubApi>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    method: Method,
    headers: HeaderMap,
    uri: Uri,
    form: Result<Form<HashMap<String, String>>, FormRejection>,
) -> Reply {
    let mut query = Query::parse(&uri)
        .map_err(|reason| Answer::refused(reason).with_status(StatusCode::URI_TOO_LONG))?;
    match form {
        // A GET has its query for a form.
        Ok(Form(form)) => query.add(form),
        Err(FormRejection::InvalidFormContentType(_)) => {}
        Err(rejection) => {
            let answer = Answer::refused(rejection.body_text());
            return Err(answer.with_status(rejection.status()).into());
        }
    }
    keep_apart(&api, &headers, &method, commands::act_of(&query))?;
    let (caller, client) = admit(&api, &peer, &headers, &query)?;
    let call = Call {
        api: &api,
        query: &query,
        caller: &caller,
        peer: client.address,
        busy: AtomicBool::new(false),
        share: api.budget.share(client.address),
    };
    Ok(commands::run(&call, gzip::is_accepted(&headers)).await)
}

async fn upload(
    State(api): State<HubApi>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Reply {
    let headers = request.headers().clone();
    keep_apart(&api, &headers, request.method(), Act::Change)?;
    let (caller, client) = admit(&api, &peer, &headers, &Query::default())?;
    if let Some(refused) = commands::refuses_icons(&caller) {
        return Ok(refused.into_response());
    }
    // It is there as a body, and as the file in that.
    let share = api.budget.share(client.address);
    let Some(_room) = share.take(MAX_UPLOAD.saturating_mul(2)).await else {
        return Ok(budget::full());
    };
    let file = body::file(request, MAX_UPLOAD)
        .await
        .map_err(|(status, reason)| Answer::refused(reason).with_status(status))?;
    let uploaded = commands::upload_icons(&api, file).await;
    Ok(uploaded.into_response())
}

async fn status_page(
    State(api): State<HubApi>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Reply {
    keep_apart(&api, &headers, &Method::GET, Act::Look)?;
    let (_, client) = admit(&api, &peer, &headers, &Query::default())?;
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
    ];
    let pages = api.pages.names().await;
    let hardware = api.plugins.hardware();
    let page = match StatusPage::new(&api.devices, &api.board, hardware, &pages).await {
        Ok(page) => page,
        Err(error) => {
            return Ok((StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response());
        }
    };
    let share = api.budget.share(client.address);
    let Some((_, pieces)) = share.send(Box::new(page), 0).await else {
        return Ok(budget::full());
    };
    let body = Body::from_stream(pieces.map(Ok::<_, Infallible>));
    Ok((headers, body).into_response())
}

async fn custom_page(
    State(api): State<HubApi>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    uri: Uri,
    Path(name): Path<String>,
) -> Reply {
    // A page is only shown, and links to it may be anywhere.
    keep_apart(&api, &headers, &Method::GET, Act::Show)?;
    let elsewhere = api.pages_origin.as_ref();
    if let Some(there) = elsewhere.and_then(|it| it.send_there(&headers, &uri)) {
        return Ok(there);
    }
    let (_, client) = admit(&api, &peer, &headers, &Query::default())?;
    let share = api.budget.share(client.address);
    let Some(_room) = share.take(pages::MAX_PAGE).await else {
        return Ok(budget::full());
    };
    Ok(api.pages.response(&name).await)
}

async fn icon(
    State(api): State<HubApi>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
    Path(name): Path<String>,
) -> Reply {
    keep_apart(&api, &headers, &Method::GET, Act::Look)?;
    let (_, client) = admit(&api, &peer, &headers, &Query::default())?;
    let share = api.budget.share(client.address);
    let Some(_room) = share.take(MAX_ICON).await else {
        return Ok(budget::full());
    };
    Ok(pages::icon(&api.images, &name).await)
}

/// The answer to what a page of somebody else made a browser send.
fn keep_apart(api: &HubApi, headers: &HeaderMap, method: &Method, act: Act) -> Result<(), Early> {
    let checked = api.origins.check(headers, method, act);
    checked.map_err(|reason| forbidden(reason).into())
}

/// Who asks, and from where; else the answer to whoever may not.
fn admit(
    api: &HubApi,
    peer: &Peer,
    headers: &HeaderMap,
    query: &Query,
) -> Result<(Caller, Client), Early> {
    let client = api.access.client(peer.address.ip(), headers);
    let admitted = api.access.admit(client, headers, query);
    let caller = admitted.map_err(|refusal| {
        let answer = Answer::refused(refusal.words()).with_status(refusal.status());
        let ask = [(header::WWW_AUTHENTICATE, "Basic realm=\"Cordon\"")];
        match refusal.status() {
            StatusCode::UNAUTHORIZED => (ask, answer).into_response(),
            _ => answer,
        }
    })?;
    if caller.is_local() {
        api.origins.check_host(headers).map_err(forbidden)?;
    }
    peer.is_let_in(!caller.is_local());
    Ok((caller, client))
}

fn forbidden(reason: String) -> Response {
    Answer::refused(reason).with_status(StatusCode::FORBIDDEN)
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
