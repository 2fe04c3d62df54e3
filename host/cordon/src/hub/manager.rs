//! Hardware that is added, changed and removed while the hub runs.
//!
//! This hardware lives in the store, beside the hardware of `cordon.toml`, which nobody but the
//! operator changes. It can be of any plugin in the hub's folder. It may reach its own Address and
//! Port, and has the grants that the operator gives it through the operator's API.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::timeout_at;
use tokio_util::task::TaskTracker;

use super::configured::Configured;
use super::domoticz::HardwareMaker;
use super::stop_all;
use super::turns::Turns;
use cordon_base::account::Account;
use cordon_base::error::EngineError;
use cordon_base::grants::Grants;
use cordon_base::hint::Origin;
use cordon_base::log::Level;
use cordon_base::problems::Problems;
use cordon_domoticz::catalogue::{Catalogue, Library};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition::PluginDefinition;
use cordon_domoticz::parameters::stored_parameters;
use cordon_domoticz::web::Management;
use cordon_runtime::capability::files;
use cordon_runtime::instance::supervisor::Handle;
use cordon_runtime::section::{InstanceSection, PluginFolder};
use cordon_store::ManagedHardware;

mod operated;

/// Longest text of one parameter, and of a name, in bytes.
const MAX_VALUE: usize = 4096;
const MAX_NAME: usize = 100;

/// How long the plugins folder is looked through before hardware of the plugins known by then is
/// started.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after a look the next one begins, when it did not come to the end.
const AGAIN: Duration = Duration::from_secs(30);

/// The managed hardware. Clones share it.
#[derive(Clone)]
pub(super) struct Manager {
    inner: Arc<Inner>,
}

struct Inner {
    hardware: HardwareMaker,
    library: Library,
    problems: Problems,
    /// The instances of the configuration.
    configured: Configured,
    /// Whether all rows of the configuration are known.
    open: AtomicBool,
    instances: usize,
    running: Mutex<BTreeMap<u32, Arc<Handle>>>,
    /// Held by whoever changes the hardware of this id, for as long as that takes.
    turns: Turns<u32>,
    /// Changes on their way.
    changes: TaskTracker,
    /// Set when nothing is started any more.
    stopping: AtomicBool,
}

impl Manager {
    pub(super) fn new(
        hardware: HardwareMaker,
        library: Library,
        problems: Problems,
        configured: Configured,
        instances: u32,
    ) -> Self {
        let inner = Inner {
            hardware,
            library,
            problems,
            configured,
            open: AtomicBool::new(false),
            instances: usize::try_from(instances).unwrap_or(usize::MAX),
            running: Mutex::default(),
            turns: Turns::default(),
            changes: TaskTracker::new(),
            stopping: AtomicBool::new(false),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The plugins folder.
    pub(super) fn library(&self) -> Library {
        self.inner.library.clone()
    }

    /// Starts the enabled hardware, beside the hardware of the configuration. Hardware that cannot
    /// be started is an error in the log.
    pub(super) async fn start_all(&self) -> Result<(), EngineError> {
        let inner = &self.inner;
        inner.open.store(true, Ordering::SeqCst);
        let stored = inner.hardware.domoticz.store.managed_hardware().await?;
        let enabled: Vec<_> = stored.into_iter().filter(|it| it.enabled).collect();
        let keys: Vec<_> = enabled.iter().map(|it| it.key.as_str()).collect();
        let catalogue = match enabled.is_empty() {
            true => Arc::default(),
            false => {
                inner
                    .library
                    .look_until((Instant::now() + PATIENCE).into(), &keys)
                    .await
            }
        };
        let waiting = inner.start_found(enabled, &catalogue).await;
        if !waiting.is_empty() {
            let inner = Arc::clone(inner);
            tokio::spawn(async move { inner.start_later(waiting).await });
        }
        Ok(())
    }

    /// Stops all by this moment. A change that is on its way starts nothing more.
    pub(super) async fn stop(&self, until: Instant) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let inner = &self.inner;
        inner.changes.close();
        let Ok(mut running) = timeout_at(until.into(), inner.running.lock()).await else {
            return tracing::error!("the hardware is not given back");
        };
        let taken = std::mem::take(&mut *running);
        drop(running);
        let changes = timeout_at(until.into(), inner.changes.wait());
        let ((), changed) = tokio::join!(stop_all(taken.into_values(), until), changes);
        if changed.is_err() {
            tracing::error!("a change of the hardware does not end");
        }
    }
}

impl Management for Manager {
    fn definitions(&self) -> BoxFuture<'_, Result<Vec<Arc<PluginDefinition>>, String>> {
        Box::pin(async { Ok(self.inner.library.look().await.plugins.clone()) })
    }

    fn hardware(&self) -> BoxFuture<'_, Result<Vec<ManagedHardware>, String>> {
        Box::pin(async {
            let stored = self.inner.hardware.domoticz.store.managed_hardware().await;
            stored.map_err(|error| error.to_string())
        })
    }

    fn save(&self, hardware: ManagedHardware) -> BoxFuture<'_, Result<u32, String>> {
        let inner = Arc::clone(&self.inner);
        // A client that goes away must not leave half a change.
        let changes = self.inner.changes.clone();
        Box::pin(finish(changes, async move { inner.save(hardware).await }))
    }

    fn remove(&self, id: u32) -> BoxFuture<'_, Result<(), String>> {
        let inner = Arc::clone(&self.inner);
        let changes = self.inner.changes.clone();
        Box::pin(finish(changes, async move { inner.remove(id).await }))
    }
}

/// Carries a change to its end even if nobody waits for it any more.
async fn finish<T: Send + 'static>(
    changes: TaskTracker,
    change: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    let ended = changes.spawn(change).await;
    ended.unwrap_or_else(|error| Err(format!("the change failed inside the hub: {error}")))
}

impl Inner {
    /// The rows of the hardware of the configuration, once all of them are known.
    fn configured(&self) -> Result<BTreeSet<u32>, String> {
        match self.open.load(Ordering::SeqCst) {
            true => Ok(self.configured.ids()),
            false => Err("the hub is still starting; try again in a moment".to_owned()),
        }
    }

    /// The operator's decisions about this hardware.
    async fn decided(&self, id: u32) -> Result<Decided, String> {
        let decisions = self.hardware.domoticz.store.decisions(id).await;
        let decisions = decisions.map_err(|error| error.to_string())?;
        let grants = match &decisions.grants {
            None => Grants::default(),
            Some(text) => serde_json::from_str(text)
                .map_err(|error| format!("its stored grants are not understood: {error}"))?,
        };
        let stopped = decisions.stopped;
        Ok(Decided { grants, stopped })
    }

    async fn save(&self, hardware: ManagedHardware) -> Result<u32, String> {
        check(&hardware)?;
        let configured = self.configured()?;
        let is_new = hardware.id == 0;
        // All new hardware takes one turn, because it has no id yet, so that it is counted one by
        // one.
        let turn = self.turns.take(hardware.id).await;
        let store = &self.hardware.domoticz.store;
        let stored = store.managed_hardware().await;
        let stored = stored.map_err(|error| error.to_string())?;
        if is_new && stored.len().saturating_add(configured.len()) >= self.instances {
            return Err(format!(
                "there are {} plugin instances already; raise `instances` under [hub]",
                self.instances
            ));
        }
        if !is_new && !stored.iter().any(|known| known.id == hardware.id) {
            return Err(self.no_such(hardware.id));
        }
        let catalogue = self.library.look().await;
        let definition = definition(&catalogue, &hardware.key)?;
        // Hardware that cannot start is not stored; checked with the id it has, or would have.
        let decided = self.decided(hardware.id).await?;
        let section = section(&hardware, definition, &decided);
        let fits = self.hardware.spec(hardware.id, &section, definition);
        fits.map_err(|error| error.to_string())?;
        let id = store.save_managed(hardware.clone()).await;
        let id = id.map_err(|error| error.to_string())?;
        self.stop_one(id).await;
        let hardware = ManagedHardware { id, ..hardware };
        if hardware.enabled {
            self.start(&hardware, &catalogue).await?;
        }
        drop(turn);
        Ok(id)
    }

    async fn remove(&self, id: u32) -> Result<(), String> {
        self.configured()?;
        let _turn = self.turns.take(id).await;
        let store = &self.hardware.domoticz.store;
        let stored = store.managed_hardware().await;
        let stored = stored.map_err(|error| error.to_string())?;
        if !stored.iter().any(|known| known.id == id) {
            return Err(self.no_such(id));
        }
        self.stop_one(id).await;
        let removed = store.remove_hardware(id).await;
        removed.map_err(|error| error.to_string())?;
        self.forget_files(id).await;
        Ok(())
    }

    /// Stops this hardware, if it runs. It may take its whole grace, and others are changed in the
    /// meantime.
    async fn stop_one(&self, id: u32) {
        let instance = self.running.lock().await.remove(&id);
        if let Some(instance) = instance {
            instance.stop(self.hardware.maker.services.grace).await;
        }
    }

    /// Starts the hardware whose plugins are known, and returns the hardware whose plugins may lie
    /// in folders that were not read.
    async fn start_found(
        &self,
        wanted: Vec<ManagedHardware>,
        catalogue: &Catalogue,
    ) -> Vec<ManagedHardware> {
        let mut waiting = Vec::new();
        for hardware in wanted {
            if catalogue.partial && catalogue.find(&hardware.key).is_none() {
                waiting.push(hardware);
                continue;
            }
            match self.start(&hardware, catalogue).await {
                Ok(()) => self.problems.forget_section(&hardware.name),
                Err(problem) => self.refuse(&hardware.name, problem),
            }
        }
        waiting
    }

    /// Starts the hardware whose folders were not read at first, as soon as they are.
    async fn start_later(&self, mut waiting: Vec<ManagedHardware>) {
        let mut told = false;
        while !waiting.is_empty() && !self.stopping.load(Ordering::SeqCst) {
            let catalogue = self.library.look().await;
            let mut open = Vec::new();
            for hardware in waiting {
                let _turn = self.turns.take(hardware.id).await;
                // A client may have changed the hardware in the meantime.
                let stored = self.hardware.domoticz.store.managed_hardware().await;
                let stored = stored.unwrap_or_default().into_iter();
                let now: Vec<_> = stored
                    .filter(|it| it.id == hardware.id && it.enabled)
                    .collect();
                let runs = self.running.lock().await.contains_key(&hardware.id);
                if !runs {
                    open.extend(self.start_found(now, &catalogue).await);
                }
            }
            waiting = open;
            if !std::mem::replace(&mut told, true) {
                for hardware in &waiting {
                    let text = format!(
                        "there is no plugin with key `{}` so far; folders that do not answer are \
                         tried again",
                        hardware.key
                    );
                    self.refuse(&hardware.name, text);
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
    }

    fn refuse(&self, name: &str, problem: String) {
        let events = &self.hardware.maker.services.events;
        events.record_about(name, Level::Error, &problem);
        self.problems.add_section(name.to_owned(), problem);
    }

    /// Removes the files that the plugin kept. The folder of an id is never used again.
    async fn forget_files(&self, id: u32) {
        let folders = self
            .hardware
            .folders(id, PluginFolder::CopyOnWrite, Path::new(""));
        let mut kept = vec![folders.data, folders.pages, folders.temporary, folders.code];
        kept.extend(folders.changes);
        let removing = move || {
            for folder in kept.iter().filter(|folder| folder.exists()) {
                if let Err(error) = files::remove(folder) {
                    tracing::warn!(%error, "a removed hardware's folder stays");
                }
            }
        };
        let files = &self.hardware.maker.services.pools.files;
        if let Err(error) = files.run(&Account::of_hub(), removing).await {
            tracing::warn!(%error, "a removed hardware's folders stay");
        }
    }

    async fn start(&self, hardware: &ManagedHardware, catalogue: &Catalogue) -> Result<(), String> {
        let decided = self.decided(hardware.id).await?;
        let mut running = self.running.lock().await;
        let configured = self.configured.ids();
        if configured.contains(&hardware.id) {
            return Err("cordon.toml has a hardware of this name; that one runs".to_owned());
        }
        if running.len().saturating_add(configured.len()) >= self.instances {
            return Err("no room for it; raise `instances` under [hub]".to_owned());
        }
        let definition = definition(catalogue, &hardware.key)?;
        let section = section(hardware, definition, &decided);
        if self.stopping.load(Ordering::SeqCst) {
            return Err("the hub is being stopped".to_owned());
        }
        let spec = self.hardware.spec(hardware.id, &section, definition);
        let spec = spec.map_err(|error| error.to_string())?;
        let started = self.hardware.maker.start(spec, decided.stopped);
        running.insert(hardware.id, Arc::new(started));
        Ok(())
    }

    fn no_such(&self, id: u32) -> String {
        match self.configured.ids().contains(&id) {
            true => "this hardware is in cordon.toml; change it there".to_owned(),
            false => "no hardware has this idx".to_owned(),
        }
    }
}

fn definition<'a>(catalogue: &'a Catalogue, key: &str) -> Result<&'a PluginDefinition, String> {
    let found = catalogue.find(key).map(|it| &**it);
    found.ok_or_else(|| format!("there is no plugin with key `{key}`"))
}

fn check(hardware: &ManagedHardware) -> Result<(), String> {
    let name = hardware.name.trim();
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(format!("hardware needs a name of 1 to {MAX_NAME} bytes"));
    }
    match hardware
        .parameters
        .iter()
        .find(|(_, value)| value.len() > MAX_VALUE)
    {
        Some((field, _)) => Err(format!("parameter `{field}` is over {MAX_VALUE} bytes")),
        None => Ok(()),
    }
}

/// The operator's decisions about managed hardware.
#[derive(Default)]
struct Decided {
    grants: Grants,
    stopped: bool,
}

/// The section that stands for the hardware, with the grants of the operator and nothing else that
/// only `cordon.toml` can give. A serial port is a file of this machine, so its name alone opens
/// none.
fn section(
    hardware: &ManagedHardware,
    definition: &PluginDefinition,
    decided: &Decided,
) -> HardwareSection {
    HardwareSection {
        name: hardware.name.clone(),
        plugin: hardware.key.clone(),
        parameters: stored_parameters(&hardware.parameters, definition),
        instance: InstanceSection {
            origin: Origin::Api(hardware.name.as_str().into()),
            grants: decided.grants.clone(),
            ..InstanceSection::default()
        },
        log_level: hardware.log_level,
        typed_serial: false,
    }
}
