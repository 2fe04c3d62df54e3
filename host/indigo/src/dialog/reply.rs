//! What plugins answer to a dialog's callbacks; they answer in many forms.

use serde_json::{Map, Value};

use super::Values;

/// An answer to validation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Verdict {
    pub accepted: bool,
    /// New values; `None` keeps those that there are.
    pub values: Option<Values>,
    pub errors: Map<String, Value>,
}

/// `True`, `(True, values)`, `(True, values, errors)`, `False`, `(False, values)`,
/// `(False, values, errors)`. What is no answer at all, as `None`, refuses nothing: many
/// methods of the wild forget to return.
pub(super) fn verdict(answer: Value) -> Verdict {
    let mut verdict = Verdict {
        accepted: true,
        values: None,
        errors: Map::new(),
    };
    match answer {
        Value::Bool(accepted) => verdict.accepted = accepted,
        Value::Array(parts) => {
            let mut parts = parts.into_iter();
            verdict.accepted = match parts.next() {
                Some(Value::Bool(accepted)) => accepted,
                Some(Value::Number(number)) => number.as_f64() != Some(0.0),
                Some(Value::Null) | None => false,
                Some(_) => true,
            };
            let mut dictionaries = parts.map(|part| match part {
                Value::Object(map) => Some(map),
                _ => None,
            });
            verdict.values = dictionaries.next().flatten();
            verdict.errors = dictionaries.next().flatten().unwrap_or_default();
        }
        Value::Object(values) => verdict.values = Some(values),
        Value::Null | Value::Number(_) | Value::String(_) => {}
    }
    verdict
}

/// Values, or `(values, errors)`, of `get...ConfigUiValues`, of a button or of a field;
/// `None` keeps those that there are.
pub(super) fn values(answer: Value) -> (Option<Values>, Map<String, Value>) {
    match answer {
        Value::Object(values) => (Some(values), Map::new()),
        Value::Array(parts) => {
            // Some answer buttons as they answer validation.
            let parts = parts.into_iter().filter(|part| !part.is_boolean());
            let mut dictionaries = parts.map(|part| match part {
                Value::Object(map) => Some(map),
                _ => None,
            });
            let values = dictionaries.next().flatten();
            (values, dictionaries.next().flatten().unwrap_or_default())
        }
        _ => (None, Map::new()),
    }
}

/// Takes `showAlertText` out of the errors.
pub(super) fn alert(errors: &mut Map<String, Value>) -> Option<String> {
    match errors.shift_remove("showAlertText")? {
        Value::String(text) if text.is_empty() => None,
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn validation_is_answered_in_many_forms() {
        let cases = [
            (json!(true), true, None, json!({})),
            (
                json!([true, {"a": 1}]),
                true,
                Some(json!({"a": 1})),
                json!({}),
            ),
            (
                json!([true, {"a": 1}, {}]),
                true,
                Some(json!({"a": 1})),
                json!({}),
            ),
            (
                json!([false, {"a": 1}, {"a": "no"}]),
                false,
                Some(json!({"a": 1})),
                json!({"a": "no"}),
            ),
            (json!(false), false, None, json!({})),
            (
                json!([false, {"a": 1}]),
                false,
                Some(json!({"a": 1})),
                json!({}),
            ),
            (
                json!([false, null, {"a": "no"}]),
                false,
                None,
                json!({"a": "no"}),
            ),
            (json!(null), true, None, json!({})),
            (json!([]), false, None, json!({})),
            (json!({"a": 1}), true, Some(json!({"a": 1})), json!({})),
        ];
        for (answer, accepted, values, errors) in cases {
            let found = verdict(answer.clone());
            assert_eq!(found.accepted, accepted, "{answer}");
            assert_eq!(found.values.map(Value::Object), values, "{answer}");
            assert_eq!(Value::Object(found.errors), errors, "{answer}");
        }
    }

    #[test]
    fn values_come_alone_or_with_errors() {
        let (found, errors) = values(json!([{"a": 1}, {"b": "no", "showAlertText": "x"}]));
        assert_eq!(found.map(Value::Object), Some(json!({"a": 1})));
        let mut errors = errors;
        assert_eq!(alert(&mut errors).as_deref(), Some("x"));
        assert_eq!(Value::Object(errors), json!({"b": "no"}));
        assert_eq!(values(Value::Null), (None, Map::new()));
        let (found, _) = values(json!([true, {"a": 1}]));
        assert!(found.is_some());
        assert!(values(json!("text")).0.is_none());
    }
}
