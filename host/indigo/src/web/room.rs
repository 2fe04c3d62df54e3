//! Room for answers that are as large as plugins make their objects.
//!
//! An answer is written value by value: there is room for each before it is made, and what
//! was written keeps its room until it was sent, because a client may be slow to read it.
//! All answers together have so much; a further one is refused.

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
    /// What clients are told.
    pub(super) const TEXT: &str = "the answers that are being sent take all the memory there is \
        for them; try again, or ask for less";
}

impl From<Full> for Early {
    fn from(_: Full) -> Self {
        error(StatusCode::SERVICE_UNAVAILABLE, "busy", Full::TEXT).into()
    }
}

impl Room {
    /// So many bytes.
    pub(super) fn of(bytes: u64) -> Self {
        Self(Account::new(&Limits {
            host_memory: bytes,
            ..Limits::default()
        }))
    }

    /// Room for something that takes so much.
    pub(super) fn take(&self, bytes: u64) -> Result<Charge, Full> {
        self.0.charge(bytes).map_err(|_| Full)
    }

    /// An answer to be written.
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
    /// Writes a value that takes at most so many bytes, its text included, while it is made.
    pub(super) fn value(&mut self, bytes: u64, make: impl FnOnce() -> Value) -> Result<(), Full> {
        // The text may move to a place twice as large, and is in both meanwhile.
        let text = count(self.text.len()).saturating_mul(2);
        self.charge
            .grow(bytes.saturating_add(text))
            .map_err(|_| Full)?;
        let value = make();
        // Nothing in it has keys that are no text, and memory is written to.
        let _ = serde_json::to_writer(&mut self.text, &value);
        drop(value);
        self.charge.shrink_to(count(self.text.capacity()));
        Ok(())
    }

    /// Writes what stands between values.
    pub(super) fn mark(&mut self, mark: &str) {
        self.text.extend_from_slice(mark.as_bytes());
    }

    /// Writes these in a list, or the only one of them without; `make` says how much each
    /// takes.
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
            // Nothing else was written.
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

/// A message that has room until it was sent.
pub(super) struct Said {
    text: String,
    room: Option<Charge>,
}

impl Said {
    /// A message that takes its share of `room` from now on.
    pub(super) fn within(text: String, mut room: Charge) -> Self {
        // The socket has a copy of it.
        room.shrink_to(count(text.len()).saturating_mul(2));
        Self {
            text,
            room: Some(room),
        }
    }

    /// The message, and its room, to be kept until it was sent.
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
