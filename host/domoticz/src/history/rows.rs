//! The tables of the history in SQL.
//!
//! Runs inside the store's operations and decides nothing. The rows of one device are bounded here:
//! with a row too many the oldest goes, so a device costs at most [`SHORT_ROWS`] + [`DAILY_ROWS`] +
//! [`LOG_ROWS`] rows however much it is told.

use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};

use super::day::Day;
use super::sample::Figures;
use super::{LogRow, Moment};

/// Five-minute rows of one device: seven days and some.
pub const SHORT_ROWS: u32 = 2100;
/// Daily rows of one device: eleven years.
pub const DAILY_ROWS: u32 = 4100;
/// Rows in the log of one device's switches and texts.
pub const LOG_ROWS: u32 = 1000;
/// Longest text of a row in the log, in bytes.
pub const LOG_TEXT: usize = 512;

const FIGURES: &str = "v1, v2, v3, v4, v5, v6";
const DAY_FIGURES: &str = "v1, v2, v3, v4, v5, v6, v7, v8, v9, v10, v11, v12";

/// Writes a five-minute row over one of the same second.
pub(super) fn put_short(
    connection: &Connection,
    device: i64,
    time: i64,
    figures: &Figures,
) -> Result<(), rusqlite::Error> {
    let sql = format!(
        "INSERT OR REPLACE INTO history_short (device_id, time, {FIGURES})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
    );
    let [a, b, c, d, e, f] = *figures;
    connection
        .prepare_cached(&sql)?
        .execute(params![device, time, a, b, c, d, e, f])?;
    let sql = "DELETE FROM history_short WHERE device_id = ?1 AND time <= (
                   SELECT time FROM history_short WHERE device_id = ?1
                   ORDER BY time DESC LIMIT 1 OFFSET ?2)";
    connection
        .prepare_cached(sql)?
        .execute((device, SHORT_ROWS))?;
    Ok(())
}

/// Writes a daily row over one of the same day.
pub(super) fn put_day(
    connection: &Connection,
    device: i64,
    date: Date,
    day: &Day,
) -> Result<(), rusqlite::Error> {
    let sql = format!(
        "INSERT OR REPLACE INTO history_daily (device_id, day, {DAY_FIGURES})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    );
    let [a, b, c, d, e, f, g, h, i, j, k, l] = day.0;
    connection.prepare_cached(&sql)?.execute(params![
        device,
        date.to_string(),
        a,
        b,
        c,
        d,
        e,
        f,
        g,
        h,
        i,
        j,
        k,
        l
    ])?;
    let sql = "DELETE FROM history_daily WHERE device_id = ?1 AND day <= (
                   SELECT day FROM history_daily WHERE device_id = ?1
                   ORDER BY day DESC LIMIT 1 OFFSET ?2)";
    connection
        .prepare_cached(sql)?
        .execute((device, DAILY_ROWS))?;
    Ok(())
}

/// Whether a day has its row.
pub(super) fn has_day(
    connection: &Connection,
    device: i64,
    date: Date,
) -> Result<bool, rusqlite::Error> {
    connection
        .prepare_cached("SELECT 1 FROM history_daily WHERE device_id = ?1 AND day = ?2")?
        .exists((device, date.to_string()))
}

/// The five-minute rows from `from` until before `until` (Unix seconds), oldest first.
pub(super) fn short(
    connection: &Connection,
    device: i64,
    from: i64,
    until: i64,
) -> Result<Vec<Moment>, rusqlite::Error> {
    let sql = format!(
        "SELECT time, {FIGURES} FROM history_short
         WHERE device_id = ?1 AND time >= ?2 AND time < ?3 ORDER BY time"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map((device, from, until), |row| {
        Ok(Moment {
            time: row.get(0)?,
            figures: figures(row, 1)?,
        })
    })?;
    rows.collect()
}

/// The figures of a five-minute row, from this column on.
fn figures(row: &rusqlite::Row<'_>, from: usize) -> Result<Figures, rusqlite::Error> {
    let mut figures = Figures::default();
    for (column, figure) in (from..).zip(&mut figures) {
        *figure = row.get(column)?;
    }
    Ok(figures)
}

/// The first five-minute row from `from` on that has a first figure.
pub(super) fn first_figures(
    connection: &Connection,
    device: i64,
    from: i64,
) -> Result<Option<Figures>, rusqlite::Error> {
    let sql = format!(
        "SELECT {FIGURES} FROM history_short
         WHERE device_id = ?1 AND time >= ?2 AND v1 IS NOT NULL ORDER BY time LIMIT 1"
    );
    connection
        .prepare_cached(&sql)?
        .query_row((device, from), |row| figures(row, 0))
        .optional()
}

/// The daily rows from `from` to `until`, both included, oldest first.
pub(super) fn daily(
    connection: &Connection,
    device: i64,
    from: Date,
    until: Date,
) -> Result<Vec<(Date, Day)>, rusqlite::Error> {
    let sql = format!(
        "SELECT day, {DAY_FIGURES} FROM history_daily
         WHERE device_id = ?1 AND day >= ?2 AND day <= ?3 ORDER BY day"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((device, from.to_string(), until.to_string()))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text: String = row.get(0)?;
        let mut day = Day::default();
        for (column, figure) in day.0.iter_mut().enumerate() {
            *figure = row.get(column + 1)?;
        }
        if let Ok(date) = text.parse() {
            found.push((date, day));
        }
    }
    Ok(found)
}

/// Adds a row to the log of switches and texts.
pub(super) fn put_log(
    connection: &Connection,
    device: i64,
    time: i64,
    (n_value, s_value, user): (i64, &str, &str),
) -> Result<(), rusqlite::Error> {
    let cut = |text: &str| {
        text.get(..text.floor_char_boundary(LOG_TEXT))
            .unwrap_or("")
            .to_owned()
    };
    let sql = "INSERT INTO switch_log (device_id, time, n_value, s_value, user)
               VALUES (?1, ?2, ?3, ?4, ?5)";
    connection
        .prepare_cached(sql)?
        .execute((device, time, n_value, cut(s_value), cut(user)))?;
    let sql = "DELETE FROM switch_log WHERE device_id = ?1 AND id <= (
                   SELECT id FROM switch_log WHERE device_id = ?1
                   ORDER BY id DESC LIMIT 1 OFFSET ?2)";
    connection
        .prepare_cached(sql)?
        .execute((device, LOG_ROWS))?;
    Ok(())
}

/// The log of switches and texts, newest first.
pub(super) fn log(connection: &Connection, device: i64) -> Result<Vec<LogRow>, rusqlite::Error> {
    let sql = "SELECT id, time, n_value, s_value, user FROM switch_log
               WHERE device_id = ?1 ORDER BY id DESC";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([device], |row| {
        Ok(LogRow {
            id: row.get(0)?,
            time: row.get(1)?,
            n_value: row.get(2)?,
            s_value: row.get(3)?,
            user: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// Empties the log of switches and texts.
pub(super) fn clear_log(connection: &Connection, device: i64) -> Result<(), rusqlite::Error> {
    connection.execute("DELETE FROM switch_log WHERE device_id = ?1", [device])?;
    Ok(())
}

/// Forgets daily rows from `from` to `until`, both included.
pub(super) fn forget_days(
    connection: &Connection,
    device: i64,
    from: Date,
    until: Date,
) -> Result<(), rusqlite::Error> {
    let sql = "DELETE FROM history_daily WHERE device_id = ?1 AND day >= ?2 AND day <= ?3";
    connection.execute(sql, (device, from.to_string(), until.to_string()))?;
    Ok(())
}

/// Forgets one five-minute row.
pub(super) fn forget_moment(
    connection: &Connection,
    device: i64,
    time: i64,
) -> Result<(), rusqlite::Error> {
    let sql = "DELETE FROM history_short WHERE device_id = ?1 AND time = ?2";
    connection.execute(sql, (device, time))?;
    Ok(())
}
