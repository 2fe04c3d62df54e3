//! Lets the pages of listed sites use the API (`origins` under `[web]`).
//!
//! A browser shows a page of another site no answer unless the answer names that site, and asks
//! first whether a request with unusual headers or methods may be sent. The hub does both for the
//! sites of the configuration and for no others.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::origin::Origins;

/// Methods of the API.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";

/// Headers that pages of clients add: to log in, to send a form or JSON, and to name the client.
const HEADERS: &str =
    "Authorization, Content-Type, Accept, Cache-Control, X-Requested-With, X-Cordon-Client";

/// Seconds for which a browser remembers the answer.
const REMEMBERED: &str = "600";

/// The question of a browser whether a page of a private network may ask, and the answer.
const PRIVATE_NETWORK: &str = "access-control-request-private-network";
const ALLOW_PRIVATE_NETWORK: &str = "access-control-allow-private-network";

/// Answers the questions of browsers about listed sites, and names the site in every answer to one
/// of its pages.
pub async fn let_in(State(origins): State<Origins>, request: Request, next: Next) -> Response {
    let Some(site) = origins.site(request.headers()) else {
        return next.run(request).await;
    };
    if asks_first(&request) {
        return told(request.headers(), site);
    }
    let mut response = next.run(request).await;
    name(response.headers_mut(), site);
    response
}

/// The answer to `OPTIONS` of everybody else, which names the methods and does nothing.
pub async fn options() -> Response {
    (StatusCode::NO_CONTENT, [(header::ALLOW, METHODS)]).into_response()
}

/// Whether a browser asks before it sends a request of a page.
fn asks_first(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn told(asked: &HeaderMap, site: HeaderValue) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    name(headers, site);
    let mut allow = |name: HeaderName, what| headers.insert(name, HeaderValue::from_static(what));
    allow(header::ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    allow(header::ACCESS_CONTROL_ALLOW_HEADERS, HEADERS);
    allow(header::ACCESS_CONTROL_MAX_AGE, REMEMBERED);
    if asked.contains_key(PRIVATE_NETWORK) {
        allow(HeaderName::from_static(ALLOW_PRIVATE_NETWORK), "true");
    }
    response
}

/// A browser shows its page an answer, and sends the password that it remembers, when the very site
/// is named; caches have to know that the answer is for this one.
fn name(headers: &mut HeaderMap, site: HeaderValue) {
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, site);
    let yes = HeaderValue::from_static("true");
    headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
    headers.append(header::VARY, HeaderValue::from_static("origin"));
}
