//! A change of an object, in the form that plugins, triggers and watchers are told.

use std::sync::Arc;

use serde_json::Value;

use super::caller::Chain;
use super::object::Object;

/// One change, told after it was stored, in the order in which changes were made.
#[derive(Debug, Clone)]
pub struct Change {
    /// The number of the change. Numbers only grow while the hub runs.
    pub sequence: u64,
    /// The kind of change, with the object.
    pub what: What,
    /// The states of a device that changed and shall fire triggers.
    pub states: Vec<StateChange>,
    /// The origin of the change.
    pub by: Chain,
    /// Bytes of memory in the objects before and after, about.
    pub memory: u64,
}

/// The kinds of change to an object.
#[derive(Debug, Clone)]
pub enum What {
    /// The object is new.
    Created(Arc<Object>),
    /// The object has changed.
    Updated {
        /// The object before the change.
        old: Arc<Object>,
        /// The object after the change.
        new: Arc<Object>,
    },
    /// The object was deleted.
    Deleted(Arc<Object>),
}

impl What {
    /// The object as it is now, or as it was when it was deleted.
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

/// A change of one state of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct StateChange {
    /// Key of the state.
    pub key: String,
    /// Value before the change.
    pub old: Value,
    /// Value after the change.
    pub new: Value,
}
