//! Tables of another crate, for the tests of the store.

use crate::{Schema, Step};

/// The tables of the tests.
pub(crate) const SCHEMAS: &[Schema] = &[Schema {
    owner: "tests",
    watched: &["devices", "favorites"],
    steps: &[Step {
        version: 1,
        sql: TABLES,
    }],
}];

const TABLES: &str = "
    CREATE TABLE preferences (
        key TEXT PRIMARY KEY,
        text TEXT NOT NULL,
        number INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE configuration (
        hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
        json TEXT NOT NULL
    ) STRICT;
    CREATE TABLE devices (
        id INTEGER PRIMARY KEY,
        hardware_id INTEGER NOT NULL REFERENCES hardware (id) ON DELETE CASCADE,
        name TEXT NOT NULL
    ) STRICT;
    CREATE TABLE favorites (
        device_id INTEGER PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE notes (id INTEGER PRIMARY KEY) STRICT;
";
