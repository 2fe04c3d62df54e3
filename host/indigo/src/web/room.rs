//! Answers that are as large as plugins make their objects.
//!
//! An answer is written value by value. Its client's share of the room for long answers has to have
//! room for each value before the value is made. The text keeps its room until it was sent, because
//! a client may be slow to read it. An answer that finds no room is refused.

use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use serde_json::Value;

use super::answer::{Early, error, text_answer};
use cordon_web::budget::{self, HasRoom, Room, Share};

/// There is no more room.
#[derive(Debug)]
pub(super) struct Full;

impl Full {
    /// The message for clients that are refused.
    pub(super) const TEXT: &str = "the answers that are being sent take all the memory there is \
        for them, or all that one client may have of it; try again, or ask for less";
}

impl From<Full> for Early {
    fn from(_: Full) -> Self {
        error(StatusCode::SERVICE_UNAVAILABLE, "busy", Full::TEXT).into()
    }
}

impl From<budget::Full> for Full {
    fn from(_: budget::Full) -> Self {
        Self
    }
}

/// A count of bytes in memory.
pub(super) fn count(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

/// An answer in the making.
pub(super) struct Sheet {
    text: Vec<u8>,
    room: Room,
}

impl Sheet {
    /// A sheet for an answer to the client with this share.
    pub(super) fn of(share: &Share) -> Result<Self, Full> {
        Ok(Self {
            text: Vec::new(),
            room: share.take_now(0)?,
        })
    }

    /// Makes a value and writes it. The value takes at most so many bytes, its text included.
    pub(super) fn value(&mut self, bytes: u64, make: impl FnOnce() -> Value) -> Result<(), Full> {
        // The text may move to a place twice as large, and is in both places meanwhile.
        let text = self.text.len().saturating_mul(2);
        self.room.grow(count(bytes).saturating_add(text))?;
        let value = make();
        // This cannot fail: the value has no keys that are no text, and the text is in memory.
        let _ = serde_json::to_writer(&mut self.text, &value);
        drop(value);
        self.room.shrink_to(self.text.capacity());
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
            room: Some(self.room),
        }
    }

    /// The answer.
    pub(super) fn answer(self, status: StatusCode) -> Response {
        let mut answer = text_answer(status, Bytes::from_owner(self));
        answer.extensions_mut().insert(HasRoom);
        answer
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
    room: Option<Room>,
}

impl Said {
    /// A message that from now on takes only its own share of `room`.
    pub(super) fn within(text: String, mut room: Room) -> Self {
        // The socket has a copy of the text.
        room.shrink_to(text.len().saturating_mul(2));
        Self {
            text,
            room: Some(room),
        }
    }

    /// The message and its room. The room is to be kept until the message was sent.
    pub(super) fn take(self) -> (String, Option<Room>) {
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
    use cordon_web::budget::Budget;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_answer_has_room_until_it_was_sent() {
        // The kept half of three quarters.
        let share = Budget::of(80_000).share([10, 0, 0, 1].into());
        let mut sheet = Sheet::of(&share).unwrap();
        sheet.value(5000, || json!(["x".repeat(2000)])).unwrap();
        assert!(share.take_now(29_000).is_err());
        let refused = sheet.value(28_000, || unreachable!("there is no room for it"));
        assert!(refused.is_err());
        let sent = sheet.answer(StatusCode::OK);
        assert!(sent.extensions().get::<HasRoom>().is_some());
        assert!(share.take_now(29_000).is_err(), "it is not sent yet");
        drop(sent);
        share.take_now(30_000).unwrap();
    }
}
