//! The records that are kept: a ring for each instance and one for the hub.
//!
//! All of them share one capacity. When it is used up, the oldest record of the writer with the
//! most records goes, so that an instance that writes much pushes out its own lines and nobody
//! else's. With few writers each has much room, with many each has its share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{LogCapacity, Record};

/// The rings of the hub itself, of the API's clients, and of strangers who were not let in. Names
/// have no control characters.
const HUB: &str = "\0";
const CLIENTS: &str = "\u{1}";
const STRANGERS: &str = "\u{2}";

/// The ring of a record.
fn ring_of(record: &Record) -> &str {
    match &record.hardware {
        Some(name) => name,
        None if record.client => CLIENTS,
        None if record.stranger => STRANGERS,
        None => HUB,
    }
}

/// Cost of a record beside its texts: itself, its place in a ring and a share of the ring.
pub(super) const RECORD_OVERHEAD: usize = size_of::<Record>() + 10 * size_of::<usize>();

/// All rings.
#[derive(Debug)]
pub(super) struct Rings {
    capacity: LogCapacity,
    rings: BTreeMap<Arc<str>, Ring>,
    /// The rings by their weight.
    heaviest: BTreeSet<(u128, Arc<str>)>,
    records: usize,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Ring {
    /// Oldest first.
    records: VecDeque<Arc<Record>>,
    bytes: usize,
}

impl Ring {
    /// The ring's part of the capacity, in both measures together.
    fn weight(&self, capacity: LogCapacity) -> u128 {
        let part = |used: usize, other: usize| wide(used).saturating_mul(wide(other));
        part(self.bytes, capacity.records).saturating_add(part(self.records.len(), capacity.bytes))
    }
}

fn wide(number: usize) -> u128 {
    u128::try_from(number).unwrap_or(u128::MAX)
}

impl Rings {
    pub(super) fn new(capacity: LogCapacity) -> Self {
        Self {
            capacity,
            rings: BTreeMap::new(),
            heaviest: BTreeSet::new(),
            records: 0,
            bytes: 0,
        }
    }

    /// Puts a record in, and returns how many had to go for it.
    pub(super) fn push(&mut self, record: Arc<Record>) -> u64 {
        let name: Arc<str> = ring_of(&record).into();
        let cost = record.cost();
        self.change(&name, |ring| {
            ring.bytes = ring.bytes.saturating_add(cost);
            ring.records.push_back(record);
        });
        let mut gone = 0_u64;
        self.records = self.records.saturating_add(1);
        self.bytes = self.bytes.saturating_add(cost);
        while self.records > self.capacity.records || self.bytes > self.capacity.bytes {
            let Some((_, heaviest)) = self.heaviest.last().cloned() else {
                break;
            };
            self.drop_oldest(&heaviest);
            gone = gone.saturating_add(1);
        }
        gone
    }

    /// All records, in the order of the log.
    pub(super) fn into_records(self) -> VecDeque<Arc<Record>> {
        let rings = self.rings.into_values();
        let mut records: Vec<_> = rings.flat_map(|ring| ring.records).collect();
        records.sort_unstable_by_key(|record| record.number);
        records.into()
    }

    fn drop_oldest(&mut self, name: &Arc<str>) {
        let mut freed = 0;
        self.change(name, |ring| {
            if let Some(oldest) = ring.records.pop_front() {
                freed = oldest.cost();
                ring.bytes = ring.bytes.saturating_sub(freed);
            }
            // The room that a burst needed is given back.
            if ring.records.capacity() > 64 && ring.records.len() < ring.records.capacity() / 4 {
                ring.records.shrink_to(ring.records.len().saturating_mul(2));
            }
        });
        self.records = self.records.saturating_sub(1);
        self.bytes = self.bytes.saturating_sub(freed);
    }

    /// Changes a ring and keeps its place among the others; an empty one goes.
    fn change(&mut self, name: &Arc<str>, change: impl FnOnce(&mut Ring)) {
        let ring = self.rings.entry(Arc::clone(name)).or_default();
        let before = ring.weight(self.capacity);
        change(ring);
        let after = ring.weight(self.capacity);
        let empty = ring.records.is_empty();
        self.heaviest.remove(&(before, Arc::clone(name)));
        if empty {
            self.rings.remove(name);
        } else {
            self.heaviest.insert((after, Arc::clone(name)));
        }
    }

    /// The newest records that `keep` wants of those rings that `of` wants, in no order. When there
    /// are more than `max`, every ring gives as many as the others, as far as it has them.
    pub(super) fn select(
        &self,
        max: usize,
        of: impl Fn(Option<&str>) -> bool,
        keep: impl Fn(&Record) -> bool,
    ) -> Vec<Arc<Record>> {
        let wanted = self.rings.iter().filter(|(name, _)| {
            let name = Some(&***name).filter(|name| ![HUB, CLIENTS, STRANGERS].contains(name));
            of(name)
        });
        let newest = wanted.map(|(_, ring)| -> Vec<_> {
            let kept = ring.records.iter().rev().filter(|it| keep(it));
            kept.take(max).collect()
        });
        let newest: Vec<Vec<_>> = newest.collect();
        let counts: Vec<_> = newest.iter().map(Vec::len).collect();
        let each = share(&counts, max);
        let mut found: Vec<_> = newest
            .iter()
            .flat_map(|it| it.iter().take(each).copied())
            .collect();
        // The remainder goes to the newest records that are left.
        let mut rest: Vec<_> = newest
            .iter()
            .filter_map(|it| it.get(each).copied())
            .collect();
        rest.sort_by_key(|record| std::cmp::Reverse(record.number));
        found.extend(rest.into_iter().take(max.saturating_sub(found.len())));
        found.into_iter().cloned().collect()
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

/// The largest number that each of these may give at most, so that they give no more than
/// `max` together.
fn share(counts: &[usize], max: usize) -> usize {
    let mut sorted = counts.to_vec();
    sorted.sort_unstable();
    let mut left = max;
    let mut givers = sorted.len();
    for count in sorted {
        let each = left / givers.max(1);
        if count > each {
            return each;
        }
        left = left.saturating_sub(count);
        givers = givers.saturating_sub(1);
    }
    max
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_some_do_not_need_is_shared_by_the_others() {
        assert_eq!(share(&[1, 2, 100, 100], 50), 23);
        assert_eq!(share(&[5, 5], 50), 50);
        assert_eq!(share(&[100, 100, 100], 50), 16);
        assert_eq!(share(&[], 50), 50);
        assert_eq!(share(&[1, 1, 1], 2), 0);
    }
}
