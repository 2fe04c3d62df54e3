//! A connection with a deadline that each answer renews once, and an endless one with each piece.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use rustix::net::Shutdown;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use crate::places::Place;

/// A client that sends its request slowly, reads its answer slowly or does nothing is
/// cut off.
pub(super) struct TimedStream {
    /// Shared with the places, which look whether there is something to read.
    stream: Arc<TcpStream>,
    deadline: Pin<Box<Sleep>>,
    exchange: Duration,
    answering: bool,
    /// Held for as long as the connection lives, also when it no longer speaks HTTP.
    place: Arc<Place>,
}

impl TimedStream {
    /// `exchange` is the time from one answer's first byte to the next one's.
    pub(super) fn new(stream: Arc<TcpStream>, exchange: Duration, place: Arc<Place>) -> Self {
        Self {
            stream,
            deadline: Box::pin(tokio::time::sleep(exchange)),
            exchange,
            answering: false,
            place,
        }
    }

    fn renew(&mut self) {
        let deadline = Instant::now() + self.exchange;
        self.deadline.as_mut().reset(deadline);
    }

    fn in_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.deadline.as_mut().poll(cx) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    fn receive(&self, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        loop {
            ready!(self.stream.poll_read_ready(cx))?;
            match self.stream.try_read_buf(buffer) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                received => return Poll::Ready(received.map(|_| ())),
            }
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
        if !self.place.reads() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        let before = buffer.filled().len();
        let result = self.receive(cx, buffer);
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
            self.renew();
        }
        self.in_time(cx)?;
        loop {
            ready!(self.stream.poll_write_ready(cx))?;
            match self.stream.try_write(bytes) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                written => {
                    if written.is_ok() && self.place.is_endless() {
                        self.renew();
                    }
                    return Poll::Ready(written);
                }
            }
        }
    }

    /// Called when nothing is left to write: the system sends all that was written, whatever
    /// becomes of the connection.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.place.is_flushed();
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match rustix::net::shutdown(&*self.stream, Shutdown::Write) {
            Err(error) if error != rustix::io::Errno::NOTCONN => Poll::Ready(Err(error.into())),
            _ => Poll::Ready(Ok(())),
        }
    }
}
