//! Places for changes on their way: to the store, and then to those who are told of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bounds::SMALL;
use super::change::Change;

/// Changes of one plugin that may be on their way to the store, or take long to tell. Further
/// ones wait, so that nobody's changes wait long behind those of another.
const EDITS: usize = 4;

/// The same of the operator and of the server itself.
const OWN_EDITS: usize = 64;

/// Short changes of one plugin that may be stored and not yet told: whoever makes them does
/// not wait for the telling of what others have changed.
const UNTOLD: usize = 64;

/// The places of whoever makes changes.
pub(super) struct Places {
    edits: Arc<Semaphore>,
    untold: Arc<Semaphore>,
}

/// One of the places, for as long as this lives.
pub(super) type Place = Option<OwnedSemaphorePermit>;

impl Places {
    /// Those of a plugin.
    pub(super) fn of_plugin() -> Self {
        Self::new(EDITS)
    }

    /// Those of the operator and of the server itself.
    pub(super) fn of_server() -> Self {
        Self::new(OWN_EDITS)
    }

    fn new(edits: usize) -> Self {
        Self {
            edits: Arc::new(Semaphore::new(edits)),
            untold: Arc::new(Semaphore::new(UNTOLD)),
        }
    }

    /// A place for one more change, when there is one.
    pub(super) async fn take(&self) -> Place {
        // Never closed.
        Arc::clone(&self.edits).acquire_owned().await.ok()
    }

    /// Where the place of a change goes that is made now: to be given back when the change is
    /// stored, and what is given back when it was told.
    pub(super) fn divide(&self, place: Place, changes: &[Change]) -> (Place, Place) {
        let short = changes.iter().all(|it| it.memory <= SMALL);
        let count = u32::try_from(changes.len().max(1)).unwrap_or(u32::MAX);
        let untold = Arc::clone(&self.untold).try_acquire_many_owned(count);
        match untold {
            Ok(untold) if short => (place, Some(untold)),
            _ => (None, place),
        }
    }
}
