//! Where the hub is on the web: the API, and the pages of plugins on an origin of their
//! own.
//!
//! To a browser a site is a scheme, a host and a port. Pages of plugins are shown by a
//! listener of their own, which has no commands, so that nothing of such a page can be
//! taken for the hub's: neither what it stores nor what its headers say. Browsers that
//! ask the API's listener for such a page are sent there; programs are answered.

use std::future::Future;
use std::net::SocketAddr;

use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::indigo::{self, IndigoApi};
use super::{HubApi, pages_router, router};
use cordon_base::error::EngineError;
use cordon_web::config::WebConfig;
use cordon_web::origin::{self, name_of};
use cordon_web::server::Server;

/// The two listeners.
pub struct Listeners {
    api: TcpListener,
    pages: TcpListener,
    addresses: [SocketAddr; 2],
}

impl Listeners {
    /// Listens on `api` and, for pages, where the configuration says: by default on the
    /// next port, or on any one when that is taken.
    ///
    /// # Errors
    /// [`EngineError::Io`] with the address that cannot be listened on.
    pub async fn bind(api: SocketAddr, config: &WebConfig) -> Result<Self, EngineError> {
        let api = bind(api).await?;
        let address = local(&api)?;
        let pages = match config.pages {
            Some(pages) => bind(pages).await?,
            None => {
                let next = address.port().checked_add(1).unwrap_or(0);
                match bind(SocketAddr::new(address.ip(), next)).await {
                    Ok(pages) => pages,
                    Err(_) => bind(SocketAddr::new(address.ip(), 0)).await?,
                }
            }
        };
        let addresses = [address, local(&pages)?];
        Ok(Self {
            api,
            pages,
            addresses,
        })
    }

    /// The addresses of the API and of the pages.
    #[must_use]
    pub fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    /// Serves both until `shutdown` is done, then lets running exchanges end for at most
    /// three seconds.
    pub async fn serve(
        self,
        config: &WebConfig,
        api: HubApi,
        indigo: IndigoApi,
        shutdown: impl Future<Output = ()>,
    ) {
        let [_, address] = self.addresses;
        let place = PagesOrigin::new(config, address);
        let pages = pages_router(api.of_pages(config, address));
        let pages = pages.merge(indigo::pages_router(indigo.of_pages(config, address)));
        let log = api.log.clone();
        let api = HubApi {
            pages_origin: Some(place.clone()),
            ..api
        };
        let api = router(api).merge(indigo::router(indigo.with_pages(place)));
        let server = |router| {
            let server = Server::new(router).with_proxies(config.proxies.clone());
            server.with_log(log.clone())
        };
        let stop = CancellationToken::new();
        let both = async {
            tokio::join!(
                server(api).serve(self.api, stop.cancelled()),
                server(pages).serve(self.pages, stop.cancelled()),
            )
        };
        let told = async {
            shutdown.await;
            stop.cancel();
        };
        tokio::join!(both, told);
    }
}

async fn bind(address: SocketAddr) -> Result<TcpListener, EngineError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| EngineError::io(format!("cannot listen on {address}"), error))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, EngineError> {
    let address = listener.local_addr();
    address.map_err(|error| EngineError::io("cannot see the own address", error))
}

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
    pub(super) fn send_there(&self, headers: &HeaderMap, uri: &Uri) -> Option<Response> {
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
