//! The table of icon sets, each with the plugin that it belongs to.

/// Adds it to a database whose sets are told apart by their base alone. A set goes to the
/// plugin of the longest key that its base starts with, and to the operator when there
/// is none. Numbers stay, and none is used twice.
pub(super) const SCHEMA: &str = "
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
