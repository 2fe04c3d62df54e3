//! The keys of properties and of preferences: which may be set, and which can be kept.
//!
//! The server's own format has each key as the tag of an element. A key that is refused is the
//! fault of whoever sets it; a key that is there already keeps no other entry from being saved.

use std::fmt;

use serde_json::{Map, Value};

use super::bounds::{PROPERTY, quoted, short};
use super::failure::Failure;

/// How many of the entries that were left out are named.
const NAMED: usize = 5;

/// Refuses properties with keys that the server's own format cannot hold: they must be XML names. A
/// key must also be short, because a message about a change repeats it before each value below it.
///
/// # Errors
///
/// The first such key.
pub fn check_keys(map: &Map<String, Value>) -> Result<(), Failure> {
    for (key, value) in map {
        short("a key of a property", key, PROPERTY)?;
        if !is_property(key) {
            let key = quoted(key);
            return Err(Failure::value(format!(
                "LowLevelBadParameterError: '{key}' is no valid key; it must begin with a letter \
                 but not with xml, and hold only ASCII letters, digits and _ - . :"
            )));
        }
        check_nested(value)?;
    }
    Ok(())
}

fn check_nested(value: &Value) -> Result<(), Failure> {
    match value {
        Value::Object(map) => check_keys(map),
        Value::Array(items) => items.iter().try_for_each(check_nested),
        _ => Ok(()),
    }
}

/// Whether a plugin may send a property with this key.
#[must_use]
pub fn is_property(key: &str) -> bool {
    let fits = |it: char| it.is_ascii_alphanumeric() || "_-.:".contains(it);
    let start = key.get(..3);
    let xml = start.is_some_and(|it| it.eq_ignore_ascii_case("xml"));
    let letter = key.starts_with(|it: char| it.is_ascii_alphabetic());
    key.len() <= PROPERTY && letter && !xml && key.chars().all(fits)
}

/// Whether a reader of a plugin's file of preferences finds the key again. A file of the original may
/// have letters in it that a plugin may not use in new keys; they are kept.
#[must_use]
pub fn is_preference(key: &str) -> bool {
    let begins = |it: char| it.is_alphabetic() || it == '_';
    let fits = |it: char| it.is_alphanumeric() || matches!(it, '_' | '-' | '.' | ':');
    key.len() <= PROPERTY && key.starts_with(begins) && key.chars().all(fits)
}

/// The entries that cannot be kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LeftOut {
    names: Vec<String>,
    count: usize,
}

impl LeftOut {
    /// Whether every entry can be kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, key: &str) {
        self.count = self.count.saturating_add(1);
        if self.names.len() < NAMED {
            self.names.push(format!("'{}'", quoted(key)));
        }
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names.join(", "))?;
        match self.count.saturating_sub(self.names.len()) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// Takes the entries whose keys the rule `kept` refuses out of a dictionary, at any depth, so that
/// they keep no other entry from being saved.
pub fn leave_out(map: &mut Map<String, Value>, kept: fn(&str) -> bool) -> LeftOut {
    let mut left = LeftOut::default();
    of_map(map, kept, &mut left);
    left
}

fn of_map(map: &mut Map<String, Value>, kept: fn(&str) -> bool, left: &mut LeftOut) {
    map.retain(|key, value| {
        if kept(key) {
            of_value(value, kept, left);
            return true;
        }
        left.add(key);
        false
    });
}

fn of_value(value: &mut Value, kept: fn(&str) -> bool, left: &mut LeftOut) {
    match value {
        Value::Object(map) => of_map(map, kept, left),
        Value::Array(items) => items.iter_mut().for_each(|it| of_value(it, kept, left)),
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::preferences::{parse, write};
    use serde_json::json;

    #[test]
    fn an_entry_without_a_tag_keeps_no_other_from_the_file() {
        let given = json!({
            "good": 1, "_under": 2, "gr\u{fc}n": 3, "a:b": 4, "xmlThing": 5,
            "Living Room": 6, "1st": 7, "": 8, "a/2": 9, "a<b": 10, "x".repeat(PROPERTY + 1): 11,
            "nested": {"in": [{"b d": 1, "bd": 2}, [{"-x": 1}]]},
        });
        let mut kept = given.as_object().unwrap().clone();
        let left = leave_out(&mut kept, is_preference);
        let wanted = json!({
            "good": 1, "_under": 2, "gr\u{fc}n": 3, "a:b": 4, "xmlThing": 5,
            "nested": {"in": [{"bd": 2}, [{}]]},
        });
        assert_eq!(Value::Object(kept.clone()), wanted);
        assert_eq!(left.count, 8);
        assert!(left.to_string().ends_with(" and 3 more"), "{left}");
        // The file is read again.
        assert_eq!(parse(write(&kept).as_bytes()).unwrap(), kept);
        assert!(leave_out(&mut kept, is_preference).is_empty());
    }

    #[test]
    fn a_property_that_may_not_be_sent_is_refused() {
        for key in ["_x", "x y", "1x", "xmlX", "XMLx", "", "a/b", "gr\u{fc}n"] {
            for map in [json!({ key: 1 }), json!({"in": [{ key: 1 }]})] {
                let refused = check_keys(map.as_object().unwrap()).unwrap_err();
                assert!(refused.message.contains("no valid key"), "{refused}");
                let left = leave_out(&mut map.as_object().unwrap().clone(), is_property);
                assert_eq!(left.count, 1);
            }
        }
        let good = json!({"a": 1, "B2_-.:": {"c": [{"d": 1}]}});
        assert!(check_keys(good.as_object().unwrap()).is_ok());
    }
}
