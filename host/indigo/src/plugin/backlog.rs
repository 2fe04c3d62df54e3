//! Changes of objects that wait for room in the inbox of a plugin.
//!
//! The inbox is bounded, and a plugin may be busy in a callback for long. The changes that come
//! meanwhile are held here. When there are too many, a change takes the place of the one before it
//! of the same object: with the object as it was before the first of them and as it is after the
//! last. So a plugin may miss values on the way, and always gets the last one.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::change::What;
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;

/// Bytes of a change that is held, beside its objects.
const ENTRY: u64 = 256;

/// A change that is held.
struct Held {
    what: What,
    /// Bytes of memory in its objects, about.
    memory: u64,
    /// Room for the change in the plugin's account.
    charge: Charge,
}

/// The changes of one plugin, in the order in which they will be told.
#[derive(Default)]
pub(super) struct Backlog {
    changes: BTreeMap<u64, Held>,
    /// The last change of each object.
    last: HashMap<i64, u64>,
    next: u64,
    /// Whether a change was taken out that may come back.
    out: bool,
    /// Whether the plugin was called to take the changes.
    pub(super) called: bool,
    /// Whether it is to be called in a moment, when its account may have room.
    pub(super) again: bool,
    /// Changes that others took the place of, since the plugin was last up to date.
    merged: u64,
}

/// A change that was taken out of a backlog.
pub(crate) struct Taken {
    number: u64,
    held: Held,
}

impl Taken {
    /// The change.
    pub(crate) fn what(&self) -> &What {
        &self.held.what
    }

    /// Bytes of memory in its objects, about.
    pub(crate) fn memory(&self) -> u64 {
        self.held.memory
    }
}

impl Backlog {
    /// Whether the plugin was told of everything.
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && !self.out
    }

    /// Holds a change, at the end. From `most` changes on, and when the account is full, it is
    /// merged with the one before it of the same object.
    ///
    /// # Errors
    ///
    /// The limit that had changes merged. With `host-memory` the change itself may be lost.
    pub(super) fn hold(
        &mut self,
        what: &What,
        memory: u64,
        account: &Arc<Account>,
        most: u64,
    ) -> Result<(), LimitHit> {
        let bytes = memory.saturating_add(ENTRY);
        let used = u64::try_from(self.changes.len()).unwrap_or(u64::MAX);
        // Others choose what changes and how often, and the plugin needs room for its own calls.
        let hit = if account.is_half_taken() {
            Limits::hit(
                "host-memory",
                account.used().saturating_add(bytes),
                account.used(),
            )
        } else if used < most {
            match account.charge(bytes) {
                Ok(charge) => {
                    self.put(what.clone(), memory, charge);
                    return Ok(());
                }
                Err(hit) => hit,
            }
        } else {
            Limits::hit("held-changes", used.saturating_add(1), most)
        };
        let id = what.object().id;
        let earlier = self.last.remove(&id);
        let Some(earlier) = earlier.and_then(|number| self.changes.remove(&number)) else {
            // One more change than allowed, for each object at most.
            let charge = account.charge(bytes)?;
            self.put(what.clone(), memory, charge);
            return Err(hit);
        };
        let Held {
            what: earlier,
            memory: before,
            mut charge,
        } = earlier;
        if let Some(more) = bytes.checked_sub(charge.bytes())
            && let Err(hit) = charge.grow(more)
        {
            self.put(earlier, before, charge);
            return Err(hit);
        }
        charge.shrink_to(bytes);
        self.merged = self.merged.saturating_add(1);
        if let Some(merged) = merged(earlier, what) {
            self.put(merged, memory, charge);
        }
        Err(hit)
    }

    fn put(&mut self, what: What, memory: u64, charge: Charge) {
        let number = self.next;
        self.next = number.saturating_add(1);
        self.last.insert(what.object().id, number);
        let held = Held {
            what,
            memory,
            charge,
        };
        self.changes.insert(number, held);
    }

    /// Takes the first change out. It has to be given back to [`Self::put_back`] or to
    /// [`Self::told`].
    pub(super) fn take(&mut self) -> Option<Taken> {
        let (number, held) = self.changes.pop_first()?;
        let id = held.what.object().id;
        if self.last.get(&id) == Some(&number) {
            self.last.remove(&id);
        }
        self.out = true;
        Some(Taken { number, held })
    }

    /// Takes back a change for which there was no room: it is the first again.
    pub(super) fn put_back(&mut self, taken: Taken) {
        self.out = false;
        let Taken { number, held } = taken;
        self.last.entry(held.what.object().id).or_insert(number);
        self.changes.insert(number, held);
    }

    /// Notes that the change that was taken out is told. When it was the last one, returns how many
    /// changes were merged since the backlog began.
    pub(super) fn told(&mut self) -> Option<u64> {
        self.out = false;
        if !self.changes.is_empty() {
            return None;
        }
        match std::mem::take(&mut self.merged) {
            0 => None,
            merged => Some(merged),
        }
    }
}

/// Two changes of one object as one; `None` when the object came and went.
fn merged(earlier: What, later: &What) -> Option<What> {
    Some(match (earlier, later) {
        (What::Created(_), What::Updated { new, .. }) => What::Created(Arc::clone(new)),
        (What::Created(_), What::Deleted(_)) => return None,
        (What::Updated { old, .. }, What::Updated { new, .. }) => What::Updated {
            old,
            new: Arc::clone(new),
        },
        (_, later) => later.clone(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::object::{Hidden, Object};
    use crate::table::Collection;
    use serde_json::json;

    fn object(id: i64, value: u32) -> Arc<Object> {
        let fields = json!({ "name": "v", "value": value });
        Arc::new(Object {
            id,
            table: Collection::Variables.objects(),
            fields: fields.as_object().unwrap().clone(),
            hidden: Hidden::default(),
        })
    }

    fn updated(id: i64, old: u32, new: u32) -> What {
        What::Updated {
            old: object(id, old),
            new: object(id, new),
        }
    }

    /// A change as its object's id and its values before and after.
    fn short(what: &What) -> (i64, i64, i64) {
        let value = |object: &Object| object.number("value");
        match what {
            What::Created(new) => (new.id, -1, value(new)),
            What::Deleted(old) => (old.id, value(old), -1),
            What::Updated { old, new } => (new.id, value(old), value(new)),
        }
    }

    fn all(backlog: &mut Backlog) -> Vec<(i64, i64, i64)> {
        let mut told = Vec::new();
        while let Some(taken) = backlog.take() {
            told.push(short(taken.what()));
            backlog.told();
        }
        told
    }

    #[test]
    fn changes_beyond_the_bound_are_merged_and_the_last_value_stays() {
        let account = Account::new(&Limits::default());
        let mut backlog = Backlog::default();
        assert!(backlog.is_empty());
        for n in 0..4 {
            let change = updated(
                n % 2,
                u32::try_from(n).unwrap(),
                10 + u32::try_from(n).unwrap(),
            );
            assert_eq!(backlog.hold(&change, 100, &account, 4), Ok(()));
        }
        let hit = backlog
            .hold(&updated(0, 12, 20), 100, &account, 4)
            .unwrap_err();
        assert_eq!((hit.which, hit.used, hit.limit), ("held-changes", 5, 4));
        // Of an object that has none yet, one is held all the same.
        assert!(backlog.hold(&updated(7, 1, 2), 100, &account, 4).is_err());
        assert!(backlog.hold(&updated(7, 2, 3), 100, &account, 4).is_err());
        let told = [(0, 0, 10), (1, 1, 11), (1, 3, 13), (0, 2, 20), (7, 1, 3)];
        assert!(!backlog.is_empty());
        assert_eq!(all(&mut backlog), told);
        assert!(backlog.is_empty());
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn objects_that_come_and_go_are_told_as_they_are() {
        let account = Account::new(&Limits::default());
        let mut backlog = Backlog::default();
        let mut hold = |what: What| drop(backlog.hold(&what, 100, &account, 1));
        hold(What::Created(object(1, 1)));
        hold(updated(1, 1, 2));
        hold(What::Created(object(2, 1)));
        hold(What::Deleted(object(2, 1)));
        hold(updated(3, 1, 2));
        hold(What::Deleted(object(3, 2)));
        assert_eq!(all(&mut backlog), [(1, -1, 2), (3, 2, -1)]);
    }

    #[test]
    fn a_change_that_comes_back_is_the_first_again() {
        let account = Account::new(&Limits::default());
        let mut backlog = Backlog::default();
        for n in 0..3 {
            backlog
                .hold(&updated(1, n, n + 1), 100, &account, 8)
                .unwrap();
        }
        let taken = backlog.take().unwrap();
        assert!(!backlog.is_empty());
        backlog.put_back(taken);
        assert_eq!(all(&mut backlog), [(1, 0, 1), (1, 1, 2), (1, 2, 3)]);
    }

    #[test]
    fn half_of_the_account_is_left_to_the_plugin() {
        let limits = Limits {
            host_memory: 100_000,
            ..Limits::default()
        };
        let account = Account::new(&limits);
        let mut backlog = Backlog::default();
        for n in 0..1000 {
            drop(backlog.hold(&updated(1, n, n + 1), 1000, &account, 4096));
        }
        assert!(account.used() < 55_000, "{}", account.used());
        let held = all(&mut backlog);
        assert_eq!(held.last().map(|it| it.2), Some(1000));
    }

    #[test]
    fn a_full_account_merges_and_never_holds_more() {
        let limits = Limits {
            host_memory: 1000,
            ..Limits::default()
        };
        let account = Account::new(&limits);
        let mut backlog = Backlog::default();
        backlog.hold(&updated(1, 0, 1), 500, &account, 8).unwrap();
        let hit = backlog
            .hold(&updated(1, 1, 2), 500, &account, 8)
            .unwrap_err();
        assert_eq!(hit.which, "host-memory");
        // A version that is too large is lost; the one before it is told.
        assert!(backlog.hold(&updated(1, 2, 3), 5000, &account, 8).is_err());
        assert!(backlog.hold(&updated(2, 0, 1), 500, &account, 8).is_err());
        assert_eq!(all(&mut backlog), [(1, 0, 2)]);
        assert_eq!(account.used(), 0);
    }
}
