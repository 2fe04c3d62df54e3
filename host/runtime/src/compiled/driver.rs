//! The component that compiles a set of packages.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{CompiledPackages, Set, sources};
use crate::instance::Spec;
use crate::instance::supervisor::{self, Services};
use cordon_base::account::Account;
use cordon_base::folders::{Folders, PLUGINS_FOLDER};
use cordon_base::grants::Grants;
use cordon_base::limits::Limits;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::plugin_log::PluginLog;
use cordon_reach::egress::{NetworkPolicy, OwnTarget};
use cordon_reach::process::ProcessPolicy;
use cordon_reach::serial::SerialPolicy;
use cordon_reach::tls_client::TlsClient;

const DRIVER: &str = include_str!("driver.py");

/// How long a set may take, in milliseconds, of computing and on the wall.
const CPU: u64 = 120_000;
const WALL: u64 = 300_000;

/// How long the component may take to stop when it is done.
const STOP: Duration = Duration::from_secs(5);

/// The folders of a compilation, in the one where it works.
const PLUGIN: &str = "plugin";
const CODE: &str = "code";
const DATA: &str = "data";

/// The copy of the packages, in the plugin's folder.
const PACKAGES: &str = "Packages";

/// The component's name, and its key.
const NAME: &str = "packages";

/// The room for lines of the component.
const LINES: LogCapacity = LogCapacity {
    records: 16,
    bytes: 64 << 10,
};

impl CompiledPackages {
    /// Lays out the files that the component needs. Nothing when the packages have changed.
    fn lay_out(&self, set: &Set) -> io::Result<Option<tempfile::TempDir>> {
        let workshop = self.workshop()?;
        let plugin = workshop.path().join(PLUGIN);
        let copy = plugin.join(PACKAGES);
        fs::create_dir_all(&copy)?;
        sources::copy(&set.packages, &copy)?;
        fs::write(plugin.join("plugin.py"), DRIVER)?;
        let same = sources::hash(&copy)? == set.hash;
        Ok(same.then_some(workshop))
    }

    /// Keeps the files that the component has made, if it went through to its end.
    fn take(&self, set: &Set, workshop: &Path) -> io::Result<()> {
        let made = workshop.join(CODE).join("packages");
        let done = workshop.join(DATA).join("done").is_file() && made.is_dir();
        self.keep(&set.hash, done.then_some(made.as_path()))
    }
}

/// Compiles a set of packages and keeps the result, or the word that there is none. The turn ends
/// with that. A failure of the hub is told in its log, and the set is tried again by the next
/// instance that asks.
pub async fn compile(services: Services, tls: Arc<TlsClient>, set: Set) {
    let Some(compiled) = services.compiled.clone() else {
        return;
    };
    let _place = compiled.place().await;
    let made = async {
        let (set, workshop) = {
            let compiled = compiled.clone();
            let lay_out = move || compiled.lay_out(&set).map(|workshop| (set, workshop));
            on_thread(&services, lay_out).await?
        };
        let Some(workshop) = workshop else {
            return Ok(());
        };
        run(services.clone(), tls, workshop.path()).await;
        let compiled = compiled.clone();
        on_thread(&services, move || compiled.take(&set, workshop.path())).await
    };
    if let Err(error) = made.await {
        tracing::warn!(%error, "packages are not compiled for all who have them");
    }
}

/// Runs the component to its end.
async fn run(mut services: Services, tls: Arc<TlsClient>, workshop: &Path) {
    // This instance has packages, and must not wait for itself.
    services.compiled = None;
    let instance = supervisor::start(services.clone(), spec(&services, tls, workshop));
    instance.remote().counters.settled().await;
    instance.stop(STOP).await;
}

fn spec(services: &Services, tls: Arc<TlsClient>, workshop: &Path) -> Spec {
    let limits = Limits {
        callback_cpu: CPU,
        callback_wall: WALL,
        restarts: 1,
        data_bytes: 1 << 30,
        data_files: 100_000,
        ..Limits::default()
    };
    let folders = Folders {
        plugin: workshop.join(PLUGIN),
        listed_in: PLUGINS_FOLDER,
        data: workshop.join(DATA),
        pages: workshop.join("pages"),
        temporary: workshop.join("temporary"),
        code: workshop.join(CODE),
        changes: None,
    };
    Spec {
        hardware: 0,
        name: NAME.to_owned(),
        key: NAME.to_owned(),
        packages: |folder| Some(folder.join(PACKAGES)),
        // Nobody knows a plugin of this name: its lines are for no log that people read.
        log: PluginLog::new(EventLog::new(LINES), NAME, &limits),
        account: Account::new(&limits),
        parameters: Vec::new(),
        environment: Vec::new(),
        network: Arc::new(NetworkPolicy::new(
            &OwnTarget::default(),
            Grants::default(),
            Vec::new(),
        )),
        programs: Arc::new(ProcessPolicy::new(Vec::new(), folders.clone())),
        serial: Arc::new(SerialPolicy::new(&[], None)),
        keys: Vec::new(),
        tls,
        framework: Arc::clone(&services.compiler),
        folders,
        limits,
    }
}

/// Work on files for the hub itself.
async fn on_thread<T: Send + 'static>(
    services: &Services,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let done = services.pools.files.run(&Account::of_hub(), work).await;
    done.map_err(io::Error::other)?
}
