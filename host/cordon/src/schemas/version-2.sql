-- A database as the hub wrote it at version 2 of its schema. Made by the statements of that time.
PRAGMA application_id = 1131377252;
PRAGMA user_version = 2;
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
CREATE TABLE hardware (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    key TEXT NOT NULL,
    created INTEGER NOT NULL
) STRICT;
INSERT INTO "hardware" VALUES(1,'Lamps','LampPlugin',1700000000000);
CREATE TABLE images (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    base TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    description TEXT NOT NULL
, icon_small BLOB NOT NULL DEFAULT x'', icon_on BLOB NOT NULL DEFAULT x'', icon_off BLOB NOT NULL DEFAULT x'') STRICT;
INSERT INTO "images" VALUES(101,'LampPluginBulb','Bulb','a bulb',X'01',X'02',X'03');
INSERT INTO "images" VALUES(103,'Other','Other','of nobody',X'',X'',X'');
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
CREATE INDEX notifications_by_device ON notifications (device_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('hardware',2);
INSERT INTO "sqlite_sequence" VALUES('devices',1);
INSERT INTO "sqlite_sequence" VALUES('images',104);
INSERT INTO "sqlite_sequence" VALUES('notifications',1);
