//! The tables of custom icons and of notifications.

/// Adds them to a database that has the first schema: the pictures of an icon set, and
/// the rules by which readings make notifications.
pub(super) const SCHEMA: &str = "
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
