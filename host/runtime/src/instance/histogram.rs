//! A bounded histogram of durations, such as delays and the length of calls.
//!
//! Sixteen steps per doubling, so a figure that is read back is at most 6.25%
//! above the one recorded. Recording is one atomic addition; the size is fixed.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Steps per doubling, as a power of two.
const STEP_BITS: u32 = 4;

/// Doublings above the first 16 ns; the last one ends at 2^42 ns, over an hour.
const DOUBLINGS: usize = 38;

const BUCKETS: usize = (DOUBLINGS + 1) << STEP_BITS;

/// Counts of durations between 0 and an hour; longer ones count as an hour.
#[derive(Debug)]
pub struct Histogram {
    buckets: Box<[AtomicU32]>,
}

impl Default for Histogram {
    fn default() -> Self {
        Self {
            buckets: (0..BUCKETS).map(|_| AtomicU32::new(0)).collect(),
        }
    }
}

impl Histogram {
    /// Counts one duration.
    pub fn record(&self, duration: Duration) {
        let nanoseconds = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
        if let Some(bucket) = self.buckets.get(bucket(nanoseconds)) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Adds the counts of another one.
    pub fn add(&self, other: &Self) {
        for (mine, theirs) in self.buckets.iter().zip(&other.buckets) {
            mine.fetch_add(theirs.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }

    /// Forgets everything that was counted.
    pub fn clear(&self) {
        for bucket in &self.buckets {
            bucket.store(0, Ordering::Relaxed);
        }
    }

    /// How many durations were counted.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self
            .buckets
            .iter()
            .map(|bucket| bucket.load(Ordering::Relaxed));
        counts.map(u64::from).sum()
    }

    /// The duration that this share (0 to 1) of the counted ones does not exceed,
    /// rounded up to the end of its step; zero when nothing was counted.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Duration {
        let total = self.count();
        let mut wanted = (total as f64 * share.clamp(0.0, 1.0)).ceil();
        for (index, bucket) in self.buckets.iter().enumerate() {
            let count = bucket.load(Ordering::Relaxed);
            wanted -= f64::from(count);
            if count > 0 && wanted <= 0.0 {
                return Duration::from_nanos(upper_end(index));
            }
        }
        Duration::ZERO
    }
}

fn bucket(nanoseconds: u64) -> usize {
    let steps = 1 << STEP_BITS;
    if nanoseconds < steps {
        return usize::try_from(nanoseconds).unwrap_or(0);
    }
    let doubling = nanoseconds.ilog2() - STEP_BITS;
    let step = (nanoseconds >> doubling) - steps;
    let index = (u64::from(doubling + 1) << STEP_BITS) + step;
    usize::try_from(index)
        .unwrap_or(usize::MAX)
        .min(BUCKETS - 1)
}

/// The largest figure that is counted in this bucket.
fn upper_end(index: usize) -> u64 {
    let steps = 1_usize << STEP_BITS;
    if index < steps {
        return u64::try_from(index).unwrap_or(u64::MAX);
    }
    let (doubling, step) = ((index >> STEP_BITS) - 1, index & (steps - 1));
    let end = u64::try_from(steps + step + 1).unwrap_or(u64::MAX);
    (end << doubling) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_read_back_is_never_lower_and_at_most_a_sixteenth_higher() {
        for nanoseconds in (0..40).map(|power| 3_u64.saturating_pow(power) % (1 << 41)) {
            let histogram = Histogram::default();
            histogram.record(Duration::from_nanos(nanoseconds));
            let read = u64::try_from(histogram.quantile(1.0).as_nanos()).unwrap_or(0);
            assert!(read >= nanoseconds, "{read} {nanoseconds}");
            assert!(
                read - nanoseconds <= nanoseconds / 16,
                "{read} {nanoseconds}"
            );
        }
    }

    #[test]
    fn the_share_is_counted_from_the_shortest() {
        let histogram = Histogram::default();
        for milliseconds in 1..=100 {
            histogram.record(Duration::from_millis(milliseconds));
        }
        let half = histogram.quantile(0.5).as_secs_f64();
        assert!((0.050..0.054).contains(&half), "{half}");
        let most = histogram.quantile(0.99).as_secs_f64();
        assert!((0.099..0.106).contains(&most), "{most}");
    }

    #[test]
    fn the_longest_duration_is_counted_too() {
        let histogram = Histogram::default();
        histogram.record(Duration::MAX);
        assert_eq!(histogram.count(), 1);
        assert!(histogram.quantile(1.0) > Duration::from_secs(3600));
    }

    #[test]
    fn added_counts_are_those_of_both() {
        let (one, other) = (Histogram::default(), Histogram::default());
        one.record(Duration::from_micros(1));
        other.record(Duration::from_secs(1));
        one.add(&other);
        assert_eq!(one.count(), 2);
        assert!(one.quantile(1.0) >= Duration::from_secs(1));
        one.clear();
        assert_eq!((one.count(), one.quantile(1.0)), (0, Duration::ZERO));
    }
}
