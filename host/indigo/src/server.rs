//! The Indigo server of the hub: its objects, its plugins, and who is told of changes.
//!
//! A change is made in memory, written to the store, answered, and told, in this order.
//! Whoever asks for a change gets an answer when it is on disk; whoever is told of one
//! is told in the order in which changes were made. Commands are in [`super::command`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::Zoned;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::arguments::Arguments;
use super::bounds;
use super::change::{Change, StateChange};
use super::command;
use super::database::{Database, Edit, Kept, Version};
use super::device::DeviceClass;
use super::dispatch;
use super::driven::driven;
use super::failure::Failure;
use super::hold::Hold;
use super::log_follower;
use super::object::Object;
use super::places::{Place, Places};
use super::plans::Plans;
use super::plugin::Plugin;
use super::records;
use super::sprinkler::Sprinklers;
use super::sun::Sun;
use super::table::{Collection, Table};
use super::timers::Timers;
use super::trigger;
use super::view::view;
use super::watchers::{Watcher, Watchers};
use super::weighed::Weighed;
use cordon_base::account::{Account, Charge};
use cordon_base::error::EngineError;
use cordon_base::limits::Limits;
use cordon_base::log::EventLog;
use cordon_base::pool::Pools;
use cordon_reach::mail::Mailer;
use cordon_store::{Store, StoreError};

/// Longest arguments of a command that is carried out on the thread of its caller, in bytes.
const SMALL: usize = 4096;

/// How often a change is made anew because somebody else changed the object meanwhile.
const ATTEMPTS: usize = 16;

/// Facts about the hub that plugins ask for.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// The web server, without a slash at the end; empty for none.
    pub web_url: String,
    /// Its port; 0 for none.
    pub port: u16,
    /// What sends mail, when there is a mail server.
    pub mailer: Option<Mailer>,
}

/// Who gives a command.
#[derive(Clone)]
pub enum Caller {
    /// A plugin.
    Plugin(Arc<Plugin>),
    /// Somebody over the HTTP API, or the hub itself: `api-http`, `api-websocket`,
    /// `server`.
    Operator(&'static str),
    /// The server, because of something that happened.
    Chain(Chain),
}

/// Where an event comes from.
#[derive(Clone)]
pub struct Chain {
    /// The plugin whose doing it is, if it is one's.
    pub plugin: Option<Arc<Plugin>>,
    /// How many events came before it that it follows from.
    pub depth: u32,
    /// How many steps may still follow from the first of them.
    pub left: Arc<AtomicU32>,
}

/// Steps that may follow from one event.
const STEPS: u32 = 1000;

impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let plugin = self.plugin.as_ref().map(|it| it.id());
        write!(f, "Chain({plugin:?}, {})", self.depth)
    }
}

impl Caller {
    /// The id of the plugin, if it is one.
    #[must_use]
    pub fn plugin_id(&self) -> Option<&str> {
        match self {
            Self::Plugin(plugin) => Some(plugin.id()),
            Self::Operator(_) | Self::Chain(_) => None,
        }
    }

    /// The plugin whose doing it is.
    #[must_use]
    pub fn plugin(&self) -> Option<&Arc<Plugin>> {
        match self {
            Self::Plugin(plugin) => Some(plugin),
            Self::Chain(chain) => chain.plugin.as_ref(),
            Self::Operator(_) => None,
        }
    }

    /// Whose limits something counts for; empty for the operator.
    #[must_use]
    pub fn charged(&self) -> &str {
        self.plugin().map_or("", |plugin| plugin.id())
    }

    /// How many events it follows from.
    #[must_use]
    pub fn depth(&self) -> u32 {
        match self {
            Self::Chain(chain) => chain.depth,
            _ => 0,
        }
    }

    /// The same with nothing before it.
    #[must_use]
    pub fn renewed(self) -> Self {
        match self {
            Self::Chain(chain) => Self::Chain(Chain {
                depth: 0,
                left: Arc::new(AtomicU32::new(STEPS)),
                ..chain
            }),
            other => other,
        }
    }

    /// The same as the origin of what follows.
    #[must_use]
    pub fn chain(&self) -> Chain {
        if let Self::Chain(chain) = self {
            return chain.clone();
        }
        Chain {
            plugin: self.plugin().cloned(),
            depth: 0,
            left: Arc::new(AtomicU32::new(STEPS)),
        }
    }

    /// The limits that apply to it.
    #[must_use]
    pub fn limits(&self) -> Option<&Limits> {
        self.plugin().map(|plugin| &plugin.limits)
    }

    /// What event data says about where an event came from.
    #[must_use]
    pub fn source(&self) -> &'static str {
        match self {
            Self::Plugin(_) => "python",
            Self::Operator(source) => source,
            Self::Chain(_) => "server",
        }
    }
}

/// A change on its way to the store, and those who are told when it is there.
pub(super) struct Pending {
    pub(super) stored: oneshot::Receiver<bool>,
    pub(super) changes: Vec<Change>,
    /// What the objects take that were there before.
    pub(super) _before: Vec<Charge>,
    /// Places of whoever made the changes, until they are told.
    pub(super) _places: Place,
}

/// Somebody's turn to make a change.
struct Turn {
    place: Place,
    store: Store,
}

/// The server.
pub struct IndigoServer {
    database: Arc<Mutex<Database>>,
    store: Store,
    events: EventLog,
    plugins: RwLock<BTreeMap<String, Arc<Plugin>>>,
    watchers: Watchers,
    /// Bounded by the places of those who make changes.
    pending: mpsc::UnboundedSender<Pending>,
    places: Places,
    /// The account of what the operator and the server itself do.
    pub(super) account: Arc<Account>,
    pub(super) pools: Pools,
    options: ServerOptions,
    /// What waits for its time.
    pub(super) timers: Timers,
    /// When schedules are due.
    pub(super) plans: Plans,
    /// Where and when the sun rises.
    pub(super) sun: Sun,
    /// Schedules of sprinklers.
    pub(super) sprinklers: Sprinklers,
    follows_log: AtomicBool,
    /// Changes on their way that nobody waits for, of the operator's triggers.
    pub(super) steps: Arc<AtomicU64>,
}

impl IndigoServer {
    /// The server with the objects of this store. Its tasks end with it.
    ///
    /// # Errors
    ///
    /// [`EngineError::Store`] when the objects cannot be read.
    pub async fn open(
        store: Store,
        events: EventLog,
        pools: Pools,
        options: ServerOptions,
    ) -> Result<Arc<Self>, EngineError> {
        let loaded = store.read(|connection| {
            let objects = records::load(connection)?;
            Ok::<_, StoreError>((objects, records::last_id(connection)?))
        });
        let (objects, last) = loaded
            .await
            .map_err(|error| EngineError::Store(error.to_string()))?;
        let mut database = Database::default();
        database.start_after(last);
        // Drafts of dialogs that nobody can save any more.
        let (drafts, objects): (Vec<_>, Vec<_>) =
            objects.into_iter().partition(|it| it.hidden.draft);
        for object in objects {
            database.put(object.id, Some(Weighed::loaded(object).into()));
        }
        let sun = Sun::new(options.latitude, options.longitude);
        let mut changed: Vec<_> = drafts.iter().map(|it| it.id).collect();
        changed.extend(super::clock::add_daylight(&mut database, &sun));
        let versions = database.versions(changed);
        let database = Arc::new(Mutex::new(database));
        if !versions.is_empty() {
            save(&store, &database, versions)
                .await
                .map_err(|error| EngineError::Store(error.to_string()))?;
        }
        let (pending, receiver) = mpsc::unbounded_channel();
        let server = Arc::new(Self {
            database,
            store,
            events,
            plugins: RwLock::default(),
            watchers: Watchers::default(),
            pending,
            places: Places::of_server(),
            account: Account::of_hub(),
            pools,
            sun,
            options,
            timers: Timers::default(),
            plans: Plans::default(),
            sprinklers: Sprinklers::default(),
            follows_log: AtomicBool::new(false),
            steps: Arc::default(),
        });
        tokio::spawn(dispatch::run(Arc::downgrade(&server), receiver));
        super::clock::start(&server);
        Ok(server)
    }

    /// Carries out a command.
    ///
    /// `name` is the command's name in Indigo without `indigo.`, such as
    /// `variable.updateValue`; `arguments` a JSON object by the documented names.
    ///
    /// # Errors
    ///
    /// [`Failure`]; then nothing was changed.
    pub async fn command(
        self: &Arc<Self>,
        caller: &Caller,
        name: &str,
        arguments: Value,
    ) -> Result<Value, Failure> {
        let arguments = Arguments::new(arguments)?;
        let hold = Hold::new(self.account(caller));
        let _asker = hold.asker();
        if command::is_light(self, name, &arguments) {
            return command::run(self, caller, name, arguments, &hold).await;
        }
        let account = Arc::clone(self.account(caller));
        let (server, caller, name) = (Arc::clone(self), caller.clone(), name.to_owned());
        self.apart(&account, async move {
            command::run(&server, &caller, &name, arguments, &hold).await
        })
        .await
    }

    /// Carries out a command of a plugin, from JSON to JSON. What is not known to be small
    /// is done on a pool, in turn with others and at the plugin's cost.
    ///
    /// # Errors
    ///
    /// As [`Self::command`], and `command-values`.
    pub async fn command_of(
        self: &Arc<Self>,
        plugin: &Arc<Plugin>,
        name: String,
        text: String,
    ) -> Result<String, Failure> {
        let hold = Hold::new(&plugin.account);
        let _asker = hold.asker();
        let caller = Caller::Plugin(Arc::clone(plugin));
        let mut begun = None;
        if text.len() <= SMALL {
            let arguments = bounds::read(&text, Some(&plugin.limits), &hold)?;
            let arguments = Arguments::new(arguments)?;
            if command::is_light(self, &name, &arguments) {
                let done = command::run(self, &caller, &name, arguments, &hold).await;
                return done.map(|value| value.to_string());
            }
            begun = Some(arguments);
        }
        let (server, limits) = (Arc::clone(self), plugin.limits.clone());
        self.apart(&plugin.account, async move {
            let arguments = match begun {
                Some(arguments) => arguments,
                None => Arguments::new(bounds::read(&text, Some(&limits), &hold)?)?,
            };
            drop(text);
            let done = command::run(&server, &caller, &name, arguments, &hold).await?;
            Ok(done.to_string())
        })
        .await
    }

    /// Does something that may be long on the pool of commands.
    async fn apart<T: Send + 'static>(
        &self,
        account: &Arc<Account>,
        work: impl Future<Output = Result<T, Failure>> + Send + 'static,
    ) -> Result<T, Failure> {
        driven(&self.pools.commands, account, work)
            .await
            .unwrap_or_else(|error| Err(Failure::other(error.to_string())))
    }

    /// Whose account somebody's doing goes to.
    pub(super) fn account<'a>(&'a self, caller: &'a Caller) -> &'a Arc<Account> {
        caller.plugin().map_or(&self.account, |it| &it.account)
    }

    /// Every change from now on of the objects of a table.
    #[must_use]
    pub fn changes(&self, table: Table) -> Watcher {
        self.watchers.watch(table)
    }

    pub(super) fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// The account of what the operator and the server itself do.
    #[must_use]
    pub fn own_account(&self) -> &Arc<Account> {
        &self.account
    }

    /// The pools that work leaves the threads of callbacks for.
    #[must_use]
    pub fn pools(&self) -> &Pools {
        &self.pools
    }

    /// The plugin with this id.
    #[must_use]
    pub fn plugin(&self, id: &str) -> Option<Arc<Plugin>> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.get(id).cloned()
    }

    /// All plugins, by id.
    #[must_use]
    pub fn plugins(&self) -> Vec<Arc<Plugin>> {
        let plugins = self.plugins.read().unwrap_or_else(PoisonError::into_inner);
        plugins.values().cloned().collect()
    }

    /// Adds a plugin.
    ///
    /// # Errors
    ///
    /// [`EngineError::Config`] when there is one with its id already.
    pub fn add(&self, plugin: Plugin) -> Result<Arc<Plugin>, EngineError> {
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        let id = plugin.id().to_owned();
        if plugins.contains_key(&id) {
            return Err(EngineError::Config(format!(
                "two [[indigo]] sections have the bundle `{id}`; a plugin runs once"
            )));
        }
        let plugin = Arc::new(plugin);
        self.database().charge(&id, &plugin.account);
        plugins.insert(id, Arc::clone(&plugin));
        Ok(plugin)
    }

    /// The devices and triggers that a plugin is responsible for; from here on it is told of
    /// every later change.
    pub fn begin(&self, plugin: &Arc<Plugin>) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
        let database = self.database();
        // Under the lock: what comes later has a higher number.
        plugin.begin(database.sequence());
        active(&database, plugin)
    }

    /// The devices of a plugin that are enabled and configured, and its triggers that
    /// are enabled.
    #[must_use]
    pub fn active(&self, plugin: &Plugin) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
        active(&self.database(), plugin)
    }

    /// The plugins of the configuration have been started.
    pub fn ready(self: &Arc<Self>) {
        trigger::fire_class(self, "indigo.ServerStartupTrigger");
    }

    /// From here on plugins that asked for it are handed the lines of the log.
    pub(super) fn follow_log(self: &Arc<Self>) {
        if !self.follows_log.swap(true, Ordering::AcqRel) {
            let lines = self.events.subscribe();
            tokio::spawn(log_follower::run(Arc::downgrade(self), lines));
        }
    }

    /// What plugins are told about the hub.
    #[must_use]
    pub fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// The event log.
    #[must_use]
    pub fn events(&self) -> &EventLog {
        &self.events
    }

    /// The objects, for as long as nobody has to wait.
    pub fn database(&self) -> MutexGuard<'_, Database> {
        lock(&self.database)
    }

    /// An object as a caller sees it.
    #[must_use]
    pub fn see(&self, caller: &Caller, object: &Object) -> Value {
        let mut seen = view(object, caller.plugin_id());
        if object.hidden.device == DeviceClass::Sprinkler {
            self.sprinklers.show(object, &mut seen);
        }
        seen
    }

    /// Makes a change; it is on disk when this returns. Everybody waits while `edit` runs:
    /// what takes longer for a large object is done before.
    ///
    /// # Errors
    ///
    /// What `edit` says, or that the store refused it; then nothing was changed.
    pub async fn edit<T>(
        &self,
        caller: &Caller,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let turn = self.turn(caller).await;
        self.commit(caller, turn, edit).await
    }

    /// Waits until somebody may make a change: before it is made, because others are told of
    /// theirs after it.
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
        // In a task of its own: a plugin that is dropped while it waits must not leave
        // a change in memory that is not in the store.
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

    /// An object on its way into the database, paid for by whoever it counts for, whatever
    /// `caller` it is; with `hold` also what its owner will be shown. Where it counts for
    /// another, who cannot pay, what that one paid before has to do: for the operator, and
    /// for a plugin that makes it no larger.
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
        let before = self.database().size(object.id).memory;
        let mut weighed = Weighed::new(object);
        if own {
            weighed.pay(self.account(caller))?;
        } else if let Some(plugin) = other
            && let Err(failure) = weighed.pay(&plugin.account)
        {
            if caller.plugin().is_some() && weighed.size().memory > before {
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

    /// Changes one object; it is on disk when this returns. The copy that `change` gets is
    /// made without holding anybody up, and made anew when somebody else was faster, so
    /// `change` may run several times. Nothing happens where the copy stays the same.
    ///
    /// # Errors
    ///
    /// What `find` and `change` say, a limit, or that the store refused it; then nothing was
    /// changed.
    pub(super) async fn alter<T>(
        &self,
        caller: &Caller,
        hold: Option<&Hold>,
        find: impl Fn(&Database) -> Result<Arc<Object>, Failure>,
        mut change: impl FnMut(&Object, &mut Object) -> Result<(T, Vec<StateChange>), Failure>,
    ) -> Result<(Arc<Object>, T), Failure> {
        for _ in 0..ATTEMPTS {
            // Waited for before the copy is made: a turn is long in coming where a plugin
            // makes many changes, and the object would be another one by then.
            let turn = self.turn(caller).await;
            let (old, size) = {
                let database = self.database();
                let old = find(&database)?;
                let size = database.size(old.id);
                (old, size)
            };
            // Of the copy, until it is weighed itself.
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

fn active(database: &Database, plugin: &Plugin) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
    let own = |collection: Collection, ready: fn(&Object) -> bool| {
        let all = database.list(collection.objects());
        let own = all.filter(|it| it.owner() == plugin.id() && ready(it));
        own.cloned().collect()
    };
    (
        own(Collection::Devices, |it| {
            it.flag("enabled") && it.flag("configured")
        }),
        own(Collection::Triggers, |it| it.flag("enabled")),
    )
}

/// Writes objects as they are now. Two changes of one object may be written in either
/// order, because what is written is always its newest state. Of those that could not be
/// written the store's version holds again, unless they were changed once more since.
async fn save(
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

fn lock(database: &Mutex<Database>) -> MutexGuard<'_, Database> {
    database.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The local time as plugins see it.
#[must_use]
pub fn timestamp(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
