//! The event log: lines of plugins and of the hub itself, newest last, within bounds.
//!
//! Owns the records that are kept, and hands each one on to followers, to the console and to the
//! log file. Recording never waits: not for a slow console, not for a full disk, not for a slow
//! reader. Memory is bounded in records and in bytes, and each instance has a share of its own
//! ([`rings`]). Rate limits per plugin are applied before a text comes here.

mod blocks;
mod config;
mod console;
mod file;
mod follow;
mod form;
mod level;
mod pace;
mod record;
mod rings;
mod visible;

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::broadcast;

use crate::error::EngineError;
use console::{Console, Output};
use follow::Followers;
use form::Form;
use pace::Pace;
use record::By;
use rings::Rings;
use visible::{Newlines, visible};

pub use config::{ConsoleMode, FileFormat, LogConfig};
pub use follow::{Followed, Follower, LogFilter, MAX_FOLLOWERS};
pub use level::Level;
pub use record::{MAX_TEXT, Record};

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

/// The same for lines about strangers who were not let in.
const STRANGERS_BURST: u32 = 200;
const STRANGERS_RATE: u32 = 2;

/// A text as one line that holds nothing invisible.
#[must_use]
pub fn one_line(text: &str) -> std::borrow::Cow<'_, str> {
    visible(text, Newlines::Escape, usize::MAX)
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
    followers: Followers,
    /// Number of the last record.
    last: u64,
    /// For the hub's own lines.
    hub: Pace,
    /// For those of clients.
    clients: Pace,
    /// For those about strangers.
    strangers: Pace,
}

#[derive(Debug)]
struct Inner {
    kept: Mutex<Kept>,
    subscribers: broadcast::Sender<Arc<Record>>,
    /// The console and the file.
    outputs: Vec<Console>,
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
        Self::build(capacity, Vec::new())
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
        let form = if colors { Form::Colour } else { Form::Plain };
        Self::with_outputs(capacity, vec![Output::new(output, form)])
    }

    /// A log with the console and the file that the operator wants. Each is written by a thread of
    /// its own. The file is opened by that thread: one that cannot be written is told as an error in
    /// the log, and keeps nothing from running.
    ///
    /// # Errors
    /// [`EngineError::Io`] when a thread cannot be started.
    pub fn open(capacity: LogCapacity, config: &LogConfig) -> Result<Self, EngineError> {
        Self::with_outputs(capacity, config.outputs())
    }

    fn with_outputs(capacity: LogCapacity, outputs: Vec<Output>) -> Result<Self, EngineError> {
        let itself: Arc<OnceLock<Weak<Inner>>> = Arc::default();
        let start = |output: Output| {
            let itself = Arc::clone(&itself);
            // Called by the output's own thread, which does not keep the log alive.
            let complain = move |text: String| {
                if let Some(inner) = itself.get().and_then(Weak::upgrade) {
                    Self { inner }.record(None, Level::Error, text);
                }
            };
            Console::start(output, complain)
        };
        let outputs: Result<Vec<_>, _> = outputs.into_iter().map(start).collect();
        let log = Self::build(capacity, outputs?);
        // It is set here and nowhere else.
        let _ = itself.set(Arc::downgrade(&log.inner));
        Ok(log)
    }

    fn build(capacity: LogCapacity, outputs: Vec<Console>) -> Self {
        let inner = Inner {
            kept: Mutex::new(Kept {
                rings: Rings::new(capacity),
                followers: Followers::default(),
                last: 0,
                hub: Pace::new(HUB_BURST, HUB_RATE),
                clients: Pace::new(CLIENTS_BURST, CLIENTS_RATE),
                strangers: Pace::new(STRANGERS_BURST, STRANGERS_RATE),
            }),
            subscribers: broadcast::Sender::new(SUBSCRIBER_QUEUE),
            outputs,
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

    /// Records a line of the hub about somebody who was not let in; newlines are escaped. `false`
    /// when there were too many of late.
    pub fn record_stranger(&self, level: Level, text: &str) -> bool {
        self.add(By::Stranger, level, text)
    }

    fn add(&self, by: By<'_>, level: Level, text: &str) -> bool {
        // Made outside of the lock, and dated in it, so that the order of the log is the
        // order of time.
        let record = Record::new(Timestamp::UNIX_EPOCH, by, level, text);
        let mut kept = self.lock();
        let passes = match by {
            By::Hub => kept.hub.take(),
            By::Client => kept.clients.take(),
            By::Stranger => kept.strangers.take(),
            By::HubAbout(_) | By::Plugin(_) | By::PluginInCore(_) => true,
        };
        if !passes {
            return false;
        }
        for (of, whose, left_out) in [
            (By::Hub, "of the hub", kept.hub.left_out()),
            (By::Client, "of clients of the API", kept.clients.left_out()),
            (
                By::Stranger,
                "about refused logins",
                kept.strangers.left_out(),
            ),
        ] {
            if let Some(count) = left_out {
                let text = format!("{count} lines {whose} were left out; they were too many");
                let told = Record::new(Timestamp::UNIX_EPOCH, of, Level::Error, &text);
                self.put(&mut kept, told);
            }
        }
        self.put(&mut kept, record);
        true
    }

    fn put(&self, kept: &mut Kept, mut record: Record) {
        record.time = Timestamp::now();
        kept.last = kept.last.saturating_add(1);
        record.number = kept.last;
        let record = Arc::new(record);
        kept.rings.push(Arc::clone(&record));
        kept.followers.offer(&record);
        for output in &self.inner.outputs {
            output.offer(&record);
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
        found.sort_unstable_by_key(|record| record.number);
        found
    }

    /// Follows the whole log from now on, in one queue for all who do; [`EventLog::follow`] is for
    /// those who want a queue of their own.
    ///
    /// A receiver that lags behind by 1024 records gets
    /// `RecvError::Lagged` with the number it missed; nobody waits for it.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        self.inner.subscribers.subscribe()
    }

    /// Lines that are not on the console or not in the file, since the start: it was too slow or
    /// refused them.
    #[must_use]
    pub fn echo_dropped(&self) -> u64 {
        let missing = self.inner.outputs.iter().map(Console::missing);
        missing.fold(0, u64::saturating_add)
    }

    /// Waits until all records so far are on the console and in the file or were refused there, or
    /// `timeout` is over for each.
    ///
    /// Blocks the calling thread: meant for the end of the program.
    pub fn flush_echo(&self, timeout: Duration) {
        for output in &self.inner.outputs {
            output.flush(timeout);
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
