//! Sensors that report by themselves: a client of the HTTP listener plugin.
//!
//! Every few seconds one `POST` with a JSON body, a door and a room by turns. A
//! listener that is not there yet is tried again at the next turn.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::PATIENCE;

/// Time between two reports.
const PERIOD: Duration = Duration::from_secs(3);

/// Most that is read of an answer; the status line is all that counts.
const ANSWER_BYTES: u64 = 4096;

/// Header fields that are taken; an answer with more is not understood.
const HEADERS: usize = 32;

/// Reports until it is dropped.
pub(super) async fn run(listener: SocketAddr) {
    let mut turns = tokio::time::interval(PERIOD);
    for count in 0u32.. {
        turns.tick().await;
        let (path, body) = report(count);
        match tokio::time::timeout(PATIENCE, post(listener, path, &body)).await {
            Ok(Ok(status)) => tracing::debug!(%listener, path, status, "simulated sensor reported"),
            Ok(Err(error)) => {
                tracing::debug!(%listener, path, %error, "simulated sensor: not delivered")
            }
            Err(_) => tracing::debug!(%listener, path, "simulated sensor: no answer"),
        }
    }
}

/// The door opens and closes; the room is a little warmer at every second report.
fn report(count: u32) -> (&'static str, String) {
    let round = count / 2;
    if count.is_multiple_of(2) {
        let open = round.is_multiple_of(2);
        ("/door", format!("{{\"open\": {open}}}"))
    } else {
        let celsius = 20.0 + f64::from(round % 20) / 10.0;
        let humidity = 45 + round % 10;
        (
            "/room",
            format!("{{\"temperature\": {celsius:.1}, \"humidity\": {humidity}}}"),
        )
    }
}

async fn post(listener: SocketAddr, path: &str, body: &str) -> io::Result<u16> {
    let mut stream = TcpStream::connect(listener).await?;
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: {listener}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut rest = stream.take(ANSWER_BYTES);
    loop {
        if let Some(status) = status(&answer)? {
            return Ok(status);
        }
        if rest.read_buf(&mut answer).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// The status of an answer whose head is complete.
fn status(answer: &[u8]) -> io::Result<Option<u16>> {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let parsed = response
        .parse(answer)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
    Ok(if parsed.is_complete() {
        response.code
    } else {
        None
    })
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
    fn reports_alternate_and_are_json() {
        let reports: Vec<_> = (0..4).map(report).collect();
        assert_eq!(reports[0], ("/door", "{\"open\": true}".to_owned()));
        assert_eq!(reports[2], ("/door", "{\"open\": false}".to_owned()));
        assert_eq!(reports[1].0, "/room");
        assert_ne!(reports[1].1, reports[3].1);
        for (_, body) in reports {
            assert!(
                serde_json::from_str::<serde_json::Value>(&body)
                    .unwrap()
                    .is_object()
            );
        }
    }

    #[test]
    fn a_status_needs_a_complete_head() {
        assert_eq!(status(b"HTTP/1.1 204 No Con").unwrap(), None);
        assert_eq!(
            status(b"HTTP/1.1 204 No Content\r\nA: b\r\n\r\n").unwrap(),
            Some(204)
        );
        assert!(status(b"SSH-2.0-x\r\n").is_err());
    }
}
