//! The hub's places on the web: the APIs, and the pages of plugins on an origin of their own; and the
//! Unix socket for the operator's verbs.
//!
//! To a browser a site is a scheme, a host and a port. Pages of plugins are shown by a listener of
//! their own, which has no commands, so that nothing of such a page can be taken for the hub's:
//! neither the data that it stores nor its headers. Browsers that ask the API's listener for such a
//! page are sent there; programs are answered.

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use cordon_base::error::EngineError;
use cordon_control::operator::Operator;
use cordon_control::router::{self as control, Control, Gate};
use cordon_domoticz::web::{HubApi, pages_router, router};
use cordon_indigo::web::{self as indigo, IndigoApi};
use cordon_web::config::WebConfig;
use cordon_web::cors;
use cordon_web::local::LocalListener;
use cordon_web::pages_origin::PagesOrigin;
use cordon_web::server::Server;

/// The two listeners, and the Unix socket if there is one.
pub struct Listeners {
    api: TcpListener,
    pages: TcpListener,
    local: Option<LocalListener>,
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
            local: None,
            addresses,
        })
    }

    /// Listens on a Unix socket too. To be called when the data folder is known to be this hub's.
    ///
    /// # Errors
    /// As [`LocalListener::bind`].
    pub fn open_socket(&mut self, path: &Path) -> Result<(), EngineError> {
        self.local = Some(LocalListener::bind(path)?);
        Ok(())
    }

    /// The addresses of the API and of the pages.
    #[must_use]
    pub fn addresses(&self) -> [SocketAddr; 2] {
        self.addresses
    }

    /// Serves all of them until `shutdown` is done, then lets running exchanges end for at most
    /// three seconds. Without an `operator` there is no operator's API.
    pub async fn serve(
        self,
        config: &WebConfig,
        api: HubApi,
        indigo: IndigoApi,
        operator: Option<Arc<dyn Operator>>,
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
        let stop = CancellationToken::new();
        let gate = Gate {
            access: api.access.clone(),
            origins: api.origins.clone(),
            budget: api.budget.clone(),
        };
        let operated = operator.map(|it| Control::new(it, log.clone(), stop.clone()));
        let sites = from_fn_with_state(api.origins.clone(), cors::let_in);
        let indigo = indigo::router(indigo.with_pages(place)).layer(sites);
        let mut api = router(api).merge(indigo);
        if let Some(operated) = operated.clone() {
            api = api.merge(control::web(operated, gate));
        }
        let server = |router| {
            let server = Server::new(router).with_proxies(config.proxies.clone());
            server.with_log(log.clone())
        };
        let local = async {
            if let (Some(local), Some(operated)) = (self.local, operated) {
                let router = control::local(operated);
                local.serve(router, stop.cancelled()).await;
            }
        };
        let all = async {
            tokio::join!(
                server(api).serve(self.api, stop.cancelled()),
                server(pages).serve(self.pages, stop.cancelled()),
                local,
            )
        };
        let told = async {
            shutdown.await;
            stop.cancel();
        };
        tokio::join!(all, told);
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
