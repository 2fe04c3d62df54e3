//! All objects in memory, with their names and what each plugin takes of its limits.
//!
//! The store has the same on disk. A change is made here first, in an [`Edit`] that
//! takes everything back when it fails; [`super::server`] then writes the objects that
//! were touched, and only after that anybody is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::change::{Change, StateChange, What};
use super::failure::Failure;
use super::object::{Object, map_weight};
use super::server::Caller;
use super::table::Table;
use crate::limits::Limits;

/// The first id. Plugins see ids of nine digits in the original as well.
const FIRST_ID: i64 = 100_000_001;

/// Bytes up to which a plugin may make an object grow that counts for somebody else.
const FOREIGN: u64 = 64 << 10;

/// What a plugin takes of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Objects.
    pub objects: u64,
    /// Bytes of all of them.
    pub bytes: u64,
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
    objects: BTreeMap<i64, Arc<Object>>,
    names: HashMap<Table, HashMap<String, i64>>,
    usage: HashMap<String, Usage>,
    last_id: i64,
    sequence: u64,
}

impl Database {
    /// The object with this id.
    #[must_use]
    pub fn any(&self, id: i64) -> Option<&Arc<Object>> {
        self.objects.get(&id)
    }

    /// The object of a table that is meant.
    #[must_use]
    pub fn find(&self, table: Table, reference: &Reference) -> Option<&Arc<Object>> {
        let id = match reference {
            Reference::Id(id) => *id,
            Reference::Name(name) => *self.names.get(&table)?.get(name)?,
        };
        self.objects.get(&id).filter(|it| it.table == table)
    }

    /// The same, or the failure that Python raises as `KeyError`.
    ///
    /// # Errors
    ///
    /// That there is no such object.
    pub fn get(&self, table: Table, reference: &Reference) -> Result<&Arc<Object>, Failure> {
        self.find(table, reference).ok_or_else(|| {
            let words = table.words();
            Failure::key(match reference {
                Reference::Id(id) => format!("there is no {words} with id {id}"),
                Reference::Name(name) => format!("there is no {words} called '{name}'"),
            })
        })
    }

    /// The objects of a table, oldest first.
    pub fn list(&self, table: Table) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values().filter(move |it| it.table == table)
    }

    /// Every object of every table.
    pub fn all(&self) -> impl Iterator<Item = &Arc<Object>> {
        self.objects.values()
    }

    /// What a plugin takes of its limits.
    #[must_use]
    pub fn usage(&self, plugin: &str) -> Usage {
        self.usage.get(plugin).copied().unwrap_or_default()
    }

    /// The number of the last change.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Puts an object in its place, or takes it out, without telling anybody.
    pub fn put(&mut self, id: i64, object: Option<Arc<Object>>) {
        if let Some(old) = self.objects.remove(&id) {
            if let Some(names) = self.names.get_mut(&old.table) {
                names.remove(old.name());
            }
            let bytes = cost(&old);
            if let Some(usage) = self.usage.get_mut(&old.hidden.charged) {
                usage.objects = usage.objects.saturating_sub(1);
                usage.bytes = usage.bytes.saturating_sub(bytes);
            }
        }
        if let Some(object) = object {
            self.last_id = self.last_id.max(id);
            let names = self.names.entry(object.table).or_default();
            names.insert(object.name().to_owned(), id);
            let usage = self.usage.entry(object.hidden.charged.clone()).or_default();
            usage.objects = usage.objects.saturating_add(1);
            usage.bytes = usage.bytes.saturating_add(cost(&object));
            self.objects.insert(id, object);
        }
    }

    /// No id up to this one is given out again.
    pub fn start_after(&mut self, id: i64) {
        self.last_id = self.last_id.max(id);
    }

    /// Adds an object without telling anybody; returns its id.
    pub fn add(&mut self, mut object: Object) -> i64 {
        object.id = self.next_id();
        let id = object.id;
        self.put(id, Some(Arc::new(object)));
        id
    }

    fn next_id(&mut self) -> i64 {
        self.last_id = self.last_id.max(FIRST_ID - 1).saturating_add(1);
        self.last_id
    }
}

/// What an object counts against `stored-bytes`.
fn cost(object: &Object) -> u64 {
    map_weight(&object.fields)
}

/// A change in the making: all of it happens, or nothing.
pub struct Edit<'a> {
    database: &'a mut Database,
    before: Vec<(i64, Option<Arc<Object>>)>,
    changes: Vec<Change>,
    caller: &'a Caller,
}

impl<'a> Edit<'a> {
    /// An edit on behalf of somebody, within that one's limits.
    pub fn new(database: &'a mut Database, caller: &'a Caller) -> Self {
        Self {
            database,
            before: Vec::new(),
            changes: Vec::new(),
            caller,
        }
    }

    /// The objects as they are with what was changed so far.
    #[must_use]
    pub fn database(&self) -> &Database {
        self.database
    }

    /// Adds an object; its id is set here. Of a draft nobody is told.
    ///
    /// # Errors
    ///
    /// A name that is taken, a limit.
    pub fn create(&mut self, mut object: Object) -> Result<Arc<Object>, Failure> {
        self.check_name(object.table, object.name(), None)?;
        object.id = self.database.next_id();
        let object = Arc::new(object);
        self.place(object.id, Some(Arc::clone(&object)))?;
        if !object.hidden.draft {
            self.tell(What::Created(Arc::clone(&object)), Vec::new());
        }
        Ok(object)
    }

    /// Replaces an object by a changed copy; no change is told when it is the same. A draft
    /// that is none any more is told as new.
    ///
    /// # Errors
    ///
    /// A name that is taken, a limit.
    pub fn update(
        &mut self,
        object: Object,
        states: Vec<StateChange>,
    ) -> Result<Arc<Object>, Failure> {
        let Some(old) = self.database.any(object.id).cloned() else {
            return Err(Failure::key(format!("there is no object {}", object.id)));
        };
        if *old == object {
            return Ok(old);
        }
        if old.name() != object.name() {
            self.check_name(object.table, object.name(), Some(object.id))?;
        }
        let new = Arc::new(object);
        self.place(new.id, Some(Arc::clone(&new)))?;
        match (old.hidden.draft, new.hidden.draft) {
            (_, true) => {}
            (true, false) => self.tell(What::Created(Arc::clone(&new)), Vec::new()),
            (false, false) => {
                let new = Arc::clone(&new);
                self.tell(What::Updated { old, new }, states);
            }
        }
        Ok(new)
    }

    /// Removes an object; nothing happens when it is gone already.
    ///
    /// # Errors
    ///
    /// None today.
    pub fn delete(&mut self, id: i64) -> Result<(), Failure> {
        let Some(old) = self.database.any(id).cloned() else {
            return Ok(());
        };
        self.place(id, None)?;
        if !old.hidden.draft {
            self.tell(What::Deleted(old), Vec::new());
        }
        Ok(())
    }

    fn check_name(&self, table: Table, name: &str, own: Option<i64>) -> Result<(), Failure> {
        if name.is_empty() {
            return Err(Failure::value(format!("a {} needs a name", table.words())));
        }
        let found = self.database.find(table, &Reference::Name(name.to_owned()));
        match found {
            Some(other) if Some(other.id) != own => Err(Failure::value("NameNotUniqueError")),
            _ => Ok(()),
        }
    }

    fn place(&mut self, id: i64, object: Option<Arc<Object>>) -> Result<(), Failure> {
        let charged = object.as_ref().map(|it| it.hidden.charged.clone());
        let was = charged.as_ref().map(|plugin| self.database.usage(plugin));
        let old = self.database.any(id).cloned();
        let new = object.as_ref().map_or(0, |it| cost(it));
        let grew = new > old.as_ref().map_or(0, |it| cost(it));
        self.before.push((id, old));
        self.database.put(id, object);
        if let (Some(limits), Some(plugin), Some(was)) = (self.caller.limits(), charged, was) {
            if plugin != self.caller.charged() {
                // At the cost of another: no more than anybody needs.
                if grew && new > FOREIGN {
                    return Err(Limits::hit("stored-bytes", new, FOREIGN).into());
                }
                return Ok(());
            }
            let now = self.database.usage(&plugin);
            // What is over already may shrink and stay: only growth is refused.
            if now.objects > was.objects && now.objects > limits.devices {
                return Err(Limits::hit("devices", now.objects, limits.devices).into());
            }
            if now.bytes > was.bytes && now.bytes > limits.stored_bytes {
                return Err(Limits::hit("stored-bytes", now.bytes, limits.stored_bytes).into());
            }
        }
        Ok(())
    }

    fn tell(&mut self, what: What, states: Vec<StateChange>) {
        self.database.sequence = self.database.sequence.saturating_add(1);
        self.changes.push(Change {
            sequence: self.database.sequence,
            what,
            states,
            by: self.caller.chain(),
        });
    }

    /// Keeps what was done: the ids that were touched, and what to tell.
    #[must_use]
    pub fn keep(self) -> (Vec<i64>, Vec<Change>) {
        let mut ids: Vec<i64> = self.before.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        (ids, self.changes)
    }

    /// Takes everything back.
    pub fn undo(self) {
        for (id, object) in self.before.into_iter().rev() {
            self.database.put(id, object);
        }
    }
}

/// The reference in an argument: a whole number is an id, text a name, an object
/// stands for its own id.
///
/// # Errors
///
/// A value of another type.
pub fn reference(value: &Value) -> Result<Reference, Failure> {
    match value {
        Value::String(name) => Ok(Reference::Name(name.clone())),
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
