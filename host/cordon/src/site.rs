//! The hub's places on the web: the API, and the pages of plugins on an origin of their own.
//!
//! To a browser a site is a scheme, a host and a port. Pages of plugins are shown by a listener of
//! their own, which has no commands, so that nothing of such a page can be taken for the hub's:
//! neither the data that it stores nor its headers. Browsers that ask the API's listener for such a
//! page are sent there; programs are answered.

use std::future::Future;
use std::net::SocketAddr;

use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use cordon_base::error::EngineError;
use cordon_domoticz::web::{HubApi, pages_router, router};
use cordon_indigo::web::{self as indigo, IndigoApi};
use cordon_web::config::WebConfig;
use cordon_web::cors;
use cordon_web::pages_origin::PagesOrigin;
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
        let sites = from_fn_with_state(api.origins.clone(), cors::let_in);
        let indigo = indigo::router(indigo.with_pages(place)).layer(sites);
        let api = router(api).merge(indigo);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
