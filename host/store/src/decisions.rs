//! The operator's decisions about an instance that do not stand in the configuration: whether it is
//! stopped, and the grants of hardware that was added through the API.

use rusqlite::OptionalExtension;

use super::{Store, StoreError};

/// Adds the table to a database that has the schema before.
pub(super) const SCHEMA: &str = "
    CREATE TABLE decisions (
        hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
        stopped INTEGER NOT NULL DEFAULT 0,
        grants TEXT
    ) STRICT;
";

/// The decisions about one instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decisions {
    /// Whether it stays stopped until the operator has it started.
    pub stopped: bool,
    /// Its grants as JSON, in the words of `[grants]`.
    pub grants: Option<String>,
}

impl Store {
    /// The decisions about the instance with this id; the default when there are none.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] when the store cannot be read.
    pub async fn decisions(&self, id: u32) -> Result<Decisions, StoreError> {
        self.read(move |connection| {
            let sql = "SELECT stopped, grants FROM decisions WHERE hardware_id = ?1";
            let found = connection
                .prepare_cached(sql)?
                .query_row([id], |row| {
                    let (stopped, grants) = (row.get(0)?, row.get(1)?);
                    Ok(Decisions { stopped, grants })
                })
                .optional()?;
            Ok(found.unwrap_or_default())
        })
        .await
    }

    /// Notes whether the instance with this id stays stopped.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] when it cannot be written, or there is no such instance.
    pub async fn decide_stopped(&self, id: u32, stopped: bool) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let sql = "INSERT INTO decisions (hardware_id, stopped) VALUES (?1, ?2)
                       ON CONFLICT (hardware_id) DO UPDATE SET stopped = excluded.stopped";
            transaction.execute(sql, (id, stopped))?;
            Ok(())
        })
        .await
    }

    /// Keeps the grants of the instance with this id.
    ///
    /// # Errors
    /// As [`Self::decide_stopped`].
    pub async fn decide_grants(&self, id: u32, grants: String) -> Result<(), StoreError> {
        self.write(move |transaction| {
            let sql = "INSERT INTO decisions (hardware_id, grants) VALUES (?1, ?2)
                       ON CONFLICT (hardware_id) DO UPDATE SET grants = excluded.grants";
            transaction.execute(sql, (id, grants))?;
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
    async fn decisions_stay_and_go_with_their_instance() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.db");
        let store = Store::open(&path, &[]).unwrap();
        let id = store.hardware_for("A", "P").await.unwrap();
        assert_eq!(store.decisions(id).await.unwrap(), Decisions::default());
        store.decide_stopped(id, true).await.unwrap();
        store.decide_grants(id, "{}".to_owned()).await.unwrap();
        store.close().await;
        let store = Store::open(&path, &[]).unwrap();
        let decided = store.decisions(id).await.unwrap();
        assert!(decided.stopped);
        assert_eq!(decided.grants.as_deref(), Some("{}"));
        store.decide_stopped(id, false).await.unwrap();
        let decided = store.decisions(id).await.unwrap();
        assert_eq!((decided.stopped, decided.grants.is_some()), (false, true));
        store.remove_hardware(id).await.unwrap();
        assert_eq!(store.decisions(id).await.unwrap(), Decisions::default());
        assert!(store.decide_stopped(id, true).await.is_err());
    }
}
