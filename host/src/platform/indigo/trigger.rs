//! Triggers: which ones a change fires, and what firing one does.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Zoned;
use serde_json::{Value, json};

use super::change::{Change, StateChange, What};
use super::condition::Comparison;
use super::database::{Reference, reference};
use super::execute::{run_all, surroundings};
use super::object::Object;
use super::server::{Caller, IndigoServer};
use super::table::Collection;
use super::view::class;
use crate::log::Level;

/// Fires the triggers that wait for this change.
pub(super) fn fire_changes(server: &Arc<IndigoServer>, change: &Change) {
    let What::Updated { old, new } = &change.what else {
        return;
    };
    let caller = Caller::Chain(change.by.clone());
    let table = new.table;
    if table == Collection::Devices.objects() {
        if !change.states.is_empty() {
            let states: HashMap<&str, &StateChange> = change
                .states
                .iter()
                .map(|it| (it.key.as_str(), it))
                .collect();
            fire(server, &caller, "indigo.DeviceStateChangeTrigger", |it| {
                device(it, new, &states)
            });
        }
    } else if table == Collection::Variables.objects() && old.text("value") != new.text("value") {
        fire(server, &caller, "indigo.VariableValueChangeTrigger", |it| {
            variable(it, old, new)
        });
    }
}

/// Fires every trigger of a class that this says yes to: with what it adds to the event's
/// data.
fn fire<Data: FnOnce() -> Value>(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    wanted: &str,
    matches: impl Fn(&Object) -> Option<Data>,
) {
    // Judged without holding anybody up: what is compared may be long.
    let waiting: Vec<Arc<Object>> = {
        let database = server.database();
        let triggers = database.list(Collection::Triggers.objects());
        let enabled = triggers.filter(|it| class(it) == wanted && it.flag("enabled"));
        enabled.cloned().collect()
    };
    for trigger in waiting {
        let Some(more) = matches(&trigger) else {
            continue;
        };
        execute(server, caller, &trigger, false, || {
            let mut data = event(&trigger, caller);
            merge(&mut data, more());
            data
        });
    }
}

/// Fires the triggers of a class, such as `indigo.ServerStartupTrigger`.
pub(super) fn fire_class(server: &Arc<IndigoServer>, wanted: &str) {
    let caller = Caller::Operator("server");
    fire(server, &caller, wanted, |_| Some(|| json!({})));
}

/// Carries out what a trigger or schedule does, if its conditions hold. True when they
/// did. The data of the event is made only where something is done with it.
pub(super) fn execute(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    object: &Object,
    ignore_conditions: bool,
    data: impl FnOnce() -> Value,
) -> bool {
    if !ignore_conditions && let Some(condition) = &object.hidden.condition {
        let find = |table, reference: &Reference| server.database().find(table, reference).cloned();
        if !condition.holds(&surroundings(server, &find)) {
            return false;
        }
    }
    if !object.flag("suppressLogging") {
        let kind = match object.table.collection {
            Collection::Schedules => "Schedule",
            _ => "Trigger",
        };
        let line = format!("{kind}: {}", object.name());
        server.note_about(caller, object, Level::Status, &line);
    }
    if !object.hidden.actions.is_empty() {
        run_all(server, caller, &object.hidden.actions, &data());
    }
    true
}

/// The data that goes with every event of an object.
#[must_use]
pub(super) fn event(object: &Object, caller: &Caller) -> Value {
    let class = class(object);
    json!({
        "event-indigo-id": object.id,
        "event-type": class.strip_prefix("indigo.").unwrap_or(class),
        "source": caller.source(),
        "timestamp": super::server::timestamp(&Zoned::now()),
    })
}

/// Adds members; those that are there already stay.
pub(super) fn merge(data: &mut Value, more: Value) {
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        for (key, value) in more {
            data.entry(key).or_insert(value);
        }
    }
}

/// Whether a trigger names this object, by its id or its name.
fn refers(trigger: &Object, key: &str, object: &Object) -> bool {
    match trigger.fields.get(key).map(reference) {
        Some(Ok(Reference::Id(id))) => id == object.id,
        Some(Ok(Reference::Name(name))) => name == object.name(),
        _ => false,
    }
}

/// Whether a trigger waits for one of these states to change so; what makes the event's
/// data.
fn device<'a>(
    trigger: &Object,
    device: &'a Object,
    states: &HashMap<&str, &'a StateChange>,
) -> Option<impl FnOnce() -> Value + use<'a>> {
    if !refers(trigger, "deviceId", device) {
        return None;
    }
    let selector = trigger.text("stateSelector");
    let key = state_key(selector, trigger.number("stateSelectorIndex"));
    let change: &'a StateChange = states.get(key.as_str())?;
    let kind = trigger.text("stateChangeType").to_owned();
    let with = trigger.fields.get("stateValue").unwrap_or(&Value::Null);
    becomes(&kind, &change.old, &change.new, with).then_some(move || {
        json!({
            "device-id": device.id,
            "state-key": change.key,
            "old-value": change.old,
            "new-value": change.new,
            "change-type": kind,
            "change-type-iom": format!("indigo.kStateChange.{kind}"),
        })
    })
}

/// The same for a variable.
fn variable<'a>(
    trigger: &Object,
    old: &'a Object,
    new: &'a Object,
) -> Option<impl FnOnce() -> Value + use<'a>> {
    if !refers(trigger, "variableId", new) {
        return None;
    }
    let kind = trigger.text("variableChangeType");
    let with = trigger.fields.get("variableValue").unwrap_or(&Value::Null);
    let (before, after) = (old.fields.get("value")?, new.fields.get("value")?);
    becomes(kind, before, after, with).then(|| {
        let with = with.clone();
        move || {
            json!({
                "var-id": new.id,
                "old-val": before,
                "new-val": after,
                "test-val": with,
            })
        }
    })
}

/// Whether a value that changed did so in this way: it passes now and did not before.
/// `kStateChange` and `kVarChange` have the same members.
fn becomes(kind: &str, old: &Value, new: &Value, with: &Value) -> bool {
    let test = match kind {
        "Changes" | "" => return old != new,
        "BecomesTrue" => Comparison::IsTrue,
        "BecomesFalse" => Comparison::IsFalse,
        "BecomesEqual" => Comparison::Equal,
        "BecomesNotEqual" => Comparison::NotEqual,
        "BecomesGreaterThan" => Comparison::Greater,
        "BecomesLessThan" => Comparison::Less,
        _ => return false,
    };
    test.holds(new, with) && !test.holds(old, with)
}

/// The key of the state that a member of `kStateSelector` stands for; what is no member
/// is the key of a state itself.
fn state_key(selector: &str, index: i64) -> String {
    let selector = selector.strip_prefix("kStateSelector.").unwrap_or(selector);
    // Indexes count from 0, the keys of states from 1.
    let numbered = |key: &str| format!("{key}{}", index.saturating_add(1));
    match selector {
        "AnalogInput" | "BinaryInput" | "BinaryOutput" | "SensorInput" | "HumidityInput"
        | "TemperatureInput" | "Zone" => numbered(&lower_first(selector)),
        "HvacFanModeIsAuto" => "hvacFanIsAuto".to_owned(),
        "HvacFanModeIsAlwaysOn" => "hvacFanIsAlwaysOn".to_owned(),
        "ActiveZone"
        | "AnalogInputsAll"
        | "BinaryInputsAll"
        | "BinaryOutputsAll"
        | "BrightnessLevel"
        | "HumidityInputsAll"
        | "HvacCoolerIsOn"
        | "HvacFanIsOn"
        | "HvacFanMode"
        | "HvacHeaterIsOn"
        | "HvacOperationMode"
        | "OnOffState"
        | "SensorInputsAll"
        | "SetpointCool"
        | "SetpointHeat"
        | "TemperatureInputsAll"
        | "HvacOperationModeIsAuto"
        | "HvacOperationModeIsCool"
        | "HvacOperationModeIsHeat"
        | "HvacOperationModeIsOff"
        | "HvacOperationModeIsProgramAuto"
        | "HvacOperationModeIsProgramCool"
        | "HvacOperationModeIsProgramHeat" => lower_first(selector),
        own => own.to_owned(),
    }
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|it| it.to_ascii_lowercase());
    first.into_iter().chain(characters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_becomes_what_it_was_not() {
        let becomes = |kind, old: Value, new: Value| becomes(kind, &old, &new, &json!("20"));
        assert!(becomes("BecomesGreaterThan", json!(20), json!(20.5)));
        assert!(!becomes("BecomesGreaterThan", json!(21), json!(22)));
        assert!(becomes("BecomesLessThan", json!(20), json!(3)));
        assert!(becomes("BecomesEqual", json!(19), json!(20)));
        assert!(becomes("BecomesNotEqual", json!(20), json!(19)));
        assert!(!becomes("BecomesNotEqual", json!(18), json!(19)));
        assert!(becomes("BecomesTrue", json!(false), json!(true)));
        assert!(becomes("BecomesFalse", json!("on"), json!("off")));
        assert!(becomes("Changes", json!("a"), json!("b")));
        assert!(!becomes("BecomesOdd", json!("a"), json!("b")));
    }

    #[test]
    fn a_selector_names_a_state() {
        assert_eq!(state_key("OnOffState", 0), "onOffState");
        assert_eq!(state_key("TemperatureInput", 1), "temperatureInput2");
        assert_eq!(state_key("HvacFanModeIsAuto", 0), "hvacFanIsAuto");
        assert_eq!(state_key("myState", 0), "myState");
    }
}
