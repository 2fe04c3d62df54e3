//! Makes the parts that instances of every framework start from.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use cordon_base::account::Account;
use cordon_base::error::EngineError;
use cordon_base::folders::Folders;
use cordon_base::plugin_log::PluginLog;
use cordon_packages::packages_of;
use cordon_reach::egress::{NetworkPolicy, OwnTarget};
use cordon_reach::process::ProcessPolicy;
use cordon_reach::serial::SerialPolicy;
use cordon_reach::tls_client::TlsClient;
use cordon_runtime::framework::Framework;
use cordon_runtime::instance::Spec;
use cordon_runtime::instance::supervisor::{self, Handle, Services};
use cordon_runtime::section::{InstanceSection, PluginFolder};

/// Part of the data folder with the custom pages of each instance.
pub(super) const PAGES: &str = "pages";

/// Part of the data folder with the compiled code of each instance's modules.
pub(super) const COMPILED: &str = "compiled";

/// The parts that an instance is made with. Clones share them.
#[derive(Clone)]
pub(super) struct Maker {
    pub(super) services: Services,
    pub(super) data: PathBuf,
    pub(super) listeners: Arc<[SocketAddr]>,
    pub(super) tls: Arc<Tls>,
}

/// The facts about one instance that its framework knows.
pub struct Draft {
    /// Row id of the hardware.
    pub id: u32,
    /// Name in logs and lists.
    pub name: String,
    /// Key of the plugin.
    pub key: String,
    /// The instance's folders.
    pub folders: Folders,
    /// Its log.
    pub log: PluginLog,
    /// Its account.
    pub account: Arc<Account>,
    /// `Parameters`, in order.
    pub parameters: Vec<(String, String)>,
    /// The target that needs no grant.
    pub own: OwnTarget,
    /// The serial ports that it has.
    pub serial: Arc<SerialPolicy>,
    /// The instance as its framework sees it.
    pub framework: Arc<dyn Framework>,
}

impl Maker {
    /// Everything that an instance is made from, by its part of the configuration and the facts
    /// that its framework knows.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when TLS cannot be set up.
    pub(super) fn spec(
        &self,
        section: &InstanceSection,
        draft: Draft,
    ) -> Result<Spec, EngineError> {
        let grants = &section.grants;
        let listeners = self.listeners.to_vec();
        let network = NetworkPolicy::new(&draft.own, grants.clone(), listeners);
        let network = network.with_origin(&section.origin);
        let programs = ProcessPolicy::new(grants.exec.clone(), draft.folders.clone());
        let programs = programs.with_origin(&section.origin);
        Ok(Spec {
            hardware: draft.id,
            name: draft.name,
            key: draft.key,
            folders: draft.folders,
            packages: packages_of,
            log: draft.log,
            parameters: draft.parameters,
            environment: section.environment.clone().into_iter().collect(),
            limits: section.limits.clone(),
            account: draft.account,
            network: Arc::new(network),
            programs: Arc::new(programs),
            serial: draft.serial,
            keys: grants.keys.clone(),
            tls: self.tls.get(section.verify_tls)?,
            framework: draft.framework,
        })
    }

    /// Starts an instance, or keeps it ready for the operator who has it stopped.
    pub(super) fn start(&self, spec: Spec, stopped: bool) -> Handle {
        match stopped {
            true => supervisor::start_stopped(self.services.clone(), spec),
            false => supervisor::start(self.services.clone(), spec),
        }
    }

    /// The folders of the instance with this row id, in parts of the data folder of
    /// their own: a plugin never sees two of them through one. The plugin sees its own folder
    /// once more in `listed_in`.
    pub(super) fn folders(
        &self,
        id: u32,
        access: PluginFolder,
        plugin: &Path,
        listed_in: &'static str,
    ) -> Folders {
        let of = |part: &str| self.data.join(part).join(id.to_string());
        Folders {
            plugin: plugin.to_owned(),
            listed_in,
            data: of("plugins"),
            pages: of(PAGES),
            temporary: of("temporary"),
            code: self
                .data
                .join(COMPILED)
                .join(self.services.engine.guest())
                .join(id.to_string()),
            changes: (access == PluginFolder::CopyOnWrite).then(|| of("changes")),
        }
    }
}

/// TLS set-ups, one that verifies and one that accepts any certificate.
pub(super) struct Tls {
    any: Arc<TlsClient>,
    verified: OnceLock<Arc<TlsClient>>,
}

impl Tls {
    pub(super) fn new() -> Result<Self, EngineError> {
        Ok(Self {
            any: Arc::new(TlsClient::new(false)?),
            verified: OnceLock::new(),
        })
    }

    /// The set-up that verifies or does not. One that was made once is there from then on.
    pub(super) fn get(&self, verify: bool) -> Result<Arc<TlsClient>, EngineError> {
        if !verify {
            return Ok(Arc::clone(&self.any));
        }
        if let Some(verified) = self.verified.get() {
            return Ok(Arc::clone(verified));
        }
        // When it is made twice at the same time, the first stays.
        let made = Arc::new(TlsClient::new(true)?);
        Ok(Arc::clone(self.verified.get_or_init(|| made)))
    }
}
