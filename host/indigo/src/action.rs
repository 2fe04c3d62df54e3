//! What a trigger, a schedule, an action group or a command does: one step.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::object::Object;
use super::state::figure;
use super::table::Collection;

/// Most steps of one object.
pub const MOST_STEPS: usize = 256;

/// One step. The JSON is the action object of the object model with its class.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Class of the action, such as `indigo.DeviceAction`.
    pub class: String,
    /// Seconds from the event to the step.
    #[serde(default, rename = "delayAmount")]
    pub delay: f64,
    /// Whether it takes the place of the same step where that waits already.
    #[serde(default, rename = "replaceExisting")]
    pub replace: bool,
    /// Everything else, by the attribute names of the class.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// The action that takes another one back.
#[must_use]
pub fn opposite(member: &str) -> Option<&'static str> {
    Some(match member {
        "TurnOn" => "TurnOff",
        "TurnOff" => "TurnOn",
        "Toggle" => "Toggle",
        "Lock" => "Unlock",
        "Unlock" => "Lock",
        "Open" => "Close",
        "Close" => "Open",
        _ => return None,
    })
}

/// A delay as plugins see it: a whole number where it is one.
fn seconds(delay: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "a year at most")]
    let whole = delay as i64;
    if delay.fract() == 0.0 {
        json!(whole)
    } else {
        json!(delay)
    }
}

impl Step {
    /// A step that is done at once.
    #[must_use]
    pub fn new(class: &str, fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self {
            class: class.to_owned(),
            delay: 0.0,
            replace: false,
            fields,
        }
    }

    /// The same after this many seconds.
    #[must_use]
    pub fn after(mut self, seconds: f64) -> Self {
        self.delay = seconds;
        self
    }

    /// What takes the step back after its `complementDelay`, where it has one.
    #[must_use]
    pub fn complement(&self) -> Option<Self> {
        let seconds = self.fields.get("complementDelay").and_then(figure)?;
        if seconds <= 0.0 {
            return None;
        }
        let mut back = self.clone().after(seconds);
        back.replace = false;
        back.fields.shift_remove("complementDelay");
        let class = self.class.strip_prefix("indigo.").unwrap_or(&self.class);
        if let Some(rest) = class.strip_prefix("Enable") {
            back.class = format!("indigo.Disable{rest}");
        } else if let Some(rest) = class.strip_prefix("Disable") {
            back.class = format!("indigo.Enable{rest}");
        } else {
            let other = opposite(self.text("deviceAction"))?;
            let key = "deviceAction".to_owned();
            back.fields.insert(key, Value::from(other));
        }
        Some(back)
    }

    /// A field that is a whole number; 0 when it is none.
    #[must_use]
    pub fn number(&self, key: &str) -> i64 {
        self.fields.get(key).and_then(Value::as_i64).unwrap_or(0)
    }

    /// A field that is text; empty when it is none.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// The action object that a plugin is handed.
    #[must_use]
    pub fn object(&self) -> Value {
        let mut object = Map::new();
        object.insert("class".to_owned(), Value::from(self.class.clone()));
        let common = [
            ("configured", json!(true)),
            ("description", json!("")),
            ("delayAmount", seconds(self.delay)),
            ("replaceExisting", json!(self.replace)),
            ("textToSpeak", json!("")),
        ];
        for (key, value) in common {
            object.insert(key.to_owned(), value);
        }
        for (key, value) in &self.fields {
            object.insert(key.clone(), value.clone());
        }
        Value::Object(object)
    }

    /// Whether it does the same to the same object, whenever it does it.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.class == other.class
            && self.fields.get("deviceId") == other.fields.get("deviceId")
            && self.fields.get("pluginTypeId") == other.fields.get("pluginTypeId")
            && self.fields.get("groupId") == other.fields.get("groupId")
            && self.fields.get("variableId") == other.fields.get("variableId")
    }

    /// Whether it names this object, by its id or its name.
    #[must_use]
    pub fn mentions(&self, object: &Object) -> bool {
        let keys = [
            ("deviceId", Collection::Devices),
            ("groupId", Collection::ActionGroups),
            ("variableId", Collection::Variables),
            ("triggerId", Collection::Triggers),
            ("scheduleId", Collection::Schedules),
            ("multiplierVarId", Collection::Variables),
        ];
        keys.iter().any(|(key, collection)| {
            let value = self.fields.get(*key);
            value.is_some_and(|value| object.is_meant(*collection, value))
        })
    }

    /// Whether it is about this object.
    #[must_use]
    pub fn concerns(&self, id: i64) -> bool {
        let keys = [
            "deviceId",
            "groupId",
            "variableId",
            "triggerId",
            "scheduleId",
            "sourceId",
        ];
        keys.iter().any(|key| self.number(key) == id && id != 0)
    }
}
