//! The schema of the database and the upgrades between its versions.
//!
//! A released migration is never edited; a change of the schema is one more entry
//! in [`MIGRATIONS`]. A file that is not ours or is newer than this program is left
//! exactly as it is.

use std::path::Path;

use rusqlite::Connection;

use super::file::refused;
use cordon_base::error::EngineError;

/// Marks a database as ours: "Cord" in ASCII.
const APPLICATION_ID: i64 = 0x436f_7264;

/// The changes that bring version n to n + 1, by n. `user_version` is the number applied.
///
/// Times are Unix milliseconds. Options are in the storage format of behaviour
/// spec 4.3. Rows of devices are unique by device id, as the extended framework
/// wants it; the legacy framework's stricter rule is checked on creation.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE hardware (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE devices (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        hardware_id INTEGER NOT NULL REFERENCES hardware (id) ON DELETE CASCADE,
        unit INTEGER NOT NULL,
        device_id TEXT NOT NULL,
        name TEXT NOT NULL,
        device_type INTEGER NOT NULL,
        sub_type INTEGER NOT NULL,
        switch_type INTEGER NOT NULL,
        n_value INTEGER NOT NULL,
        s_value TEXT NOT NULL,
        signal_level INTEGER NOT NULL,
        battery_level INTEGER NOT NULL,
        last_level INTEGER NOT NULL,
        image INTEGER NOT NULL,
        used INTEGER NOT NULL,
        description TEXT NOT NULL,
        color TEXT NOT NULL,
        options TEXT NOT NULL,
        last_update INTEGER NOT NULL,
        UNIQUE (hardware_id, device_id, unit)
    ) STRICT;
    CREATE TABLE configuration (
        hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
        json TEXT NOT NULL
    ) STRICT;
    CREATE TABLE preferences (
        key TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE images (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        base TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        description TEXT NOT NULL
    ) STRICT;
",
    super::objects::SCHEMA,
    super::records::SCHEMA,
    "
    CREATE TABLE indigo_objects (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        folder INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT;
",
    "
    CREATE TABLE run (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        generation TEXT NOT NULL
    ) STRICT;
",
    super::icons::SCHEMA,
    "
    CREATE TABLE calibrations (
        device_id INTEGER PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
        value REAL NOT NULL,
        multiplier REAL NOT NULL,
        value2 REAL NOT NULL,
        multiplier2 REAL NOT NULL
    ) STRICT;
",
    super::decisions::SCHEMA,
];

/// Refuses a file that is not ours before anything is written to it.
pub(super) fn check_owner(path: &Path, connection: &Connection) -> Result<(), EngineError> {
    let explain = |error: rusqlite::Error| refused(path, &error);
    let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get(0));
    let owner: i64 = number("application_id").map_err(explain)?;
    let version: i64 = number("user_version").map_err(explain)?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_master", [], |row| row.get(0))
        .map_err(explain)?;
    if owner != APPLICATION_ID && (owner != 0 || version != 0 || tables != 0) {
        return Err(EngineError::Store(format!(
            "`{}` is a database of another program; name another file",
            path.display()
        )));
    }
    let newest = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    if version > newest {
        return Err(EngineError::Store(format!(
            "`{}` was written by a newer version of cordon (schema {version}, this one knows \
             {newest}); run that version, or restore a backup made before the upgrade",
            path.display()
        )));
    }
    Ok(())
}

/// Applies the migrations that the database lacks, all in one transaction.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    let applied: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let applied = usize::try_from(applied).unwrap_or(0);
    for migration in MIGRATIONS.iter().skip(applied) {
        transaction.execute_batch(migration)?;
    }
    let version = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    transaction.pragma_update(None, "user_version", version)?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}
