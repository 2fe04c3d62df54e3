//! Places for changes on their way: to the store, and then to those who are told of them.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bounds::SMALL;
use super::change::Change;

/// Changes of one plugin that may be on their way to the store, or take long to tell. Further ones
/// wait, so that nobody's changes wait long behind those of another.
const EDITS: usize = 4;

/// Changes of the operator and of the server itself that may be on their way.
const OWN_EDITS: usize = 64;

/// Short changes of one plugin that may be stored and not yet told. A plugin that makes short
/// changes does not wait until the changes of others were told.
const UNTOLD: usize = 64;

/// The places of whoever makes changes.
pub(super) struct Places {
    edits: Arc<Semaphore>,
    untold: Arc<Semaphore>,
}

/// One of the places, for as long as this lives.
pub(super) type Place = Option<OwnedSemaphorePermit>;

impl Places {
    /// The places of a plugin.
    pub(super) fn of_plugin() -> Self {
        Self::new(EDITS)
    }

    /// The places of the operator and of the server itself.
    pub(super) fn of_server() -> Self {
        Self::new(OWN_EDITS)
    }

    fn new(edits: usize) -> Self {
        Self {
            edits: Arc::new(Semaphore::new(edits)),
            untold: Arc::new(Semaphore::new(UNTOLD)),
        }
    }

    /// Waits for a place for one more change.
    pub(super) async fn take(&self) -> Place {
        // The semaphore is never closed, so this never fails.
        Arc::clone(&self.edits).acquire_owned().await.ok()
    }

    /// Divides the place of a change that is made now, into the part to be given back when the
    /// change is stored and the part to be given back when it was told.
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
