//! Why the store could not do something.
//!
//! Holds texts for the operator and never the values that were to be stored.

use cordon_base::error::EngineError;

/// A failure of the store, not of who asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite refused an operation.
    #[error("{0}")]
    Sqlite(String),
    /// The changes could not be brought to disk; none of them is stored.
    #[error("the changes could not be written to disk: {0}")]
    Commit(String),
    /// The store's thread is gone.
    #[error("the store is closed")]
    Closed,
    /// An operation panicked; it left no trace.
    #[error("a store operation failed inside the hub; please report it")]
    Panicked,
    /// The request contradicts what is stored; the text says what to change.
    #[error("{0}")]
    Conflict(String),
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error.to_string())
    }
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Conflict(text) => Self::Config(text),
            other => Self::Store(other.to_string()),
        }
    }
}
