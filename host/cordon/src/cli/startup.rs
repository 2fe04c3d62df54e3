//! The order in which `cordon serve` starts the plugins of the configuration.
//!
//! The API is there before any file of a plugin is read. A folder or a bundle that takes long is
//! waited for at the end, after all others were started; folders that do not answer are tried again
//! as long as hardware may be in them.

use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::hub::Hub;
use cordon_base::error::EngineError;
use cordon_base::log::{EventLog, Level};
use cordon_domoticz::catalogue::{Catalogue, Library};
use cordon_domoticz::config::HardwareSection;
use cordon_indigo::bundle::{Bundle, BundleProblem};
use cordon_indigo::config::IndigoSection;

/// How long the order of the configuration is kept: a plugin or a bundle that was not read
/// by then comes later. Plugins in folders of their keys' names need no more.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long after a look through the plugins folder the next one begins, when it did not
/// come to the end.
const AGAIN: Duration = Duration::from_secs(30);

type Opening = JoinHandle<Result<Bundle, BundleProblem>>;

/// Starts every configured instance. One that cannot be started is an error in the log and
/// among the hub's problems, and no reason to keep the others from running. Ends when
/// nothing is left that may be started later.
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
    let keys: Vec<_> = config
        .hardware
        .iter()
        .map(|it| it.plugin.as_str())
        .collect();
    let catalogue = library.look_until(until, &keys).await;
    if !catalogue.partial {
        tell_count(events, &catalogue);
    }
    let sections = config.hardware.iter().collect();
    let mut waiting = start_found(hub, config, events, &catalogue, sections).await;
    for section in &waiting {
        hub.expect(section).await?;
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
    let mut told = false;
    while !waiting.is_empty() {
        let catalogue = library.look().await;
        if !catalogue.partial {
            tell_count(events, &catalogue);
        }
        waiting = start_found(hub, config, events, &catalogue, waiting).await;
        if waiting.is_empty() {
            break;
        }
        if !std::mem::replace(&mut told, true) {
            for section in &waiting {
                let reason = not_found(config, section);
                let text = format!("{reason} so far; folders that do not answer are tried again");
                events.record_about(&section.name, Level::Error, &text);
                hub.problems().add_section(section.name.clone(), text);
            }
        }
        tokio::time::sleep(AGAIN).await;
    }
    Ok(())
}

fn tell_count(events: &EventLog, catalogue: &Catalogue) {
    let text = format!("{} plugin definitions loaded", catalogue.folders);
    events.record(None, Level::Status, text);
}

/// Starts the hardware whose plugins are known. Returns the hardware whose plugins may lie in
/// folders that were not read.
async fn start_found<'a>(
    hub: &mut Hub,
    config: &Config,
    events: &EventLog,
    catalogue: &Catalogue,
    sections: Vec<&'a HardwareSection>,
) -> Vec<&'a HardwareSection> {
    let mut waiting = Vec::new();
    for section in sections {
        let started = match catalogue.find(&section.plugin) {
            Some(definition) => {
                hub.problems().forget_section(&section.name);
                hub.start(section, definition).await
            }
            None if catalogue.partial => {
                waiting.push(section);
                continue;
            }
            None => Err(EngineError::Config(not_found(config, section))),
        };
        if let Err(error) = started {
            refuse(hub, events, &section.name, &error);
        }
    }
    waiting
}

fn not_found(config: &Config, section: &HardwareSection) -> String {
    let folder = config.hub.plugins.display();
    format!("no plugin with key `{}` in {folder}", section.plugin)
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
