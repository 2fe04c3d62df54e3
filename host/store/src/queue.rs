//! A queue with a lane for each owner, served one job each in turn.
//!
//! Who asks most waits for itself: a job waits for at most one of every other owner,
//! however many they have queued.

use std::collections::{HashMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Jobs of many owners. Both ends may be shared by threads.
#[derive(Debug)]
pub(super) struct Queue<J> {
    state: Mutex<State<J>>,
    work: Condvar,
}

#[derive(Debug)]
struct State<J> {
    /// By owner; none of them is empty.
    lanes: HashMap<u64, VecDeque<J>>,
    /// The owners of the lanes in the order in which they are served.
    turns: VecDeque<u64>,
    closed: bool,
}

impl<J> Queue<J> {
    /// An empty queue.
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                lanes: HashMap::new(),
                turns: VecDeque::new(),
                closed: false,
            }),
            work: Condvar::new(),
        }
    }

    /// Adds a job at the end of its owner's lane; drops it when the queue is closed.
    pub(super) fn push(&self, owner: u64, job: J) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            drop(job);
            return;
        }
        let lane = state.lanes.entry(owner).or_default();
        lane.push_back(job);
        if lane.len() == 1 {
            state.turns.push_back(owner);
        }
        drop(state);
        self.work.notify_one();
    }

    /// The next job; waits for one. `None` when the queue is closed and empty.
    pub(super) fn next(&self) -> Option<J> {
        let mut state = self.lock();
        loop {
            if let Some(job) = state.take() {
                return Some(job);
            }
            if state.closed {
                return None;
            }
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The next job, if there is one.
    pub(super) fn try_next(&self) -> Option<J> {
        self.lock().take()
    }

    /// Takes no more jobs; those that wait are still handed out.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.work.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<J>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<J> State<J> {
    fn take(&mut self) -> Option<J> {
        let owner = self.turns.pop_front()?;
        let lane = self.lanes.get_mut(&owner)?;
        let job = lane.pop_front();
        if lane.is_empty() {
            self.lanes.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        job
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(queue: &Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.try_next()).collect()
    }

    #[test]
    fn owners_are_served_in_turn_and_each_in_its_order() {
        let queue = Queue::new();
        for job in ["a1", "a2", "a3"] {
            queue.push(1, job);
        }
        for job in ["b1", "b2"] {
            queue.push(2, job);
        }
        queue.push(3, "c1");
        assert_eq!(drain(&queue), ["a1", "b1", "c1", "a2", "b2", "a3"]);
        assert!(queue.lock().lanes.is_empty());
    }

    #[test]
    fn one_job_waits_for_one_of_another_owner_however_many_it_has() {
        let queue = Queue::new();
        for _ in 0..1000 {
            queue.push(1, "a");
        }
        assert_eq!(queue.try_next(), Some("a"));
        queue.push(2, "b");
        assert_eq!([queue.try_next(), queue.try_next()], [Some("a"), Some("b")]);
    }

    #[test]
    fn a_closed_queue_hands_out_what_it_has_and_takes_nothing_more() {
        let queue = Queue::new();
        queue.push(1, "a");
        queue.close();
        queue.push(1, "b");
        assert_eq!((queue.next(), queue.next()), (Some("a"), None));
    }
}
