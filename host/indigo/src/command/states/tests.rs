//! Tests of values that are put into states.

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
