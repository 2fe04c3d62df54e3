//! Peers that send everything back: over TCP, TLS, datagrams and a pseudo-terminal.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

const UPGRADED: &[u8] =
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nX: a\r\nX: b\r\nContent-Length: 2\r\n\r\nok";

/// Requests of HTTP are answered; everything else goes back as it came.
async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = stream.read(&mut buffer).await {
        let came = &buffer[..length];
        let answer = match came {
            _ if came.starts_with(b"GET /ws ") => UPGRADED,
            _ if came.starts_with(b"GET ") => ANSWER,
            _ => came,
        };
        if stream.write_all(answer).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// Accepts whoever comes, with or without TLS; returns the port.
pub async fn serve(tls: Option<TlsAcceptor>) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            let _ = stream.set_nodelay(true);
            tokio::spawn(async move {
                match tls {
                    None => echo(stream).await,
                    Some(tls) => {
                        if let Ok(stream) = tls.accept(stream).await {
                            echo(stream).await;
                        }
                    }
                }
            });
        }
    });
    port
}

/// Connects to a port again and again, sends, waits for the answer and leaves.
pub fn clients_of(port: u16) {
    tokio::spawn(async move {
        loop {
            match tokio::net::TcpStream::connect(("127.0.0.1", port)).await {
                Ok(mut stream) => {
                    let mut buffer = [0; 64];
                    let _ = stream.write_all(b"some bytes").await;
                    let wait = Duration::from_secs(2);
                    let _ = tokio::time::timeout(wait, stream.read(&mut buffer)).await;
                }
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    });
}

/// Sends datagrams to a port, the next one when there was an answer.
pub fn datagrams_to(port: u16) {
    std::thread::spawn(move || {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let wait = Some(Duration::from_millis(100));
        socket.set_read_timeout(wait).expect("a time");
        let mut buffer = [0; 64];
        loop {
            let _ = socket.send_to(b"some bytes", ("127.0.0.1", port));
            if socket.recv(&mut buffer).is_err() {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    });
}

/// A serial port that sends everything back; gone with the value.
pub struct Port {
    peer: Child,
    pub path: String,
}

const PEER: &str = "
import os, tty
master, port = os.openpty()
tty.setraw(port)
print(os.ttyname(port), flush=True)
while True:
    os.write(master, os.read(master, 4096))
";

impl Port {
    pub fn new() -> Self {
        let mut peer = Command::new("python3")
            .args(["-c", PEER])
            .stdout(Stdio::piped())
            .spawn()
            .expect("python3 runs");
        let mut path = String::new();
        let answers = peer.stdout.take().expect("its output");
        BufReader::new(answers)
            .read_line(&mut path)
            .expect("the peer says where");
        let path = path.trim().to_owned();
        Self { peer, path }
    }
}

impl Drop for Port {
    fn drop(&mut self) {
        let _ = self.peer.kill();
        let _ = self.peer.wait();
    }
}
