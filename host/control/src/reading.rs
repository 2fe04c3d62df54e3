//! The log for one reader: its last lines, and those that come.
//!
//! A reader that is slow keeps no lines from being forgotten but those that it asked for at first,
//! of which it has so many bytes. Of later lines it misses some, and is told how many.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use cordon_base::log::{EventLog, Record, one_line};
use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, Interval, interval_at};
use tokio_util::sync::CancellationToken;

use crate::entry::{LogEntry, LogLevel, LogLine};

/// Most lines of the past that a reader gets.
pub(crate) const MAX_LINES: usize = 10_000;

/// Bytes of these lines, of which the oldest are left out.
const MAX_PAST: usize = 2 << 20;

/// Bytes after which a piece of the answer is sent.
const PIECE: usize = 16 << 10;

/// How a reader follows the log.
pub(crate) struct Follow {
    /// The end of the hub's API.
    pub end: CancellationToken,
    /// Time after which an empty line says that the connection lives.
    pub beat: Duration,
}

/// The lines that a reader wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The instance; nothing for all of them and the hub.
    pub instance: Option<String>,
    /// The least level.
    pub level: LogLevel,
    /// How many lines of the past.
    pub lines: usize,
}

impl Wanted {
    /// The name as records have it.
    fn name(&self) -> Option<String> {
        let name = self.instance.as_deref();
        name.map(|name| one_line(name).into_owned())
    }
}

/// The lines for a reader.
struct Found {
    past: VecDeque<Arc<Record>>,
    /// Lines left out before the past.
    missed: u64,
    coming: Option<Receiver<Arc<Record>>>,
    /// Records among the coming ones that are perhaps of the past.
    doubtful: usize,
}

/// Looks into the log. All that this module wants of it is here.
fn find(log: &EventLog, wanted: &Wanted, follow: bool) -> Found {
    let name = wanted.name();
    // Before the past is looked at, so that no line falls between the two.
    let coming = follow.then(|| log.subscribe());
    let of = |hardware: Option<&str>| name.is_none() || hardware == name.as_deref();
    let keep = |record: &Record| LogLevel::from(record.level) >= wanted.level;
    let mut past: VecDeque<_> = log.select(wanted.lines, of, keep).into();
    let doubtful = coming.as_ref().map_or(0, Receiver::len);
    let mut bytes: usize = past.iter().map(|it| it.text.len()).sum();
    let mut missed: u64 = 0;
    while bytes > MAX_PAST
        && let Some(oldest) = past.pop_front()
    {
        bytes = bytes.saturating_sub(oldest.text.len());
        missed = missed.saturating_add(1);
    }
    Found {
        past,
        missed,
        coming,
        doubtful,
    }
}

/// The lines, a JSON object in each. With `follow` they go on until its end.
pub(crate) fn read(
    log: &EventLog,
    wanted: Wanted,
    follow: Option<Follow>,
    place: OwnedSemaphorePermit,
) -> impl Stream<Item = Bytes> + Send + 'static {
    let found = find(log, &wanted, follow.is_some());
    let last = found.past.back().map(Arc::clone);
    let coming = found.coming.zip(follow);
    let reading = Reading {
        name: wanted.name(),
        level: wanted.level,
        missed: found.missed,
        past: found.past,
        coming: coming.map(|(lines, Follow { end, beat })| Coming {
            lines,
            end,
            doubtful: found.doubtful,
            last,
            beat: interval_at(Instant::now() + beat, beat),
        }),
        _place: place,
    };
    stream::unfold(reading, |mut reading| async move {
        let piece = reading.next().await?;
        Some((Bytes::from(piece), reading))
    })
}

/// Whether the log has a line of this instance.
pub(crate) fn knows(log: &EventLog, instance: &str) -> bool {
    let name = one_line(instance);
    let of = |hardware: Option<&str>| hardware == Some(&*name);
    !log.select(1, of, |_| true).is_empty()
}

struct Reading {
    name: Option<String>,
    level: LogLevel,
    missed: u64,
    past: VecDeque<Arc<Record>>,
    coming: Option<Coming>,
    /// The reader's place among the readers.
    _place: OwnedSemaphorePermit,
}

struct Coming {
    lines: Receiver<Arc<Record>>,
    end: CancellationToken,
    doubtful: usize,
    /// The last line of the past.
    last: Option<Arc<Record>>,
    beat: Interval,
}

impl Reading {
    async fn next(&mut self) -> Option<String> {
        let mut piece = String::new();
        if self.missed > 0 {
            let missed = std::mem::take(&mut self.missed);
            write(&mut piece, &LogEntry::Missed { missed });
        }
        while piece.len() < PIECE
            && let Some(record) = self.past.pop_front()
        {
            write(&mut piece, &LogEntry::Line(LogLine::from(&*record)));
        }
        if !piece.is_empty() {
            return Some(piece);
        }
        let coming = self.coming.as_mut()?;
        loop {
            let record = tokio::select! {
                biased;
                received = coming.lines.recv() => match received {
                    Ok(record) => record,
                    Err(RecvError::Lagged(missed)) => {
                        let skipped = usize::try_from(missed).unwrap_or(usize::MAX);
                        coming.doubtful = coming.doubtful.saturating_sub(skipped);
                        write(&mut piece, &LogEntry::Missed { missed });
                        return Some(piece);
                    }
                    Err(RecvError::Closed) => return None,
                },
                () = coming.end.cancelled() => return None,
                _ = coming.beat.tick() => return Some("\n".to_owned()),
            };
            let named = self.name.is_none() || record.hardware == self.name;
            if coming.is_new(&record) && named && LogLevel::from(record.level) >= self.level {
                write(&mut piece, &LogEntry::Line(LogLine::from(&*record)));
                return Some(piece);
            }
        }
    }
}

impl Coming {
    fn is_new(&mut self, record: &Record) -> bool {
        if self.doubtful == 0 {
            return true;
        }
        self.doubtful = self.doubtful.saturating_sub(1);
        let last = self.last.as_ref();
        last.is_none_or(|last| record.time > last.time)
    }
}

fn write(piece: &mut String, entry: &LogEntry) {
    // Of texts and numbers there is always JSON.
    if let Ok(text) = serde_json::to_string(entry) {
        piece.push_str(&text);
        piece.push('\n');
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use cordon_base::log::{Level, LogCapacity};
    use futures_util::StreamExt;
    use tokio::sync::Semaphore;

    use super::*;

    fn log() -> EventLog {
        EventLog::new(LogCapacity::default())
    }

    fn all(lines: usize) -> Wanted {
        Wanted {
            instance: None,
            level: LogLevel::Debug,
            lines,
        }
    }

    async fn place() -> OwnedSemaphorePermit {
        Arc::new(Semaphore::new(1)).acquire_owned().await.unwrap()
    }

    fn follow(end: &CancellationToken) -> Follow {
        Follow {
            end: end.clone(),
            beat: Duration::from_secs(60),
        }
    }

    fn entries(pieces: &[Bytes]) -> Vec<LogEntry> {
        let lines = pieces.iter().flat_map(|piece| piece.split(|b| *b == b'\n'));
        let lines = lines.filter(|line| !line.is_empty());
        lines
            .map(|line| serde_json::from_slice(line).unwrap())
            .collect()
    }

    fn text(entry: &LogEntry) -> &str {
        match entry {
            LogEntry::Line(line) => &line.text,
            LogEntry::Missed { .. } => "",
        }
    }

    #[tokio::test]
    async fn a_reader_gets_the_lines_that_it_wants() {
        let log = log();
        log.record(Some("A"), Level::Normal, "one");
        log.record(Some("A"), Level::Error, "two\nlines");
        log.record(Some("B"), Level::Error, "three");
        log.record(None, Level::Status, "four");
        for (instance, level, lines, expected) in [
            (
                None,
                LogLevel::Debug,
                10,
                &["one", "two\nlines", "three", "four"][..],
            ),
            (Some("A"), LogLevel::Debug, 10, &["one", "two\nlines"]),
            (Some("A"), LogLevel::Warning, 10, &["two\nlines"]),
            (None, LogLevel::Status, 1, &["four"]),
            (None, LogLevel::Debug, 0, &[]),
            (Some("C"), LogLevel::Debug, 10, &[]),
        ] {
            let wanted = Wanted {
                instance: instance.map(str::to_owned),
                level,
                lines,
            };
            let read = read(&log, wanted, None, place().await);
            let read = entries(&read.collect::<Vec<_>>().await);
            let read: Vec<_> = read.iter().map(text).collect();
            assert_eq!(read, expected, "{instance:?} {level:?} {lines}");
        }
        assert!(knows(&log, "A") && !knows(&log, "C"));
    }

    #[tokio::test]
    async fn the_past_has_so_many_bytes_and_says_what_is_left_out() {
        let log = log();
        for _ in 0..1000 {
            log.record(None, Level::Normal, "x".repeat(6000));
        }
        let read = read(&log, all(1000), None, place().await);
        let read = entries(&read.collect::<Vec<_>>().await);
        let kept = MAX_PAST / 6000;
        let missed = u64::try_from(1000 - kept).unwrap();
        assert_eq!(read.first(), Some(&LogEntry::Missed { missed }));
        assert_eq!(read.len(), 1 + kept);
    }

    #[tokio::test]
    async fn a_follower_gets_every_line_once_and_ends_with_the_hub() {
        let log = log();
        let end = CancellationToken::new();
        log.record(None, Level::Normal, "before");
        let follow = Some(follow(&end));
        let read = read(&log, all(10), follow, place().await);
        let mut read = Box::pin(read);
        let first = read.next().await.unwrap();
        assert_eq!(
            entries(&[first]).iter().map(text).collect::<Vec<_>>(),
            ["before"]
        );
        log.record(None, Level::Normal, "after");
        end.cancel();
        let rest: Vec<_> = read.collect().await;
        assert_eq!(
            entries(&rest).iter().map(text).collect::<Vec<_>>(),
            ["after"]
        );
    }

    #[tokio::test]
    async fn a_slow_follower_is_told_how_many_lines_it_missed() {
        let log = log();
        let end = CancellationToken::new();
        let read = read(&log, all(0), Some(follow(&end)), place().await);
        for n in 0..1500 {
            log.record(Some("A"), Level::Normal, n.to_string());
        }
        end.cancel();
        let read = entries(&read.collect::<Vec<_>>().await);
        let Some(LogEntry::Missed { missed }) = read.first() else {
            unreachable!("{:?}", read.first());
        };
        assert!(*missed > 0);
        let rest = u64::try_from(read.len() - 1).unwrap();
        assert_eq!(missed + rest, 1500);
        assert_eq!(read.last().map(text), Some("1499"));
    }

    #[tokio::test]
    async fn a_silent_log_shows_that_the_connection_lives() {
        let log = log();
        let follow = Some(Follow {
            end: CancellationToken::new(),
            beat: Duration::from_millis(50),
        });
        let mut read = Box::pin(read(&log, all(0), follow, place().await));
        assert_eq!(read.next().await.unwrap(), "\n");
    }
}
