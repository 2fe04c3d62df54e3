//! Times in the form that plugins see.

use jiff::Zoned;

/// The local time as plugins see it.
#[must_use]
pub fn timestamp(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
