//! Why a command of a plugin was not carried out, by the exception that Python raises.

use super::bounds::MESSAGE;
use cordon_base::error::LimitHit;
use cordon_store::StoreError;

/// The class of the exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The argument has the right type and no right value: `ValueError`.
    Value,
    /// There is no such object: `KeyError`.
    Key,
    /// The number is past the last one: `IndexError`.
    Index,
    /// The argument is missing or has the wrong type: `ArgumentError`, a `TypeError`.
    Type,
    /// There is no such plugin, or it does not run: `PluginNotFoundError`.
    Plugin,
    /// The other side did not answer in time: `TimeoutError`.
    Timeout,
    /// This server does not have it, and says why: `NotImplementedError`.
    Unsupported,
    /// A limit: `RuntimeError`.
    Limit,
    /// A plugin that has more to do than it may: `RuntimeError`.
    Busy,
    /// Everything else: `RuntimeError`.
    Other,
}

/// A command that was refused or failed; nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The class of the exception.
    pub kind: FailureKind,
    /// Its text, for the author of the plugin.
    pub message: String,
    /// The limit behind it, for the log.
    pub limit: Option<LimitHit>,
}

impl Failure {
    /// A failure of this kind.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        let mut message = message.into();
        // Messages quote what they are about, which may be long.
        message.truncate(message.floor_char_boundary(MESSAGE));
        Self {
            kind,
            message,
            limit: None,
        }
    }

    /// A wrong value.
    pub fn value(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Value, message)
    }

    /// Something that is not there.
    pub fn key(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Key, message)
    }

    /// A number that is past the last one.
    pub fn index(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Index, message)
    }

    /// A plugin that is not there.
    pub fn no_plugin(id: &str) -> Self {
        Self::new(FailureKind::Plugin, format!("there is no plugin '{id}'"))
    }

    /// An argument that is missing, or of a wrong type.
    pub fn wrong_type(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Type, message)
    }

    /// What this server does not have.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Unsupported, message)
    }

    /// Anything else.
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(FailureKind::Other, message)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        // The reason may name a path of the host: it is for the operator's log.
        tracing::error!(%error, "the store refused a change of an object");
        Self::other("the server could not store the change")
    }
}

impl From<LimitHit> for Failure {
    fn from(hit: LimitHit) -> Self {
        Self {
            kind: FailureKind::Limit,
            message: hit.to_string(),
            limit: Some(hit),
        }
    }
}
