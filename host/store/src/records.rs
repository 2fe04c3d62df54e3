//! The tables of the web API: history, favourites, user variables, hardware that was added through
//! it.

/// Adds these tables to a database that has the second schema. Times of the history are Unix
/// seconds, its days local dates, its columns those of `history` in Domoticz's crate.
pub(super) const SCHEMA: &str = "
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
    CREATE TABLE managed_hardware (
        hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
        enabled INTEGER NOT NULL,
        log_level INTEGER NOT NULL,
        parameters TEXT NOT NULL
    ) STRICT;
";
