//! Prepares a new life: examines its folders and collects its parameters.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::JoinHandle;

use crate::abi::exports::cordon::plugin::guest::Setup;
use crate::capability::files::{FoldersOfInstance, Quota, Tree, Worker};
use crate::code_cache::{self, CodeCache};
use crate::compiled::{CompiledPackages, Sought};
use crate::instance::Spec;
use crate::instance::run::Life;
use cordon_base::descriptors::Share;
use cordon_base::error::EngineError;
use cordon_base::folders;
use cordon_base::plugin_log::PluginLog;
use cordon_base::pool::Pool;

/// The task that examines an instance's folders.
pub type Looking = JoinHandle<Result<Looked, EngineError>>;

/// The folders of an instance, ready for a new life.
pub struct Looked {
    pub(super) quota: Arc<Quota>,
    pub(super) tree: Arc<Tree>,
    pub(super) found: Found,
    /// Compiled code of an earlier start.
    pub(super) code: code_cache::Sought,
    /// The plugin's packages, while they are not compiled but could be.
    pub(super) packages: Option<Sought>,
}

/// The files that a plugin's folders hold for a new life.
#[derive(Default)]
pub struct Found {
    /// Compiled code of the plugin.
    pub code: Option<Vec<u8>>,
    /// Whether the plugin has packages of its own.
    pub packages: bool,
    /// Modules in the plugin's folder.
    pub modules: Vec<String>,
    /// Parameters that the framework has found there, after those of the configuration.
    pub parameters: Vec<(String, String)>,
}

/// Examines the folders of an instance that is about to live, on the threads for files: full
/// folders take a while, which is billed to the instance. With the compiled packages of the hub the
/// result says whether the instance waits for its own; without, it compiles them for itself.
pub fn look(
    spec: &Spec,
    code: &CodeCache,
    compiled: Option<(&CompiledPackages, bool)>,
    log: &PluginLog,
    pool: &Pool,
    descriptors: &Share,
) -> Looking {
    let folders = spec.folders.clone();
    let (bytes, files) = (spec.limits.data_bytes, spec.limits.data_files);
    let code = code.clone();
    let compiled = compiled.map(|(compiled, patient)| (compiled.clone(), patient));
    let main_file = spec.main_file();
    let framework = Arc::clone(&spec.framework);
    let find_packages = spec.packages;
    let log = log.clone();
    let (pool, account, descriptors) =
        (pool.clone(), Arc::clone(&spec.account), descriptors.clone());
    let worker = Worker::new(pool.clone(), Arc::clone(&account));
    let looking = move || {
        let mut found = framework.look(&folders);
        // Looked up at each start: packages installed since are there after a restart.
        let packages = find_packages(&folders.plugin);
        found.packages = packages.is_some();
        let sought = packages.as_deref().zip(compiled);
        let (compiled, missing) = match sought {
            None => (None, None),
            Some((packages, (compiled, patient))) => match compiled.seek(packages) {
                Sought::Found(folder) => (Some(folder), None),
                Sought::Never => (None, None),
                missing => (None, patient.then_some(missing)),
            },
        };
        Ok(Looked {
            quota: folders.quota(bytes, files, log.clone(), worker)?,
            tree: folders.tree(packages, compiled, descriptors, log),
            found,
            code: code.seek(&main_file),
            packages: missing,
        })
    };
    tokio::spawn(async move {
        let looked = pool.run(&account, looking).await;
        looked.map_err(|error| {
            let error = std::io::Error::other(error);
            EngineError::io("cannot look into the folders", error)
        })?
    })
}

impl Life<'_> {
    /// The facts that the plugin is told before its first line.
    pub(super) fn setup(&mut self) -> Setup {
        let spec = self.spec;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let mut parameters = spec.parameters.clone();
        parameters.append(&mut self.found.parameters);
        let mut setup = Setup {
            framework: spec.framework.name().to_owned(),
            name: spec.name.clone(),
            hardware_id: spec.hardware,
            key: spec.key.clone(),
            plugin_folder: folders::PLUGIN_FOLDER.to_owned(),
            data_folder: folders::DATA_FOLDER.to_owned(),
            parameters,
            settings: Vec::new(),
            environment: spec.environment.clone(),
            started_at: now.as_secs(),
            utc_offset: jiff::Zoned::now().offset().seconds(),
            time_zone: jiff::tz::TimeZone::system()
                .iana_name()
                .unwrap_or_default()
                .to_owned(),
            modules: std::mem::take(&mut self.found.modules),
            packages: self.found.packages,
            code: self.found.code.take(),
        };
        self.cycle.set_up(&mut setup);
        setup
    }
}
