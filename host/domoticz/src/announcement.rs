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
            text: Some(body).filter(|body| !body.is_empty()).unwrap_or_else(|| subject.clone()),
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
