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
use super::room::{Full, count};
use crate::bounds::measured;
use cordon_web::budget::{self, Room, Share};

/// Bytes of values that take no room: there are so many connections, and each has one request.
const FREE: u64 = 64 << 10;

/// Longest text that is read on the thread that it comes to, in bytes.
const SHORT: usize = 4 << 10;

/// The value that was read, and its room, to be kept until it was dealt with; none where it is small.
pub(super) type Taken<T> = (T, Option<Room>);

/// Why a text was not read.
#[derive(Debug)]
pub(super) enum Refused {
    /// It is no JSON, or not the expected one.
    Wrong(String),
    /// There is no room for its values.
    Full,
}

impl From<budget::Full> for Refused {
    fn from(_: budget::Full) -> Self {
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

/// Reads a text, with room of the client that sent it.
pub(super) fn read<T: DeserializeOwned>(share: &Share, text: &[u8]) -> Result<Taken<T>, Refused> {
    let wrong = |error: &dyn std::fmt::Display| Refused::Wrong(error.to_string());
    let text = std::str::from_utf8(text).map_err(|error| wrong(&error))?;
    let bytes = measured(text).map_err(|failure| wrong(&failure))?.memory();
    let room = match bytes <= FREE {
        true => None,
        false => Some(share.take_now(count(bytes))?),
    };
    let value = serde_json::from_str(text).map_err(|error| wrong(&error))?;
    Ok((value, room))
}

impl IndigoApi {
    /// Reads the body of a request, a long one where it keeps nobody waiting. The values have room
    /// of the client.
    pub(super) async fn read<T>(&self, share: &Share, body: Received) -> Result<Taken<T>, Refused>
    where
        T: DeserializeOwned + Send + 'static,
    {
        if body.len() <= SHORT {
            return read(share, &body);
        }
        let share = share.clone();
        let feeds = &self.server.pools().feeds;
        let read = feeds.run(self.server.own_account(), move || read(&share, &body));
        read.await.unwrap_or(Err(Refused::Full))
    }

    /// Does something with the value: where it took room, it keeps nobody waiting.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        room: Option<&Room>,
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
    use cordon_web::budget::Budget;
    use serde_json::Value;

    use super::*;

    fn lists(count: usize) -> String {
        format!("[{}[]]", "[],".repeat(count.saturating_sub(1)))
    }

    fn share(budget: &Budget, n: u8) -> Share {
        budget.share([10, 0, 0, n].into())
    }

    #[test]
    fn values_of_long_texts_have_the_room_of_their_client_and_short_ones_always_have() {
        let budget = Budget::of(64 << 20);
        let text = lists(200_000);
        let too_many = read::<Value>(&share(&budget, 1), text.as_bytes());
        assert!(matches!(too_many, Err(Refused::Wrong(text)) if text.contains("command-values")));
        let many = lists(10_000);
        let from = |n: u8, text: &str| read::<Value>(&share(&budget, n), text.as_bytes());
        let mut held = Vec::new();
        while let Ok(taken) = from(1, &many) {
            held.push(taken);
            assert!(held.len() < 10, "there is room without end");
        }
        assert!(!held.is_empty());
        assert!(matches!(from(1, &many), Err(Refused::Full)));
        assert!(from(1, "{\"message\":\"x\"}").unwrap().1.is_none());
        // Another address has a share of its own.
        assert!(from(2, &many).is_ok());
        held.clear();
        assert!(from(1, &many).is_ok());
    }

    #[test]
    fn what_is_no_json_takes_no_room() {
        let budget = Budget::default();
        for text in [&b"\xff"[..], b"[", &b"[".repeat(1000)] {
            let refused = read::<Value>(&share(&budget, 1), text);
            assert!(matches!(refused, Err(Refused::Wrong(_))));
        }
        assert_eq!(budget.used(), 0);
    }
}
