//! The schema of the database and the upgrades between its versions.
//!
//! Each crate owns its tables and gives the steps that make them, as a [`Schema`]. The steps of all
//! crates are one sequence: `user_version` is the number of the last one applied. A released step is
//! never edited; a change of a table is one more [`Step`] with the next number. A file that is not
//! ours or is newer than this program is left exactly as it is.

use std::path::Path;

use rusqlite::Connection;

use super::file::refused;
use cordon_base::error::EngineError;

/// Marks a database as ours: "Cord" in ASCII.
const APPLICATION_ID: i64 = 0x436f_7264;

/// The tables of one crate.
#[derive(Debug, Clone, Copy)]
pub struct Schema {
    /// Name of the crate, for the log.
    pub owner: &'static str,
    /// Tables whose changed rows [`Changes`](super::Changes) tells. Their row ids have one meaning.
    pub watched: &'static [&'static str],
    /// The changes of the tables in their order.
    pub steps: &'static [Step],
}

/// A change of tables that brings a database to a version.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    /// The version, from 1. A number that the program has released is not used again. Steps of one
    /// number are applied in the order of the crates, those of the store first.
    pub version: i64,
    /// The statements. Tables that a step refers to may be those of a lower crate.
    pub sql: &'static str,
}

/// The store's own tables. Times are Unix milliseconds.
pub const SCHEMA: Schema = Schema {
    owner: "store",
    watched: &[],
    steps: &[
        Step {
            version: 1,
            sql: HARDWARE,
        },
        Step {
            version: 3,
            sql: MANAGED_HARDWARE,
        },
        Step {
            version: 5,
            sql: RUN,
        },
        Step {
            version: 8,
            sql: super::decisions::SCHEMA,
        },
    ],
};

/// Plugin instances by name.
const HARDWARE: &str = "
    CREATE TABLE hardware (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        key TEXT NOT NULL,
        created INTEGER NOT NULL
    ) STRICT;
";

/// The settings of hardware that was added through the API.
const MANAGED_HARDWARE: &str = "
    CREATE TABLE managed_hardware (
        hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
        enabled INTEGER NOT NULL,
        log_level INTEGER NOT NULL,
        parameters TEXT NOT NULL
    ) STRICT;
";

/// The generation of the database: see `file.rs`.
const RUN: &str = "
    CREATE TABLE run (
        id INTEGER PRIMARY KEY CHECK (id = 1),
        generation TEXT NOT NULL
    ) STRICT;
";

/// The steps of the store and of these crates, with the names of their owners, in their order.
fn steps(schemas: &[Schema]) -> Vec<(&'static str, Step)> {
    let mut steps: Vec<_> = std::iter::once(&SCHEMA)
        .chain(schemas)
        .flat_map(|schema| schema.steps.iter().map(|step| (schema.owner, *step)))
        .collect();
    steps.sort_by_key(|(_, step)| step.version);
    steps
}

/// The version of the last step.
fn newest(steps: &[(&'static str, Step)]) -> i64 {
    steps.last().map_or(0, |(_, step)| step.version)
}

/// Refuses a file that is not ours before anything is written to it.
pub(super) fn check_owner(
    path: &Path,
    connection: &Connection,
    schemas: &[Schema],
) -> Result<(), EngineError> {
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
    let newest = newest(&steps(schemas));
    if version > newest {
        return Err(EngineError::Store(format!(
            "`{}` was written by a newer version of cordon (schema {version}, this one knows \
             {newest}); run that version, or restore a backup made before the upgrade",
            path.display()
        )));
    }
    Ok(())
}

/// Applies the steps that the database lacks, all in one transaction.
pub(super) fn migrate(
    connection: &mut Connection,
    schemas: &[Schema],
) -> Result<(), rusqlite::Error> {
    let steps = steps(schemas);
    let transaction = connection.transaction()?;
    let applied: i64 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    for (owner, step) in steps.iter().filter(|(_, step)| step.version > applied) {
        tracing::debug!(
            owner,
            version = step.version,
            "a step of the database's schema"
        );
        transaction.execute_batch(step.sql)?;
    }
    transaction.pragma_update(None, "user_version", newest(&steps))?;
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.commit()
}
