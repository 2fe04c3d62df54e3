//! What happened to an object, as it is told to plugins, triggers and watchers.

use std::sync::Arc;

use serde_json::Value;

use super::object::Object;
use super::server::Chain;

/// One change, told after it was stored, in the order in which changes were made.
#[derive(Debug, Clone)]
pub struct Change {
    /// Its number; numbers only grow while the hub runs.
    pub sequence: u64,
    /// What happened.
    pub what: What,
    /// The states of a device that changed and shall fire triggers.
    pub states: Vec<StateChange>,
    /// Whose doing it is.
    pub by: Chain,
    /// Bytes of memory in the objects before and after, about.
    pub memory: u64,
}

/// What happened to an object.
#[derive(Debug, Clone)]
pub enum What {
    /// It is new.
    Created(Arc<Object>),
    /// Something about it is different.
    Updated {
        /// What it was.
        old: Arc<Object>,
        /// What it is.
        new: Arc<Object>,
    },
    /// It is gone.
    Deleted(Arc<Object>),
}

impl What {
    /// The object as it is, or as it was last.
    #[must_use]
    pub fn object(&self) -> &Arc<Object> {
        match self {
            Self::Created(object) | Self::Deleted(object) => object,
            Self::Updated { new, .. } => new,
        }
    }

    /// The end of the callback's name: `Created`, `Updated`, `Deleted`.
    #[must_use]
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Created(_) => "Created",
            Self::Updated { .. } => "Updated",
            Self::Deleted(_) => "Deleted",
        }
    }
}

/// A state of a device that has another value now.
#[derive(Debug, Clone, PartialEq)]
pub struct StateChange {
    /// Its key.
    pub key: String,
    /// What it was.
    pub old: Value,
    /// What it is.
    pub new: Value,
}
