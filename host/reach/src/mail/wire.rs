//! The bytes between the hub and a mail server, with the bounds that the mail library does
//! not have.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncBufRead, AsyncRead, AsyncWrite, BufReader, ReadBuf};

/// Most bytes that a server may say about one letter, the exchange for TLS included, and what
/// a line counts for at least: the library reads a reply from its begin at each line of it, so
/// twice as many lines are four times the work.
const MOST_SAID: usize = 32 << 10;
const LINE: usize = 64;

/// A connection that hands over one line at a time and [`MOST_SAID`] bytes in all.
///
/// The library keeps what it has read when TLS begins. By lines it has read nothing but the
/// answer to STARTTLS then, and what somebody put behind that in the clear goes to TLS, which
/// fails: it never counts as said under protection.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: BufReader<S>,
    peer: SocketAddr,
    left: usize,
}

impl<S: AsyncRead> Wire<S> {
    /// Around a stream that is connected to `peer`.
    pub(super) fn new(stream: S, peer: SocketAddr) -> Self {
        Self {
            stream: BufReader::new(stream),
            peer,
            left: MOST_SAID,
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Wire<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let read = ready!(Pin::new(&mut this.stream).poll_fill_buf(context))?;
        let end = read.iter().position(|byte| *byte == b'\n');
        let line = end.map_or(read.len(), |end| end.saturating_add(1));
        let count = line.min(buffer.remaining());
        let cost = if count == 0 { 0 } else { count.max(LINE) };
        let Some(left) = this.left.checked_sub(cost) else {
            return Poll::Ready(Err(io::Error::other("it says too much for one letter")));
        };
        buffer.put_slice(read.get(..count).unwrap_or_default());
        this.left = left;
        Pin::new(&mut this.stream).consume(count);
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Wire<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

impl<S> AsyncTokioStream for Wire<S>
where
    S: AsyncRead + AsyncWrite + Send + Sync + Unpin + std::fmt::Debug,
{
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.peer)
    }
}
