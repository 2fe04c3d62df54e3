//! Notifications: the messages of the hub to people, and the plugins that take them.
//!
//! A plugin becomes a target with `Domoticz.Notifier(name)` and stays one as long as
//! it runs. Which events make a notification is decided in `rule`.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// One notification with the arguments of `onNotification` (spec 8.6).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notification {
    /// Name of the device; `Unknown` where there is none.
    pub name: String,
    /// The headline.
    pub subject: String,
    /// The text, as a rule equal to the headline.
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
    /// Bytes of the notification's texts.
    #[must_use]
    pub fn size(&self) -> usize {
        let Self {
            name,
            subject,
            text,
            status,
            sound,
            image_file,
            priority: _,
        } = self;
        [name, subject, text, status, sound, image_file]
            .into_iter()
            .map(String::len)
            .fold(0, usize::saturating_add)
    }
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

/// Longest name of a target in bytes.
const MAX_NAME: usize = 100;

/// The plugins that take notifications. Clones share them.
///
/// A name belongs to the hardware that is in the hub for longest, of those that run: messages that
/// people send to a name do not go to a plugin that takes the name later.
#[derive(Debug, Clone, Default)]
pub struct Notifiers {
    /// The name that each hardware chose.
    names: Arc<Mutex<BTreeMap<u32, String>>>,
}

impl Notifiers {
    /// Makes a hardware a target; a second name replaces the first. The name is cut down to the
    /// characters that people can write in a list of names, and to at most 100 bytes. Returns
    /// whether the name is the hardware's, and not that of another one.
    pub fn register(&self, hardware: u32, name: &str) -> bool {
        let plain: String = name
            .chars()
            .filter(|c| !c.is_control() && *c != ';')
            .take(MAX_NAME)
            .collect();
        let end = plain.floor_char_boundary(MAX_NAME);
        let name = plain.get(..end).unwrap_or_default().trim();
        let mut names = self.lock();
        names.insert(hardware, name.to_owned());
        owners(&names).any(|(owner, _)| owner == hardware)
    }

    /// Forgets a hardware whose plugin has ended.
    pub fn forget(&self, hardware: u32) {
        self.lock().remove(&hardware);
    }

    /// The names of all targets with their hardware, by hardware.
    #[must_use]
    pub fn list(&self) -> Vec<(u32, String)> {
        let names = self.lock();
        owners(&names)
            .map(|(id, name)| (id, name.to_owned()))
            .collect()
    }

    /// The hardware of the targets that are named in `systems`, which is a list of
    /// names joined by semicolons; empty stands for all.
    #[must_use]
    pub fn named(&self, systems: &str) -> Vec<u32> {
        let wanted: HashSet<_> = systems
            .split(';')
            .map(str::trim)
            .filter(|name| !name.is_empty())
            .collect();
        let names = self.lock();
        if wanted.is_empty() {
            return names.keys().copied().collect();
        }
        let named = owners(&names).filter(|(_, name)| wanted.contains(name));
        named.map(|(hardware, _)| hardware).collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, String>> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each name with the hardware that it belongs to, by hardware.
fn owners(names: &BTreeMap<u32, String>) -> impl Iterator<Item = (u32, &str)> {
    let mut seen = HashSet::new();
    let all = names
        .iter()
        .map(|(hardware, name)| (*hardware, name.as_str()));
    all.filter(move |(_, name)| seen.insert(*name))
}

/// How many notifications a device may cause: a burst, then one in a while. Clones
/// share it.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    /// The last period of each device, and how many notifications it caused in that period.
    devices: Arc<Mutex<HashMap<i64, (Instant, u32)>>>,
}

impl Pace {
    const PERIOD: Duration = Duration::from_secs(60);
    const BURST: u32 = 10;
    /// Devices that are remembered; one more and those of the past are forgotten.
    const DEVICES: usize = 1000;

    /// Whether the device may cause one more notification now.
    pub(super) fn admits(&self, device: i64) -> bool {
        self.admits_at(device, Instant::now())
    }

    fn admits_at(&self, device: i64, now: Instant) -> bool {
        let mut devices = self.devices.lock().unwrap_or_else(PoisonError::into_inner);
        if devices.len() >= Self::DEVICES {
            devices.retain(|_, (begun, _)| now.duration_since(*begun) < Self::PERIOD);
        }
        let (begun, caused) = devices.entry(device).or_insert((now, 0));
        if now.duration_since(*begun) >= Self::PERIOD {
            (*begun, *caused) = (now, 0);
        }
        *caused = caused.saturating_add(1);
        *caused <= Self::BURST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_causes_a_burst_and_then_waits() {
        let pace = Pace::default();
        let begun = Instant::now();
        let admitted = |device, second| {
            let at = begun + Duration::from_secs(second);
            (0..20).filter(|_| pace.admits_at(device, at)).count()
        };
        assert_eq!(admitted(1, 0), 10);
        assert_eq!(admitted(2, 0), 10);
        assert_eq!(admitted(1, 59), 0);
        assert_eq!(admitted(1, 60), 10);
    }

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

    #[test]
    fn nobody_takes_what_is_sent_to_the_name_of_another() {
        let notifiers = Notifiers::default();
        assert!(notifiers.register(9, "Kodi"));
        assert!(
            notifiers.register(3, " Kodi;\n"),
            "it is in the hub for longer"
        );
        assert_eq!(
            (notifiers.named("Kodi"), notifiers.named("")),
            (vec![3], vec![3, 9])
        );
        assert!(!notifiers.register(9, "Kodi"));
        notifiers.forget(3);
        assert_eq!(notifiers.named("Kodi"), [9]);
        notifiers.register(9, &"n".repeat(1 << 20));
        assert_eq!(notifiers.list(), [(9, "n".repeat(MAX_NAME))]);
    }
}
