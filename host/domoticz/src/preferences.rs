//! The preferences table, which plugins see as `Settings` (behaviour spec 2.3).
//!
//! A stored preference goes before its default. The defaults are those that plugins
//! are known to read; a preference that nobody set and that has no default is absent.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension};

use cordon_store::{Store, StoreError};

/// The preference that decides whether new device rows are accepted.
pub const ACCEPT_NEW_HARDWARE: &str = "AcceptNewHardware";

/// Preferences of a fresh Domoticz, as text.
const DEFAULTS: [(&str, &str); 8] = [
    (ACCEPT_NEW_HARDWARE, "1"),
    ("ElectricVoltage", "230"),
    ("Language", "en"),
    ("Location", "0;0"),
    ("SensorTimeout", "60"),
    ("TempUnit", "0"),
    ("WeightUnit", "0"),
    ("WindUnit", "0"),
];

/// Longest key and text in bytes: the whole list is handed to every plugin.
const MAX_KEY: usize = 64;
const MAX_TEXT: usize = 16 << 10;

/// The hub's preferences. Clones share them.
#[derive(Debug, Clone)]
pub struct Preferences {
    store: Store,
}

impl Preferences {
    /// The preferences in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// `Settings`: keys in alphabetical order with their values as text (rule 19).
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn settings(&self) -> Result<Vec<(String, String)>, StoreError> {
        self.store
            .read_brief(|connection| {
                let mut settings: BTreeMap<_, _> = DEFAULTS
                    .iter()
                    .map(|(key, text)| ((*key).to_owned(), (*text).to_owned()))
                    .collect();
                // Plugins do not see the code by which clients prove who they are.
                let sql = "SELECT key, text, number FROM preferences WHERE key <> 'SecPassword'";
                let mut statement = connection.prepare_cached(sql)?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    settings.insert(row.get(0)?, shown(row.get(1)?, row.get(2)?));
                }
                Ok(settings.into_iter().collect())
            })
            .await
    }

    /// The text of a preference that [`Self::settings`] leaves out.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn secret(&self, key: &'static str) -> Result<Option<String>, StoreError> {
        self.store
            .read(move |connection| {
                let sql = "SELECT text FROM preferences WHERE key = ?1";
                let mut statement = connection.prepare_cached(sql)?;
                Ok(statement.query_row([key], |row| row.get(0)).optional()?)
            })
            .await
    }

    /// Stores a preference: its text, or its number where the text is empty.
    ///
    /// Running plugins are to be sent [`super::HubEvent::Settings`] afterwards.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] for a key or text that is too long.
    pub async fn set(&self, key: &str, text: &str, number: i64) -> Result<(), StoreError> {
        if key.is_empty() || key.len() > MAX_KEY || text.len() > MAX_TEXT {
            return Err(StoreError::Conflict(format!(
                "a preference needs a key of 1 to {MAX_KEY} bytes and a text of at most {MAX_TEXT}"
            )));
        }
        let (key, text) = (key.to_owned(), text.to_owned());
        self.store
            .write(move |transaction| {
                let sql = "INSERT INTO preferences (key, text, number) VALUES (?1, ?2, ?3)
                           ON CONFLICT (key) DO UPDATE
                           SET text = excluded.text, number = excluded.number";
                transaction
                    .prepare_cached(sql)?
                    .execute((key, text, number))?;
                Ok(())
            })
            .await
    }
}

/// Whether the operator lets plugins make devices (rule 40).
pub(super) fn accepts_new_hardware(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let stored: Option<(String, i64)> = connection
        .prepare_cached("SELECT text, number FROM preferences WHERE key = ?1")?
        .query_row([ACCEPT_NEW_HARDWARE], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(stored.is_none_or(|(text, number)| shown(text, number) != "0"))
}

fn shown(text: String, number: i64) -> String {
    if text.is_empty() {
        number.to_string()
    } else {
        text
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn stored_preferences_go_before_defaults_and_numbers_become_text() {
        let folder = tempfile::tempdir().unwrap();
        let preferences =
            Preferences::new(Store::open(&folder.path().join("db"), &[crate::SCHEMA]).unwrap());
        let value = async |key: &str| {
            let settings = preferences.settings().await.unwrap();
            settings.into_iter().find(|(k, _)| k == key).map(|(_, v)| v)
        };
        assert_eq!(value("Language").await.unwrap(), "en");
        assert_eq!(value("Custom").await, None);
        preferences.set("Custom", "", 5).await.unwrap();
        preferences.set("Language", "nl", 0).await.unwrap();
        assert_eq!(value("Custom").await.unwrap(), "5");
        assert_eq!(value("Language").await.unwrap(), "nl");
        preferences.set("Custom", "t", 5).await.unwrap();
        assert_eq!(value("Custom").await.unwrap(), "t");
        assert!(preferences.set("", "x", 0).await.is_err());
        assert!(
            preferences
                .set("k", &"x".repeat(MAX_TEXT + 1), 0)
                .await
                .is_err()
        );
    }
}
