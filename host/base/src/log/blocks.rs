//! Blocks of lines that belong together in the output, such as the lines of a traceback.
//!
//! Domoticz has a record for each line of a traceback, and other instances write at the same time.
//! In the output the error lines of a writer stay together as long as they follow one another
//! closely. Records of others wait for the end of the block, for half a second at most.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::level::Level;
use super::record::Record;

/// Time without an error line of the writer after which its block is over.
const QUIET: Duration = Duration::from_millis(250);

/// Longest time of a block.
const LONGEST: Duration = Duration::from_millis(500);

/// Records of others that wait for the end of a block; one more ends it.
const WAITING: usize = 256;

/// Brings records into the order in which they are written.
#[derive(Debug, Default)]
pub(super) struct Blocks {
    open: Option<Block>,
    /// Records with the times at which they came.
    waiting: VecDeque<(Instant, Arc<Record>)>,
    /// Whether nothing waits for a block that is still open.
    ending: bool,
}

#[derive(Debug)]
struct Block {
    first: Arc<Record>,
    /// When it is over unless its writer writes another line.
    quiet: Instant,
    /// When it is over in any case.
    end: Instant,
}

impl Block {
    fn until(&self) -> Instant {
        self.quiet.min(self.end)
    }

    fn is_by(&self, record: &Record) -> bool {
        self.first.hardware == record.hardware
    }
}

impl Blocks {
    /// Puts a record in that came now.
    pub(super) fn add(&mut self, record: Arc<Record>, now: Instant) {
        self.ending = false;
        self.waiting.push_back((now, record));
    }

    /// Lets everything go that waits, blocks still in one piece.
    pub(super) fn end(&mut self) {
        self.ending = true;
    }

    /// When [`Blocks::next`] may have a record without a further one; `None` when nothing waits.
    pub(super) fn until(&self) -> Option<Instant> {
        let open = self.open.as_ref().filter(|_| !self.waiting.is_empty());
        open.map(Block::until)
    }

    /// The record that is written next, if its turn has come.
    pub(super) fn next(&mut self, now: Instant) -> Option<Arc<Record>> {
        if let Some(block) = &mut self.open {
            let mut own = self.waiting.iter().enumerate();
            let own = own.find(|(_, (_, record))| block.is_by(record));
            let own = own.map(|(place, (came, record))| (place, *came, record.level));
            match own {
                Some((place, came, level)) if came <= block.until() => {
                    match level {
                        Level::Error => block.quiet = came + QUIET,
                        _ => self.open = None,
                    }
                    return self.waiting.remove(place).map(|(_, record)| record);
                }
                _ => {}
            }
            if now < block.until() && self.waiting.len() <= WAITING && !self.ending {
                return None;
            }
            self.open = None;
        }
        let (came, record) = self.waiting.pop_front()?;
        if record.level == Level::Error && record.hardware.is_some() {
            self.open = Some(Block {
                first: Arc::clone(&record),
                quiet: came + QUIET,
                end: came + LONGEST,
            });
        }
        Some(record)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::Timestamp;

    use super::super::record::By;
    use super::*;

    fn record(hardware: &str, level: Level, text: &str) -> Arc<Record> {
        let by = By::Plugin(hardware);
        Arc::new(Record::new(Timestamp::UNIX_EPOCH, by, level, text))
    }

    fn milliseconds(count: u64) -> Duration {
        Duration::from_millis(count)
    }

    /// The records that can be written now, as their writers and texts.
    fn written(blocks: &mut Blocks, now: Instant) -> Vec<String> {
        std::iter::from_fn(|| blocks.next(now))
            .map(|it| format!("{}{}", it.hardware.as_deref().unwrap(), it.text))
            .collect()
    }

    #[test]
    fn tracebacks_of_two_that_raise_at_once_are_not_interleaved() {
        let (mut blocks, start) = (Blocks::default(), Instant::now());
        let mut all = Vec::new();
        for (number, hardware) in ["A", "B", "C", "A", "B", "A", "B"].into_iter().enumerate() {
            let level = if hardware == "C" {
                Level::Normal
            } else {
                Level::Error
            };
            let now = start + milliseconds(u64::try_from(number).unwrap());
            blocks.add(record(hardware, level, &number.to_string()), now);
            all.extend(written(&mut blocks, now));
        }
        assert_eq!(all, ["A0", "A3", "A5"]);
        assert_eq!(blocks.until(), Some(start + milliseconds(5) + QUIET));
        let later = start + milliseconds(5) + QUIET;
        assert_eq!(written(&mut blocks, later), ["B1", "B4", "B6"]);
        let later = start + milliseconds(6) + QUIET;
        assert_eq!(written(&mut blocks, later), ["C2"]);
        assert_eq!(blocks.until(), None);
    }

    #[test]
    fn a_block_ends_with_the_writers_next_plain_line() {
        let (mut blocks, now) = (Blocks::default(), Instant::now());
        blocks.add(record("A", Level::Error, "1"), now);
        blocks.add(record("B", Level::Normal, "1"), now);
        blocks.add(record("A", Level::Normal, "2"), now);
        assert_eq!(written(&mut blocks, now), ["A1", "A2", "B1"]);
    }

    #[test]
    fn whoever_writes_errors_without_end_delays_others_for_half_a_second() {
        let (mut blocks, start) = (Blocks::default(), Instant::now());
        blocks.add(record("A", Level::Error, "x"), start);
        blocks.add(record("B", Level::Normal, "y"), start);
        let mut passed = None;
        for tick in 0..100 {
            let now = start + milliseconds(tick * 10);
            blocks.add(record("A", Level::Error, "x"), now);
            if written(&mut blocks, now).contains(&"By".to_owned()) {
                passed = Some(tick);
                break;
            }
        }
        assert!(
            passed.is_some_and(|tick| (49..=52).contains(&tick)),
            "{passed:?}"
        );
    }

    #[test]
    fn no_more_than_so_many_wait_and_the_end_waits_for_nothing() {
        let (mut blocks, now) = (Blocks::default(), Instant::now());
        blocks.add(record("A", Level::Error, "x"), now);
        for _ in 0..WAITING {
            blocks.add(record("B", Level::Normal, "y"), now);
        }
        assert_eq!(written(&mut blocks, now), ["Ax"]);
        blocks.add(record("B", Level::Normal, "y"), now);
        assert_eq!(written(&mut blocks, now).len(), WAITING + 1);
        blocks.add(record("A", Level::Error, "x"), now);
        blocks.add(record("B", Level::Error, "y"), now);
        blocks.add(record("A", Level::Error, "x"), now);
        blocks.add(record("B", Level::Error, "y"), now);
        blocks.end();
        assert_eq!(written(&mut blocks, now), ["Ax", "Ax", "By", "By"]);
    }
}
