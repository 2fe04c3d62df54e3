//! The hub as its operator's API sees it.

use futures_util::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::report::{Changes, HubReport, InstanceReport};

/// Something to do with one instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Starts it, if it is stopped or parked.
    Start,
    /// Stops it until it is started again. It stays stopped when the hub is started again.
    Stop,
    /// Stops it if it runs, and starts it.
    Restart,
    /// As restart, after its plugin's definition and its files were read again.
    Reload,
}

/// Why something was not done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// There is no such instance. The text names those that are nearly called so.
    #[error("{0}")]
    Missing(String),
    /// It cannot be done; the text says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// The hub's own fault.
    #[error("{0}")]
    Failed(String),
}

/// The answer of a step that takes a while.
pub type Answer<'a, T> = BoxFuture<'a, Result<T, OperatorError>>;

/// The hub, for its operator.
pub trait Operator: Send + Sync {
    /// The hub itself.
    fn hub(&self) -> HubReport;

    /// All instances, those that could not be loaded among them: first those of the configuration
    /// in its order, then the others by id.
    fn instances(&self) -> BoxFuture<'_, Vec<InstanceReport>>;

    /// Does this with the instance of this name. The answer comes when the order is given for a
    /// start, and when the plugin has ended for a stop.
    ///
    /// # Errors
    ///
    /// [`OperatorError`]; the instance is as it was.
    fn act<'a>(&'a self, name: &'a str, action: Action) -> Answer<'a, ()>;

    /// The grants of an instance, in the words of `[grants]`.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Missing`].
    fn grants<'a>(&'a self, name: &'a str) -> Answer<'a, Value>;

    /// Stores the grants of an instance that was added through an API, and restarts it.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Refused`] for words that are no grants, and for an instance of the
    /// configuration, with the file to edit.
    fn set_grants<'a>(&'a self, name: &'a str, grants: Value) -> Answer<'a, ()>;

    /// Reads the configuration file again, and changes only the instances whose sections changed.
    ///
    /// # Errors
    ///
    /// [`OperatorError::Refused`] with the error of the file; then nothing is changed.
    fn reload(&self) -> Answer<'_, Changes>;
}
