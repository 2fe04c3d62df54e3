//! The Python threads of an instance: which there are and who is parked.
//!
//! Owns the count against the `threads` limit. Starting a thread is only
//! announced here; the instance's own loop makes the call, because a store is
//! touched by one task only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};

use crate::error::LimitHit;
use crate::limits::Limits;

/// Id of the task that runs callbacks, as the guest numbers it.
const MAIN: u32 = 1;

/// Why a thread was not started.
#[derive(Debug, PartialEq, Eq)]
pub enum SpawnRefusal {
    /// The limit.
    Limit(LimitHit),
    /// The instance is stopping.
    Stopping,
}

/// The threads of one instance.
#[derive(Debug)]
pub struct Threads {
    /// One permit per thread that was unparked; the main task is among them.
    parked: Mutex<HashMap<u32, Arc<Notify>>>,
    announced: mpsc::UnboundedSender<u32>,
    limit: u64,
}

impl Threads {
    /// No threads yet. The receiver gets the ids of those to be run; it holds at
    /// most as many as the limit allows.
    #[must_use]
    pub fn new(limit: u64) -> (Self, mpsc::UnboundedReceiver<u32>) {
        let (announced, receiver) = mpsc::unbounded_channel();
        let parked = HashMap::from([(MAIN, Arc::default())]);
        let threads = Self {
            parked: Mutex::new(parked),
            announced,
            limit,
        };
        (threads, receiver)
    }

    fn with<R>(&self, look: impl FnOnce(&mut HashMap<u32, Arc<Notify>>) -> R) -> R {
        look(&mut self.parked.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Threads alive, without the main task.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.with(|parked| u64::try_from(parked.len().saturating_sub(1)).unwrap_or(u64::MAX))
    }

    /// Counts a new thread and announces it.
    ///
    /// # Errors
    ///
    /// [`SpawnRefusal`]: the limit, or nobody runs threads any more.
    pub fn spawn(&self, id: u32) -> Result<(), SpawnRefusal> {
        let alive = self.alive();
        // An id twice is against the contract; it would be announced uncounted.
        if alive >= self.limit || self.with(|parked| parked.contains_key(&id)) {
            let hit = Limits::hit("threads", alive + 1, self.limit);
            return Err(SpawnRefusal::Limit(hit));
        }
        self.with(|parked| parked.insert(id, Arc::default()));
        self.announced.send(id).map_err(|_| {
            self.ended(id);
            SpawnRefusal::Stopping
        })
    }

    /// Forgets a thread that has ended.
    pub fn ended(&self, id: u32) {
        self.with(|parked| parked.remove(&id));
    }

    /// Waits for a permit of this id; false when the timeout ran out first. An id
    /// that no thread has gets none and waits for its timeout.
    pub async fn park(&self, id: u32, timeout_ns: Option<u64>) -> bool {
        let permit = self
            .with(|parked| parked.get(&id).cloned())
            .unwrap_or_default();
        match timeout_ns {
            None => {
                permit.notified().await;
                true
            }
            Some(timeout) => {
                let timeout = Duration::from_nanos(timeout);
                tokio::time::timeout(timeout, permit.notified())
                    .await
                    .is_ok()
            }
        }
    }

    /// Gives this id a permit, if it has none.
    pub fn unpark(&self, id: u32) {
        if let Some(permit) = self.with(|parked| parked.get(&id).cloned()) {
            permit.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_refuses_a_thread_over_the_limit_and_counts_again_after_one_ended() {
        let (threads, _receiver) = Threads::new(1);
        assert_eq!(threads.spawn(2), Ok(()));
        let hit = Limits::hit("threads", 2, 1);
        assert_eq!(threads.spawn(3), Err(SpawnRefusal::Limit(hit)));
        threads.ended(2);
        assert_eq!(threads.spawn(3), Ok(()));
    }

    #[test]
    fn it_refuses_a_thread_when_nobody_runs_them() {
        let (threads, receiver) = Threads::new(4);
        drop(receiver);
        assert_eq!(threads.spawn(2), Err(SpawnRefusal::Stopping));
        assert_eq!(threads.alive(), 0);
    }

    #[tokio::test]
    async fn an_early_unpark_is_remembered_once() {
        let (threads, _receiver) = Threads::new(4);
        threads.unpark(MAIN);
        threads.unpark(MAIN);
        assert!(threads.park(MAIN, Some(1_000_000)).await);
        assert!(!threads.park(MAIN, Some(1_000_000)).await);
    }
}
