//! A call on its way to a plugin, and its answer on the way back.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value;
use tokio::sync::oneshot;

use cordon_base::account::Charge;

pub use cordon_runtime::instance::orders::Asked;

/// The outcome of a call of a plugin's function.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The function returned this value.
    Returned(Value),
    /// The plugin has no such function.
    NotDefined,
    /// The function raised; the traceback is in the plugin's log. The members are `type`, `message`
    /// and `traceback`.
    Raised(Value),
}

/// An answer. The plugin pays for it for as long as this lives.
#[derive(Debug)]
pub struct Answered {
    /// How the call ended.
    pub answer: Answer,
    /// Room for the answer in the plugin's account.
    pub charge: Option<Charge>,
}

impl From<Answer> for Answered {
    /// An answer that takes no room.
    fn from(answer: Answer) -> Self {
        let charge = None;
        Self { answer, charge }
    }
}

/// The return value of a function. The plugin pays for it for as long as this lives.
#[derive(Debug)]
pub struct Returned {
    /// The return value.
    pub value: Value,
    /// Room for the value in the plugin's account.
    pub charge: Option<Charge>,
}

/// The reason why a call did not come back with an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no plugin with this id.
    #[error("there is no plugin '{0}'")]
    NoSuchPlugin(String),
    /// The plugin is not running, or was ended in the middle.
    #[error("plugin '{0}' is not running")]
    NotRunning(String),
    /// Too many calls wait for the plugin already.
    #[error("plugin '{0}' has too much to do")]
    Busy(String),
    /// The plugin did not answer in time.
    #[error("plugin '{plugin}' did not answer within {seconds} s")]
    Timeout {
        /// Id of the plugin.
        plugin: String,
        /// Seconds that the plugin was given.
        seconds: u64,
    },
}

/// The name of a call that calls nothing: the plugin is to be told of the changes that it has
/// missed.
pub const CATCH_UP: &str = "";

/// A call on its way to a plugin.
#[derive(Debug)]
pub struct Call {
    /// The function's name in the plugin reference, or `plugin.METHOD`.
    pub name: String,
    /// JSON of its arguments; shared, because a change goes to many.
    pub arguments: Arc<str>,
    /// The way back to whoever waits for the answer.
    pub reply: Option<oneshot::Sender<Answered>>,
    /// Bytes of the call that wait for the plugin; given back when this is dropped.
    pub waiting: Option<Waiting>,
    /// Room for the call in the plugin's account, until the call is made.
    pub charge: Option<Charge>,
}

/// Bytes that wait for a plugin, for as long as this lives.
#[derive(Debug)]
pub struct Waiting {
    held: Arc<AtomicU64>,
    bytes: u64,
}

impl Waiting {
    /// Counts these bytes among those held.
    ///
    /// # Errors
    ///
    /// The sum that would be held, when it is more than `most`.
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

/// The way to a running instance.
pub trait Port: Send + Sync {
    /// Queues a call, which is made when its turn comes.
    ///
    /// # Errors
    ///
    /// [`CallError`] when the plugin does not run or has too much to do.
    fn queue(&self, call: Call) -> Result<(), CallError>;
    /// How many calls there is room for. Any number when the plugin does not run.
    fn room(&self) -> u64;
    /// Whether the plugin's callbacks are being called.
    fn running(&self) -> bool;
    /// Stops the plugin as its author expects and starts it again.
    fn restart(&self, asked: Asked);
    /// Stops the plugin until it is told to start again.
    fn halt(&self);
    /// The plugin's status, as a word and a reason.
    fn status(&self) -> (String, String);
}
