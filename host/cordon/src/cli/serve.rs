//! `cordon serve`: the hub with the plugins of a configuration.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::rereading::Rereading;
use super::startup;
use super::stopping::Stopping;
use crate::config::Config;
use crate::hub::Hub;
use crate::site::Listeners;
use cordon_base::error::EngineError;
use cordon_base::log::{EventLog, Level};
use cordon_base::system;
use cordon_control::operator::Operator;
use cordon_indigo::ServerOptions;
use cordon_indigo::web::IndigoApi;
use cordon_reach::mail::Mailer;
use cordon_runtime::engine::EngineOptions;
use cordon_runtime::engine::pool::stacks;

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
        let grace = Duration::from_secs(config.hub.stop_seconds);
        let stopping = Stopping::listen(grace)?;
        let rereading = Rereading::listen()?;
        let events = super::log(&config.log)?;
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
        system::room_for(wanted, stacks(options.instances))?;
        let Some(engine) = super::engine::make(options, &stopping, &events).await? else {
            return Ok(ExitCode::SUCCESS);
        };
        say(
            &events,
            format!("memory of instances: {}", engine.allocation()),
        );
        let mut listeners = Listeners::bind(config.hub.listen, &config.web).await?;
        let [address, pages] = listeners.addresses();
        let _simulators = if self.simulate {
            Some(crate::simulator::start(crate::simulator::Addresses::default()).await?)
        } else {
            None
        };
        let mut hub = Hub::open(
            engine,
            events.clone(),
            &config.hub.data,
            vec![address, pages],
        )?;
        hub.set_web(config.web.clone());
        hub.set_grace(grace);
        hub.set_parked(Duration::from_secs(config.hub.parked_seconds));
        hub.describe(ServerOptions {
            latitude: config.hub.latitude,
            longitude: config.hub.longitude,
            web_url: format!("http://{address}"),
            port: address.port(),
            mailer: config.mail.clone().map(Mailer::new),
        });
        if let Some(socket) = config.hub.socket_path() {
            listeners.open_socket(&socket)?;
        }
        let library = hub.prepare(&config.hub.plugins, config.hub.instances);
        let api = hub.api(address);
        let (access, origins) = (api.access.clone(), api.origins.clone());
        let budget = api.budget.clone();
        let indigo = hub.indigo().await?;
        let indigo = IndigoApi::new(indigo, &config.indigo_api, access, origins);
        let indigo = indigo.with_budget(budget);
        let operator = hub.operator(Some((&self.config, config.clone())));
        let operator: Arc<dyn Operator> = Arc::new(operator);
        let _rereading = rereading.follow(Arc::clone(&operator), events.clone());
        // Before the plugins folder is read, whatever lies in it: the operator can look and act.
        say(&events, format!("pages of plugins: http://{pages}/"));
        say(&events, format!("ready on http://{address}/"));
        let web = config.web.clone();
        let end = CancellationToken::new();
        let told = end.clone().cancelled_owned();
        let (running, ended) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(async move {
            // The sender is dropped at the end of serving, whichever way that comes.
            let _running = running;
            listeners
                .serve(&web, api, indigo, Some(operator), told)
                .await;
        });
        tokio::select! {
            biased;
            () = stopping.clone().told() => {}
            _ = ended => {}
            started = startup::start_all(&mut hub, &config, &events, &library) => started?,
        }
        let served = stop(stopping, (serving, end), &mut hub, &events).await;
        events.flush_echo(Duration::from_secs(1));
        served.map(|()| ExitCode::SUCCESS)
    }
}

/// Waits until the program is told to stop, or cannot serve any more; then ends the API and
/// the plugins at the same time. The API ends by its token, after the line that says so: whoever
/// follows the log reads it.
async fn stop(
    stopping: Stopping,
    (mut serving, end): (JoinHandle<()>, CancellationToken),
    hub: &mut Hub,
    events: &EventLog,
) -> Result<(), EngineError> {
    let ended = |served: Result<(), tokio::task::JoinError>| {
        served.map_err(|error| EngineError::io("serving HTTP", error.into()))
    };
    tokio::select! {
        biased;
        () = stopping.told() => {
            say(events, "stopping".to_owned());
            end.cancel();
            let ((), served) = tokio::join!(hub.stop(), serving);
            ended(served)
        }
        served = &mut serving => {
            say(events, "stopping, because the API has ended".to_owned());
            hub.stop().await;
            ended(served)
        }
    }
}

fn say(events: &EventLog, text: String) {
    events.record(None, Level::Status, text);
}
