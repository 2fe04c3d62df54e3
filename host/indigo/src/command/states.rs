//! What a plugin says about its own devices: states, error, image, list of states.

use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

use super::follow::{couple, derive, energy, labels};
use super::{Context, common};
use crate::bounds::{CHOICES, COMPLAINTS, KEY, LABEL, STATES, footprint, quoted, short};
use crate::change::StateChange;
use crate::failure::Failure;
use crate::object::Object;
use crate::state::{StateDefinition, StateType, Sum, choices, figure, rebuild, text, truth};
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

/// What follows from the properties of the owner: address, version, the list of states.
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

/// Builds the states of a device anew, from its class, its type and what its plugin
/// said about them. The charge is for what was built, until the device is weighed.
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
    // Of the operator's devices, as much as their plugin may have.
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
        // The plugin is away: what it had stays.
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

/// Whether a command shall change the states alone, and its device's plugin not be
/// asked.
pub(super) fn only(context: &Context<'_>) -> Result<bool, Failure> {
    Ok(context.arguments.flag("updateStatesOnly")?.unwrap_or(false))
}

/// Writes states for a command that changes nothing else.
pub(super) async fn put(
    context: &Context<'_>,
    states: Vec<(String, Value)>,
) -> Result<Value, Failure> {
    let given = states.into_iter();
    let given: Vec<Value> = given
        .map(|(key, value)| json!({ "key": key, "value": value }))
        .collect();
    let changed = context.alter(TABLE.objects(), |old, device| {
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

/// What is wrong with what a plugin gave; one call may give much.
#[derive(Debug, Default)]
struct Complaints {
    lines: Vec<String>,
    more: usize,
}

impl Complaints {
    /// Adds one, about a device's state; `text` begins behind its key.
    fn add(&mut self, device: &Object, key: &str, text: impl FnOnce() -> String) {
        if self.lines.len() >= COMPLAINTS {
            self.more = self.more.saturating_add(1);
            return;
        }
        let (name, key) = (quoted(device.name()), quoted(key));
        let text = text();
        self.lines
            .push(format!("device \"{name}\" state key {key} {text}"));
    }

    /// The lines for the log.
    fn told(self) -> Vec<String> {
        let mut lines = self.lines;
        if self.more > 0 {
            lines.push(format!("and {} more of these", self.more));
        }
        lines
    }
}

/// The last value that a state was given, converted.
struct Given<'a> {
    key: &'a str,
    definition: &'a StateDefinition,
    value: Value,
    /// What is shown, where the plugin says so.
    shown: Option<&'a Value>,
    places: Option<u32>,
    /// Whether it fires no triggers.
    silent: bool,
}

/// Puts values into the states of a device; the changes that fire triggers. The time that
/// it takes grows with what is given and what the device has, not with both multiplied.
fn set(
    old: &Object,
    device: &mut Object,
    given: &[Value],
    complaints: &mut Complaints,
) -> Result<Vec<StateChange>, Failure> {
    let definitions: HashMap<&str, &StateDefinition> = old
        .hidden
        .states
        .iter()
        .rev()
        .map(|it| (it.key.as_str(), it))
        .collect();
    let class = OfClass::new(old);
    // In the order in which keys came first, found by key.
    let mut latest: Vec<Given<'_>> = Vec::new();
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut clear = false;
    for item in given {
        let Some(key) = item.get("key").and_then(Value::as_str) else {
            return Err(Failure::key("a state needs a key"));
        };
        let Some(definition) = definitions.get(key) else {
            let text = || "not defined (ignoring update request)".to_owned();
            complaints.add(old, key, text);
            continue;
        };
        let Some(value) = item.get("value").filter(|value| !value.is_null()) else {
            complaints.add(old, key, || "was given no value".to_owned());
            continue;
        };
        let decimals = item.get("decimalPlaces").and_then(Value::as_i64);
        let decimals = decimals.and_then(|it| u32::try_from(it).ok());
        let Some(value) = taken(&class, definition, value, decimals) else {
            complaints.add(old, key, || {
                let shown = quoted(&value.to_string());
                format!("cannot hold {shown}; it is a {:?}", definition.kind)
            });
            continue;
        };
        let silent = item.get("triggerEvents").and_then(truth) == Some(false);
        clear |= item.get("clearErrorState").and_then(truth) != Some(false);
        let given = Given {
            key,
            definition,
            value,
            shown: item.get("uiValue").filter(|it| !it.is_null()),
            places: decimals,
            silent,
        };
        let place = *places.entry(key).or_insert(latest.len());
        match latest.get_mut(place) {
            Some(earlier) => {
                let silent = earlier.silent || silent;
                *earlier = Given { silent, ..given };
            }
            None => latest.push(given),
        }
    }
    let empty = Map::new();
    let before = old.fields.get("states").and_then(Value::as_object);
    let before = before.unwrap_or(&empty);
    let mut states = match device.fields.get_mut("states").map(Value::take) {
        Some(Value::Object(states)) => states,
        _ => Map::new(),
    };
    let keys: HashSet<&str> = places.into_keys().collect();
    let silent: HashSet<&str> = latest
        .iter()
        .filter(|it| it.silent)
        .map(|it| it.key)
        .collect();
    let own_ui: HashSet<&str> = given
        .iter()
        .filter(|it| it.get("uiValue").is_some_and(|it| !it.is_null()))
        .filter_map(|it| it.get("key").and_then(Value::as_str))
        .collect();
    let mut unlabelled = HashSet::new();
    for given in latest {
        unlabelled.extend(show(given, &mut states));
    }
    if !unlabelled.is_empty() {
        states.retain(|key, _| !unlabelled.contains(key));
    }
    couple(device, &mut states, &keys);
    derive(device.hidden.device, &mut states);
    if let Some((key, label)) = labels(device, &states) {
        let of = key.strip_suffix(".ui").unwrap_or_default();
        let moved = keys.contains(of) || states.get(of) != before.get(of);
        if moved && !own_ui.contains(of) {
            states.insert(key, label);
        }
    }
    if keys.contains("accumEnergyTotal") {
        energy(device, &states);
    }
    if clear && !device.text("errorState").is_empty() {
        device.set("errorState", "");
    }
    let changes: Vec<StateChange> = states
        .iter()
        .filter(|(key, new)| !key.ends_with(".ui") && before.get(*key) != Some(new))
        .map(|(key, new)| StateChange {
            key: key.clone(),
            old: before.get(key).cloned().unwrap_or_default(),
            new: new.clone(),
        })
        .collect();
    if !changes.is_empty() || states != *before {
        device.set("lastChanged", common::now());
    }
    device.set("states", Value::Object(states));
    Ok(changes
        .into_iter()
        .filter(|change| !silent.contains(change.key.as_str()))
        .collect())
}

/// Puts one value in, and what is shown of it; the key of a label that is to go.
fn show(given: Given<'_>, states: &mut Map<String, Value>) -> Option<String> {
    let Given {
        key,
        definition,
        value,
        ..
    } = given;
    let shown = match given.shown {
        Some(shown) => text(shown, None).unwrap_or_default(),
        None => definition.shown(&value, given.places),
    };
    choices(definition, &value, states);
    let plain = text(&value, None).as_deref() == Some(&shown);
    states.insert(key.to_owned(), value);
    let label = format!("{key}.ui");
    // What is shown as it is needs no entry of its own.
    if plain {
        return states.contains_key(&label).then_some(label);
    }
    states.insert(label, Value::from(shown));
    None
}

/// The keys of the states that a device has from its class, looked up when first asked for.
struct OfClass<'a> {
    device: &'a Object,
    keys: OnceCell<HashSet<String>>,
}

impl<'a> OfClass<'a> {
    fn new(device: &'a Object) -> Self {
        Self {
            device,
            keys: OnceCell::new(),
        }
    }

    fn has(&self, key: &str) -> bool {
        let keys = self.keys.get_or_init(|| {
            let empty = Map::new();
            let props = self.device.props(self.device.owner()).unwrap_or(&empty);
            let states = self.device.hidden.device.states(props);
            states.into_iter().map(|it| it.key).collect()
        });
        keys.contains(key)
    }
}

/// A value as a state takes it. A state of the class has its type. A number that the
/// plugin declared itself is what its plugin makes of it: a fraction in a whole number,
/// text in either; the SDK's example does both each second.
fn taken(
    class: &OfClass<'_>,
    definition: &StateDefinition,
    value: &Value,
    places: Option<u32>,
) -> Option<Value> {
    let kept = definition.convert(value, places);
    let number = matches!(
        definition.kind,
        StateType::Integer | StateType::Number | StateType::Real
    );
    let whole =
        definition.kind != StateType::Integer || figure(value).is_none_or(|it| it.fract() == 0.0);
    if !number || (kept.is_some() && whole) {
        return kept;
    }
    if class.has(&definition.key) {
        return kept;
    }
    let real = StateDefinition::new("", StateType::Number);
    let text = StateDefinition::new("", StateType::String);
    let follows = real.convert(value, places);
    follows.or_else(|| text.convert(value, None))
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
mod tests {
    use super::*;
    use crate::device::DeviceClass;
    use crate::object::Hidden;

    fn device(class: DeviceClass, props: Value) -> Object {
        let props = props.as_object().unwrap().clone();
        let list = class.states(&props);
        let states = rebuild(&list, &Map::new());
        let fields = json!({"name": "lamp", "pluginId": "p", "errorState": "off line",
            "globalProps": {"p": props}, "states": states});
        Object {
            id: 1,
            table: TABLE.objects(),
            fields: fields.as_object().unwrap().clone(),
            hidden: Hidden {
                device: class,
                states: list,
                ..Hidden::default()
            },
        }
    }

    fn change(device: &mut Object, given: Value) -> Vec<String> {
        let mut complaints = Complaints::default();
        let old = device.clone();
        let changes = set(&old, device, given.as_array().unwrap(), &mut complaints).unwrap();
        assert!(complaints.lines.is_empty(), "{complaints:?}");
        changes.into_iter().map(|it| it.key).collect()
    }

    #[test]
    fn a_dimmer_is_on_when_it_is_bright() {
        let mut lamp = device(DeviceClass::Dimmer, json!({}));
        let keys = change(&mut lamp, json!([{"key": "brightnessLevel", "value": 40}]));
        assert_eq!(keys, ["onOffState", "brightnessLevel"]);
        assert_eq!(lamp.text("errorState"), "");
        change(&mut lamp, json!([{"key": "onOffState", "value": false}]));
        assert_eq!(lamp.fields["states"]["brightnessLevel"], 0);
        let both =
            json!([{"key": "onOffState", "value": true}, {"key": "brightnessLevel", "value": 0}]);
        change(&mut lamp, both);
        assert_eq!(lamp.fields["states"]["onOffState"], true);
        assert_eq!(lamp.fields["states"]["brightnessLevel"], 0);
    }

    #[test]
    fn an_unknown_state_changes_nothing() {
        let mut lamp = device(DeviceClass::Relay, json!({}));
        let mut complaints = Complaints::default();
        let old = lamp.clone();
        let given = json!([{"key": "nope", "value": 1}]);
        let changes = set(&old, &mut lamp, given.as_array().unwrap(), &mut complaints).unwrap();
        assert!(changes.is_empty() && lamp == old);
        assert!(
            complaints.lines[0].contains("nope not defined"),
            "{complaints:?}"
        );
    }

    #[test]
    fn a_number_of_the_plugins_own_follows_its_value() {
        let mut meter = device(DeviceClass::Relay, json!({}));
        for (key, kind) in [("whole", StateType::Integer), ("any", StateType::Number)] {
            meter.hidden.states.push(StateDefinition::new(key, kind));
            meter.fields["states"][key] = json!(0);
        }
        for (key, given, kept) in [
            ("whole", json!("abc"), json!("abc")),
            ("whole", json!(0.5), json!(0.5)),
            ("whole", json!("7"), json!(7)),
            ("whole", json!(7.0), json!(7)),
            ("any", json!("abc"), json!("abc")),
            ("any", json!(2), json!(2)),
        ] {
            change(&mut meter, json!([{"key": key, "value": given}]));
            assert_eq!(meter.fields["states"][key], kept, "{key} {given}");
        }
    }

    #[test]
    fn a_state_of_the_class_keeps_its_type() {
        let mut fan = device(DeviceClass::SpeedControl, json!({}));
        let mut complaints = Complaints::default();
        let old = fan.clone();
        let given = json!([{"key": "speedIndex", "value": "abc"}]);
        set(&old, &mut fan, given.as_array().unwrap(), &mut complaints).unwrap();
        assert!(
            complaints.lines[0].contains("cannot hold"),
            "{complaints:?}"
        );
        change(&mut fan, json!([{"key": "speedIndex", "value": 1.5}]));
        assert_eq!(fan.fields["states"]["speedIndex"], 1);
    }

    #[test]
    fn an_energy_total_of_zero_starts_its_time_anew() {
        let mut meter = device(DeviceClass::Relay, json!({"SupportsEnergyMeter": true}));
        meter.set("energyAccumBaseTime", "2020-01-01T00:00:00");
        meter.set("energyAccumTimeDelta", Value::Null);
        change(
            &mut meter,
            json!([{"key": "accumEnergyTotal", "value": 1.5}]),
        );
        assert_eq!(meter.text("energyAccumBaseTime"), "2020-01-01T00:00:00");
        assert!(meter.number("energyAccumTimeDelta") > 86_400);
        change(&mut meter, json!([{"key": "accumEnergyTotal", "value": 0}]));
        assert_ne!(meter.text("energyAccumBaseTime"), "2020-01-01T00:00:00");
        assert!(meter.number("energyAccumTimeDelta") < 86_400);
    }

    #[test]
    fn silent_updates_fire_no_triggers() {
        let mut lamp = device(DeviceClass::Relay, json!({}));
        let given = json!([{"key": "onOffState", "value": true, "triggerEvents": false}]);
        assert!(change(&mut lamp, given).is_empty());
        assert_eq!(lamp.fields["states"]["onOffState"], true);
    }

    #[test]
    fn the_modes_of_a_thermostat_follow() {
        let props = json!({"SupportsHvacOperationMode": true, "NumTemperatureInputs": 2});
        let mut thermostat = device(DeviceClass::Thermostat, props);
        let given = json!([{"key": "hvacOperationMode", "value": "Heat"},
            {"key": "temperatureInput2", "value": 20.5}]);
        change(&mut thermostat, given);
        let states = &thermostat.fields["states"];
        assert_eq!(states["hvacOperationModeIsHeat"], true);
        assert_eq!(states["hvacOperationModeIsOff"], false);
        assert_eq!(states["temperatureInputsAll"], "0, 20.5");
    }

    #[test]
    fn the_zones_of_a_sprinkler_follow() {
        let mut sprinkler = device(DeviceClass::Sprinkler, json!({"NumZones": 3}));
        change(&mut sprinkler, json!([{"key": "activeZone", "value": 2}]));
        let states = &sprinkler.fields["states"];
        assert_eq!(
            (&states["zone1"], &states["zone2"]),
            (&json!(false), &json!(true))
        );
    }

    #[test]
    fn level_and_index_of_a_fan_follow_one_another() {
        let mut fan = device(DeviceClass::SpeedControl, json!({}));
        change(&mut fan, json!([{"key": "speedIndex", "value": 3}]));
        assert_eq!(fan.fields["states"]["speedLevel"], 100);
        assert_eq!(fan.fields["states"]["onOffState"], true);
        change(&mut fan, json!([{"key": "speedLevel", "value": 10}]));
        assert_eq!(fan.fields["states"]["speedIndex"], 1);
        change(&mut fan, json!([{"key": "onOffState", "value": false}]));
        assert_eq!(fan.fields["states"]["speedIndex"], 0);
    }
}
