//! `cordon run PLUGIN`: one plugin in the foreground, for its author.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use tokio::net::TcpListener;

use crate::cli::stopping::Stopping;
use crate::cli::watching::Watching;
use crate::hub::Hub;
use cordon_base::error::EngineError;
use cordon_base::grants::Grants;
use cordon_base::hint::Origin;
use cordon_base::limits::Limits;
use cordon_base::limits::amount::Amount;
use cordon_base::log::{Level, LogConfig};
use cordon_base::system;
use cordon_domoticz::config::{ALL_LEVELS, HardwareSection};
use cordon_domoticz::definition::{self, PluginDefinition};
use cordon_domoticz::web;
use cordon_indigo::ServerOptions;
use cordon_indigo::bundle::is_bundle;
use cordon_indigo::config::IndigoSection;
use cordon_runtime::engine::EngineOptions;
use cordon_runtime::instance::counters::{Counters, Status};
use cordon_runtime::instance::remote::Remote;
use cordon_runtime::instance::supervisor::Handle;
use cordon_runtime::section::{InstanceSection, PluginFolder};

/// How long the plugin has to stop.
const GRACE: Duration = Duration::from_secs(20);

/// Arguments of `cordon run`.
#[derive(Args)]
pub struct Run {
    /// The plugin's folder, a single Python file with a definition in it, or an Indigo
    /// bundle.
    plugin: PathBuf,
    /// A parameter of the plugin, such as `Address=127.0.0.1`. Repeatable.
    #[arg(long, value_name = "NAME=VALUE")]
    param: Vec<String>,
    /// A network grant, such as `192.168.1.0/24:80`. Repeatable.
    #[arg(long, value_name = "HOST:PORTS")]
    network: Vec<String>,
    /// A port, or a range of them, on which the plugin may listen. Repeatable.
    #[arg(long, value_name = "PORT")]
    listen: Vec<String>,
    /// A program that the plugin may run, such as `/usr/bin/uptime`. Repeatable.
    #[arg(long, value_name = "PATH")]
    exec: Vec<String>,
    /// A serial port that the plugin may open, such as `/dev/ttyUSB0`. Repeatable.
    #[arg(long, value_name = "PATH")]
    serial: Vec<String>,
    /// A host to which the plugin may send echo requests. Repeatable.
    #[arg(long, value_name = "HOST")]
    icmp: Vec<String>,
    /// A device with which TLS may use old algorithms. Repeatable.
    #[arg(long, value_name = "HOST")]
    legacy_tls: Vec<String>,
    /// A limit, such as `threads=4`, `memory=128MiB` or `callback-cpu=20s`. Repeatable.
    #[arg(long, value_name = "NAME=N")]
    limit: Vec<String>,
    /// The access of the plugin to its own folder: it reads it, or changes what it sees of it,
    /// and the changes go to a folder of the instance.
    #[arg(
        long,
        default_value = PluginFolder::WORDS[0],
        value_parser = PossibleValuesParser::new(PluginFolder::WORDS)
            .try_map(|word| word.parse::<PluginFolder>()),
    )]
    plugin_folder: PluginFolder,
    /// Name of the hardware; the definition's by default.
    #[arg(long)]
    name: Option<String>,
    /// Folder for devices and files; a temporary one, removed at the end, by default.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Where to offer the HTTP API; nowhere by default.
    #[arg(long, value_name = "ADDRESS:PORT")]
    api: Option<std::net::SocketAddr>,
    /// Starts the plugin anew when its files change.
    #[arg(long)]
    watch: bool,
    /// Ends after this many seconds instead of at Ctrl-C.
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
    /// Fails at the end if a callback raised, also in `onStop`.
    #[arg(long)]
    strict: bool,
}

impl Run {
    /// Runs the plugin until Ctrl-C, the end of `--seconds`, or its failure. The exit status tells
    /// whether it could be started and went on, and with `--strict` whether no callback raised.
    pub async fn act(self) -> Result<ExitCode, EngineError> {
        let stopping = Stopping::listen(GRACE)?;
        let scratch = Scratch::new()?;
        let what = self.what(scratch.path())?;
        let events = super::log(&LogConfig::default())?;
        let options = EngineOptions {
            instances: 1,
            ..EngineOptions::default()
        };
        system::raise_file_limit(u64::from(options.instances));
        let Some(engine) = super::engine::make(options, &stopping, &events).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        let data = self
            .data
            .clone()
            .unwrap_or_else(|| scratch.path().join("data"));
        let listener =
            match self.api {
                Some(address) => Some(TcpListener::bind(address).await.map_err(|error| {
                    EngineError::io(format!("cannot listen on {address}"), error)
                })?),
                None => None,
            };
        let address = match &listener {
            Some(listener) => Some(
                listener
                    .local_addr()
                    .map_err(|error| EngineError::io("cannot see the own address", error))?,
            ),
            None => None,
        };
        let mut hub = Hub::open(engine, events.clone(), &data, address.into_iter().collect())?;
        match &what {
            What::Domoticz(section, definition) => hub.start(section, definition).await?,
            What::Indigo(section) => {
                if let Some(address) = address {
                    hub.describe(ServerOptions {
                        web_url: format!("http://{address}"),
                        port: address.port(),
                        ..ServerOptions::default()
                    });
                }
                hub.start_indigo(section).await?;
                hub.indigo().await?.ready();
            }
        }
        if let Some((listener, address)) = listener.zip(address) {
            let router = web::router(hub.api(address));
            println!("API on http://{address}/json.htm");
            tokio::spawn(cordon_web::server::serve(
                listener,
                router,
                std::future::pending(),
            ));
        }
        hub.set_grace(GRACE);
        let remotes: Vec<_> = hub.instances().iter().map(|it| it.remote()).collect();
        let mut good = if self.watch {
            let watched = self.follow(&mut hub, scratch.path());
            tokio::select! {
                () = watched => false,
                () = self.time() => true,
                () = stopping.told() => true,
            }
        } else {
            self.wait(&hub, stopping).await
        };
        hub.stop().await;
        events.flush_echo(Duration::from_secs(1));
        if self.strict {
            let count = |figure: fn(&Counters) -> &AtomicU64| -> u64 {
                let figures = remotes.iter().map(|it| figure(&it.counters));
                figures.map(|it| it.load(Ordering::Relaxed)).sum()
            };
            let (raised, failures) = (count(|it| &it.raised), count(|it| &it.failures));
            if raised > 0 {
                println!("{raised} callbacks raised; --strict makes that a failure");
            }
            good &= raised == 0 && failures == 0;
        }
        Ok(match good {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        })
    }

    /// Waits for the end; false when the plugin has failed by then, or was not started.
    async fn wait(&self, hub: &Hub, stopping: Stopping) -> bool {
        let failed = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let failed = |it: &Arc<Handle>| {
                    let counters = &it.remote().counters;
                    // A plugin that restarts itself pauses without having failed.
                    counters.failures.load(Ordering::Relaxed) > 0
                        && matches!(
                            counters.status(),
                            Status::Restarting { .. } | Status::Parked { .. }
                        )
                };
                if hub.instances().iter().any(failed) {
                    return;
                }
            }
        };
        // A plugin may say nothing of its own for long.
        let runs = async {
            loop {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let remotes: Vec<_> = hub.instances().iter().map(|it| it.remote()).collect();
                let runs = |it: &Remote| it.counters.status() == Status::Running;
                if !remotes.is_empty() && remotes.iter().all(runs) {
                    for remote in &remotes {
                        println!("{} runs; {}", remote.spec.name, self.until());
                    }
                    return std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = runs => false,
            () = failed => false,
            () = self.time() => self.has_started(hub),
            () = stopping.told() => true,
        }
    }

    /// Whether the plugin is past its start when its time is over.
    fn has_started(&self, hub: &Hub) -> bool {
        let mut good = true;
        for remote in hub.instances().iter().map(|it| it.remote()) {
            let failed = remote.counters.failures.load(Ordering::Relaxed) > 0;
            if !failed && remote.counters.status() == Status::Starting {
                let name = &remote.spec.name;
                println!("{name} had not started when its time was over; give it more --seconds");
                good = false;
            }
            good &= !failed;
        }
        good
    }

    /// Waits for the end of `--seconds`.
    async fn time(&self) {
        match self.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    }

    /// Starts the plugin anew whenever its files have changed. A plugin that is broken in between
    /// is told of, and the former one runs on.
    async fn follow(&self, hub: &mut Hub, scratch: &Path) {
        let mut watching = Watching::new(&self.plugin).await;
        println!("{} is watched; {}", self.plugin.display(), self.until());
        loop {
            watching.changed().await;
            let events = hub.services().events.clone();
            let line = "the plugin's files have changed, and it is started anew";
            events.record(None, Level::Status, line);
            let replaced = match self.what(scratch) {
                Ok(What::Domoticz(section, definition)) => hub.replace(&section, &definition).await,
                Ok(What::Indigo(section)) => hub.replace_indigo(&section).await,
                Err(error) => Err(error),
            };
            if let Err(error) = replaced {
                let line = format!("the plugin is not started anew: {error}");
                events.record(None, Level::Error, line);
            }
        }
    }

    /// When the plugin is ended.
    fn until(&self) -> String {
        match self.seconds {
            Some(seconds) => format!("it is ended after {seconds} s"),
            None => "Ctrl-C ends it".to_owned(),
        }
    }

    /// The section that a configuration would have for the plugin.
    fn what(&self, scratch: &Path) -> Result<What, EngineError> {
        if is_bundle(&self.plugin) {
            if let Some(text) = self.param.first() {
                return Err(EngineError::Config(format!(
                    "--param {text}: an Indigo plugin has no parameters; its preferences are in \
                     its data folder"
                )));
            }
            return Ok(What::Indigo(Box::new(IndigoSection {
                bundle: self.plugin.clone(),
                name: self.name.clone(),
                instance: self.instance()?,
            })));
        }
        let definition = load_definition(&self.plugin, scratch)?;
        let section = self.section(&definition)?;
        Ok(What::Domoticz(Box::new(section), Box::new(definition)))
    }

    fn limits(&self) -> Result<Limits, EngineError> {
        let limits = pairs("--limit", &self.limit)?.into_iter();
        let limits = limits.map(|(name, value)| (name, Amount::from(value.as_str())));
        Limits::with_overrides(&limits.collect())
            .map_err(|error| EngineError::Config(format!("--limit: {error}")))
    }

    fn grants(&self) -> Result<Grants, EngineError> {
        let mut grants = Grants::default();
        for text in &self.network {
            grants.network.push(text.parse().map_err(config)?);
        }
        for text in &self.listen {
            grants.listen.push(text.parse().map_err(config)?);
        }
        for text in &self.exec {
            grants.exec.push(text.parse().map_err(config)?);
        }
        for text in &self.serial {
            grants.serial.push(text.parse().map_err(config)?);
        }
        for text in &self.icmp {
            grants.icmp.push(text.parse().map_err(config)?);
        }
        for text in &self.legacy_tls {
            grants.legacy_tls.push(text.parse().map_err(config)?);
        }
        Ok(grants)
    }

    fn instance(&self) -> Result<InstanceSection, EngineError> {
        Ok(InstanceSection {
            grants: self.grants()?,
            limits: self.limits()?,
            plugin_folder: self.plugin_folder,
            origin: Origin::Run,
            ..InstanceSection::default()
        })
    }

    fn section(&self, definition: &PluginDefinition) -> Result<HardwareSection, EngineError> {
        Ok(HardwareSection {
            log_level: ALL_LEVELS,
            name: self.name.clone().unwrap_or_else(|| definition.name.clone()),
            plugin: definition.key.clone(),
            parameters: pairs("--param", &self.param)?,
            instance: self.instance()?,
            typed_serial: true,
        })
    }
}

/// The kind of plugin that is run.
enum What {
    Domoticz(Box<HardwareSection>, Box<PluginDefinition>),
    Indigo(Box<IndigoSection>),
}

fn config(error: impl std::fmt::Display) -> EngineError {
    EngineError::Config(error.to_string())
}

fn pairs(option: &str, texts: &[String]) -> Result<BTreeMap<String, String>, EngineError> {
    texts
        .iter()
        .map(|text| match text.split_once('=') {
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(EngineError::Config(format!(
                "{option} {text}: NAME=VALUE is expected"
            ))),
        })
        .collect()
}

/// The definition of a plugin folder, or of a single file, which is put into a
/// folder of its own as `plugin.py`.
fn load_definition(path: &Path, scratch: &Path) -> Result<PluginDefinition, EngineError> {
    let folder = if path.is_dir() {
        path.to_owned()
    } else {
        let folder = scratch.join("plugin");
        std::fs::create_dir_all(&folder)
            .and_then(|()| std::fs::copy(path, folder.join("plugin.py")))
            .map_err(|error| EngineError::io(format!("cannot read {}", path.display()), error))?;
        folder
    };
    let definitions = definition::read_folder(&folder).map_err(config)?;
    definitions.into_iter().next().ok_or_else(|| {
        EngineError::Config(format!(
            "{} defines no plugin: there is no <plugin ...> element in its plugin.py",
            path.display()
        ))
    })
}

/// A folder that is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, EngineError> {
        let folder = std::env::temp_dir().join(format!("cordon-run-{}", std::process::id()));
        std::fs::create_dir_all(&folder)
            .map_err(|error| EngineError::io("cannot make a temporary folder", error))?;
        Ok(Self(folder))
    }

    fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!(folder = %self.0.display(), %error, "cannot remove");
        }
    }
}
