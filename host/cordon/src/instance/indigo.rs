//! The life of an Indigo plugin: the calls at its start and its end.
//!
//! In the order of the plugin reference: `startup`, the plugin's devices and triggers,
//! its own thread; at the end its thread, its devices and triggers, `shutdown`.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::abi::Plugin as Component;
use crate::abi::exports::cordon::plugin::guest::Outcome;
use crate::capability::files;
use crate::instance::run::{Hub, Life};
use crate::instance::setup::Found;
use cordon_base::account::Charge;
use cordon_base::error::InstanceFailure;
use cordon_base::log::Level;
use cordon_indigo::dialog::add_stated_defaults;
use cordon_indigo::object::Object;
use cordon_indigo::plugin::CATCH_UP;
use cordon_indigo::view::view;
use cordon_indigo::{Answer, Answered, Call, Failure, IndigoServer, Plugin, bounds, preferences};

/// How long a plugin's own threads are given to end: first that of `runConcurrentThread`,
/// then, after `shutdown`, all others.
const GRACE: Duration = Duration::from_secs(10);

/// How often a plugin that nobody calls is asked for changed preferences.
pub const FLUSH: Duration = Duration::from_secs(60);

/// Longest reply that is read on the thread of the instance, in bytes.
const SMALL: usize = 4096;

/// How often the plugin's threads are checked in that time.
const LOOK: Duration = Duration::from_millis(100);

/// The server that an instance belongs to, and the plugin that it is there.
#[derive(Clone)]
pub struct Link {
    /// The server.
    pub server: Arc<IndigoServer>,
    /// The plugin.
    pub plugin: Arc<Plugin>,
}

impl Link {
    /// The files that the plugin's folders hold for a new life. Blocks.
    #[must_use]
    pub fn look(&self) -> Found {
        let bundle = &self.plugin.bundle;
        let folders = [Some(&bundle.server_plugin), bundle.packages.as_ref()];
        let modules = files::modules_in(folders.into_iter().flatten().map(|it| it.as_path()));
        let data = &self.plugin.data;
        if let Err(error) = cordon_indigo::paths::lay_out(data, &bundle.root) {
            let line = format!("the folders of an installation cannot be made: {error}");
            self.plugin.log.hub(Level::Warning, &line);
        }
        let most = self.plugin.limits.stored_bytes;
        let loaded = preferences::load(data, self.plugin.id(), most);
        let preferences = loaded.unwrap_or_else(|error| {
            let line = format!("the preferences are lost, the plugin starts without: {error}");
            self.plugin.log.hub(Level::Error, &line);
            Default::default()
        });
        let mut preferences = preferences;
        if let Some(config) = &self.plugin.bundle.definitions.config {
            add_stated_defaults(&config.config_ui, &mut preferences);
        }
        Found {
            modules,
            preferences: Value::Object(preferences).to_string(),
            ..Found::default()
        }
    }
}

/// The arguments of a function about one object: made when its turn comes, so that all the
/// objects of a plugin are not held at once.
///
/// An object that changed since then is seen as it is now: a plugin that writes back a property of an
/// old copy would undo the change.
fn seen(link: &Link, name: &str, object: &Arc<Object>) -> String {
    let now = link.server.database().any(object.id).cloned();
    let object = now.unwrap_or_else(|| Arc::clone(object));
    json!({ name: view(&object, Some(link.plugin.id())) }).to_string()
}

impl Life<'_> {
    /// `startup`, then everything that the plugin is responsible for.
    pub(super) async fn begin(
        &mut self,
        hub: &Hub,
        component: &Component,
        link: &Link,
    ) -> Result<(), InstanceFailure> {
        let answered = self.function(hub, component, "startup", "{}").await?;
        match answered.answer {
            Answer::Raised(_) => return Err(InstanceFailure::Raised("startup")),
            Answer::Returned(value) if value.get("ok") == Some(&Value::Bool(false)) => {
                let message = value.get("message").and_then(Value::as_str);
                let message = message.unwrap_or("the plugin's startup says that it cannot run");
                // Kept for as long as the plugin is off, and shown with it.
                let end = message.floor_char_boundary(bounds::MESSAGE);
                let message = message.get(..end).unwrap_or_default();
                link.plugin.log.hub(Level::Error, message);
                return Err(InstanceFailure::Declined(message.to_owned()));
            }
            Answer::Returned(_) | Answer::NotDefined => {}
        }
        let (devices, triggers) = link.server.begin(&link.plugin);
        for dev in devices {
            let arguments = seen(link, "dev", &dev);
            self.function(hub, component, "deviceStartComm", &arguments)
                .await?;
        }
        for trigger in triggers {
            let arguments = seen(link, "trigger", &trigger);
            self.function(hub, component, "triggerStartProcessing", &arguments)
                .await?;
        }
        self.function(hub, component, "startConcurrentThread", "{}")
            .await?;
        Ok(())
    }

    /// Ends the plugin: its thread, its devices and triggers, then `shutdown`.
    pub(super) async fn end(
        &mut self,
        hub: &Hub,
        component: &Component,
        link: &Link,
    ) -> Result<(), InstanceFailure> {
        let grace = json!({ "grace": self.grace().as_secs_f64() }).to_string();
        self.function(hub, component, "stopConcurrentThread", &grace)
            .await?;
        let (devices, triggers) = link.server.active(&link.plugin);
        for dev in devices {
            let arguments = seen(link, "dev", &dev);
            self.function(hub, component, "deviceStopComm", &arguments)
                .await?;
        }
        for trigger in triggers {
            let arguments = seen(link, "trigger", &trigger);
            self.function(hub, component, "triggerStopProcessing", &arguments)
                .await?;
        }
        self.function(hub, component, "shutdown", "{}").await?;
        self.end_threads(hub, component, link).await
    }

    /// [`GRACE`], or less where a call may not take as long.
    fn grace(&self) -> Duration {
        let limits = &self.spec.limits;
        let most = limits.callback_wall.min(limits.stop_wall);
        GRACE.min(Duration::from_millis(most / 2))
    }

    /// Waits for the threads for which the end of a process waits; all others end with the
    /// component, as they do with the plugin's process in the original.
    async fn end_threads(
        &mut self,
        hub: &Hub,
        component: &Component,
        link: &Link,
    ) -> Result<(), InstanceFailure> {
        let end = Instant::now() + GRACE;
        loop {
            let answered = self.function(hub, component, "threadsLeft", "{}").await?;
            let Answer::Returned(Value::Array(names)) = answered.answer else {
                return Ok(());
            };
            if names.is_empty() {
                return Ok(());
            }
            if Instant::now() >= end {
                let names: Vec<_> = names.iter().filter_map(Value::as_str).collect();
                let line = format!(
                    "threads still run {} s after shutdown and are ended with the plugin: {}",
                    GRACE.as_secs(),
                    names.join(", ")
                );
                link.plugin.log.hub(Level::Error, &line);
                return Ok(());
            }
            self.wait_for_threads(hub, component, LOOK).await?;
        }
    }

    /// Has changed preferences written: the plugin's own threads may have changed them.
    pub(super) async fn flush(
        &mut self,
        hub: &Hub,
        component: &Component,
    ) -> Result<(), InstanceFailure> {
        let written = self.function(hub, component, "flushPluginPrefs", "{}");
        written.await?;
        self.catch_up().await;
        Ok(())
    }

    /// Takes the changes of objects for which there was no room in the inbox.
    async fn catch_up(&self) {
        if let Some(link) = &self.spec.indigo {
            cordon_indigo::catch_up(&link.server, &link.plugin).await;
        }
    }

    /// Makes a call that came from outside.
    pub(super) async fn answer(
        &mut self,
        hub: &Hub,
        component: &Component,
        call: Call,
    ) -> Result<(), InstanceFailure> {
        // A caller that no longer waits, as after a time-out, wants nothing done: an action that
        // its caller gave up must not happen a minute later.
        if call.reply.as_ref().is_some_and(|reply| reply.is_closed()) {
            return Ok(());
        }
        let Call {
            name,
            arguments,
            reply,
            waiting,
            charge,
        } = call;
        if name != CATCH_UP {
            let answered = self.function(hub, component, &name, &arguments).await?;
            if let Some(reply) = reply {
                // The caller may have stopped waiting meanwhile.
                let _ = reply.send(answered);
            }
        }
        drop((arguments, waiting, charge));
        self.catch_up().await;
        Ok(())
    }

    async fn function(
        &mut self,
        hub: &Hub,
        component: &Component,
        name: &str,
        arguments: &str,
    ) -> Result<Answered, InstanceFailure> {
        hub.with(|mut access| access.get().reply = None);
        let begun = std::time::Instant::now();
        let guest = component.cordon_plugin_guest();
        let call = guest.call_call(hub, name.to_owned(), arguments.to_owned());
        let outcome = self.call(hub, component, name, call).await?;
        self.counters.delivered(outcome, begun.elapsed());
        let reply = hub.with(|mut access| access.get().reply.take());
        if outcome == Outcome::NotDefined {
            return Ok(Answer::NotDefined.into());
        }
        let (value, charge) = self.returned(name, reply).await;
        let answer = match outcome {
            Outcome::Raised => Answer::Raised(value),
            Outcome::Ok | Outcome::NotDefined => Answer::Returned(value),
        };
        Ok(Answered { answer, charge })
    }

    /// The value that a function returned, and its charge; nothing where that goes past a limit,
    /// which is told.
    async fn returned(
        &self,
        name: &str,
        reply: Option<(String, Charge)>,
    ) -> (Value, Option<Charge>) {
        let Some((text, held)) = reply else {
            return (Value::Null, None);
        };
        let (account, limits) = (Arc::clone(&self.spec.account), self.spec.limits.clone());
        let small = text.len() <= SMALL;
        let read = move || {
            let value = bounds::returned(&text, &limits, &account);
            drop(held);
            value
        };
        let read = if small {
            read()
        } else {
            let done = self.shared.pools.commands.run(&self.spec.account, read);
            done.await
                .unwrap_or_else(|error| Err(Failure::other(error.to_string())))
        };
        match read {
            Ok((value, charge)) => (value, Some(charge)),
            Err(failure) => {
                match &failure.limit {
                    Some(hit) => self.shared.log.limit(hit),
                    None => {
                        let line = format!("what {name} returned is lost: {failure}");
                        self.shared.log.plugin(false, Level::Error, &line);
                    }
                }
                (Value::Null, None)
            }
        }
    }
}
