//! The event log: what plugins and the hub itself wrote, newest last, within bounds.
//!
//! Owns the records, their wording as a line (behaviour spec section 10) and the
//! echo to the console. Recording never waits: not for a slow console, not for a
//! slow subscriber, and memory is bounded in records and in bytes. Rate limits per
//! plugin are applied before a text comes here.

use std::collections::VecDeque;
use std::io::{BufWriter, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::broadcast;

use crate::error::EngineError;

/// Longest text of a record in bytes, hardware name included (spec 10).
pub const MAX_TEXT: usize = 6143;

/// What a record costs beside its texts, as counted against [`LogCapacity::bytes`].
const RECORD_OVERHEAD: usize = size_of::<Record>() + 2 * size_of::<usize>();

/// Lines that may wait for the console before further ones are dropped.
const ECHO_QUEUE: usize = 1024;

/// Records a subscriber may lag behind before it misses some.
const SUBSCRIBER_QUEUE: usize = 256;

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

    /// The number of its colour in a terminal; none for what is plain.
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

/// One call of a logging function; may hold newlines (rule 178).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// When it was recorded.
    pub time: Timestamp,
    /// How it is marked.
    pub level: Level,
    /// Name of the hardware that wrote it; `None` for the hub itself (core log).
    pub hardware: Option<String>,
    /// The text, without the hardware's name.
    pub text: String,
}

impl Record {
    fn new(time: Timestamp, hardware: Option<&str>, level: Level, text: &str) -> Self {
        let hardware = hardware.map(|name| cut(name, MAX_TEXT).to_owned());
        // 2 is the length of the ": " that joins the two.
        let prefix = hardware.as_ref().map_or(0, |name| name.len() + 2);
        let text = cut(text, MAX_TEXT.saturating_sub(prefix)).to_owned();
        Self {
            time,
            level,
            hardware,
            text,
        }
    }

    /// Marker, hardware name and text: a line without its time.
    #[must_use]
    pub fn message(&self) -> String {
        let marker = self.level.marker();
        match &self.hardware {
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
        RECORD_OVERHEAD + name + self.text.len()
    }
}

/// The longest prefix of at most `max` bytes that ends at a character.
fn cut(text: &str, max: usize) -> &str {
    text.get(..text.floor_char_boundary(max)).unwrap_or("")
}

/// How much an [`EventLog`] remembers. Older records go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogCapacity {
    /// Number of records.
    pub records: usize,
    /// Bytes of all records together, with what each costs beside its text.
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

#[derive(Debug, Default)]
struct Ring {
    records: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Ring {
    fn push(&mut self, record: Arc<Record>, capacity: LogCapacity) {
        self.bytes += record.cost();
        self.records.push_back(record);
        while self.records.len() > capacity.records || self.bytes > capacity.bytes {
            let Some(oldest) = self.records.pop_front() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(oldest.cost());
        }
    }
}

#[derive(Debug)]
struct Inner {
    capacity: LogCapacity,
    ring: Mutex<Ring>,
    subscribers: broadcast::Sender<Arc<Record>>,
    echo: Option<Echo>,
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

    /// A log that also writes every line to `output`, from a thread of its own.
    ///
    /// When `output` is slower than the log, lines are left out there and their
    /// number is written instead; the log itself keeps them. With `colors` a line has
    /// that of its level, in the terminal's language.
    ///
    /// # Errors
    /// [`EngineError::Io`] when the thread cannot be started.
    pub fn with_echo(
        capacity: LogCapacity,
        output: impl Write + Send + 'static,
        colors: bool,
    ) -> Result<Self, EngineError> {
        Ok(Self::build(capacity, Some(Echo::start(output, colors)?)))
    }

    fn build(capacity: LogCapacity, echo: Option<Echo>) -> Self {
        let inner = Inner {
            capacity,
            ring: Mutex::default(),
            subscribers: broadcast::Sender::new(SUBSCRIBER_QUEUE),
            echo,
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// Records a text of a hardware, or of the hub itself when `hardware` is `None`.
    ///
    /// Never waits. Text over [`MAX_TEXT`] is cut at a character boundary.
    pub fn record(&self, hardware: Option<&str>, level: Level, text: impl AsRef<str>) {
        let mut ring = self.lock();
        // Taken under the lock, so that the order of the log is the order of time.
        let record = Arc::new(Record::new(
            Timestamp::now(),
            hardware,
            level,
            text.as_ref(),
        ));
        ring.push(Arc::clone(&record), self.inner.capacity);
        if let Some(echo) = &self.inner.echo {
            echo.offer(Arc::clone(&record));
        }
        // No subscriber is no error.
        let _ = self.inner.subscribers.send(record);
    }

    /// The newest `max` records that are later than `after`, oldest first.
    #[must_use]
    pub fn tail(&self, after: Option<Timestamp>, max: usize) -> Vec<Arc<Record>> {
        let ring = self.lock();
        let newest = ring.records.iter().rev();
        let mut found: Vec<_> = newest
            .take_while(|record| after.is_none_or(|after| record.time > after))
            .take(max)
            .cloned()
            .collect();
        found.reverse();
        found
    }

    /// Follows the log from now on.
    ///
    /// A receiver that lags behind by 256 records gets
    /// `RecvError::Lagged` with the number it missed; nobody waits for it.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        self.inner.subscribers.subscribe()
    }

    /// Lines that the console was too slow for, since the start.
    #[must_use]
    pub fn echo_dropped(&self) -> u64 {
        let echo = self.inner.echo.as_ref();
        echo.map_or(0, |echo| echo.dropped_total.load(Ordering::Relaxed))
    }

    /// Waits until what was recorded so far is on the console, or `timeout` is over.
    ///
    /// Blocks the calling thread: meant for the end of the program.
    pub fn flush_echo(&self, timeout: Duration) {
        if let Some(echo) = &self.inner.echo {
            echo.flush(timeout);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.inner
            .ring
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

enum EchoItem {
    Line(Arc<Record>),
    Flush(SyncSender<()>),
}

/// The hub's end of the console thread.
#[derive(Debug)]
struct Echo {
    queue: SyncSender<EchoItem>,
    /// Not yet mentioned on the console.
    dropped: Arc<AtomicU64>,
    dropped_total: AtomicU64,
}

impl Echo {
    fn start(output: impl Write + Send + 'static, colors: bool) -> Result<Self, EngineError> {
        let (queue, items) = sync_channel(ECHO_QUEUE);
        let dropped = Arc::new(AtomicU64::new(0));
        let unmentioned = Arc::clone(&dropped);
        std::thread::Builder::new()
            .name("log-echo".to_owned())
            .spawn(move || echo_lines(&items, &unmentioned, BufWriter::new(output), colors))
            .map_err(|error| EngineError::io("starting the log's console thread", error))?;
        Ok(Self {
            queue,
            dropped,
            dropped_total: AtomicU64::new(0),
        })
    }

    fn offer(&self, record: Arc<Record>) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(EchoItem::Line(record)) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
            self.dropped_total.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self, timeout: Duration) {
        let (done, wait) = sync_channel(1);
        // A full queue means a stuck console: nothing to wait for.
        if self.queue.try_send(EchoItem::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(timeout);
        }
    }
}

/// Runs until the log is gone or the console refuses.
fn echo_lines(
    items: &Receiver<EchoItem>,
    dropped: &AtomicU64,
    mut output: impl Write,
    colors: bool,
) {
    while let Ok(first) = items.recv() {
        let mut next = Some(first);
        while let Some(item) = next {
            if echo_item(item, dropped, &mut output, colors).is_err() {
                return;
            }
            next = items.try_recv().ok();
        }
        if output.flush().is_err() {
            return;
        }
    }
}

fn echo_item(
    item: EchoItem,
    dropped: &AtomicU64,
    output: &mut impl Write,
    colors: bool,
) -> std::io::Result<()> {
    let missed = dropped.swap(0, Ordering::Relaxed);
    if missed > 0 {
        writeln!(
            output,
            "({missed} lines left out here, the console is too slow)"
        )?;
    }
    match item {
        EchoItem::Line(record) => {
            let line = printable(&record.line());
            match record.level.color().filter(|_| colors) {
                Some(color) => writeln!(output, "\u{1b}[{color}m{line}\u{1b}[0m"),
                None => writeln!(output, "{line}"),
            }
        }
        EchoItem::Flush(done) => {
            output.flush()?;
            let _ = done.try_send(());
            Ok(())
        }
    }
}

/// A record for the console: control characters made visible, so that a plugin's
/// text cannot drive the terminal, and further lines indented, so that none of them
/// looks like a record of its own.
fn printable(record: &str) -> String {
    let visible = |c: char| !c.is_control() || c == '\n' || c == '\t';
    record
        .replace('\n', "\n    ")
        .chars()
        .map(|c| if visible(c) { c } else { '\u{fffd}' })
        .collect()
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
