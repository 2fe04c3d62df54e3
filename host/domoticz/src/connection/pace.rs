//! Decides how soon a target that failed may be tried again.
//!
//! A plugin that connects anew from `onDisconnect` does so many times a second for as long as its
//! device is off. The first attempt after a failure is made at once, because a device may just have
//! dropped a connection; each further one waits longer, up to [`LONGEST`]. A plugin that tries from
//! its heartbeat never waits. Owns the failures, in a bounded list.

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::Endpoint;
use super::context::lock;

/// The pause before the third attempt in a row; it doubles with each failure.
const FIRST: Duration = Duration::from_millis(250);

/// The longest pause.
const LONGEST: Duration = Duration::from_secs(2);

/// Targets that are remembered; more make the oldest forgotten.
const TARGETS: usize = 64;

/// The failures of one instance's targets.
#[derive(Default)]
pub(super) struct Pace {
    list: Mutex<VecDeque<Failed>>,
    hasher: RandomState,
}

struct Failed {
    /// Hash of transport, address and port: another `Connection` to the same target waits too. The
    /// texts are not kept, because they are as long as the plugin likes.
    target: u64,
    /// Failures in a row.
    times: u32,
    last: Instant,
}

impl Failed {
    fn until(&self) -> Option<Instant> {
        let doubled = self.times.checked_sub(2)?;
        let pause = FIRST.saturating_mul(2_u32.saturating_pow(doubled));
        Some(self.last + pause.min(LONGEST))
    }
}

impl Pace {
    fn target(&self, endpoint: &Endpoint) -> u64 {
        let Endpoint {
            transport,
            address,
            port,
            ..
        } = endpoint;
        self.hasher.hash_one((transport, address, port))
    }

    /// Waits until the target may be tried.
    pub(super) async fn turn(&self, endpoint: &Endpoint) {
        if let Some(until) = self.until(endpoint) {
            tokio::time::sleep_until(until).await;
        }
    }

    fn until(&self, endpoint: &Endpoint) -> Option<Instant> {
        let target = self.target(endpoint);
        let list = lock(&self.list);
        let failed = list.iter().find(|failed| failed.target == target);
        failed.and_then(Failed::until)
    }

    /// Notes how an attempt ended.
    pub(super) fn note(&self, endpoint: &Endpoint, success: bool) {
        self.note_at(endpoint, success, Instant::now());
    }

    fn note_at(&self, endpoint: &Endpoint, success: bool, now: Instant) {
        let target = self.target(endpoint);
        let mut list = lock(&self.list);
        let at = list.iter().position(|failed| failed.target == target);
        let before = at.and_then(|at| list.remove(at)).map_or(0, |it| it.times);
        if success {
            return;
        }
        if list.len() >= TARGETS {
            list.pop_front();
        }
        list.push_back(Failed {
            target,
            times: before.saturating_add(1),
            last: now,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(port: u32) -> Endpoint {
        Endpoint {
            port: port.to_string(),
            ..Endpoint::default()
        }
    }

    #[test]
    fn pauses_grow_to_two_seconds_and_end_with_a_success() {
        let (pace, now) = (Pace::default(), Instant::now());
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let until = pace.until(&endpoint(1));
            pauses.push(until.map_or(0, |until| (until - now).as_millis()));
            pace.note_at(&endpoint(1), false, now);
        }
        assert_eq!(pauses, [0, 0, 250, 500, 1000, 2000, 2000, 2000]);
        assert_eq!(pace.until(&endpoint(2)), None);
        pace.note_at(&endpoint(1), true, now);
        assert_eq!(pace.until(&endpoint(1)), None);
    }

    #[test]
    fn the_list_is_bounded() {
        let pace = Pace::default();
        for port in 0..1000 {
            pace.note(&endpoint(port), false);
        }
        assert_eq!(lock(&pace.list).len(), TARGETS);
    }
}
