//! The order in which `cordon serve` starts what the configuration names.
//!
//! The API is there before anything is read of what plugins bring. A folder or a bundle
//! that takes long is waited for at the end, after all others were started.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::config::{Config, IndigoSection};
use crate::error::EngineError;
use crate::hub::Hub;
use crate::log::{EventLog, Level};
use crate::platform::domoticz::catalogue::Library;
use crate::platform::indigo::bundle::{Bundle, BundleProblem};

/// How long the order of the configuration is kept: a bundle that was not read by then
/// comes last.
const PATIENCE: Duration = Duration::from_secs(2);

type Opening = JoinHandle<Result<Bundle, BundleProblem>>;

/// Starts every configured instance. One that cannot be started is an error in the log and
/// among the hub's problems, and no reason to keep the others from running.
pub(super) async fn start_all(
    hub: &mut Hub,
    config: &Config,
    events: &EventLog,
    library: &Library,
) -> Result<(), EngineError> {
    // All of them at once, because they are of different owners.
    let openings: Vec<Opening> = config
        .indigo
        .iter()
        .map(|section| {
            let path = section.bundle.clone();
            tokio::spawn(async move { Bundle::open_in_time(&path).await })
        })
        .collect();
    let until = Instant::now() + PATIENCE;
    let catalogue = library.look().await;
    let text = format!("{} plugin definitions loaded", catalogue.folders);
    events.record(None, Level::Status, text);
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
            refuse(hub, events, &section.name, &error);
        }
    }
    let mut late = Vec::new();
    for (section, mut opening) in config.indigo.iter().zip(openings) {
        match timeout_at(until, &mut opening).await {
            Ok(opened) => start_bundle(hub, events, section, opened).await,
            Err(_) => late.push((section, opening)),
        }
    }
    hub.manage(&config.hub.plugins, config.hub.instances)
        .await?;
    for (section, opening) in late {
        let opened = opening.await;
        start_bundle(hub, events, section, opened).await;
    }
    if !config.indigo.is_empty() {
        hub.indigo().await?.ready();
    }
    Ok(())
}

async fn start_bundle(
    hub: &mut Hub,
    events: &EventLog,
    section: &IndigoSection,
    opened: Result<Result<Bundle, BundleProblem>, tokio::task::JoinError>,
) {
    let bundle = match opened {
        Ok(opened) => opened.map_err(|problem| EngineError::Config(problem.to_string())),
        Err(error) => Err(EngineError::io("cannot read the bundle", error.into())),
    };
    let started = match bundle {
        Ok(bundle) => hub.start_bundle(section, bundle).await,
        Err(error) => Err(error),
    };
    if let Err(error) = started {
        let name = section.name.clone();
        let name = name.unwrap_or_else(|| section.bundle.display().to_string());
        refuse(hub, events, &name, &error);
    }
}

fn refuse(hub: &Hub, events: &EventLog, name: &str, error: &EngineError) {
    let reason = error.to_string();
    events.record_about(name, Level::Error, &reason);
    hub.problems().add_section(name.to_owned(), reason);
}
