//! A change of objects in the making, which takes everything back when it fails.

use std::sync::Arc;

use super::{Database, Placed, Reference, Version};
use crate::bounds::{self, WATCHING};
use crate::caller::Caller;
use crate::change::{Change, StateChange, What};
use crate::failure::Failure;
use crate::object::{NO_FOLDER, Object};
use crate::table::Table;
use crate::trigger::watched;
use crate::weighed::Weighed;
use cordon_base::account::Charge;
use cordon_base::limits::Limits;

/// Bytes up to which a plugin may make an object grow whose room is counted for somebody else.
const FOREIGN: u64 = 64 << 10;

/// Bytes that all parts of one plugin in objects of others may take, in memory and in the store.
/// Whoever lists such objects is shown these parts, so they are no longer than anybody can bear.
const SHARED: u64 = 2 << 20;

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
        let plugin = self.caller.charged();
        let was = self.database.usage(plugin);
        let foreign = placed.as_ref().map(|it| &it.object.hidden.charged);
        let foreign = foreign.is_some_and(|charged| charged != plugin);
        let parts = |it: &Option<Placed>| it.as_ref().map_or([0, 0], |it| it.parts(plugin));
        let weight = |it: &Option<Placed>| it.as_ref().map_or(0, |it| it.weight);
        let (new, whole) = (parts(&placed), weight(&placed));
        let old = self.database.put(id, placed);
        let grew = whole > weight(&old);
        let larger = new.into_iter().zip(parts(&old));
        let larger = larger.filter(|(new, old)| grew && new > old).map(|it| it.0);
        let larger = larger.max().unwrap_or(0);
        self.before.push((id, old));
        if let Some(limits) = self.caller.limits() {
            // The object is another's, so it grows no further than anybody needs.
            if foreign && larger > FOREIGN {
                return Err(Limits::hit("stored-bytes", larger, FOREIGN).into());
            }
            let now = self.database.usage(plugin);
            if now.shared > was.shared && now.shared > SHARED {
                return Err(Failure::other(format!(
                    "the properties and values that this plugin keeps in objects of others would \
                     take {} bytes, {SHARED} are allowed",
                    now.shared
                )));
            }
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
