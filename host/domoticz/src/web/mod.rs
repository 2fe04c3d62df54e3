//! The hub's HTTP API for Domoticz clients, custom pages and icons, and a status page.
//!
//! Speaks `/json.htm?type=command&param=...` with the field names that clients of Domoticz know;
//! `docs/api.md` has the commands. Who may use the API is decided in `cordon_web::access`; web
//! pages of others are kept from commanding the hub in `cordon_web::origin`, and pages of plugins
//! have an origin of their own. Everything that a client can send or make the hub keep is bounded.

mod answer;
mod commands;
mod counter;
mod devices;
mod figure;
pub(crate) mod names;
mod page;
mod pages;
mod sensor;
mod socket;

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
use axum::routing::{any, get, post};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;

pub use commands::markdown;
pub use devices::Board;
pub use pages::Pages;

use crate::definition::PluginDefinition;
use crate::favorites::Favorites;
use crate::history::History;
use crate::image::Images;
use crate::preferences::Preferences;
use crate::variables::Variables;
use crate::{DeviceTable, House, Plugins};
use answer::Answer;
use commands::Call;
use cordon_base::log::EventLog;
use cordon_base::pool::Pools;
use cordon_base::problems::Problems;
use cordon_store::ManagedHardware;
use cordon_web::access::Access;
use cordon_web::access::Caller;
use cordon_web::budget::{self, Budget, Share};
use cordon_web::config::WebConfig;
use cordon_web::cors;
use cordon_web::early::{Early, Reply};
use cordon_web::forwarded::Client;
use cordon_web::origin::Act;
use cordon_web::origin::Origins;
use cordon_web::pages_origin::PagesOrigin;
use cordon_web::query::Query;
use cordon_web::server::Peer;
use cordon_web::{body, gzip};
use page::StatusPage;

/// Bytes of a form, and of an uploaded file.
const MAX_FORM: usize = 64 << 10;
const MAX_UPLOAD: usize = 4 << 20;
/// Bytes of an icon, of which there are many on a page.
const MAX_ICON: usize = 256 << 10;

/// The parts of the hub that the API uses.
#[derive(Clone)]
pub struct HubApi {
    /// The device table.
    pub devices: DeviceTable,
    /// The copy of the device table that lists show.
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
    /// Adds and removes hardware; `None` when this hub does not.
    pub manager: Option<Arc<dyn Management>>,
    /// The plugins and sections that cannot be used.
    pub problems: Problems,
    /// Who may use the API.
    pub access: Access,
    /// Room for answers under way.
    pub budget: Budget,
    /// Pages of plugins.
    pub pages: Pages,
    /// The history of the devices.
    pub history: History,
    /// Devices to see first.
    pub favorites: Favorites,
    /// User variables.
    pub variables: Variables,
    /// The settings.
    pub preferences: Preferences,
    /// When the hub was started.
    pub started: Instant,
    /// The answer to `getversion`.
    pub version: VersionInfo,
    /// The names and origins that are the hub's own.
    pub origins: Origins,
    /// Where the hub is unless the settings say it, in degrees north and east.
    pub place: (f64, f64),
    /// Where browsers are sent that ask for pages of plugins; `None` shows them here.
    pub pages_origin: Option<PagesOrigin>,
}

impl HubApi {
    /// This API for the listener of pages on this address.
    #[must_use]
    pub fn of_pages(&self, config: &WebConfig, listener: SocketAddr) -> Self {
        Self {
            origins: Origins::of_pages(config, listener),
            ..self.clone()
        }
    }
}

/// The hub's version, as clients are told.
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

/// Adds, changes and removes hardware while the hub runs. Texts of errors tell the user how to go
/// on.
pub trait Management: Send + Sync {
    /// The plugins that hardware can be made of.
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
        .route("/json.htm", any(json).options(cors::options))
        .route("/json", get(socket::open))
        .route("/images/{name}", get(icon))
        .route("/templates/{name}", get(custom_page))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .route("/uploadcustomicon", post(upload))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found\n") })
        .layer(from_fn_with_state(room, budget::of_whole_answers))
        .layer(from_fn_with_state(api.origins.clone(), cors::let_in))
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
        share: share(&api, client, &caller),
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
    // The upload is in memory twice: as a body, and as the file in the body.
    let share = share(&api, client, &caller);
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
    let (caller, client) = admit(&api, &peer, &headers, &Query::default())?;
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
    let share = share(&api, client, &caller);
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
    let (caller, client) = admit(&api, &peer, &headers, &Query::default())?;
    let share = share(&api, client, &caller);
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
    let (caller, client) = admit(&api, &peer, &headers, &Query::default())?;
    let share = share(&api, client, &caller);
    let Some(_room) = share.take(MAX_ICON).await else {
        return Ok(budget::full());
    };
    Ok(pages::icon(&api.images, &name).await)
}

/// Refuses requests that a page of somebody else made a browser send.
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
    // In these commands user and password belong to the device that the hardware talks to.
    let of_device = matches!(query.text("param"), Some("addhardware" | "updatehardware"));
    let credentials = (!of_device).then_some(query);
    let admitted = api.access.admit(client, headers, credentials);
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
    peer.is_of(&caller.name);
    Ok((caller, client))
}

/// The share of a caller of the room for long requests and answers.
fn share(api: &HubApi, client: Client, caller: &Caller) -> Share {
    api.budget.share(client.address).of_user(&caller.name)
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
