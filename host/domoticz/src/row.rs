//! Device rows in SQL: reading, writing and weighing one.
//!
//! Runs inside the store's operations; decides nothing about values or limits.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use rusqlite::{Connection, OptionalExtension, named_params};

use super::calibration::Calibration;
use super::device::Device;
use super::options;
use cordon_store::Writing;

/// The columns that every query selects, in the order that [`from_sql`] reads.
const COLUMNS: &str = "id, hardware_id, unit, device_id, name, device_type, sub_type, \
     switch_type, n_value, s_value, signal_level, battery_level, last_level, image, used, \
     description, color, options, last_update, \
     value, multiplier, value2, multiplier2";

/// Every row of `devices` with the calibration that it may have.
const TABLES: &str = "devices LEFT JOIN (SELECT device_id AS calibrated, value, multiplier, \
     value2, multiplier2 FROM calibrations) ON calibrated = id";

/// The weight of a row beside its texts: twelve numbers, and its place in the index.
const ROW_BYTES: u32 = 128;

/// Rows and bytes of texts up to which a plugin's rows are read at once by whoever asks.
const BRIEF_ROWS: usize = 64;
const BRIEF_BYTES: u64 = 64 << 10;

/// A row with the columns that plugins do not see.
#[derive(Debug, Clone)]
pub(super) struct StoredRow {
    pub hardware: u32,
    /// Its `options` and `last_update` are derived from the two fields below.
    pub device: Device,
    /// Options in storage format.
    pub options: String,
    pub updated: Timestamp,
}

impl StoredRow {
    /// Sets the time of the last update, in both forms.
    pub(super) fn touch(&mut self, now: Timestamp) {
        self.updated = now;
        self.device.last_update = local(now);
    }

    /// Replaces all options.
    pub(super) fn set_options(&mut self, given: &[(String, String)]) {
        self.options = options::encode(self.device.sub_type, given);
        self.read_options();
    }

    /// Reads the stored options anew, after a change of the sub type.
    pub(super) fn read_options(&mut self) {
        self.device.options = options::decode(self.device.sub_type, &self.options);
    }

    /// Bytes of the whole row, as counted against `stored-bytes`.
    pub(super) fn weight(&self) -> u64 {
        let Device {
            device_id,
            name,
            s_value,
            description,
            color,
            ..
        } = &self.device;
        let texts = [device_id, name, s_value, description, color, &self.options];
        let texts: u64 = texts.iter().map(|text| text.len() as u64).sum();
        texts.saturating_add(u64::from(ROW_BYTES))
    }
}

/// `YYYY-MM-DD HH:MM:SS` in local time.
pub(super) fn local(time: Timestamp) -> String {
    let local = time.to_zoned(TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// The statement for the rows that `condition` selects, ordered by device id and unit.
pub(super) fn statement(condition: &str) -> String {
    format!("SELECT {COLUMNS} FROM {TABLES} WHERE {condition} ORDER BY device_id, unit")
}

/// The rows that `condition` selects, ordered by device id and unit.
pub(super) fn select(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Vec<StoredRow>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(&statement(condition))?;
    statement.query_map(parameters, from_sql)?.collect()
}

/// Selects as [`select`] does, for few and short rows; `None` where they are not.
pub(super) fn select_brief(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Option<Vec<StoredRow>>, rusqlite::Error> {
    let mut statement = connection.prepare_cached(&statement(condition))?;
    let mut found = Vec::new();
    let mut bytes = 0_u64;
    for row in statement.query_map(parameters, from_sql)? {
        let row = row?;
        bytes = bytes.saturating_add(row.weight());
        found.push(row);
        if found.len() > BRIEF_ROWS || bytes > BRIEF_BYTES {
            return Ok(None);
        }
    }
    Ok(Some(found))
}

/// The first row that `condition` selects.
pub(super) fn find(
    connection: &Connection,
    condition: &str,
    parameters: impl rusqlite::Params,
) -> Result<Option<StoredRow>, rusqlite::Error> {
    connection
        .prepare_cached(&statement(condition))?
        .query_row(parameters, from_sql)
        .optional()
}

/// Number of rows of a hardware and the weight of them all.
pub(super) fn usage(connection: &Connection, hardware: u32) -> Result<(u64, u64), rusqlite::Error> {
    let sql = "SELECT count(*), coalesce(sum(?2 + octet_length(device_id) + octet_length(name)
                   + octet_length(s_value) + octet_length(description)
                   + octet_length(color) + octet_length(options)), 0)
               FROM devices WHERE hardware_id = ?1";
    // SQLite has no unsigned integers; a count and a sum of lengths are never negative.
    let number = |row: &rusqlite::Row<'_>, column| row.get(column).map(i64::unsigned_abs);
    connection
        .prepare_cached(sql)?
        .query_row((hardware, ROW_BYTES), |row| {
            Ok((number(row, 0)?, number(row, 1)?))
        })
}

/// Writes a row: a new one when its id is 0. Returns its id.
pub(super) fn save(transaction: &Writing<'_>, row: &StoredRow) -> Result<i64, rusqlite::Error> {
    let Device { id, .. } = row.device;
    // The whole row is written anew, however little of it has changed.
    transaction.wrote(row.weight());
    let sql = "INSERT INTO devices VALUES (:id, :hardware, :unit, :device_id, :name,
                   :device_type, :sub_type, :switch_type, :n_value, :s_value, :signal_level,
                   :battery_level, :last_level, :image, :used, :description, :color, :options,
                   :last_update)
               ON CONFLICT (id) DO UPDATE SET name = excluded.name,
                   device_type = excluded.device_type, sub_type = excluded.sub_type,
                   switch_type = excluded.switch_type, n_value = excluded.n_value,
                   s_value = excluded.s_value, signal_level = excluded.signal_level,
                   battery_level = excluded.battery_level, last_level = excluded.last_level,
                   image = excluded.image, used = excluded.used,
                   description = excluded.description, color = excluded.color,
                   options = excluded.options, last_update = excluded.last_update
               RETURNING id";
    let device = &row.device;
    let parameters = named_params! {
        ":id": (id != 0).then_some(id),
        ":hardware": row.hardware,
        ":unit": device.unit,
        ":device_id": device.device_id,
        ":name": device.name,
        ":device_type": device.device_type,
        ":sub_type": device.sub_type,
        ":switch_type": device.switch_type,
        ":n_value": device.n_value,
        ":s_value": device.s_value,
        ":signal_level": device.signal_level,
        ":battery_level": device.battery_level,
        ":last_level": device.last_level,
        ":image": device.image,
        ":used": device.used,
        ":description": device.description,
        ":color": device.color,
        ":options": row.options,
        ":last_update": row.updated.as_millisecond(),
    };
    let mut statement = transaction.prepare_cached(sql)?;
    statement.query_row(parameters, |row| row.get(0))
}

fn from_sql(row: &rusqlite::Row<'_>) -> Result<StoredRow, rusqlite::Error> {
    let options: String = row.get(17)?;
    let updated = Timestamp::from_millisecond(row.get(18)?).unwrap_or_default();
    let sub_type = row.get(6)?;
    let usual = Calibration::default();
    let device = Device {
        id: row.get(0)?,
        unit: row.get(2)?,
        device_id: row.get(3)?,
        name: row.get(4)?,
        device_type: row.get(5)?,
        sub_type,
        switch_type: row.get(7)?,
        n_value: row.get(8)?,
        s_value: row.get(9)?,
        signal_level: row.get(10)?,
        battery_level: row.get(11)?,
        last_level: row.get(12)?,
        image: row.get(13)?,
        used: row.get(14)?,
        description: row.get(15)?,
        color: row.get(16)?,
        options: options::decode(sub_type, &options),
        last_update: local(updated),
        calibration: Calibration {
            value: row.get::<_, Option<f64>>(19)?.unwrap_or(usual.value),
            multiplier: row.get::<_, Option<f64>>(20)?.unwrap_or(usual.multiplier),
            value2: row.get::<_, Option<f64>>(21)?.unwrap_or(usual.value2),
            multiplier2: row.get::<_, Option<f64>>(22)?.unwrap_or(usual.multiplier2),
        },
    };
    Ok(StoredRow {
        hardware: row.get(1)?,
        device,
        options,
        updated,
    })
}
