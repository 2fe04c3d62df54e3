//! A connection with a deadline that each answer renews once.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::places::Place;

/// A client that sends its request slowly, reads its answer slowly or does nothing is
/// cut off.
pub(super) struct TimedStream {
    stream: TcpStream,
    deadline: Pin<Box<Sleep>>,
    exchange: Duration,
    answering: bool,
    /// Held for as long as the connection lives, also when it is no longer HTTP.
    place: Arc<Place>,
}

impl TimedStream {
    /// `exchange` is the time from one answer's first byte to the next one's.
    pub(super) fn new(stream: TcpStream, exchange: Duration, place: Arc<Place>) -> Self {
        Self {
            stream,
            deadline: Box::pin(tokio::time::sleep(exchange)),
            exchange,
            answering: false,
            place,
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
        } else if result.is_pending() {
            self.place.is_dry();
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
