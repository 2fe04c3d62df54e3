//! The history of devices: five-minute rows, daily rows, and the log of switches and texts.
//!
//! Owns the rules of when a row is written and how long it is kept. Every five minutes the hub
//! takes the figures of each shown device that was heard of lately; at midnight the rows of a day
//! become its daily row. Switches and texts have a row per reading instead. A device with option
//! `DisableLogAutoUpdate` = `true` has only the rows that its plugin writes (managed counters,
//! option `AddDBLogEntry`).
//!
//! The limit of rows per device ([`rows`]) bounds the history, and so does the limit `devices`.

mod day;
mod entry;
mod family;
mod rows;
mod sample;
mod tick;

use jiff::Timestamp;
use jiff::civil::Date;
use rusqlite::Connection;

pub use day::{DAY_FIGURES, Day};
pub use entry::{Entry, is_entry};
pub use family::Family;
pub use rows::{DAILY_ROWS, LOG_ROWS, LOG_TEXT, SHORT_ROWS};
pub use sample::{FIGURES, Figures, dew_point, figures};
pub use tick::keep;

use super::device::Device;
use cordon_store::{Store, StoreError};

/// A five-minute row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// Unix time in seconds.
    pub time: i64,
    /// Columns of [`sample`].
    pub figures: Figures,
}

/// A row of the log of switches and texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogRow {
    /// Number of the row.
    pub id: i64,
    /// Unix time in milliseconds.
    pub time: i64,
    /// Numeric value.
    pub n_value: i64,
    /// Text value, cut at [`LOG_TEXT`].
    pub s_value: String,
    /// The user who did it, or empty for the plugin.
    pub user: String,
}

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Records a reading in the history, in the transaction that stores it. `device` is the row with
/// its new values, `given` the text value as it came, `changed` whether the rules of spec 4.5 took
/// it as news.
///
/// # Errors
/// Errors of SQLite.
pub fn record(
    connection: &Connection,
    device: &Device,
    given: &str,
    changed: bool,
    now: Timestamp,
) -> Result<(), rusqlite::Error> {
    match entry::parse(device, given) {
        // The oldest rows go first, so rows of the future would take the place of those that
        // are still to come. Clocks and time zones may differ by a day.
        Some(entry) if entry.time() > now.as_second().saturating_add(DAY) => return Ok(()),
        Some(Entry::Moment { time, figures }) => {
            return rows::put_short(connection, device.id, time, &figures);
        }
        Some(Entry::Day { date, day }) => {
            return rows::put_day(connection, device.id, date, &day);
        }
        None => {}
    }
    let logged = Family::of(device) == Some(Family::Log) && device.used != 0 && changed;
    if logged && !is_entry(device, given) {
        let values = (device.n_value, device.s_value.as_str(), "");
        rows::put_log(connection, device.id, now.as_millisecond(), values)?;
    }
    Ok(())
}

/// The first figures after `since` (Unix seconds) of a device that adds something up; `None` for
/// every other device, and for one without a row since. A caller that keeps the figures hears of
/// every change of them through [`cordon_store::Changes`].
///
/// # Errors
/// Errors of SQLite.
pub(super) fn first_figures(
    connection: &Connection,
    device: &Device,
    since: i64,
) -> Result<Option<Figures>, rusqlite::Error> {
    match adds_up(device) {
        true => rows::first_figures(connection, device.id, since),
        false => Ok(None),
    }
}

/// Whether the device adds something up.
#[must_use]
pub fn adds_up(device: &Device) -> bool {
    let family = Family::of(device);
    matches!(family, Some(Family::Counter | Family::Meter | Family::Rain))
}

/// The history of all devices. Clones share it.
#[derive(Debug, Clone)]
pub struct History {
    store: Store,
}

impl History {
    /// The history in `store`.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self { store }
    }

    /// The five-minute rows of a device from `from` until before `until` (Unix
    /// seconds), oldest first; at most [`SHORT_ROWS`].
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn short(
        &self,
        device: i64,
        from: i64,
        until: i64,
    ) -> Result<Vec<Moment>, StoreError> {
        self.store
            .read(move |connection| Ok(rows::short(connection, device, from, until)?))
            .await
    }

    /// The daily rows of a device from `from` to `until`, both included, oldest first; at
    /// most [`DAILY_ROWS`].
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn daily(
        &self,
        device: i64,
        from: Date,
        until: Date,
    ) -> Result<Vec<(Date, Day)>, StoreError> {
        self.store
            .read(move |connection| Ok(rows::daily(connection, device, from, until)?))
            .await
    }

    /// The log of a device's switches and texts, newest first; at most [`LOG_ROWS`].
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn log(&self, device: i64) -> Result<Vec<LogRow>, StoreError> {
        self.store
            .read(move |connection| Ok(rows::log(connection, device)?))
            .await
    }

    /// Empties the log of a device's switches and texts.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn clear_log(&self, device: i64) -> Result<(), StoreError> {
        self.store
            .write(move |transaction| Ok(rows::clear_log(transaction, device)?))
            .await
    }

    /// Forgets the daily rows from `from` to `until`, both included.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn forget_days(
        &self,
        device: i64,
        from: Date,
        until: Date,
    ) -> Result<(), StoreError> {
        self.store
            .write(move |transaction| Ok(rows::forget_days(transaction, device, from, until)?))
            .await
    }

    /// Forgets the five-minute row of this second.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be written.
    pub async fn forget_moment(&self, device: i64, time: i64) -> Result<(), StoreError> {
        let changes = self.store.changes().clone();
        self.store
            .write(move |transaction| {
                changes.mark(device);
                Ok(rows::forget_moment(transaction, device, time)?)
            })
            .await
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
