//! The verbs that talk to a hub that runs, over its Unix socket.
//!
//! Texts of plugins and names are shown with everything invisible written as escapes, because they
//! go to a terminal.

mod grant;
mod logs;
mod orders;
mod place;
mod ps;
mod screen;
mod status;
mod top;
mod words;

use std::io::{ErrorKind, Write};

pub use grant::Grant;
pub use logs::Logs;
pub use orders::{Order, Reload};
pub use place::HubPlace;
pub use ps::Ps;
pub use status::Status;
pub use top::Top;

/// Why a verb did nothing, in words for whoever typed it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unanswered(String);

/// Prints a text. Somebody who reads no further, such as `head`, is no error.
///
/// # Errors
/// [`Unanswered`] with the system's answer.
fn print(text: &str) -> Result<(), Unanswered> {
    printed(text).map(drop)
}

/// Prints a text; `false` when nobody reads any further.
///
/// # Errors
/// [`Unanswered`] with the system's answer.
fn printed(text: &str) -> Result<bool, Unanswered> {
    let mut output = std::io::stdout().lock();
    let written = output.write_all(text.as_bytes());
    match written.and_then(|()| output.flush()) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(Unanswered(format!("cannot print: {error}"))),
    }
}

/// Prints a report as JSON.
///
/// # Errors
/// As [`print`].
fn print_json(report: &impl serde::Serialize) -> Result<(), Unanswered> {
    let text = serde_json::to_string_pretty(report);
    let text = text.map_err(|error| Unanswered(error.to_string()))?;
    print(&format!("{text}\n"))
}
