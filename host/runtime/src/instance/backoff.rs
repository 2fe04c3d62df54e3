//! How long an instance waits for its next life.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::Duration;

use crate::instance::orders::Asked;

/// First pause before a restart, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);

/// The longest time for which an instance is parked.
const LONGEST_PARKED: Duration = Duration::from_secs(86_400);

/// A life that lasts this long ends a row.
const HEALTHY: Duration = Duration::from_secs(600);

/// The recent failures and restarts of an instance.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    /// Failures in a row.
    failures: u64,
    /// Restarts that the instance has asked for itself, in a row.
    restarts: u64,
    /// Whether somebody else has asked for the last one.
    asked: bool,
    /// How often the instance was parked, in a row.
    parked: u32,
}

impl Backoff {
    /// Notes that a life has ended that lasted so long.
    pub(super) fn lived(&mut self, time: Duration) {
        if time >= HEALTHY {
            *self = Self::default();
        }
        self.asked = false;
    }

    /// Notes that the life ended with a failure; returns how many that makes.
    pub(super) fn failed(&mut self) -> u64 {
        self.failures = self.failures.saturating_add(1);
        self.failures
    }

    /// Notes that the life ended because somebody asked for a restart.
    pub(super) fn restarted(&mut self, asked: Asked) {
        match asked {
            Asked::Operator => *self = Self::default(),
            Asked::Itself => self.restarts = self.restarts.saturating_add(1),
            // Others may ask once in ten seconds; it is not the instance's doing.
            Asked::Other => self.asked = true,
        }
    }

    /// Notes that the instance is parked; returns for how long. `first` is the first time; zero is
    /// for ever.
    pub(super) fn parked(&mut self, first: Duration) -> Option<Duration> {
        let time = first.saturating_mul(1 << self.parked.min(16));
        self.parked = self.parked.saturating_add(1);
        (!first.is_zero()).then(|| time.min(LONGEST_PARKED.max(first)))
    }

    /// Whether the instance did not stay alive before.
    pub(super) fn again(&self) -> bool {
        self.failures > 0 || self.restarts > 0 || self.asked
    }

    /// The pause before the next start: doubled with every failure and every restart of
    /// its own in a row.
    pub(super) fn pause(&self) -> Duration {
        let before = self.failures.saturating_add(self.restarts);
        let doublings = u32::try_from(before.saturating_sub(1)).unwrap_or(u32::MAX);
        FIRST.saturating_mul(1 << doublings.min(16)).min(LONGEST)
    }
}

/// A pause that is up to a quarter shorter or longer: instances that failed together do
/// not start together.
pub(super) fn scattered(pause: Duration) -> Duration {
    // Each of these has other keys.
    let random = RandomState::new().build_hasher().finish() % 1000;
    let part = u32::try_from(random).unwrap_or(0);
    pause * 3 / 4 + pause / 2 * part / 1000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_and_a_long_life_ends_the_row() {
        let mut backoff = Backoff::default();
        let mut pauses = Vec::new();
        for _ in 0..11 {
            backoff.lived(Duration::ZERO);
            backoff.failed();
            pauses.push(backoff.pause().as_secs());
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        backoff.lived(HEALTHY);
        assert_eq!((backoff.failed(), backoff.pause()), (1, FIRST));
    }

    #[test]
    fn the_time_for_which_an_instance_is_parked_doubles_to_a_day() {
        let mut backoff = Backoff::default();
        let first = Duration::from_secs(600);
        let times: Vec<_> = (0..10)
            .filter_map(|_| backoff.parked(first))
            .map(|time| time.as_secs())
            .collect();
        let doubled = [600, 1200, 2400, 4800, 9600, 19_200, 38_400, 76_800];
        assert_eq!(times.get(..8), Some(&doubled[..]));
        assert_eq!(times.get(8..), Some(&[86_400, 86_400][..]));
        backoff.restarted(Asked::Operator);
        assert_eq!(backoff.parked(first), Some(first));
        assert_eq!(backoff.parked(Duration::ZERO), None);
    }

    #[test]
    fn a_restart_of_its_own_is_as_a_failure_and_forgives_none() {
        let mut backoff = Backoff::default();
        backoff.failed();
        backoff.restarted(Asked::Itself);
        assert_eq!(backoff.pause().as_secs(), 2);
        assert_eq!(backoff.failed(), 2);
        backoff.restarted(Asked::Other);
        assert_eq!(backoff.pause().as_secs(), 4);
        backoff.restarted(Asked::Operator);
        assert!(!backoff.again());
    }

    #[test]
    fn pauses_are_scattered_around_what_is_told() {
        let pauses: Vec<_> = (0..100).map(|_| scattered(FIRST)).collect();
        let bounds = Duration::from_millis(750)..=Duration::from_millis(1250);
        assert!(pauses.iter().all(|pause| bounds.contains(pause)));
        assert!(pauses.iter().any(|pause| Some(pause) != pauses.first()));
    }
}
