//! Readers of the log: which records they want, and how they follow it.
//!
//! Each follower has a queue of its own, with the records that it wants and no others, and with a
//! share of it for each writer. So a writer that writes much takes no line of another writer from
//! anybody. Whoever reads too slowly misses the oldest lines of those who wrote most, and is told
//! how many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use super::level::Level;
use super::record::{Record, shown_name};
use super::rings::Rings;
use super::{EventLog, LogCapacity};

/// Followers at a time.
pub const MAX_FOLLOWERS: usize = 32;

/// The queue of a follower. All of them together hold 16 MiB, and their readers as much again.
const QUEUE: LogCapacity = LogCapacity {
    records: 1024,
    bytes: 512 << 10,
};

/// The records that a reader wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// The instance by its name in the log: its own records, and those of the hub about it. All
    /// records without it.
    pub instance: Option<String>,
    /// The least important level.
    pub least: Level,
    /// The number of a record; those up to it are left out.
    pub after: Option<u64>,
}

impl LogFilter {
    /// Whether records of this writer are wanted; the hub is `None`.
    fn wants_of(&self, hardware: Option<&str>) -> bool {
        let instance = self.instance.as_deref();
        instance.is_none_or(|instance| hardware == Some(instance))
    }

    fn wants(&self, record: &Record) -> bool {
        record.level >= self.least && self.after.is_none_or(|after| record.number > after)
    }

    /// With the name of the instance as records have it.
    fn as_shown(&self) -> Self {
        Self {
            instance: self.instance.as_deref().map(shown_name),
            ..self.clone()
        }
    }
}

/// The news of a follower.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Followed {
    /// The next record.
    Record(Arc<Record>),
    /// So many records are missing here: the follower was too slow.
    Missed(u64),
}

/// The queue between the log and a follower.
#[derive(Debug)]
pub(super) struct Queue {
    filter: LogFilter,
    waiting: Mutex<Waiting>,
    news: Notify,
}

#[derive(Debug)]
struct Waiting {
    rings: Rings,
    missed: u64,
    /// Whether the log is gone.
    ended: bool,
}

impl Queue {
    fn new(filter: LogFilter) -> Self {
        Self {
            filter,
            waiting: Mutex::new(Waiting {
                rings: Rings::new(QUEUE),
                missed: 0,
                ended: false,
            }),
            news: Notify::new(),
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn offer(&self, record: &Arc<Record>) {
        if !self.filter.wants_of(record.hardware.as_deref()) || !self.filter.wants(record) {
            return;
        }
        {
            let mut waiting = self.waiting();
            let gone = waiting.rings.push(Arc::clone(record));
            waiting.missed = waiting.missed.saturating_add(gone);
        }
        self.news.notify_one();
    }

    fn end(&self) {
        self.waiting().ended = true;
        self.news.notify_one();
    }

    /// Everything that waits, the number of records that are missing, and whether the log is gone.
    fn take(&self) -> Waiting {
        let mut waiting = self.waiting();
        Waiting {
            rings: std::mem::replace(&mut waiting.rings, Rings::new(QUEUE)),
            missed: std::mem::take(&mut waiting.missed),
            ended: waiting.ended,
        }
    }
}

/// The queues of all followers. Dropping it ends them.
#[derive(Debug, Default)]
pub(super) struct Followers(Vec<Weak<Queue>>);

impl Followers {
    /// Hands a record to everybody who wants it.
    pub(super) fn offer(&self, record: &Arc<Record>) {
        for queue in self.0.iter().filter_map(Weak::upgrade) {
            queue.offer(record);
        }
    }

    fn add(&mut self, queue: &Arc<Queue>) -> bool {
        self.0.retain(|queue| queue.strong_count() > 0);
        let fits = self.0.len() < MAX_FOLLOWERS;
        if fits {
            self.0.push(Arc::downgrade(queue));
        }
        fits
    }
}

impl Drop for Followers {
    fn drop(&mut self) {
        self.0
            .iter()
            .filter_map(Weak::upgrade)
            .for_each(|it| it.end());
    }
}

/// Follows the log until it is dropped.
#[derive(Debug)]
pub struct Follower {
    queue: Arc<Queue>,
    ready: VecDeque<Arc<Record>>,
}

impl Follower {
    /// The next record, or how many are missing before it; `None` when the log is gone. May be
    /// given up without losing one.
    pub async fn next(&mut self) -> Option<Followed> {
        loop {
            if let Some(record) = self.ready.pop_front() {
                return Some(Followed::Record(record));
            }
            let Waiting {
                rings,
                missed,
                ended,
            } = self.queue.take();
            self.ready = rings.into_records();
            if missed > 0 {
                return Some(Followed::Missed(missed));
            }
            if self.ready.is_empty() {
                if ended {
                    return None;
                }
                // A record that came in the meantime is remembered.
                self.queue.news.notified().await;
            }
        }
    }
}

impl EventLog {
    /// The newest `max` records that `filter` wants, oldest first. When there are more, each
    /// writer's share is as large as that of the others.
    #[must_use]
    pub fn read(&self, filter: &LogFilter, max: usize) -> Vec<Arc<Record>> {
        let filter = filter.as_shown();
        self.select(max, |name| filter.wants_of(name), |it| filter.wants(it))
    }

    /// Follows the records that `filter` wants, beginning with the newest `earlier` that are there;
    /// no record falls between these and the next. `None` when there are [`MAX_FOLLOWERS`] already.
    ///
    /// Nobody waits for a follower. One that does not read misses records: a thousand wait for it, or
    /// half a megabyte.
    #[must_use]
    pub fn follow(&self, filter: &LogFilter, earlier: usize) -> Option<Follower> {
        let filter = filter.as_shown();
        let queue = Arc::new(Queue::new(filter.clone()));
        let mut kept = self.lock();
        if !kept.followers.add(&queue) {
            return None;
        }
        let of = |name: Option<&str>| filter.wants_of(name);
        let mut ready = kept.rings.select(earlier, of, |it| filter.wants(it));
        drop(kept);
        ready.sort_unstable_by_key(|record| record.number);
        Some(Follower {
            queue,
            ready: ready.into(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    fn of(instance: &str) -> LogFilter {
        LogFilter {
            instance: Some(instance.to_owned()),
            ..LogFilter::default()
        }
    }

    fn texts(records: &[Arc<Record>]) -> Vec<&str> {
        records.iter().map(|it| it.text.as_str()).collect()
    }

    async fn next(follower: &mut Follower) -> String {
        match follower.next().await.unwrap() {
            Followed::Record(record) => record.text.clone(),
            Followed::Missed(count) => format!("missed {count}"),
        }
    }

    #[test]
    fn a_reader_gets_an_instance_a_level_and_what_is_later() {
        let log = EventLog::new(LogCapacity::default());
        log.record(Some("A"), Level::Normal, "one");
        log.record(Some("B\n"), Level::Error, "two");
        log.record_about("A", Level::Error, "three");
        log.record(None, Level::Status, "four");
        log.record(Some("A"), Level::Debug, "five");
        assert_eq!(texts(&log.read(&of("A"), 10)), ["one", "three", "five"]);
        // By its name as it is written, too.
        assert_eq!(texts(&log.read(&of("B\n"), 10)), ["two"]);
        let mut filter = LogFilter {
            least: Level::Status,
            ..LogFilter::default()
        };
        let important = log.read(&filter, 10);
        assert_eq!(texts(&important), ["two", "three", "four"]);
        assert!(important.windows(2).all(|it| it[0].number < it[1].number));
        filter.after = Some(important[1].number);
        assert_eq!(texts(&log.read(&filter, 10)), ["four"]);
        assert_eq!(texts(&log.read(&LogFilter::default(), 1)), ["five"]);
    }

    #[tokio::test]
    async fn a_follower_of_an_instance_misses_nothing_when_another_floods() {
        let log = EventLog::new(LogCapacity::default());
        log.record(Some("A"), Level::Normal, "before");
        let mut alone = log.follow(&of("A"), 10).unwrap();
        let mut all = log.follow(&LogFilter::default(), 0).unwrap();
        for number in 0..5000 {
            log.record(Some("Flood"), Level::Normal, format!("{number}"));
            if number % 1000 == 0 {
                log.record(Some("A"), Level::Normal, format!("own {number}"));
            }
        }
        assert_eq!(next(&mut alone).await, "before");
        for number in [0, 1000, 2000, 3000, 4000] {
            assert_eq!(next(&mut alone).await, format!("own {number}"));
        }
        // Whoever follows all of them misses lines of the one that floods, and is told.
        let missed = next(&mut all).await;
        assert_eq!(missed, format!("missed {}", 5005 - QUEUE.records));
        let mut own = 0;
        for _ in 0..QUEUE.records {
            own += usize::from(next(&mut all).await.starts_with("own"));
        }
        assert_eq!(own, 5);
        // And goes on.
        log.record(None, Level::Error, "news");
        assert_eq!(next(&mut all).await, "news");
    }

    #[tokio::test]
    async fn followers_wait_end_with_the_log_and_are_bounded() {
        let log = EventLog::new(LogCapacity::default());
        let mut followers: Vec<_> = (0..MAX_FOLLOWERS)
            .map(|_| log.follow(&LogFilter::default(), 0).unwrap())
            .collect();
        assert!(log.follow(&LogFilter::default(), 0).is_none());
        drop(followers.pop());
        let mut follower = log.follow(&LogFilter::default(), 0).unwrap();
        let waiting = tokio::spawn(async move {
            let first = next(&mut follower).await;
            (first, follower.next().await)
        });
        tokio::task::yield_now().await;
        log.record(Some("A"), Level::Normal, "late");
        drop(log);
        let (first, end) = waiting.await.unwrap();
        assert_eq!((first.as_str(), end), ("late", None));
    }
}
