//! Room for answers that are as large as plugins make their objects.
//!
//! An answer is written value by value. Room is taken for each value before it is made. The text
//! keeps its room until it was sent, because a client may be slow to read it. All answers together
//! have a fixed amount of room, and a further one is refused.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::answer::{Early, error, text_answer};
use crate::bounds::count;
use cordon_base::account::{Account, Charge};
use cordon_base::limits::Limits;

/// Bytes of all answers that are being made or sent.
pub(super) const ROOM: u64 = 256 << 20;

/// Room for answers. Clones share it.
#[derive(Clone)]
pub(super) struct Room(Arc<Account>);

impl Default for Room {
    fn default() -> Self {
        Self::of(ROOM)
    }
}

/// There is no more room.
#[derive(Debug)]
pub(super) struct Full;

impl Full {
    /// The message for clients that are refused.
    pub(super) const TEXT: &str = "the answers that are being sent take all the memory there is \
        for them; try again, or ask for less";
}

impl From<Full> for Early {
    fn from(_: Full) -> Self {
        error(StatusCode::SERVICE_UNAVAILABLE, "busy", Full::TEXT).into()
    }
}

impl Room {
    /// A room of so many bytes.
    pub(super) fn of(bytes: u64) -> Self {
        Self(Account::new(&Limits {
            host_memory: bytes,
            ..Limits::default()
        }))
    }

    /// Takes so many bytes.
    pub(super) fn take(&self, bytes: u64) -> Result<Charge, Full> {
        self.0.charge(bytes).map_err(|_| Full)
    }

    /// A sheet for an answer that is to be written.
    pub(super) fn sheet(&self) -> Result<Sheet, Full> {
        Ok(Sheet {
            text: Vec::new(),
            charge: self.take(0)?,
        })
    }
}

/// An answer in the making.
pub(super) struct Sheet {
    text: Vec<u8>,
    charge: Charge,
}

impl Sheet {
    /// Makes a value and writes it. The value takes at most so many bytes, its text included.
    pub(super) fn value(&mut self, bytes: u64, make: impl FnOnce() -> Value) -> Result<(), Full> {
        // The text may move to a place twice as large, and is in both places meanwhile.
        let text = count(self.text.len()).saturating_mul(2);
        self.charge
            .grow(bytes.saturating_add(text))
            .map_err(|_| Full)?;
        let value = make();
        // This cannot fail: the value has no keys that are no text, and the text is in memory.
        let _ = serde_json::to_writer(&mut self.text, &value);
        drop(value);
        self.charge.shrink_to(count(self.text.capacity()));
        Ok(())
    }

    /// Writes the marks between values.
    pub(super) fn mark(&mut self, mark: &str) {
        self.text.extend_from_slice(mark.as_bytes());
    }

    /// Writes these values in a list, or the only value without a list. `make` says how much room
    /// each takes.
    pub(super) fn values<T, V: FnOnce() -> Value>(
        &mut self,
        list: bool,
        items: impl IntoIterator<Item = T>,
        make: impl Fn(T) -> (u64, V),
    ) -> Result<(), Full> {
        if list {
            self.mark("[");
        }
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.mark(",");
            }
            let (bytes, make) = make(item);
            self.value(bytes, make)?;
        }
        if list {
            self.mark("]");
        }
        Ok(())
    }

    /// The answer as a message.
    pub(super) fn said(self) -> Said {
        Said {
            // The text is JSON, which is UTF-8.
            text: String::from_utf8(self.text).unwrap_or_default(),
            room: Some(self.charge),
        }
    }

    /// The answer.
    pub(super) fn answer(self, status: StatusCode) -> Response {
        text_answer(status, Bytes::from_owner(self))
    }
}

impl AsRef<[u8]> for Sheet {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// A message that keeps its room until it was sent.
pub(super) struct Said {
    text: String,
    room: Option<Charge>,
}

impl Said {
    /// A message that from now on takes only its own share of `room`.
    pub(super) fn within(text: String, mut room: Charge) -> Self {
        // The socket has a copy of the text.
        room.shrink_to(count(text.len()).saturating_mul(2));
        Self {
            text,
            room: Some(room),
        }
    }

    /// The message and its room. The room is to be kept until the message was sent.
    pub(super) fn take(self) -> (String, Option<Charge>) {
        (self.text, self.room)
    }
}

impl From<String> for Said {
    fn from(text: String) -> Self {
        Self { text, room: None }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_has_room_until_it_was_sent() {
        let room = Room::of(10_000);
        let mut sheet = room.sheet().unwrap();
        sheet.value(5000, || json!(["x".repeat(2000)])).unwrap();
        assert!(room.take(9000).is_err());
        let refused = sheet.value(8000, || unreachable!("there is no room for it"));
        assert!(refused.is_err());
        let sent = sheet.answer(StatusCode::OK);
        assert!(room.take(9000).is_err(), "it is not sent yet");
        drop(sent);
        room.take(9000).unwrap();
    }
}
