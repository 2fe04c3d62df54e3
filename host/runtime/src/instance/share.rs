//! Computing time against a share of one core: a bucket that fills with time.
//!
//! The bucket holds no more than a few seconds, so no rest, however long, buys more. It belongs to
//! the instance: a new life begins with the rest of the last one.

use std::time::Duration;

/// Time over which the share is averaged: a full bucket holds the share of it.
const WINDOW: Duration = Duration::from_secs(10);

/// The bucket. Times are nanoseconds since the meter was made, computing times those that
/// the instance has used in all its lives.
#[derive(Debug)]
pub(super) struct Share {
    percent: u64,
    /// Computing time in a full bucket.
    burst: u64,
    /// Computing time up to which nothing is owed.
    allowed: u64,
    /// When `allowed` was worked out.
    at: u64,
    /// Time and computing time when the bucket was last full.
    full: (u64, u64),
}

impl Share {
    /// A full bucket for this percentage of a core.
    pub(super) fn new(percent: u64) -> Self {
        let window = u64::try_from(WINDOW.as_nanos()).unwrap_or(u64::MAX);
        let burst = window / 100 * percent;
        Self {
            percent: percent.max(1),
            burst,
            allowed: burst,
            at: 0,
            full: (0, 0),
        }
    }

    /// How long the instance has to pause to get back to its share.
    pub(super) fn debt(&mut self, now: u64, used: u64) -> Option<Duration> {
        let elapsed = now.saturating_sub(self.at);
        let earned = u128::from(elapsed) * u128::from(self.percent) / 100;
        let earned = u64::try_from(earned).unwrap_or(u64::MAX);
        self.at = self.at.max(now);
        self.allowed = self.allowed.saturating_add(earned);
        let full = used.saturating_add(self.burst);
        if self.allowed >= full {
            self.allowed = full;
            self.full = (now, used);
        }
        let over = used.checked_sub(self.allowed).filter(|over| *over > 0)?;
        Some(Duration::from_nanos(
            (over / self.percent).saturating_mul(100),
        ))
    }

    /// Percent of a core since the bucket was last full: above the share when there is a
    /// debt.
    pub(super) fn percent_used(&self, now: u64, used: u64) -> u64 {
        let (since, before) = self.full;
        let elapsed = now.saturating_sub(since);
        used.saturating_sub(before) / (elapsed / 100).max(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Computes without end, checked every ten milliseconds, until `end`; returns the time used
    /// from the first check on.
    fn burn(share: &mut Share, now: &mut u64, used: &mut u64, end: u64) -> u64 {
        let before = *used;
        while *now < end {
            let tick = SECOND / 100;
            *now += tick;
            *used += tick;
            if let Some(pause) = share.debt(*now, *used) {
                *now += u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX);
            }
        }
        *used - before
    }

    #[test]
    fn the_share_holds_after_the_burst() {
        let (mut share, mut now, mut used) = (Share::new(10), 0, 0);
        let first = burn(&mut share, &mut now, &mut used, 10 * SECOND);
        assert!((SECOND..=21 * SECOND / 10).contains(&first), "{first}");
        let start = now;
        let then = burn(&mut share, &mut now, &mut used, start + 100 * SECOND);
        assert!(then <= 101 * SECOND / 10, "{then}");
    }

    #[test]
    fn a_rest_buys_no_more_than_the_burst() {
        let (mut share, mut now, mut used) = (Share::new(10), 3600 * SECOND, 0);
        let burnt = burn(&mut share, &mut now, &mut used, 3640 * SECOND);
        // One second at once, and a tenth of the time that follows.
        assert!(burnt <= 51 * SECOND / 10, "{burnt}");
    }

    #[test]
    fn what_is_told_is_above_the_share() {
        let (mut share, mut now, mut used) = (Share::new(10), 7200 * SECOND, 0);
        loop {
            now += SECOND / 100;
            used += SECOND / 100;
            if share.debt(now, used).is_some() {
                break;
            }
        }
        assert!((90..=100).contains(&share.percent_used(now, used)));
    }

    #[test]
    fn time_that_stands_still_and_figures_without_bound_do_no_harm() {
        let mut share = Share::new(0);
        assert!(share.debt(0, 5).is_some());
        assert!(share.debt(0, 5).is_some());
        assert!(share.debt(u64::MAX, u64::MAX).is_some());
    }
}
