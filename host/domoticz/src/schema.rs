//! The tables of the Domoticz framework in the database.
//!
//! A released step is never edited; a change is one more step with the program's next number.

use cordon_store::{Schema, Step};

/// The tables, for [`cordon_store::Store::open`].
pub const SCHEMA: Schema = Schema {
    owner: "domoticz",
    // Both have the id of a device for their row id.
    watched: &["devices", "favorites"],
    steps: &[
        Step {
            version: 1,
            sql: DEVICES,
        },
        Step {
            version: 2,
            sql: NOTIFICATIONS,
        },
        Step {
            version: 3,
            sql: HISTORY,
        },
        Step {
            version: 6,
            sql: ICON_SETS,
        },
        Step {
            version: 7,
            sql: CALIBRATIONS,
        },
    ],
};

/// Devices, the configuration that plugins keep, preferences and custom icons.
///
/// Times are Unix milliseconds. Options are in the storage format of behaviour spec 4.3. Rows of
/// devices are unique by device id, as the extended framework wants it; the legacy framework's
/// stricter rule is checked on creation.
const DEVICES: &str = "
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
";

/// The pictures of an icon set, and the rules by which readings make notifications.
const NOTIFICATIONS: &str = "
    ALTER TABLE images ADD COLUMN icon_small BLOB NOT NULL DEFAULT x'';
    ALTER TABLE images ADD COLUMN icon_on BLOB NOT NULL DEFAULT x'';
    ALTER TABLE images ADD COLUMN icon_off BLOB NOT NULL DEFAULT x'';
    CREATE TABLE notifications (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
        params TEXT NOT NULL,
        message TEXT NOT NULL,
        systems TEXT NOT NULL,
        priority INTEGER NOT NULL,
        send_always INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX notifications_by_device ON notifications (device_id);
";

/// History, favourites and user variables. Times of the history are Unix seconds, its days local
/// dates, its columns those of `history`.
const HISTORY: &str = "
    CREATE TABLE history_short (
        device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
        time INTEGER NOT NULL,
        v1 REAL, v2 REAL, v3 REAL, v4 REAL, v5 REAL, v6 REAL,
        PRIMARY KEY (device_id, time)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE history_daily (
        device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
        day TEXT NOT NULL,
        v1 REAL, v2 REAL, v3 REAL, v4 REAL, v5 REAL, v6 REAL,
        v7 REAL, v8 REAL, v9 REAL, v10 REAL, v11 REAL, v12 REAL,
        PRIMARY KEY (device_id, day)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE switch_log (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
        time INTEGER NOT NULL,
        n_value INTEGER NOT NULL,
        s_value TEXT NOT NULL,
        user TEXT NOT NULL
    ) STRICT;
    CREATE INDEX switch_log_by_device ON switch_log (device_id, id);
    CREATE TABLE favorites (
        device_id INTEGER PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE user_variables (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE,
        kind INTEGER NOT NULL,
        value TEXT NOT NULL,
        updated INTEGER NOT NULL
    ) STRICT;
";

/// Icon sets with the plugin that each belongs to, from a table whose sets are told apart by their
/// base alone. A set goes to the plugin of the longest key that its base starts with, and to the
/// operator when there is none. Numbers stay, and none is used twice.
const ICON_SETS: &str = "
    CREATE TABLE icon_sets (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner TEXT NOT NULL,
        base TEXT NOT NULL,
        name TEXT NOT NULL,
        description TEXT NOT NULL,
        icon_small BLOB NOT NULL,
        icon_on BLOB NOT NULL,
        icon_off BLOB NOT NULL,
        UNIQUE (owner, base)
    ) STRICT;
    CREATE INDEX icon_sets_by_base ON icon_sets (base);
    INSERT INTO icon_sets
        SELECT id, coalesce((SELECT key FROM hardware
                             WHERE lower(substr(base, 1, length(key))) = lower(key)
                             ORDER BY length(key) DESC LIMIT 1), ''),
               base, name, description, icon_small, icon_on, icon_off FROM images;
    INSERT INTO sqlite_sequence (name, seq)
        SELECT 'icon_sets', seq FROM sqlite_sequence WHERE name = 'images'
            AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = 'icon_sets');
    UPDATE sqlite_sequence
        SET seq = max(seq, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'images'), 0))
        WHERE name = 'icon_sets';
    DROP TABLE images;
";

/// Corrections of readings.
const CALIBRATIONS: &str = "
    CREATE TABLE calibrations (
        device_id INTEGER PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
        value REAL NOT NULL,
        multiplier REAL NOT NULL,
        value2 REAL NOT NULL,
        multiplier2 REAL NOT NULL
    ) STRICT;
";
