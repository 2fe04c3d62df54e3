//! The order in which instances start.
//!
//! Starts compute. Were all plugins of a hub started at once, each would take as long as all of
//! them, so a few are admitted for each core and the others wait in the order in which they came. A
//! place is for the computing part of a start: a start that waits for something else, or computes
//! for too long, gives it to the next and goes on without ([`Meter`]).
//!
//! [`Meter`]: super::meter::Meter

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use cordon_base::log::{EventLog, Level};

/// Starts at a time, for each core: while one reads a file another computes.
const PER_CORE: usize = 2;

/// How long starts have to wait before the log tells of them, and how often it does then.
const TOLD_AFTER: Duration = Duration::from_secs(1);
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// The starts of one hub. Clones share them.
#[derive(Clone)]
pub struct Starts {
    inner: Arc<Inner>,
}

struct Inner {
    places: Arc<Semaphore>,
    /// The places of instances that have failed or restarted: at most half of all.
    again: Arc<Semaphore>,
    at_once: usize,
    waiting: AtomicUsize,
    telling: AtomicBool,
    events: EventLog,
}

/// The place of a start that was admitted, until this is dropped.
#[derive(Debug)]
pub struct Place {
    _place: Option<OwnedSemaphorePermit>,
    _again: Option<OwnedSemaphorePermit>,
}

impl Starts {
    /// Room for as many starts as this machine has cores for.
    #[must_use]
    pub fn new(events: EventLog) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self::at_once(events, cores.saturating_mul(PER_CORE))
    }

    fn at_once(events: EventLog, places: usize) -> Self {
        Self {
            inner: Arc::new(Inner {
                places: Arc::new(Semaphore::new(places)),
                again: Arc::new(Semaphore::new((places / 2).max(1))),
                at_once: places,
                waiting: AtomicUsize::new(0),
                telling: AtomicBool::new(false),
                events,
            }),
        }
    }

    /// A place, if nobody has to wait for one. `again` is whether the instance has lived before and
    /// did not stay alive: such instances do not keep the others from starting.
    #[must_use]
    pub fn free(&self, again: bool) -> Option<Place> {
        let second = match again {
            true => Some(Arc::clone(&self.inner.again).try_acquire_owned().ok()?),
            false => None,
        };
        let place = Arc::clone(&self.inner.places).try_acquire_owned().ok()?;
        Some(Place {
            _place: Some(place),
            _again: second,
        })
    }

    /// Waits for a place. `again` is that of [`Self::free`].
    pub async fn turn(&self, again: bool) -> Place {
        if let Some(place) = self.free(again) {
            return place;
        }
        let _waits = self.wait();
        let second = match again {
            true => Arc::clone(&self.inner.again).acquire_owned().await.ok(),
            false => None,
        };
        // None only for a semaphore that was closed, which these never are.
        let place = Arc::clone(&self.inner.places).acquire_owned().await.ok();
        Place {
            _place: place,
            _again: second,
        }
    }

    fn wait(&self) -> Waits {
        self.inner.waiting.fetch_add(1, Ordering::SeqCst);
        if !self.inner.telling.swap(true, Ordering::SeqCst) {
            tokio::spawn(Arc::clone(&self.inner).tell());
        }
        Waits(Arc::clone(&self.inner))
    }
}

impl Inner {
    /// Tells how many wait, for as long as somebody does.
    async fn tell(self: Arc<Self>) {
        let mut pause = TOLD_AFTER;
        loop {
            tokio::time::sleep(pause).await;
            let waiting = self.waiting.load(Ordering::SeqCst);
            if waiting > 0 {
                self.say(&format!(
                    "{waiting} plugins wait for their turn to start, {} start at a time",
                    self.at_once
                ));
                pause = TOLD_EVERY;
                continue;
            }
            self.telling.store(false, Ordering::SeqCst);
            if pause == TOLD_EVERY {
                self.say("no plugin waits for its turn to start any more");
            }
            // A start may have come in between that saw that this was told already.
            let late = self.waiting.load(Ordering::SeqCst) > 0;
            if !late || self.telling.swap(true, Ordering::SeqCst) {
                return;
            }
            pause = TOLD_AFTER;
        }
    }

    fn say(&self, text: &str) {
        self.events.record(None, Level::Status, text);
    }
}

/// A start that waits.
struct Waits(Arc<Inner>);

impl Drop for Waits {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use futures_util::FutureExt;

    use super::*;
    use cordon_base::log::LogCapacity;

    fn starts(places: usize) -> (Starts, EventLog) {
        let events = EventLog::new(LogCapacity::default());
        (Starts::at_once(events.clone(), places), events)
    }

    #[tokio::test]
    async fn who_is_too_many_waits_and_the_log_says_so() {
        let (starts, events) = starts(2);
        let mut lines = events.subscribe();
        let first = starts.free(false).unwrap();
        let _second = starts.free(false).unwrap();
        assert!(starts.free(false).is_none());
        let waiting = starts.clone();
        let third = tokio::spawn(async move { waiting.turn(false).await });
        let line = lines.recv().await.unwrap().message();
        assert!(line.contains("1 plugins wait"), "{line}");
        assert!(line.contains("2 start at a time"), "{line}");
        drop(first);
        let _third = third.await.unwrap();
        let line = lines.recv().await.unwrap().message();
        assert!(line.contains("no plugin waits"), "{line}");
        assert!(starts.free(false).is_none());
    }

    #[tokio::test]
    async fn those_that_fail_leave_half_to_the_others() {
        let (starts, _) = starts(4);
        let _failing = (starts.turn(true).await, starts.turn(true).await);
        assert!(starts.turn(true).now_or_never().is_none());
        assert!(starts.free(false).is_some());
    }
}
