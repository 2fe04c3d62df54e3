//! The hub's store: one SQLite file that outlives a crash at any moment.
//!
//! Owns the connection threads, the order of upgrades, and the tables of hardware. The other tables are
//! those of the crates that give a [`Schema`]. An answer to [`Store::write`] means that the change is on disk.
//!
//! A handle has an owner: the hub, or the instance that [`Store::of`] names. Owners are served in
//! turn. Each owner is billed for the time that its operations take and has few operations waiting,
//! and an instance writes no more than `write-bytes-per-minute`. No queue here grows without bound:
//! callers wait instead.
//!
//! Reads have a connection of their own, so they do not wait for a commit to reach the disk. A
//! reader still sees every change that it was told about, because a change is answered only after
//! its commit. An operation that reads a few rows does so on its caller's thread: to wake another
//! thread and be woken takes longer.

mod changes;
mod copy;
mod decisions;
mod error;
mod file;
mod hardware;
mod managed;
mod queue;
mod schema;
mod spoilt;
mod worker;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

pub use changes::{Changes, News};
pub use copy::{copy, inspect};
pub use decisions::Decisions;
pub use error::StoreError;
pub use hardware::HardwareRow;
pub use managed::ManagedHardware;
pub use schema::{SCHEMA, Schema, Step};
pub use worker::Writing;

use cordon_base::account::Account;
use cordon_base::error::EngineError;
use cordon_base::plugin_log::PluginLog;

/// Longest wait for a thread when the store is closed.
const CLOSING: Duration = Duration::from_secs(10);

/// The hub's database for one owner. Clones share it.
#[derive(Clone)]
pub struct Store {
    database: Arc<Database>,
    account: Arc<Account>,
    /// Where an instance is told that it is slowed down.
    log: Option<PluginLog>,
}

struct Database {
    writes: Arc<worker::Writes>,
    reads: Arc<worker::Reads>,
    /// For brief reads, on whichever thread has it; `None` once it is closed.
    brief: Mutex<Option<Connection>>,
    /// Told when the threads have closed their connections, reader first.
    ends: Mutex<Vec<oneshot::Receiver<()>>>,
    changes: Changes,
    /// A text for the operator about a log whose newest changes are lost.
    spoilt: Option<String>,
}

impl Drop for Database {
    fn drop(&mut self) {
        self.reads.close();
        self.writes.close();
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store")
            .field("account", &self.account.id())
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the database file, creating or upgrading it with the tables of these crates. The handle
    /// is the hub's own.
    ///
    /// Blocks for the time it takes to check the file: call it at start-up.
    ///
    /// # Errors
    /// [`EngineError::Store`] when the file is damaged, is not ours, is of a newer version, has the
    /// log of another file beside it, or cannot be read and written; the text names the remedy.
    /// Nothing is changed then.
    pub fn open(path: &Path, schemas: &[Schema]) -> Result<Self, EngineError> {
        let file::Opened {
            connection: mut writing,
            spoilt,
        } = file::open(path, schemas)?;
        let changes = Changes::default();
        let watched = changes.watch(&mut writing, schemas);
        watched.map_err(|error| EngineError::Store(error.to_string()))?;
        let reading = file::open_reader(path)?;
        let brief = file::open_reader(path)?;
        let writes = Arc::new(worker::Writes::new());
        let reads = Arc::new(worker::Reads::new());
        let ends = vec![
            worker::start(
                "store-reader",
                Arc::clone(&reads),
                reading,
                worker::serve_reads,
            )?,
            worker::start(
                "store-writer",
                Arc::clone(&writes),
                writing,
                worker::serve_writes,
            )?,
        ];
        Ok(Self {
            database: Arc::new(Database {
                writes,
                reads,
                brief: Mutex::new(Some(brief)),
                ends: Mutex::new(ends),
                changes,
                spoilt,
            }),
            account: Account::of_hub(),
            log: None,
        })
    }

    /// The store as an instance uses it: in its own turn, at its own cost.
    #[must_use]
    pub fn of(&self, account: &Arc<Account>, log: &PluginLog) -> Self {
        Self {
            database: Arc::clone(&self.database),
            account: Arc::clone(account),
            log: Some(log.clone()),
        }
    }

    /// A text for the operator, if a part of the write-ahead log was damaged when the store was
    /// opened and its changes are lost.
    #[must_use]
    pub fn spoilt(&self) -> Option<&str> {
        self.database.spoilt.as_deref()
    }

    /// The account of the handle's owner.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }

    /// Ends the store: waiting operations are done, the write-ahead log goes into the database
    /// file, and every later operation is refused with [`StoreError::Closed`].
    pub async fn close(&self) {
        let database = &self.database;
        database.reads.close();
        drop(self.brief().take());
        let ends =
            std::mem::take(&mut *database.ends.lock().unwrap_or_else(PoisonError::into_inner));
        for (n, end) in ends.into_iter().enumerate() {
            // The writer's connection goes last and takes the log with it.
            if n > 0 {
                database.writes.close();
            }
            if tokio::time::timeout(CLOSING, end).await.is_err() {
                tracing::error!("the store is busy; its log stays beside the database");
            }
        }
    }

    /// Runs `operation` in a transaction and answers when it is on disk.
    ///
    /// Operations that wait at the same time share one commit. Each is alone in a
    /// savepoint: one that fails leaves no trace and does not disturb the others.
    /// A caller that stops waiting does not stop its operation. An instance that has
    /// written more than it may waits here first.
    ///
    /// # Errors
    /// The error that `operation` returned, or a [`StoreError`] when the commit failed; then
    /// nothing of the operation is stored.
    pub async fn write<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Writing<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.admit().await;
        self.write_now(operation).await
    }

    /// Waits until the owner may write again (`write-bytes-per-minute`).
    pub async fn admit(&self) {
        while let Some(pause) = self.account.desk().pause(Instant::now()) {
            if let (Some(log), Some(hit)) = (&self.log, &pause.hit) {
                log.limit(hit);
            }
            tokio::time::sleep(pause.time).await;
        }
    }

    /// As [`Self::write`], without [`Self::admit`]: for an operation that others wait for
    /// once it is on its way, so that the owner has to wait before.
    ///
    /// # Errors
    /// As [`Self::write`].
    pub async fn write_now<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Writing<'_>) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let changes = self.database.changes.clone();
        let watched = move |writing: &Writing<'_>| {
            let running = changes.begin();
            // Goes with the value, which is dropped after the commit even when nobody
            // waits for it.
            operation(writing).map(|value| (value, running))
        };
        let database = &self.database;
        let written = worker::write::<_, E, _>(&database.writes, &self.account, watched);
        let (value, running) = written.await?;
        drop(running);
        Ok(value)
    }

    /// Which rows of the watched tables were changed.
    #[must_use]
    pub fn changes(&self) -> &Changes {
        &self.database.changes
    }

    /// Runs `operation` on a consistent view that has every answered change.
    ///
    /// # Errors
    /// The error that `operation` returned; a [`StoreError`] also for an attempt to write.
    pub async fn read<T, E, F>(&self, operation: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        worker::read(&self.database.reads, &self.account, operation).await
    }

    /// As [`Self::read`], on the caller's own thread unless another thread is reading in this way:
    /// for operations that read a few rows, by an index or in a small table. Their number must have
    /// a bound that no plugin chooses.
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
        let Ok(mut brief) = self.database.brief.try_lock() else {
            return Err(operation);
        };
        match brief.as_mut() {
            Some(connection) => Ok(worker::run_alone(connection, operation)),
            None => Ok(Err(StoreError::Closed.into())),
        }
    }

    fn brief(&self) -> std::sync::MutexGuard<'_, Option<Connection>> {
        self.database
            .brief
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod fixture;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
