//! JSON from clients: measured before it is read.
//!
//! A text of a megabyte may hold so many small values that it takes a hundred times as much
//! once it is read, and takes long to read. Its values are bounded, room is found for them
//! first, and a long text is read and carried out where it keeps nobody waiting.

use axum::http::StatusCode;
use serde::de::DeserializeOwned;

use super::IndigoApi;
use super::admission::Received;
use super::answer::{Early, error};
use super::room::{Full, Room};
use crate::bounds::measured;
use cordon_base::account::Charge;

/// Bytes of the values of all requests that are not yet answered, beside short ones.
const ROOM: u64 = 64 << 20;

/// Bytes of values that take no room: there are so many connections, and each has one request.
const FREE: u64 = 64 << 10;

/// Longest text that is read on the thread that it comes to, in bytes.
const SHORT: usize = 4 << 10;

/// Room for values that clients send. Clones share it.
#[derive(Clone)]
pub(super) struct Intake(Room);

impl Default for Intake {
    fn default() -> Self {
        Self(Room::of(ROOM))
    }
}

/// The value that was read, and its room, to be kept until it was dealt with; none where it is small.
pub(super) type Taken<T> = (T, Option<Charge>);

/// Why a text was not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is no JSON, or not the expected one.
    Wrong(String),
    /// There is no room for its values.
    Full,
}

impl From<Full> for Refused {
    fn from(_: Full) -> Self {
        Self::Full
    }
}

impl From<Refused> for Early {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong(text) => error(StatusCode::BAD_REQUEST, "invalid_request", &text).into(),
            Refused::Full => Full.into(),
        }
    }
}

impl Intake {
    /// Reads a text.
    pub(super) fn read<T: DeserializeOwned>(&self, text: &[u8]) -> Result<Taken<T>, Refused> {
        let wrong = |error: &dyn std::fmt::Display| Refused::Wrong(error.to_string());
        let text = std::str::from_utf8(text).map_err(|error| wrong(&error))?;
        let bytes = measured(text).map_err(|failure| wrong(&failure))?.memory();
        let room = match bytes <= FREE {
            true => None,
            false => Some(self.0.take(bytes)?),
        };
        let value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
        Ok((value, room))
    }
}

impl IndigoApi {
    /// Reads the body of a request, a long one where it keeps nobody waiting.
    pub(super) async fn read<T>(&self, body: Received) -> Result<Taken<T>, Refused>
    where
        T: DeserializeOwned + Send + 'static,
    {
        if body.len() <= SHORT {
            return self.intake.read(&body);
        }
        let intake = self.intake.clone();
        let feeds = &self.server.pools().feeds;
        let read = feeds.run(self.server.own_account(), move || intake.read(&body));
        read.await.unwrap_or(Err(Refused::Full))
    }

    /// Does something with the value: where it took room, it keeps nobody waiting.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        room: Option<&Charge>,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Early> {
        match room {
            None => Ok(work.await),
            Some(_) => Ok(self.dialogs.apart(self.server.own_account(), work).await?),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::Value;

    use super::*;

    fn lists(count: usize) -> String {
        format!("[{}[]]", "[],".repeat(count.saturating_sub(1)))
    }

    #[test]
    fn values_of_all_texts_have_so_much_room_together_and_short_ones_always_have() {
        let intake = Intake::default();
        let read = |text: &str| intake.read::<Value>(text.as_bytes());
        let too_many = read(&lists(200_000));
        assert!(matches!(too_many, Err(Refused::Wrong(text)) if text.contains("command-values")));
        let many = lists(30_000);
        let mut held = Vec::new();
        while let Ok(taken) = read(&many) {
            held.push(taken);
            assert!(held.len() < 10, "there is room without end");
        }
        assert!(!held.is_empty());
        assert!(matches!(read(&many), Err(Refused::Full)));
        assert!(read("{\"message\":\"x\"}").unwrap().1.is_none());
        held.clear();
        assert!(read(&many).is_ok());
    }

    #[test]
    fn what_is_no_json_takes_no_room() {
        let intake = Intake::default();
        for text in [&b"\xff"[..], b"[", &b"[".repeat(1000)] {
            assert!(matches!(intake.read::<Value>(text), Err(Refused::Wrong(_))));
        }
    }
}
