//! Who watches all changes, such as feeds of the HTTP API.
//!
//! A watcher may be slow, and a change holds two versions of an object. What is kept for
//! watchers is bounded in bytes: whoever lags further behind misses changes and is told so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::change::Change;

/// Changes that a watcher may lag behind before it misses some.
const QUEUE: usize = 1024;

/// Bytes of memory in the changes that are kept for watchers.
const BYTES: u64 = 16 << 20;

/// Everybody who watches.
pub(super) struct Watchers {
    sender: broadcast::Sender<Weak<Change>>,
    recent: Mutex<Recent>,
}

#[derive(Default)]
struct Recent {
    changes: VecDeque<Arc<Change>>,
    bytes: u64,
}

impl Default for Watchers {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(QUEUE),
            recent: Mutex::default(),
        }
    }
}

impl Watchers {
    /// Tells of a change; nobody may be watching.
    pub(super) fn tell(&self, change: Change) {
        let watched = self.sender.receiver_count() > 0;
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if !watched {
            *recent = Recent::default();
            return;
        }
        let change = Arc::new(change);
        let told = Arc::downgrade(&change);
        recent.bytes = recent.bytes.saturating_add(change.memory);
        recent.changes.push_back(change);
        while recent.bytes > BYTES || recent.changes.len() > QUEUE {
            let Some(oldest) = recent.changes.pop_front() else {
                break;
            };
            recent.bytes = recent.bytes.saturating_sub(oldest.memory);
        }
        // Nobody may be left.
        let _ = self.sender.send(told);
    }

    /// Every change from now on.
    pub(super) fn watch(&self) -> Watcher {
        Watcher(self.sender.subscribe())
    }
}

/// Receives every change, unless it is too slow.
pub struct Watcher(broadcast::Receiver<Weak<Change>>);

impl Watcher {
    /// The next change. May be given up at any time without losing one.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] when changes were missed, [`RecvError::Closed`] when the server
    /// is gone.
    pub async fn recv(&mut self) -> Result<Arc<Change>, RecvError> {
        let told = self.0.recv().await?;
        told.upgrade().ok_or(RecvError::Lagged(1))
    }
}
