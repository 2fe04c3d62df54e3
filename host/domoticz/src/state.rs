//! The data of one life of a Domoticz plugin, for its host functions and its loop.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::configuration::Configuration;
use crate::connection::StatusBoard;
use crate::image::Images;
use crate::requests::Requests;
use crate::{DeviceTable, House};

/// Default heartbeat interval in seconds (behaviour spec 8.3).
const HEARTBEAT: u32 = 10;

/// The data of one life. The handles on the store take the instance's turn, at its cost.
pub struct State {
    /// Row id of the hardware.
    pub hardware: u32,
    /// Key of the plugin: its icons have names that start with it.
    pub key: String,
    /// Whether the plugin's security panels set the status of the house.
    pub guards: bool,
    /// The document that the plugin keeps.
    pub configuration: Configuration,
    /// The rows.
    pub devices: DeviceTable,
    /// The custom icons.
    pub images: Images,
    /// The security status, and who is notified.
    pub house: House,
    /// The states of the connections.
    pub connections: StatusBoard,
    /// Requests that wait for the running callback to return.
    pub requests: Requests,
    /// The interval of heartbeats.
    pub heartbeat: Heartbeat,
}

impl Drop for State {
    /// A life that ended takes no notifications.
    fn drop(&mut self) {
        self.house.notifiers().forget(self.hardware);
    }
}

/// The interval of heartbeats. A change is in force from the end of the running callback on
/// (rule 151).
pub struct Heartbeat {
    now: AtomicU32,
    next: AtomicU32,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            now: AtomicU32::new(HEARTBEAT),
            next: AtomicU32::new(HEARTBEAT),
        }
    }
}

impl Heartbeat {
    /// The interval in force, in seconds.
    #[must_use]
    pub fn seconds(&self) -> u32 {
        self.now.load(Ordering::Relaxed)
    }

    /// Asks for another interval; 0 is ignored (rule 152).
    pub fn set(&self, seconds: u32) {
        if seconds > 0 {
            self.next.store(seconds, Ordering::Relaxed);
        }
    }

    /// Puts a changed interval in force; true when it changed.
    #[must_use]
    pub fn settle(&self) -> bool {
        let next = self.next.load(Ordering::Relaxed);
        self.now.swap(next, Ordering::Relaxed) != next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_interval_is_in_force_after_the_callback_and_zero_changes_nothing() {
        let heartbeat = Heartbeat::default();
        heartbeat.set(3);
        heartbeat.set(0);
        assert_eq!(heartbeat.seconds(), HEARTBEAT);
        assert!(heartbeat.settle());
        assert_eq!(heartbeat.seconds(), 3);
        assert!(!heartbeat.settle());
    }
}
