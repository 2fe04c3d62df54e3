//! Serving HTTP within bounds: so many connections, each exchange in so much time.
//!
//! A client that sends its request slowly, reads its answer slowly or does nothing is
//! cut off; until then it holds one of a fixed number of places, and whoever comes
//! when all are taken waits in the kernel's queue.

use std::future::{Future, IntoFuture, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, Sleep};

use crate::error::EngineError;

/// Connections at a time.
const CONNECTIONS: usize = 64;

/// From one answer's first byte to the next one's: reading the answer, idling, sending
/// the next request. The largest body has four megabytes, so nobody honest needs more.
const EXCHANGE: Duration = Duration::from_secs(30);

/// How long open connections may delay the end of the program.
const GRACE: Duration = Duration::from_secs(3);

/// Pause after the system refused a connection, such as for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves `router` on `listener` until `shutdown` is done, then lets running
/// exchanges end for at most three seconds.
///
/// # Errors
/// [`EngineError::Io`] when the listener fails for good.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), EngineError> {
    serve_bounded(listener, router, shutdown, CONNECTIONS, EXCHANGE).await
}

pub(super) async fn serve_bounded(
    listener: TcpListener,
    router: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
    connections: usize,
    exchange: Duration,
) -> Result<(), EngineError> {
    let listener = BoundedListener {
        listener,
        places: Arc::new(Semaphore::new(connections)),
        exchange,
    };
    let (announce, announced) = oneshot::channel();
    let service = router.into_make_service_with_connect_info::<Peer>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async move {
        shutdown.await;
        let _ = announce.send(());
    });
    let grace_is_over = async {
        match announced.await {
            Ok(()) => tokio::time::sleep(GRACE).await,
            Err(_) => pending().await,
        }
    };
    tokio::select! {
        served = serving.into_future() => {
            served.map_err(|error| EngineError::io("serving HTTP", error))
        }
        () = grace_is_over => Ok(()),
    }
}

/// Where a connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, BoundedListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, BoundedListener>) -> Self {
        Self(*stream.remote_addr())
    }
}

struct BoundedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
    exchange: Duration,
}

impl Listener for BoundedListener {
    type Io = TimedStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TimedStream, SocketAddr) {
        loop {
            let Ok(place) = Arc::clone(&self.places).acquire_owned().await else {
                // The semaphore is never closed.
                return pending().await;
            };
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Answers are small; a refusal costs latency only.
                    let _ = stream.set_nodelay(true);
                    return (TimedStream::new(stream, self.exchange, place), address);
                }
                Err(error) => {
                    tracing::debug!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection with a deadline that each answer renews once.
struct TimedStream {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    exchange: Duration,
    answering: bool,
    _place: OwnedSemaphorePermit,
}

impl TimedStream {
    fn new(stream: TcpStream, exchange: Duration, place: OwnedSemaphorePermit) -> Self {
        Self {
            stream,
            deadline: Box::pin(tokio::time::sleep(exchange)),
            exchange,
            answering: false,
            _place: place,
        }
    }

    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.in_time(cx)?;
        let before = buffer.filled().len();
        let result = Pin::new(&mut self.stream).poll_read(cx, buffer);
        if buffer.filled().len() > before {
            self.answering = false;
        }
        result
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.answering {
            self.answering = true;
            let deadline = Instant::now() + self.exchange;
            self.deadline.as_mut().reset(deadline);
        }
        self.in_time(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
