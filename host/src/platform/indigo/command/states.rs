//! What a plugin says about its own devices: states, error, image, list of states.

use jiff::Zoned;
use jiff::civil::DateTime;
use serde_json::{Map, Value, json};

use super::{Context, common};
use crate::log::Level;
use crate::platform::indigo::change::StateChange;
use crate::platform::indigo::device::{DeviceClass, FAN_MODES, HVAC_MODES, count};
use crate::platform::indigo::failure::Failure;
use crate::platform::indigo::object::Object;
use crate::platform::indigo::state::{
    StateDefinition, StateType, choices, figure, rebuild, text, truth,
};
use crate::platform::indigo::table::Collection;
use crate::platform::indigo::view::SPEEDS;

const TABLE: Collection = Collection::Devices;

/// Most states that a plugin may give a device.
const MOST: usize = 1000;

pub(super) async fn run(context: &Context<'_>, command: &str) -> Result<Value, Failure> {
    let changed = match command {
        "updateStatesOnServer" => return update(context).await,
        "updateStateImageOnServer" => {
            let image = context.arguments.needed_text("value")?.to_owned();
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.set("displayStateImageSel", image);
                    Ok(())
                })
                .await?
        }
        "setErrorStateOnServer" => {
            let message = context.arguments.text("message")?.unwrap_or("").to_owned();
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.set("errorState", message);
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
            let given = context.arguments.given("stateList").cloned();
            let display = context.arguments.text("displayStateId")?.map(str::to_owned);
            let list = given.map(definitions).transpose()?;
            context
                .change(TABLE.objects(), |device| {
                    context.owns(device)?;
                    device.hidden.own_states = list;
                    device.hidden.own_display = display;
                    settle(context, device);
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
    if list.len() > MOST {
        return Err(Failure::value(format!(
            "a device has {MOST} states at most"
        )));
    }
    Ok(list)
}

/// What follows from the properties of the owner: address, version, the list of states.
pub(super) fn settle_props(context: &Context<'_>, device: &mut Object) {
    for key in ["address", "version"] {
        let value = device.owner_prop(key).and_then(|value| text(value, None));
        device.set(key, value.unwrap_or_default());
    }
    settle(context, device);
}

/// Builds the states of a device anew, from its class, its type and what its plugin
/// said about them.
pub(super) fn settle(context: &Context<'_>, device: &mut Object) {
    let props = device.props(device.owner()).cloned().unwrap_or_default();
    let plugin = context.server.plugin(device.owner());
    let declared = plugin.as_ref().and_then(|plugin| {
        let devices = &plugin.bundle.definitions.devices;
        devices.find(device.text("deviceTypeId"))
    });
    let mut list = device.hidden.device.states(&props);
    let own = match (&device.hidden.own_states, declared) {
        (Some(own), _) => own.clone(),
        (None, Some(declared)) => declared.states.iter().map(Into::into).collect(),
        // The plugin is away: what it had stays.
        (None, None) => device.hidden.states.clone(),
    };
    for state in own {
        if state.key.is_empty() {
            continue;
        }
        // A state of the class keeps its type and takes the plugin's labels.
        match list.iter_mut().find(|it| it.key == state.key) {
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
}

async fn update(context: &Context<'_>) -> Result<Value, Failure> {
    let given: Vec<Value> = context.arguments.list("states")?.to_vec();
    let reference = context.arguments.subject()?;
    let mut complaints = Vec::new();
    let edited = context.server.edit(context.caller, |edit| {
        let old = edit.database().get(TABLE.objects(), &reference)?;
        context.owns(old)?;
        let mut device = Object::clone(old);
        let changes = set(&mut device, &given, &mut complaints)?;
        edit.update(device, changes)
    });
    let changed = edited.await;
    if let Some(plugin) = context.caller.plugin() {
        for complaint in complaints {
            plugin.log.plugin(false, Level::Error, &complaint);
        }
    }
    let device = changed?;
    Ok(device.fields.get("states").cloned().unwrap_or_default())
}

/// Puts values into the states of a device; the changes that fire triggers.
fn set(
    device: &mut Object,
    given: &[Value],
    complaints: &mut Vec<String>,
) -> Result<Vec<StateChange>, Failure> {
    let name = device.name().to_owned();
    let before = match device.fields.get("states") {
        Some(Value::Object(states)) => states.clone(),
        _ => Map::new(),
    };
    let mut states = before.clone();
    let mut silent = Vec::new();
    let mut keys: Vec<&str> = Vec::new();
    let mut clear = false;
    for item in given {
        let Some(key) = item.get("key").and_then(Value::as_str) else {
            return Err(Failure::key("a state needs a key"));
        };
        let Some(definition) = device.hidden.states.iter().find(|it| it.key == key) else {
            complaints.push(format!(
                "device \"{name}\" state key {key} not defined (ignoring update request)"
            ));
            continue;
        };
        let Some(value) = item.get("value").filter(|value| !value.is_null()) else {
            complaints.push(format!(
                "device \"{name}\" state key {key} was given no value"
            ));
            continue;
        };
        let places = item.get("decimalPlaces").and_then(Value::as_i64);
        let places = places.and_then(|it| u32::try_from(it).ok());
        let Some(value) = taken(device, definition, value, places) else {
            complaints.push(format!(
                "device \"{name}\" state key {key} cannot hold {value}; it is a {:?}",
                definition.kind
            ));
            continue;
        };
        let shown = item.get("uiValue").filter(|it| !it.is_null());
        let shown = match shown {
            Some(shown) => text(shown, None).unwrap_or_default(),
            None => definition.shown(&value, places),
        };
        choices(definition, &value, &mut states);
        let plain = text(&value, None).as_deref() == Some(&shown);
        states.insert(key.to_owned(), value);
        let label = format!("{key}.ui");
        // What is shown as it is needs no entry of its own.
        if plain {
            states.shift_remove(&label);
        } else {
            states.insert(label, Value::from(shown));
        }
        if item.get("triggerEvents").and_then(truth) == Some(false) {
            silent.push(key.to_owned());
        }
        clear |= item.get("clearErrorState").and_then(truth) != Some(false);
        keys.push(key);
    }
    couple(device, &mut states, &keys);
    derive(device.hidden.device, &mut states);
    if let Some((key, label)) = labels(device, &states) {
        let of = key.strip_suffix(".ui").unwrap_or_default();
        let own = given.iter().any(|it| {
            it.get("key").and_then(Value::as_str) == Some(of)
                && it.get("uiValue").is_some_and(|it| !it.is_null())
        });
        let moved = keys.contains(&of) || states.get(of) != before.get(of);
        if moved && !own {
            states.insert(key, label);
        }
    }
    if keys.contains(&"accumEnergyTotal") {
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
    if !changes.is_empty() || states != before {
        device.set("lastChanged", common::now());
        device.set("states", Value::Object(states));
    }
    Ok(changes
        .into_iter()
        .filter(|change| !silent.contains(&change.key))
        .collect())
}

/// A value as a state takes it. A state of the class has its type. A number that the
/// plugin declared itself is what its plugin makes of it: a fraction in a whole number,
/// text in either; the SDK's example does both each second.
fn taken(
    device: &Object,
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
    let props = device.props(device.owner()).cloned().unwrap_or_default();
    let states = device.hidden.device.states(&props);
    if states.iter().any(|it| it.key == definition.key) {
        return kept;
    }
    let real = StateDefinition::new("", StateType::Number);
    let text = StateDefinition::new("", StateType::String);
    let follows = real.convert(value, places);
    follows.or_else(|| text.convert(value, None))
}

/// States that belong together follow one another, unless both were set.
fn couple(device: &Object, states: &mut Map<String, Value>, keys: &[&str]) {
    let has = |key: &str| keys.contains(&key);
    let number = |states: &Map<String, Value>, key: &str| states.get(key).and_then(figure);
    match device.hidden.device {
        DeviceClass::Dimmer if has("brightnessLevel") && !has("onOffState") => {
            let on = number(states, "brightnessLevel").is_some_and(|it| it > 0.0);
            states.insert("onOffState".to_owned(), Value::from(on));
        }
        DeviceClass::Dimmer if has("onOffState") && !has("brightnessLevel") => {
            let on = states.get("onOffState").and_then(truth) == Some(true);
            let level = number(states, "brightnessLevel").unwrap_or(0.0);
            if !on {
                states.insert("brightnessLevel".to_owned(), Value::from(0));
            } else if level <= 0.0 {
                states.insert("brightnessLevel".to_owned(), Value::from(100));
            }
        }
        DeviceClass::SpeedControl => speed(device, states, keys),
        _ => {}
    }
}

/// Index, level and whether it runs, of a speed control.
fn speed(device: &Object, states: &mut Map<String, Value>, keys: &[&str]) {
    let has = |key: &str| keys.contains(&key);
    let count = device.owner_prop("SpeedIndexCount").and_then(figure);
    let top = count.unwrap_or(f64::from(SPEEDS)).clamp(2.0, 64.0).floor() - 1.0;
    let number = |states: &Map<String, Value>, key: &str| states.get(key).and_then(figure);
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
    let whole = |value: f64| Value::from(value.clamp(0.0, 100.0) as i64);
    if has("speedIndex") && !has("speedLevel") {
        let index = number(states, "speedIndex").unwrap_or(0.0);
        states.insert(
            "speedLevel".to_owned(),
            whole((index / top * 100.0).round()),
        );
    } else if has("speedLevel") && !has("speedIndex") {
        let level = number(states, "speedLevel").unwrap_or(0.0);
        states.insert("speedIndex".to_owned(), whole((level / 100.0 * top).ceil()));
    } else if has("onOffState") && !has("speedIndex") {
        if states.get("onOffState").and_then(truth) != Some(true) {
            states.insert("speedIndex".to_owned(), Value::from(0));
            states.insert("speedLevel".to_owned(), Value::from(0));
        }
        return;
    }
    if !has("onOffState") && (has("speedIndex") || has("speedLevel")) {
        let on = number(states, "speedIndex").is_some_and(|it| it > 0.0);
        states.insert("onOffState".to_owned(), Value::from(on));
    }
}

/// What a speed or a zone is called, where its plugin has no word for it.
fn labels(device: &Object, states: &Map<String, Value>) -> Option<(String, Value)> {
    let number = |key: &str| states.get(key).and_then(figure);
    let (key, label) = match device.hidden.device {
        DeviceClass::SpeedControl => {
            let props = device.props(device.owner());
            let count = props.map_or(SPEEDS, |it| count(it, "SpeedIndexCount", SPEEDS));
            let index = number("speedIndex")?;
            let name = ["off", "low", "medium", "high"]
                .into_iter()
                .zip(0_u32..)
                .find(|(_, at)| count == 4 && f64::from(*at) == index);
            let label = name.map_or_else(|| index.to_string(), |(name, _)| name.to_owned());
            ("speedIndex.ui", label)
        }
        DeviceClass::Sprinkler => {
            let zone = number("activeZone")?;
            let names = device.owner_prop("ZoneNames").and_then(Value::as_str);
            let mut names = names.unwrap_or_default().split(',').zip(1_u32..);
            let name = names.find(|(_, at)| f64::from(*at) == zone);
            let name = name
                .map(|(name, _)| name.trim())
                .filter(|it| !it.is_empty());
            let label = match name {
                _ if zone <= 0.0 => "all zones off".to_owned(),
                Some(name) => name.to_owned(),
                None => format!("zone {zone}"),
            };
            ("activeZone.ui", label)
        }
        _ => return None,
    };
    Some((key.to_owned(), Value::from(label)))
}

/// The time that an energy total goes back to. A total of zero starts it anew.
fn energy(device: &mut Object, states: &Map<String, Value>) {
    let total = states.get("accumEnergyTotal").and_then(figure);
    let base = device.text("energyAccumBaseTime").parse::<DateTime>().ok();
    let now = Zoned::now().datetime();
    let base = match (total, base) {
        (Some(total), Some(base)) if total > 0.0 => base,
        _ => {
            device.set("energyAccumBaseTime", common::now());
            now
        }
    };
    let seconds = now.duration_since(base).as_secs().max(0);
    device.set("energyAccumTimeDelta", seconds);
}

/// States that nobody sets, because they follow from others.
fn derive(class: DeviceClass, states: &mut Map<String, Value>) {
    match class {
        DeviceClass::Thermostat => {
            for (modes, key) in [
                (&HVAC_MODES[..], "hvacOperationMode"),
                (&FAN_MODES[..], "hvacFanMode"),
            ] {
                let mode = states.get(key).cloned();
                for (derived, member) in modes {
                    if let Some(state) = states.get_mut(*derived) {
                        *state = Value::from(mode.as_ref().and_then(Value::as_str) == Some(member));
                    }
                }
            }
            join(states, "temperatureInput");
            join(states, "humidityInput");
        }
        DeviceClass::Sprinkler => {
            let active = states.get("activeZone").and_then(figure).unwrap_or(0.0);
            for number in 1..=64_u32 {
                let Some(zone) = states.get_mut(&format!("zone{number}")) else {
                    break;
                };
                *zone = Value::from((active - f64::from(number)).abs() < 0.5);
            }
        }
        DeviceClass::MultiIo => {
            for key in ["analogInput", "binaryInput", "sensorInput", "binaryOutput"] {
                join(states, key);
            }
        }
        _ => {}
    }
}

/// `KEYsAll`: the values of `KEY1`, `KEY2` and so on by comma.
fn join(states: &mut Map<String, Value>, key: &str) {
    let all = format!("{key}sAll");
    if !states.contains_key(&all) {
        return;
    }
    let values = (1..=64_u32).map_while(|number| {
        let value = states.get(&format!("{key}{number}"))?;
        text(value, None)
    });
    let joined = values.collect::<Vec<_>>().join(", ");
    states.insert(all, Value::from(joined));
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
    let step = crate::platform::indigo::action::Step::new("indigo.UniversalAction", fields);
    context.act(step)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::platform::indigo::object::Hidden;

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
        let mut complaints = Vec::new();
        let changes = set(device, given.as_array().unwrap(), &mut complaints).unwrap();
        assert!(complaints.is_empty(), "{complaints:?}");
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
        let mut complaints = Vec::new();
        let given = json!([{"key": "nope", "value": 1}]);
        let changes = set(&mut lamp, given.as_array().unwrap(), &mut complaints).unwrap();
        assert!(changes.is_empty());
        assert!(complaints[0].contains("nope not defined"), "{complaints:?}");
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
        let mut complaints = Vec::new();
        let given = json!([{"key": "speedIndex", "value": "abc"}]);
        set(&mut fan, given.as_array().unwrap(), &mut complaints).unwrap();
        assert!(complaints[0].contains("cannot hold"), "{complaints:?}");
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
