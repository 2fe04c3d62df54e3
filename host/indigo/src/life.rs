//! The life of an Indigo plugin: its commands, and the calls at its start and its end.
//!
//! In the order of the plugin reference: `startup`, the plugin's devices and triggers,
//! its own thread; at the end its thread, its devices and triggers, `shutdown`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::dialog::add_stated_defaults;
use crate::object::Object;
use crate::plugin::CATCH_UP;
use crate::view::view;
use crate::{
    Answer, Answered, Call, Failure, FailureKind, IndigoServer, Plugin, bounds, catch_up, paths,
    preferences,
};
use cordon_base::account::Charge;
use cordon_base::error::{EngineError, InstanceFailure};
use cordon_base::folders::Folders;
use cordon_base::log::Level;
use cordon_runtime::capability::files;
use cordon_runtime::framework::{
    Birth, CommandFailure, Data, Event, FailureKind as Class, Framework, Lifecycle, Outcome, Setup,
    Step,
};
use cordon_runtime::instance::guest::{Guest, Returned};
use cordon_runtime::instance::setup::Found;
use cordon_runtime::instance::state::Shared;

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

impl Framework for Link {
    fn name(&self) -> &'static str {
        "indigo"
    }

    fn main_file(&self, _folders: &Folders) -> PathBuf {
        self.plugin.bundle.server_plugin.join("plugin.py")
    }

    fn root(&self, _folders: &Folders) -> PathBuf {
        self.plugin.bundle.root.clone()
    }

    fn look(&self, _folders: &Folders) -> Found {
        let bundle = &self.plugin.bundle;
        let folders = [Some(&bundle.server_plugin), bundle.packages.as_ref()];
        let modules = files::modules_in(folders.into_iter().flatten().map(|it| it.as_path()));
        let data = &self.plugin.data;
        if let Err(error) = paths::lay_out(data, &bundle.root) {
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
            parameters: vec![(
                "pluginPrefs".to_owned(),
                Value::Object(preferences).to_string(),
            )],
            ..Found::default()
        }
    }

    fn live<'a>(
        &'a self,
        _birth: Birth<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Lifecycle>, EngineError>> {
        Box::pin(async move {
            let life: Box<dyn Lifecycle> = Box::new(Life { link: self.clone() });
            Ok(life)
        })
    }

    fn command(
        &self,
        _shared: &Arc<Shared>,
        name: String,
        arguments: String,
    ) -> BoxFuture<'static, Result<String, CommandFailure>> {
        let Self { server, plugin } = self.clone();
        Box::pin(async move {
            let done = server.command_of(&plugin, name, arguments).await;
            done.map_err(CommandFailure::from)
        })
    }
}

impl From<Failure> for CommandFailure {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            FailureKind::Value => Class::Value,
            FailureKind::Key => Class::Key,
            FailureKind::Index => Class::Index,
            FailureKind::Plugin => Class::Plugin,
            FailureKind::Type => Class::Type,
            FailureKind::Timeout => Class::Timeout,
            FailureKind::Unsupported => Class::Unsupported,
            FailureKind::Limit => Class::Limit,
            FailureKind::Busy | FailureKind::Other => Class::Other,
        };
        Self {
            kind,
            message: failure.message,
            limit: failure.limit,
        }
    }
}

/// One life of an Indigo plugin.
struct Life {
    link: Link,
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

impl Lifecycle for Life {
    fn data(&self) -> Data {
        // The host functions need nothing: commands find the server by the framework.
        Arc::new(())
    }

    fn set_up(&mut self, setup: &mut Setup) {
        self.link.plugin.reset();
        setup
            .name
            .clone_from(&self.link.plugin.bundle.info.display_name);
    }

    fn begin<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(begin(guest, &self.link))
    }

    fn deliver<'a>(&'a mut self, guest: &'a mut Guest<'_>, event: Event) -> Step<'a> {
        Box::pin(async move {
            match event.downcast::<Call>() {
                Ok(call) => answer(guest, &self.link, *call).await,
                Err(_) => {
                    tracing::error!("an Indigo plugin was sent an event of another framework");
                    Ok(())
                }
            }
        })
    }

    fn interval(&self) -> Duration {
        FLUSH
    }

    /// Has changed preferences written: the plugin's own threads may have changed them.
    fn beat<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async move {
            let written = function(guest, "flushPluginPrefs", "{}");
            written.await?;
            catch_up(&self.link.server, &self.link.plugin).await;
            Ok(())
        })
    }

    fn end<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(end(guest, &self.link))
    }
}

/// `startup`, then everything that the plugin is responsible for.
async fn begin(guest: &mut Guest<'_>, link: &Link) -> Result<(), InstanceFailure> {
    let answered = function(guest, "startup", "{}").await?;
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
        function(guest, "deviceStartComm", &arguments).await?;
    }
    for trigger in triggers {
        let arguments = seen(link, "trigger", &trigger);
        function(guest, "triggerStartProcessing", &arguments).await?;
    }
    function(guest, "startConcurrentThread", "{}").await?;
    Ok(())
}

/// Ends the plugin: its thread, its devices and triggers, then `shutdown`.
async fn end(guest: &mut Guest<'_>, link: &Link) -> Result<(), InstanceFailure> {
    let grace = json!({ "grace": grace(guest).as_secs_f64() }).to_string();
    function(guest, "stopConcurrentThread", &grace).await?;
    let (devices, triggers) = link.server.active(&link.plugin);
    for dev in devices {
        let arguments = seen(link, "dev", &dev);
        function(guest, "deviceStopComm", &arguments).await?;
    }
    for trigger in triggers {
        let arguments = seen(link, "trigger", &trigger);
        function(guest, "triggerStopProcessing", &arguments).await?;
    }
    function(guest, "shutdown", "{}").await?;
    end_threads(guest, link).await
}

/// [`GRACE`], or less where a call may not take as long.
fn grace(guest: &Guest<'_>) -> Duration {
    let limits = &guest.spec().limits;
    let most = limits.callback_wall.min(limits.stop_wall);
    GRACE.min(Duration::from_millis(most / 2))
}

/// Waits for the threads for which the end of a process waits; all others end with the
/// component, as they do with the plugin's process in the original.
async fn end_threads(guest: &mut Guest<'_>, link: &Link) -> Result<(), InstanceFailure> {
    let end = Instant::now() + GRACE;
    loop {
        let answered = function(guest, "threadsLeft", "{}").await?;
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
        guest.wait_for_threads(LOOK).await?;
    }
}

/// Makes a call that came from outside.
async fn answer(guest: &mut Guest<'_>, link: &Link, call: Call) -> Result<(), InstanceFailure> {
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
        let answered = function(guest, &name, &arguments).await?;
        if let Some(reply) = reply {
            // The caller may have stopped waiting meanwhile.
            let _ = reply.send(answered);
        }
    }
    drop((arguments, waiting, charge));
    catch_up(&link.server, &link.plugin).await;
    Ok(())
}

async fn function(
    guest: &mut Guest<'_>,
    name: &str,
    arguments: &str,
) -> Result<Answered, InstanceFailure> {
    let Returned { outcome, reply } = guest.function(name, arguments).await?;
    if outcome == Outcome::NotDefined {
        return Ok(Answer::NotDefined.into());
    }
    let (value, charge) = returned(guest, name, reply).await;
    let answer = match outcome {
        Outcome::Raised => Answer::Raised(value),
        Outcome::Ok | Outcome::NotDefined => Answer::Returned(value),
    };
    Ok(Answered { answer, charge })
}

/// The value that a function returned, and its charge; nothing where that goes past a limit,
/// which is told.
async fn returned(
    guest: &Guest<'_>,
    name: &str,
    reply: Option<(String, Charge)>,
) -> (Value, Option<Charge>) {
    let Some((text, held)) = reply else {
        return (Value::Null, None);
    };
    let spec = guest.spec();
    let (account, limits) = (Arc::clone(&spec.account), spec.limits.clone());
    let small = text.len() <= SMALL;
    let read = move || {
        let value = bounds::returned(&text, &limits, &account);
        drop(held);
        value
    };
    let read = if small {
        read()
    } else {
        let done = guest.shared().pools.commands.run(&spec.account, read);
        done.await
            .unwrap_or_else(|error| Err(Failure::other(error.to_string())))
    };
    match read {
        Ok((value, charge)) => (value, Some(charge)),
        Err(failure) => {
            match &failure.limit {
                Some(hit) => guest.shared().log.limit(hit),
                None => {
                    let line = format!("what {name} returned is lost: {failure}");
                    guest.shared().log.plugin(false, Level::Error, &line);
                }
            }
            (Value::Null, None)
        }
    }
}
