-- A database as the hub wrote it at version 7 of its schema. Made by the statements of that time.
PRAGMA application_id = 1131377252;
PRAGMA user_version = 7;
CREATE TABLE calibrations (
    device_id INTEGER PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    value REAL NOT NULL,
    multiplier REAL NOT NULL,
    value2 REAL NOT NULL,
    multiplier2 REAL NOT NULL
) STRICT;
INSERT INTO "calibrations" VALUES(1,0.5,1.0,0.0,1.0);
CREATE TABLE configuration (
    hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
    json TEXT NOT NULL
) STRICT;
INSERT INTO "configuration" VALUES(1,'{"a": 1}');
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
INSERT INTO "devices" VALUES(1,1,1,'0001','Lamp',244,73,7,1,'50',12,255,50,0,1,'a lamp','','',1700000001000);
CREATE TABLE favorites (
    device_id INTEGER PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE
) STRICT;
INSERT INTO "favorites" VALUES(1);
CREATE TABLE hardware (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
INSERT INTO "hardware" VALUES(1,'Lamps','LampPlugin',1700000000000);
CREATE TABLE history_daily (
    device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    day TEXT NOT NULL,
    v1 REAL, v2 REAL, v3 REAL, v4 REAL, v5 REAL, v6 REAL,
    v7 REAL, v8 REAL, v9 REAL, v10 REAL, v11 REAL, v12 REAL,
    PRIMARY KEY (device_id, day)
) STRICT, WITHOUT ROWID;
INSERT INTO "history_daily" VALUES(1,'2023-11-14',1.0,2.0,3.0,4.0,5.0,6.0,7.0,8.0,9.0,10.0,11.0,12.0);
CREATE TABLE history_short (
    device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    time INTEGER NOT NULL,
    v1 REAL, v2 REAL, v3 REAL, v4 REAL, v5 REAL, v6 REAL,
    PRIMARY KEY (device_id, time)
) STRICT, WITHOUT ROWID;
INSERT INTO "history_short" VALUES(1,1700000000,1.5,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "icon_sets" VALUES(101,'LampPlugin','LampPluginBulb','Bulb','a bulb',X'01',X'02',X'03');
CREATE TABLE indigo_objects (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    collection TEXT NOT NULL,
    folder INTEGER NOT NULL,
    json TEXT NOT NULL
) STRICT;
INSERT INTO "indigo_objects" VALUES(1,'devices',0,'{"name": "A"}');
CREATE TABLE managed_hardware (
    hardware_id INTEGER PRIMARY KEY REFERENCES hardware (id) ON DELETE CASCADE,
    enabled INTEGER NOT NULL,
    log_level INTEGER NOT NULL,
    parameters TEXT NOT NULL
) STRICT;
INSERT INTO "managed_hardware" VALUES(1,1,7,'{"Mode1": "x"}');
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    params TEXT NOT NULL,
    message TEXT NOT NULL,
    systems TEXT NOT NULL,
    priority INTEGER NOT NULL,
    send_always INTEGER NOT NULL
) STRICT;
INSERT INTO "notifications" VALUES(1,1,'T;>;20','Warm!','',1,0);
CREATE TABLE preferences (
    key TEXT PRIMARY KEY,
    text TEXT NOT NULL,
    number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO "preferences" VALUES('Title','Home',0);
CREATE TABLE run (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    generation TEXT NOT NULL
) STRICT;
INSERT INTO "run" VALUES(1,'17a-1');
CREATE TABLE switch_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    device_id INTEGER NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    time INTEGER NOT NULL,
    n_value INTEGER NOT NULL,
    s_value TEXT NOT NULL,
    user TEXT NOT NULL
) STRICT;
INSERT INTO "switch_log" VALUES(1,1,1700000000000,1,'50','ann');
CREATE TABLE user_variables (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    updated INTEGER NOT NULL
) STRICT;
INSERT INTO "user_variables" VALUES(1,'mode',2,'home',1700000000000);
CREATE INDEX notifications_by_device ON notifications (device_id);
CREATE INDEX switch_log_by_device ON switch_log (device_id, id);
CREATE INDEX icon_sets_by_base ON icon_sets (base);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('icon_sets',101);
INSERT INTO "sqlite_sequence" VALUES('hardware',2);
INSERT INTO "sqlite_sequence" VALUES('devices',1);
INSERT INTO "sqlite_sequence" VALUES('notifications',1);
INSERT INTO "sqlite_sequence" VALUES('switch_log',1);
INSERT INTO "sqlite_sequence" VALUES('user_variables',1);
INSERT INTO "sqlite_sequence" VALUES('indigo_objects',1);
