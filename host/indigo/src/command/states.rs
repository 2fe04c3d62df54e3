//! A plugin's commands about its own devices: states, error, image, list of states.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::follow::{couple, derive, energy, labels};
use super::given::{Complaints, Values, put_in};
use super::{Context, common};
use crate::bounds::{CHOICES, KEY, LABEL, STATES, footprint, short};
use crate::change::StateChange;
use crate::failure::Failure;
use crate::object::Object;
use crate::state::{StateDefinition, StateType, Sum, rebuild, text};
use crate::table::Collection;
use cordon_base::account::Charge;
use cordon_base::limits::Limits;
use cordon_base::log::Level;

const TABLE: Collection = Collection::Devices;

pub(super) async fn run(context: &Context<'_>, command: &str) -> Result<Value, Failure> {
    let changed = match command {
        "updateStatesOnServer" => return update(context).await,
        "updateStateImageOnServer" => {
            let image = context.arguments.needed_text("value")?.to_owned();
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.set("displayStateImageSel", image.clone());
                    Ok(())
                })
                .await?
        }
        "setErrorStateOnServer" => {
            let message = context.arguments.text("message")?.unwrap_or("").to_owned();
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.set("errorState", message.clone());
                    Ok(())
                })
                .await?
        }
        "updateTimeStampOnServer" => {
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.set("lastSuccessfulComm", common::now());
                    Ok(())
                })
                .await?
        }
        "stateListOrDisplayStateIdChanged" => {
            let given = context.arguments.given("stateList");
            context.room(given.map_or(0, footprint))?;
            let given = given.cloned();
            let display = context.arguments.text("displayStateId")?.map(str::to_owned);
            let list = given.map(definitions).transpose()?;
            let mut room = None;
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.hidden.own_states.clone_from(&list);
                    device.hidden.own_display.clone_from(&display);
                    drop(room.take());
                    room = Some(settle(context, device)?);
                    Ok(())
                })
                .await?
        }
        // The accumulated energy starts again.
        _ => return reset_energy(context).await,
    };
    Ok(context.see(&changed))
}

fn definitions(list: Value) -> Result<Vec<StateDefinition>, Failure> {
    let list: Vec<StateDefinition> = serde_json::from_value(list)
        .map_err(|error| Failure::value(format!("the list of states: {error}")))?;
    if list.len() > STATES {
        return Err(Failure::value(format!(
            "a device has {STATES} states at most"
        )));
    }
    for state in &list {
        short("the key of a state", &state.key, KEY)?;
        for label in [
            &state.trigger_label,
            &state.state_label,
            &state.default_value,
        ] {
            short("a text of a state", label, LABEL)?;
        }
        if state.options.len() > CHOICES {
            return Err(Failure::value(format!(
                "a state has {CHOICES} choices at most"
            )));
        }
        for choice in &state.options {
            short("the value of a choice", &choice.value, KEY)?;
            short("the label of a choice", &choice.label, LABEL)?;
        }
    }
    Ok(list)
}

/// Sets the attributes that follow from the properties of the owner: address, version, the list of
/// states.
///
/// # Errors
///
/// As [`settle`].
pub(super) fn settle_props(context: &Context<'_>, device: &mut Object) -> Result<Charge, Failure> {
    for key in ["address", "version"] {
        let value = device.owner_prop(key).and_then(|value| text(value, None));
        device.set(key, value.unwrap_or_default());
    }
    settle(context, device)
}

/// Builds the states of a device anew, from its class, its type and the declarations of its plugin.
/// The charge is for the new states, until the device is weighed.
///
/// # Errors
///
/// The limits `stored-bytes` and `host-memory`, before anything is built.
pub(super) fn settle(context: &Context<'_>, device: &mut Object) -> Result<Charge, Failure> {
    let props = device.props(device.owner()).cloned().unwrap_or_default();
    let plugin = context.server.plugin(device.owner());
    let declared = plugin.as_ref().and_then(|plugin| {
        let devices = &plugin.bundle.definitions.devices;
        devices.find(device.text("deviceTypeId"))
    });
    let sum = match (&device.hidden.own_states, declared) {
        (Some(own), _) => Sum::of(own),
        (None, Some(declared)) => Sum::of(&declared.states),
        (None, None) => Sum::of(&device.hidden.states),
    };
    // A device of the operator may have as many states as its plugin's limits allow.
    let limits = context.caller.limits();
    let limits = limits.or_else(|| plugin.as_ref().map(|it| &it.limits));
    if let Some(most) = limits.map(|it| it.stored_bytes)
        && sum.kept > most
    {
        return Err(Limits::hit("stored-bytes", sum.kept, most).into());
    }
    let room = context.server.account(context.caller).charge(sum.built)?;
    let mut list = device.hidden.device.states(&props);
    let own = match (&device.hidden.own_states, declared) {
        (Some(own), _) => own.clone(),
        (None, Some(declared)) => declared.states.iter().map(Into::into).collect(),
        // The plugin is away, so the device keeps its states.
        (None, None) => device.hidden.states.clone(),
    };
    let mut places: HashMap<String, usize> = list
        .iter()
        .enumerate()
        .map(|(place, it)| (it.key.clone(), place))
        .collect();
    for state in own {
        if state.key.is_empty() {
            continue;
        }
        let place = *places.entry(state.key.clone()).or_insert(list.len());
        // A state of the class keeps its type and takes the plugin's labels.
        match list.get_mut(place) {
            Some(known) if known.kind != StateType::Label => {
                known.trigger_label = state.trigger_label;
                known.state_label = state.state_label;
            }
            _ => list.push(state),
        }
    }
    let empty = Map::new();
    let old = device.fields.get("states").and_then(Value::as_object);
    let mut states = rebuild(&list, old.unwrap_or(&empty));
    let display = match &device.hidden.own_display {
        Some(own) => own.clone(),
        None => declared
            .and_then(|it| it.display_state_id.clone())
            .unwrap_or_else(|| device.hidden.device.display(&list)),
    };
    derive(device.hidden.device, &mut states);
    if let Some((key, label)) = labels(device, &states) {
        states.entry(key).or_insert(label);
    }
    device.hidden.states = list;
    device.set("states", Value::Object(states));
    device.set("displayStateId", display);
    Ok(room)
}

/// Whether a command shall only change the states, without a call of the device's plugin.
pub(super) fn only(context: &Context<'_>) -> Result<bool, Failure> {
    Ok(context.arguments.flag("updateStatesOnly")?.unwrap_or(false))
}

/// Writes states for a command that changes nothing else. They are the owner's, whichever
/// command writes them.
pub(super) async fn put(
    context: &Context<'_>,
    states: Vec<(String, Value)>,
) -> Result<Value, Failure> {
    let given = states.into_iter();
    let given: Vec<Value> = given
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    let changed = context.alter(TABLE.objects(), |old, device| {
        context.owns(old)?;
        let mut complaints = Complaints::default();
        let changes = set(old, device, &given, &mut complaints)?;
        match complaints.lines.into_iter().next() {
            Some(complaint) => Err(Failure::value(complaint)),
            None => Ok(((), changes)),
        }
    });
    changed.await.map(|_| Value::Null)
}

async fn update(context: &Context<'_>) -> Result<Value, Failure> {
    let given = context.arguments.list("states")?;
    let changed = context.alter(TABLE.objects(), |old, device| {
        context.owns(old)?;
        let mut complaints = Complaints::default();
        let changes = set(old, device, given, &mut complaints)?;
        Ok((complaints, changes))
    });
    let (device, complaints) = changed.await?;
    if let Some(plugin) = context.caller.plugin() {
        for complaint in complaints.told() {
            plugin.log.plugin(false, Level::Error, &complaint);
        }
    }
    Ok(device.fields.get("states").cloned().unwrap_or_default())
}

/// Puts values into the states of a device. Returns the changes that fire triggers. The time that
/// this takes grows with the number of values and with the number of states, not with both
/// multiplied.
fn set(
    old: &Object,
    device: &mut Object,
    given: &[Value],
    complaints: &mut Complaints,
) -> Result<Vec<StateChange>, Failure> {
    let values = Values::read(old, given, complaints)?;
    let empty = Map::new();
    let before = old.fields.get("states").and_then(Value::as_object);
    let before = before.unwrap_or(&empty);
    let mut states = match device.fields.get_mut("states").map(Value::take) {
        Some(Value::Object(states)) => states,
        _ => Map::new(),
    };
    let Values {
        latest,
        labelled,
        clears_error,
    } = values;
    let keys: HashSet<&str> = latest.iter().map(|it| it.key).collect();
    let silent = latest.iter().filter(|it| it.silent).map(|it| it.key);
    let silent: HashSet<&str> = silent.collect();
    put_in(latest, &mut states);
    couple(device, &mut states, &keys);
    derive(device.hidden.device, &mut states);
    if let Some((key, label)) = labels(device, &states) {
        let of = key.strip_suffix(".ui").unwrap_or_default();
        let moved = keys.contains(of) || states.get(of) != before.get(of);
        if moved && !labelled.contains(of) {
            states.insert(key, label);
        }
    }
    if keys.contains("accumEnergyTotal") {
        energy(device, &states);
    }
    if clears_error && !device.text("errorState").is_empty() {
        device.set("errorState", "");
    }
    if states != *before {
        device.set("lastChanged", common::now());
    }
    let changes = changed(before, &states, &silent);
    device.set("states", Value::Object(states));
    Ok(changes)
}

/// The states that differ, without labels for people and without those of `silent`.
fn changed(
    before: &Map<String, Value>,
    states: &Map<String, Value>,
    silent: &HashSet<&str>,
) -> Vec<StateChange> {
    let told = |key: &str| !key.ends_with(".ui") && !silent.contains(key);
    let differs = |key: &str, new: &Value| before.get(key) != Some(new);
    let changes = states
        .iter()
        .filter(|(key, new)| told(key) && differs(key, new))
        .map(|(key, new)| StateChange {
            key: key.clone(),
            old: before.get(key).cloned().unwrap_or_default(),
            new: new.clone(),
        });
    changes.collect()
}

async fn reset_energy(context: &Context<'_>) -> Result<Value, Failure> {
    let changed = context
        .change(TABLE.objects(), |device| {
            device.set("energyAccumBaseTime", common::now());
            device.set("energyAccumTimeDelta", 0);
            Ok(())
        })
        .await?;
    let fields = json!({ "deviceId": changed.id, "deviceAction": "EnergyReset" });
    let step = crate::action::Step::new("indigo.UniversalAction", fields);
    context.act(step)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
