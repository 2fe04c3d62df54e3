//! The question whether somebody wants to see a page of a plugin.
//!
//! A browser sends a password that it knows by itself, and does not say on plain HTTP
//! whether somebody typed the address or another site's page led to it. A page of a
//! plugin may do whatever its plugin does, so whoever sits there is asked. The link of
//! the answer tells the hub that it was this page that led there.

use axum::http::{StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};

use cordon_web::html::escape;

/// The question, as an answer.
pub(super) fn page(uri: &Uri) -> Response {
    let address = uri.path_and_query().map_or("/", |it| it.as_str());
    let address = escape(address);
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cordon</title>\
         </head><body><p>Did you want to open this page of a plugin?</p>\
         <p><a href=\"{address}\">Open {address}</a></p></body></html>"
    );
    let headers = [
        (
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
        ),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (StatusCode::FORBIDDEN, headers, Html(text)).into_response()
}
