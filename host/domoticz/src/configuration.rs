//! The document of `Domoticz.Configuration`, one per hardware.
//!
//! The text is the plugin's own: it is neither read nor changed here, only bounded.

use std::sync::Arc;

use rusqlite::OptionalExtension;

use cordon_base::account::Charge;
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;
use cordon_store::{Store, StoreError};

/// Why a document was not stored; the one before is still there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// A limit of the instance: `stored-bytes`, or `host-memory` while it waits.
    #[error(transparent)]
    Limit(#[from] LimitHit),
    /// The hub's fault.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The documents in the store. Clones share them.
#[derive(Debug, Clone)]
pub struct Configuration {
    store: Store,
}

impl Configuration {
    /// The documents in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The stored document, and its charge as long as the hub has it; `None` until something was
    /// stored.
    ///
    /// # Errors
    /// See [`ConfigurationError`].
    pub async fn load(
        &self,
        hardware: u32,
    ) -> Result<Option<(String, Charge)>, ConfigurationError> {
        let account = Arc::clone(self.store.account());
        self.store
            .read(move |connection| {
                let sql = "SELECT octet_length(json) FROM configuration WHERE hardware_id = ?1";
                let bytes = connection
                    .prepare_cached(sql)
                    .and_then(|mut statement| {
                        statement.query_row([hardware], |row| row.get(0)).optional()
                    })
                    .map_err(StoreError::from)?;
                let Some(bytes) = bytes.map(i64::unsigned_abs) else {
                    return Ok(None);
                };
                let charge = account.charge(bytes)?;
                let sql = "SELECT json FROM configuration WHERE hardware_id = ?1";
                let json = connection
                    .prepare_cached(sql)
                    .and_then(|mut statement| statement.query_row([hardware], |row| row.get(0)))
                    .map_err(StoreError::from)?;
                Ok(Some((json, charge)))
            })
            .await
    }

    /// Replaces the document; `limit` is in bytes.
    ///
    /// # Errors
    /// See [`ConfigurationError`]; also when there is no such hardware.
    pub async fn save(
        &self,
        hardware: u32,
        json: String,
        limit: u64,
    ) -> Result<(), ConfigurationError> {
        let used = u64::try_from(json.len()).unwrap_or(u64::MAX);
        if used > limit {
            return Err(Limits::hit("stored-bytes", used, limit).into());
        }
        let charge = self.store.account().charge(used)?;
        self.store
            .write(move |transaction| {
                let _held = charge;
                transaction.wrote(used);
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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_configuration_is_bounded_and_goes_away_with_its_hardware() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
        let id = store.hardware_for("HW", "K").await.unwrap();
        let documents = Configuration::new(store.clone());
        let load = async || {
            let found = documents.load(id).await.unwrap();
            found.map(|(text, _charge)| text)
        };
        assert_eq!(load().await, None);
        let saved = documents.save(id, "{\"a\":1}".to_owned(), 100).await;
        saved.unwrap();
        let refused = documents.save(id, "x".repeat(101), 100).await;
        let hit = Limits::hit("stored-bytes", 101, 100);
        assert_eq!(refused, Err(hit.into()));
        assert_eq!(load().await.unwrap(), "{\"a\":1}");
        store.remove_hardware(id).await.unwrap();
        assert_eq!(load().await, None);
    }
}
