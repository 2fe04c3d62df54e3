//! The Python threads of an instance: which exist, and which are parked.
//!
//! Owns the count against the `threads` limit. Starting a thread is only
//! announced here; the instance's own loop makes the call, because a store is
//! touched by one task only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};

use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;

/// Id of the task that runs callbacks, as the guest numbers it.
const MAIN: u32 = 1;

/// Why a thread was not started.
#[derive(Debug, PartialEq, Eq)]
pub enum SpawnRefusal {
    /// The limit.
    Limit(LimitHit),
    /// Threads of all instances have taken the stacks that there are.
    NoStack,
    /// The instance is stopping.
    Stopping,
}

/// The threads of one instance.
#[derive(Debug)]
pub struct Threads {
    /// The threads that there are; the main task is among them.
    known: Mutex<HashMap<u32, Known>>,
    announced: mpsc::UnboundedSender<u32>,
    limit: u64,
    stacks: Arc<Semaphore>,
}

/// A thread.
#[derive(Debug, Default)]
struct Known {
    /// Has a permit when the thread was unparked.
    permit: Arc<Notify>,
    /// The thread's stack out of those for all instances; none for the main task.
    _stack: Option<OwnedSemaphorePermit>,
}

impl Threads {
    /// No threads yet. The receiver gets the ids of threads to be run; it holds at most as many as
    /// the limit allows. `stacks` has a permit for each thread of all instances.
    #[must_use]
    pub fn new(limit: u64, stacks: Arc<Semaphore>) -> (Self, mpsc::UnboundedReceiver<u32>) {
        let (announced, receiver) = mpsc::unbounded_channel();
        let known = HashMap::from([(MAIN, Known::default())]);
        let threads = Self {
            known: Mutex::new(known),
            announced,
            limit,
            stacks,
        };
        (threads, receiver)
    }

    fn with<R>(&self, look: impl FnOnce(&mut HashMap<u32, Known>) -> R) -> R {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn permit(&self, id: u32) -> Option<Arc<Notify>> {
        self.with(|known| known.get(&id).map(|thread| Arc::clone(&thread.permit)))
    }

    /// Threads alive, without the main task.
    #[must_use]
    pub fn alive(&self) -> u64 {
        self.with(|known| u64::try_from(known.len().saturating_sub(1)).unwrap_or(u64::MAX))
    }

    /// Counts a new thread and announces it.
    ///
    /// # Errors
    ///
    /// [`SpawnRefusal`]: the limit, no stack, or nobody runs threads any more.
    pub fn spawn(&self, id: u32) -> Result<(), SpawnRefusal> {
        let alive = self.alive();
        // An id twice is against the contract; it would be announced uncounted.
        if alive >= self.limit || self.with(|known| known.contains_key(&id)) {
            let hit = Limits::hit("threads", alive + 1, self.limit);
            return Err(SpawnRefusal::Limit(hit));
        }
        let stack = Arc::clone(&self.stacks).try_acquire_owned();
        let thread = Known {
            permit: Arc::default(),
            _stack: Some(stack.map_err(|_| SpawnRefusal::NoStack)?),
        };
        self.with(|known| known.insert(id, thread));
        self.announced.send(id).map_err(|_| {
            self.ended(id);
            SpawnRefusal::Stopping
        })
    }

    /// Forgets a thread that has ended.
    pub fn ended(&self, id: u32) {
        self.with(|known| known.remove(&id));
    }

    /// Waits for a permit of this id; false when the timeout ran out first. An id
    /// that no thread has gets none and waits for its timeout.
    pub async fn park(&self, id: u32, timeout_ns: Option<u64>) -> bool {
        let permit = self.permit(id).unwrap_or_default();
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
        if let Some(permit) = self.permit(id) {
            permit.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threads(limit: u64) -> (Threads, mpsc::UnboundedReceiver<u32>) {
        Threads::new(limit, Arc::new(Semaphore::new(8)))
    }

    #[test]
    fn a_thread_without_a_stack_is_refused_and_its_stack_comes_back() {
        let stacks = Arc::new(Semaphore::new(1));
        let (one, _receiver) = Threads::new(4, Arc::clone(&stacks));
        let (other, _other) = Threads::new(4, stacks);
        assert_eq!(one.spawn(2), Ok(()));
        assert_eq!(other.spawn(2), Err(SpawnRefusal::NoStack));
        one.ended(2);
        assert_eq!(other.spawn(2), Ok(()));
    }

    #[test]
    fn it_refuses_a_thread_over_the_limit_and_counts_again_after_one_ended() {
        let (threads, _receiver) = threads(1);
        assert_eq!(threads.spawn(2), Ok(()));
        let hit = Limits::hit("threads", 2, 1);
        assert_eq!(threads.spawn(3), Err(SpawnRefusal::Limit(hit)));
        threads.ended(2);
        assert_eq!(threads.spawn(3), Ok(()));
    }

    #[test]
    fn it_refuses_a_thread_when_nobody_runs_them() {
        let (threads, receiver) = threads(4);
        drop(receiver);
        assert_eq!(threads.spawn(2), Err(SpawnRefusal::Stopping));
        assert_eq!(threads.alive(), 0);
    }

    #[tokio::test]
    async fn an_early_unpark_is_remembered_once() {
        let (threads, _receiver) = threads(4);
        threads.unpark(MAIN);
        threads.unpark(MAIN);
        assert!(threads.park(MAIN, Some(1_000_000)).await);
        assert!(!threads.park(MAIN, Some(1_000_000)).await);
    }
}
