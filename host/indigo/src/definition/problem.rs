//! A problem of a bundle's file, with its place.

/// A place in a bundle's file that cannot be used.
///
/// One that concerns a part of a dialog or a definition stops nothing: the part is left out. Any
/// other stops the plugin of this bundle, and no other plugin. The text goes to the operator.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{}: {reason}", at(*line))]
pub struct Problem {
    /// The file, relative to the bundle's `Contents`, such as `Server Plugin/Devices.xml`.
    pub file: String,
    /// The line, from 1; `None` when the whole file is meant.
    pub line: Option<u32>,
    /// The reason, and the form that was expected.
    pub reason: String,
    /// Whether nothing of the bundle can be used because of it.
    whole: bool,
}

impl Problem {
    /// A problem of a whole file.
    pub fn of_file(file: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: None,
            reason: short(reason.into()),
            whole: false,
        }
    }

    /// A problem at a line, from 1.
    pub fn at(file: impl Into<String>, line: u32, reason: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            line: Some(line),
            reason: short(reason.into()),
            whole: false,
        }
    }

    /// Tells of files that have the same name in another case, of which one alone is read.
    pub(crate) fn of_twins(file: &str, twins: &[String]) -> impl Iterator<Item = Self> {
        twins.iter().take(TWINS).map(move |twin| {
            let reason = format!("`{twin}` differs from it in case alone and is not read");
            Self::of_file(file, reason)
        })
    }

    /// The same problem, which makes all of the bundle unusable.
    #[must_use]
    pub(super) fn of_whole(self) -> Self {
        Self {
            whole: true,
            ..self
        }
    }

    /// The same problem of a part that is left out; `Err` when it is one of the whole bundle.
    pub(super) fn of_part(self) -> Result<Self, Self> {
        if self.whole {
            return Err(self);
        }
        let reason = short(format!("{}; it is left out", self.reason));
        Ok(Self { reason, ..self })
    }
}

/// Most files that are told to have the same name in another case.
const TWINS: usize = 5;

/// Cuts a reason to the length of a line, because it may quote contents of the file.
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
