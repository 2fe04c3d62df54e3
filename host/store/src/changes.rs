//! Which rows were changed since somebody looked, so that a copy in memory stays true.
//!
//! SQLite tells of every row of a watched table ([`Schema::watched`]) that an operation writes,
//! whoever wrote it and by whichever path, a cascade included. A change is told before
//! its commit, so a reader that hears of it may still see the old row. Each change
//! therefore has a number, and a reader goes on asking for those that are not older than
//! every operation that ran when it began to read.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rusqlite::Connection;
use rusqlite::hooks::Action;

use super::schema::Schema;

/// Changed rows that are remembered; whoever looked before the oldest of them reads all.
const REMEMBERED: usize = 16_384;

/// The changes of one store. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    /// Number of the next change or operation.
    next: u64,
    /// Operations whose end is not known yet.
    running: BTreeSet<u64>,
    /// The last change of each row, and the same by number.
    rows: HashMap<i64, u64>,
    numbers: BTreeMap<u64, i64>,
    /// Changes before this one are not remembered.
    forgotten: u64,
}

impl Default for State {
    fn default() -> Self {
        Self {
            next: 1,
            running: BTreeSet::new(),
            rows: HashMap::new(),
            numbers: BTreeMap::new(),
            forgotten: 0,
        }
    }
}

/// The changes since a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    /// The moment to ask from the next time, once these rows have been read.
    pub moment: u64,
    /// The rows by id; `None` when it is too long ago, and any row may be another.
    pub rows: Option<Vec<i64>>,
}

/// An operation that runs. Its end, or that of its commit, is when it is dropped.
#[derive(Debug)]
pub(super) struct Running {
    changes: Changes,
    number: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.changes.lock().running.remove(&self.number);
    }
}

impl Changes {
    /// Listens to a connection that writes the tables of these crates.
    pub(super) fn watch(
        &self,
        connection: &mut Connection,
        schemas: &[Schema],
    ) -> Result<(), rusqlite::Error> {
        let changes = self.clone();
        let watched: Vec<_> = schemas.iter().flat_map(|it| it.watched).copied().collect();
        connection.update_hook(Some(
            move |_: Action, _database: &str, table: &str, row: i64| {
                if watched.contains(&table) {
                    changes.mark(row);
                }
            },
        ))
    }

    /// To be called when an operation begins, before it writes anything.
    pub(super) fn begin(&self) -> Running {
        let mut state = self.lock();
        let number = state.take();
        state.running.insert(number);
        Running {
            changes: self.clone(),
            number,
        }
    }

    /// Notes a change that belongs to a watched row and is not in it. To be called within the
    /// operation that makes it, or after a change that is in memory.
    pub fn mark(&self, row: i64) {
        let mut state = self.lock();
        let number = state.take();
        if let Some(before) = state.rows.insert(row, number) {
            state.numbers.remove(&before);
        }
        state.numbers.insert(number, row);
        if state.numbers.len() > REMEMBERED
            && let Some((oldest, row)) = state.numbers.pop_first()
        {
            state.rows.remove(&row);
            state.forgotten = oldest;
        }
    }

    /// The changes since `moment`; 0 stands for the beginning, of which nothing is remembered. To
    /// be called before the rows are read.
    #[must_use]
    pub fn since(&self, moment: u64) -> News {
        let state = self.lock();
        let first = state.running.first().copied();
        let rows = (moment > state.forgotten)
            .then(|| state.numbers.range(moment..).map(|(_, row)| *row).collect());
        News {
            moment: first.unwrap_or(state.next),
            rows,
        }
    }

    /// Whether no row was changed since `moment`.
    #[must_use]
    pub fn none_since(&self, moment: u64) -> bool {
        let state = self.lock();
        let last = state.numbers.last_key_value();
        moment > state.forgotten && last.is_none_or(|(number, _)| *number < moment)
    }

    /// Whether this row was not changed since `moment`.
    #[must_use]
    pub fn is_same(&self, row: i64, moment: u64) -> bool {
        let state = self.lock();
        let last = state.rows.get(&row);
        moment > state.forgotten && last.is_none_or(|number| *number < moment)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self) -> u64 {
        let number = self.next;
        self.next = number.saturating_add(1);
        number
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::{Store, StoreError};

    #[test]
    fn a_change_is_told_until_its_operation_is_over() {
        let changes = Changes::default();
        let begun = changes.since(0);
        assert_eq!(begun.rows, None);
        let running = changes.begin();
        changes.mark(7);
        let early = changes.since(begun.moment);
        assert_eq!(early.rows, Some(vec![7]));
        // The row was read before the commit, so it is told once more.
        let again = changes.since(early.moment);
        assert_eq!(again.rows, Some(vec![7]));
        assert!(!changes.none_since(early.moment) && !changes.is_same(7, early.moment));
        drop(running);
        let last = changes.since(again.moment);
        assert_eq!(last.rows, Some(vec![7]));
        assert_eq!(changes.since(last.moment).rows, Some(vec![]));
        assert!(changes.none_since(last.moment) && changes.is_same(7, last.moment));
    }

    #[test]
    fn whoever_looked_long_ago_reads_all() {
        let changes = Changes::default();
        let begun = changes.since(0).moment;
        for row in 0..=i64::try_from(REMEMBERED).unwrap() {
            changes.mark(row);
        }
        assert_eq!(changes.since(begun).rows, None);
        assert!(!changes.none_since(begun) && !changes.is_same(0, begun));
        let state = changes.lock();
        assert_eq!(
            (state.rows.len(), state.numbers.len()),
            (REMEMBERED, REMEMBERED)
        );
    }

    #[tokio::test]
    async fn every_way_to_write_a_row_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), crate::fixture::SCHEMAS).unwrap();
        let hardware = store.hardware_for("HW", "K").await.unwrap();
        let changes = store.changes().clone();
        let run = async |sql: &'static str| {
            let moment = changes.since(0).moment;
            let done = store.write(move |transaction| {
                transaction.execute_batch(sql)?;
                Ok::<_, StoreError>(())
            });
            done.await.unwrap();
            changes.since(moment).rows.unwrap()
        };
        let made = run("INSERT INTO devices VALUES (5, 1, 'a');
             INSERT INTO devices VALUES (6, 1, 'b');");
        assert_eq!(made.await, [5, 6]);
        assert_eq!(run("UPDATE devices SET name = 'm' WHERE id = 6").await, [6]);
        assert_eq!(run("INSERT INTO favorites VALUES (5)").await, [5]);
        assert_eq!(run("INSERT INTO notes VALUES (9)").await, [0_i64; 0]);
        let moment = changes.since(0).moment;
        store.remove_hardware(hardware).await.unwrap();
        let mut removed = changes.since(moment).rows.unwrap();
        removed.sort_unstable();
        assert_eq!(removed, [5, 6], "rows that go with their hardware");
    }

    #[tokio::test]
    async fn a_caller_that_goes_away_does_not_hide_the_change() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("db"), crate::fixture::SCHEMAS).unwrap();
        let changes = store.changes().clone();
        let moment = changes.since(0).moment;
        let noted = changes.clone();
        let (begun, wait) = std::sync::mpsc::channel();
        let operation = store.write(move |_| {
            noted.mark(3);
            let _ = begun.send(());
            Ok::<_, StoreError>(())
        });
        let gone = tokio::time::timeout(std::time::Duration::ZERO, operation);
        let _ = gone.await;
        // Whether or not the operation had begun by then, it is over when the next one is.
        let _ = wait.recv_timeout(std::time::Duration::from_secs(5));
        let done = store.write(|_| Ok::<_, StoreError>(()));
        done.await.unwrap();
        let news = changes.since(moment);
        assert_eq!(news.rows, Some(vec![3]));
        assert!(changes.none_since(news.moment));
    }
}
