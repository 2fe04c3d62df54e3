//! Restarts of a plugin's devices and triggers because they changed.
//!
//! A plugin that changes a property at every start of a device has the device restarted for ever.
//! So each object has a number of restarts that comes back over a minute. One that has none left
//! is restarted once more when the next is there, as it is then.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The time over which the restarts of the limit come back.
const MINUTE: f64 = 60.0;

/// The number of objects from which those that changed long ago are forgotten.
const MANY: usize = 64;

/// The restarts of one object.
struct Left {
    restarts: f64,
    counted: Instant,
    /// Whether the object waits for its next restart.
    waits: bool,
}

/// The answer to an object that is to be restarted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// It may be restarted now.
    Now,
    /// It may be restarted after this time, and nobody waits for that yet.
    After(Duration),
    /// It waits for its restart already.
    Waits,
}

/// The restarts that the objects of one plugin have left.
#[derive(Default)]
pub(super) struct Restarts(Mutex<BTreeMap<i64, Left>>);

impl Restarts {
    /// Takes a restart of an object, of which it has `most` in a minute.
    pub(super) fn take(&self, id: i64, most: u64) -> Verdict {
        self.take_at(id, most, Instant::now())
    }

    /// Lets an object that waits ask again.
    pub(super) fn waited(&self, id: i64) {
        if let Some(left) = self.lock().get_mut(&id) {
            left.waits = false;
        }
    }

    /// Forgets everything: a life begins.
    pub(super) fn clear(&self) {
        self.lock().clear();
    }

    fn take_at(&self, id: i64, most: u64, now: Instant) -> Verdict {
        #[allow(clippy::cast_precision_loss, reason = "a limit is far below 2^52")]
        let most = most as f64;
        let per_second = most / MINUTE;
        let mut objects = self.lock();
        if objects.len() >= MANY {
            objects.retain(|_, left| {
                let earned = now.duration_since(left.counted).as_secs_f64() * per_second;
                left.waits || left.restarts + earned < most
            });
        }
        let left = objects.entry(id).or_insert(Left {
            restarts: most,
            counted: now,
            waits: false,
        });
        let earned = now.duration_since(left.counted).as_secs_f64() * per_second;
        left.restarts = (left.restarts + earned).min(most);
        left.counted = now;
        if left.waits {
            return Verdict::Waits;
        }
        if left.restarts >= 1.0 {
            left.restarts -= 1.0;
            return Verdict::Now;
        }
        left.waits = true;
        Verdict::After(Duration::from_secs_f64((1.0 - left.restarts) / per_second))
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<i64, Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_has_so_many_restarts_in_a_minute() {
        let (restarts, begin) = (Restarts::default(), Instant::now());
        let take =
            |id, seconds: f64| restarts.take_at(id, 30, begin + Duration::from_secs_f64(seconds));
        for _ in 0..30 {
            assert_eq!(take(1, 0.0), Verdict::Now);
        }
        assert_eq!(take(1, 0.0), Verdict::After(Duration::from_secs(2)));
        assert_eq!(take(1, 1.0), Verdict::Waits);
        // Others have their own.
        assert_eq!(take(2, 1.0), Verdict::Now);
        restarts.waited(1);
        assert_eq!(take(1, 2.1), Verdict::Now);
        assert!(matches!(take(1, 2.1), Verdict::After(_)));
        restarts.waited(1);
        for _ in 0..30 {
            assert_eq!(take(1, 100.0), Verdict::Now);
        }
    }

    #[test]
    fn objects_that_changed_long_ago_take_no_room() {
        let (restarts, begin) = (Restarts::default(), Instant::now());
        for id in 0..10_000 {
            let later = begin + Duration::from_secs(u64::try_from(id).unwrap_or(0) * 61);
            assert_eq!(restarts.take_at(id, 60, later), Verdict::Now);
        }
        assert!(restarts.lock().len() <= MANY);
    }
}
