//! Turns of changes: one at a time for each id.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// The turns that are taken or waited for.
pub(super) struct Turns<K> {
    held: Mutex<Held<K>>,
}

impl<K> Default for Turns<K> {
    fn default() -> Self {
        Self {
            held: Mutex::default(),
        }
    }
}

/// A turn, until this is dropped.
pub(super) struct Turn<'a, K: Eq + Hash> {
    turns: &'a Turns<K>,
    id: K,
    guard: Option<OwnedMutexGuard<()>>,
}

impl<K: Eq + Hash + Clone> Turns<K> {
    /// Waits for the turn of this id.
    pub(super) async fn take(&self, id: K) -> Turn<'_, K> {
        let lock = Arc::clone(self.held().entry(id.clone()).or_default());
        let mut turn = Turn {
            turns: self,
            id,
            guard: None,
        };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }
}

/// The locks by their ids.
type Held<K> = HashMap<K, Arc<tokio::sync::Mutex<()>>>;

impl<K> Turns<K> {
    fn held(&self) -> MutexGuard<'_, Held<K>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash> Drop for Turn<'_, K> {
    fn drop(&mut self) {
        let mut held = self.turns.held();
        drop(self.guard.take());
        // A change that waits holds the entry as well.
        if held
            .get(&self.id)
            .is_some_and(|it| Arc::strong_count(it) == 1)
        {
            held.remove(&self.id);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn a_change_waits_for_one_of_the_same_id_alone() {
        let turns = Turns::default();
        let first = turns.take(1).await;
        let second = Duration::from_millis(100);
        assert!(timeout(second, turns.take(1)).await.is_err());
        let other = timeout(second, turns.take(2)).await.unwrap();
        drop((first, other));
        assert!(timeout(second, turns.take(1)).await.is_ok());
        assert!(turns.held().is_empty());
    }
}
