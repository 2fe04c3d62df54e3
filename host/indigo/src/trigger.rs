//! Triggers: which ones a change fires, and their effect.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Zoned;
use serde_json::{Value, json};

use super::bounds::{COMPARED, EVENT_DATA, SMALL, count};
use super::caller::Caller;
use super::change::{Change, StateChange, What};
use super::clock::CALLER;
use super::condition::Comparison;
use super::database::Reference;
use super::execute::{run_all, surroundings};
use super::object::{Object, weight};
use super::promptly::set_off;
use super::server::IndigoServer;
use super::table::Collection;
use super::view::class;
use cordon_base::account::thread_cpu;
use cordon_base::log::Level;

/// The class of triggers that watch a device.
const DEVICE: &str = "indigo.DeviceStateChangeTrigger";
/// The class of triggers that watch a variable.
const VARIABLE: &str = "indigo.VariableValueChangeTrigger";

impl IndigoServer {
    /// Notes that the plugins of the configuration have been started.
    pub fn ready(self: &Arc<Self>) {
        fire_class(self, "indigo.ServerStartupTrigger");
    }
}

/// The object that a trigger watches for changes, by its id.
#[must_use]
pub(super) fn watched(trigger: &Object) -> Option<i64> {
    if trigger.table != Collection::Triggers.objects() {
        return None;
    }
    let id = match class(trigger) {
        DEVICE => trigger.number("deviceId"),
        VARIABLE => trigger.number("variableId"),
        _ => return None,
    };
    (id != 0).then_some(id)
}

/// Fires the triggers that wait for this change. The owner of a trigger pays for looking at it; for
/// the operator's triggers, whoever made the change pays.
pub(super) fn fire_changes(server: &Arc<IndigoServer>, change: &Change) {
    let What::Updated { old, new } = &change.what else {
        return;
    };
    let waits = if new.table == Collection::Devices.objects() {
        !change.states.is_empty()
    } else {
        new.table == Collection::Variables.objects() && old.text("value") != new.text("value")
    };
    if !waits {
        return;
    }
    // The conditions are judged without the lock, so nobody waits.
    let watching = server.database().watching(new.id);
    if watching.is_empty() {
        return;
    }
    let states: HashMap<&str, &StateChange> = change
        .states
        .iter()
        .map(|it| (it.key.as_str(), it))
        .collect();
    let caller = Caller::Chain(change.by.clone());
    let mut begun = thread_cpu();
    for trigger in watching.iter().filter(|it| it.flag("enabled")) {
        if class(trigger) == DEVICE {
            fire(server, &caller, trigger, device(trigger, new, &states));
        } else {
            fire(server, &caller, trigger, variable(trigger, old, new));
        }
        let now = thread_cpu();
        bill(server, change, trigger, now.saturating_sub(begun));
        begun = now;
    }
}

/// Bills time that was spent on a trigger because of a change. A large change is told on a pool, at
/// the cost of whoever made it, who has therefore paid already.
fn bill(server: &IndigoServer, change: &Change, trigger: &Object, time: Duration) {
    let changer = change.by.plugin.as_ref();
    let owner = server.plugin(&trigger.hidden.charged);
    let owner = owner.as_ref().or(changer);
    let paid = change.memory > SMALL && owner.map(|it| it.id()) == changer.map(|it| it.id());
    if let Some(owner) = owner.filter(|_| !paid) {
        owner.account.bill(time);
    }
}

/// Carries out the steps of a trigger if it is to fire. `more` makes the members that firing adds
/// to the data of the event; without it the trigger does not fire.
fn fire(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    trigger: &Object,
    more: Option<impl FnOnce() -> Value>,
) {
    let Some(more) = more else {
        return;
    };
    happened(server, caller, trigger, || {
        let mut data = event(trigger, caller);
        merge(&mut data, more());
        data
    });
}

/// Carries out what a trigger or schedule does because of an event, if its conditions hold,
/// without keeping other events waiting.
pub(super) fn happened(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    object: &Object,
    data: impl FnOnce() -> Value,
) {
    if passes(server, caller, object, false) && !object.hidden.actions.is_empty() {
        set_off(server, caller, &object.hidden.actions, data());
    }
}

/// Fires the triggers of a class, such as `indigo.ServerStartupTrigger`.
pub(super) fn fire_class(server: &Arc<IndigoServer>, wanted: &str) {
    let waiting: Vec<Arc<Object>> = {
        let database = server.database();
        let triggers = database.list(Collection::Triggers.objects());
        let enabled = triggers.filter(|it| class(it) == wanted && it.flag("enabled"));
        enabled.cloned().collect()
    };
    for trigger in waiting {
        let caller = server.acting_for(&trigger, &CALLER);
        fire(server, &caller, &trigger, Some(|| json!({})));
    }
}

/// Carries out the steps of a trigger or schedule because of a command, if its conditions hold. The
/// data of the event is made only where something is done with it.
pub(super) fn execute(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    object: &Object,
    ignore_conditions: bool,
    data: impl FnOnce() -> Value,
) {
    let passes = passes(server, caller, object, ignore_conditions);
    if passes && !object.hidden.actions.is_empty() {
        run_all(server, caller, &object.hidden.actions, &data());
    }
}

/// Whether the conditions of a trigger or schedule hold; the log says so.
fn passes(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    object: &Object,
    ignore_conditions: bool,
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
        "timestamp": super::timestamp::timestamp(&Zoned::now()),
    })
}

/// Adds members. Those that are there already stay.
pub(super) fn merge(data: &mut Value, more: Value) {
    if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
        for (key, value) in more {
            data.entry(key).or_insert(value);
        }
    }
}

/// A value as the data of an event has it. Every step that follows gets a copy, so a long text is
/// cut to its beginning, and another long value is replaced by nothing.
fn brief(value: &Value) -> Value {
    if weight(value) <= count(EVENT_DATA) {
        return value.clone();
    }
    let text = value.as_str().unwrap_or_default();
    match text.get(..text.floor_char_boundary(EVENT_DATA)) {
        Some(start) if !start.is_empty() => Value::from(start),
        _ => Value::Null,
    }
}

/// The event's data when one of these states has changed in the way that a trigger waits for.
fn device<'a>(
    trigger: &Object,
    device: &'a Object,
    states: &HashMap<&str, &'a StateChange>,
) -> Option<impl FnOnce() -> Value + use<'a>> {
    let selector = trigger.text("stateSelector");
    let key = state_key(selector, trigger.number("stateSelectorIndex"));
    let change: &'a StateChange = states.get(key.as_ref())?;
    let kind = trigger.text("stateChangeType").to_owned();
    let with = trigger.fields.get("stateValue").unwrap_or(&Value::Null);
    becomes(&kind, &change.old, &change.new, with).then_some(move || {
        json!({
            "device-id": device.id,
            "state-key": change.key,
            "old-value": brief(&change.old),
            "new-value": brief(&change.new),
            "change-type": kind,
            "change-type-iom": format!("indigo.kStateChange.{kind}"),
        })
    })
}

/// The event's data when a variable has changed in the way that a trigger waits for.
fn variable<'a>(
    trigger: &Object,
    old: &'a Object,
    new: &'a Object,
) -> Option<impl FnOnce() -> Value + use<'a>> {
    let kind = trigger.text("variableChangeType");
    let with = trigger.fields.get("variableValue").unwrap_or(&Value::Null);
    let (before, after) = (old.fields.get("value")?, new.fields.get("value")?);
    becomes(kind, before, after, with).then(|| {
        let with = brief(with);
        move || {
            json!({
                "var-id": new.id,
                "old-val": brief(before),
                "new-val": brief(after),
                "test-val": with,
            })
        }
    })
}

/// Whether a changed value changed in this way: it passes now and did not before. `kStateChange`
/// and `kVarChange` have the same members.
fn becomes(kind: &str, old: &Value, new: &Value, with: &Value) -> bool {
    let test = match kind {
        "Changes" | "" => return true,
        "BecomesTrue" => Comparison::IsTrue,
        "BecomesFalse" => Comparison::IsFalse,
        "BecomesEqual" => Comparison::Equal,
        "BecomesNotEqual" => Comparison::NotEqual,
        "BecomesGreaterThan" => Comparison::Greater,
        "BecomesLessThan" => Comparison::Less,
        _ => return false,
    };
    // A value from before there was a bound.
    if with.as_str().is_some_and(|it| it.len() > COMPARED) {
        return false;
    }
    test.holds(new, with) && !test.holds(old, with)
}

/// The key of the state that a member of `kStateSelector` stands for. Text that is no member is
/// itself the key of a state.
fn state_key(selector: &str, index: i64) -> Cow<'_, str> {
    let selector = selector.strip_prefix("kStateSelector.").unwrap_or(selector);
    // Indexes count from 0, the keys of states from 1.
    let numbered = |key: &str| format!("{key}{}", index.saturating_add(1));
    Cow::Owned(match selector {
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
        own => return Cow::Borrowed(own),
    })
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
