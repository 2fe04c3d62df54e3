//! The changes and messages that a plugin asked to be told of.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use super::Plugin;
use crate::bounds;
use crate::failure::Failure;
use crate::table::Collection;
use cordon_base::account::Charge;
use cordon_base::limits::Limits;

/// A subscription to a message that another plugin broadcasts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broadcast {
    /// Id of the plugin that sends.
    pub sender: String,
    /// Name of the message.
    pub message: String,
    /// Method of the subscriber.
    pub method: String,
}

#[derive(Debug, Default)]
pub(super) struct Subscriptions {
    changes: BTreeSet<Collection>,
    broadcasts: Vec<Broadcast>,
    log: bool,
    /// Room for the subscriptions in the plugin's account.
    charge: Option<Charge>,
}

/// Bytes that a subscription takes beside its names.
const SUBSCRIPTION: u64 = 256;

impl Plugin {
    pub(super) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the plugin asked for the changes of a collection.
    #[must_use]
    pub fn follows(&self, collection: Collection) -> bool {
        self.subscriptions().changes.contains(&collection)
    }

    /// Whether the plugin asked for the lines of the log.
    #[must_use]
    pub fn follows_log(&self) -> bool {
        self.subscriptions().log
    }

    /// Notes that the plugin asks for the changes of a collection.
    pub fn follow(&self, collection: Collection) {
        self.subscriptions().changes.insert(collection);
    }

    /// Notes that the plugin asks for the lines of the log.
    pub fn follow_log(&self) {
        self.subscriptions().log = true;
    }

    /// Subscribes the plugin to a message of another plugin. A second subscription to one message
    /// with one method changes nothing.
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
}
