//! What a plugin gets when the hub has something to tell people, and which plugins
//! want it.
//!
//! A plugin becomes a target with `Domoticz.Notifier(name)` and stays one as long as
//! it runs. Which events make a notification is decided in `rule`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One notification with the arguments of `onNotification` (spec 8.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notification {
    /// Name of the device; `Unknown` where there is none.
    pub name: String,
    /// The headline.
    pub subject: String,
    /// The text, as a rule the same as the headline.
    pub text: String,
    /// State of the device in words, such as `On`; `Unknown` where there is none.
    pub status: String,
    /// From -2 to 2; 0 is normal.
    pub priority: i32,
    /// Name of a sound, as a rule empty.
    pub sound: String,
    /// Path of a picture of the device, or empty.
    pub image_file: String,
}

impl Notification {
    /// A message that is about no device, as a client words it.
    #[must_use]
    pub fn message(subject: &str, text: &str, priority: i32, sound: &str) -> Self {
        Self {
            name: UNKNOWN.to_owned(),
            subject: subject.to_owned(),
            text: text.to_owned(),
            status: UNKNOWN.to_owned(),
            priority,
            sound: sound.to_owned(),
            image_file: String::new(),
        }
    }
}

/// Stands for a name or a status that is not known.
pub const UNKNOWN: &str = "Unknown";

/// The plugins that take notifications. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Notifiers {
    /// The name that each hardware chose.
    names: Arc<Mutex<BTreeMap<u32, String>>>,
}

impl Notifiers {
    /// Makes a hardware a target; a second name replaces the first.
    pub fn register(&self, hardware: u32, name: &str) {
        self.lock().insert(hardware, name.to_owned());
    }

    /// The hardware's plugin has ended.
    pub fn forget(&self, hardware: u32) {
        self.lock().remove(&hardware);
    }

    /// The names of all targets with their hardware, by hardware.
    #[must_use]
    pub fn list(&self) -> Vec<(u32, String)> {
        let names = self.lock();
        names.iter().map(|(id, name)| (*id, name.clone())).collect()
    }

    /// The hardware of the targets that are named in `systems`, which is a list of
    /// names joined by semicolons; empty stands for all.
    #[must_use]
    pub fn named(&self, systems: &str) -> Vec<u32> {
        let wanted: Vec<_> = systems
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let names = self.lock();
        let named = names
            .iter()
            .filter(|(_, name)| wanted.is_empty() || wanted.contains(&name.as_str()));
        named.map(|(hardware, _)| *hardware).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_found_by_name_and_all_by_none() {
        let notifiers = Notifiers::default();
        notifiers.register(4, "Kodi");
        notifiers.register(2, "Old");
        notifiers.register(2, "Speaker");
        assert_eq!(notifiers.named(""), [2, 4]);
        assert_eq!(notifiers.named("mail; Kodi ;Old"), [4]);
        assert_eq!(notifiers.named("mail"), [0_u32; 0]);
        notifiers.forget(4);
        assert_eq!(notifiers.list(), [(2, "Speaker".to_owned())]);
    }
}
