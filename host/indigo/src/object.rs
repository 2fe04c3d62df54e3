//! One object of the server: its public attributes, and the data that only the server knows.

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

/// Bytes up to which an attribute that others may set counts for the owner, whoever has set it.
const FEW_WORDS: u64 = 256;

/// An object: a device, a variable, a folder, ...
#[derive(Debug, Clone, PartialEq)]
pub struct Object {
    /// The id, unique over all kinds.
    pub id: i64,
    /// The table that lists the object.
    pub table: Table,
    /// The attributes in the order in which a plugin sees them, without `id`, `class` and those
    /// that follow from others.
    pub fields: Map<String, Value>,
    /// Data that no plugin sees.
    pub hidden: Hidden,
}

/// Data that the server keeps beside the attributes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hidden {
    /// Id of the plugin whose limits the object counts for; empty for the operator.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub charged: String,
    /// Id of the plugin that has set the value of a variable that counts for somebody else, where
    /// that value is longer than a few words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub writer: String,
    /// The same for its shared properties, which any plugin may replace.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub sharer: String,
    /// Python class, such as `indigo.PluginEventTrigger`; devices have theirs from
    /// `device`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub class: String,
    /// The class of a device.
    pub device: DeviceClass,
    /// The states of the device, as they were built last.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub states: Vec<StateDefinition>,
    /// The states that the plugin declared in place of those of its definition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_states: Option<Vec<StateDefinition>>,
    /// The state to show, where the plugin named one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_display: Option<String>,
    /// Whether the object belongs to a dialog that was not saved yet. Nobody is told of a draft.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub draft: bool,
    /// First device of the group that the device belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<i64>,
    /// The steps of a trigger, schedule or action group.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<Step>,
    /// The days and times of a schedule, as far as no attribute has them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timing: Option<Timing>,
    /// The condition that must hold before the steps are carried out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub condition: Option<Condition>,
}

/// The form of an object in the store, when it is read.
#[derive(Serialize, Deserialize)]
struct Stored {
    fields: Map<String, Value>,
    hidden: Hidden,
}

/// The form of an object in the store, when it is written.
#[derive(Serialize)]
struct Written<'a> {
    fields: &'a Map<String, Value>,
    hidden: &'a Hidden,
}

impl Object {
    /// Name of the object.
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

    /// Id of the plugin that the object belongs to; empty for none.
    #[must_use]
    pub fn owner(&self) -> &str {
        self.text("pluginId")
    }

    /// Sets an attribute.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.fields.insert(key.to_owned(), value.into());
    }

    /// The properties that a plugin keeps with the object.
    #[must_use]
    pub fn props(&self, plugin: &str) -> Option<&Map<String, Value>> {
        self.fields
            .get("globalProps")
            .and_then(|all| all.get(plugin))
            .and_then(Value::as_object)
    }

    /// The parts of the object that count for other plugins than the object itself does: the
    /// properties that they keep with it, and a value that one of them has set.
    pub fn parts_of_others(&self) -> impl Iterator<Item = (&str, String)> {
        let all = self.fields.get("globalProps").and_then(Value::as_object);
        let others = all.into_iter().flatten().filter(|(plugin, props)| {
            let charged = &self.hidden.charged;
            let own = *plugin == charged || (!charged.is_empty() && **plugin == *self.owner());
            !own && props.as_object().is_some_and(|it| !it.is_empty())
        });
        let others = others.map(|(plugin, props)| (plugin.as_str(), props.to_string()));
        let written = [
            (&self.hidden.writer, "value"),
            (&self.hidden.sharer, "sharedProps"),
        ];
        let written = written.into_iter().filter(|(by, _)| !by.is_empty());
        let written =
            written.filter_map(|(by, key)| Some((by.as_str(), self.fields.get(key)?.to_string())));
        others.chain(written)
    }

    /// Drops the parts of others: a copy is made and paid by one plugin alone.
    pub fn forget_others(&mut self) {
        let kept = [self.hidden.charged.clone(), self.owner().to_owned()];
        if let Some(all) = self.fields.get_mut("globalProps")
            && let Some(all) = all.as_object_mut()
        {
            all.retain(|plugin, _| kept.contains(plugin));
        }
        self.hidden.writer.clear();
        self.hidden.sharer.clear();
    }

    /// Notes who has set the value, if that is a plugin that the object does not count for.
    pub fn written_by(&mut self, plugin: &str) {
        self.hidden.writer = self.other("value", plugin);
    }

    /// Notes who has replaced the shared properties, if that is such a plugin.
    pub fn shared_by(&mut self, plugin: &str) {
        self.hidden.sharer = self.other("sharedProps", plugin);
    }

    /// The plugin, if an attribute that it has set counts for it; empty otherwise.
    fn other(&self, key: &str, plugin: &str) -> String {
        let bytes = self.fields.get(key).map_or(0, weight);
        match bytes > FEW_WORDS && plugin != self.hidden.charged {
            true => plugin.to_owned(),
            false => String::new(),
        }
    }

    /// A property of the owner.
    #[must_use]
    pub fn owner_prop(&self, key: &str) -> Option<&Value> {
        self.props(self.owner()).and_then(|props| props.get(key))
    }

    /// Whether an id or a name, given for an object of this collection, means this object.
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

    /// The text of the object in the store.
    #[must_use]
    pub fn to_json(&self) -> String {
        let Self { fields, hidden, .. } = self;
        // Only a map with keys that are no text would fail, and there is none.
        serde_json::to_string(&Written { fields, hidden }).unwrap_or_default()
    }

    /// Reads an object from its text in the store.
    ///
    /// # Errors
    ///
    /// A text that is no object.
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

/// About how many bytes a dictionary takes in the store, without writing it.
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
