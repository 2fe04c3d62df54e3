//! The document of `Domoticz.Configuration`, one per hardware.
//!
//! The text is the plugin's own: it is neither read nor changed here, only bounded.

use rusqlite::OptionalExtension;

use super::{Store, StoreError};

/// Why a document was not stored; the one before is still there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// Over the `stored-bytes` limit.
    #[error("the configuration has {used} bytes, {limit} are allowed")]
    TooLarge {
        /// Size of the refused document in bytes.
        used: u64,
        /// What is allowed.
        limit: u64,
    },
    /// The hub's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// The stored document; `None` until something was stored.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] when the store cannot be read.
    pub async fn configuration(&self, hardware: u32) -> Result<Option<String>, StoreError> {
        self.read(move |connection| {
            let found = connection
                .prepare_cached("SELECT json FROM configuration WHERE hardware_id = ?1")?
                .query_row([hardware], |row| row.get(0))
                .optional()?;
            Ok(found)
        })
        .await
    }

    /// Replaces the document; `limit` is in bytes.
    ///
    /// # Errors
    /// See [`ConfigurationError`]; also when there is no such hardware.
    pub async fn set_configuration(
        &self,
        hardware: u32,
        json: String,
        limit: u64,
    ) -> Result<(), ConfigurationError> {
        let used = u64::try_from(json.len()).unwrap_or(u64::MAX);
        if used > limit {
            return Err(ConfigurationError::TooLarge { used, limit });
        }
        self.write(move |transaction| {
            let sql = "INSERT INTO configuration (hardware_id, json) VALUES (?1, ?2)
                       ON CONFLICT (hardware_id) DO UPDATE SET json = excluded.json";
            transaction
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute((hardware, json)))
                .map_err(StoreError::from)?;
            Ok(())
        })
        .await
    }
}
