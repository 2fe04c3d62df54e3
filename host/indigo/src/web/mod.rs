//! The Indigo side of the hub's web server: pages of plugins, objects, commands, live
//! changes and dialogs. `docs/indigo-http.md` has all addresses.
//!
//! Everything but a bundle's `Resources/public` asks for an API key or a password. Pages
//! come from plugins, which nobody trusts: browsers are told to keep them apart from the
//! hub's own pages, and the key of a page's address can be bound to its plugin.

mod admission;
mod answer;
pub(crate) mod command;
mod configure;
mod confirm;
mod dialog;
mod file;
mod headers;
mod intake;
mod keys;
mod lens;
mod message;
mod objects;
mod parts;
mod patch;
mod plugins;
mod reply;
mod resources;
mod room;
mod seats;
mod sleep;
mod socket;
#[cfg(test)]
mod tests;
mod webhook;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::any;

pub use keys::{IndigoApiConfig, KeyConfig};

use crate::IndigoServer;
use crate::dialog::Dialogs;
use admission::Asked;
use cordon_web::access::Access;
use cordon_web::budget::Budget;
use cordon_web::budget::{self, Share};
use cordon_web::config::WebConfig;
use cordon_web::origin::Origins;
use cordon_web::pages_origin::PagesOrigin;
use keys::ApiKeys;
use seats::Seats;

/// The name of the place that passwords and keys are for, as clients are told.
pub const REALM: &str = "indigo";

/// Largest body of a request in bytes.
pub const MAX_BODY: usize = 1 << 20;

/// Keeps a plugin's page from acting in the name of the hub's pages: it gets an origin
/// of its own.
const SANDBOX: &str = "sandbox allow-downloads allow-forms allow-modals allow-popups allow-scripts";

/// The state that all addresses of the API share.
#[derive(Clone)]
pub struct IndigoApi {
    server: Arc<IndigoServer>,
    dialogs: Arc<Dialogs>,
    keys: Arc<ApiKeys>,
    /// Users with passwords.
    access: Access,
    /// Plugins whose pages are trusted like the hub's own.
    same_origin: Arc<[String]>,
    origins: Origins,
    /// The origin to which browsers that ask for pages are sent; `None` shows the pages here.
    pages: Option<PagesOrigin>,
    /// Room for long requests and answers.
    budget: Budget,
    /// Feeds by address, and by user with all addresses.
    sockets: Seats<IpAddr>,
    listeners: Seats<String>,
    /// Requests that wait for a plugin, all of them, and those of each user.
    places: Seats<String>,
    askers: Seats<(String, String)>,
    /// How long a plugin may take for a page.
    deadline: Duration,
}

impl IndigoApi {
    /// The API of a server. `access` has the users. It and `origins` are as in [`super::HubApi`].
    #[must_use]
    pub fn new(
        server: Arc<IndigoServer>,
        config: &IndigoApiConfig,
        access: Access,
        origins: Origins,
    ) -> Self {
        Self {
            dialogs: Arc::new(Dialogs::new(Arc::clone(&server))),
            keys: Arc::new(ApiKeys::new(config)),
            same_origin: config.same_origin_pages.clone().into(),
            access,
            origins,
            pages: None,
            budget: Budget::default(),
            sockets: Seats::new(socket::MAX_CLIENTS, socket::MAX_EACH),
            listeners: Seats::new(socket::MAX_CLIENTS, socket::MAX_EACH),
            places: Seats::new(usize::MAX, message::MAX_WAITING),
            askers: Seats::new(usize::MAX, message::MAX_EACH),
            deadline: message::DEADLINE,
            server,
        }
    }

    /// Sends browsers that ask for pages of plugins to an origin of these pages.
    #[must_use]
    pub fn with_pages(mut self, pages: PagesOrigin) -> Self {
        self.pages = Some(pages);
        self
    }

    /// The API for the listener of pages on this address.
    #[must_use]
    pub fn of_pages(&self, config: &WebConfig, listener: SocketAddr) -> Self {
        Self {
            origins: Origins::of_pages(config, listener),
            ..self.clone()
        }
    }

    /// Shares the room for long requests and answers with the rest of the hub.
    #[must_use]
    pub fn with_budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// A client's share of the room for long requests and answers. To be asked for when the client
    /// was let in, so that the user is known.
    fn share(&self, asked: &Asked) -> Share {
        let share = self.budget.share(asked.client(&self.access));
        share.of_user(asked.user())
    }

    /// The answer that sends a browser to another origin when it asks for this plugin's pages.
    fn elsewhere(&self, plugin: &str, asked: &Asked) -> Option<Response> {
        let pages = self.pages.as_ref()?;
        if self.is_trusted(plugin) || self.origins.check_name(&asked.headers).is_err() {
            return None;
        }
        pages.send_there(&asked.headers, &asked.uri)
    }

    /// Whether the operator trusts the plugin's pages like the hub's own.
    fn is_trusted(&self, plugin: &str) -> bool {
        self.same_origin.iter().any(|trusted| trusted == plugin)
    }
}

/// The routes of the API.
pub fn router(api: IndigoApi) -> Router {
    let room = (api.budget.clone(), api.access.clone());
    Router::new()
        .route("/message/{plugin}/{action}", any(message::without_path))
        .route("/message/{plugin}/{action}/", any(message::without_path))
        .route(
            "/message/{plugin}/{action}/{*path}",
            any(message::with_path),
        )
        .route("/webhook/{id}", any(webhook::receive))
        .route("/webhook/{id}/", any(webhook::receive))
        .route("/v2/api/command", any(command::post))
        .route("/v2/api/command/", any(command::post))
        .route("/v2/api/{collection}", any(objects::list))
        .route("/v2/api/{collection}/", any(objects::list))
        .route("/v2/api/{collection}/{id}", any(objects::one))
        .route("/v2/api/{collection}/{id}/", any(objects::one))
        .route("/v2/api/ws/{feed}", any(socket::open))
        .route("/v2/api/ws/{feed}/", any(socket::open))
        .route("/cordon/indigo/plugins", any(plugins::list))
        .route("/cordon/indigo/command", any(configure::post))
        .route("/cordon/indigo/sleep", any(sleep::sleep))
        .route("/cordon/indigo/wake", any(sleep::wake))
        .route("/cordon/indigo/dialogs", any(dialog::open))
        .route("/cordon/indigo/dialogs/{id}", any(dialog::cancel))
        .route("/cordon/indigo/dialogs/{id}/{action}", any(dialog::act))
        .route("/v2/{*path}", any(objects::unknown))
        .route("/{plugin}/{folder}/{*path}", any(resources::get))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(room, budget::of_whole_answers))
        .with_state(api)
}

/// The routes of the origin that pages of plugins have for themselves.
pub fn pages_router(api: IndigoApi) -> Router {
    let room = (api.budget.clone(), api.access.clone());
    Router::new()
        .route("/message/{plugin}/{action}", any(message::without_path))
        .route("/message/{plugin}/{action}/", any(message::without_path))
        .route(
            "/message/{plugin}/{action}/{*path}",
            any(message::with_path),
        )
        .route("/{plugin}/{folder}/{*path}", any(resources::get))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(from_fn_with_state(room, budget::of_whole_answers))
        .with_state(api)
}

/// Sends a page of a plugin with headers that keep it from doing harm to other pages.
fn sandbox(api: &IndigoApi, plugin: &str, request: &HeaderMap, mut page: Response) -> Response {
    let headers = page.headers_mut();
    let nosniff = HeaderValue::from_static("nosniff");
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    // The address may have a key in it, so other origins are not told the address. By the referrer
    // the hub itself knows that a request comes from a page of the same plugin.
    let own = HeaderValue::from_static("same-origin");
    headers.insert(header::REFERRER_POLICY, own);
    if api.is_trusted(plugin) {
        return page;
    }
    // Added beside a policy of the plugin's own: browsers obey both.
    headers.append(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(SANDBOX),
    );
    // A page with an origin of its own may read its plugin's answers. Its other requests have no
    // key or are refused.
    if request
        .get(header::ORIGIN)
        .is_some_and(|origin| origin == "null")
    {
        let own = HeaderValue::from_static("null");
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, own);
    }
    page
}
