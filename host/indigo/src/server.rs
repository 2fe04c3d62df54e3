//! The Indigo server of the hub: its objects, its plugins, and those who are told of changes.
//!
//! A change is made in memory, written to the store, answered, and told, in this order. Whoever
//! asks for a change gets an answer when it is on disk. Whoever is told of changes hears them in
//! the order in which they were made. Commands are in [`super::command`].

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::caller::Caller;
use super::change::Change;
use super::database::Database;
use super::device::DeviceClass;
use super::object::Object;
use super::places::{Place, Places};
use super::plans::Plans;
use super::plugin::Plugin;
use super::sprinkler::Sprinklers;
use super::sun::Sun;
use super::table::{Collection, Table};
use super::timers::Timers;
use super::view::view;
use super::watchers::{Watcher, Watchers};
use cordon_base::account::{Account, Charge};
use cordon_base::error::EngineError;
use cordon_base::log::EventLog;
use cordon_base::pool::Pools;
use cordon_reach::mail::Mailer;
use cordon_store::Store;

/// Facts about the hub that plugins ask for.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Address of the web server, without a slash at the end; empty for none.
    pub web_url: String,
    /// Port of the web server; 0 for none.
    pub port: u16,
    /// The sender of mail, when there is a mail server.
    pub mailer: Option<Mailer>,
}

/// A change on its way to the store, and those who are told when it is there.
pub(super) struct Pending {
    pub(super) stored: oneshot::Receiver<bool>,
    pub(super) changes: Vec<Change>,
    /// Charges for the earlier versions of the objects.
    pub(super) _before: Vec<Charge>,
    /// Places of the caller who made the changes, held until the changes were told.
    pub(super) _places: Place,
}

/// The server.
pub struct IndigoServer {
    pub(super) database: Arc<Mutex<Database>>,
    pub(super) store: Store,
    pub(super) events: EventLog,
    pub(super) plugins: RwLock<BTreeMap<String, Arc<Plugin>>>,
    pub(super) watchers: Watchers,
    /// Bounded by the places of the callers who make changes.
    pub(super) pending: mpsc::UnboundedSender<Pending>,
    pub(super) places: Places,
    /// The account that pays for the operator and the server itself.
    pub(super) account: Arc<Account>,
    pub(super) pools: Pools,
    pub(super) options: ServerOptions,
    /// The steps that wait for their time.
    pub(super) timers: Timers,
    /// The times at which schedules are due.
    pub(super) plans: Plans,
    /// The sun over the place of the hub.
    pub(super) sun: Sun,
    /// Schedules of sprinklers.
    pub(super) sprinklers: Sprinklers,
    pub(super) follows_log: AtomicBool,
    /// Changes on their way that nobody waits for, of the operator's triggers.
    pub(super) steps: Arc<AtomicU64>,
}

impl IndigoServer {
    /// The caller of the server's own acts because of an object: the plugin that the object
    /// counts for, within its limits, or else `otherwise`.
    pub(super) fn acting_for(&self, object: &Object, otherwise: &Caller) -> Caller {
        match self.plugin(&object.hidden.charged) {
            Some(plugin) => Caller::Chain(Caller::Plugin(plugin).chain()),
            None => otherwise.clone(),
        }
    }

    /// The account that pays for a caller.
    pub(super) fn account<'a>(&'a self, caller: &'a Caller) -> &'a Arc<Account> {
        caller.plugin().map_or(&self.account, |it| &it.account)
    }

    /// A watcher of every change to the objects of a table, from now on.
    #[must_use]
    pub fn changes(&self, table: Table) -> Watcher {
        self.watchers.watch(table)
    }

    pub(super) fn watchers(&self) -> &Watchers {
        &self.watchers
    }

    /// The account that pays for the operator and the server itself.
    #[must_use]
    pub fn own_account(&self) -> &Arc<Account> {
        &self.account
    }

    /// The pools that take work off the threads of callbacks.
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
    /// [`EngineError::Config`] when there is a plugin with its id already.
    pub fn add(&self, plugin: Plugin) -> Result<Arc<Plugin>, EngineError> {
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        let id = plugin.id();
        if plugins.contains_key(id) {
            return Err(EngineError::Config(format!(
                "two [[indigo]] sections have the bundle `{id}`; a plugin runs once"
            )));
        }
        Ok(self.put(&mut plugins, plugin))
    }

    /// Puts a plugin in the place of the one with its id, whose instance has ended. Its objects
    /// stay, and count for the new one.
    pub fn replace(&self, plugin: Plugin) -> Arc<Plugin> {
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        self.put(&mut plugins, plugin)
    }

    /// Forgets a plugin whose instance has ended. Its objects stay.
    pub fn remove(&self, id: &str) {
        let mut plugins = self.plugins.write().unwrap_or_else(PoisonError::into_inner);
        plugins.remove(id);
    }

    fn put(&self, plugins: &mut BTreeMap<String, Arc<Plugin>>, plugin: Plugin) -> Arc<Plugin> {
        let plugin = Arc::new(plugin);
        self.database().charge(plugin.id(), &plugin.account);
        plugins.insert(plugin.id().to_owned(), Arc::clone(&plugin));
        plugin
    }

    /// The devices and triggers that a plugin is responsible for. From here on the plugin is told
    /// of every later change.
    pub fn begin(&self, plugin: &Arc<Plugin>) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
        let database = self.database();
        // Under the lock, so that later changes have a higher number.
        plugin.begin(database.sequence());
        active(&database, plugin)
    }

    /// The devices of a plugin that are enabled and configured, and its triggers that
    /// are enabled.
    #[must_use]
    pub fn active(&self, plugin: &Plugin) -> (Vec<Arc<Object>>, Vec<Arc<Object>>) {
        active(&self.database(), plugin)
    }

    /// The facts about the hub that plugins are told.
    #[must_use]
    pub fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// The event log.
    #[must_use]
    pub fn events(&self) -> &EventLog {
        &self.events
    }

    /// The objects, locked. To be held only while nobody has to wait.
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

pub(super) fn lock(database: &Mutex<Database>) -> MutexGuard<'_, Database> {
    database.lock().unwrap_or_else(PoisonError::into_inner)
}
