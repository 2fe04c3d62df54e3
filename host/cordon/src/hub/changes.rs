//! A new reading of the configuration: which instances have changed, and what counts only after the
//! hub was started again.

use std::path::{Path, PathBuf};

use futures_util::future::join_all;

use super::configured::{Entry, Section, labelled};
use super::starter::Starter;
use crate::config::Config;
use cordon_base::log::Level;
use cordon_control::operator::OperatorError;
use cordon_control::report::{Changes, Problem};

/// The configuration that the hub was started with.
pub(super) struct Configuration {
    path: PathBuf,
    first: Config,
    /// Held while it is read and followed.
    turn: tokio::sync::Mutex<()>,
}

/// The fate of a section.
enum Fate {
    Started(String),
    Restarted(String),
    Unchanged,
    Refused(Problem),
}

impl Configuration {
    pub(super) fn new(path: &Path, first: Config) -> Self {
        Self {
            path: path.to_owned(),
            first,
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// The file.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file and follows it.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Refused`] with the error of the file; nothing is changed then.
    pub(super) async fn follow(&self, starter: &Starter) -> Result<Changes, OperatorError> {
        let _turn = self.turn.lock().await;
        let path = self.path.clone();
        let read = tokio::task::spawn_blocking(move || Config::load(&path)).await;
        let read = read.map_err(|error| OperatorError::Failed(error.to_string()))?;
        let config = read.map_err(|error| {
            OperatorError::Refused(format!("nothing is changed, because of {error}"))
        })?;
        let events = starter.events();
        for warning in &config.warnings {
            events.record(None, Level::Error, warning.clone());
        }
        let wanted = labelled(&config.hardware, &config.indigo);
        let mut changes = Changes {
            after_restart: after_restart(&self.first, &config),
            ..Changes::default()
        };
        let is_wanted = |label: &str| wanted.iter().any(|(it, _)| it == label);
        let mut gone = starter.configured.all();
        gone.retain(|it| it.section.is_some() && !is_wanted(&it.label));
        let is_new = |label: &str| starter.configured.labelled(label).is_none();
        let new = wanted.iter().filter(|(label, _)| is_new(label));
        for line in renamed(&gone, new) {
            events.record(None, Level::Warning, line);
        }
        // First those that go, so that their places and their bundles are free.
        let stop = |entry: Entry| async move {
            let _turn = starter.configured.turns().take(entry.label.clone()).await;
            let Some(entry) = starter.configured.labelled(&entry.label) else {
                return entry.label;
            };
            starter.remove(&entry).await;
            entry.label
        };
        changes.stopped = join_all(gone.into_iter().map(stop)).await;
        let fates = wanted.iter().map(|it| decide(starter, &it.0, &it.1));
        for fate in join_all(fates).await {
            match fate {
                Fate::Started(name) => changes.started.push(name),
                Fate::Restarted(name) => changes.restarted.push(name),
                Fate::Unchanged => changes.unchanged = changes.unchanged.saturating_add(1),
                Fate::Refused(problem) => changes.problems.push(problem),
            }
        }
        let labels: Vec<_> = wanted.into_iter().map(|(label, _)| label).collect();
        starter.configured.arrange(&labels);
        tell(starter, &changes);
        Ok(changes)
    }
}

/// Follows one section. An instance whose new section cannot be followed runs on with the former
/// one, and is tried again with the next reading.
async fn decide(starter: &Starter, label: &str, section: &Section) -> Fate {
    let _turn = starter.configured.turns().take(label.to_owned()).await;
    let (entry, is_new) = match starter.configured.labelled(label) {
        Some(entry) => (entry, false),
        None => {
            starter.configured.announce(label, section.clone());
            match starter.configured.labelled(label) {
                Some(entry) => (entry, true),
                None => return Fate::Unchanged,
            }
        }
    };
    let same = entry.section.as_ref().is_some_and(|it| it.is_same(section));
    let had_actor = entry.handle().is_some();
    if had_actor && same {
        return Fate::Unchanged;
    }
    match starter.renew(&entry, section).await {
        Ok(()) if had_actor => Fate::Restarted(label.to_owned()),
        Ok(()) => Fate::Started(label.to_owned()),
        Err(error) => {
            let reason = match had_actor && !is_new {
                true => format!("{error}; the instance runs on as it was"),
                false => error.to_string(),
            };
            if had_actor {
                starter.events().record_about(label, Level::Error, &reason);
            }
            let name = label.to_owned();
            Fate::Refused(Problem { name, reason })
        }
    }
}

/// Lines about sections that look as if they were given another name.
fn renamed<'a>(gone: &[Entry], new: impl Iterator<Item = &'a (String, Section)>) -> Vec<String> {
    let mut gone: Vec<_> = gone
        .iter()
        .filter_map(|it| Some((&it.label, it.section.as_ref()?.plugin())))
        .collect();
    let line = |(label, section): &(String, Section)| {
        let plugin = section.plugin();
        let index = gone.iter().position(|it| it.1 == plugin)?;
        let (former, _) = gone.remove(index);
        Some(format!(
            "`{former}` is gone and `{label}` is new: devices and files belong to the name, so \
             `{label}` begins with none; to keep them, give its section the name `{former}` again"
        ))
    };
    new.filter_map(line).collect()
}

fn tell(starter: &Starter, changes: &Changes) {
    let names = |names: &[String]| match names.is_empty() {
        true => "none".to_owned(),
        false => names.join(", "),
    };
    let mut line = format!(
        "the configuration was read again; started: {}; stopped: {}; restarted: {}; unchanged: {}",
        names(&changes.started),
        names(&changes.stopped),
        names(&changes.restarted),
        changes.unchanged
    );
    if !changes.problems.is_empty() {
        line.push_str(&format!("; not followed: {}", changes.problems.len()));
    }
    starter.events().record(None, Level::Status, line);
    if !changes.after_restart.is_empty() {
        let line = format!(
            "these keys have changed and count when the hub is started again: {}",
            changes.after_restart.join(", ")
        );
        starter.events().record(None, Level::Warning, line);
    }
}

/// The keys that have changed since the hub was started, and count only when it is started again.
fn after_restart(first: &Config, now: &Config) -> Vec<String> {
    let (old, new) = (&first.hub, &now.hub);
    let hub = [
        ("listen", old.listen != new.listen),
        ("data", old.data != new.data),
        ("socket", old.socket != new.socket),
        ("plugins", old.plugins != new.plugins),
        ("instances", old.instances != new.instances),
        ("stop-seconds", old.stop_seconds != new.stop_seconds),
        ("parked-seconds", old.parked_seconds != new.parked_seconds),
        ("latitude", !same_degrees(old.latitude, new.latitude)),
        ("longitude", !same_degrees(old.longitude, new.longitude)),
    ];
    let hub = hub.into_iter().filter(|(_, changed)| *changed);
    let mut keys: Vec<_> = hub.map(|(key, _)| format!("[hub] {key}")).collect();
    if keys.is_empty() && old != new {
        keys.push("[hub]".to_owned());
    }
    let sections = [
        ("[log]", first.log != now.log),
        ("[web]", first.web != now.web),
        ("[mail]", first.mail != now.mail),
        ("[indigo-api]", first.indigo_api != now.indigo_api),
    ];
    let sections = sections.into_iter().filter(|(_, changed)| *changed);
    keys.extend(sections.map(|(key, _)| key.to_owned()));
    keys
}

fn same_degrees(one: f64, other: f64) -> bool {
    one.total_cmp(&other).is_eq()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        toml::from_str(text).unwrap()
    }

    #[test]
    fn keys_that_count_after_a_restart_are_named() {
        let first = config("[hub]\nlisten = '127.0.0.1:1'\n");
        assert!(after_restart(&first, &first).is_empty());
        let text = "[hub]\nlisten = '127.0.0.1:2'\nparked-seconds = 1\nlatitude = 1.0\n\
                    [web]\nusers = [{ name = 'a', password = 'b' }]\n\
                    [mail]\nserver = 's'\nfrom = 'a@b.example'\n\
                    [indigo-api]\nauthentication = false\n";
        let keys = after_restart(&first, &config(text));
        assert_eq!(
            keys,
            [
                "[hub] listen",
                "[hub] parked-seconds",
                "[hub] latitude",
                "[web]",
                "[mail]",
                "[indigo-api]"
            ]
        );
        let other = text.replace("'b' }]", "'c' }]");
        assert_eq!(after_restart(&config(text), &config(&other)), ["[web]"]);
    }
}
