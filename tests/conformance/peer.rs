//! A device on the other end of a socket, driven by the steps of a case.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::timeout;

use crate::support::PATIENCE;
use crate::support::tls::acceptor;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A listener on loopback and the connection that it accepted last.
pub struct Peer {
    listener: TcpListener,
    stream: Option<Box<dyn Stream>>,
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
    pub async fn accept(&mut self, tls: bool) -> Result<(), String> {
        let accepted = timeout(PATIENCE, self.listener.accept()).await;
        let (stream, _) = accepted
            .map_err(|_| "nobody connected to the peer")?
            .map_err(|error| error.to_string())?;
        if !tls {
            return self.take(stream);
        }
        let accepted = timeout(PATIENCE, acceptor().accept(stream)).await;
        let stream = accepted
            .map_err(|_| "no TLS handshake with the peer in time")?
            .map_err(|error| format!("the peer's TLS: {error}"))?;
        self.received.clear();
        self.stream = Some(Box::new(stream));
        Ok(())
    }

    /// Makes a connection to a port of loopback, once somebody listens there.
    pub async fn connect(&mut self, port: u16) -> Result<(), String> {
        let knock = async {
            loop {
                match TcpStream::connect(("127.0.0.1", port)).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let stream = timeout(PATIENCE, knock).await;
        self.take(stream.map_err(|_| "nobody listens for the peer")?)
    }

    fn take(&mut self, stream: TcpStream) -> Result<(), String> {
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        self.received.clear();
        self.stream = Some(Box::new(stream));
        Ok(())
    }

    /// Sends these bytes at once.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let stream = self.stream.as_mut().ok_or("the peer has no connection")?;
        let sent = async {
            stream.write_all(bytes).await?;
            stream.flush().await
        };
        let sent = sent.await;
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

    /// Waits until these bytes come, and takes them and all before them.
    pub async fn contains(&mut self, bytes: &[u8]) -> Result<(), String> {
        let width = bytes.len().max(1);
        loop {
            let found = self.received.windows(width).position(|part| part == bytes);
            if let Some(found) = found {
                self.received.drain(..found + width);
                return Ok(());
            }
            if !self.read().await? {
                let (wanted, came) = (shown(bytes), shown(&self.received));
                return Err(format!("the peer got no {wanted} before the end in {came}"));
            }
        }
    }

    /// Waits until the other side has closed, and takes the bytes it sent until then.
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

/// A device that speaks in datagrams.
pub struct UdpPeer {
    socket: UdpSocket,
}

impl UdpPeer {
    /// On a free port of loopback.
    pub async fn new() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        Self { socket }
    }

    /// Where it is.
    pub fn port(&self) -> u16 {
        self.socket.local_addr().expect("an address").port()
    }

    /// Sends one datagram.
    pub async fn send(&self, port: u16, bytes: &[u8]) -> Result<(), String> {
        let sent = self.socket.send_to(bytes, ("127.0.0.1", port)).await;
        sent.map(drop)
            .map_err(|error| format!("the peer cannot send a datagram: {error}"))
    }

    /// Waits for one with exactly these bytes.
    pub async fn expect(&self, bytes: &[u8]) -> Result<(), String> {
        let mut buffer = vec![0; 1 << 16];
        let received = timeout(PATIENCE, self.socket.recv_from(&mut buffer)).await;
        let (count, _) = received
            .map_err(|_| "no datagram for the peer in time")?
            .map_err(|error| error.to_string())?;
        let came = &buffer[..count];
        if came == bytes {
            return Ok(());
        }
        Err(format!(
            "the peer expected a datagram {} and got {}",
            shown(bytes),
            shown(came)
        ))
    }
}

/// The bytes of hexadecimal digits, two each, with blanks where they please.
pub fn bytes(digits: &str) -> Result<Vec<u8>, String> {
    let digits: Vec<_> = digits.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| {
        let text: String = pair.iter().collect();
        u8::from_str_radix(&text, 16).map_err(|_| format!("{text:?} is no byte in hexadecimal"))
    };
    digits.chunks(2).map(byte).collect()
}

fn shown(bytes: &[u8]) -> String {
    format!("\"{}\"", bytes.escape_ascii())
}
