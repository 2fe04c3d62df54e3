//! What one command, one object and one answer of a plugin may contain.
//!
//! Limits count what a plugin uses in all; these bound the shape of one thing, so that no
//! work of the hub grows faster than what it was given. They are the same for every plugin
//! and stand in `docs/limits.md` beside the limits. The text of a command is measured here
//! before it is read: a text of a few bytes a value takes twenty times as much as a value.

use serde_json::{Map, Value};

use super::failure::Failure;
use cordon_base::account::Charge;
use cordon_base::limits::Limits;

use super::hold::Hold;

/// Deepest nesting of lists and dictionaries.
pub const DEPTH: usize = 64;
/// Longest name of an object, id of a plugin, message or method, in bytes.
pub const NAME: usize = 1024;
/// Longest key of a property, at any depth, in bytes.
pub const PROPERTY: usize = 1024;
/// Longest value that a trigger compares with, in bytes.
pub const COMPARED: usize = 256;
/// Most triggers of one plugin that watch one object.
pub const WATCHING: usize = 16;
/// Longest key of a state, and longest value of a choice, in bytes.
pub const KEY: usize = 256;
/// Longest label of a state or choice, in bytes.
pub const LABEL: usize = 1024;
/// Most states of a device.
pub const STATES: usize = 1000;
/// Most choices of one state.
pub const CHOICES: usize = 1000;
/// Longest filter of a collection, in bytes.
pub const FILTER: usize = 4096;
/// Most bytes of the data that a plugin gives an event, as JSON.
pub const EVENT_DATA: usize = 64 << 10;
/// Most days in the timing of a schedule.
pub const DAYS: usize = 31;
/// Most complaints that one command writes into the log.
pub const COMPLAINTS: usize = 20;
/// Longest message of a failure, in bytes.
pub const MESSAGE: usize = 2048;
/// Memory of objects and values up to which work about them is done on the thread that it
/// comes to, in bytes.
pub const SMALL: u64 = 256 << 10;

/// The bounds with what they mean, for the documentation.
pub const TABLE: &[(&str, usize)] = &[
    ("nesting of lists and dictionaries", DEPTH),
    (
        "bytes of a name: of an object, plugin, message or method",
        NAME,
    ),
    ("bytes of a property's key", PROPERTY),
    ("bytes of a value that a trigger compares with", COMPARED),
    ("triggers of one plugin that watch one object", WATCHING),
    ("bytes of a state's key, and of a choice's value", KEY),
    ("bytes of a label of a state or choice", LABEL),
    ("states of a device", STATES),
    ("choices of a state", CHOICES),
    ("bytes of a collection's filter", FILTER),
    ("bytes of the data that is given to an event", EVENT_DATA),
    ("days in the timing of a schedule", DAYS),
    ("complaints of one command in the log", COMPLAINTS),
];

/// Bytes of memory that a value takes with its place in a list or dictionary.
const VALUE: u64 = 192;
/// The same for a list or dictionary beyond what is in it.
const CONTAINER: u64 = 512;

/// What a text of JSON holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Measure {
    /// Bytes of the text.
    pub bytes: u64,
    /// Values in it, those in lists and dictionaries included.
    pub values: u64,
    /// Lists and dictionaries among them.
    pub containers: u64,
    /// Deepest nesting.
    pub depth: usize,
}

impl Measure {
    /// Measures a text without reading it: allocates nothing, looks at every byte once. Of
    /// what is no JSON the figures mean nothing.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let mut measure = Self {
            bytes: count(text.len()),
            values: 1,
            ..Self::default()
        };
        let mut depth = 0_usize;
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'"' => {
                    while let Some(inside) = bytes.next() {
                        match inside {
                            b'"' => break,
                            b'\\' => drop(bytes.next()),
                            _ => {}
                        }
                    }
                }
                b',' => measure.values = measure.values.saturating_add(1),
                b'[' | b'{' => {
                    measure.values = measure.values.saturating_add(1);
                    measure.containers = measure.containers.saturating_add(1);
                    depth = depth.saturating_add(1);
                    measure.depth = measure.depth.max(depth);
                }
                b']' | b'}' => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        measure
    }

    /// Bytes of memory that the values take, at most.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.bytes
            .saturating_add(self.values.saturating_mul(VALUE))
            .saturating_add(self.containers.saturating_mul(CONTAINER))
    }

    fn check(&self, limits: Option<&Limits>) -> Result<(), Failure> {
        if self.depth > DEPTH {
            return Err(Failure::value(format!(
                "lists and dictionaries are nested {} deep, {DEPTH} are allowed",
                self.depth
            )));
        }
        match limits {
            Some(limits) if self.values > limits.command_values => {
                let hit = Limits::hit("command-values", self.values, limits.command_values);
                Err(hit.into())
            }
            _ => Ok(()),
        }
    }
}

/// Reads the JSON of a plugin, within the limit `command-values` and its account.
///
/// # Errors
///
/// A bound, a limit, or what is no JSON.
pub fn read(text: &str, limits: Option<&Limits>, hold: &Hold) -> Result<Value, Failure> {
    let measure = Measure::of(text);
    measure.check(limits)?;
    hold.take(measure.memory())?;
    serde_json::from_str(text)
        .map_err(|error| Failure::wrong_type(format!("the arguments are no JSON: {error}")))
}

/// Reads what a plugin returned; the charge is to be kept for as long as what was read.
///
/// # Errors
///
/// As [`read`].
pub fn returned(
    text: &str,
    limits: &Limits,
    account: &std::sync::Arc<cordon_base::account::Account>,
) -> Result<(Value, Charge), Failure> {
    let measure = Measure::of(text);
    measure.check(Some(limits))?;
    let charge = account.charge(measure.memory())?;
    let value = serde_json::from_str(text)
        .map_err(|error| Failure::other(format!("the runtime's reply is no JSON: {error}")))?;
    Ok((value, charge))
}

/// Bytes of memory that a value takes, about.
#[must_use]
pub fn footprint(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => VALUE,
        Value::String(text) => count(text.len()).saturating_add(VALUE),
        Value::Array(items) => items
            .iter()
            .map(footprint)
            .fold(VALUE + CONTAINER, u64::saturating_add),
        Value::Object(map) => map_footprint(map).saturating_add(VALUE),
    }
}

/// The same of a dictionary.
#[must_use]
pub fn map_footprint(map: &Map<String, Value>) -> u64 {
    map.iter()
        .map(|(key, value)| count(key.len()).saturating_add(footprint(value)))
        .fold(CONTAINER, u64::saturating_add)
}

/// Bytes of a text as JSON: a control character takes six.
#[must_use]
pub fn written(text: &str) -> u64 {
    let byte = |byte: u8| match byte {
        0..0x20 => 6,
        b'"' | b'\\' => 2,
        _ => 1,
    };
    text.bytes().map(byte).sum()
}

/// Refuses a text that is longer than this.
///
/// # Errors
///
/// That `what` is too long.
pub fn short(what: &str, text: &str, most: usize) -> Result<(), Failure> {
    if text.len() <= most {
        return Ok(());
    }
    Err(Failure::value(format!(
        "{what} has {} bytes, {most} are allowed",
        text.len()
    )))
}

/// The beginning of a text, to be quoted in a line or a message.
#[must_use]
pub fn quoted(text: &str) -> String {
    const MOST: usize = 120;
    let start = text.get(..text.floor_char_boundary(MOST)).unwrap_or("");
    let mut shown: String = start
        .chars()
        .map(|it| if it.is_control() { ' ' } else { it })
        .collect();
    if start.len() < text.len() {
        shown.push('…');
    }
    shown
}

/// A length as figures of limits have it.
#[must_use]
pub fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

/// The bounds as Markdown, for `docs/limits.md`.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::from(
        "\n## What one thing of an Indigo plugin may contain\n\n\
         Declared in `host/indigo/src/bounds.rs`, the same for every plugin; beyond it the\n\
         call is refused with a `ValueError` that says so.\n\n| what | at most |\n|---|---|\n",
    );
    for (what, most) in TABLE {
        text.push_str(&format!("| {what} | {most} |\n"));
    }
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_is_measured_without_being_read() {
        let text = r#"{"a": [1, {}, "x, [ \" {"], "b": null}"#;
        let measure = Measure::of(text);
        assert_eq!((measure.containers, measure.depth), (3, 3));
        // Three containers, three commas outside of texts, and the whole.
        assert_eq!(measure.values, 7);
        assert_eq!(Measure::of("\"open \\").values, 1);
    }

    /// What is charged must not be less than what the values take.
    #[test]
    fn a_measure_is_no_less_than_the_footprint_of_the_members() {
        for value in [
            json!([]),
            json!({"a": {"b": {}}}),
            json!([[1], [2], ["three"]]),
            json!({"key": "?", "value": 1}),
        ] {
            let measured = Measure::of(&value.to_string()).memory();
            assert!(measured >= size(&value), "{value}: {measured}");
        }
    }

    /// Bytes of the parts as the collections allocate them.
    fn size(value: &Value) -> u64 {
        let own = count(size_of::<Value>());
        own + match value {
            Value::String(text) => count(text.len()),
            Value::Array(items) => {
                let room = items.capacity().saturating_sub(items.len());
                items.iter().map(size).sum::<u64>() + own * count(room)
            }
            Value::Object(map) => {
                let entry = |(key, value): (&String, &Value)| count(key.len()) + 40 + size(value);
                let entries = map.iter().map(entry).sum::<u64>();
                let spare = 4_u64.saturating_sub(count(map.len())) * (own + 40);
                entries + if map.is_empty() { 0 } else { spare }
            }
            _ => 0,
        }
    }

    #[test]
    fn a_text_is_no_longer_in_json_than_was_reckoned() {
        for text in ["plain \u{e4}", "\"\\", "\n\u{1}\u{1f}"] {
            let written = written(text).saturating_add(2);
            assert!(written >= count(json!(text).to_string().len()), "{text:?}");
        }
    }

    #[test]
    fn what_is_quoted_is_one_short_line() {
        let shown = quoted(&format!("a\nb{}", "ä".repeat(1000)));
        assert!(shown.starts_with("a bä") && shown.ends_with('…') && shown.len() < 130);
        assert_eq!(quoted("plain"), "plain");
    }
}
