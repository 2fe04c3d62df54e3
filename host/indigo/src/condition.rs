//! Conditions of triggers and schedules: what must hold when the event comes.

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::database::{Reference, reference};
use super::object::Object;
use super::state::{figure, text, truth};
use super::table::{Collection, Table};

/// How deep conditions may be nested; deeper ones do not hold.
const DEPTH: usize = 32;

/// What must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Condition {
    /// Every one of these.
    All(Vec<Condition>),
    /// One of these.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// It is day, or it is night.
    Daylight(bool),
    /// The local time is from the first to before the second, `HH:MM`; past midnight
    /// when the second is earlier.
    Between(String, String),
    /// A variable's value passes a test.
    Variable {
        /// Id or name.
        id: Value,
        /// The test.
        #[serde(flatten)]
        test: Test,
    },
    /// A state of a device passes a test.
    Device {
        /// Id or name.
        id: Value,
        /// Key of the state.
        state: String,
        /// The test.
        #[serde(flatten)]
        test: Test,
    },
}

/// A test of a value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Test {
    /// How it is compared.
    pub compare: Comparison,
    /// With what.
    #[serde(default)]
    pub value: Value,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Comparison {
    /// The value is true.
    IsTrue,
    /// The value is false.
    IsFalse,
    /// Both are the same.
    Equal,
    /// They differ.
    NotEqual,
    /// The value is greater.
    Greater,
    /// The value is less.
    Less,
}

impl Comparison {
    /// Whether a value passes. Numbers are compared as numbers where both are some,
    /// else as text; text counts as equal without regard to case.
    #[must_use]
    pub fn holds(self, value: &Value, with: &Value) -> bool {
        match self {
            Self::IsTrue => truth(value) == Some(true),
            Self::IsFalse => truth(value) == Some(false),
            Self::Equal => order(value, with) == Some(std::cmp::Ordering::Equal),
            Self::NotEqual => order(value, with) != Some(std::cmp::Ordering::Equal),
            Self::Greater => order(value, with) == Some(std::cmp::Ordering::Greater),
            Self::Less => order(value, with) == Some(std::cmp::Ordering::Less),
        }
    }
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    if let (Value::Bool(a), Some(b)) = (a, truth(b)) {
        return Some(a.cmp(&b));
    }
    if let (Some(a), Some(b)) = (figure(a), figure(b)) {
        return a.partial_cmp(&b);
    }
    let (a, b) = (plain(a)?, plain(b)?);
    let (a, b) = differing(&a, &b);
    // As far as both are the same: a short text is compared at once with the longest.
    let (a, b) = (a.chars(), b.chars());
    Some(
        a.flat_map(char::to_lowercase)
            .cmp(b.flat_map(char::to_lowercase)),
    )
}

/// Two texts from a place near to the first character on that is not the same.
fn differing<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    const PIECE: usize = 32;
    let pieces = a.as_bytes().chunks(PIECE).zip(b.as_bytes().chunks(PIECE));
    let same = pieces.take_while(|(a, b)| a == b).count();
    let same = same.saturating_mul(PIECE).min(a.len()).min(b.len());
    // Where a character of one text begins, one of the other does: all before it is equal.
    let begun = a.floor_char_boundary(same);
    match (a.get(begun..), b.get(begun..)) {
        (Some(a), Some(b)) => (a, b),
        _ => (a, b),
    }
}

/// The text of a value, without a copy where it is some.
fn plain(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text)),
        other => text(other, None).map(Cow::Owned),
    }
}

/// What a condition is judged by.
pub struct Surroundings<'a> {
    /// Finds an object. Nobody waits while its values, which are as large as plugins make
    /// them, are compared.
    pub find: &'a dyn Fn(Table, &Reference) -> Option<Arc<Object>>,
    /// Whether it is day.
    pub daylight: bool,
    /// Minutes since local midnight.
    pub minute: u32,
}

impl Condition {
    /// Whether it holds. An object that is gone makes its condition false.
    #[must_use]
    pub fn holds(&self, around: &Surroundings<'_>) -> bool {
        self.judge(around, 0)
    }

    /// Whether it asks for this object.
    #[must_use]
    pub fn mentions(&self, object: &Object) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|it| it.mentions(object)),
            Self::Not(part) => part.mentions(object),
            Self::Daylight(_) | Self::Between(..) => false,
            Self::Variable { id, .. } => object.is_meant(Collection::Variables, id),
            Self::Device { id, .. } => object.is_meant(Collection::Devices, id),
        }
    }

    fn judge(&self, around: &Surroundings<'_>, depth: usize) -> bool {
        if depth > DEPTH {
            return false;
        }
        let below = |it: &Self| it.judge(around, depth + 1);
        match self {
            Self::All(parts) => parts.iter().all(below),
            Self::Any(parts) => parts.iter().any(below),
            Self::Not(part) => !below(part),
            Self::Daylight(wanted) => around.daylight == *wanted,
            Self::Between(from, to) => match (minute(from), minute(to)) {
                (Some(from), Some(to)) if from <= to => (from..to).contains(&around.minute),
                (Some(from), Some(to)) => around.minute >= from || around.minute < to,
                _ => false,
            },
            Self::Variable { id, test } => {
                let found = around.find(Collection::Variables, id);
                let value = found.as_ref().and_then(|it| it.fields.get("value"));
                value.is_some_and(|value| test.compare.holds(value, &test.value))
            }
            Self::Device { id, state, test } => {
                let found = around.find(Collection::Devices, id);
                let value = found
                    .as_ref()
                    .and_then(|it| it.fields.get("states"))
                    .and_then(|states| states.get(state));
                value.is_some_and(|value| test.compare.holds(value, &test.value))
            }
        }
    }
}

impl Surroundings<'_> {
    fn find(&self, collection: Collection, id: &Value) -> Option<Arc<Object>> {
        (self.find)(collection.objects(), &reference(id).ok()?)
    }
}

/// Minutes since midnight of `HH:MM`.
fn minute(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_are_compared_by_what_they_are() {
        assert!(Comparison::Equal.holds(&json!("On"), &json!("on")));
        assert!(Comparison::Equal.holds(&json!("3.0"), &json!(3)));
        assert!(Comparison::Greater.holds(&json!("10"), &json!("9")));
        assert!(Comparison::Less.holds(&json!("apple"), &json!("pear")));
        assert!(Comparison::IsTrue.holds(&json!("yes"), &Value::Null));
        assert!(Comparison::Equal.holds(&json!(true), &json!("on")));
        assert!(Comparison::NotEqual.holds(&json!("a"), &json!("b")));
        assert!(
            Comparison::Equal.holds(&json!("stra\u{df}e \u{c4}"), &json!("STRA\u{df}E \u{e4}"))
        );
        assert!(Comparison::Less.holds(&json!("\u{c4}"), &json!("\u{c5}")));
        assert!(Comparison::Greater.holds(&json!("ab"), &json!("A")));
    }

    #[test]
    fn a_span_of_time_may_pass_midnight() {
        let at = |minute| Surroundings {
            find: &|_, _| None,
            daylight: false,
            minute,
        };
        let night = Condition::Between("22:00".into(), "06:30".into());
        assert!(night.holds(&at(23 * 60)));
        assert!(night.holds(&at(6 * 60 + 29)));
        assert!(!night.holds(&at(6 * 60 + 30)));
        let never = Condition::Between("25:00".into(), "06:30".into());
        assert!(!never.holds(&at(0)));
    }

    #[test]
    fn a_condition_reads_as_it_is_written() {
        let text = json!({"all": [
            {"daylight": false},
            {"variable": {"id": "mode", "compare": "equal", "value": "away"}}
        ]});
        let condition: Condition = serde_json::from_value(text.clone()).unwrap();
        assert_eq!(serde_json::to_value(&condition).unwrap(), text);
    }
}
