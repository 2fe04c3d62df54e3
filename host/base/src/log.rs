//! The event log: lines of plugins and of the hub itself, newest last, within bounds.
//!
//! Holds the records, their wording as a line (behaviour spec section 10) and the echo to the
//! console. Recording never waits: not for a slow console, not for a slow subscriber. Memory is
//! bounded in records and in bytes, and each instance has a share of its own ([`rings`]). Rate
//! limits per plugin are applied before a text comes here.

mod console;
mod pace;
mod rings;
mod visible;

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::broadcast;

use crate::error::EngineError;
use console::Console;
use pace::Pace;
use rings::Rings;
use visible::{Newlines, visible};

/// Longest text of a record in bytes, hardware name included (spec 10).
pub const MAX_TEXT: usize = 6143;

/// Records a subscriber may lag behind before it misses some. All subscribers share one
/// queue, so that they hold 6.3 MiB of texts at most. A burst of one plugin is shorter.
const SUBSCRIBER_QUEUE: usize = 1024;

/// Lines of the hub itself that may follow each other at once, and per second after that. The hub
/// has far less to say, unless somebody makes it.
const HUB_BURST: u32 = 2000;
const HUB_RATE: u32 = 100;

/// Lines of the API's clients, all of them together, that may follow each other at once, and per
/// second after that.
const CLIENTS_BURST: u32 = 200;
const CLIENTS_RATE: u32 = 20;

/// A text as one line that holds nothing invisible.
#[must_use]
pub fn one_line(text: &str) -> std::borrow::Cow<'_, str> {
    visible(text, Newlines::Escape, usize::MAX)
}

/// How a record is marked and filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// `Domoticz.Log`, `Domoticz.Debug`, `print`: no marker.
    Normal,
    /// `Domoticz.Status`, and the hub's own news.
    Status,
    /// A warning of an Indigo plugin.
    Warning,
    /// `Domoticz.Error`, tracebacks, refusals.
    Error,
    /// The runtime's own notes.
    Debug,
}

impl Level {
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
    fn color(self) -> Option<u8> {
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
}

/// One call of a logging function; may hold newlines (rule 178) when it is a plugin's.
///
/// Characters that do not show, or that set the direction of text, are written as escapes,
/// so that no record looks like another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
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
    /// The text, without the hardware's name.
    pub text: String,
}

/// The writer of a record.
#[derive(Clone, Copy)]
enum By<'a> {
    Hub,
    Client,
    /// The hub, about an instance.
    HubAbout(&'a str),
    Plugin(&'a str),
    PluginInCore(&'a str),
}

impl Record {
    fn new(time: Timestamp, by: By<'_>, level: Level, text: &str) -> Self {
        let (hardware, newlines) = match by {
            By::Hub | By::Client => (None, Newlines::Escape),
            By::HubAbout(name) => (Some(name), Newlines::Escape),
            By::Plugin(name) | By::PluginInCore(name) => (Some(name), Newlines::Keep),
        };
        let hardware = hardware.map(|name| {
            let name = visible(name, Newlines::Escape, MAX_TEXT);
            cut(&name, MAX_TEXT).to_owned()
        });
        // 2 is the length of the ": " that joins the two.
        let prefix = hardware.as_ref().map_or(0, |name| name.len() + 2);
        let room = MAX_TEXT.saturating_sub(prefix);
        let text = cut(&visible(text, newlines, room), room).to_owned();
        Self {
            time,
            level,
            hardware,
            core: matches!(by, By::PluginInCore(_)),
            client: matches!(by, By::Client),
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

    fn line_in(&self, zone: TimeZone) -> String {
        let time = self.time.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S%.3f");
        format!("{time}  {}", self.message())
    }

    fn cost(&self) -> usize {
        let name = self.hardware.as_ref().map_or(0, String::len);
        rings::RECORD_OVERHEAD + name + self.text.len()
    }
}

/// The longest prefix of at most `max` bytes that ends at a character.
fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or("")
}

/// How much an [`EventLog`] remembers. The oldest records of whoever wrote most go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCapacity {
    /// Number of records.
    pub records: usize,
    /// Bytes of all records together, with the cost of each beside its text.
    pub bytes: usize,
}

impl Default for LogCapacity {
    /// 10,000 records, 8 MiB.
    fn default() -> Self {
        Self {
            records: 10_000,
            bytes: 8 << 20,
        }
    }
}

#[derive(Debug)]
struct Kept {
    rings: Rings,
    /// For the hub's own lines.
    hub: Pace,
    /// For those of clients.
    clients: Pace,
}

#[derive(Debug)]
struct Inner {
    kept: Mutex<Kept>,
    subscribers: broadcast::Sender<Arc<Record>>,
    console: Option<Console>,
}

/// The hub's log. Clones share one log.
#[derive(Debug, Clone)]
pub struct EventLog {
    inner: Arc<Inner>,
}

impl EventLog {
    /// A log that is only kept in memory.
    #[must_use]
    pub fn new(capacity: LogCapacity) -> Self {
        Self::build(capacity, None)
    }

    /// A log that also writes every record to `output`, a line each, from a thread of its
    /// own.
    ///
    /// When `output` is slower than the log, lines are left out there and their number is written
    /// instead; likewise when it refuses lines for long. The log itself keeps them. With `colors` a
    /// line has the colour of its level, in the terminal's language, and the further lines of a
    /// text are marked; without, newlines are escaped.
    ///
    /// # Errors
    /// [`EngineError::Io`] when the thread cannot be started.
    pub fn with_echo(
        capacity: LogCapacity,
        output: impl Write + Send + 'static,
        colors: bool,
    ) -> Result<Self, EngineError> {
        Ok(Self::build(capacity, Some(Console::start(output, colors)?)))
    }

    fn build(capacity: LogCapacity, console: Option<Console>) -> Self {
        let inner = Inner {
            kept: Mutex::new(Kept {
                rings: Rings::new(capacity),
                hub: Pace::new(HUB_BURST, HUB_RATE),
                clients: Pace::new(CLIENTS_BURST, CLIENTS_RATE),
            }),
            subscribers: broadcast::Sender::new(SUBSCRIBER_QUEUE),
            console,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Records a text of a hardware, or of the hub itself when `hardware` is `None`; then
    /// its newlines are escaped.
    ///
    /// Never waits. Text over [`MAX_TEXT`] is cut at a character boundary.
    pub fn record(&self, hardware: Option<&str>, level: Level, text: impl AsRef<str>) {
        self.add(hardware.map_or(By::Hub, By::Plugin), level, text.as_ref());
    }

    /// Records a text of a hardware in the core log: without the prefix of its other lines.
    pub fn record_core(&self, hardware: &str, level: Level, text: &str) {
        self.add(By::PluginInCore(hardware), level, text);
    }

    /// Records a line of the hub about a hardware; newlines are escaped.
    pub fn record_about(&self, hardware: &str, level: Level, text: &str) {
        self.add(By::HubAbout(hardware), level, text);
    }

    /// Records a line of a client of the API, who is named in it; newlines are escaped.
    /// `false` when clients have written too much of late.
    pub fn record_client(&self, level: Level, text: &str) -> bool {
        self.add(By::Client, level, text)
    }

    fn add(&self, by: By<'_>, level: Level, text: &str) -> bool {
        // Made outside of the lock, and dated in it, so that the order of the log is the
        // order of time.
        let record = Record::new(Timestamp::UNIX_EPOCH, by, level, text);
        let mut kept = self.lock();
        let passes = match by {
            By::Hub => kept.hub.take(),
            By::Client => kept.clients.take(),
            By::HubAbout(_) | By::Plugin(_) | By::PluginInCore(_) => true,
        };
        if !passes {
            return false;
        }
        for (of, whose, left_out) in [
            (By::Hub, "the hub", kept.hub.left_out()),
            (By::Client, "clients of the API", kept.clients.left_out()),
        ] {
            if let Some(count) = left_out {
                let text = format!("{count} lines of {whose} were left out; they were too many");
                let told = Record::new(Timestamp::UNIX_EPOCH, of, Level::Error, &text);
                self.put(&mut kept, told);
            }
        }
        self.put(&mut kept, record);
        true
    }

    fn put(&self, kept: &mut Kept, mut record: Record) {
        record.time = Timestamp::now();
        let record = Arc::new(record);
        kept.rings.push(Arc::clone(&record));
        if let Some(console) = &self.inner.console {
            console.offer(Arc::clone(&record));
        }
        // No subscriber is no error.
        let _ = self.inner.subscribers.send(record);
    }

    /// The newest `max` records that are later than `after`, oldest first. When there are
    /// more, everybody's share of them is as large as that of the others.
    #[must_use]
    pub fn tail(&self, after: Option<Timestamp>, max: usize) -> Vec<Arc<Record>> {
        let later = |record: &Record| after.is_none_or(|after| record.time > after);
        self.select(max, |_| true, later)
    }

    /// The newest `max` records that `keep` wants of those hardwares that `of` wants, oldest first;
    /// `of` is asked about the hub itself with `None`. When there are more, each hardware's share
    /// is as large as that of the others.
    ///
    /// Nobody records in the meantime: `of` is asked once for each hardware, `keep` for each
    /// record.
    #[must_use]
    pub fn select(
        &self,
        max: usize,
        of: impl Fn(Option<&str>) -> bool,
        keep: impl Fn(&Record) -> bool,
    ) -> Vec<Arc<Record>> {
        let mut found = self.lock().rings.select(max, of, keep);
        found.sort_by_key(|(number, _)| *number);
        found.into_iter().map(|(_, record)| record).collect()
    }

    /// Follows the log from now on.
    ///
    /// A receiver that lags behind by 256 records gets
    /// `RecvError::Lagged` with the number it missed; nobody waits for it.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        self.inner.subscribers.subscribe()
    }

    /// Lines that are not on the console, since the start: it was too slow or refused them.
    #[must_use]
    pub fn echo_dropped(&self) -> u64 {
        self.inner.console.as_ref().map_or(0, Console::missing)
    }

    /// Waits until all records so far are on the console or were refused by it, or `timeout` is
    /// over.
    ///
    /// Blocks the calling thread: meant for the end of the program.
    pub fn flush_echo(&self, timeout: Duration) {
        if let Some(console) = &self.inner.console {
            console.flush(timeout);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
