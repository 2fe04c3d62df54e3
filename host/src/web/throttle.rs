//! How often an address may be wrong: a few times a minute.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::access::Refusal;
use super::places::network_of;

/// Failures of one address in [`WINDOW`] after which nothing of it is looked at.
pub(super) const FAILURES: u32 = 5;
/// How long they are remembered.
const WINDOW: Duration = Duration::from_secs(60);
/// Addresses that are remembered; when there are more, they are counted as one.
const ADDRESSES: usize = 1024;

/// The failures of addresses, and since when they are counted.
#[derive(Default)]
pub(super) struct Throttle {
    failures: Mutex<HashMap<IpAddr, (u32, Instant)>>,
}

impl Throttle {
    /// What a stranger may get wrong a few times a minute: nothing returned is a failure.
    pub(super) fn attempt<T>(
        &self,
        peer: IpAddr,
        right: impl FnOnce() -> Option<T>,
    ) -> Result<T, Refusal> {
        let peer = self.place(peer);
        if self.is_blocked(peer) {
            return Err(Refusal::TooMany);
        }
        let found = right();
        if found.is_none() {
            self.count(peer);
        }
        found.ok_or(Refusal::Wrong)
    }

    fn is_blocked(&self, peer: IpAddr) -> bool {
        let failures = self.failures();
        let counted = failures.get(&peer);
        counted.is_some_and(|(count, since)| *count >= FAILURES && since.elapsed() < WINDOW)
    }

    fn count(&self, peer: IpAddr) {
        let mut failures = self.failures();
        failures.retain(|_, (_, since)| since.elapsed() < WINDOW);
        let (count, _) = failures.entry(peer).or_insert((0, Instant::now()));
        *count = count.saturating_add(1);
    }

    /// Under which address a peer is counted.
    fn place(&self, peer: IpAddr) -> IpAddr {
        let place = network_of(peer);
        let failures = self.failures();
        match failures.len() < ADDRESSES || failures.contains_key(&place) {
            true => place,
            false => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        }
    }

    fn failures(&self) -> MutexGuard<'_, HashMap<IpAddr, (u32, Instant)>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn wrong(throttle: &Throttle, peer: &str) -> Result<(), Refusal> {
        throttle.attempt(peer.parse().unwrap(), || None)
    }

    #[test]
    fn failures_are_counted_per_address_and_network() {
        let throttle = Throttle::default();
        for _ in 0..FAILURES {
            assert_eq!(wrong(&throttle, "2001:db8::1"), Err(Refusal::Wrong));
        }
        let right = |peer: &str| throttle.attempt(peer.parse().unwrap(), || Some(()));
        // The right one comes too late, from the whole network.
        assert_eq!(right("2001:db8::1"), Err(Refusal::TooMany));
        assert_eq!(right("2001:db8::2"), Err(Refusal::TooMany));
        assert_eq!(right("2001:db8:0:1::1"), Ok(()));
        assert_eq!(right("192.0.2.1"), Ok(()));
    }

    #[test]
    fn the_addresses_that_are_remembered_are_bounded() {
        let throttle = Throttle::default();
        for n in 0..u32::try_from(ADDRESSES * 2).unwrap() {
            let peer = IpAddr::V4((0x0a00_0000 + n).into());
            let _ = throttle.attempt(peer, || None::<()>);
        }
        assert!(throttle.failures().len() <= ADDRESSES + 1);
        // The rest counts as one, and is slowed down as one.
        assert_eq!(wrong(&throttle, "192.168.1.9"), Err(Refusal::TooMany));
    }
}
