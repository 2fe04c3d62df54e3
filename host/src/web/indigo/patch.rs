//! What changed between two JSON objects, as the list that the Python package dictdiffer
//! makes of two dictionaries: clients of the original apply it with that package or with
//! its JavaScript twin.
//!
//! An entry is `["change", PATH, [OLD, NEW]]`, `["add", PATH, [[KEY, VALUE], ...]]` or
//! `["remove", PATH, [[KEY, VALUE], ...]]`. A path is text with full stops between keys,
//! or a list where a key is no simple text or is a place in a list; the empty text is the
//! object itself.

use serde_json::{Map, Value, json};

/// One step into an object.
#[derive(Clone)]
enum Step {
    Key(String),
    Place(usize),
}

/// The entries that make `new` of `old`.
pub(super) fn patch(old: &Value, new: &Value) -> Vec<Value> {
    let mut entries = Vec::new();
    compare(old, new, &mut Vec::new(), &mut entries);
    entries
}

fn compare(old: &Value, new: &Value, path: &mut Vec<Step>, entries: &mut Vec<Value>) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => objects(old, new, path, entries),
        (Value::Array(old), Value::Array(new)) => arrays(old, new, path, entries),
        _ if old == new => {}
        _ => entries.push(json!(["change", path_value(path), [old, new]])),
    }
}

fn objects(
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    path: &mut Vec<Step>,
    entries: &mut Vec<Value>,
) {
    for (key, before) in old {
        if let Some(after) = new.get(key) {
            path.push(Step::Key(key.clone()));
            compare(before, after, path, entries);
            path.pop();
        }
    }
    let missing = |from: &Map<String, Value>, other: &Map<String, Value>| {
        let pairs = from.iter().filter(|(key, _)| !other.contains_key(*key));
        pairs.map(|(key, value)| json!([key, value])).collect()
    };
    listed("add", missing(new, old), path, entries);
    listed("remove", missing(old, new), path, entries);
}

fn arrays(old: &[Value], new: &[Value], path: &mut Vec<Step>, entries: &mut Vec<Value>) {
    for (place, (before, after)) in old.iter().zip(new).enumerate() {
        path.push(Step::Place(place));
        compare(before, after, path, entries);
        path.pop();
    }
    let common = old.len().min(new.len());
    let tail = |values: &[Value]| -> Vec<Value> {
        let places = values.iter().enumerate().skip(common);
        places.map(|(place, value)| json!([place, value])).collect()
    };
    listed("add", tail(new), path, entries);
    let mut gone = tail(old);
    // From the end on, so that places stay right while they are removed.
    gone.reverse();
    listed("remove", gone, path, entries);
}

fn listed(what: &str, pairs: Vec<Value>, path: &[Step], entries: &mut Vec<Value>) {
    if !pairs.is_empty() {
        entries.push(json!([what, path_value(path), pairs]));
    }
}

fn path_value(path: &[Step]) -> Value {
    let simple = path.iter().all(|step| match step {
        Step::Key(key) => !key.contains('.'),
        Step::Place(_) => false,
    });
    if simple {
        let keys: Vec<&str> = path
            .iter()
            .filter_map(|step| match step {
                Step::Key(key) => Some(key.as_str()),
                Step::Place(_) => None,
            })
            .collect();
        return Value::from(keys.join("."));
    }
    path.iter()
        .map(|step| match step {
            Step::Key(key) => Value::from(key.as_str()),
            Step::Place(place) => Value::from(*place),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_documented_patch_comes_out() {
        let old =
            json!({"brightness": 100, "states": {"brightnessLevel": 100, "onOffState": true}});
        let new = json!({"brightness": 0, "states": {"brightnessLevel": 0, "onOffState": false}});
        let expected = json!([
            ["change", "brightness", [100, 0]],
            ["change", "states.brightnessLevel", [100, 0]],
            ["change", "states.onOffState", [true, false]]
        ]);
        assert_eq!(Value::Array(patch(&old, &new)), expected);
    }

    #[test]
    fn keys_that_come_and_go() {
        let old = json!({"a": {"x": 1}, "b": [1, 2, 3], "c.d": 1, "e": null});
        let new = json!({"a": {"y": 2}, "b": [1], "c.d": 2, "f": {}, "e": {}});
        let expected = json!([
            ["add", "a", [["y", 2]]],
            ["remove", "a", [["x", 1]]],
            ["remove", "b", [[2, 3], [1, 2]]],
            ["change", ["c.d"], [1, 2]],
            ["change", "e", [null, {}]],
            ["add", "", [["f", {}]]]
        ]);
        assert_eq!(Value::Array(patch(&old, &new)), expected);
        let longer = patch(&json!({"b": [1]}), &json!({"b": [2, 3]}));
        let expected = json!([["change", ["b", 0], [1, 2]], ["add", "b", [[1, 3]]]]);
        assert_eq!(Value::Array(longer), expected);
        assert!(patch(&new, &new).is_empty());
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (0i64..4).prop_map(Value::from),
            "[a-c.]{0,2}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 20, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
                proptest::collection::btree_map("[a-c.]{1,2}", inner, 0..4)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    /// Applies a patch as a client does.
    fn apply(value: &mut Value, patch: &[Value]) {
        for entry in patch {
            let steps: Vec<Value> = match &entry[1] {
                Value::String(text) if text.is_empty() => Vec::new(),
                Value::String(text) => text.split('.').map(Value::from).collect(),
                Value::Array(steps) => steps.clone(),
                other => panic!("{other}"),
            };
            let mut at = &mut *value;
            for step in &steps {
                at = match step {
                    Value::String(key) => at.get_mut(key.as_str()).unwrap(),
                    place => at
                        .get_mut(usize::try_from(place.as_u64().unwrap()).unwrap())
                        .unwrap(),
                };
            }
            match entry[0].as_str().unwrap() {
                "change" => *at = entry[2][1].clone(),
                "add" => {
                    for pair in entry[2].as_array().unwrap() {
                        match at {
                            Value::Array(list) => list.push(pair[1].clone()),
                            Value::Object(map) => {
                                map.insert(pair[0].as_str().unwrap().to_owned(), pair[1].clone());
                            }
                            other => panic!("{other}"),
                        }
                    }
                }
                _ => {
                    for pair in entry[2].as_array().unwrap() {
                        match at {
                            Value::Array(list) => {
                                list.remove(usize::try_from(pair[0].as_u64().unwrap()).unwrap());
                            }
                            Value::Object(map) => {
                                map.shift_remove(pair[0].as_str().unwrap());
                            }
                            other => panic!("{other}"),
                        }
                    }
                }
            }
        }
    }

    proptest! {
        #[test]
        fn a_patch_makes_the_new_of_the_old(old in values(), new in values()) {
            let (old, new) = (json!({"v": old}), json!({"v": new}));
            let mut patched = old.clone();
            apply(&mut patched, &patch(&old, &new));
            prop_assert_eq!(patched, new);
        }
    }
}
