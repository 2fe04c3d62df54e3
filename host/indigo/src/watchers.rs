//! Who watches all changes, such as feeds of the HTTP API.
//!
//! A watcher may be slow, and a change holds two versions of an object. What is kept for
//! watchers is bounded in bytes, beside the newest: whoever lags further behind misses
//! changes and is told so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use super::bounds::SMALL;
use super::change::Change;
use super::table::Table;

/// Changes that a watcher may lag behind before it misses some.
const QUEUE: usize = 1024;

/// Bytes of memory in the changes that are kept for watchers, beside the newest.
const BYTES: u64 = 16 << 20;

/// Everybody who watches.
pub(super) struct Watchers {
    sender: broadcast::Sender<Told>,
    recent: Mutex<Recent>,
}

/// A change as watchers are told of it.
#[derive(Clone)]
struct Told {
    /// Where its object is listed: whoever watches another table does not miss it.
    table: Table,
    change: Weak<Change>,
}

#[derive(Default)]
struct Recent {
    changes: VecDeque<Arc<Change>>,
    bytes: u64,
}

impl Recent {
    /// Keeps a change, whatever its size: whoever is awake gets it. The others make room, long
    /// ones first, so that nobody misses short changes because of another's long ones.
    fn keep(&mut self, change: Arc<Change>) {
        while self.bytes > BYTES || self.changes.len() >= QUEUE {
            let long = self.changes.iter().position(|it| it.memory > SMALL);
            let Some(gone) = self.changes.remove(long.unwrap_or(0)) else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(gone.memory);
        }
        self.bytes = self.bytes.saturating_add(change.memory);
        self.changes.push_back(change);
    }
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
        let told = Told {
            table: change.what.object().table,
            change: Arc::downgrade(&change),
        };
        recent.keep(change);
        // Nobody may be left.
        let _ = self.sender.send(told);
    }

    /// Every change from now on of the objects of a table.
    pub(super) fn watch(&self, table: Table) -> Watcher {
        Watcher {
            table,
            changes: self.sender.subscribe(),
        }
    }
}

/// Receives every change of the objects of a table, unless it is too slow.
pub struct Watcher {
    table: Table,
    changes: broadcast::Receiver<Told>,
}

impl Watcher {
    /// The next change. May be given up at any time without losing one.
    ///
    /// # Errors
    ///
    /// [`RecvError::Lagged`] when changes were missed, [`RecvError::Closed`] when the server
    /// is gone.
    pub async fn recv(&mut self) -> Result<Arc<Change>, RecvError> {
        loop {
            let told = self.changes.recv().await?;
            if told.table == self.table {
                return told.change.upgrade().ok_or(RecvError::Lagged(1));
            }
        }
    }
}
