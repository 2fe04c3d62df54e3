//! `cordon serve`: the hub with the plugins of a configuration.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::config::Config;
use crate::engine::artifact::Artifact;
use crate::engine::{Engine, EngineOptions};
use crate::error::EngineError;
use crate::hub::Hub;
use crate::log::{EventLog, Level};
use crate::mail::Mailer;
use crate::platform::domoticz::definition::Catalogue;
use crate::platform::indigo::ServerOptions;
use crate::web::indigo::IndigoApi;
use crate::{system, web};

/// Arguments of `cordon serve`.
#[derive(Args)]
pub struct Serve {
    /// The configuration file.
    #[arg(long, default_value = "cordon.toml")]
    config: PathBuf,
    /// Also starts the simulated devices of the example plugins, on loopback.
    #[arg(long)]
    simulate: bool,
}

impl Serve {
    /// Serves until the process is told to stop.
    pub async fn act(self) -> Result<ExitCode, EngineError> {
        let config = Config::load(&self.config)?;
        let events = super::console()?;
        for warning in &config.warnings {
            events.record(None, Level::Error, warning.clone());
        }
        let options = EngineOptions {
            instances: config.hub.instances,
            ..EngineOptions::default()
        };
        system::raise_file_limit(u64::from(options.instances));
        let wanted = config.hardware.len().saturating_add(config.indigo.len());
        let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
        system::room_for(wanted, options.instances)?;
        let engine = Engine::new(&options, &Artifact::locate()?)?;
        say(
            &events,
            format!("memory of instances: {}", engine.allocation()),
        );
        let listener = TcpListener::bind(config.hub.listen)
            .await
            .map_err(|error| {
                EngineError::io(format!("cannot listen on {}", config.hub.listen), error)
            })?;
        let address = listener
            .local_addr()
            .map_err(|error| EngineError::io("cannot see the own address", error))?;
        let _simulators = if self.simulate {
            Some(crate::simulator::start(crate::simulator::Addresses::default()).await?)
        } else {
            None
        };
        let mut hub = Hub::open(engine, events.clone(), &config.hub.data, vec![address])?;
        hub.set_web(config.web.clone());
        hub.describe(ServerOptions {
            latitude: config.hub.latitude,
            longitude: config.hub.longitude,
            web_url: format!("http://{address}"),
            port: address.port(),
            mailer: config.mail.clone().map(Mailer::new),
        });
        start_all(&mut hub, &config, &events).await?;
        hub.manage(&config.hub.plugins, config.hub.instances)
            .await?;
        say(&events, format!("ready on http://{address}/"));
        let local_only = address.ip().is_loopback();
        let api = hub.api(address);
        let access = api.access.clone();
        let indigo = hub.indigo().await?;
        let indigo = IndigoApi::new(indigo, &config.indigo_api, access, local_only);
        let router = web::router(api).merge(web::indigo::router(indigo));
        let served = web::serve(listener, router, stop_signal()).await;
        say(&events, "stopping".to_owned());
        hub.stop().await;
        events.flush_echo(std::time::Duration::from_secs(1));
        served.map(|()| ExitCode::SUCCESS)
    }
}

fn say(events: &EventLog, text: String) {
    events.record(None, Level::Status, text);
}

/// Starts every configured instance. One that cannot be started is an error in
/// the log and no reason to keep the others from running.
async fn start_all(hub: &mut Hub, config: &Config, events: &EventLog) -> Result<(), EngineError> {
    let catalogue = Catalogue::discover(&config.hub.plugins)?;
    for problem in &catalogue.problems {
        events.record(None, Level::Error, problem.to_string());
    }
    say(
        events,
        format!("{} plugin definitions loaded", catalogue.folders),
    );
    for section in &config.hardware {
        let started = match catalogue.find(&section.plugin) {
            Some(definition) => hub.start(section, definition).await,
            None => Err(EngineError::Config(format!(
                "no plugin with key `{}` in {}",
                section.plugin,
                config.hub.plugins.display()
            ))),
        };
        if let Err(error) = started {
            events.record(Some(&section.name), Level::Error, error.to_string());
        }
    }
    for section in &config.indigo {
        if let Err(error) = hub.start_indigo(section).await {
            let name = section.name.clone();
            let name = name.unwrap_or_else(|| section.bundle.display().to_string());
            events.record(Some(&name), Level::Error, error.to_string());
        }
    }
    if !config.indigo.is_empty() {
        hub.indigo().await?.ready();
    }
    Ok(())
}

/// Resolves at SIGINT or SIGTERM.
pub async fn stop_signal() {
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => signal.recv().await,
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminated => {}
    }
}
