//! How often an address may be wrong: a few times a minute.
//!
//! Every network is counted by itself. When more of them are wrong than are remembered, the
//! oldest is forgotten; and so that nobody gains by that, networks that are not remembered
//! then share a pace of wrong attempts. Whoever was right before has no part in it.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::access::Refusal;
use crate::places::network_of;

/// Failures of one address in [`WINDOW`] after which nothing of it is looked at.
pub(super) const FAILURES: u32 = 5;
/// How long they are remembered.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered, and those that were right.
const ADDRESSES: usize = 1024;
/// Failures of all others, at once and per second, when so many are remembered.
const STRANGERS: f64 = 200.0;
const STRANGERS_RATE: f64 = 20.0;

/// The failures of addresses, and since when they are counted.
pub(super) struct Throttle {
    counted: Mutex<Counted>,
}

struct Counted {
    failures: HashMap<IpAddr, (u32, Instant)>,
    /// Who was right, and when last.
    right: HashMap<IpAddr, Instant>,
    /// Failures that strangers may have now, as of this moment.
    left: f64,
    filled: Instant,
}

impl Default for Throttle {
    fn default() -> Self {
        let counted = Counted {
            failures: HashMap::new(),
            right: HashMap::new(),
            left: STRANGERS,
            filled: Instant::now(),
        };
        Self {
            counted: Mutex::new(counted),
        }
    }
}

impl Throttle {
    /// What a stranger may get wrong a few times a minute: nothing returned is a failure.
    pub(super) fn attempt<T>(
        &self,
        peer: IpAddr,
        right: impl FnOnce() -> Option<T>,
    ) -> Result<T, Refusal> {
        let peer = network_of(peer);
        if self.counted().is_blocked(peer) {
            return Err(Refusal::TooMany);
        }
        let found = right();
        let mut counted = self.counted();
        match found {
            Some(found) => {
                counted.was_right(peer);
                Ok(found)
            }
            None => {
                counted.was_wrong(peer);
                Err(Refusal::Wrong)
            }
        }
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counted {
    fn is_blocked(&mut self, peer: IpAddr) -> bool {
        if let Some((count, since)) = self.failures.get(&peer) {
            return *count >= FAILURES && since.elapsed() < WINDOW;
        }
        if self.failures.len() < ADDRESSES || self.right.contains_key(&peer) {
            return false;
        }
        self.forget_old();
        self.failures.len() >= ADDRESSES && self.refilled() < 1.0
    }

    fn was_right(&mut self, peer: IpAddr) {
        forget_oldest(&mut self.right, &peer, |since| *since);
        self.right.insert(peer, Instant::now());
    }

    fn was_wrong(&mut self, peer: IpAddr) {
        self.forget_old();
        let is_full = self.failures.len() >= ADDRESSES && !self.failures.contains_key(&peer);
        if is_full && !self.right.contains_key(&peer) {
            self.left = self.refilled() - 1.0;
        }
        forget_oldest(&mut self.failures, &peer, |(_, since)| *since);
        let (count, _) = self.failures.entry(peer).or_insert((0, Instant::now()));
        *count = count.saturating_add(1);
    }

    fn forget_old(&mut self) {
        self.failures
            .retain(|_, (_, since)| since.elapsed() < WINDOW);
    }

    /// Failures that strangers may have now.
    fn refilled(&mut self) -> f64 {
        let now = Instant::now();
        let earned = now.duration_since(self.filled).as_secs_f64() * STRANGERS_RATE;
        self.filled = now;
        self.left = (self.left + earned).min(STRANGERS);
        self.left
    }
}

/// Makes room for this address where there is none.
fn forget_oldest<T>(all: &mut HashMap<IpAddr, T>, peer: &IpAddr, since: impl Fn(&T) -> Instant) {
    if all.len() < ADDRESSES || all.contains_key(peer) {
        return;
    }
    let oldest = all.iter().min_by_key(|(_, it)| since(it));
    if let Some(oldest) = oldest.map(|(address, _)| *address) {
        all.remove(&oldest);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn wrong(throttle: &Throttle, peer: &str) -> Result<(), Refusal> {
        throttle.attempt(peer.parse().unwrap(), || None)
    }

    fn right(throttle: &Throttle, peer: &str) -> Result<(), Refusal> {
        throttle.attempt(peer.parse().unwrap(), || Some(()))
    }

    #[test]
    fn failures_are_counted_per_address_and_network() {
        let throttle = Throttle::default();
        for _ in 0..FAILURES {
            assert_eq!(wrong(&throttle, "2001:db8::1"), Err(Refusal::Wrong));
        }
        // The right one comes too late, from the whole network.
        assert_eq!(right(&throttle, "2001:db8::1"), Err(Refusal::TooMany));
        assert_eq!(right(&throttle, "2001:db8::2"), Err(Refusal::TooMany));
        assert_eq!(right(&throttle, "2001:db8:0:1::1"), Ok(()));
        assert_eq!(right(&throttle, "192.0.2.1"), Ok(()));
    }

    /// How many attempts of so many addresses were looked at.
    fn crowd(throttle: &Throttle, count: u32) -> usize {
        let peers = (0..count).map(|n| IpAddr::V4((0x0a00_0000 + n).into()));
        let tried = peers.map(|peer| throttle.attempt(peer, || None::<()>));
        tried.filter(|it| *it == Err(Refusal::Wrong)).count()
    }

    #[test]
    fn wrong_passwords_of_a_thousand_addresses_lock_out_nobody_else() {
        let throttle = Throttle::default();
        assert_eq!(right(&throttle, "192.168.1.9"), Ok(()));
        crowd(&throttle, 1100);
        assert!(throttle.counted().failures.len() <= ADDRESSES);
        assert_eq!(right(&throttle, "192.168.1.9"), Ok(()));
        assert_eq!(right(&throttle, "192.168.1.10"), Ok(()));
        assert_eq!(wrong(&throttle, "192.168.1.11"), Err(Refusal::Wrong));
    }

    #[test]
    fn a_crowd_without_end_guesses_at_a_pace() {
        let throttle = Throttle::default();
        assert_eq!(right(&throttle, "192.168.1.9"), Ok(()));
        let looked_at = crowd(&throttle, 20_000);
        // The pace goes on while this runs.
        assert!((1200..3000).contains(&looked_at), "{looked_at}");
        assert!(throttle.counted().failures.len() <= ADDRESSES);
        // Whoever was right before is not of the crowd, and is counted alone.
        assert_eq!(right(&throttle, "192.168.1.9"), Ok(()));
        for _ in 0..FAILURES {
            assert_eq!(wrong(&throttle, "192.168.1.9"), Err(Refusal::Wrong));
        }
        assert_eq!(right(&throttle, "192.168.1.9"), Err(Refusal::TooMany));
    }
}
