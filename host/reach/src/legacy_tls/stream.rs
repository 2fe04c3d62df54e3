//! A legacy conversation with its socket.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;

use super::{LegacyFailure, LegacySession};

/// Bytes that are moved at once.
const PIECE: usize = 8 << 10;

/// A connection whose hands are shaken.
#[derive(Debug)]
pub struct LegacyStream {
    pub(super) session: LegacySession,
    socket: TcpStream,
    /// Ciphertext that the socket has not taken yet.
    unsent: Vec<u8>,
}

fn broken(failure: LegacyFailure) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, failure)
}

impl LegacyStream {
    /// Shakes hands on a connected socket.
    ///
    /// # Errors
    ///
    /// The other end does not speak TLS, not even this one, or goes away.
    pub async fn connect(name: &str, mut socket: TcpStream) -> io::Result<Self> {
        let mut session = LegacySession::new(Some(name)).map_err(broken)?;
        let mut piece = [0; PIECE];
        loop {
            loop {
                let out = session.take(PIECE);
                if out.is_empty() {
                    break;
                }
                socket.write_all(&out).await?;
            }
            if session.is_open() {
                break;
            }
            let most = session.room().min(PIECE);
            let buffer = piece.get_mut(..most).unwrap_or_default();
            let count = socket.read(buffer).await?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let read = piece.get(..count).unwrap_or_default();
            if let Err(failure) = session.feed(read) {
                // The alert, if the peer still wants to know.
                let _ = socket.write_all(&session.take(PIECE)).await;
                return Err(broken(failure));
            }
        }
        Ok(Self {
            session,
            socket,
            unsent: Vec::new(),
        })
    }

    /// Hands ciphertext to the socket until nothing is left.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            if self.unsent.is_empty() {
                self.unsent = self.session.take(PIECE);
            }
            if self.unsent.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let sent = Pin::new(&mut self.socket).poll_write(cx, &self.unsent);
            let count = ready!(sent)?;
            if count == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.unsent.drain(..count);
        }
    }
}

impl AsyncRead for LegacyStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        loop {
            if this.session.waiting() > 0 {
                buffer.put_slice(&this.session.read(buffer.remaining()));
                return Poll::Ready(Ok(()));
            }
            if this.session.is_closed() {
                return Poll::Ready(Ok(()));
            }
            // The session may have to answer before the peer says more. A peer that makes it answer
            // and does not read is not read either.
            ready!(this.poll_send(cx))?;
            let mut piece = [0; PIECE];
            let most = this.session.room().min(PIECE);
            let mut piece = ReadBuf::new(piece.get_mut(..most).unwrap_or_default());
            ready!(Pin::new(&mut this.socket).poll_read(cx, &mut piece))?;
            if piece.filled().is_empty() {
                // Old devices go without a goodbye.
                return Poll::Ready(Ok(()));
            }
            this.session.feed(piece.filled()).map_err(broken)?;
        }
    }
}

impl AsyncWrite for LegacyStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = &mut *self;
        let accepted = this.session.write(bytes).map_err(broken)?;
        if accepted > 0 || bytes.is_empty() {
            // The rest leaves with the next call, or with the flush.
            return match this.poll_send(cx) {
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                _ => Poll::Ready(Ok(accepted)),
            };
        }
        ready!(this.poll_send(cx))?;
        match this.session.write(bytes).map_err(broken)? {
            0 => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
            accepted => Poll::Ready(Ok(accepted)),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.session.say_goodbye();
        ready!(self.poll_send(cx))?;
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
