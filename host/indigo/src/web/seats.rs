//! Places of which nobody has more than a share.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// So many places in all and for each owner. Clones share them.
#[derive(Clone)]
pub(super) struct Seats<K> {
    total: usize,
    each: usize,
    taken: Arc<Mutex<HashMap<K, usize>>>,
}

/// One of an owner's places, for as long as this lives.
pub(super) struct Seat<K: Hash + Eq> {
    seats: Seats<K>,
    owner: K,
}

impl<K: Hash + Eq + Clone> Seats<K> {
    pub(super) fn new(total: usize, each: usize) -> Self {
        Self {
            total,
            each,
            taken: Arc::default(),
        }
    }

    /// A place for this owner; `None` when there is none.
    pub(super) fn take(&self, owner: K) -> Option<Seat<K>> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let all = taken
            .values()
            .fold(0_usize, |sum, it| sum.saturating_add(*it));
        let own = taken.get(&owner).copied().unwrap_or(0);
        if all >= self.total || own >= self.each {
            return None;
        }
        taken.insert(owner.clone(), own.saturating_add(1));
        Some(Seat {
            seats: self.clone(),
            owner,
        })
    }
}

impl<K: Hash + Eq> Drop for Seat<K> {
    fn drop(&mut self) {
        let taken = &self.seats.taken;
        let mut taken = taken.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = taken.get_mut(&self.owner) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                taken.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn one_owner_leaves_places_to_the_others() {
        let seats = Seats::new(4, 2);
        let held: Vec<_> = (0..2).map(|_| seats.take("a").unwrap()).collect();
        assert!(seats.take("a").is_none());
        let _others = (seats.take("b").unwrap(), seats.take("c").unwrap());
        assert!(seats.take("d").is_none());
        drop(held);
        assert!(seats.take("a").is_some());
        assert_eq!(seats.taken.lock().unwrap().len(), 2);
    }
}
