//! Work that one does while the others who want the same wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// Who does it now, by a key for the work. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Turns {
    taken: Arc<Mutex<HashMap<String, watch::Receiver<()>>>>,
}

/// The turn to do the work. The others wait until it is dropped.
#[derive(Debug)]
pub struct Turn {
    key: String,
    turns: Turns,
    end: watch::Sender<()>,
}

impl Turns {
    /// The turn, if nobody has it.
    ///
    /// # Errors
    ///
    /// A receiver to which nothing is ever sent: it closes when the turn of the other ends.
    pub fn take(&self, key: &str) -> Result<Turn, watch::Receiver<()>> {
        let mut taken = self.taken();
        if let Some(end) = taken.get(key) {
            return Err(end.clone());
        }
        let (sender, end) = watch::channel(());
        taken.insert(key.to_owned(), end);
        Ok(Turn {
            key: key.to_owned(),
            turns: self.clone(),
            end: sender,
        })
    }

    /// Whether nobody has a turn.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.taken().is_empty()
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<String, watch::Receiver<()>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// The end of this turn, for somebody else to wait for.
    #[must_use]
    pub fn end(&self) -> watch::Receiver<()> {
        self.end.subscribe()
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.taken().remove(&self.key);
    }
}
