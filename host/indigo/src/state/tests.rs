//! Tests of states.

use super::*;
use serde_json::json;

#[test]
fn a_value_is_kept_in_the_type_of_its_state() {
    let converted = |kind, value: Value| StateDefinition::new("k", kind).convert(&value, None);
    assert_eq!(
        converted(StateType::Integer, json!("12.7")),
        Some(json!(12))
    );
    assert_eq!(converted(StateType::Real, json!(3)), Some(json!(3.0)));
    assert_eq!(converted(StateType::Number, json!("3")), Some(json!(3)));
    assert_eq!(converted(StateType::Number, json!("-")), None);
    assert_eq!(
        converted(StateType::BoolOnOff, json!("On")),
        Some(json!(true))
    );
    assert_eq!(converted(StateType::String, json!(1.5)), Some(json!("1.5")));
    assert_eq!(converted(StateType::String, json!({})), None);
    assert_eq!(converted(StateType::Integer, json!(1e300)), None);
}

#[test]
fn decimal_places_round_what_is_kept_and_what_is_shown() {
    let state = StateDefinition::new("k", StateType::Number);
    let value = state.convert(&json!(21.4567), Some(1)).unwrap();
    assert_eq!(value, json!(21.5));
    assert_eq!(state.shown(&json!(21.0), Some(1)), "21.0");
    assert_eq!(state.convert(&json!(21.4567), Some(0)), Some(json!(21)));
}

#[test]
fn a_new_list_keeps_the_values_that_still_fit() {
    let old = json!({"a": 5, "a.ui": "5 W", "b": "x", "gone": 1});
    let list = [
        StateDefinition::new("a", StateType::Integer),
        StateDefinition::new("b", StateType::Integer),
        StateDefinition::new("c", StateType::BoolTrueFalse),
    ];
    let states = rebuild(&list, old.as_object().unwrap());
    assert_eq!(
        Value::Object(states),
        json!({"a": 5, "a.ui": "5 W", "b": 0, "c": false})
    );
}

#[test]
fn the_sum_is_no_less_than_what_is_built() {
    let mut state = StateDefinition::new("k".repeat(200), StateType::Enumeration);
    state.default_value = "v3".to_owned();
    for number in 0..500 {
        state.options.push(Choice {
            value: format!("v{number}"),
            label: "x".to_owned(),
        });
    }
    let plain = StateDefinition::new("plain", StateType::String);
    let list = [state, plain];
    let sum = Sum::of(&list);
    let states = Value::Object(rebuild(&list, &Map::new()));
    let text = serde_json::to_string(&list).unwrap().len() + states.to_string().len();
    // Names of members are in the store as well, the same for every state and choice.
    assert!(sum.kept * 2 > count(text), "{sum:?} {text}");
    let memory = super::super::bounds::footprint(&states);
    assert!(sum.built > memory + count(text), "{sum:?} {memory}");
    assert!(sum.built < 4 * (memory + count(text)), "{sum:?} {memory}");
}

#[test]
fn an_enumeration_has_a_truth_value_for_each_word() {
    let mut state = StateDefinition::new("mode", StateType::Enumeration);
    for word in ["heat", "cool"] {
        state.options.push(Choice {
            value: word.to_owned(),
            label: word.to_uppercase(),
        });
    }
    let old = json!({"mode": "cool"});
    let states = rebuild(std::slice::from_ref(&state), old.as_object().unwrap());
    assert_eq!(
        Value::Object(states),
        json!({"mode": "cool", "mode.heat": false, "mode.cool": true})
    );
    assert_eq!(state.shown(&json!("cool"), None), "COOL");
}
