//! What changed between two JSON objects, as the list that the Python package dictdiffer
//! makes of two dictionaries: clients of the original apply it with that package or with
//! its JavaScript twin.
//!
//! An entry is `["change", PATH, [OLD, NEW]]`, `["add", PATH, [[KEY, VALUE], ...]]` or
//! `["remove", PATH, [[KEY, VALUE], ...]]`. A path is text with full stops between keys,
//! or a list where a key is no simple text or is a place in a list; the empty text is the
//! object itself.
//!
//! Each entry has its whole path, so many small changes deep in an object may take far more
//! room than the object. Room is counted before an entry is made: where the entries of an
//! attribute would take several times as much as the attribute before and after, there is
//! one entry that changes the attribute. A patch therefore grows with the two objects and no faster.

use serde_json::{Map, Value, json};

use crate::bounds::{count, footprint};

/// Bytes that the entries of an attribute may always take.
const FREE: u64 = 64 << 10;

/// How many times the room of an attribute its entries may take: small values take less
/// than what is reckoned for them.
const TIMES: u64 = 4;

/// Bytes of an entry beside its path and its values: the lists that it is made of.
const ENTRY: u64 = 384;

/// One step into an object.
#[derive(Clone)]
enum Step {
    Key(String),
    Place(usize),
}

impl Step {
    /// Bytes in a path.
    fn size(&self) -> u64 {
        let text = match self {
            Self::Key(key) => key.len(),
            Self::Place(_) => 0,
        };
        count(text.saturating_add(size_of::<Value>()))
    }
}

/// The entries of an attribute take too much more room than the attribute.
struct Longer;

/// A patch in the making.
#[derive(Default)]
struct Patch {
    entries: Vec<Value>,
    path: Vec<Step>,
    /// Bytes of the path.
    length: u64,
    /// Bytes that further entries may take.
    left: u64,
}

/// The entries that make `new` of `old`.
pub(super) fn patch(old: &Value, new: &Value) -> Vec<Value> {
    let mut patch = Patch {
        // What is here is no longer than the objects themselves.
        left: u64::MAX,
        ..Patch::default()
    };
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        if old != new {
            // There is room without end.
            let _ = patch.change(old, new);
        }
        return patch.entries;
    };
    for (key, before) in old {
        if let Some(after) = new.get(key).filter(|after| *after != before) {
            patch.attribute(key, before, after);
        }
    }
    let _ = patch.added_and_removed(old, new);
    patch.entries
}

impl Patch {
    /// The entries of one attribute, or one entry that changes it.
    fn attribute(&mut self, key: &str, old: &Value, new: &Value) {
        let begun = self.entries.len();
        let whole = footprint(old).saturating_add(footprint(new));
        self.left = whole.saturating_mul(TIMES).max(FREE);
        let step = Step::Key(key.to_owned());
        let detailed = self.below(step.clone(), |it| it.compare(old, new));
        self.left = u64::MAX;
        if detailed.is_err() {
            self.entries.truncate(begun);
            let _ = self.below(step, |it| it.change(old, new));
        }
    }

    /// Does something one step further in.
    fn below(
        &mut self,
        step: Step,
        work: impl FnOnce(&mut Self) -> Result<(), Longer>,
    ) -> Result<(), Longer> {
        let size = step.size();
        self.length = self.length.saturating_add(size);
        self.path.push(step);
        let done = work(self);
        self.path.pop();
        self.length = self.length.saturating_sub(size);
        done
    }

    fn compare(&mut self, old: &Value, new: &Value) -> Result<(), Longer> {
        match (old, new) {
            (Value::Object(old), Value::Object(new)) => self.objects(old, new),
            (Value::Array(old), Value::Array(new)) => self.arrays(old, new),
            _ if old == new => Ok(()),
            _ => self.change(old, new),
        }
    }

    fn objects(
        &mut self,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> Result<(), Longer> {
        for (key, before) in old {
            if let Some(after) = new.get(key) {
                self.below(Step::Key(key.clone()), |it| it.compare(before, after))?;
            }
        }
        self.added_and_removed(old, new)
    }

    fn added_and_removed(
        &mut self,
        old: &Map<String, Value>,
        new: &Map<String, Value>,
    ) -> Result<(), Longer> {
        fn missing<'a>(
            from: &'a Map<String, Value>,
            other: &'a Map<String, Value>,
        ) -> impl Iterator<Item = (&'a String, &'a Value)> + Clone {
            from.iter().filter(|(key, _)| !other.contains_key(*key))
        }
        let size =
            |(key, value): (&String, &Value)| count(key.len()).saturating_add(footprint(value));
        let pair = |(key, value): (&String, &Value)| json!([key, value]);
        for (what, pairs) in [("add", missing(new, old)), ("remove", missing(old, new))] {
            self.take(pairs.clone().map(size))?;
            self.listed(what, pairs.map(pair).collect());
        }
        Ok(())
    }

    fn arrays(&mut self, old: &[Value], new: &[Value]) -> Result<(), Longer> {
        for (place, (before, after)) in old.iter().zip(new).enumerate() {
            self.below(Step::Place(place), |it| it.compare(before, after))?;
        }
        let common = old.len().min(new.len());
        let pair = |(place, value): (usize, &Value)| json!([place, value]);
        let tail = |values: &'_ [Value]| -> Vec<Value> {
            values.iter().enumerate().skip(common).map(pair).collect()
        };
        self.take(new.iter().skip(common).map(footprint))?;
        self.listed("add", tail(new));
        self.take(old.iter().skip(common).map(footprint))?;
        let mut gone = tail(old);
        // From the end on, so that places stay right while they are removed.
        gone.reverse();
        self.listed("remove", gone);
        Ok(())
    }

    /// An entry for one value.
    fn change(&mut self, old: &Value, new: &Value) -> Result<(), Longer> {
        self.take([footprint(old), footprint(new)].into_iter())?;
        let entry = json!(["change", self.path_value(), [old, new]]);
        self.entries.push(entry);
        Ok(())
    }

    /// An entry for what is there on one side only.
    fn listed(&mut self, what: &str, pairs: Vec<Value>) {
        if !pairs.is_empty() {
            let entry = json!([what, self.path_value(), pairs]);
            self.entries.push(entry);
        }
    }

    /// Finds room for an entry with values of these sizes; none is needed without values.
    fn take(&mut self, sizes: impl Iterator<Item = u64>) -> Result<(), Longer> {
        let entry = ENTRY.saturating_add(self.length);
        let mut needed = 0_u64;
        for size in sizes {
            if needed == 0 {
                needed = entry;
            }
            needed = needed.saturating_add(size);
            if needed > self.left {
                return Err(Longer);
            }
        }
        self.left = self.left.saturating_sub(needed);
        Ok(())
    }

    fn path_value(&self) -> Value {
        let simple = self.path.iter().all(|step| match step {
            Step::Key(key) => !key.contains('.'),
            Step::Place(_) => false,
        });
        if simple {
            let keys: Vec<&str> = self
                .path
                .iter()
                .filter_map(|step| match step {
                    Step::Key(key) => Some(key.as_str()),
                    Step::Place(_) => None,
                })
                .collect();
            return Value::from(keys.join("."));
        }
        self.path
            .iter()
            .map(|step| match step {
                Step::Key(key) => Value::from(key.as_str()),
                Step::Place(place) => Value::from(*place),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Many changes below one long key, and below many steps.
    #[test]
    fn a_patch_grows_with_the_objects_and_no_faster() {
        let long =
            |key: &str, value: i32| json!({"props": {key: vec![value; 4000]}, "name": value});
        let key = "k".repeat(200_000);
        let (old, new) = (long(&key, 0), long(&key, 1));
        let entries = patch(&old, &new);
        let whole = json!([
            ["change", "props", [old["props"], new["props"]]],
            ["change", "name", [0, 1]]
        ]);
        assert_eq!(Value::Array(entries), whole);
        let deep = |value: i32| {
            let leaf = Value::from(vec![value; 4000]);
            let nested = (0..60).fold(leaf, |inner, _| json!({"k.": inner}));
            json!({ "props": nested })
        };
        let (old, new) = (deep(0), deep(1));
        assert_eq!(patch(&old, &new).len(), 1);
        // As it is for most: the key of a state is short.
        let states = |value: i32| -> Value {
            let states = (0..200).map(|n| (format!("state{n}"), json!(value)));
            json!({"states": states.collect::<Map<_, _>>()})
        };
        assert_eq!(patch(&states(0), &states(1)).len(), 200);
    }

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
