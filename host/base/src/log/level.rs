//! Levels of the log: their words, markers and numbers.

use std::str::FromStr;

use serde::Deserialize;

/// How a record is marked and filtered, from the least to the most important.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// The runtime's own notes.
    #[default]
    Debug,
    /// `Domoticz.Log`, `Domoticz.Debug`, `print`: no marker.
    Normal,
    /// `Domoticz.Status`, and the hub's own news.
    Status,
    /// A warning of an Indigo plugin, or of the hub.
    Warning,
    /// `Domoticz.Error`, tracebacks, refusals.
    Error,
}

impl Level {
    /// All of them, from the least to the most important.
    pub const ALL: [Self; 5] = [
        Self::Debug,
        Self::Normal,
        Self::Status,
        Self::Warning,
        Self::Error,
    ];

    /// Its word in `cordon.toml`, on the command line and in JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Normal => "normal",
            Self::Status => "status",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }

    /// Text between the time and the message (spec 10).
    #[must_use]
    pub fn marker(self) -> &'static str {
        match self {
            Self::Normal => "",
            Self::Status => "Status: ",
            Self::Warning => "Warning: ",
            Self::Error => "Error: ",
            Self::Debug => "Debug: ",
        }
    }

    /// The number of its colour in a terminal; none for normal lines.
    pub(super) fn color(self) -> Option<u8> {
        match self {
            Self::Normal | Self::Status => None,
            Self::Warning => Some(33),
            Self::Error => Some(31),
            Self::Debug => Some(90),
        }
    }

    /// The bit that stands for the level in the masks of spec 10 and of `getlog`, which
    /// know no warnings.
    #[must_use]
    pub fn mask(self) -> u32 {
        match self {
            Self::Normal | Self::Warning => 1,
            Self::Status => 2,
            Self::Error => 4,
            Self::Debug => 8,
        }
    }

    /// Its number in the system's journal (`man 3 sd-daemon`).
    pub(super) fn priority(self) -> u8 {
        match self {
            Self::Error => 3,
            Self::Warning => 4,
            Self::Status => 5,
            Self::Normal => 6,
            Self::Debug => 7,
        }
    }
}

impl FromStr for Level {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|level| level.word() == word);
        found.ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("`{word}` is no level; the levels are {words}")
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn words_name_the_levels_everywhere() {
        #[derive(Deserialize)]
        struct Section {
            level: Level,
        }
        for level in Level::ALL {
            assert_eq!(level.word().parse(), Ok(level));
            let text = format!("level = \"{}\"", level.word());
            assert_eq!(toml::from_str::<Section>(&text).unwrap().level, level);
        }
        let refused = "loud".parse::<Level>().unwrap_err();
        assert!(refused.ends_with("debug, normal, status, warning, error"));
    }
}
