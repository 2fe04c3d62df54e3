//! One plugin as the server knows it: its declarations, and the way to reach it.

mod backlog;
mod behind;
mod call;
mod declared;
mod restarts;
mod subscriptions;

use std::collections::{BTreeSet, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::bundle::Bundle;
use super::failure::Failure;
use super::keys::LeftOut;
use super::places::Places;
use cordon_base::account::Account;
use cordon_base::grants::mailbox::Receiver;
use cordon_base::limits::Limits;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;
use cordon_reach::serial::SerialPolicy;

use backlog::Backlog;
use restarts::Restarts;
use subscriptions::Subscriptions;

pub use call::{Answer, Answered, Asked, CATCH_UP, Call, CallError, Port, Returned, Waiting};
pub use declared::{definitions, definitions_size};
pub use subscriptions::Broadcast;

/// How long a plugin is left alone after another had it restarted.
const RESTARTS: Duration = Duration::from_secs(10);

/// The time over which letters are counted.
const HOUR: Duration = Duration::from_secs(3600);

/// A plugin of this hub.
pub struct Plugin {
    /// Its bundle.
    pub bundle: Bundle,
    /// Its data folder on the host.
    pub data: PathBuf,
    /// The limits of the plugin.
    pub limits: Limits,
    /// The account of the plugin.
    pub account: Arc<Account>,
    /// Its log.
    pub log: PluginLog,
    port: OnceLock<Arc<dyn Port>>,
    subscriptions: Mutex<Subscriptions>,
    /// Number of the last change that was made before the plugin was handed its objects at the
    /// start. It need not be told of changes up to this one.
    since: AtomicU64,
    /// Whether the plugin was handed its objects.
    started: AtomicBool,
    /// Methods that were called in this life and that the plugin does not have.
    missing: Mutex<BTreeSet<&'static str>>,
    /// Changes on their way that nobody waits for, made by triggers that the plugin fired.
    pub(super) steps: Arc<AtomicU64>,
    /// Places for its changes on their way.
    pub(super) places: Places,
    /// The last time that another plugin had this one restarted.
    restarted: Mutex<Option<Instant>>,
    /// Held while its preferences are written.
    pub(super) saving: tokio::sync::Mutex<()>,
    /// The changes that the plugin has not been told of yet.
    backlog: Mutex<Backlog>,
    /// Restarts of its devices and triggers because they changed.
    restarts: Restarts,
    /// The number of the plugin's life.
    life: AtomicU64,
    /// The preferences that could not be kept, as the log was told last.
    left_out: Mutex<LeftOut>,
    /// The serial ports that the plugin was granted.
    serial: Arc<SerialPolicy>,
    /// Whether the plugin was told, in this life, that the machine goes to sleep.
    asleep: AtomicBool,
    /// The receivers that the plugin may write to.
    mail: Vec<Receiver>,
    /// Times at which the plugin sent its letters of the last hour.
    letters: Mutex<VecDeque<Instant>>,
}

impl Plugin {
    /// A plugin whose instance is not attached yet.
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
            backlog: Mutex::default(),
            restarts: Restarts::default(),
            life: AtomicU64::new(0),
            left_out: Mutex::default(),
            serial: Arc::default(),
            asleep: AtomicBool::new(false),
            mail: Vec::new(),
            letters: Mutex::default(),
        }
    }

    /// The plugin with these serial ports.
    #[must_use]
    pub fn with_serial(self, serial: Arc<SerialPolicy>) -> Self {
        Self { serial, ..self }
    }

    /// The plugin with these receivers of mail.
    #[must_use]
    pub fn with_mail(self, mail: Vec<Receiver>) -> Self {
        Self { mail, ..self }
    }

    /// The receivers that the plugin may write to.
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

    /// The serial ports that the plugin was granted.
    #[must_use]
    pub fn serial(&self) -> &Arc<SerialPolicy> {
        &self.serial
    }

    /// Notes whether the plugin was told to sleep. True when that has changed.
    pub(super) fn put_to_sleep(&self, asleep: bool) -> bool {
        self.asleep.swap(asleep, Ordering::AcqRel) != asleep
    }

    /// Id of the plugin.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.bundle.info.identifier
    }

    /// Sets the way to reach the plugin; the first call counts.
    pub fn attach(&self, port: Arc<dyn Port>) {
        // A second instance of one plugin is refused by the configuration.
        let _ = self.port.set(port);
    }

    /// The way to reach the plugin.
    #[must_use]
    pub fn port(&self) -> Option<&Arc<dyn Port>> {
        self.port.get()
    }

    /// Whether the plugin's callbacks are being called.
    #[must_use]
    pub fn running(&self) -> bool {
        self.port().is_some_and(|port| port.running())
    }

    /// Begins a new life: the subscriptions of the last one are gone.
    pub fn reset(&self) {
        self.life.fetch_add(1, Ordering::AcqRel);
        *self.subscriptions() = Subscriptions::default();
        self.forget_changes();
        self.restarts.clear();
        self.started.store(false, Ordering::Release);
        self.asleep.store(false, Ordering::Release);
        self.missing().clear();
    }

    /// From here on the plugin is told of changes after this one.
    pub fn begin(&self, sequence: u64) {
        self.since.store(sequence, Ordering::Release);
        self.started.store(true, Ordering::Release);
    }

    /// Whether the plugin is told of this change at all.
    #[must_use]
    pub fn hears(&self, sequence: u64) -> bool {
        self.started.load(Ordering::Acquire) && sequence > self.since.load(Ordering::Acquire)
    }

    /// Queues a call that nobody waits for. A call for which there is no room is lost, and the
    /// plugin's log names the limit.
    pub fn tell(&self, name: &str, arguments: &Arc<str>) {
        if let Err(error) = self.send(name, arguments) {
            tracing::debug!(plugin = self.id(), name, %error, "a plugin was not told");
        }
    }

    /// Queues a call that nobody waits for.
    ///
    /// # Errors
    ///
    /// [`CallError`]; the plugin's log names the limit.
    pub(super) fn send(&self, name: &str, arguments: &Arc<str>) -> Result<(), CallError> {
        self.queue(Call {
            name: name.to_owned(),
            arguments: Arc::clone(arguments),
            reply: None,
            waiting: None,
            charge: None,
        })
    }

    fn queue(&self, call: Call) -> Result<(), CallError> {
        let Some(port) = self.port() else {
            return Err(CallError::NotRunning(self.id().to_owned()));
        };
        port.queue(call)
    }

    /// Queues a call whose answer comes later.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the call cannot be queued.
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

    /// Whether another plugin may have this one restarted now. When it may, the restart counts as
    /// done.
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

    /// Whether the plugin is known not to have this method.
    #[must_use]
    pub fn lacks(&self, method: &str) -> bool {
        self.missing().contains(method)
    }

    /// Notes that the plugin does not have this method.
    pub fn miss(&self, method: &'static str) {
        self.missing().insert(method);
    }

    fn missing(&self) -> MutexGuard<'_, BTreeSet<&'static str>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the plugin's log which preferences are not saved with the others; once for as long as
    /// they are the same ones.
    pub(super) fn tell_left_out(&self, left: LeftOut) {
        let mut told = self.left_out.lock().unwrap_or_else(PoisonError::into_inner);
        if *told != left && !left.is_empty() {
            let line = format!(
                "preferences that cannot be saved, because their keys are no XML names, are left \
                 out: {left}; the others are saved"
            );
            self.log.hub(Level::Error, &line);
        }
        *told = left;
    }

    /// Calls a function and waits for its answer.
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

    /// Calls a function with arguments that are text already, and waits for its answer.
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

    /// The facts that `indigo.server.getPlugin` returns about the plugin.
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
