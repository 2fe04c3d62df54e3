//! All objects in memory, with their names and the use that each plugin makes of its limits.
//!
//! The store has the same objects on disk. A change is made here first, in an [`Edit`] that takes
//! everything back when it fails. [`super::server`] then writes the objects that were touched, and
//! only after that tells anybody. Objects come as [`Weighed`], so that nothing here takes longer
//! for a large one: everybody waits for the database.

mod edit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::bounds::{self, count, quoted};
use super::failure::Failure;
use super::object::Object;
use super::table::Table;
use super::trigger::watched;
use super::weighed::{Share, Size, Weighed, own};
use cordon_base::account::{Account, Charge};

pub use edit::{Edit, Kept};

/// The first id. Plugins see ids of nine digits in the original as well.
const FIRST_ID: i64 = 100_000_001;

/// A plugin's use of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of objects.
    pub objects: u64,
    /// Bytes in the store of all its objects, and of its parts of others' objects.
    pub bytes: u64,
    /// Bytes of its parts of others' objects, in memory and in the store.
    pub shared: u64,
}

/// An object in its place.
#[derive(Debug)]
pub struct Placed {
    object: Arc<Object>,
    /// Bytes of its text in the store.
    weight: u64,
    /// Bytes of memory that the object takes, about.
    memory: u64,
    /// The parts that count for other plugins.
    shares: Vec<Share>,
    /// Text of the object, for as long as the store does not have it.
    text: Option<Arc<str>>,
    /// Room for the object in the account that it counts for.
    charge: Option<Charge>,
}

impl Placed {
    fn size(&self) -> Size {
        Size {
            memory: self.memory,
            weight: self.weight,
        }
    }

    /// The size without the parts that count for other plugins.
    fn own(&self) -> Size {
        own(self.size(), &self.shares)
    }

    /// Bytes in the store of the part that counts for its owner, and of the part of this plugin.
    fn parts(&self, plugin: &str) -> [u64; 2] {
        let part = self.shares.iter().filter(|it| it.plugin == plugin);
        [self.own().weight, part.map(|it| it.size.weight).sum()]
    }

    /// Adds the object to the use that plugins make of their limits, or takes it out.
    fn count(&self, usage: &mut HashMap<String, Usage>, change: fn(u64, u64) -> u64) {
        let owner = usage.entry(self.object.hidden.charged.clone()).or_default();
        owner.objects = change(owner.objects, 1);
        owner.bytes = change(owner.bytes, self.own().weight);
        for share in &self.shares {
            let Size { memory, weight } = share.size;
            let other = usage.entry(share.plugin.clone()).or_default();
            other.bytes = change(other.bytes, weight);
            other.shared = change(other.shared, memory.saturating_add(weight));
        }
    }
}

impl From<Weighed> for Placed {
    fn from(weighed: Weighed) -> Self {
        Self {
            object: Arc::new(weighed.object),
            weight: count(weighed.text.len()),
            memory: weighed.memory,
            shares: weighed.shares,
            text: (!weighed.stored).then_some(weighed.text),
            charge: weighed.charge,
        }
    }
}

/// A reference to an object, by one of its two names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reference {
    /// Its id.
    Id(i64),
    /// Its name.
    Name(String),
}

/// The objects.
#[derive(Debug, Default)]
pub struct Database {
    objects: BTreeMap<i64, Placed>,
    names: HashMap<Table, HashMap<String, i64>>,
    usage: HashMap<String, Usage>,
    /// The triggers that watch an object, by its id.
    watching: HashMap<i64, BTreeSet<i64>>,
    /// The accounts of plugins by their ids.
    accounts: HashMap<String, Arc<Account>>,
    last_id: i64,
    sequence: u64,
}

impl Database {
    /// The object with this id.
    #[must_use]
    pub fn any(&self, id: i64) -> Option<&Arc<Object>> {
        self.objects.get(&id).map(|it| &it.object)
    }

    /// The size of an object; nothing when the object is not there.
    #[must_use]
    pub fn size(&self, id: i64) -> Size {
        self.objects.get(&id).map(Placed::size).unwrap_or_default()
    }

    /// The size of an object without the parts that count for others; nothing when the object is
    /// not there.
    #[must_use]
    pub fn own(&self, id: i64) -> Size {
        self.objects.get(&id).map(Placed::own).unwrap_or_default()
    }

    /// The object of a table that a reference names.
    #[must_use]
    pub fn find(&self, table: Table, reference: &Reference) -> Option<&Arc<Object>> {
        let id = match reference {
            Reference::Id(id) => *id,
            Reference::Name(name) => *self.names.get(&table)?.get(name)?,
        };
        self.any(id).filter(|it| it.table == table)
    }

    /// The object of a table that a reference names, or the failure that Python raises as
    /// `KeyError`.
    ///
    /// # Errors
    ///
    /// There is no such object.
    pub fn get(&self, table: Table, reference: &Reference) -> Result<&Arc<Object>, Failure> {
        self.find(table, reference).ok_or_else(|| {
            let words = table.words();
            Failure::key(match reference {
                Reference::Id(id) => format!("there is no {words} with id {id}"),
                Reference::Name(name) => {
                    format!("there is no {words} called '{}'", quoted(name))
                }
            })
        })
    }

    /// The objects of a table, oldest first.
    pub fn list(&self, table: Table) -> impl Iterator<Item = &Arc<Object>> {
        let all = self.objects.values().map(|it| &it.object);
        all.filter(move |it| it.table == table)
    }

    /// The objects of a table with the size of each, oldest first.
    #[must_use]
    pub fn measured(&self, table: Table) -> Vec<(Arc<Object>, Size)> {
        let all = self.objects.values();
        let wanted = all.filter(|it| it.object.table == table);
        wanted
            .map(|it| (Arc::clone(&it.object), it.size()))
            .collect()
    }

    /// The triggers that watch this object, oldest first.
    #[must_use]
    pub fn watching(&self, id: i64) -> Vec<Arc<Object>> {
        let triggers = self.watching.get(&id).into_iter().flatten();
        triggers
            .filter_map(|id| self.any(*id))
            .map(Arc::clone)
            .collect()
    }

    /// A plugin's use of its limits.
    #[must_use]
    pub fn usage(&self, plugin: &str) -> Usage {
        self.usage.get(plugin).copied().unwrap_or_default()
    }

    /// The number of the last change.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Puts an object in its place or takes it out, without telling anybody. Returns the object
    /// that was there before.
    pub fn put(&mut self, id: i64, placed: Option<Placed>) -> Option<Placed> {
        let old = self.objects.remove(&id);
        if let Some(old) = &old {
            if let Some(names) = self.names.get_mut(&old.object.table)
                && names.get(old.object.name()) == Some(&id)
            {
                names.remove(old.object.name());
            }
            if let Some(watched) = watched(&old.object)
                && let Some(triggers) = self.watching.get_mut(&watched)
            {
                triggers.remove(&id);
                if triggers.is_empty() {
                    self.watching.remove(&watched);
                }
            }
            old.count(&mut self.usage, u64::saturating_sub);
        }
        if let Some(placed) = placed {
            self.last_id = self.last_id.max(id);
            let object = &placed.object;
            let names = self.names.entry(object.table).or_default();
            // Only an object that comes back from the store may find its name taken. It is then
            // found by its id alone.
            names.entry(object.name().to_owned()).or_insert(id);
            if let Some(watched) = watched(object) {
                self.watching.entry(watched).or_default().insert(id);
            }
            placed.count(&mut self.usage, u64::saturating_add);
            self.objects.insert(id, placed);
        }
        old
    }

    /// The texts of those of these objects that have changed since the store last had them; none
    /// for an object that is gone.
    #[must_use]
    pub fn unstored(&self, ids: &[i64]) -> Vec<(i64, Option<Row>)> {
        let row = |id: &i64| {
            let Some(placed) = self.objects.get(id) else {
                return Some((*id, None));
            };
            let text = placed.text.clone()?;
            let table = placed.object.table;
            Some((*id, Some(Row { table, text })))
        };
        ids.iter().filter_map(row).collect()
    }

    /// Notes that the store has these texts.
    pub fn stored(&mut self, rows: &[(i64, Option<Row>)]) {
        for (id, row) in rows {
            let (Some(placed), Some(row)) = (self.objects.get_mut(id), row) else {
                continue;
            };
            // An object that has changed again meanwhile has another text.
            if placed
                .text
                .as_ref()
                .is_some_and(|it| Arc::ptr_eq(it, &row.text))
            {
                placed.text = None;
                let memory = placed.own().memory;
                if let Some(charge) = &mut placed.charge {
                    charge.shrink_to(memory);
                }
            }
        }
    }

    /// These objects as they are now.
    #[must_use]
    pub fn versions(&self, ids: Vec<i64>) -> Vec<Version> {
        let version = |id: i64| {
            let placed = self.objects.get(&id);
            let text = placed.and_then(|it| it.text.clone());
            Version { id, text }
        };
        ids.into_iter().map(version).collect()
    }

    /// Puts the store's version of an object in the place of one that could not be written. Nothing
    /// happens when the object has changed again: a later change has its own write.
    pub fn restore(&mut self, failed: &Version, kept: Option<Weighed>) {
        let now = self.objects.get(&failed.id);
        let is_there = match (now, &failed.text) {
            (None, None) => true,
            (Some(placed), Some(text)) => {
                let same = |it: &Arc<str>| Arc::ptr_eq(it, text);
                placed.text.as_ref().is_some_and(same)
            }
            _ => false,
        };
        if !is_there {
            return;
        }
        let paid = self.put(failed.id, None).and_then(|it| it.charge);
        let Some(kept) = kept else { return };
        let mut placed = Placed::from(kept);
        let memory = placed.own().memory;
        placed.charge = match paid {
            Some(mut charge) => {
                charge.shrink_to(memory);
                // Stored objects stay, whatever is left of the account.
                let _ = charge.grow(memory.saturating_sub(charge.bytes()));
                Some(charge)
            }
            None => {
                let account = self.accounts.get(&placed.object.hidden.charged);
                account.and_then(|it| it.charge(memory).ok())
            }
        };
        self.put(failed.id, Some(placed));
    }

    /// Charges the objects of a plugin to its account, as far as there is room, in place of the
    /// account of a former instance. Stored objects stay, whatever the limit is now.
    pub fn charge(&mut self, plugin: &str, account: &Arc<Account>) {
        self.accounts.insert(plugin.to_owned(), Arc::clone(account));
        for placed in self.objects.values_mut() {
            let paid = placed.charge.as_ref();
            let paid = paid.is_some_and(|it| Arc::ptr_eq(it.account(), account));
            if placed.object.hidden.charged == plugin && !paid {
                placed.charge = account.charge(placed.own().memory).ok();
            }
        }
    }

    /// Makes sure that no id up to this one is given out again.
    pub fn start_after(&mut self, id: i64) {
        self.last_id = self.last_id.max(id);
    }

    /// Adds an object without telling anybody; returns its id.
    pub fn add(&mut self, mut object: Object) -> i64 {
        object.id = self.next_id();
        let id = object.id;
        self.put(id, Some(Weighed::new(object).into()));
        id
    }

    fn next_id(&mut self) -> i64 {
        self.last_id = self.last_id.max(FIRST_ID - 1).saturating_add(1);
        self.last_id
    }
}

/// An object as a change has left it.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its id.
    pub id: i64,
    /// Text of the object, for as long as the store does not have it; none for an object that is
    /// gone.
    pub text: Option<Arc<str>>,
}

/// The row of an object in the store.
#[derive(Debug, Clone)]
pub struct Row {
    /// The table that lists the object.
    pub table: Table,
    /// Text of the object.
    pub text: Arc<str>,
}

/// The reference in an argument: a whole number is an id, a text is a name, and an object stands
/// for its own id.
///
/// # Errors
///
/// A value of another type, or a name that is too long.
pub fn reference(value: &Value) -> Result<Reference, Failure> {
    match value {
        Value::String(name) => {
            bounds::short("a name", name, bounds::NAME)?;
            Ok(Reference::Name(name.clone()))
        }
        Value::Object(object) => match object.get("id").and_then(Value::as_i64) {
            Some(id) => Ok(Reference::Id(id)),
            None => Err(Failure::wrong_type(
                "an id, a name or an object is expected",
            )),
        },
        other => match other.as_i64() {
            Some(id) => Ok(Reference::Id(id)),
            None => Err(Failure::wrong_type(
                "an id, a name or an object is expected",
            )),
        },
    }
}
