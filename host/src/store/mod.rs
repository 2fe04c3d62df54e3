//! The hub's store: one SQLite file that outlives a crash at any moment.
//!
//! Owns the connection threads, the schema, and the tables that no other module
//! owns (hardware, configuration). An answer to [`Store::write`] means that the
//! change is on disk. No queue here grows without bound: callers wait instead.
//!
//! Reads have a connection of their own, so they do not wait for a commit to
//! reach the disk. A reader still sees every change that it was told about,
//! because a change is answered only after its commit. What looks at a few rows does
//! so on its caller's thread: to wake another and be woken takes longer than that.

mod changes;
mod configuration;
mod error;
mod hardware;
mod icons;
mod managed;
mod objects;
mod records;
mod schema;
mod worker;

use std::path::Path;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, Transaction};

pub use changes::{Changes, News};
pub use configuration::ConfigurationError;
pub use error::StoreError;
pub use hardware::HardwareRow;
pub use managed::ManagedHardware;

use crate::error::EngineError;
use worker::Worker;

/// The hub's database. Clones share it.
#[derive(Debug, Clone)]
pub struct Store {
    writer: Worker,
    reader: Worker,
    /// For brief reads, on whichever thread has it.
    brief: Arc<Mutex<Connection>>,
    changes: Changes,
}

impl Store {
    /// Opens the database file, creating or upgrading it.
    ///
    /// Blocks for the time it takes to check the file: call it at start-up.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the file is damaged, is not ours, is of a newer
    /// version, or cannot be read and written; the text says what to do.
    pub fn open(path: &Path) -> Result<Self, EngineError> {
        let mut writing = schema::open(path)?;
        let changes = Changes::default();
        let watched = changes.watch(&mut writing);
        watched.map_err(|error| EngineError::Store(error.to_string()))?;
        let reading = schema::open_reader(path)?;
        let brief = schema::open_reader(path)?;
        Ok(Self {
            writer: Worker::start("store-writer", writing)?,
            reader: Worker::start("store-reader", reading)?,
            brief: Arc::new(Mutex::new(brief)),
            changes,
        })
    }

    /// Runs `operation` in a transaction and answers when it is on disk.
    ///
    /// Operations that wait at the same time share one commit. Each is alone in a
    /// savepoint: one that fails leaves no trace and does not disturb the others.
    /// A caller that stops waiting does not stop its operation.
    ///
    /// # Errors
    /// What `operation` returned, or a [`StoreError`] when the commit failed; then
    /// nothing of the operation is stored.
    pub async fn write<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let changes = self.changes.clone();
        let watched = move |transaction: &Transaction<'_>| {
            let running = changes.begin();
            // Goes with the value, which is dropped after the commit even when nobody
            // waits for it.
            operation(transaction).map(|value| (value, running))
        };
        let (value, running) = self.writer.run::<_, E, _>(watched).await?;
        drop(running);
        Ok(value)
    }

    /// Which rows of devices were changed.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.changes
    }

    /// Runs `operation` on a consistent view that has every answered change.
    ///
    /// # Errors
    /// What `operation` returned; a [`StoreError`] also for an attempt to write.
    pub async fn read<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.reader.run(|transaction| operation(transaction)).await
    }

    /// As [`Self::read`], on the caller's own thread unless another one is reading so:
    /// for operations that look at a few rows, by an index or in a small table.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub async fn read_brief<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match self.read_here(operation) {
            Ok(result) => result,
            Err(operation) => self.read(operation).await,
        }
    }

    /// Gives the operation back when another thread has the connection.
    fn read_here<T, E, F>(&self, operation: F) -> Result<Result<T, E>, F>
    where
        F: FnOnce(&Connection) -> Result<T, E>,
        E: From<StoreError>,
    {
        match self.brief.try_lock() {
            Ok(mut connection) => Ok(worker::run_alone(&mut connection, operation)),
            Err(_) => Err(operation),
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
