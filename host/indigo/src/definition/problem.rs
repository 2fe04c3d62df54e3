//! What is wrong with a bundle's file, and where.

/// A place in a bundle's file that cannot be used.
///
/// Only the plugin of this bundle is stopped by it; the text goes to the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {reason}", at(*line))]
pub struct Problem {
    /// The file, relative to the bundle's `Contents`, such as `Server Plugin/Devices.xml`.
    pub file: String,
    /// The line, from 1; `None` when the whole file is meant.
    pub line: Option<u32>,
    /// What is wrong there, and what was expected.
    pub reason: String,
}

impl Problem {
    /// A problem of a whole file.
    pub fn of_file(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            reason: short(reason.into()),
        }
    }

    /// A problem at a line, from 1.
    pub fn at(file: impl Into<String>, line: u32, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            reason: short(reason.into()),
        }
    }
}

/// A reason may quote what is in the file, so it is cut to the length of a line.
fn short(mut reason: String) -> String {
    const LINE: usize = 500;
    if reason.len() > LINE {
        reason.truncate(reason.floor_char_boundary(LINE));
        reason.push_str("...");
    }
    reason
}

fn at(line: Option<u32>) -> String {
    line.map_or_else(String::new, |line| format!(", line {line}"))
}
