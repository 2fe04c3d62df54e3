//! A record of the log and its wording as a line (behaviour spec section 10).

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::level::Level;
use super::rings::RECORD_OVERHEAD;
use super::visible::{Newlines, visible};

/// Longest text of a record in bytes, hardware name included (spec 10).
pub const MAX_TEXT: usize = 6143;

/// One call of a logging function; may hold newlines (rule 178) when it is a plugin's.
///
/// Characters that do not show, or that set the direction of text, are written as escapes,
/// so that no record looks like another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its place in the whole log since the start of the hub, from 1; later records have higher
    /// numbers.
    pub number: u64,
    /// When it was recorded.
    pub time: Timestamp,
    /// How it is marked.
    pub level: Level,
    /// Name of the hardware that wrote it; `None` for the hub itself.
    pub hardware: Option<String>,
    /// Whether it is of the core log (rule 18), where the name stands in parentheses: a line
    /// of a plugin must not pass for one of the hub's own.
    pub core: bool,
    /// Whether a client of the API wrote it. It stands among the hub's own lines, and takes
    /// no room of theirs.
    pub client: bool,
    /// Whether it is about strangers who were not let in. It stands among the hub's own lines, and
    /// takes no room of theirs.
    pub stranger: bool,
    /// The text, without the hardware's name.
    pub text: String,
}

/// The writer of a record.
#[derive(Clone, Copy)]
pub(super) enum By<'a> {
    Hub,
    Client,
    /// The hub, about somebody who was not let in.
    Stranger,
    /// The hub, about an instance.
    HubAbout(&'a str),
    Plugin(&'a str),
    PluginInCore(&'a str),
}

impl Record {
    pub(super) fn new(time: Timestamp, by: By<'_>, level: Level, text: &str) -> Self {
        let (hardware, newlines) = match by {
            By::Hub | By::Client | By::Stranger => (None, Newlines::Escape),
            By::HubAbout(name) => (Some(name), Newlines::Escape),
            By::Plugin(name) | By::PluginInCore(name) => (Some(name), Newlines::Keep),
        };
        let hardware = hardware.map(shown_name);
        // 2 is the length of the ": " that joins the two.
        let prefix = hardware.as_ref().map_or(0, |name| name.len() + 2);
        let room = MAX_TEXT.saturating_sub(prefix);
        let text = cut(&visible(text, newlines, room), room).to_owned();
        Self {
            number: 0,
            time,
            level,
            hardware,
            core: matches!(by, By::PluginInCore(_)),
            client: matches!(by, By::Client),
            stranger: matches!(by, By::Stranger),
            text,
        }
    }

    /// Marker, hardware name and text: a line without its time.
    #[must_use]
    pub fn message(&self) -> String {
        let marker = self.level.marker();
        match &self.hardware {
            Some(name) if self.core => format!("{marker}({name}) {}", self.text),
            Some(name) => format!("{marker}{name}: {}", self.text),
            None => format!("{marker}{}", self.text),
        }
    }

    /// The whole line, in local time (spec 10, rule 176).
    #[must_use]
    pub fn line(&self) -> String {
        self.line_in(TimeZone::system())
    }

    pub(super) fn line_in(&self, zone: TimeZone) -> String {
        let time = self.time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S%.3f");
        format!("{time}  {}", self.message())
    }

    pub(super) fn cost(&self) -> usize {
        let name = self.hardware.as_ref().map_or(0, String::len);
        RECORD_OVERHEAD + name + self.text.len()
    }
}

/// A name as records have it.
pub(super) fn shown_name(name: &str) -> String {
    let name = visible(name, Newlines::Escape, MAX_TEXT);
    cut(&name, MAX_TEXT).to_owned()
}

/// The longest prefix of at most `max` bytes that ends at a character.
fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or("")
}
