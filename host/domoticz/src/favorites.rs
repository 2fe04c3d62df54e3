//! Devices that people want to see first.

use std::collections::HashSet;

use super::device::DeviceError;
use cordon_store::{Store, StoreError};

/// The favourites in a store. Clones share them.
#[derive(Debug, Clone)]
pub struct Favorites {
    store: Store,
}

impl Favorites {
    /// The favourites in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The row ids of all favourites.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn all(&self) -> Result<HashSet<i64>, StoreError> {
        self.store
            .read(|connection| {
                let mut statement = connection.prepare_cached("SELECT device_id FROM favorites")?;
                let rows = statement.query_map([], |row| row.get(0))?;
                Ok(rows.collect::<Result<_, _>>()?)
            })
            .await
    }

    /// Makes a device a favourite, or none.
    ///
    /// # Errors
    /// [`DeviceError::Missing`], [`DeviceError::Unavailable`].
    pub async fn set(&self, device: i64, favorite: bool) -> Result<(), DeviceError> {
        self.store
            .write(move |transaction| {
                let sql = "SELECT 1 FROM devices WHERE id = ?1";
                if !transaction.prepare_cached(sql)?.exists([device])? {
                    return Err(DeviceError::Missing);
                }
                let sql = match favorite {
                    true => "INSERT OR IGNORE INTO favorites (device_id) VALUES (?1)",
                    false => "DELETE FROM favorites WHERE device_id = ?1",
                };
                transaction.prepare_cached(sql)?.execute([device])?;
                Ok(())
            })
            .await
    }
}
