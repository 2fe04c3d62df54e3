//! The Indigo server of the hub: its objects, its plugins, and who is told of changes.
//!
//! A change is made in memory, written to the store, answered, and told, in this order.
//! Whoever asks for a change gets an answer when it is on disk; whoever is told of one
//! is told in the order in which changes were made. Commands are in [`super::command`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use jiff::Zoned;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc, oneshot};

use super::arguments::Arguments;
use super::change::Change;
use super::command;
use super::database::{Database, Edit};
use super::device::DeviceClass;
use super::dispatch;
use super::failure::Failure;
use super::log_follower;
use super::object::Object;
use super::plugin::{Answer, CallError, Plugin};
use super::records;
use super::sprinkler::Sprinklers;
use super::sun::Sun;
use super::table::Collection;
use super::timers::Timers;
use super::trigger;
use super::view::view;
use crate::error::EngineError;
use crate::limits::Limits;
use crate::log::EventLog;
use crate::mail::Mailer;
use crate::store::{Store, StoreError};

/// Changes that a watcher may lag behind before it misses some.
const WATCHER_QUEUE: usize = 1024;

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
}

/// The server.
pub struct IndigoServer {
    database: Arc<Mutex<Database>>,
    store: Store,
    events: EventLog,
    plugins: RwLock<BTreeMap<String, Arc<Plugin>>>,
    watchers: broadcast::Sender<Arc<Change>>,
    pending: mpsc::UnboundedSender<Pending>,
    options: ServerOptions,
    /// What waits for its time.
    pub(super) timers: Timers,
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
            database.put(object.id, Some(Arc::new(object)));
        }
        let sun = Sun::new(options.latitude, options.longitude);
        let mut changed: Vec<_> = drafts.iter().map(|it| it.id).collect();
        changed.extend(super::clock::add_daylight(&mut database, &sun));
        let database = Arc::new(Mutex::new(database));
        if !changed.is_empty() {
            save(&store, &database, changed)
                .await
                .map_err(|error| EngineError::Store(error.to_string()))?;
        }
        let (pending, receiver) = mpsc::unbounded_channel();
        let server = Arc::new(Self {
            database,
            store,
            events,
            plugins: RwLock::default(),
            watchers: broadcast::Sender::new(WATCHER_QUEUE),
            pending,
            sun,
            options,
            timers: Timers::default(),
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
        command::run(self, caller, name, Arguments::new(arguments)?).await
    }

    /// Calls a function of a plugin and waits for what it returns.
    ///
    /// # Errors
    ///
    /// [`CallError`] when there is no answer.
    pub async fn call_plugin(
        &self,
        plugin: &str,
        name: &str,
        arguments: &Value,
        deadline: Duration,
    ) -> Result<Answer, CallError> {
        match self.plugin(plugin) {
            Some(found) => found.call(name, arguments, deadline).await,
            None => Err(CallError::NoSuchPlugin(plugin.to_owned())),
        }
    }

    /// Every change from now on.
    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Arc<Change>> {
        self.watchers.subscribe()
    }

    pub(super) fn watchers(&self) -> &broadcast::Sender<Arc<Change>> {
        &self.watchers
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
        plugins.insert(id, Arc::clone(&plugin));
        Ok(plugin)
    }

    /// The devices and triggers that a plugin is responsible for, as it sees them; from
    /// here on it is told of every later change.
    pub fn begin(&self, plugin: &Arc<Plugin>) -> (Vec<Value>, Vec<Value>) {
        let database = self.database();
        // Under the lock: what comes later has a higher number.
        plugin.begin(database.sequence());
        active(&database, plugin)
    }

    /// The devices of a plugin that are enabled and configured, and its triggers that
    /// are enabled.
    #[must_use]
    pub fn active(&self, plugin: &Plugin) -> (Vec<Value>, Vec<Value>) {
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
        self.database.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Makes a change; it is on disk when this returns.
    ///
    /// # Errors
    ///
    /// What `edit` says, or that the store refused it; then nothing was changed.
    pub async fn edit<T>(
        &self,
        caller: &Caller,
        edit: impl FnOnce(&mut Edit<'_>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let store = match caller.plugin() {
            Some(plugin) => self.store.of(&plugin.account, &plugin.log),
            None => self.store.clone(),
        };
        // Before the change is made: others are told of theirs after it.
        store.admit().await;
        let (value, ids, stored) = {
            let mut database = self.database();
            let mut making = Edit::new(&mut database, caller);
            let value = match edit(&mut making) {
                Ok(value) => value,
                Err(failure) => {
                    making.undo();
                    return Err(failure);
                }
            };
            let (ids, changes) = making.keep();
            if ids.is_empty() {
                return Ok(value);
            }
            let (stored, told) = oneshot::channel();
            let pending = Pending {
                stored: told,
                changes,
            };
            // Under the lock, so that changes are told in the order in which they were
            // made. The other side lives as long as the server.
            let _ = self.pending.send(pending);
            (value, ids, stored)
        };
        // In a task of its own: a plugin that is dropped while it waits must not leave
        // a change in memory that is not in the store.
        let database = Arc::clone(&self.database);
        let writing = tokio::spawn(async move {
            let result = save(&store, &database, ids).await;
            let _ = stored.send(result.is_ok());
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
}

fn active(database: &Database, plugin: &Plugin) -> (Vec<Value>, Vec<Value>) {
    let own = |collection: Collection, ready: fn(&Object) -> bool| {
        let all = database.list(collection.objects());
        let own = all.filter(|it| it.owner() == plugin.id() && ready(it));
        own.map(|it| view(it, Some(plugin.id()))).collect()
    };
    (
        own(Collection::Devices, |it| {
            it.flag("enabled") && it.flag("configured")
        }),
        own(Collection::Triggers, |it| it.flag("enabled")),
    )
}

/// Writes objects as they are now. Two changes of one object may be written in either
/// order, because what is written is always its newest state.
async fn save(
    store: &Store,
    database: &Arc<Mutex<Database>>,
    ids: Vec<i64>,
) -> Result<(), StoreError> {
    let lock = |database: &Arc<Mutex<Database>>, ids: &[i64]| {
        let database = database.lock().unwrap_or_else(PoisonError::into_inner);
        let object = |id: &i64| (*id, database.any(*id).cloned());
        ids.iter().map(object).collect::<BTreeMap<_, _>>()
    };
    let shared = Arc::clone(database);
    let wanted = ids.clone();
    let result = store
        .write_now(move |transaction| records::save(transaction, &lock(&shared, &wanted)))
        .await;
    if result.is_err() {
        // What the store has is what holds.
        let wanted = ids.clone();
        let kept = store
            .read(move |connection| {
                let one = |id: i64| Ok((id, records::load_one(connection, id)?));
                wanted
                    .into_iter()
                    .map(one)
                    .collect::<Result<Vec<_>, StoreError>>()
            })
            .await;
        if let Ok(kept) = kept {
            let mut database = database.lock().unwrap_or_else(PoisonError::into_inner);
            for (id, object) in kept {
                database.put(id, object.map(Arc::new));
            }
        }
    }
    result
}

/// The local time as plugins see it.
#[must_use]
pub fn timestamp(time: &Zoned) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S").to_string()
}
