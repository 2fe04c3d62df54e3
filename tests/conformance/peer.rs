//! A device on the other end of a socket, driven by the steps of a case.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::PATIENCE;

/// A listener on loopback and the connection that it accepted last.
pub struct Peer {
    listener: TcpListener,
    stream: Option<TcpStream>,
    /// Received and not yet expected.
    received: Vec<u8>,
}

impl Peer {
    /// Listens on a free port.
    pub async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        Self {
            listener,
            stream: None,
            received: Vec::new(),
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().expect("an address")
    }

    /// Waits for a connection, which replaces the former one.
    pub async fn accept(&mut self) -> Result<(), String> {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        let (stream, _) = accepted
            .map_err(|_| "nobody connected to the peer")?
            .map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        self.received.clear();
        self.stream = Some(stream);
        Ok(())
    }

    /// Sends these bytes at once.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let stream = self.stream.as_mut().ok_or("the peer has no connection")?;
        let sent = stream.write_all(bytes).await;
        sent.map_err(|error| format!("the peer cannot send: {error}"))
    }

    /// Waits until exactly these bytes come next.
    pub async fn expect(&mut self, bytes: &[u8]) -> Result<(), String> {
        while self.received.len() < bytes.len() && self.read().await? {}
        let came = self.received.len().min(bytes.len());
        let rest = self.received.split_off(came);
        let came = std::mem::replace(&mut self.received, rest);
        if came == bytes {
            return Ok(());
        }
        Err(format!(
            "the peer expected {} and got {}",
            shown(bytes),
            shown(&came)
        ))
    }

    /// Waits until the other side has closed, and takes what it sent until then.
    pub async fn closed(&mut self) -> Result<(), String> {
        while self.read().await? {}
        match self.received.as_slice() {
            [] => Ok(()),
            left => Err(format!("the peer got {} before the end", shown(left))),
        }
    }

    /// Closes the connection.
    pub fn close(&mut self) {
        self.stream = None;
    }

    /// Reads once; false at the end of the stream.
    async fn read(&mut self) -> Result<bool, String> {
        let stream = self.stream.as_mut().ok_or("the peer has no connection")?;
        match timeout(PATIENCE, stream.read_buf(&mut self.received)).await {
            Ok(Ok(count)) => Ok(count > 0),
            Ok(Err(error)) => Err(format!("the peer cannot read: {error}")),
            Err(_) => Err(format!("the peer waits; it has {}", shown(&self.received))),
        }
    }
}

fn shown(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}
