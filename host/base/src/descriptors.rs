//! Open files of the whole process: how many of them instances may have, and who has them.
//!
//! The system gives a process a number of descriptors. When they run out nothing works
//! any more, the API and the store included. So a part is kept for the hub itself, and
//! whatever an instance has open counts: its files, sockets, connections, processes,
//! serial ports and echo requests.
//!
//! Half of the rest is for whoever asks first. The other half is shared out evenly, so that
//! every instance gets its part of it however greedy the others are.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Resource, getrlimit};

use crate::error::LimitHit;
use crate::limits::Limits;

/// Name of the limit.
pub const LIMIT: &str = "descriptors";

/// What the hub keeps for itself at least.
const RESERVE: u64 = 128;

/// Where the system names no bound.
const UNBOUNDED: u64 = 1 << 20;

/// The descriptors of the hub for all instances. Clones share them.
#[derive(Debug, Clone)]
pub struct Descriptors {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    capacity: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Held by all instances.
    held: u64,
    /// Instances that there are.
    shares: u64,
}

/// The even part is never less: a folder and a file are open together.
const FLOOR: u64 = 4;

impl Descriptors {
    /// So many for all instances together.
    #[must_use]
    pub fn new(capacity: u64) -> Self {
        Self {
            inner: Arc::new(Inner {
                capacity,
                state: Mutex::default(),
            }),
        }
    }

    /// What the system gives this process now, without the hub's own part of it: a quarter,
    /// and at least [`RESERVE`].
    #[must_use]
    pub fn of_process() -> Self {
        let all = getrlimit(Resource::Nofile).current.unwrap_or(UNBOUNDED);
        Self::new(all.saturating_sub(RESERVE.max(all / 4)))
    }

    /// The part of one instance, with at most this many.
    #[must_use]
    pub fn share(&self, limits: &Limits) -> Share {
        let mut state = self.inner.state();
        state.shares = state.shares.saturating_add(1);
        Share {
            inner: Arc::new(ShareInner {
                all: Arc::clone(&self.inner),
                limit: limits.descriptors,
                held: Mutex::default(),
            }),
        }
    }

    /// Held by all instances at the moment.
    #[must_use]
    pub fn held(&self) -> u64 {
        self.inner.state().held
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The descriptors of one instance, in all its lives. Clones share them.
#[derive(Debug, Clone)]
pub struct Share {
    inner: Arc<ShareInner>,
}

#[derive(Debug)]
struct ShareInner {
    all: Arc<Inner>,
    limit: u64,
    held: Mutex<u64>,
}

impl Share {
    /// Takes `count` descriptors until the permit is dropped. To be called before they are
    /// opened.
    ///
    /// # Errors
    ///
    /// The limit `descriptors`: of the instance, or its even part when they are scarce.
    pub fn take(&self, count: u64) -> Result<Permit, LimitHit> {
        let mut held = self.held();
        let wanted = held.saturating_add(count);
        if wanted > self.inner.limit {
            return Err(Limits::hit(LIMIT, wanted, self.inner.limit));
        }
        let all = &self.inner.all;
        let mut state = all.state();
        let together = state.held.saturating_add(count);
        let free_for_all = all.capacity / 2;
        if together > free_for_all {
            let even = all.capacity.saturating_sub(free_for_all) / state.shares.max(1);
            let even = even.max(FLOOR);
            if wanted > even || together > all.capacity {
                return Err(Limits::hit(LIMIT, wanted, even.min(self.inner.limit)));
            }
        }
        state.held = together;
        *held = wanted;
        Ok(Permit {
            share: self.clone(),
            count,
        })
    }

    fn held(&self) -> MutexGuard<'_, u64> {
        let held = self.inner.held.lock();
        held.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for ShareInner {
    fn drop(&mut self) {
        let mut state = self.all.state();
        state.shares = state.shares.saturating_sub(1);
    }
}

/// Descriptors that are open, or about to be; given back when this is dropped.
#[derive(Debug)]
pub struct Permit {
    share: Share,
    count: u64,
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut held = self.share.held();
        *held = held.saturating_sub(self.count);
        let mut state = self.share.inner.all.state();
        state.held = state.held.saturating_sub(self.count);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn limits(descriptors: u64) -> Limits {
        Limits {
            descriptors,
            ..Limits::default()
        }
    }

    fn fill(share: &Share) -> Vec<Permit> {
        std::iter::from_fn(|| share.take(1).ok()).collect()
    }

    #[test]
    fn an_instance_has_no_more_than_its_limit() {
        let all = Descriptors::new(1000);
        let share = all.share(&limits(3));
        let permits = fill(&share);
        assert_eq!((permits.len(), all.held()), (3, 3));
        let hit = share.take(2).unwrap_err();
        assert_eq!((hit.which, hit.used, hit.limit), ("descriptors", 5, 3));
        drop(permits);
        assert_eq!(all.held(), 0);
        assert!(share.take(3).is_ok());
    }

    #[test]
    fn every_instance_gets_its_part_of_what_is_scarce() {
        let all = Descriptors::new(80);
        let shares: Vec<_> = (0..4).map(|_| all.share(&limits(1000))).collect();
        let permits: Vec<_> = shares.iter().map(fill).collect();
        // The first takes the free half; the others have ten each of the other half.
        let counts: Vec<_> = permits.iter().map(Vec::len).collect();
        assert_eq!(counts, [40, 10, 10, 10]);
        drop(permits);
        assert_eq!(all.held(), 0);
    }

    #[test]
    fn the_part_of_many_is_enough_to_open_a_file() {
        let all = Descriptors::new(3072);
        let shares: Vec<_> = (0..1000).map(|_| all.share(&limits(512))).collect();
        let greedy: Vec<_> = shares.iter().take(3).map(fill).collect();
        let others = shares.iter().skip(3).take(300);
        let rest: Vec<_> = others.map(|share| share.take(4).unwrap()).collect();
        assert_eq!((greedy.len(), rest.len()), (3, 300));
    }

    #[test]
    fn an_instance_that_is_gone_has_no_part() {
        let all = Descriptors::new(80);
        let (one, other) = (all.share(&limits(1000)), all.share(&limits(1000)));
        drop(other);
        let permits = fill(&one);
        assert_eq!(permits.len(), 40);
    }
}
