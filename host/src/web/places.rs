//! The places of connections: so many in all and of one address, and who has to go.
//!
//! A connection that waits for its client to send a whole request can be given up
//! once it was seen to have nothing to read: nothing that was sent is lost by that. Whoever comes when all places of
//! their address are taken gets that of the address's connection which waits longest;
//! when all are taken, of the address with the most. So a crowd of connections takes
//! places from itself. Requests that were received whole are never given up.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio_util::sync::CancellationToken;

use crate::grants::HostPattern;

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// It may have something to read.
    Fresh,
    /// It waits for its client: there was nothing to read.
    Waiting,
    /// A request was received whole and is not yet answered.
    Working,
    /// It is no longer HTTP.
    Upgraded,
}

/// All places of a listener.
pub(super) struct Places {
    total: usize,
    each: usize,
    /// Whose connections are those of many: proxies.
    many: Vec<HostPattern>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    next: u64,
    places: HashMap<u64, Entry>,
}

struct Entry {
    owner: IpAddr,
    phase: Phase,
    since: Instant,
    given_up: CancellationToken,
}

/// One place, until this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    fresh: AtomicBool,
    given_up: CancellationToken,
}

impl Places {
    /// `total` places, of which one address may have `each`; `many` are proxies, which
    /// may have all.
    pub(super) fn new(total: usize, each: usize, many: Vec<HostPattern>) -> Arc<Self> {
        Arc::new(Self {
            total,
            each,
            many,
            held: Mutex::default(),
        })
    }

    /// A place for a connection of `peer`, if need be that of another one.
    pub(super) fn take(self: &Arc<Self>, peer: IpAddr) -> Option<Arc<Place>> {
        let owner = network_of(peer);
        let is_many = self
            .many
            .iter()
            .any(|it| it.contains("", peer.to_canonical()));
        let mut held = self.held();
        let own = held.count(owner);
        if !is_many && own >= self.each {
            held.give_up(owner)?;
        } else if held.places.len() >= self.total {
            let crowd = held.crowd()?;
            held.give_up(crowd)?;
        }
        let number = held.next;
        held.next = held.next.wrapping_add(1);
        let given_up = CancellationToken::new();
        let entry = Entry {
            owner,
            phase: Phase::Fresh,
            since: Instant::now(),
            given_up: given_up.clone(),
        };
        held.places.insert(number, entry);
        Some(Arc::new(Place {
            places: Arc::clone(self),
            number,
            fresh: AtomicBool::new(true),
            given_up,
        }))
    }

    /// Gives up the connection that can be spared best; false when there is none.
    pub(super) fn make_room(&self) -> bool {
        let mut held = self.held();
        let crowd = held.crowd();
        crowd.and_then(|owner| held.give_up(owner)).is_some()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn count(&self, owner: IpAddr) -> usize {
        let all = self.places.values();
        all.filter(|entry| entry.owner == owner).count()
    }

    /// The owner of the most places among those of whom one can be given up.
    fn crowd(&self) -> Option<IpAddr> {
        let mut counts: HashMap<IpAddr, (usize, bool)> = HashMap::new();
        for entry in self.places.values() {
            let (count, spare) = counts.entry(entry.owner).or_default();
            *count = count.saturating_add(1);
            *spare |= entry.phase == Phase::Waiting;
        }
        let spare = counts.into_iter().filter(|(_, (_, spare))| *spare);
        spare
            .max_by_key(|(_, (count, _))| *count)
            .map(|(owner, _)| owner)
    }

    /// Gives up the place of this owner that waits longest.
    fn give_up(&mut self, owner: IpAddr) -> Option<()> {
        let waiting = self
            .places
            .iter()
            .filter(|(_, it)| it.owner == owner && it.phase == Phase::Waiting);
        let longest = waiting.min_by_key(|(_, entry)| entry.since);
        let number = longest.map(|(number, _)| *number)?;
        let entry = self.places.remove(&number)?;
        entry.given_up.cancel();
        Some(())
    }
}

impl Place {
    /// Says what the connection does from now on.
    pub(super) fn turn(&self, phase: Phase) {
        self.fresh.store(phase == Phase::Fresh, Ordering::Relaxed);
        if let Some(entry) = self.places.held().places.get_mut(&self.number) {
            entry.phase = phase;
            entry.since = Instant::now();
        }
    }

    /// Says that there is nothing to read at present. How long it waits is counted from
    /// before, whatever came in the meantime.
    pub(super) fn is_dry(&self) {
        if !self.fresh.swap(false, Ordering::Relaxed) {
            return;
        }
        if let Some(entry) = self.places.held().places.get_mut(&self.number) {
            entry.phase = Phase::Waiting;
        }
    }

    /// Ends when somebody else got the place.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.held().places.remove(&self.number);
    }
}

/// Under which address a peer is counted. One in IPv6 has a whole network.
pub(super) fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    /// A place of a connection that waits.
    fn take(places: &Arc<Places>, text: &str) -> Option<Arc<Place>> {
        let place = places.take(address(text))?;
        place.is_dry();
        Some(place)
    }

    fn is_given_up(place: &Place) -> bool {
        place.given_up.is_cancelled()
    }

    #[test]
    fn whoever_has_too_many_loses_the_one_that_waits_longest() {
        let places = Places::new(10, 2, Vec::new());
        let first = take(&places, "10.0.0.1").unwrap();
        let second = take(&places, "10.0.0.1").unwrap();
        first.turn(Phase::Fresh);
        first.is_dry();
        let other = take(&places, "10.0.0.2").unwrap();
        let _third = take(&places, "10.0.0.1").unwrap();
        assert!(is_given_up(&second) && !is_given_up(&first) && !is_given_up(&other));
    }

    #[test]
    fn what_works_is_not_given_up() {
        let places = Places::new(2, 2, Vec::new());
        let working = take(&places, "10.0.0.1").unwrap();
        working.turn(Phase::Working);
        let feed = take(&places, "10.0.0.1").unwrap();
        feed.turn(Phase::Upgraded);
        assert!(take(&places, "10.0.0.1").is_none());
        assert!(take(&places, "10.0.0.2").is_none());
        assert!(!places.make_room());
        drop(feed);
        assert!(take(&places, "10.0.0.2").is_some());
    }

    #[test]
    fn a_crowd_of_an_address_makes_room_for_others() {
        let places = Places::new(4, 3, vec!["10.0.0.9".parse().unwrap()]);
        let crowd: Vec<_> = (0..3).map(|_| take(&places, "10.0.0.1").unwrap()).collect();
        let alone = take(&places, "10.0.0.2").unwrap();
        let _more = take(&places, "10.0.0.3").unwrap();
        assert!(is_given_up(crowd.first().unwrap()) && !is_given_up(&alone));
    }

    #[test]
    fn a_proxy_may_have_more_than_the_share_of_an_address() {
        let places = Places::new(8, 3, vec!["10.0.0.9".parse().unwrap()]);
        let all: Vec<_> = (0..8).map(|_| take(&places, "10.0.0.9").unwrap()).collect();
        assert!(!all.iter().any(|place| is_given_up(place)));
    }

    #[test]
    fn what_may_have_something_to_read_is_not_given_up() {
        let places = Places::new(2, 2, Vec::new());
        let sent = places.take(address("10.0.0.1")).unwrap();
        let dry = take(&places, "10.0.0.1").unwrap();
        assert!(take(&places, "10.0.0.1").is_some() && is_given_up(&dry) && !is_given_up(&sent));
    }

    #[test]
    fn a_network_of_ipv6_counts_as_one_address() {
        assert_eq!(
            network_of(address("2001:db8::1")),
            network_of(address("2001:db8::2"))
        );
        assert_ne!(
            network_of(address("2001:db8::1")),
            network_of(address("2001:db8:0:1::1"))
        );
        assert_eq!(
            network_of(address("::ffff:127.0.0.2")),
            address("127.0.0.2")
        );
    }
}
