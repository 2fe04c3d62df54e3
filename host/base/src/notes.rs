//! The last error line of an instance, and the wishes that it was refused, for whoever asks what is
//! wrong with it.
//!
//! The log forgets, and leaves out lines of a plugin that asks for the same thing all the time. Here
//! the last of each stays, in a room of fixed size.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::{Denied, LimitHit};

/// Longest text that is kept, in bytes.
pub const LONGEST: usize = 500;

/// Wishes that are kept.
pub const WISHES: usize = 32;

/// An error line of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorLine {
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// Its text, of at most [`LONGEST`] bytes.
    pub text: String,
}

/// Something that an instance has asked for and did not get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The grant or the limit that it lacks.
    pub name: String,
    /// The target; empty for a limit.
    pub what: String,
    /// How often.
    pub count: u64,
    /// The last time, in milliseconds since 1970.
    pub time: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Notes {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    error: Option<ErrorLine>,
    /// The latest last.
    wishes: Vec<Wish>,
}

impl Notes {
    /// Notes an error of the plugin: the last line of its text that is not empty.
    pub fn error(&self, text: &str) {
        let line = text.trim_end().rsplit('\n').next().unwrap_or_default();
        if line.is_empty() {
            return;
        }
        let line = ErrorLine {
            time: now(),
            text: short(line.trim()),
        };
        self.lock().error = Some(line);
    }

    /// The last error line.
    #[must_use]
    pub fn last_error(&self) -> Option<ErrorLine> {
        self.lock().error.clone()
    }

    /// Notes that a limit has refused something.
    pub fn limit(&self, hit: &LimitHit) {
        self.lock().wish(hit.which, "");
    }

    /// Notes that something was asked for that no grant allows.
    pub fn denied(&self, denied: &Denied) {
        // Such as `network = ["192.168.1.9:80"]`.
        let name = denied.grant.split(['=', ' ']).next().unwrap_or_default();
        self.lock().wish(name, &short(&denied.what));
    }

    /// The refused wishes, the latest first.
    #[must_use]
    pub fn wishes(&self) -> Vec<Wish> {
        self.lock().wishes.iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Counts a wish, and moves it to the end. The one that is the longest ago makes room.
    fn wish(&mut self, name: &str, what: &str) {
        let same = |it: &Wish| it.name == name && it.what == what;
        let mut wish = match self.wishes.iter().position(same) {
            Some(index) => self.wishes.remove(index),
            None => {
                if self.wishes.len() >= WISHES {
                    self.wishes.remove(0);
                }
                Wish {
                    name: short(name),
                    what: what.to_owned(),
                    count: 0,
                    time: 0,
                }
            }
        };
        wish.count = wish.count.saturating_add(1);
        wish.time = now();
        self.wishes.push(wish);
    }
}

/// The time in milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

/// The beginning of a text, of at most [`LONGEST`] bytes.
#[must_use]
pub fn short(text: &str) -> String {
    let end = text.floor_char_boundary(LONGEST);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::limits::Limits;

    #[test]
    fn the_last_line_of_an_error_stays_and_is_short() {
        let notes = Notes::default();
        assert_eq!(notes.last_error(), None);
        notes.error("Traceback (most recent call last):\n  File x\nValueError: no\n\n");
        assert_eq!(notes.last_error().unwrap().text, "ValueError: no");
        notes.error("\n \n");
        assert_eq!(notes.last_error().unwrap().text, "ValueError: no");
        notes.error(&"é".repeat(1000));
        assert_eq!(notes.last_error().unwrap().text.len(), LONGEST);
    }

    #[test]
    fn wishes_are_counted_by_grant_and_target_and_the_oldest_make_room() {
        let notes = Notes::default();
        let denied = |port: usize| Denied {
            origin: crate::hint::Origin::default(),
            what: format!("connection to 10.0.0.1:{port}"),
            grant: format!("network = [\"10.0.0.1:{port}\"]"),
        };
        notes.denied(&denied(0));
        for port in 0..WISHES + 8 {
            notes.denied(&denied(port));
        }
        notes.limit(&Limits::hit("threads", 17, 16));
        notes.limit(&Limits::hit("threads", 18, 16));
        let wishes = notes.wishes();
        assert_eq!(wishes.len(), WISHES);
        let first = &wishes[0];
        assert_eq!(
            (&*first.name, &*first.what, first.count),
            ("threads", "", 2)
        );
        assert_eq!(&*wishes[1].name, "network");
        assert_eq!(wishes[1].what, "connection to 10.0.0.1:39");
        assert!(!wishes.iter().any(|it| it.what.ends_with(":0")));
    }
}
