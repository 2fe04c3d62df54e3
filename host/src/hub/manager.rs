//! Hardware that is added, changed and removed while the hub runs.
//!
//! It lives in the store, beside that of `cordon.toml`, which nobody but the operator
//! changes. It can be of any plugin in the hub's folder and has no grants: it may
//! reach its own Address and Port and nothing else.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use tokio::time::timeout_at;

use super::{Maker, stop_all};
use crate::account::Account;
use crate::capability::files;
use crate::config::{HardwareSection, PluginFolder};
use crate::error::EngineError;
use crate::grants::Grants;
use crate::instance::supervisor::Handle;
use crate::limits::Limits;
use crate::log::Level;
use crate::platform::domoticz::catalogue::{Catalogue, Library};
use crate::platform::domoticz::definition::PluginDefinition;
use crate::platform::problems::Problems;
use crate::store::ManagedHardware;
use crate::web::Management;

/// Longest text of one parameter, and of a name, in bytes.
const MAX_VALUE: usize = 4096;
const MAX_NAME: usize = 100;

/// The managed hardware. Clones share it.
#[derive(Clone)]
pub(super) struct Manager {
    inner: Arc<Inner>,
}

struct Inner {
    maker: Maker,
    library: Library,
    problems: Problems,
    /// Hardware of the configuration; unknown until it was started.
    configured: OnceLock<BTreeSet<u32>>,
    instances: usize,
    /// Held for as long as a change takes: one at a time.
    running: Mutex<BTreeMap<u32, Handle>>,
    /// Nothing is started any more.
    stopping: AtomicBool,
}

impl Manager {
    pub(super) fn new(maker: Maker, library: Library, problems: Problems, instances: u32) -> Self {
        let inner = Inner {
            maker,
            library,
            problems,
            configured: OnceLock::new(),
            instances: usize::try_from(instances).unwrap_or(usize::MAX),
            running: Mutex::default(),
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

    /// Starts what is enabled, beside these of the configuration. What cannot be started is
    /// an error in the log.
    pub(super) async fn start_all(&self, configured: BTreeSet<u32>) -> Result<(), EngineError> {
        let inner = &self.inner;
        let configured = inner.configured.get_or_init(|| configured);
        let stored = inner.maker.services.store.managed_hardware().await?;
        let mut running = inner.running.lock().await;
        let enabled: Vec<_> = stored.into_iter().filter(|it| it.enabled).collect();
        let catalogue = match enabled.is_empty() {
            true => Catalogue::default(),
            false => inner.library.look().await,
        };
        for hardware in enabled {
            let started = inner.start(&mut running, configured, &hardware, &catalogue);
            if let Err(problem) = started {
                let events = &inner.maker.services.events;
                events.record_about(&hardware.name, Level::Error, &problem);
                inner.problems.add_section(hardware.name, problem);
            }
        }
        Ok(())
    }

    /// Stops all by this moment. A change that is on its way starts nothing more.
    pub(super) async fn stop(&self, until: Instant) {
        self.inner.stopping.store(true, Ordering::SeqCst);
        let Ok(mut running) = timeout_at(until.into(), self.inner.running.lock()).await else {
            return tracing::error!("a change of the hardware does not end");
        };
        let running = std::mem::take(&mut *running);
        stop_all(running.into_values(), until).await;
    }
}

impl Management for Manager {
    fn definitions(&self) -> BoxFuture<'_, Result<Vec<Arc<PluginDefinition>>, String>> {
        Box::pin(async { Ok(self.inner.library.look().await.plugins) })
    }

    fn hardware(&self) -> BoxFuture<'_, Result<Vec<ManagedHardware>, String>> {
        Box::pin(async {
            let stored = self.inner.maker.services.store.managed_hardware().await;
            stored.map_err(|error| error.to_string())
        })
    }

    fn save(&self, hardware: ManagedHardware) -> BoxFuture<'_, Result<u32, String>> {
        let inner = Arc::clone(&self.inner);
        // A client that goes away must not leave half a change.
        Box::pin(finish(async move { inner.save(hardware).await }))
    }

    fn remove(&self, id: u32) -> BoxFuture<'_, Result<(), String>> {
        let inner = Arc::clone(&self.inner);
        Box::pin(finish(async move { inner.remove(id).await }))
    }
}

/// Carries a change to its end even if nobody waits for it any more.
async fn finish<T: Send + 'static>(
    change: impl Future<Output = Result<T, String>> + Send + 'static,
) -> Result<T, String> {
    let ended = tokio::spawn(change).await;
    ended.unwrap_or_else(|error| Err(format!("the change failed inside the hub: {error}")))
}

impl Inner {
    /// The hardware of the configuration, once all of it was started.
    fn configured(&self) -> Result<&BTreeSet<u32>, String> {
        let configured = self.configured.get();
        configured.ok_or_else(|| "the hub is still starting; try again in a moment".to_owned())
    }

    async fn save(&self, hardware: ManagedHardware) -> Result<u32, String> {
        check(&hardware)?;
        let configured = self.configured()?;
        let mut running = self.running.lock().await;
        let store = &self.maker.services.store;
        let stored = store.managed_hardware().await;
        let stored = stored.map_err(|error| error.to_string())?;
        let is_new = hardware.id == 0;
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
        // What cannot start is not stored; checked with the id it has, or would have.
        let section = section(&hardware);
        let fits = self.maker.spec(hardware.id, &section, definition);
        fits.map_err(|error| error.to_string())?;
        let id = store.save_managed(hardware.clone()).await;
        let id = id.map_err(|error| error.to_string())?;
        if let Some(instance) = running.remove(&id) {
            instance.stop(self.maker.services.grace).await;
        }
        let hardware = ManagedHardware { id, ..hardware };
        if hardware.enabled {
            self.start(&mut running, configured, &hardware, &catalogue)?;
        }
        Ok(id)
    }

    async fn remove(&self, id: u32) -> Result<(), String> {
        self.configured()?;
        let mut running = self.running.lock().await;
        let store = &self.maker.services.store;
        let stored = store.managed_hardware().await;
        let stored = stored.map_err(|error| error.to_string())?;
        if !stored.iter().any(|known| known.id == id) {
            return Err(self.no_such(id));
        }
        if let Some(instance) = running.remove(&id) {
            instance.stop(self.maker.services.grace).await;
        }
        let removed = store.remove_hardware(id).await;
        removed.map_err(|error| error.to_string())?;
        self.forget_files(id).await;
        Ok(())
    }

    /// Removes what the plugin kept. The folder of an id is never used again.
    async fn forget_files(&self, id: u32) {
        let folders = self
            .maker
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
        let files = &self.maker.services.pools.files;
        if let Err(error) = files.run(&Account::of_hub(), removing).await {
            tracing::warn!(%error, "a removed hardware's folders stay");
        }
    }

    fn start(
        &self,
        running: &mut BTreeMap<u32, Handle>,
        configured: &BTreeSet<u32>,
        hardware: &ManagedHardware,
        catalogue: &Catalogue,
    ) -> Result<(), String> {
        if configured.contains(&hardware.id) {
            return Err("cordon.toml has a hardware of this name; that one runs".to_owned());
        }
        if running.len().saturating_add(configured.len()) >= self.instances {
            return Err("no room for it; raise `instances` under [hub]".to_owned());
        }
        let definition = definition(catalogue, &hardware.key)?;
        let section = section(hardware);
        if self.stopping.load(Ordering::SeqCst) {
            return Err("the hub is being stopped".to_owned());
        }
        let started = self.maker.start(hardware.id, &section, definition);
        running.insert(hardware.id, started.map_err(|error| error.to_string())?);
        Ok(())
    }

    fn no_such(&self, id: u32) -> String {
        let configured = self.configured.get();
        match configured.is_some_and(|it| it.contains(&id)) {
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

/// The section that stands for it: nothing that only `cordon.toml` can give. A serial
/// port is a file of this machine, so its name alone opens none.
fn section(hardware: &ManagedHardware) -> HardwareSection {
    HardwareSection {
        name: hardware.name.clone(),
        plugin: hardware.key.clone(),
        parameters: hardware.parameters.clone(),
        environment: BTreeMap::new(),
        grants: Grants::default(),
        limits: Limits::default(),
        plugin_folder: PluginFolder::default(),
        verify_tls: false,
        log_level: hardware.log_level,
        typed_serial: false,
    }
}
