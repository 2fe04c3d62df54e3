//! One object of the server: what everybody sees of it, and what only the server knows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::action::Step;
use super::condition::Condition;
use super::device::DeviceClass;
use super::schedule::Timing;
use super::state::StateDefinition;
use super::table::{Collection, Table};

/// A folder id that means no folder.
pub const NO_FOLDER: i64 = 0;

/// An object: a device, a variable, a folder, ...
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// Unique over all kinds.
    pub id: i64,
    /// Where it is listed.
    pub table: Table,
    /// Its attributes but for `id`, `class` and those that follow from others, in the
    /// order in which a plugin sees them.
    pub fields: Map<String, Value>,
    /// What no plugin sees.
    pub hidden: Hidden,
}

/// What the server keeps beside the attributes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hidden {
    /// Id of the plugin whose limits it counts for; empty for the operator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub charged: String,
    /// Python class, such as `indigo.PluginEventTrigger`; devices have theirs from
    /// `device`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// The class of a device.
    pub device: DeviceClass,
    /// The states that a device has, as built last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<StateDefinition>,
    /// What the plugin said about its states instead of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_states: Option<Vec<StateDefinition>>,
    /// The state to show, where the plugin named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_display: Option<String>,
    /// Whether it is there for a dialog that was not saved yet; nobody is told of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// First device of the group that it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<i64>,
    /// What a trigger, schedule or action group does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Step>,
    /// The days and times of a schedule, as far as no attribute has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// What must hold for it to do so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// How it stands in the store.
#[derive(Serialize, Deserialize)]
struct Stored {
    fields: Map<String, Value>,
    hidden: Hidden,
}

/// The same on its way there.
#[derive(Serialize)]
struct Written<'a> {
    fields: &'a Map<String, Value>,
    hidden: &'a Hidden,
}

impl Object {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.text("name")
    }

    /// An attribute that is text; empty when it is something else.
    #[must_use]
    pub fn text(&self, key: &str) -> &str {
        self.fields.get(key).and_then(Value::as_str).unwrap_or("")
    }

    /// An attribute that is a whole number; 0 when it is something else.
    #[must_use]
    pub fn number(&self, key: &str) -> i64 {
        self.fields.get(key).and_then(Value::as_i64).unwrap_or(0)
    }

    /// An attribute that is a truth value; false when it is something else.
    #[must_use]
    pub fn flag(&self, key: &str) -> bool {
        self.fields.get(key).and_then(Value::as_bool) == Some(true)
    }

    /// The plugin that it belongs to; empty for none.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.text("pluginId")
    }

    /// Sets an attribute.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    /// The properties that a plugin keeps with it.
    #[must_use]
    pub fn props(&self, plugin: &str) -> Option<&Map<String, Value>> {
        self.fields
            .get("globalProps")
            .and_then(|all| all.get(plugin))
            .and_then(Value::as_object)
    }

    /// A property of the owner.
    #[must_use]
    pub fn owner_prop(&self, key: &str) -> Option<&Value> {
        self.props(self.owner()).and_then(|props| props.get(key))
    }

    /// Whether an id or a name, of an object of this collection, means this one.
    #[must_use]
    pub fn is_meant(&self, collection: Collection, value: &Value) -> bool {
        match value {
            Value::Number(id) => id.as_i64() == Some(self.id),
            Value::String(name) => self.table == collection.objects() && name == self.name(),
            _ => false,
        }
    }

    /// The value of a device's state.
    #[must_use]
    pub fn state(&self, key: &str) -> Option<&Value> {
        self.fields.get("states").and_then(|it| it.get(key))
    }

    /// Replaces the properties of a plugin; `None` drops them.
    pub fn set_props(&mut self, plugin: &str, props: Option<Map<String, Value>>) {
        let all = self
            .fields
            .entry("globalProps")
            .or_insert_with(|| json!({}));
        if !all.is_object() {
            *all = json!({});
        }
        if let Some(all) = all.as_object_mut() {
            match props {
                Some(props) => drop(all.insert(plugin.to_owned(), Value::Object(props))),
                None => drop(all.shift_remove(plugin)),
            }
        }
    }

    /// Its text in the store.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { fields, hidden, .. } = self;
        // Nothing in it is a map with keys that are no text, which alone would fail.
        serde_json::to_string(&Written { fields, hidden }).unwrap_or_default()
    }

    /// From its text in the store.
    ///
    /// # Errors
    ///
    /// What is wrong with the text.
    pub fn from_json(id: i64, table: Table, text: &str) -> Result<Self, serde_json::Error> {
        let Stored { fields, hidden } = serde_json::from_str(text)?;
        Ok(Self {
            id,
            table,
            fields,
            hidden,
        })
    }
}

/// About how many bytes a value takes in the store, without writing it.
#[must_use]
pub fn weight(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) => 5,
        Value::Number(_) => 12,
        Value::String(text) => length(text),
        Value::Array(items) => items.iter().fold(2, |sum, item| {
            sum.saturating_add(weight(item)).saturating_add(1)
        }),
        Value::Object(map) => map_weight(map),
    }
}

/// The same for a dictionary.
#[must_use]
pub fn map_weight(map: &Map<String, Value>) -> u64 {
    map.iter().fold(2, |sum, (key, value)| {
        sum.saturating_add(length(key))
            .saturating_add(weight(value))
            .saturating_add(2)
    })
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len())
        .unwrap_or(u64::MAX)
        .saturating_add(2)
}
