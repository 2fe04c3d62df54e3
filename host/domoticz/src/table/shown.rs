//! Rows with the other facts that a list of devices shows, read a few at a time.
//!
//! Serves copies in memory: [`cordon_store::Changes`] says which rows to read again. A call reads
//! so many rows and so many bytes, so a long list does not keep other readers from the store, nor
//! is it in memory as a whole.

use rusqlite::Connection;

use super::super::device::DeviceError;
use super::super::history;
use super::super::image;
use super::super::row;
use super::{DeviceTable, Row};

/// Bytes of texts after which a call takes no more rows.
const BYTES: u64 = 256 << 10;

/// A row and the facts that a list shows beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shown {
    /// The row.
    pub row: Row,
    /// Bytes of its texts.
    pub weight: u64,
    /// Whether people want to see it first.
    pub favorite: bool,
    /// The first figures of that day, of a device that adds something up; `None` for other
    /// devices, and before the first row.
    pub first: Option<history::Figures>,
    /// The base of the icon set that the device shows; `None` for a picture that clients have
    /// themselves.
    pub icon: Option<String>,
}

impl DeviceTable {
    /// The most rows that one call of [`Self::shown`] reads.
    pub const SHOWN: usize = 64;

    /// The ids of all rows of all hardware, in order.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub async fn ids(&self) -> Result<Vec<i64>, DeviceError> {
        let ids = self.store.read(|connection| {
            let mut statement = connection.prepare_cached("SELECT id FROM devices ORDER BY id")?;
            let ids = statement.query_map([], |row| row.get(0))?;
            Ok::<_, DeviceError>(ids.collect::<Result<_, _>>()?)
        });
        ids.await
    }

    /// Reads the rows with the first of these ids, as many as one call reads. Returns them and how
    /// many of the ids that were: at least one. Rows that do not exist are left out. `since` is the
    /// beginning of the day in Unix seconds.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`].
    pub async fn shown(
        &self,
        ids: Vec<i64>,
        since: i64,
    ) -> Result<(Vec<Shown>, usize), DeviceError> {
        let operation = move |connection: &Connection| {
            let (mut rows, mut done, mut bytes) = (Vec::new(), 0, 0_u64);
            for id in ids.into_iter().take(Self::SHOWN) {
                if let Some(shown) = read(connection, id, since)? {
                    bytes = bytes.saturating_add(shown.weight);
                    rows.push(shown);
                }
                done += 1;
                if bytes > BYTES {
                    break;
                }
            }
            Ok::<_, DeviceError>((rows, done))
        };
        let (mut rows, done) = self.store.read(operation).await?;
        self.count(rows.len());
        let timed_out = self.lock();
        for Shown { row, .. } in &mut rows {
            row.timed_out = timed_out.get(&row.device.id).map_or(0, |(_, value)| *value);
        }
        Ok((rows, done))
    }
}

fn read(connection: &Connection, id: i64, since: i64) -> Result<Option<Shown>, rusqlite::Error> {
    let Some(stored) = row::find(connection, "id = ?1", [id])? else {
        return Ok(None);
    };
    let favorite = connection
        .prepare_cached("SELECT 1 FROM favorites WHERE device_id = ?1")?
        .exists([id])?;
    let first = history::first_figures(connection, &stored.device, since)?;
    let icon = image::base(connection, stored.device.image)?;
    Ok(Some(Shown {
        weight: stored.weight(),
        favorite,
        first,
        icon,
        row: Row {
            hardware: stored.hardware,
            device: stored.device,
            timed_out: 0,
            updated: stored.updated,
        },
    }))
}
