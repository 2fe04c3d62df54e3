//! Changes of objects: made in memory, written to the store, and handed on to be told.

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::caller::Caller;
use super::change::StateChange;
use super::database::{Database, Edit, Kept, Version};
use super::failure::Failure;
use super::hold::Hold;
use super::object::Object;
use super::places::{Place, Places};
use super::records;
use super::server::{IndigoServer, Pending, lock};
use super::weighed::Weighed;
use cordon_store::{Store, StoreError};

/// How often a change is made anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 16;

/// A caller's turn to make a change.
struct Turn {
    place: Place,
    store: Store,
}

impl IndigoServer {
    /// Makes a change; it is on disk when this returns. Everybody waits while `edit` runs, so work
    /// that takes longer for a large object is done before.
    ///
    /// # Errors
    ///
    /// The failure of `edit`, or the store refused the change; then nothing was changed.
    pub async fn edit<T>(
        &self,
        caller: &Caller,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let turn = self.turn(caller).await;
        self.commit(caller, turn, edit).await
    }

    /// Waits until the caller may make a change. The wait comes before the change, because changes
    /// of others that were made later are told after it.
    async fn turn(&self, caller: &Caller) -> Turn {
        let store = match caller.plugin() {
            Some(plugin) => self.store.of(&plugin.account, &plugin.log),
            None => self.store.clone(),
        };
        let place = self.places(caller).take().await;
        store.admit().await;
        Turn { place, store }
    }

    fn places<'a>(&'a self, caller: &'a Caller) -> &'a Places {
        caller.plugin().map_or(&self.places, |it| &it.places)
    }

    async fn commit<T>(
        &self,
        caller: &Caller,
        turn: Turn,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let Turn { place, store } = turn;
        let (value, versions, stored, place) = {
            let mut database = self.database();
            let mut making = Edit::new(&mut database, caller);
            let value = match edit(&mut making) {
                Ok(value) => value,
                Err(failure) => {
                    making.undo();
                    return Err(failure);
                }
            };
            let Kept {
                versions,
                changes,
                before,
            } = making.keep();
            if versions.is_empty() {
                return Ok(value);
            }
            let (place, untold) = self.places(caller).divide(place, &changes);
            let (stored, told) = oneshot::channel();
            let pending = Pending {
                stored: told,
                changes,
                _before: before,
                _places: untold,
            };
            // Under the lock, so that changes are told in the order in which they were
            // made. The other side lives as long as the server.
            let _ = self.pending.send(pending);
            (value, versions, stored, place)
        };
        // In a task of its own: when a plugin is dropped while it waits, no change may stay in
        // memory without being in the store.
        let database = Arc::clone(&self.database);
        let writing = tokio::spawn(async move {
            let result = save(&store, &database, versions).await;
            let _ = stored.send(result.is_ok());
            drop(place);
            result
        });
        match writing.await {
            Ok(Ok(())) => Ok(value),
            Ok(Err(error)) => Err(error.into()),
            Err(error) => {
                tracing::error!(%error, "a change could not be stored");
                Err(Failure::other("the server could not store the change"))
            }
        }
    }

    /// Weighs an object on its way into the database. The plugin that it counts for pays, whoever
    /// the `caller` is; with `hold`, room is also taken for the object as its owner will be shown
    /// it.
    ///
    /// When the object counts for another plugin and that plugin cannot pay, the charge for the
    /// earlier version is enough in two cases: for the operator, and for a plugin that makes the
    /// object no larger.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`.
    pub(super) fn weigh(
        &self,
        caller: &Caller,
        object: Object,
        hold: Option<&Hold>,
    ) -> Result<Weighed, Failure> {
        let own = object.hidden.charged == caller.charged();
        let other = match own {
            true => None,
            false => self.plugin(&object.hidden.charged),
        };
        let before = self.database().own(object.id).memory;
        let mut weighed = Weighed::new(object);
        if own {
            weighed.pay(self.account(caller))?;
        } else if let Some(plugin) = other
            && let Err(failure) = weighed.pay(&plugin.account)
        {
            if caller.plugin().is_some() && weighed.own().memory > before {
                let text = format!("the object is plugin '{}'s: {failure}", plugin.id());
                return Err(Failure::other(text));
            }
            tracing::debug!(plugin = plugin.id(), %failure, "an object grew by another's doing");
        }
        if let Some(hold) = hold {
            hold.take(weighed.size().shown())?;
        }
        Ok(weighed)
    }

    /// Changes one object; it is on disk when this returns. The copy that `change` gets is made
    /// without holding anybody up. The copy is made anew when somebody else was faster, so `change`
    /// may run several times. Nothing happens when the copy stays the same.
    ///
    /// # Errors
    ///
    /// The failure of `find` or `change`, a limit, or the store refused the change; then nothing
    /// was changed.
    pub(super) async fn alter<T>(
        &self,
        caller: &Caller,
        hold: Option<&Hold>,
        find: impl Fn(&Database) -> Result<Arc<Object>, Failure>,
        mut change: impl FnMut(&Object, &mut Object) -> Result<(T, Vec<StateChange>), Failure>,
    ) -> Result<(Arc<Object>, T), Failure> {
        for _ in 0..ATTEMPTS {
            // The turn comes before the copy. A turn may be long in coming when a plugin makes many
            // changes, and by then the object would be another one.
            let turn = self.turn(caller).await;
            let (old, size) = {
                let database = self.database();
                let old = find(&database)?;
                let size = database.size(old.id);
                (old, size)
            };
            // Room for the copy, until the copy is weighed itself.
            let room = self.account(caller).charge(size.memory)?;
            let mut new = Object::clone(&old);
            let (value, states) = change(&old, &mut new)?;
            if *old == new {
                if let Some(hold) = hold {
                    hold.take(size.shown())?;
                }
                return Ok((old, value));
            }
            drop(room);
            let weighed = self.weigh(caller, new, hold)?;
            let made = self
                .commit(caller, turn, |edit| edit.replace(&old, weighed, states))
                .await?;
            if let Some(made) = made {
                return Ok((made, value));
            }
        }
        Err(Failure::other(
            "the object is changed by others all the time; try again",
        ))
    }
}

/// Writes objects as they are now. Two changes of one object may be written in either order,
/// because the newest state is always the one that is written. When objects could not be written,
/// the store's version holds again for those that were not changed once more since.
pub(super) async fn save(
    store: &Store,
    database: &Arc<Mutex<Database>>,
    versions: Vec<Version>,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = versions.iter().map(|it| it.id).collect();
    let shared = Arc::clone(database);
    let wanted = ids.clone();
    let result = store
        .write_now(move |transaction| {
            let rows = lock(&shared).unstored(&wanted);
            records::save(transaction, &rows)?;
            Ok::<_, StoreError>(rows)
        })
        .await;
    match result {
        Ok(rows) => {
            lock(database).stored(&rows);
            Ok(())
        }
        Err(error) => {
            let kept = store
                .read(move |connection| {
                    let one = |id: i64| {
                        let object = records::load_one(connection, id)?;
                        Ok(object.map(Weighed::loaded))
                    };
                    ids.into_iter()
                        .map(one)
                        .collect::<Result<Vec<_>, StoreError>>()
                })
                .await;
            if let Ok(kept) = kept {
                let mut database = lock(database);
                for (failed, kept) in versions.iter().zip(kept) {
                    database.restore(failed, kept);
                }
            }
            Err(error)
        }
    }
}
