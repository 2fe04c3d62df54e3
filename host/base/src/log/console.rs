//! The echo of the log on the console or in a file, written by a thread of its own.
//!
//! Lines for which the output is too slow are left out. Lines that it refuses are kept for a while
//! and then lost. Both are counted, and their number is told when the output goes on. A full disk
//! or a closed pipe therefore ends nothing: writing is tried again every second, and the log says
//! once that it fails.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::blocks::Blocks;
use super::form::Form;
use super::level::Level;
use super::record::Record;
use crate::error::EngineError;

/// Lines that may wait for the output before further ones are left out.
pub(super) const QUEUE: usize = 1024;

/// Bytes that are kept for an output that refuses them, and the most that are written at once.
pub(super) const PENDING: usize = 64 << 10;

/// How long an output that refuses is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// How long after the log has said that an output refuses it may say so again.
const TOLD: Duration = Duration::from_secs(600);

/// A place where the log is written to.
pub(super) struct Output {
    writer: Box<dyn Write + Send>,
    form: Form,
    least: Level,
    name: String,
}

impl Output {
    /// The console.
    pub(super) fn new(writer: impl Write + Send + 'static, form: Form) -> Self {
        Self {
            writer: Box::new(writer),
            form,
            least: Level::Debug,
            name: "the console".to_owned(),
        }
    }

    /// Writes no records below this level.
    pub(super) fn at_least(self, least: Level) -> Self {
        Self { least, ..self }
    }

    /// Its name in the error that tells that it refuses.
    pub(super) fn called(self, name: String) -> Self {
        Self { name, ..self }
    }
}

enum Item {
    /// A record and the time at which it came.
    Line(Instant, Arc<Record>),
    Flush(SyncSender<()>),
}

/// The hub's end of the console thread.
#[derive(Debug)]
pub(super) struct Console {
    queue: SyncSender<Item>,
    least: Level,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Lines that found the queue full and are not yet mentioned in the output.
    too_slow: AtomicU64,
    /// Lines that are not in the output, since the start.
    missing: AtomicU64,
}

impl Console {
    /// Starts the thread. It calls `complain` when the output refuses lines.
    pub(super) fn start(
        output: Output,
        complain: impl Fn(String) + Send + 'static,
    ) -> Result<Self, EngineError> {
        let (queue, items) = sync_channel(QUEUE);
        let counts = Arc::<Counts>::default();
        let least = output.least;
        let sink = Sink {
            output,
            complain,
            counts: Arc::clone(&counts),
            blocks: Blocks::default(),
            pending: Vec::new(),
            lost: 0,
            rests_until: None,
            told: None,
        };
        std::thread::Builder::new()
            .name("log-echo".to_owned())
            .spawn(move || sink.run(&items))
            .map_err(|error| EngineError::io("starting the log's console thread", error))?;
        Ok(Self {
            queue,
            least,
            counts,
        })
    }

    /// Lines that are not in the output, since the start.
    pub(super) fn missing(&self) -> u64 {
        self.counts.missing.load(Ordering::Relaxed)
    }

    /// Hands a record over, if there is room for it.
    pub(super) fn offer(&self, record: &Arc<Record>) {
        if record.level < self.least {
            return;
        }
        let item = Item::Line(Instant::now(), Arc::clone(record));
        if let Err(TrySendError::Full(_)) = self.queue.try_send(item) {
            self.counts.too_slow.fetch_add(1, Ordering::Relaxed);
            self.counts.missing.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until all lines offered so far were written or refused.
    pub(super) fn flush(&self, timeout: Duration) {
        let (done, wait) = sync_channel(1);
        // A full queue means a stuck console: nothing to wait for.
        if self.queue.try_send(Item::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(timeout);
        }
    }
}

/// The console thread's end.
struct Sink<C> {
    output: Output,
    complain: C,
    counts: Arc<Counts>,
    blocks: Blocks,
    /// Bytes to be written; begins in the middle of a line after a part was written.
    pending: Vec<u8>,
    /// Lines that found no room in `pending`.
    lost: u64,
    rests_until: Option<Instant>,
    /// When the log was last told that the output refuses.
    told: Option<Instant>,
}

impl<C: Fn(String)> Sink<C> {
    /// Runs until the log is gone.
    fn run(mut self, items: &Receiver<Item>) {
        loop {
            let first = match self.patience() {
                None => items.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => items.recv_timeout(patience),
            };
            match first {
                Ok(first) => self.take(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    self.finish();
                    return;
                }
            }
            while let Ok(next) = items.try_recv() {
                self.take(next);
            }
            self.pass(Instant::now());
            self.write();
        }
    }

    /// How long to wait for the next record, if there is something to do without one.
    fn patience(&self) -> Option<Duration> {
        let is_idle = self.pending.is_empty() && self.lost == 0;
        let again = (!is_idle).then_some(PAUSE);
        let block = self.blocks.until();
        let block = block.map(|until| until.saturating_duration_since(Instant::now()));
        block.into_iter().chain(again).min()
    }

    fn take(&mut self, item: Item) {
        let missed = self.counts.too_slow.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let text = format!("({missed} lines left out here, writing is too slow)");
            self.put(&self.output.form.note(&text));
        }
        match item {
            Item::Line(came, record) => {
                self.blocks.add(record, came);
                self.pass(came);
            }
            Item::Flush(done) => {
                self.finish();
                let _ = done.try_send(());
            }
        }
    }

    /// Writes the records whose turn has come.
    fn pass(&mut self, now: Instant) {
        while let Some(record) = self.blocks.next(now) {
            let line = self.output.form.line(&record);
            if !self.put(&line) {
                self.lost = self.lost.saturating_add(1);
                self.counts.missing.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// Writes everything that waits.
    fn finish(&mut self) {
        self.blocks.end();
        self.pass(Instant::now());
        self.write();
    }

    /// Puts a line among the pending bytes, if there is room or can be made.
    fn put(&mut self, line: &str) -> bool {
        let fits = |pending: &[u8]| pending.len().saturating_add(line.len()) < PENDING;
        if !fits(&self.pending) || self.lost > 0 {
            self.write();
        }
        // After a loss the loss is told first.
        if !fits(&self.pending) || self.lost > 0 {
            return false;
        }
        self.pending.extend_from_slice(line.as_bytes());
        self.pending.push(b'\n');
        true
    }

    /// Writes the pending bytes, unless the output has refused just now.
    fn write(&mut self) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.rests_until = None;
        if let Err(error) = self.try_write() {
            self.rest(&error);
            return;
        }
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            let text = format!("({lost} lines lost here, they could not be written)");
            let line = self.output.form.note(&text);
            self.pending.extend_from_slice(line.as_bytes());
            self.pending.push(b'\n');
            if let Err(error) = self.try_write() {
                self.rest(&error);
            }
        }
    }

    /// Leaves an output alone that has refused, and tells so.
    fn rest(&mut self, error: &std::io::Error) {
        let now = Instant::now();
        self.rests_until = Some(now + PAUSE);
        if self.told.is_none_or(|told| now.duration_since(told) > TOLD) {
            self.told = Some(now);
            let name = &self.output.name;
            (self.complain)(format!(
                "{name} takes no lines: {error}; it is tried again, and lines that find no room \
                 until then are left out there"
            ));
        }
    }

    fn try_write(&mut self) -> std::io::Result<()> {
        while !self.pending.is_empty() {
            match self.output.writer.write(&self.pending) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.pending.drain(..written.min(self.pending.len()));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.writer.flush()
    }
}
