//! All objects in memory, with their names and the use that each plugin makes of its limits.
//!
//! The store has the same objects on disk. A change is made here first, in an [`Edit`] that takes
//! everything back when it fails. [`super::server`] then writes the objects that were touched, and
//! only after that tells anybody. Objects come as [`Weighed`], so that nothing here takes longer
//! for a large one: everybody waits for the database.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::Value;

use super::bounds::{self, WATCHING, count, quoted};
use super::change::{Change, StateChange, What};
use super::failure::Failure;
use super::object::{NO_FOLDER, Object};
use super::caller::Caller;
use super::table::Table;
use super::trigger::watched;
use super::weighed::{Size, Weighed};
use cordon_base::account::{Account, Charge};
use cordon_base::limits::Limits;

/// The first id. Plugins see ids of nine digits in the original as well.
const FIRST_ID: i64 = 100_000_001;

/// Bytes up to which a plugin may make an object grow whose room is counted for somebody else.
const FOREIGN: u64 = 64 << 10;

/// A plugin's use of its limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Number of objects.
    pub objects: u64,
    /// Bytes of all its objects in the store.
    pub bytes: u64,
}

/// An object in its place.
#[derive(Debug)]
pub struct Placed {
    object: Arc<Object>,
    /// Bytes of its text in the store.
    weight: u64,
    /// Bytes of memory that the object takes, about.
    memory: u64,
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
}

impl From<Weighed> for Placed {
    fn from(weighed: Weighed) -> Self {
        Self {
            object: Arc::new(weighed.object),
            weight: count(weighed.text.len()),
            memory: weighed.memory,
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
            if let Some(usage) = self.usage.get_mut(&old.object.hidden.charged) {
                usage.objects = usage.objects.saturating_sub(1);
                usage.bytes = usage.bytes.saturating_sub(old.weight);
            }
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
            let usage = self.usage.entry(object.hidden.charged.clone()).or_default();
            usage.objects = usage.objects.saturating_add(1);
            usage.bytes = usage.bytes.saturating_add(placed.weight);
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
                if let Some(charge) = &mut placed.charge {
                    charge.shrink_to(placed.memory);
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
        let memory = placed.memory;
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

    /// Charges the objects of a plugin to its account, as far as there is room. Stored objects
    /// stay, whatever the limit is now.
    pub fn charge(&mut self, plugin: &str, account: &Arc<Account>) {
        self.accounts.insert(plugin.to_owned(), Arc::clone(account));
        for placed in self.objects.values_mut() {
            if placed.object.hidden.charged == plugin && placed.charge.is_none() {
                placed.charge = account.charge(placed.memory).ok();
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

/// A change in the making. Either all of it happens or nothing.
pub struct Edit<'a> {
    database: &'a mut Database,
    before: Vec<(i64, Option<Placed>)>,
    changes: Vec<Change>,
    caller: &'a Caller,
}

/// The result of an edit that is kept.
pub struct Kept {
    /// The objects that were touched, as they are now.
    pub versions: Vec<Version>,
    /// The changes to be told.
    pub changes: Vec<Change>,
    /// Charges for the earlier versions of the objects, held until everybody was told.
    pub before: Vec<Charge>,
}

impl<'a> Edit<'a> {
    /// An edit on behalf of a caller, within the caller's limits.
    pub fn new(database: &'a mut Database, caller: &'a Caller) -> Self {
        Self {
            database,
            before: Vec::new(),
            changes: Vec::new(),
            caller,
        }
    }

    /// The objects, with all changes of this edit so far.
    #[must_use]
    pub fn database(&self) -> &Database {
        self.database
    }

    /// Adds an object and sets its id. Nobody is told of a draft.
    ///
    /// # Errors
    ///
    /// The name is taken, or a limit.
    pub fn create(&mut self, mut weighed: Weighed) -> Result<Arc<Object>, Failure> {
        let (table, draft) = (weighed.object.table, weighed.object.hidden.draft);
        self.check_name(table, weighed.object.name(), None)?;
        self.check_folder(&weighed.object)?;
        self.check_watching(&weighed.object)?;
        let id = self.database.next_id();
        weighed.object.id = id;
        let placed = Placed::from(weighed);
        let object = Arc::clone(&placed.object);
        self.place(id, Some(placed))?;
        if !draft {
            self.tell(What::Created(Arc::clone(&object)), Vec::new());
        }
        Ok(object)
    }

    /// Replaces an object by a changed copy of it. When a draft becomes a real object, it is told
    /// as new. Returns nothing, and changes nothing, when the object is no longer the one that was
    /// copied.
    ///
    /// # Errors
    ///
    /// The name is taken, or a limit.
    pub fn replace(
        &mut self,
        old: &Arc<Object>,
        weighed: Weighed,
        states: Vec<StateChange>,
    ) -> Result<Option<Arc<Object>>, Failure> {
        let is_there = |now: &Arc<Object>| Arc::ptr_eq(now, old);
        if !self.database.any(old.id).is_some_and(is_there) {
            return Ok(None);
        }
        let object = &weighed.object;
        if old.name() != object.name() {
            self.check_name(object.table, object.name(), Some(object.id))?;
        }
        if old.number("folderId") != object.number("folderId") {
            self.check_folder(object)?;
        }
        if watched(old) != watched(object) {
            self.check_watching(object)?;
        }
        let placed = Placed::from(weighed);
        let new = Arc::clone(&placed.object);
        self.place(new.id, Some(placed))?;
        match (old.hidden.draft, new.hidden.draft) {
            (_, true) => {}
            (true, false) => self.tell(What::Created(Arc::clone(&new)), Vec::new()),
            (false, false) => {
                let (old, new) = (Arc::clone(old), Arc::clone(&new));
                self.tell(What::Updated { old, new }, states);
            }
        }
        Ok(Some(new))
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
        bounds::short("a name", name, bounds::NAME)?;
        let found = self.database.find(table, &Reference::Name(name.to_owned()));
        match found {
            Some(other) if Some(other.id) != own => Err(Failure::value("NameNotUniqueError")),
            _ => Ok(()),
        }
    }

    /// Refuses a trigger when its plugin has too many on one object. Every change of an object,
    /// whoever makes it, looks at every trigger that watches the object. The operator may have any
    /// number, since the operator knows how many there are.
    fn check_watching(&self, trigger: &Object) -> Result<(), Failure> {
        let plugin = &trigger.hidden.charged;
        let Some(watched) = watched(trigger).filter(|_| !plugin.is_empty()) else {
            return Ok(());
        };
        let others = self.database.watching.get(&watched).into_iter().flatten();
        let others = others.filter_map(|id| self.database.any(*id));
        let own = others.filter(|it| it.hidden.charged == *plugin && it.id != trigger.id);
        if own.count() < WATCHING {
            return Ok(());
        }
        Err(Failure::value(format!(
            "{WATCHING} triggers of this plugin watch the object already"
        )))
    }

    /// Refuses a folder that was removed after it was looked up.
    fn check_folder(&self, object: &Object) -> Result<(), Failure> {
        let id = object.number("folderId");
        if id == NO_FOLDER || object.table.folders {
            return Ok(());
        }
        let folders = object.table.collection.folders();
        self.database.get(folders, &Reference::Id(id)).map(drop)
    }

    fn place(&mut self, id: i64, placed: Option<Placed>) -> Result<(), Failure> {
        let charged = placed.as_ref().map(|it| it.object.hidden.charged.clone());
        let was = charged.as_ref().map(|plugin| self.database.usage(plugin));
        let new = placed.as_ref().map_or(0, |it| it.weight);
        let old = self.database.put(id, placed);
        let grew = new > old.as_ref().map_or(0, |it| it.weight);
        self.before.push((id, old));
        if let (Some(limits), Some(plugin), Some(was)) = (self.caller.limits(), charged, was) {
            if plugin != self.caller.charged() {
                // The room is another's, so an object grows no further than anybody needs.
                if grew && new > FOREIGN {
                    return Err(Limits::hit("stored-bytes", new, FOREIGN).into());
                }
                return Ok(());
            }
            let now = self.database.usage(&plugin);
            // A use that is over a limit already may shrink or stay. Only growth is refused.
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
        let before = self.before.last().and_then(|(_, placed)| placed.as_ref());
        let before = before.map_or(0, |it| it.memory);
        let after = self.database.size(what.object().id).memory;
        self.changes.push(Change {
            memory: before.saturating_add(after),
            sequence: self.database.sequence,
            what,
            states,
            by: self.caller.chain(),
        });
    }

    /// Keeps the changes of this edit.
    #[must_use]
    pub fn keep(self) -> Kept {
        let mut ids: Vec<i64> = self.before.iter().map(|(id, _)| *id).collect();
        ids.dedup();
        let mut before = Vec::new();
        for (id, placed) in self.before {
            let Some(old) = placed else { continue };
            let Some(charge) = old.charge else { continue };
            match self.database.objects.get_mut(&id) {
                // Its account has no room for both versions.
                Some(new)
                    if new.charge.is_none()
                        && new.object.hidden.charged == old.object.hidden.charged =>
                {
                    new.charge = Some(charge);
                }
                _ => before.push(charge),
            }
        }
        Kept {
            versions: self.database.versions(ids),
            changes: self.changes,
            before,
        }
    }

    /// Takes all changes of this edit back.
    pub fn undo(self) {
        for (id, placed) in self.before.into_iter().rev() {
            self.database.put(id, placed);
        }
    }
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
