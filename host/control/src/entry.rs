//! Lines of the log, as the API gives them: JSON, one object in each line.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use cordon_base::log::{Level, Record};

/// The weight of a line, from the least to the gravest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// A note of the runtime.
    Debug,
    /// An ordinary line of a plugin.
    Normal,
    /// News of the hub, and lines that a plugin calls its status.
    Status,
    /// A warning of an Indigo plugin.
    Warning,
    /// An error, a traceback or a refusal.
    Error,
}

/// All levels with their words.
const WORDS: [(&str, LogLevel); 5] = [
    ("debug", LogLevel::Debug),
    ("normal", LogLevel::Normal),
    ("status", LogLevel::Status),
    ("warning", LogLevel::Warning),
    ("error", LogLevel::Error),
];

impl From<Level> for LogLevel {
    fn from(level: Level) -> Self {
        match level {
            Level::Debug => Self::Debug,
            Level::Normal => Self::Normal,
            Level::Status => Self::Status,
            Level::Warning => Self::Warning,
            Level::Error => Self::Error,
        }
    }
}

impl FromStr for LogLevel {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = WORDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, level)| *level).ok_or_else(|| {
            let words: Vec<_> = WORDS.iter().map(|(word, _)| *word).collect();
            format!("a level is one of {}", words.join(", "))
        })
    }
}

impl LogLevel {
    /// Its word.
    #[must_use]
    pub fn word(self) -> &'static str {
        let found = WORDS.iter().find(|(_, level)| *level == self);
        found.map_or("", |(word, _)| word)
    }
}

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// When it was written, in milliseconds since 1970.
    pub time: u64,
    /// Its weight.
    pub level: LogLevel,
    /// The instance that wrote it or that it is about; nothing for the hub itself.
    pub instance: Option<String>,
    /// The text; a plugin's may have several lines.
    pub text: String,
}

impl From<&Record> for LogLine {
    fn from(record: &Record) -> Self {
        Self {
            time: u64::try_from(record.time.as_millisecond()).unwrap_or(0),
            level: record.level.into(),
            instance: record.hardware.clone(),
            text: record.text.clone(),
        }
    }
}

/// One object of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum LogEntry {
    /// A line.
    Line(LogLine),
    /// Lines are missing here: the reader was too slow for them, or there was no room for them.
    Missed {
        /// How many, those of other instances among them.
        missed: u64,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn levels_have_an_order_and_the_words_of_json() {
        assert!(LogLevel::Error > LogLevel::Warning && LogLevel::Normal > LogLevel::Debug);
        for (word, level) in WORDS {
            assert_eq!(word.parse(), Ok(level));
            assert_eq!(serde_json::to_value(level).unwrap(), word);
            assert_eq!(level.word(), word);
        }
        let refused = "Error".parse::<LogLevel>().unwrap_err();
        assert!(refused.ends_with("warning, error"), "{refused}");
    }

    #[test]
    fn a_gap_is_no_line() {
        let text = "{\"missed\":3}";
        let entry: LogEntry = serde_json::from_str(text).unwrap();
        assert_eq!(entry, LogEntry::Missed { missed: 3 });
        assert_eq!(serde_json::to_string(&entry).unwrap(), text);
    }
}
