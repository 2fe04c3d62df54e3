//! Which fields are shown and which can be used, from the values of others.

use serde_json::Value;

use super::Values;
use crate::platform::indigo::definition::{ConfigUi, EnabledBinding, Field, VisibleBinding};

/// Deepest chain of fields that are shown only while another one is.
const MAX_CHAIN: usize = 16;

/// Whether a field is shown.
pub(super) fn visible(ui: &ConfigUi, field: &Field, values: &Values) -> bool {
    !field.hidden
        && field
            .visible
            .as_ref()
            .is_none_or(|binding| shows(ui, binding, values, 0))
}

fn shows(ui: &ConfigUi, binding: &VisibleBinding, values: &Values, depth: usize) -> bool {
    let value = values.get(&binding.field);
    if !matches(&binding.value, value.unwrap_or(&Value::Null)) {
        return false;
    }
    // A field that is not shown itself shows no other; a hidden one is a mere value.
    let other = ui.field(&binding.field).and_then(|it| it.visible.as_ref());
    match other {
        Some(other) if depth < MAX_CHAIN => shows(ui, other, values, depth.saturating_add(1)),
        _ => true,
    }
}

/// Whether a value is one of those of a binding, which come by comma. The original says
/// that one contains the other: equal ones first, then a part of the value.
fn matches(wanted: &str, value: &Value) -> bool {
    let wanted: Vec<&str> = wanted.split(',').map(str::trim).collect();
    let one = |value: &Value| {
        let text = text(value);
        wanted.iter().any(|wanted| equal(wanted, value, &text))
    };
    match value {
        Value::Array(selected) if selected.is_empty() => wanted.contains(&""),
        Value::Array(selected) => selected.iter().any(one),
        Value::String(text) if !one(value) => wanted
            .iter()
            .any(|wanted| !wanted.is_empty() && text.contains(wanted)),
        other => one(other),
    }
}

fn equal(wanted: &str, value: &Value, text: &str) -> bool {
    if wanted == text {
        return true;
    }
    // A checkbox is true, "true" or 1, whoever writes it.
    match (truth(wanted), value) {
        (Some(wanted), Value::Bool(value)) => wanted == *value,
        (Some(wanted), Value::String(value)) => truth(value) == Some(wanted),
        _ => false,
    }
}

fn truth(text: &str) -> Option<bool> {
    let is = |words: [&str; 4]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is(["true", "yes", "on", "1"]) {
        Some(true)
    } else if is(["false", "no", "off", "0"]) {
        Some(false)
    } else {
        None
    }
}

/// Whether a field can be used.
pub(super) fn enabled(field: &Field, values: &Values) -> bool {
    let free = |binding: &EnabledBinding| {
        let on = match values.get(&binding.field) {
            Some(Value::Bool(ticked)) => *ticked,
            Some(Value::Array(selected)) => !selected.is_empty(),
            Some(Value::String(text)) => truth(text).unwrap_or(!text.is_empty()),
            Some(Value::Number(number)) => number.as_f64() != Some(0.0),
            _ => false,
        };
        on != binding.negate
    };
    field.enabled.as_ref().is_none_or(free)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_is_matched_loosely() {
        let cases = [
            ("true", json!(true), true),
            ("1", json!(true), true),
            ("true", json!("1"), true),
            ("False", json!(false), true),
            ("false", json!(true), false),
            ("a, b", json!("b"), true),
            ("a,b", json!("c"), false),
            ("heat", json!("heatCool"), true),
            ("heatCool", json!("heat"), false),
            ("", json!(""), true),
            ("", json!("x"), false),
            ("x", json!(["y", "x"]), true),
            ("x", json!([]), false),
            ("", json!([]), true),
            ("5", json!(5), true),
            ("true", Value::Null, false),
        ];
        for (wanted, value, expected) in cases {
            assert_eq!(matches(wanted, &value), expected, "{wanted} {value}");
        }
    }
}
