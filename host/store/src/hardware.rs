//! Hardware rows: one per configured plugin instance, found by its name.
//!
//! An id is never used twice, so that what a plugin or a client remembers about a
//! removed hardware cannot hit another one.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension};

use super::{Store, StoreError};

/// A configured plugin instance as the store knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardwareRow {
    /// The hub's number for it, from 1.
    pub id: u32,
    /// Name given by the operator, unique.
    pub name: String,
    /// Key of its plugin.
    pub key: String,
}

impl Store {
    /// The id of the hardware of this name, made if there is none.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name belongs to another plugin: its
    /// devices would be handed to a plugin that knows nothing of them.
    pub async fn hardware_for(&self, name: &str, key: &str) -> Result<u32, StoreError> {
        let (name, key) = (name.to_owned(), key.to_owned());
        let wanted = (name.clone(), key.clone());
        let found = self.read_brief(move |connection| find(connection, &wanted.0, &wanted.1));
        if let Some(id) = found.await? {
            return Ok(id);
        }
        self.write(move |transaction| find_or_insert(transaction, &name, &key))
            .await
    }

    /// All hardware, by id.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] when the store cannot be read.
    pub async fn hardware(&self) -> Result<Vec<HardwareRow>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT id, name, key FROM hardware ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([], |row| {
                Ok(HardwareRow {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    key: row.get(2)?,
                })
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Removes a hardware with its devices and its configuration.
    ///
    /// Returns whether there was one.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] when the store cannot be written.
    pub async fn remove_hardware(&self, id: u32) -> Result<bool, StoreError> {
        self.write(move |transaction| {
            let removed = transaction.execute("DELETE FROM hardware WHERE id = ?1", [id])?;
            Ok(removed > 0)
        })
        .await
    }
}

fn find(connection: &Connection, name: &str, key: &str) -> Result<Option<u32>, StoreError> {
    let found: Option<(u32, String)> = connection
        .prepare_cached("SELECT id, key FROM hardware WHERE name = ?1")?
        .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    match found {
        Some((id, stored)) if stored == key => Ok(Some(id)),
        Some((_, stored)) => Err(StoreError::Conflict(format!(
            "hardware `{name}` belongs to plugin `{stored}` and its devices are stored; give \
             the instance of plugin `{key}` another name, or remove hardware `{name}` first"
        ))),
        None => Ok(None),
    }
}

fn find_or_insert(connection: &Connection, name: &str, key: &str) -> Result<u32, StoreError> {
    if let Some(id) = find(connection, name, key)? {
        return Ok(id);
    }
    let sql = "INSERT INTO hardware (name, key, created) VALUES (?1, ?2, ?3) RETURNING id";
    let created = Timestamp::now().as_millisecond();
    let id = connection
        .prepare_cached(sql)?
        .query_row((name, key, created), |row| row.get(0))?;
    Ok(id)
}
