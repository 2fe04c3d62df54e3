//! A line of the log as Indigo's event log shows it.
//!
//! The original has a type at the left of each line, which is the plugin's name with the
//! level behind it, a number for the type, and a colour by the level. It documents three
//! of the numbers and shows the colours in a picture only, so the rest is the hub's.

use cordon_base::log::{Level, Record};

/// The type at the left of the line: who wrote it, and the level unless it is a plain one.
#[must_use]
pub fn title(record: &Record) -> String {
    let name = record.hardware.as_deref().unwrap_or("Application");
    format!("{name}{}", suffix(record.level))
}

/// What a type has at its end, by the level.
#[must_use]
pub fn suffix(level: Level) -> &'static str {
    match level {
        Level::Normal | Level::Status => "",
        Level::Warning => " Warning",
        Level::Error => " Error",
        Level::Debug => " Debug",
    }
}

/// The number of the type. Those of errors, warnings and plain lines are documented.
#[must_use]
pub fn number(level: Level) -> u32 {
    match level {
        Level::Status => 0,
        Level::Error => 1,
        Level::Warning => 3,
        Level::Debug => 7,
        Level::Normal => 8,
    }
}

/// The level, in the words of module `logging`.
#[must_use]
pub fn level(level: Level) -> &'static str {
    match level {
        Level::Normal | Level::Status => "info",
        Level::Warning => "warning",
        Level::Error => "error",
        Level::Debug => "debug",
    }
}

/// The colour that a client shows the line in, as CSS names it. That errors are red is
/// documented.
#[must_use]
pub fn color(level: Level) -> &'static str {
    match level {
        Level::Normal | Level::Status => "black",
        Level::Warning => "darkorange",
        Level::Error => "red",
        Level::Debug => "gray",
    }
}
