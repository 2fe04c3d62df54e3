//! What a new life is told: what its folders have, and its parameters.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::task::JoinHandle;

use crate::abi::exports::cordon::plugin::guest::{Framework, Setup};
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

/// The parameter that is a setting of the hub.
const LANGUAGE: &str = "Language";

/// What looks into an instance's folders.
pub type Looking = JoinHandle<Result<Looked, EngineError>>;

/// The folders of an instance, ready for a new life.
pub struct Looked {
    pub(super) quota: Arc<Quota>,
    pub(super) tree: Arc<Tree>,
    pub(super) found: Found,
    /// Compiled code of an earlier start.
    pub(super) code: code_cache::Sought,
    /// Its packages, while they are not compiled but could be.
    pub(super) packages: Option<Sought>,
}

/// What a plugin's folders have for a new life.
#[derive(Default)]
pub struct Found {
    /// Its compiled code.
    pub code: Option<Vec<u8>>,
    /// Whether it has packages of its own.
    pub packages: bool,
    /// Modules in the plugin's folder.
    pub modules: Vec<String>,
    /// JSON of the preferences of an Indigo plugin.
    pub preferences: String,
}

/// Looks into the folders of an instance that is about to live, on the threads for files:
/// full ones take a while, which is billed to it. With the compiled packages of the hub comes
/// whether it waits for its own; without, it compiles them for itself.
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
    let indigo = spec.indigo.clone();
    let log = log.clone();
    let (pool, account, descriptors) =
        (pool.clone(), Arc::clone(&spec.account), descriptors.clone());
    let worker = Worker::new(pool.clone(), Arc::clone(&account));
    let looking = move || {
        let mut found = match indigo {
            Some(link) => link.look(),
            None => Found {
                modules: folders.modules(),
                ..Found::default()
            },
        };
        let packages = folders.packages();
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
    pub(super) fn setup(&mut self) -> Setup {
        let spec = self.spec;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Setup {
            framework: match spec.indigo {
                Some(_) => Framework::Indigo,
                None => Framework::Domoticz,
            },
            name: match &spec.indigo {
                Some(link) => link.plugin.bundle.info.display_name.clone(),
                None => spec.name.clone(),
            },
            hardware_id: spec.hardware,
            key: spec.key.clone(),
            plugin_folder: folders::PLUGIN_FOLDER.to_owned(),
            data_folder: folders::DATA_FOLDER.to_owned(),
            parameters: self.parameters(),
            settings: std::mem::take(&mut self.settings),
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
        }
    }

    fn parameters(&mut self) -> Vec<(String, String)> {
        let mut parameters = self.spec.parameters.clone();
        let parameter = parameters.iter_mut().find(|(key, _)| key == LANGUAGE);
        let setting = self.settings.iter().find(|(key, _)| key == LANGUAGE);
        if let (Some((_, parameter)), Some((_, setting))) = (parameter, setting) {
            parameter.clone_from(setting);
        }
        if self.spec.indigo.is_some() {
            let preferences = std::mem::take(&mut self.found.preferences);
            parameters.push(("pluginPrefs".to_owned(), preferences));
        }
        parameters
    }
}
