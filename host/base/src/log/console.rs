//! The echo of the log on the console or in a file, written by a thread of its own.
//!
//! A record is one line. What the console is too slow for is left out, and what it refuses
//! is kept for a while and then lost; both are counted and told when it goes on. A full disk
//! or a closed pipe therefore ends nothing: it is tried again every second.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use super::Record;
use super::visible::{Newlines, visible};
use crate::error::EngineError;

/// Lines that may wait for the console before further ones are left out.
pub(super) const QUEUE: usize = 1024;

/// Bytes that are kept for a console that refuses them.
const PENDING: usize = 64 << 10;

/// How long a console that refuses is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// What begins the further lines of a record on a terminal, so that none of them looks like
/// a record of its own.
const MARK: &str = "\n    | ";

enum Item {
    Line(Arc<Record>),
    Flush(SyncSender<()>),
}

/// The hub's end of the console thread.
#[derive(Debug)]
pub(super) struct Console {
    queue: SyncSender<Item>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    /// Not yet mentioned on the console.
    too_slow: AtomicU64,
    /// Since the start.
    missing: AtomicU64,
}

impl Console {
    pub(super) fn start(
        output: impl Write + Send + 'static,
        colors: bool,
    ) -> Result<Self, EngineError> {
        let (queue, items) = sync_channel(QUEUE);
        let counts = Arc::<Counts>::default();
        let sink = Sink {
            output,
            colors,
            counts: Arc::clone(&counts),
            pending: Vec::new(),
            lost: 0,
            rests_until: None,
        };
        std::thread::Builder::new()
            .name("log-echo".to_owned())
            .spawn(move || sink.run(&items))
            .map_err(|error| EngineError::io("starting the log's console thread", error))?;
        Ok(Self { queue, counts })
    }

    /// Lines that are not on the console, since the start.
    pub(super) fn missing(&self) -> u64 {
        self.counts.missing.load(Ordering::Relaxed)
    }

    /// Hands a record over, if there is room for it.
    pub(super) fn offer(&self, record: Arc<Record>) {
        if let Err(TrySendError::Full(_)) = self.queue.try_send(Item::Line(record)) {
            self.counts.too_slow.fetch_add(1, Ordering::Relaxed);
            self.counts.missing.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what was offered so far was written or refused.
    pub(super) fn flush(&self, timeout: Duration) {
        let (done, wait) = sync_channel(1);
        // A full queue means a stuck console: nothing to wait for.
        if self.queue.try_send(Item::Flush(done)).is_ok() {
            let _ = wait.recv_timeout(timeout);
        }
    }
}

/// The console thread's end.
struct Sink<W> {
    output: W,
    colors: bool,
    counts: Arc<Counts>,
    /// Bytes to be written; begins in the middle of a line after a part was written.
    pending: Vec<u8>,
    /// Lines that found no room in `pending`.
    lost: u64,
    rests_until: Option<Instant>,
}

impl<W: Write> Sink<W> {
    /// Runs until the log is gone.
    fn run(mut self, items: &Receiver<Item>) {
        loop {
            let idle = self.pending.is_empty() && self.lost == 0;
            let first = match idle {
                true => items.recv().map_err(|_| RecvTimeoutError::Disconnected),
                false => items.recv_timeout(PAUSE),
            };
            match first {
                Ok(first) => self.take(first),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(next) = items.try_recv() {
                self.take(next);
            }
            self.write();
        }
    }

    fn take(&mut self, item: Item) {
        let missed = self.counts.too_slow.swap(0, Ordering::Relaxed);
        if missed > 0 {
            let line = format!("({missed} lines left out here, the console is too slow)");
            self.put(&line);
        }
        match item {
            Item::Line(record) => {
                let line = printable(&record, self.colors);
                if !self.put(&line) {
                    self.lost = self.lost.saturating_add(1);
                    self.counts.missing.fetch_add(1, Ordering::Relaxed);
                }
            }
            Item::Flush(done) => {
                self.write();
                let _ = done.try_send(());
            }
        }
    }

    /// Puts a line among what is to be written, if there is room or can be made.
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

    /// Writes what there is, unless the console has refused just now.
    fn write(&mut self) {
        if self.rests_until.is_some_and(|until| Instant::now() < until) {
            return;
        }
        self.rests_until = None;
        if self.try_write().is_err() {
            self.rests_until = Some(Instant::now() + PAUSE);
            return;
        }
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            let line = format!("({lost} lines lost here, they could not be written)\n");
            self.pending.extend_from_slice(line.as_bytes());
            if self.try_write().is_err() {
                self.rests_until = Some(Instant::now() + PAUSE);
            }
        }
    }

    fn try_write(&mut self) -> std::io::Result<()> {
        while !self.pending.is_empty() {
            match self.output.write(&self.pending) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.pending.drain(..written.min(self.pending.len()));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.output.flush()
    }
}

/// A record as a line. On a terminal, where a traceback is read by people, its further
/// lines are marked; elsewhere newlines are escaped, so that a record is one line.
fn printable(record: &Record, colors: bool) -> String {
    let line = record.line();
    match record.level.color().filter(|_| colors) {
        Some(color) => format!("\u{1b}[{color}m{}\u{1b}[0m", line.replace('\n', MARK)),
        None if colors => line.replace('\n', MARK),
        None => visible(&line, Newlines::Escape, usize::MAX).into_owned(),
    }
}
