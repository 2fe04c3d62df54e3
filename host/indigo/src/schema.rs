//! The tables of the Indigo framework in the database.
//!
//! A released step is never edited; a change is one more step with the program's next number.

use cordon_store::{Schema, Step};

/// The tables, for [`cordon_store::Store::open`].
pub const SCHEMA: Schema = Schema {
    owner: "indigo",
    watched: &[],
    steps: &[Step {
        version: 4,
        sql: OBJECTS,
    }],
};

/// The objects of all collections.
const OBJECTS: &str = "
    CREATE TABLE indigo_objects (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        collection TEXT NOT NULL,
        folder INTEGER NOT NULL,
        json TEXT NOT NULL
    ) STRICT;
";
