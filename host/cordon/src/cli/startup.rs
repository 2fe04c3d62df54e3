//! The order in which `cordon serve` starts the plugins of the configuration.
//!
//! The API is there before any file of a plugin is read. A folder or a bundle that takes long is
//! waited for at the end, after all others were started; folders that do not answer are tried again
//! as long as hardware may be in them.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::hub::{Hub, Loading};
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
    let loading = hub.announce(config).await?;
    // All of them at once, because they are of different owners.
    let open = |(label, section): (String, Arc<IndigoSection>)| {
        let path = section.bundle.clone();
        let opening: Opening = tokio::spawn(async move { Bundle::open_in_time(&path).await });
        (label, section, opening)
    };
    let openings: Vec<_> = loading.bundles().into_iter().map(open).collect();
    let until = Instant::now() + PATIENCE;
    let sections = loading.hardware();
    let keys: Vec<_> = sections.iter().map(|it| it.plugin.as_str()).collect();
    let catalogue = library.look_until(until, &keys).await;
    if !catalogue.partial {
        tell_count(events, &catalogue);
    }
    start_found(&loading, config, &catalogue).await;
    for section in loading.hardware() {
        loading.expect(&section).await?;
    }
    let mut late = Vec::new();
    for (label, section, mut opening) in openings {
        match timeout_at(until, &mut opening).await {
            Ok(opened) => start_bundle(&loading, &label, &section, opened).await,
            Err(_) => late.push((label, section, opening)),
        }
    }
    hub.manage(&config.hub.plugins, config.hub.instances)
        .await?;
    for (label, section, opening) in late {
        let opened = opening.await;
        start_bundle(&loading, &label, &section, opened).await;
    }
    if !config.indigo.is_empty() {
        hub.indigo().await?.ready();
    }
    loading.tried();
    let mut told = false;
    while !loading.hardware().is_empty() {
        let catalogue = library.look().await;
        if !catalogue.partial {
            tell_count(events, &catalogue);
        }
        start_found(&loading, config, &catalogue).await;
        let waiting = loading.hardware();
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
    loading.end();
    Ok(())
}

fn tell_count(events: &EventLog, catalogue: &Catalogue) {
    let text = format!("{} plugin definitions loaded", catalogue.folders);
    events.record(None, Level::Status, text);
}

/// Starts the hardware whose plugins are known. Hardware whose plugins may lie in folders that were
/// not read goes on waiting.
async fn start_found(loading: &Loading, config: &Config, catalogue: &Catalogue) {
    for section in loading.hardware() {
        let definition = match catalogue.find(&section.plugin) {
            Some(definition) => Ok(&**definition),
            None if catalogue.partial => continue,
            None => Err(EngineError::Config(not_found(config, &section))),
        };
        loading.load(&section, definition).await;
    }
}

fn not_found(config: &Config, section: &HardwareSection) -> String {
    let folder = config.hub.plugins.display();
    format!("no plugin with key `{}` in {folder}", section.plugin)
}

async fn start_bundle(
    loading: &Loading,
    label: &str,
    section: &Arc<IndigoSection>,
    opened: Result<Result<Bundle, BundleProblem>, tokio::task::JoinError>,
) {
    let opened = match opened {
        Ok(opened) => opened.map_err(|problem| EngineError::Config(problem.to_string())),
        Err(error) => Err(EngineError::io("cannot read the bundle", error.into())),
    };
    loading.load_bundle(label, section, opened).await;
}
