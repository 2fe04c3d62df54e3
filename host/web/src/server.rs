//! Serves HTTP within bounds: so many connections, each exchange in so much time.
//!
//! Connections have [`Places`]. A request that was received whole is carried out by a
//! task of its own, whatever becomes of the connection: clients that close right
//! after sending are served like any other.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustix::io::Errno;
use rustix::net::SocketFlags;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt;

use crate::bodies::{Received, Sent};
use crate::places::{Newcomer, Place, Places, Turn};
use crate::stream::TimedStream;
use cordon_base::grants::HostPattern;
use cordon_base::log::{EventLog, Level};
use cordon_base::system;

/// Connections at a time.
const CONNECTIONS: usize = 512;

/// Connections of one address at a time.
const EACH: usize = 64;

/// How long connections wait for a place, and how often they look.
const QUEUED: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(5);

/// Time from one answer's first byte to the next one's: reading the answer, idling, sending the
/// next request. The largest body has four megabytes, so nobody honest needs more.
const EXCHANGE: Duration = Duration::from_secs(30);

/// Time from an answer, or the start of the connection, to the end of a request's headers.
pub(super) const HEADERS: Duration = Duration::from_secs(10);

/// Largest bytes of a request's line and headers together.
pub(super) const MAX_HEADERS: usize = 64 << 10;

/// How long open connections may delay the end of the program.
pub(super) const GRACE: Duration = Duration::from_secs(3);

/// Pause after the system refused a connection.
pub(super) const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How often the log says that a connection could not be accepted.
const SAID: Duration = Duration::from_secs(60);

/// Serves `router` on `listener` until `shutdown` is done, then lets running
/// exchanges end for at most three seconds.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    Server::new(router).serve(listener, shutdown).await;
}

/// The way in which a router is served.
pub struct Server {
    router: Router,
    places: Arc<Places>,
    exchange: Duration,
    log: Option<EventLog>,
}

impl Server {
    /// A server of these routes.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self {
            router,
            places: Places::new(CONNECTIONS, EACH, Vec::new()),
            exchange: EXCHANGE,
            log: None,
        }
    }

    /// Lets proxies have more connections than one address may have.
    pub fn with_proxies(mut self, proxies: Vec<HostPattern>) -> Self {
        self.places = Places::new(CONNECTIONS, EACH, proxies);
        self
    }

    /// The log that says when connections cannot be accepted, once a minute.
    pub fn with_log(mut self, log: EventLog) -> Self {
        self.log = Some(log);
        self
    }

    /// Other bounds, for tests.
    #[must_use]
    pub fn with_bounds(mut self, total: usize, each: usize, exchange: Duration) -> Self {
        self.places = Places::new(total, each, Vec::new());
        self.exchange = exchange;
        self
    }

    /// Serves until `shutdown` is done, then lets running exchanges end for at most
    /// three seconds.
    pub async fn serve(self, listener: TcpListener, shutdown: impl Future<Output = ()>) {
        let stop = CancellationToken::new();
        let connections = TaskTracker::new();
        let mut shutdown = pin!(shutdown);
        let mut said = None;
        loop {
            let (stream, peer) = tokio::select! {
                biased;
                () = &mut shutdown => break,
                accepted = self.accept(&listener, &mut said) => accepted,
            };
            // Answers are small; a refusal costs latency only.
            let _ = stream.set_nodelay(true);
            let stream = Arc::new(stream);
            let newcomer = Newcomer {
                peer: peer.ip(),
                came: std::time::Instant::now(),
                socket: Arc::downgrade(&stream),
            };
            let client = Client {
                stream,
                peer,
                router: self.router.clone(),
                exchange: self.exchange,
                stop: stop.clone(),
            };
            match self.places.take(&newcomer) {
                Some(place) => connections.spawn(client.serve(place)),
                None => {
                    // All connections have something to do, which may be over in a moment.
                    let turn = self.places.line_up(&newcomer);
                    connections.spawn(client.wait(Arc::clone(&self.places), newcomer, turn))
                }
            };
        }
        drop(listener);
        stop.cancel();
        connections.close();
        let _ = tokio::time::timeout(GRACE, connections.wait()).await;
    }

    /// The next connection, whatever the system says in the meantime.
    async fn accept(
        &self,
        listener: &TcpListener,
        said: &mut Option<Instant>,
    ) -> (TcpStream, SocketAddr) {
        loop {
            let error = match listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) => error,
            };
            if is_exhaustion(&error) {
                let text = format!(
                    "the API accepts connections from its reserve: {error}; raise the number of \
                     open files with `ulimit -n` or LimitNOFILE, or have fewer plugins"
                );
                self.say(said, text);
                match accept_with_reserve(listener).and_then(with_address) {
                    Ok(accepted) => return accepted,
                    // Even the reserve is used up: a waiting connection has to go.
                    Err(error) if is_exhaustion(&error) => {
                        self.places.make_room();
                    }
                    Err(_) => {}
                }
            } else if error.kind() == io::ErrorKind::ConnectionAborted {
                tracing::debug!(%error, "a client was gone before its connection was accepted");
            } else {
                self.say(said, format!("the API cannot accept a connection: {error}"));
            }
            tokio::time::sleep(ACCEPT_PAUSE).await;
        }
    }

    fn say(&self, said: &mut Option<Instant>, text: String) {
        if said.is_some_and(|said| said.elapsed() < SAID) {
            return;
        }
        *said = Some(Instant::now());
        match &self.log {
            Some(log) => log.record(None, Level::Error, text),
            None => tracing::error!("{text}"),
        }
    }
}

/// Whether the process or the system has no descriptor left.
pub(super) fn is_exhaustion(error: &io::Error) -> bool {
    let number = error.raw_os_error();
    [Errno::MFILE, Errno::NFILE]
        .iter()
        .any(|errno| number == Some(errno.raw_os_error()))
}

/// Accepts with a descriptor that is kept for the API.
pub(super) fn accept_with_reserve(listener: &impl AsFd) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let accept = || rustix::net::accept_with(listener.as_fd(), flags);
    Ok(system::with_reserved_files(accept)?)
}

fn with_address(accepted: OwnedFd) -> io::Result<(TcpStream, SocketAddr)> {
    let stream = TcpStream::from_std(accepted.into())?;
    let peer = stream.peer_addr()?;
    Ok((stream, peer))
}

/// Marks an answer that goes on for as long as its client reads, as an extension of the response.
/// Each piece that the client takes renews its time, and a piece has to come within that time.
#[derive(Debug, Clone, Copy)]
pub struct Endless;

/// The address and the connection that a request comes from, and the user once one is known.
#[derive(Clone)]
pub struct Peer {
    /// The address of the connection.
    pub address: SocketAddr,
    place: Arc<Place>,
    user: Arc<OnceLock<String>>,
}

impl Peer {
    /// Says that the sender of a request was let in, by a password or a key or without one. Their
    /// connection is no stranger's from now on.
    pub fn is_let_in(&self, by_password: bool) {
        self.place.lets_in(by_password);
    }

    /// Says who sent the request: the name of a user or of a key, empty for nobody in particular.
    pub fn is_of(&self, user: &str) {
        // A request has one sender.
        let _ = self.user.set(user.to_owned());
    }

    /// The name of the request's sender; empty for nobody in particular, and before it is known.
    #[must_use]
    pub fn user(&self) -> &str {
        self.user.get().map_or("", String::as_str)
    }
}

/// A connection that was accepted.
struct Client {
    stream: Arc<TcpStream>,
    peer: SocketAddr,
    router: Router,
    exchange: Duration,
    stop: CancellationToken,
}

impl Client {
    /// Serves the client when there is a place in time.
    async fn wait(self, places: Arc<Places>, newcomer: Newcomer, turn: Turn) {
        let end = Instant::now() + QUEUED;
        while Instant::now() < end {
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                () = turn.sent_away() => return,
            }
            if let Some(place) = places.take(&newcomer) {
                drop(turn);
                return self.serve(place).await;
            }
        }
    }

    async fn serve(self, place: Arc<Place>) {
        let Self { router, peer, .. } = self;
        let stream = TimedStream::new(self.stream, self.exchange, Arc::clone(&place));
        let service = service_fn(|request| {
            let router = router.clone();
            let peer = Peer {
                address: peer,
                place: Arc::clone(&place),
                user: Arc::default(),
            };
            async move { Ok::<_, Infallible>(answer(router, request, peer).await) }
        });
        let serving = http1::Builder::new()
            .half_close(true)
            .timer(TokioTimer::new())
            .header_read_timeout(self.exchange.min(HEADERS))
            .max_buf_size(MAX_HEADERS)
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades();
        let mut serving = pin!(serving);
        tokio::select! {
            _ = serving.as_mut() => return,
            () = place.given_up() => return,
            () = self.stop.cancelled() => serving.as_mut().graceful_shutdown(),
            () = place.has_last() => serving.as_mut().graceful_shutdown(),
        }
        tokio::select! {
            _ = serving.as_mut() => {}
            () = place.given_up() => {}
        }
    }
}

/// The answer of the router, which a task of its own finds: nothing that happens to the
/// connection ends it.
async fn answer(router: Router, request: Request<Incoming>, peer: Peer) -> Response {
    let place = Arc::clone(&peer.place);
    let mut request = request.map(|body| Body::new(Received::new(body, Arc::clone(&place))));
    request.extensions_mut().insert(ConnectInfo(peer));
    let working = Arc::clone(&place);
    let task = tokio::spawn(async move {
        let _place = working;
        router.oneshot(request).await
    });
    let response = match task.await {
        Ok(Ok(response)) => response,
        // The router never fails.
        Ok(Err(never)) => match never {},
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    if response.extensions().get::<Endless>().is_some() {
        place.has_no_end();
    }
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        place.is_upgraded();
        return response;
    }
    response.map(|body| Body::new(Sent::new(body, place)))
}
