//! Small devices for the example plugins to talk to: `cordon serve --simulate`.
//!
//! Real sockets on loopback, so that a newcomer sees the whole way from the wire
//! to the device table. They know nothing of the hub and never touch its state;
//! the plugins reach them as they would reach any device. Each bounds its
//! clients and what it reads from one.

mod poster;
mod thermometer;
mod weather;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use cordon_base::error::EngineError;

/// Clients one device serves at a time: an example plugin needs one, and the
/// rest is for people with netcat.
const CLIENTS: usize = 8;

/// How long a peer may take to read what it is sent, or to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pause after a failed accept: with no free descriptors it fails at once again.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the simulated devices are; the default is what `plugins/cordon.toml` names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Addresses {
    /// The thermometer listens here; port 0 takes a free one.
    pub thermometer: SocketAddr,
    /// The weather service listens here; port 0 takes a free one.
    pub weather: SocketAddr,
    /// Where the HTTP listener plugin listens; the simulated sensors post to it.
    pub listener: SocketAddr,
}

impl Default for Addresses {
    fn default() -> Self {
        let loopback = |port| SocketAddr::from(([127, 0, 0, 1], port));
        Self {
            thermometer: loopback(4001),
            weather: loopback(4002),
            listener: loopback(8090),
        }
    }
}

/// The running devices; dropping it stops them and closes their connections.
#[derive(Debug)]
pub struct Simulators {
    thermometer: SocketAddr,
    weather: SocketAddr,
    _tasks: JoinSet<()>,
    _stop: DropGuard,
}

impl Simulators {
    /// Where the thermometer listens.
    #[must_use]
    pub fn thermometer(&self) -> SocketAddr {
        self.thermometer
    }

    /// Where the weather service listens.
    #[must_use]
    pub fn weather(&self) -> SocketAddr {
        self.weather
    }
}

/// Starts all simulated devices; they listen when this returns.
///
/// # Errors
/// [`EngineError::Io`] when an address is taken or not ours.
pub async fn start(addresses: Addresses) -> Result<Simulators, EngineError> {
    let (line, thermometer) = bind("thermometer", addresses.thermometer).await?;
    let (http, weather) = bind("weather service", addresses.weather).await?;
    let stop = CancellationToken::new();
    let mut tasks = JoinSet::new();
    tasks.spawn(thermometer::serve(line));
    tasks.spawn(weather::serve(http, stop.clone()));
    tasks.spawn(poster::run(addresses.listener));
    Ok(Simulators {
        thermometer,
        weather,
        _tasks: tasks,
        _stop: stop.drop_guard(),
    })
}

async fn bind(what: &str, address: SocketAddr) -> Result<(Clients, SocketAddr), EngineError> {
    let failed = |error| EngineError::io(format!("simulated {what} on {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((Clients::of(listener), bound))
}

/// A listener that takes the next client only when one of [`CLIENTS`] places is
/// free; the others wait in the system's backlog, which is bounded too.
#[derive(Debug)]
struct Clients {
    listener: TcpListener,
    places: Arc<Semaphore>,
}

impl Clients {
    fn of(listener: TcpListener) -> Self {
        Self {
            listener,
            places: Arc::new(Semaphore::new(CLIENTS)),
        }
    }

    /// The next client with its place, which is free again when it is dropped.
    async fn next(&mut self) -> (TcpStream, OwnedSemaphorePermit, SocketAddr) {
        loop {
            // The semaphore is never closed, so this cannot fail for good.
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                return std::future::pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, peer)) => return (stream, place, peer),
                Err(error) => {
                    tracing::debug!(%error, "simulator: accept failed");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
