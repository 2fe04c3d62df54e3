//! Time in which the whole process stood still: it was stopped, or its machine was.
//!
//! Deadlines of plugins do not run in such a time. One thread that wakes up every few
//! milliseconds anyway tells the time; a long gap between two of its looks is a standstill.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Shortest gap that counts, in nanoseconds. A machine under load delays a thread by less.
const GAP: u64 = 1_000_000_000;

static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
static WATCH: Watch = Watch::new();

/// Keeps the time as long as it lives, by calls of [`Watcher::look`].
#[derive(Debug)]
pub struct Watcher(());

impl Watcher {
    /// Begins to watch.
    #[must_use]
    pub fn begin() -> Self {
        WATCH.begin(now());
        Self(())
    }

    /// Tells that the process goes on. To be called many times in a second.
    pub fn look(&self) {
        WATCH.look(now());
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        WATCH.end();
    }
}

/// Sum of all standstills so far, with the one that may have ended just now.
#[must_use]
pub fn sum() -> Duration {
    Duration::from_nanos(WATCH.sum(now()))
}

fn now() -> u64 {
    u64::try_from(BEGIN.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// All in nanoseconds since the begin.
struct Watch {
    watchers: AtomicU64,
    looked: AtomicU64,
    stood: AtomicU64,
}

impl Watch {
    const fn new() -> Self {
        Self {
            watchers: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            stood: AtomicU64::new(0),
        }
    }

    fn begin(&self, now: u64) {
        if self.watchers.fetch_add(1, Ordering::SeqCst) == 0 {
            self.looked.store(now, Ordering::SeqCst);
        }
    }

    fn end(&self) {
        self.watchers.fetch_sub(1, Ordering::SeqCst);
    }

    fn look(&self, now: u64) {
        let looked = self.looked.load(Ordering::SeqCst);
        let gap = gap(looked, now);
        // In this order: somebody who asks in between takes the gap for twice as long, and
        // never for none.
        if gap > 0 {
            self.stood.fetch_add(gap, Ordering::SeqCst);
        }
        self.looked.fetch_max(now, Ordering::SeqCst);
    }

    fn sum(&self, now: u64) -> u64 {
        let stood = self.stood.load(Ordering::SeqCst);
        if self.watchers.load(Ordering::SeqCst) == 0 {
            return stood;
        }
        stood.saturating_add(gap(self.looked.load(Ordering::SeqCst), now))
    }
}

fn gap(looked: u64, now: u64) -> u64 {
    let gap = now.saturating_sub(looked);
    if gap >= GAP { gap } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = GAP;

    #[test]
    fn a_long_gap_counts_once_and_is_seen_before_the_next_look() {
        let watch = Watch::new();
        watch.begin(0);
        for tick in 1..10 {
            watch.look(tick * SECOND / 100);
        }
        assert_eq!(watch.sum(SECOND / 10), 0);
        let last = 9 * SECOND / 100;
        assert_eq!(watch.sum(last + 30 * SECOND), 30 * SECOND);
        watch.look(last + 30 * SECOND);
        assert_eq!(watch.sum(last + 30 * SECOND), 30 * SECOND);
        watch.look(last + 30 * SECOND + 1);
        assert_eq!(watch.sum(last + 30 * SECOND + 2), 30 * SECOND);
    }

    #[test]
    fn time_that_nobody_watches_is_no_standstill() {
        let watch = Watch::new();
        assert_eq!(watch.sum(100 * SECOND), 0);
        watch.begin(100 * SECOND);
        assert_eq!(watch.sum(100 * SECOND), 0);
        watch.end();
        assert_eq!(watch.sum(200 * SECOND), 0);
    }
}
