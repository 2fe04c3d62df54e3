//! The events that the rest of the hub may tell a plugin, and the way to the running plugins.
//!
//! The web API and the device table know plugins only through [`Plugins`].

use std::sync::Arc;

use super::notification::Notification;
use super::security::Security;
use cordon_base::account::Account;

/// Something that a Domoticz plugin is told about (`guest.event`).
#[derive(Debug, Clone, PartialEq)]
pub enum HubEvent {
    /// `onCommand`: the mapping of spec 8.5 has been applied.
    Command {
        /// External id of the device.
        device_id: String,
        /// Unit number.
        unit: u32,
        /// Command text, such as `On` or `Set Level`.
        command: String,
        /// Level by Python type.
        level: Level,
        /// Colour JSON or empty.
        color: String,
    },
    /// `onDeviceAdded`: the row exists.
    DeviceAdded {
        /// External id of the device.
        device_id: String,
        /// Unit number.
        unit: u32,
    },
    /// `onDeviceModified`: the row has its new values.
    DeviceModified {
        /// External id of the device.
        device_id: String,
        /// Unit number.
        unit: u32,
    },
    /// `onDeviceRemoved`: the row is gone (rule 161).
    DeviceRemoved {
        /// External id of the device.
        device_id: String,
        /// Unit number.
        unit: u32,
    },
    /// `onSecurityEvent`: the status of the house has changed (rule 163).
    Security {
        /// External id of the security panel.
        device_id: String,
        /// Unit number of the panel.
        unit: u32,
        /// The new status.
        status: Security,
    },
    /// `onNotification`, for plugins that called `Notifier` (rule 164).
    Notification(Notification),
    /// `onWebSocketMessage`: a browser sent this to the plugin (rule 196).
    WebSocketMessage(String),
    /// A new `Settings` dictionary; there is no callback.
    Settings(Vec<(String, String)>),
}

impl HubEvent {
    /// Bytes that the event holds while it waits.
    #[must_use]
    pub fn size(&self) -> u64 {
        const EVENT: usize = 256;
        let texts: usize = match self {
            Self::Command {
                device_id,
                command,
                color,
                ..
            } => [device_id, command, color]
                .into_iter()
                .map(String::len)
                .sum(),
            Self::DeviceAdded { device_id, .. }
            | Self::DeviceModified { device_id, .. }
            | Self::DeviceRemoved { device_id, .. }
            | Self::Security { device_id, .. } => device_id.len(),
            Self::Notification(notification) => notification.size(),
            Self::WebSocketMessage(data) => data.len(),
            Self::Settings(settings) => settings
                .iter()
                .map(|(key, value)| key.len().saturating_add(value.len()))
                .fold(0, usize::saturating_add),
        };
        u64::try_from(texts.saturating_add(EVENT)).unwrap_or(u64::MAX)
    }
}

/// The level of a command, by Python type.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Level {
    /// Switches, dimmers, blinds, selectors.
    Whole(i32),
    /// Set points; went through single precision (rule 155).
    Real(f64),
}

/// Why an event did not reach a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DeliverError {
    /// The instance is stopped, parked, or waits for its restart.
    #[error("the plugin is not running")]
    NotRunning,
    /// The instance is behind: its `inbox` limit is used up.
    #[error("the plugin is busy and its inbox is full")]
    InboxFull,
    /// No instance has this hardware id.
    #[error("no plugin of the configuration has this hardware")]
    NoSuchHardware,
}

/// The facts about one plugin instance, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HardwareInfo {
    /// The hub's number for the hardware.
    pub id: u32,
    /// Name of the hardware.
    pub name: String,
    /// Key of the hardware's plugin.
    pub key: String,
    /// One word, such as `running` or `parked`.
    pub state: String,
    /// The reason for the state, or empty.
    pub detail: String,
}

/// The plugin instances of the running hub.
pub trait Plugins: Send + Sync {
    /// Queues an event for the instance of this hardware. Never waits.
    ///
    /// # Errors
    /// See [`DeliverError`]; the event is lost then.
    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError>;

    /// All instances of the configuration, in its order.
    fn hardware(&self) -> Vec<HardwareInfo>;

    /// The account of the instance of this hardware; nothing where there is none.
    fn account(&self, hardware: u32) -> Option<Arc<Account>>;
}
