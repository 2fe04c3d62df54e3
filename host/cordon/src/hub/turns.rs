//! Turns of changes: one at a time for each id.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

/// The turns that are taken or waited for.
#[derive(Default)]
pub(super) struct Turns {
    held: Mutex<HashMap<u32, Arc<tokio::sync::Mutex<()>>>>,
}

/// A turn, until this is dropped.
pub(super) struct Turn<'a> {
    turns: &'a Turns,
    id: u32,
    guard: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for the turn of this id.
    pub(super) async fn take(&self, id: u32) -> Turn<'_> {
        let lock = Arc::clone(self.held().entry(id).or_default());
        let mut turn = Turn {
            turns: self,
            id,
            guard: None,
        };
        turn.guard = Some(lock.lock_owned().await);
        turn
    }

    fn held(&self) -> MutexGuard<'_, HashMap<u32, Arc<tokio::sync::Mutex<()>>>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut held = self.turns.held();
        drop(self.guard.take());
        // Whoever waits has a part in it.
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
