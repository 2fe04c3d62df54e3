//! Tells the house and the other plugins of the change of one device.
//!
//! The table stores the change; this module tells the plugin that owns the row, the plugins that
//! have a security panel, and those that take notifications. Nothing here waits for a plugin: an
//! event that cannot be told at once is lost, as when the plugin is off.

mod update;

use std::fmt;
use std::sync::Arc;

pub use update::Hardware;

use super::announcement::Delayed;
use super::event::{HubEvent, Plugins};
use super::notification::{Notification, Notifiers, Pace};
use super::preferences::Preferences;
use super::rule::{self, Rules};
use super::security::{self, Security};
use super::table::{DeviceTable, Notice};
use super::topics::Topics;
use super::{Device, DeviceError, kind};
use cordon_store::{Store, StoreError};

/// The services that reach from one device to all plugins. Clones share them.
#[derive(Clone)]
pub struct House {
    devices: DeviceTable,
    preferences: Preferences,
    notifying: Notifying,
    rules: Rules,
    pace: Pace,
    delayed: Delayed,
    topics: Topics,
}

/// The way from a notification to the plugins that take it; needs no store. Clones share it.
#[derive(Clone)]
pub(super) struct Notifying {
    notifiers: Notifiers,
    plugins: Arc<dyn Plugins>,
}

impl Notifying {
    /// Sends a notification to the plugins named in `systems`; returns how many took it.
    pub(super) fn notify(&self, notification: &Notification, systems: &str) -> usize {
        let targets = self.notifiers.named(systems).into_iter();
        targets
            .filter(|hardware| {
                self.deliver(*hardware, HubEvent::Notification(notification.clone()))
            })
            .count()
    }

    fn deliver(&self, hardware: u32, event: HubEvent) -> bool {
        let delivered = self.plugins.deliver(hardware, event);
        if let Err(error) = delivered {
            tracing::debug!(hardware, %error, "a plugin was not told");
        }
        delivered.is_ok()
    }
}

impl fmt::Debug for House {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("House")
            .field("notifiers", self.notifiers())
            .finish_non_exhaustive()
    }
}

impl House {
    /// The house whose devices are in `store`.
    #[must_use]
    pub fn new(store: &Store, devices: DeviceTable, plugins: Arc<dyn Plugins>) -> Self {
        Self {
            devices,
            preferences: Preferences::new(store.clone()),
            notifying: Notifying {
                notifiers: Notifiers::default(),
                plugins,
            },
            rules: Rules::new(store.clone()),
            pace: Pace::default(),
            delayed: Delayed::default(),
            topics: Topics::default(),
        }
    }

    /// This house by way of another handle on the store: the handle of an instance.
    #[must_use]
    pub fn through(&self, store: &Store) -> Self {
        Self {
            devices: self.devices.through(store),
            preferences: Preferences::new(store.clone()),
            rules: self.rules.through(store),
            ..self.clone()
        }
    }

    /// The plugins that take notifications.
    #[must_use]
    pub fn notifiers(&self) -> &Notifiers {
        &self.notifying.notifiers
    }

    /// The browsers that follow plugins.
    #[must_use]
    pub fn topics(&self) -> &Topics {
        &self.topics
    }

    pub(super) fn notifying(&self) -> Notifying {
        self.notifying.clone()
    }

    pub(super) fn pace(&self) -> &Pace {
        &self.pace
    }

    pub(super) fn delayed(&self) -> &Delayed {
        &self.delayed
    }

    /// Which events of which devices make a notification.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// The status of the house.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    pub async fn security(&self) -> Result<Security, StoreError> {
        let settings = self.preferences.settings().await?;
        let stored = settings.iter().find(|(key, _)| key == security::PREFERENCE);
        let level = stored.and_then(|(_, value)| value.parse().ok());
        Ok(level.and_then(Security::from_level).unwrap_or_default())
    }

    /// Sets the status of the house. When that changes the status, the first security panel of each
    /// plugin gets the event (spec 8.3): nobody can take another's news away. The panel's row is
    /// the plugin's to change.
    ///
    /// # Errors
    /// [`DeviceError::Unavailable`] when it cannot be stored; nobody is told then.
    pub async fn set_security(&self, status: Security) -> Result<(), DeviceError> {
        if self.security().await? == status {
            return Ok(());
        }
        let level = i64::from(status.level());
        self.preferences
            .set(security::PREFERENCE, "", level)
            .await?;
        for (hardware, device_id, unit) in self.devices.panels().await? {
            let event = HubEvent::Security {
                device_id,
                unit,
                status,
            };
            self.deliver(hardware, event);
        }
        Ok(())
    }

    /// Stores preferences (key, text, number) and gives every plugin a new `Settings`
    /// (rule 20).
    ///
    /// # Errors
    /// [`StoreError`] for the first preference that cannot be stored; those before it are stored.
    pub async fn set_preferences(
        &self,
        preferences: &[(String, String, i64)],
    ) -> Result<(), StoreError> {
        for (key, text, number) in preferences {
            self.preferences.set(key, text, *number).await?;
        }
        let settings = self.preferences.settings().await?;
        for hardware in self.notifying.plugins.hardware() {
            self.deliver(hardware.id, HubEvent::Settings(settings.clone()));
        }
        Ok(())
    }

    /// Sends a notification to the plugins named in `systems` (names joined by
    /// semicolons, empty for all); returns how many took it.
    pub fn notify(&self, notification: &Notification, systems: &str) -> usize {
        self.notifying.notify(notification, systems)
    }

    /// Tells the owner of a row of a change from outside, and everybody else of its consequences.
    /// The change is stored whether or not it can be told.
    pub async fn tell(&self, notice: Notice) {
        self.deliver(notice.hardware, notice.event);
        if let Some(before) = &notice.before {
            self.changed(before, &notice.device).await;
        }
    }

    /// Tells of the consequences of a new reading, whoever gave it: notifications, and never the
    /// status of the house. A device that is not shown has no events, nor has a contact that
    /// reports its old state again (spec 4.5).
    pub async fn changed(&self, before: &Device, after: &Device) {
        let same = before.n_value == after.n_value && before.s_value == after.s_value;
        if after.used == 0 || same && kind::reports_changes_only(after) {
            return;
        }
        if let Err(error) = self.follow(before, after).await {
            tracing::error!(device = after.id, %error, "a change has no consequences");
        }
    }

    async fn follow(&self, before: &Device, after: &Device) -> Result<(), StoreError> {
        for (notification, systems) in rule::due(&self.rules, before, after).await? {
            // The plugins that are told share nothing with the one that tells: a busy device must
            // not fill their inboxes.
            if self.pace.admits(after.id) {
                self.notify(&notification, &systems);
            } else {
                tracing::debug!(device = after.id, "a notification too many is not sent");
            }
        }
        Ok(())
    }

    fn deliver(&self, hardware: u32, event: HubEvent) -> bool {
        self.notifying.deliver(hardware, event)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
