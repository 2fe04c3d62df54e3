//! Hardware that was added through the API: its settings, beside its row.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Store, StoreError};

/// Hardware as it was added.
#[derive(Clone, PartialEq, Eq)]
pub struct ManagedHardware {
    /// The hub's number for it; 0 for one that is to be added.
    pub id: u32,
    /// Name given by the operator, unique among all hardware.
    pub name: String,
    /// Key of its plugin.
    pub key: String,
    /// Whether it is to run.
    pub enabled: bool,
    /// Which levels of its log are shown, as clients give it.
    pub log_level: u32,
    /// Values of the plugin's parameters; any of them may be a secret.
    pub parameters: BTreeMap<String, String>,
}

impl std::fmt::Debug for ManagedHardware {
    /// Without the parameters.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ManagedHardware")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("key", &self.key)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// All hardware that was added through the API, by id.
    ///
    /// # Errors
    /// [`StoreError::Sqlite`] when the store cannot be read.
    pub async fn managed_hardware(&self) -> Result<Vec<ManagedHardware>, StoreError> {
        self.read(|connection| {
            let sql = "SELECT hardware.id, name, key, enabled, log_level, parameters
                       FROM managed_hardware JOIN hardware ON hardware.id = hardware_id
                       ORDER BY hardware.id";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let parameters: String = row.get(5)?;
                found.push(ManagedHardware {
                    id: row.get(0)?,
                    name: row.get(1)?,
                    key: row.get(2)?,
                    enabled: row.get(3)?,
                    log_level: row.get(4)?,
                    parameters: serde_json::from_str(&parameters).unwrap_or_default(),
                });
            }
            Ok(found)
        })
        .await
    }

    /// Adds hardware, or changes that with its id; returns the id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the name is taken.
    pub async fn save_managed(&self, hardware: ManagedHardware) -> Result<u32, StoreError> {
        self.write(move |transaction| {
            let taken = transaction
                .prepare_cached("SELECT 1 FROM hardware WHERE name = ?1 AND id <> ?2")?
                .exists((&hardware.name, hardware.id))?;
            if taken {
                return Err(StoreError::Conflict(format!(
                    "there is, or was, a hardware `{}`; give this one another name",
                    hardware.name
                )));
            }
            let id = match hardware.id {
                0 => {
                    let sql = "INSERT INTO hardware (name, key, created) VALUES (?1, ?2, ?3)
                               RETURNING id";
                    let created = Timestamp::now().as_millisecond();
                    let values = (&hardware.name, &hardware.key, created);
                    transaction.query_row(sql, values, |row| row.get(0))?
                }
                id => {
                    let sql = "UPDATE hardware SET name = ?2 WHERE id = ?1";
                    transaction.execute(sql, (id, &hardware.name))?;
                    id
                }
            };
            let parameters = serde_json::to_string(&hardware.parameters)
                .map_err(|error| StoreError::Sqlite(error.to_string()))?;
            let sql = "INSERT INTO managed_hardware (hardware_id, enabled, log_level, parameters)
                       VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (hardware_id) DO UPDATE SET enabled = excluded.enabled,
                           log_level = excluded.log_level, parameters = excluded.parameters";
            transaction.execute(sql, (id, hardware.enabled, hardware.log_level, parameters))?;
            Ok(id)
        })
        .await
    }
}
