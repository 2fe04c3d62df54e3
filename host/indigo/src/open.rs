//! Opens the server: reads its objects and starts its tasks.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, RwLock};

use tokio::sync::mpsc;

use super::database::Database;
use super::places::Places;
use super::plans::Plans;
use super::server::{IndigoServer, ServerOptions};
use super::sprinkler::Sprinklers;
use super::sun::Sun;
use super::timers::Timers;
use super::watchers::Watchers;
use super::weighed::Weighed;
use super::write::save;
use super::{clock, dispatch, records};
use cordon_base::account::Account;
use cordon_base::error::EngineError;
use cordon_base::log::EventLog;
use cordon_base::pool::Pools;
use cordon_store::{Store, StoreError};

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
        changed.extend(clock::add_daylight(&mut database, &sun));
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
        clock::start(&server);
        Ok(server)
    }
}
