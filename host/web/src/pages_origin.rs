//! Where browsers are sent that ask the API's listener for a page of a plugin.

use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

use crate::config::WebConfig;
use crate::origin::{self, name_of};

/// Where browsers find the pages of plugins.
#[derive(Debug, Clone)]
pub struct PagesOrigin {
    address: SocketAddr,
    /// Whether the operator chose the very address.
    chosen: bool,
    /// As the operator wrote it, such as `https://pages.example.org`.
    url: Option<String>,
}

impl PagesOrigin {
    /// The origin of a listener on `address`.
    #[must_use]
    pub fn new(config: &WebConfig, address: SocketAddr) -> Self {
        let url = config.pages_url.as_deref();
        Self {
            address,
            chosen: config.pages.is_some_and(|it| !it.ip().is_unspecified()),
            url: url.map(|url| url.trim_end_matches('/').to_owned()),
        }
    }

    /// Where a browser that asked the API's listener for a page is sent; nothing for
    /// other clients. The header `Host` has been looked at.
    pub fn send_there(&self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
        if !origin::is_browser(headers) {
            return None;
        }
        let base = self.url.clone().unwrap_or_else(|| self.beside(headers));
        let path = uri.path_and_query().map_or("/", |it| it.as_str());
        let place = HeaderValue::try_from(format!("{base}{path}")).ok()?;
        let headers = [
            (header::LOCATION, place),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        Some((StatusCode::TEMPORARY_REDIRECT, headers).into_response())
    }

    /// The port of the pages under the name that the browser uses; that may lead elsewhere
    /// than to an address that was chosen for pages.
    fn beside(&self, headers: &HeaderMap) -> String {
        let host = headers.get(header::HOST);
        let name = host.and_then(|host| host.to_str().ok()).map_or("", name_of);
        let port = self.address.port();
        match name {
            _ if self.chosen => format!("http://{}", self.address),
            "" => format!("http://{}", self.address),
            name if name.contains(':') => format!("http://[{name}]:{port}"),
            name => format!("http://{name}:{port}"),
        }
    }
}
