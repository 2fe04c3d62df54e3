//! An object as one caller sees it: the attributes that follow from others included.

mod device;

use serde_json::{Map, Value};

use super::object::Object;
use super::table::Collection;

/// The object for a plugin, or for the operator (`None`).
#[must_use]
pub fn view(object: &Object, plugin: Option<&str>) -> Value {
    let mut seen = Map::new();
    seen.insert("class".to_owned(), Value::from(class(object)));
    seen.insert("id".to_owned(), Value::from(object.id));
    for (key, value) in &object.fields {
        seen.insert(key.clone(), value.clone());
    }
    if object.table.folders {
        return Value::Object(seen);
    }
    let owner = object.owner();
    let props = |plugin: &str| object.props(plugin).cloned().unwrap_or_default();
    let own = props(plugin.unwrap_or(owner));
    seen.insert("pluginProps".to_owned(), Value::Object(own));
    if object.table.collection == Collection::Devices {
        let owners = props(owner);
        device::add(object, &owners, &mut seen);
        seen.insert("ownerProps".to_owned(), Value::Object(owners));
    }
    Value::Object(seen)
}

/// The Python class of an object.
#[must_use]
pub fn class(object: &Object) -> &str {
    if object.table.folders {
        return "indigo.Folder";
    }
    if !object.hidden.class.is_empty() {
        return &object.hidden.class;
    }
    match object.table.collection {
        Collection::Devices => object.hidden.device.python(),
        Collection::Variables => "indigo.Variable",
        Collection::Triggers => "indigo.Trigger",
        Collection::Schedules => "indigo.Schedule",
        Collection::ActionGroups => "indigo.ActionGroup",
        Collection::ControlPages => "indigo.ControlPage",
    }
}

/// Steps of a speed control whose plugin names no other number, off included.
pub const SPEEDS: u32 = 4;

/// The channels of a colour.
pub const COLOR_STATES: [&str; 6] = [
    "redLevel",
    "greenLevel",
    "blueLevel",
    "whiteLevel",
    "whiteLevel2",
    "whiteTemperature",
];

/// The values of `KEY1`, `KEY2` and so on.
#[must_use]
pub fn numbered(states: &Map<String, Value>, key: &str) -> Vec<Value> {
    (1..)
        .map_while(|number: u32| states.get(&format!("{key}{number}")).cloned())
        .collect()
}
