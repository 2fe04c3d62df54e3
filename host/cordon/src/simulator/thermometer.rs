//! A thermometer with a heater that speaks lines over TCP.
//!
//! It announces `HEATER ON|OFF` and `TARGET <celsius>` to a new client, then
//! `TEMP <celsius>` every second. `SET HEATER ON|OFF` and `SET TARGET <celsius>`
//! are answered with the new announcement, anything else with `ERR <reason>`.
//! Lines end in CR LF, because the `Line` protocol splits at CR (spec 7.2).

use std::f64::consts::TAU;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{Clients, PATIENCE};

/// Longest command taken; the longest valid one has 15 bytes.
const LINE_BYTES: usize = 128;

/// Time between two readings.
const READING: Duration = Duration::from_secs(1);

/// Degrees per second: fast enough to watch, slow enough to look like a room.
const RATE: f64 = 0.2;

/// What the room cools down to without the heater, in degrees Celsius.
const OUTSIDE: f64 = 16.0;

/// Serves clients until it is dropped.
pub(super) async fn serve(mut clients: Clients) {
    let room = Arc::new(Mutex::new(Room::new(Instant::now())));
    let mut sessions = JoinSet::new();
    loop {
        let (stream, place, peer) = clients.next().await;
        while sessions.try_join_next().is_some() {}
        let room = Arc::clone(&room);
        sessions.spawn(async move {
            let ended = session(stream, &room).await;
            tracing::debug!(%peer, ?ended, "simulated thermometer: client gone");
            drop(place);
        });
    }
}

/// One client, until it leaves, misbehaves or stops reading.
async fn session(stream: TcpStream, room: &Mutex<Room>) -> io::Result<()> {
    let (mut reader, mut writer) = stream.into_split();
    let mut readings = tokio::time::interval(READING);
    let mut commands = Vec::new();
    let mut chunk = [0; LINE_BYTES];
    let greeting = with(room, |room| {
        format!("{}\r\n{}\r\n", room.heater(), room.target())
    });
    send(&mut writer, &greeting).await?;
    loop {
        tokio::select! {
            _ = readings.tick() => {
                let reading = with(room, |room| room.reading(Instant::now()));
                send(&mut writer, &format!("{reading}\r\n")).await?;
            }
            read = reader.read(&mut chunk) => {
                let received = chunk.get(..read?).unwrap_or_default();
                if received.is_empty() {
                    return Ok(());
                }
                commands.extend_from_slice(received);
                while let Some(command) = next_line(&mut commands) {
                    let answer = with(room, |room| room.obey(&command));
                    send(&mut writer, &format!("{answer}\r\n")).await?;
                }
                if commands.len() > LINE_BYTES {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "the line is too long"));
                }
            }
        }
    }
}

fn with<T>(room: &Mutex<Room>, act: impl FnOnce(&mut Room) -> T) -> T {
    act(&mut room.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn send(writer: &mut (impl AsyncWriteExt + Unpin), text: &str) -> io::Result<()> {
    tokio::time::timeout(PATIENCE, writer.write_all(text.as_bytes())).await?
}

/// Takes the first complete line out of what has come so far; blank ones are skipped.
fn next_line(buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        let end = buffer
            .iter()
            .position(|&byte| byte == b'\n' || byte == b'\r')?;
        let line: Vec<u8> = buffer.drain(..=end).collect();
        let text = String::from_utf8_lossy(&line).trim().to_owned();
        if !text.is_empty() {
            return Some(text);
        }
    }
}

/// The room that the thermometer hangs in: heated towards the target or cooling.
#[derive(Debug)]
struct Room {
    celsius: f64,
    target: f64,
    heated: bool,
    started: Instant,
    seen: Instant,
}

impl Room {
    fn new(now: Instant) -> Self {
        Self {
            celsius: 19.0,
            target: 21.5,
            heated: true,
            started: now,
            seen: now,
        }
    }

    /// Lets the time since the last look pass, then reads the thermometer. A slow
    /// wave of 0.3 degrees on top keeps a room at its target from standing still.
    fn reading(&mut self, now: Instant) -> String {
        let step = RATE * (now - self.seen).as_secs_f64();
        let goal = if self.heated { self.target } else { OUTSIDE };
        self.celsius += (goal - self.celsius).clamp(-step, step);
        self.seen = now;
        let wave = 0.3 * ((now - self.started).as_secs_f64() / 20.0 * TAU).sin();
        format!("TEMP {:.1}", self.celsius + wave)
    }

    fn heater(&self) -> String {
        format!("HEATER {}", if self.heated { "ON" } else { "OFF" })
    }

    fn target(&self) -> String {
        format!("TARGET {:.1}", self.target)
    }

    fn obey(&mut self, command: &str) -> String {
        let words: Vec<&str> = command.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["SET", "HEATER", state @ ("ON" | "OFF")] => {
                self.heated = *state == "ON";
                self.heater()
            }
            ["SET", "TARGET", degrees] => self.aim(degrees),
            _ => "ERR unknown command".to_owned(),
        }
    }

    fn aim(&mut self, degrees: &str) -> String {
        match degrees.parse() {
            Ok(target) if (5.0..=30.0).contains(&target) => {
                self.target = target;
                self.target()
            }
            _ => "ERR the target is a number from 5 to 30".to_owned(),
        }
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

    fn degrees(reading: &str) -> f64 {
        reading.strip_prefix("TEMP ").unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn a_heated_room_reaches_its_target_and_cools_without_the_heater() {
        let start = Instant::now();
        let mut room = Room::new(start);
        assert!((degrees(&room.reading(start)) - 19.0).abs() < 0.01);
        assert!((degrees(&room.reading(start + Duration::from_secs(60))) - 21.5).abs() < 0.4);
        assert_eq!(room.obey("SET HEATER OFF"), "HEATER OFF");
        assert!((degrees(&room.reading(start + Duration::from_secs(160))) - OUTSIDE).abs() < 0.4);
    }

    #[tokio::test]
    async fn commands_outside_the_language_change_nothing() {
        let mut room = Room::new(Instant::now());
        assert_eq!(room.obey("SET TARGET 22.26"), "TARGET 22.3");
        for command in [
            "SET TARGET 31",
            "SET TARGET NaN",
            "SET TARGET inf",
            "SET TARGET x",
        ] {
            assert_eq!(
                room.obey(command),
                "ERR the target is a number from 5 to 30"
            );
        }
        for command in ["SET HEATER", "SET HEATER on", "GET", "SET TARGET 20 21"] {
            assert_eq!(room.obey(command), "ERR unknown command");
        }
        assert_eq!(
            (room.target(), room.heater()),
            ("TARGET 22.3".to_owned(), "HEATER ON".to_owned())
        );
    }

    #[test]
    fn lines_end_in_cr_lf_or_either_and_may_come_in_pieces() {
        let mut buffer = b"one\r\ntw".to_vec();
        assert_eq!(next_line(&mut buffer).as_deref(), Some("one"));
        assert_eq!(next_line(&mut buffer), None);
        buffer.extend_from_slice(b"o\rthree\n\n");
        assert_eq!(next_line(&mut buffer).as_deref(), Some("two"));
        assert_eq!(next_line(&mut buffer).as_deref(), Some("three"));
        assert_eq!(next_line(&mut buffer), None);
        assert!(buffer.is_empty());
    }
}
