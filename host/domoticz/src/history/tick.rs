//! Writes the rows that the hub itself makes: one every five minutes, a daily row every midnight.
//!
//! Each transaction writes the rows of a few devices, so that nobody waits for the rows of all. A
//! hub that was off at midnight makes the missing daily rows when it is back, for as long as the
//! five-minute rows are there.

use std::time::{Duration, Instant};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use rusqlite::Connection;

use super::super::row::{self, StoredRow};
use super::day::Day;
use super::family::Family;
use super::{History, adds_up, rows, sample};
use crate::preferences::Preferences;
use cordon_store::StoreError;

/// Seconds between rows.
const PERIOD: i64 = 300;

/// Preference with the minutes after which a silent device has no more rows.
const TIMEOUT: &str = "SensorTimeout";
/// The minutes in a fresh Domoticz; also used for a text that is no number.
const TIMEOUT_MINUTES: i64 = 60;

/// Devices in one transaction, and how long the transaction may take: others wait for it.
const BATCH: usize = 64;
const BATCH_TIME: Duration = Duration::from_millis(10);

/// Days in which a missing daily row is looked for: as long as five-minute rows live.
const LOOK_BACK: i64 = 8;

/// Keeps the history up to date for as long as it is awaited.
pub async fn keep(history: History, preferences: Preferences) {
    loop {
        let second = Timestamp::now().as_second();
        let rest = PERIOD.saturating_sub(second.rem_euclid(PERIOD));
        tokio::time::sleep(Duration::from_secs(rest.unsigned_abs())).await;
        let settings = preferences.settings().await.unwrap_or_default();
        let timeout = settings.iter().find(|(key, _)| key == TIMEOUT);
        let minutes = timeout.and_then(|(_, text)| text.parse().ok());
        let minutes = minutes.unwrap_or(TIMEOUT_MINUTES);
        if let Err(error) = history.tick(Timestamp::now(), minutes).await {
            tracing::error!(%error, "the five-minute log could not be written");
        }
    }
}

impl History {
    /// Writes the rows of this moment, and daily rows that are missing. `timeout` is in
    /// minutes.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read or written; the rows of some devices
    /// may be there then.
    pub async fn tick(&self, now: Timestamp, timeout: i64) -> Result<(), StoreError> {
        let ids = self.store.read(|connection| {
            let sql = "SELECT id FROM devices WHERE used <> 0 ORDER BY id";
            let mut statement = connection.prepare_cached(sql)?;
            let ids = statement.query_map([], |row| row.get(0))?;
            Ok::<_, StoreError>(ids.collect::<Result<Vec<i64>, _>>()?)
        });
        let mut ids = ids.await?.into_iter();
        while ids.len() > 0 {
            let changes = self.store.changes().clone();
            let written = self.store.write(move |transaction| {
                let today = now.to_zoned(TimeZone::system());
                let begun = Instant::now();
                for id in ids.by_ref().take(BATCH) {
                    let found = row::find(transaction, "id = ?1 AND used <> 0", [id])?;
                    let Some(row) = found else { continue };
                    take(transaction, &row, &today, timeout)?;
                    if adds_up(&row.device) {
                        // The first row of a day changes the figures shown for the device.
                        changes.mark(id);
                    }
                    if begun.elapsed() >= BATCH_TIME {
                        break;
                    }
                }
                Ok::<_, StoreError>(ids)
            });
            ids = written.await?;
        }
        Ok(())
    }
}

fn take(
    connection: &Connection,
    row: &StoredRow,
    now: &Zoned,
    timeout: i64,
) -> Result<(), rusqlite::Error> {
    let device = &row.device;
    let Some(family) = Family::of(device) else {
        return Ok(());
    };
    if !family.is_sampled() || device.option_is_true("DisableLogAutoUpdate") {
        return Ok(());
    }
    let second = now.timestamp().as_second();
    let silent = second.saturating_sub(row.updated.as_second());
    if silent <= timeout.saturating_mul(60)
        && let Some(figures) = sample::figures(device)
    {
        let time = second.saturating_sub(second.rem_euclid(PERIOD));
        rows::put_short(connection, device.id, time, &figures)?;
    }
    for back in 1..=LOOK_BACK {
        let Ok(date) = now.date().checked_sub(back.days()) else {
            break;
        };
        // The newest day that has its row ends the search: the older have theirs.
        if !close_day(connection, device.id, family, date)? {
            break;
        }
    }
    Ok(())
}

/// Makes the daily row of a day that is over. Returns whether there was none yet.
fn close_day(
    connection: &Connection,
    device: i64,
    family: Family,
    date: Date,
) -> Result<bool, rusqlite::Error> {
    if rows::has_day(connection, device, date)? {
        return Ok(false);
    }
    let (Some(from), Some(until)) = (midnight(date), date.tomorrow().ok().and_then(midnight))
    else {
        return Ok(false);
    };
    let all = rows::short(connection, device, from, until)?;
    let next = rows::short(connection, device, until, until.saturating_add(PERIOD))?;
    let figures: Vec<_> = all.iter().map(|moment| moment.figures).collect();
    let next = next.first().map(|moment| &moment.figures);
    if let Some(day) = Day::from_rows(family, &figures, next) {
        rows::put_day(connection, device, date, &day)?;
    }
    Ok(true)
}

/// The first moment of a local day, in Unix seconds.
pub(super) fn midnight(date: Date) -> Option<i64> {
    let zoned = date.to_zoned(TimeZone::system()).ok()?;
    Some(zoned.timestamp().as_second())
}
