//! A weather service: `GET /weather` answers one JSON object.
//!
//! The weather is made up from the time since the start and turns round every
//! minute, so that two polls a few seconds apart differ.

use std::f64::consts::TAU;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Clients;

/// One turn of the made-up weather.
const TURN: Duration = Duration::from_secs(60);

/// Serves clients until it is stopped; open connections end then as well.
pub(super) async fn serve(clients: Clients, stop: CancellationToken) {
    let started = Instant::now();
    let answer = move || async move {
        let body = weather(started.elapsed()).to_string();
        ([(CONTENT_TYPE, "application/json")], body)
    };
    let served = axum::serve(clients, Router::new().route("/weather", get(answer)))
        .with_graceful_shutdown(stop.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "simulated weather service: ended");
    }
}

/// Degrees Celsius, percent, hectopascal, degrees from north and metres per second.
fn weather(age: Duration) -> Value {
    let turn = (age.as_secs_f64() / TURN.as_secs_f64()).fract();
    let swing = (turn * TAU).sin();
    json!({
        "temperature": tenths(12.0 + 4.0 * swing),
        "humidity": (65.0 - 15.0 * swing).round(),
        "pressure": tenths(1013.0 + 6.0 * swing),
        "wind": {
            "bearing": (turn * 360.0).floor(),
            "speed": tenths(4.0 + 2.0 * swing),
            "gust": tenths(7.0 + 3.0 * swing),
        },
    })
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

impl axum::serve::Listener for Clients {
    type Io = Client;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Client, SocketAddr) {
        let (stream, place, peer) = self.next().await;
        (
            Client {
                stream,
                _place: place,
            },
            peer,
        )
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection that gives its place back when axum is done with it.
#[derive(Debug)]
pub(super) struct Client {
    stream: TcpStream,
    _place: OwnedSemaphorePermit,
}

impl AsyncRead for Client {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Client {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    #[test]
    fn the_weather_stays_in_bounds_and_changes_within_seconds() {
        let mut before = Value::Null;
        for seconds in (0..120).step_by(3) {
            let now = weather(Duration::from_secs(seconds));
            let number = |name: &str| now[name].as_f64().unwrap();
            assert!((8.0..=16.0).contains(&number("temperature")));
            assert!((50.0..=80.0).contains(&number("humidity")));
            assert!((1007.0..=1019.0).contains(&number("pressure")));
            assert!((0.0..360.0).contains(&now["wind"]["bearing"].as_f64().unwrap()));
            assert_ne!(now, before);
            before = now;
        }
    }
}
