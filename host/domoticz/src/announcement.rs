//! The announcements of plugins: notifications to people, and messages to browsers (rules 192 to
//! 194).
//!
//! They are the two commands of a Domoticz plugin (`commands` of the contract). Arguments are JSON
//! of a stranger. A plugin may send as many notifications as a device may cause, because they go to
//! the inboxes of other plugins.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::house::House;
use super::notification::{Notification, UNKNOWN};
use super::topics::Message;
use cordon_base::account::Account;
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;

/// Longest text of a notification in bytes, as for the API's.
const MAX_TEXT: usize = 4096;

/// Longest message to browsers in bytes. Each browser that follows has copies of its own.
const MAX_MESSAGE: usize = 64 << 10;

/// Bytes that a message or a notification takes beside its texts.
const EACH: u64 = 512;

/// The plugin that announces something.
#[derive(Debug, Clone, Copy)]
pub struct Announcer<'a> {
    /// Its hardware.
    pub hardware: u32,
    /// The key of its definition.
    pub key: &'a str,
    /// The memory that the hub holds for it.
    pub account: &'a Arc<Account>,
    /// Its limit `timers`: notifications that wait for their time.
    pub timers: u64,
}

/// Why nothing was announced; the text is for the plugin's log.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// There is no such command.
    #[error("a Domoticz plugin has no command `{0}`")]
    Unknown(String),
    /// The arguments cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// A limit of the instance.
    #[error(transparent)]
    Limit(#[from] LimitHit),
}

/// The notifications that wait for their time, by hardware. Clones share them.
#[derive(Debug, Clone, Default)]
pub(super) struct Delayed(Arc<Mutex<HashMap<u32, u64>>>);

impl Delayed {
    /// A place for one more of this hardware.
    fn take(&self, hardware: u32, most: u64) -> Result<DelayedOne, LimitHit> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = waiting.entry(hardware).or_insert(0);
        if *count >= most {
            return Err(Limits::hit("timers", count.saturating_add(1), most));
        }
        *count = count.saturating_add(1);
        Ok(DelayedOne {
            waiting: self.clone(),
            hardware,
        })
    }
}

/// A place among those that wait; given back when dropped.
struct DelayedOne {
    waiting: Delayed,
    hardware: u32,
}

impl Drop for DelayedOne {
    fn drop(&mut self) {
        let waiting = &self.waiting.0;
        let mut waiting = waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = waiting.get_mut(&self.hardware) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                waiting.remove(&self.hardware);
            }
        }
    }
}

impl House {
    /// Carries out a command of a Domoticz plugin. Never waits. Returns a line for the plugin's log,
    /// empty as a rule.
    ///
    /// # Errors
    /// [`Refusal`]; nothing was announced then.
    pub fn announce(
        &self,
        by: &Announcer<'_>,
        name: &str,
        arguments: &str,
    ) -> Result<String, Refusal> {
        match name {
            "sendNotification" => self.send_notification(by, arguments),
            "webSocketSend" => self.send_to_browsers(by, arguments).map(|()| String::new()),
            _ => {
                let shown = name.chars().take(100).collect();
                Err(Refusal::Unknown(shown))
            }
        }
    }

    fn send_notification(&self, by: &Announcer<'_>, arguments: &str) -> Result<String, Refusal> {
        let Asked {
            notification,
            systems,
            delay,
        } = asked(arguments).map_err(Refusal::Invalid)?;
        if !self.pace().admits(-i64::from(by.hardware)) {
            let text = "it is one too many within a minute, and is not sent";
            return Err(Refusal::Invalid(text.to_owned()));
        }
        if delay.is_zero() {
            let reached = self.notify(&notification, &systems);
            return Ok(match (reached, systems.as_str()) {
                (0, "") => "the notification reaches nobody: no plugin takes notifications".into(),
                (0, one) => format!("the notification reaches nobody: no plugin is called `{one}`"),
                _ => String::new(),
            });
        }
        let size = notification.size().saturating_add(systems.len());
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let charge = by.account.charge(size.saturating_add(EACH))?;
        let place = self.delayed().take(by.hardware, by.timers)?;
        let notifying = self.notifying();
        tokio::spawn(async move {
            tokio::time::sleep(delay).await;
            notifying.notify(&notification, &systems);
            drop((place, charge));
        });
        Ok(String::new())
    }

    /// Nobody who follows the plugin is no fault.
    fn send_to_browsers(&self, by: &Announcer<'_>, data: &str) -> Result<(), Refusal> {
        if !self.topics().has(by.key) {
            return Ok(());
        }
        if data.len() > MAX_MESSAGE {
            return Err(Refusal::Invalid(format!(
                "the message has {} bytes, {MAX_MESSAGE} are allowed",
                data.len()
            )));
        }
        // It goes into a larger text, which it must not be able to end.
        serde_json::from_str::<IgnoredAny>(data)
            .map_err(|error| Refusal::Invalid(format!("the message is no JSON: {error}")))?;
        let key = Value::from(by.key).to_string();
        let size = data.len().saturating_add(key.len());
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let charge = by.account.charge(size.saturating_add(EACH))?;
        let text = format!(
            "{{\"event\":\"plugin\",\"plugin\":{key},\"hwid\":{},\"data\":{data}}}",
            by.hardware
        );
        self.topics().send(by.key, &Message::new(text, charge));
        Ok(())
    }
}

/// A notification that a plugin asks for.
struct Asked {
    notification: Notification,
    systems: String,
    delay: Duration,
}

fn asked(arguments: &str) -> Result<Asked, String> {
    let arguments: Map<String, Value> = serde_json::from_str(arguments)
        .map_err(|error| format!("the arguments are no JSON object: {error}"))?;
    let text = |name: &str| match arguments.get(name).and_then(Value::as_str) {
        Some(text) if text.len() > MAX_TEXT => {
            Err(format!("{name} has more than {MAX_TEXT} bytes"))
        }
        Some(text) => Ok(text.to_owned()),
        None => Ok(String::new()),
    };
    let number = |name: &str| arguments.get(name).and_then(Value::as_i64).unwrap_or(0);
    let (subject, body) = (text("Subject")?, text("Body")?);
    if subject.is_empty() {
        return Err("Subject is empty".to_owned());
    }
    let extra = text("ExtraData")?;
    // Never outside of this range, so it always fits.
    let priority = i32::try_from(number("Priority").clamp(-2, 2)).unwrap_or(0);
    Ok(Asked {
        notification: Notification {
            name: part(&extra, "Name"),
            status: part(&extra, "Status"),
            text: Some(body)
                .filter(|body| !body.is_empty())
                .unwrap_or_else(|| subject.clone()),
            subject,
            priority,
            sound: text("Sound")?,
            image_file: String::new(),
        },
        systems: text("SubSystem")?,
        delay: Duration::from_secs(u64::try_from(number("Delay")).unwrap_or(0)),
    })
}

/// The value of a part of `ExtraData`, which is `|Name=...|Status=...|` (rule 193).
fn part(extra: &str, name: &str) -> String {
    let mut parts = extra.split('|').filter_map(|part| part.split_once('='));
    let found = parts.find(|(key, _)| *key == name);
    found.map_or(UNKNOWN, |(_, value)| value).to_owned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};
    use std::sync::mpsc::{self, Receiver, Sender};

    use super::*;
    use crate::{DeliverError, DeviceTable, HardwareInfo, HubEvent, Plugins};
    use cordon_store::Store;

    struct Listeners(Mutex<Sender<(u32, HubEvent)>>);

    impl Plugins for Listeners {
        fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError> {
            self.0.lock().unwrap().send((hardware, event)).unwrap();
            Ok(())
        }

        fn hardware(&self) -> Vec<HardwareInfo> {
            Vec::new()
        }

        fn account(&self, _: u32) -> Option<Arc<Account>> {
            None
        }
    }

    struct Fixture {
        _folder: tempfile::TempDir,
        house: House,
        told: Receiver<(u32, HubEvent)>,
        account: Arc<Account>,
    }

    impl Fixture {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
            let (sender, told) = mpsc::channel();
            let listeners = Arc::new(Listeners(Mutex::new(sender)));
            let house = House::new(&store, DeviceTable::new(store.clone()), listeners);
            house.notifiers().register(2, "bell");
            house.notifiers().register(3, "tv");
            Self {
                _folder: folder,
                house,
                told,
                account: Account::new(&Limits::default()),
            }
        }

        fn announce(&self, name: &str, arguments: &str) -> Result<String, Refusal> {
            let by = Announcer {
                hardware: 7,
                key: "a\"K",
                account: &self.account,
                timers: 2,
            };
            self.house.announce(&by, name, arguments)
        }

        fn notified(&self) -> Vec<(u32, Notification)> {
            let told = self.told.try_iter().filter_map(|(hardware, event)| {
                let HubEvent::Notification(notification) = event else {
                    return None;
                };
                Some((hardware, notification))
            });
            told.collect()
        }
    }

    #[tokio::test]
    async fn a_notification_reaches_all_or_the_one_that_is_named_rule_193() {
        let f = Fixture::new();
        let said = f.announce(
            "sendNotification",
            r#"{"Subject":"s","Body":"b","Priority":9,"Sound":"d","ExtraData":"|Name=N|Status=S|"}"#,
        );
        assert_eq!(said.unwrap(), "");
        let notified = f.notified();
        let hardware: Vec<_> = notified.iter().map(|(hardware, _)| *hardware).collect();
        assert_eq!(hardware, [2, 3]);
        let expected = Notification {
            name: "N".to_owned(),
            subject: "s".to_owned(),
            text: "b".to_owned(),
            status: "S".to_owned(),
            priority: 2,
            sound: "d".to_owned(),
            image_file: String::new(),
        };
        assert_eq!(notified.first().unwrap().1, expected);
        f.announce("sendNotification", r#"{"Subject":"s","SubSystem":"tv"}"#)
            .unwrap();
        let notified = f.notified();
        let [(3, one)] = notified.as_slice() else {
            unreachable!("{notified:?}")
        };
        assert_eq!((one.text.as_str(), one.name.as_str()), ("s", UNKNOWN));
        let said = f.announce("sendNotification", r#"{"Subject":"s","SubSystem":"mail"}"#);
        assert!(said.unwrap().contains("no plugin is called `mail`"));
        f.house.notifiers().forget(2);
        f.house.notifiers().forget(3);
        let said = f.announce("sendNotification", r#"{"Subject":"s"}"#);
        assert!(said.unwrap().contains("reaches nobody"));
    }

    #[tokio::test]
    async fn arguments_of_strangers_are_refused_with_the_reason() {
        let f = Fixture::new();
        let long = format!(r#"{{"Subject":"{}"}}"#, "x".repeat(MAX_TEXT + 1));
        for (name, arguments, reason) in [
            ("sendNotification", "", "no JSON object"),
            ("sendNotification", "[]", "no JSON object"),
            ("sendNotification", "{}", "Subject is empty"),
            ("sendNotification", long.as_str(), "more than 4096 bytes"),
            ("variable.create", "{}", "no command `variable.create`"),
        ] {
            let refusal = f.announce(name, arguments).unwrap_err().to_string();
            assert!(refusal.contains(reason), "{refusal}");
        }
        assert_eq!(f.notified(), []);
    }

    #[tokio::test]
    async fn a_busy_plugin_does_not_fill_the_inboxes_of_others() {
        let f = Fixture::new();
        let sent = (0..30).filter(|_| f.announce("sendNotification", r#"{"Subject":"s"}"#).is_ok());
        assert_eq!(sent.count(), 10);
        assert_eq!(f.notified().len(), 20);
    }

    #[tokio::test]
    async fn a_delayed_notification_is_bounded_and_charged_while_it_waits() {
        let f = Fixture::new();
        let later = || f.announce("sendNotification", r#"{"Subject":"s","Delay":1}"#);
        later().unwrap();
        later().unwrap();
        let Refusal::Limit(hit) = later().unwrap_err() else {
            unreachable!()
        };
        assert_eq!((hit.which, hit.used, hit.limit), ("timers", 3, 2));
        assert!(f.account.used() > 0);
        assert_eq!(f.notified(), []);
        tokio::time::timeout(Duration::from_secs(60), async {
            while f.account.used() > 0 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        })
        .await
        .unwrap();
        assert_eq!(f.notified().len(), 4);
        later().unwrap();
    }

    #[tokio::test]
    async fn a_message_to_browsers_stays_inside_of_its_envelope_rule_194() {
        let f = Fixture::new();
        // Nobody follows: nothing is even looked at.
        f.announce("webSocketSend", "nonsense").unwrap();
        let mut browser = f
            .house
            .topics()
            .join(IpAddr::V4(Ipv4Addr::LOCALHOST), "")
            .unwrap();
        assert!(browser.follow("a\"K"));
        let refusal = f
            .announce("webSocketSend", r#"1},{"event":"x""#)
            .unwrap_err();
        assert!(refusal.to_string().contains("no JSON"), "{refusal}");
        f.announce("webSocketSend", r#"{"a":[1]}"#).unwrap();
        let message = browser.next().await.unwrap();
        let expected = r#"{"event":"plugin","plugin":"a\"K","hwid":7,"data":{"a":[1]}}"#;
        assert_eq!(message.text(), expected);
        assert!(f.account.used() > 0);
        drop(message);
        assert_eq!(f.account.used(), 0);
        let large = format!("\"{}\"", "x".repeat(MAX_MESSAGE));
        let refusal = f.announce("webSocketSend", &large).unwrap_err();
        assert!(
            refusal.to_string().contains("65536 are allowed"),
            "{refusal}"
        );
    }
}
