//! One plugin as the server knows it: what it declares, and how to reach it.

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::bounds;
use super::bundle::Bundle;
use super::definition::{ConfigUi, MenuDialog, ValueType};
use super::failure::Failure;
use super::places::Places;
use super::state::{StateDefinition, Sum};
use super::table::Collection;
use cordon_base::account::{Account, Charge};
use cordon_base::grants::mailbox::Receiver;
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;
use cordon_reach::serial::SerialPolicy;

/// What a call of a function of a plugin ended with.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// What it returned.
    Returned(Value),
    /// The plugin has no such function.
    NotDefined,
    /// It raised; the traceback is in the plugin's log. The members are `type`, `message`
    /// and `traceback`.
    Raised(Value),
}

/// An answer, paid for by the plugin for as long as this lives.
#[derive(Debug)]
pub struct Answered {
    /// How the call ended.
    pub answer: Answer,
    /// What the answer takes of the plugin's account.
    pub charge: Option<Charge>,
}

impl From<Answer> for Answered {
    /// One that takes nothing.
    fn from(answer: Answer) -> Self {
        let charge = None;
        Self { answer, charge }
    }
}

/// What a function returned, paid for by the plugin for as long as this lives.
#[derive(Debug)]
pub struct Returned {
    /// What it returned.
    pub value: Value,
    /// What that takes of the plugin's account.
    pub charge: Option<Charge>,
}

/// Why a call did not come back with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no plugin with this id.
    #[error("there is no plugin '{0}'")]
    NoSuchPlugin(String),
    /// It is not running, or was ended in the middle.
    #[error("plugin '{0}' is not running")]
    NotRunning(String),
    /// Too much waits for it already.
    #[error("plugin '{0}' has too much to do")]
    Busy(String),
    /// It did not answer in time.
    #[error("plugin '{plugin}' did not answer within {seconds} s")]
    Timeout {
        /// Which plugin.
        plugin: String,
        /// How long it was given.
        seconds: u64,
    },
}

/// A call on its way to a plugin.
#[derive(Debug)]
pub struct Call {
    /// The function's name in the plugin reference, or `plugin.METHOD`.
    pub name: String,
    /// JSON of its arguments; shared, because a change goes to many.
    pub arguments: Arc<str>,
    /// Who waits for what it returns.
    pub reply: Option<oneshot::Sender<Answered>>,
    /// Gives the bytes back that wait for the plugin.
    pub waiting: Option<Waiting>,
    /// What the call takes of the plugin's account until it is made.
    pub charge: Option<Charge>,
}

/// Bytes that wait for a plugin, for as long as this lives.
#[derive(Debug)]
pub struct Waiting {
    held: Arc<AtomicU64>,
    bytes: u64,
}

impl Waiting {
    /// Counts these bytes among those held; nothing when that is more than `most`.
    ///
    /// # Errors
    ///
    /// What would be held.
    pub fn take(held: &Arc<AtomicU64>, bytes: u64, most: u64) -> Result<Self, u64> {
        let before = held.fetch_add(bytes, Ordering::Relaxed);
        let waiting = Self {
            held: Arc::clone(held),
            bytes,
        };
        let now = before.saturating_add(bytes);
        if now > most { Err(now) } else { Ok(waiting) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Who asks for a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The operator: at once, whatever happened before.
    Operator,
    /// The plugin itself: it waits as one that failed.
    Itself,
    /// Another plugin.
    Other,
}

/// The way to a running instance.
pub trait Port: Send + Sync {
    /// Queues a call; it is made when its turn comes.
    ///
    /// # Errors
    ///
    /// [`CallError`] when it does not run or has too much to do.
    fn queue(&self, call: Call) -> Result<(), CallError>;
    /// Whether its callbacks are being called.
    fn running(&self) -> bool;
    /// Stops it as its author expects it and starts it again.
    fn restart(&self, asked: Asked);
    /// Stops it until it is told to start again.
    fn halt(&self);
    /// Where it stands, in a word and with a reason.
    fn status(&self) -> (String, String);
}

/// A subscription to a message that another plugin broadcasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// Who sends.
    pub sender: String,
    /// Which message.
    pub message: String,
    /// The method of the subscriber.
    pub method: String,
}

#[derive(Debug, Default)]
struct Subscriptions {
    changes: BTreeSet<Collection>,
    broadcasts: Vec<Broadcast>,
    log: bool,
    /// What they take of the plugin's account.
    charge: Option<Charge>,
}

/// Bytes that a subscription takes beside its names.
const SUBSCRIPTION: u64 = 256;

/// How long a plugin is left alone after another had it restarted.
const RESTARTS: Duration = Duration::from_secs(10);

/// The time over which letters are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// A plugin of this hub.
pub struct Plugin {
    /// Its bundle, with all that it says about itself.
    pub bundle: Bundle,
    /// Its data folder on the host.
    pub data: PathBuf,
    /// What it may use.
    pub limits: Limits,
    /// What the hub holds and spends for it.
    pub account: Arc<Account>,
    /// Its log.
    pub log: PluginLog,
    port: OnceLock<Arc<dyn Port>>,
    subscriptions: Mutex<Subscriptions>,
    /// Number of the last change that it need not be told, because it was made before
    /// its objects were handed to it at the start.
    since: AtomicU64,
    /// Whether its objects were handed to it.
    started: AtomicBool,
    /// Methods that were called in this life and are not there.
    missing: Mutex<BTreeSet<&'static str>>,
    /// Changes on their way that nobody waits for, of triggers that it fired.
    pub(super) steps: Arc<AtomicU64>,
    /// Places for its changes on their way.
    pub(super) places: Places,
    /// When another plugin had it restarted last.
    restarted: Mutex<Option<Instant>>,
    /// Held while its preferences are written.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// The serial ports that it was granted.
    serial: Arc<SerialPolicy>,
    /// Whether it was told that the machine goes to sleep, in this life.
    asleep: AtomicBool,
    /// Whom it may write to.
    mail: Vec<Receiver>,
    /// When it sent its letters of the last hour.
    letters: Mutex<VecDeque<Instant>>,
}

impl Plugin {
    /// A plugin that is not yet reached.
    #[must_use]
    pub fn new(bundle: Bundle, data: PathBuf, limits: Limits, log: PluginLog) -> Self {
        Self {
            bundle,
            data,
            account: Account::new(&limits),
            limits,
            log,
            port: OnceLock::new(),
            subscriptions: Mutex::default(),
            since: AtomicU64::new(0),
            started: AtomicBool::new(false),
            missing: Mutex::default(),
            steps: Arc::default(),
            places: Places::of_plugin(),
            restarted: Mutex::default(),
            saving: tokio::sync::Mutex::default(),
            serial: Arc::default(),
            asleep: AtomicBool::new(false),
            mail: Vec::new(),
            letters: Mutex::default(),
        }
    }

    /// The same with these serial ports.
    #[must_use]
    pub fn with_serial(self, serial: Arc<SerialPolicy>) -> Self {
        Self { serial, ..self }
    }

    /// The same, where it may write to these.
    #[must_use]
    pub fn with_mail(self, mail: Vec<Receiver>) -> Self {
        Self { mail, ..self }
    }

    /// Whom it may write to.
    #[must_use]
    pub fn mail(&self) -> &[Receiver] {
        &self.mail
    }

    /// Counts a letter.
    ///
    /// # Errors
    ///
    /// The limit `mails-per-hour`.
    pub(super) fn count_mail(&self) -> Result<(), Failure> {
        let mut letters = self.letters.lock().unwrap_or_else(PoisonError::into_inner);
        while letters.front().is_some_and(|sent| sent.elapsed() >= HOUR) {
            letters.pop_front();
        }
        let used = u64::try_from(letters.len()).unwrap_or(u64::MAX);
        let used = used.saturating_add(1);
        let limit = self.limits.mails;
        if used > limit {
            return Err(Limits::hit("mails-per-hour", used, limit).into());
        }
        letters.push_back(Instant::now());
        Ok(())
    }

    /// The serial ports that it was granted.
    #[must_use]
    pub fn serial(&self) -> &Arc<SerialPolicy> {
        &self.serial
    }

    /// Notes whether it was told to sleep; whether that is something new.
    pub(super) fn put_to_sleep(&self, asleep: bool) -> bool {
        self.asleep.swap(asleep, Ordering::AcqRel) != asleep
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.bundle.info.identifier
    }

    /// Says how to reach it; the first time counts.
    pub fn attach(&self, port: Arc<dyn Port>) {
        // A second instance of one plugin is refused by the configuration.
        let _ = self.port.set(port);
    }

    /// The way to it.
    #[must_use]
    pub fn port(&self) -> Option<&Arc<dyn Port>> {
        self.port.get()
    }

    /// Whether its callbacks are being called.
    #[must_use]
    pub fn running(&self) -> bool {
        self.port().is_some_and(|port| port.running())
    }

    /// A new life begins: the subscriptions of the last one are gone.
    pub fn reset(&self) {
        *self.subscriptions() = Subscriptions::default();
        self.started.store(false, Ordering::Release);
        self.asleep.store(false, Ordering::Release);
        self.missing().clear();
    }

    /// From here on it is told of changes after this one.
    pub fn begin(&self, sequence: u64) {
        self.since.store(sequence, Ordering::Release);
        self.started.store(true, Ordering::Release);
    }

    /// Whether it is told of this change at all.
    #[must_use]
    pub fn hears(&self, sequence: u64) -> bool {
        self.started.load(Ordering::Acquire) && sequence > self.since.load(Ordering::Acquire)
    }

    fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether it asked for the changes of a collection.
    #[must_use]
    pub fn follows(&self, collection: Collection) -> bool {
        self.subscriptions().changes.contains(&collection)
    }

    /// Whether it asked for the lines of the log.
    #[must_use]
    pub fn follows_log(&self) -> bool {
        self.subscriptions().log
    }

    /// It asks for the changes of a collection.
    pub fn follow(&self, collection: Collection) {
        self.subscriptions().changes.insert(collection);
    }

    /// It asks for the lines of the log.
    pub fn follow_log(&self) {
        self.subscriptions().log = true;
    }

    /// It asks for a message of another plugin; the same one twice counts once.
    ///
    /// # Errors
    ///
    /// A name that is too long, the limits `subscriptions` and `host-memory`.
    pub fn subscribe(&self, broadcast: Broadcast) -> Result<(), Failure> {
        let names = [&broadcast.sender, &broadcast.message, &broadcast.method];
        let mut bytes = SUBSCRIPTION;
        for name in names {
            bounds::short("a name", name, bounds::NAME)?;
            bytes = bytes.saturating_add(bounds::count(name.len()));
        }
        let mut subscriptions = self.subscriptions();
        if subscriptions.broadcasts.contains(&broadcast) {
            return Ok(());
        }
        let count = subscriptions.broadcasts.len().saturating_add(1);
        let used = u64::try_from(count).unwrap_or(u64::MAX);
        let limit = self.limits.subscriptions;
        if used > limit {
            return Err(Limits::hit("subscriptions", used, limit).into());
        }
        match &mut subscriptions.charge {
            Some(charge) => charge.grow(bytes)?,
            none => *none = Some(self.account.charge(bytes)?),
        }
        subscriptions.broadcasts.push(broadcast);
        Ok(())
    }

    /// The methods that a message goes to.
    #[must_use]
    pub fn methods(&self, sender: &str, message: &str) -> Vec<String> {
        let subscriptions = self.subscriptions();
        let wanted = subscriptions
            .broadcasts
            .iter()
            .filter(|it| it.sender == sender && it.message == message);
        wanted.map(|it| it.method.clone()).collect()
    }

    /// Queues a call that nobody waits for. What it cannot take is lost, and its log
    /// says which limit it was.
    pub fn tell(&self, name: &str, arguments: &Arc<str>) {
        let call = Call {
            name: name.to_owned(),
            arguments: Arc::clone(arguments),
            reply: None,
            waiting: None,
            charge: None,
        };
        if let Err(error) = self.queue(call) {
            tracing::debug!(plugin = self.id(), name, %error, "a plugin was not told");
        }
    }

    fn queue(&self, call: Call) -> Result<(), CallError> {
        let Some(port) = self.port() else {
            return Err(CallError::NotRunning(self.id().to_owned()));
        };
        port.queue(call)
    }

    /// Queues a call; what it returns comes later.
    ///
    /// # Errors
    ///
    /// [`CallError`] when it cannot be queued.
    pub fn start(
        &self,
        name: &str,
        arguments: &Arc<str>,
    ) -> Result<oneshot::Receiver<Answered>, CallError> {
        let (reply, answered) = oneshot::channel();
        self.queue(Call {
            name: name.to_owned(),
            arguments: Arc::clone(arguments),
            reply: Some(reply),
            waiting: None,
            charge: None,
        })?;
        Ok(answered)
    }

    /// Whether another plugin may have it restarted now; counts as done.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        let mut restarted = self
            .restarted
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if restarted.is_some_and(|when| when.elapsed() < RESTARTS) {
            return false;
        }
        *restarted = Some(Instant::now());
        true
    }

    /// Whether it is known not to have this method.
    #[must_use]
    pub fn lacks(&self, method: &str) -> bool {
        self.missing().contains(method)
    }

    /// It does not have this method.
    pub fn miss(&self, method: &'static str) {
        self.missing().insert(method);
    }

    fn missing(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a function and waits for what it returns.
    ///
    /// # Errors
    ///
    /// [`CallError`] when there is no answer.
    pub async fn call(
        &self,
        name: &str,
        arguments: &Value,
        deadline: Duration,
    ) -> Result<Answered, CallError> {
        self.call_text(name, &arguments.to_string().into(), deadline)
            .await
    }

    /// The same with arguments that are text already.
    ///
    /// # Errors
    ///
    /// [`CallError`] when there is no answer.
    pub async fn call_text(
        &self,
        name: &str,
        arguments: &Arc<str>,
        deadline: Duration,
    ) -> Result<Answered, CallError> {
        let answered = self.start(name, arguments)?;
        match tokio::time::timeout(deadline, answered).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(CallError::NotRunning(self.id().to_owned())),
            Err(_) => Err(CallError::Timeout {
                plugin: self.id().to_owned(),
                seconds: deadline.as_secs(),
            }),
        }
    }

    /// What `indigo.server.getPlugin` says about it.
    #[must_use]
    pub fn facts(&self) -> Value {
        let info = &self.bundle.info;
        json!({
            "pluginId": info.identifier,
            "pluginDisplayName": info.display_name,
            "pluginVersion": info.version,
            "pluginFolderPath": super::paths::bundle(&self.bundle.root),
            "pluginSupportURL": info.support_url.as_deref().unwrap_or(""),
            "isInstalled": true,
            "isEnabled": true,
            "isRunning": self.running(),
        })
    }
}

/// Bytes of memory that [`definitions`] takes with its text, about.
#[must_use]
pub fn definitions_size(bundle: &Bundle) -> u64 {
    const PART: u64 = 4096;
    const OPTION: u64 = 1024;
    // As a value, and in the text, where a character may take six.
    const COPIES: u64 = 7;
    let all = &bundle.definitions;
    let raw = |ui: Option<&ConfigUi>| {
        let text = ui.map_or(0, |ui| ui.raw_xml.len());
        bounds::count(text)
            .saturating_mul(COPIES)
            .saturating_add(PART)
    };
    let devices = all.devices.types.iter().map(|it| {
        let texts = Sum::of(&it.states).kept.saturating_mul(COPIES);
        let states = it.states.iter().map(|state| {
            let options = match &state.value_type {
                ValueType::Enumeration(options) => options.len(),
                _ => 0,
            };
            bounds::count(options)
                .saturating_mul(OPTION)
                .saturating_add(PART)
        });
        let states = states.fold(texts, u64::saturating_add);
        raw(it.config_ui.as_ref()).saturating_add(states)
    });
    let actions = all
        .actions
        .types
        .iter()
        .map(|it| raw(it.config_ui.as_ref()));
    let events = all.events.types.iter().map(|it| raw(it.config_ui.as_ref()));
    let menu = all.menu.iter().map(|it| match &it.dialog {
        MenuDialog::Own(ui) => raw(Some(ui)),
        MenuDialog::Action(id) => {
            let action = all.actions.find(id);
            raw(action.and_then(|it| it.config_ui.as_ref()))
        }
        MenuDialog::None => PART,
    });
    let config = raw(all.config.as_ref().map(|it| &it.config_ui));
    let parts = devices.chain(actions).chain(events).chain(menu);
    parts.fold(config, u64::saturating_add)
}

/// The definitions of a bundle as the base class of plugins has them.
#[must_use]
pub fn definitions(bundle: &Bundle) -> Value {
    let definitions = &bundle.definitions;
    let raw = |ui: Option<&'_ ConfigUi>| ui.map_or(String::new(), |ui| ui.raw_xml.clone());
    let device = |it: &super::definition::DeviceType| {
        let states: Vec<StateDefinition> = it.states.iter().map(Into::into).collect();
        let value = json!({
            "Name": it.name,
            "Type": it.class.name(),
            "SubType": it.sub_type.as_ref().map_or("", |it| it.member.as_str()),
            "States": states,
            "DisplayStateId": it.display_state_id,
            "ConfigUIRawXml": raw(it.config_ui.as_ref()),
        });
        (it.id.clone(), value)
    };
    let action = |it: &super::definition::ActionType| {
        let value = json!({
            "Name": it.name,
            "CallbackMethod": it.callback,
            "DeviceFilter": it.device_filter,
            "UiPath": it.ui_path,
            "ConfigUIRawXml": raw(it.config_ui.as_ref()),
        });
        (it.id.clone(), value)
    };
    let event = |it: &super::definition::EventType| {
        let value = json!({ "Name": it.name, "ConfigUIRawXml": raw(it.config_ui.as_ref()) });
        (it.id.clone(), value)
    };
    let item = |it: &super::definition::MenuItem| {
        json!({
            "Id": it.id,
            "Name": it.name,
            "CallbackMethod": it.callback,
            "ButtonTitle": it.button_title,
            "ConfigUIRawXml": match &it.dialog {
                MenuDialog::Own(ui) => raw(Some(ui)),
                MenuDialog::Action(id) => {
                    let action = definitions.actions.find(id);
                    raw(action.and_then(|it| it.config_ui.as_ref()))
                }
                MenuDialog::None => String::new(),
            },
        })
    };
    let map = |pairs: Vec<(String, Value)>| Value::Object(pairs.into_iter().collect());
    json!({
        "devices": map(definitions.devices.types.iter().map(device).collect()),
        "actions": map(definitions.actions.types.iter().map(action).collect()),
        "events": map(definitions.events.types.iter().map(event).collect()),
        "menuItems": definitions.menu.iter().map(item).collect::<Vec<_>>(),
        "prefsConfigUIRawXml": definitions.config.as_ref().map(|it| &it.config_ui.raw_xml),
    })
}
