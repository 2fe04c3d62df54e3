//! Decides which fields are shown and which can be used, from the values of others.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use serde_json::Value;

use super::Values;
use crate::definition::{ConfigUi, EnabledBinding, Field, VisibleBinding};

/// Deepest chain of fields that are shown only while another one is.
const MAX_CHAIN: usize = 16;

/// Longest text in which a binding's value is looked for as a part, in bytes.
const LONGEST: usize = 1024;

/// The fields and values that the fields of a dialog depend on. Each value and each binding is
/// looked at once, however many fields depend on it.
pub(super) struct Bindings<'a> {
    values: &'a Values,
    /// The binding of each field, by the field's id.
    bound: HashMap<&'a str, Option<&'a VisibleBinding>>,
    /// The selection, by field.
    selected: HashMap<&'a str, Selected<'a>>,
    /// Whether a field has one of the values of a binding, by the field's id and these values.
    met: HashMap<(&'a str, &'a str), bool>,
}

impl<'a> Bindings<'a> {
    /// The bindings of a dialog with these values.
    pub(super) fn new(ui: &'a ConfigUi, values: &'a Values) -> Self {
        let mut bound = HashMap::new();
        // A label may share its id with a control; the control is meant.
        let (valued, others): (Vec<_>, Vec<_>) =
            ui.fields.iter().partition(|it| it.kind.has_value());
        for field in valued.into_iter().chain(others) {
            bound
                .entry(field.id.as_str())
                .or_insert(field.visible.as_ref());
        }
        Self {
            values,
            bound,
            selected: HashMap::new(),
            met: HashMap::new(),
        }
    }

    /// Whether a field is shown.
    pub(super) fn visible(&mut self, field: &'a Field) -> bool {
        if field.hidden {
            return false;
        }
        let mut next = field.visible.as_ref();
        for _ in 0..=MAX_CHAIN {
            let Some(binding) = next else { return true };
            if !self.met(binding) {
                return false;
            }
            // A field that is not shown itself shows no other. A hidden field counts, because it is
            // a mere value.
            next = self.bound.get(binding.field.as_str()).copied().flatten();
        }
        true
    }

    fn met(&mut self, binding: &'a VisibleBinding) -> bool {
        let key = (binding.field.as_str(), binding.value.as_str());
        if let Some(met) = self.met.get(&key) {
            return *met;
        }
        let value = self.values.get(&binding.field).unwrap_or(&Value::Null);
        let selected = self.selected.entry(key.0);
        let met = selected.or_insert_with(|| Selected::of(value)).is_in(key.1);
        self.met.insert(key, met);
        met
    }
}

/// The value of a field, in the forms that bindings compare.
#[derive(Default)]
struct Selected<'a> {
    texts: HashSet<Cow<'a, str>>,
    yes: bool,
    no: bool,
    /// Text that matches when it contains the wanted value.
    whole: Option<&'a str>,
}

impl<'a> Selected<'a> {
    fn of(value: &'a Value) -> Self {
        let mut found = Self::default();
        match value {
            // An empty text stands for an empty selection.
            Value::Array(items) if items.is_empty() => drop(found.texts.insert(Cow::Borrowed(""))),
            Value::Array(items) => items.iter().for_each(|it| found.add(it)),
            Value::String(text) => {
                found.whole = Some(text.as_str()).filter(|it| it.len() <= LONGEST);
                found.add(value);
            }
            other => found.add(other),
        }
        found
    }

    fn add(&mut self, value: &'a Value) {
        // A checkbox is true, "true" or 1, whoever writes it.
        let truth = match value {
            Value::Bool(value) => Some(*value),
            Value::String(value) => truth(value),
            _ => None,
        };
        self.yes |= truth == Some(true);
        self.no |= truth == Some(false);
        self.texts.insert(text(value));
    }

    /// Whether the selection is among the values of a binding, which are separated by commas. In
    /// the original's words one contains the other: the texts are equal, or the binding's is a part
    /// of the value.
    fn is_in(&self, wanted: &str) -> bool {
        let equal = |wanted: &str| {
            self.texts.contains(wanted)
                || match truth(wanted) {
                    Some(true) => self.yes,
                    Some(false) => self.no,
                    None => false,
                }
        };
        let part = |wanted: &str| {
            !wanted.is_empty() && self.whole.is_some_and(|whole| whole.contains(wanted))
        };
        let mut wanted = wanted.split(',').map(str::trim);
        wanted.any(|wanted| equal(wanted) || part(wanted))
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

fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        Value::Null => Cow::Borrowed(""),
        other => Cow::Owned(other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fmt::Write;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::definition::Source;
    use cordon_base::account::thread_cpu;
    use cordon_base::bounds::{BINDING_VALUES, FIELDS};

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
            ("x", json!(["xy"]), false),
            ("yes", json!(["a", true]), true),
            ("x", json!([]), false),
            ("", json!([]), true),
            ("5", json!(5), true),
            ("true", Value::Null, false),
        ];
        for (wanted, value, expected) in cases {
            assert_eq!(
                Selected::of(&value).is_in(wanted),
                expected,
                "{wanted} {value}"
            );
        }
    }

    fn ui(fields: &str) -> ConfigUi {
        let folder = std::path::Path::new("/nowhere");
        let text = format!("<ConfigUI>{fields}</ConfigUI>");
        ConfigUi::from_xml(&text, "test", &Source::new(folder, folder))
            .unwrap()
            .0
    }

    fn shown(ui: &ConfigUi, values: &Values) -> Vec<bool> {
        let mut bindings = Bindings::new(ui, values);
        let fields = ui.fields.iter();
        fields.map(|field| bindings.visible(field)).collect()
    }

    #[test]
    fn a_field_that_is_not_shown_shows_no_other() {
        let ui = ui("<Field id='a' type='checkbox'/>\
            <Field id='b' type='checkbox' visibleBindingId='a' visibleBindingValue='true'/>\
            <Field id='b' type='label' visibleBindingId='a' visibleBindingValue='false'/>\
            <Field id='c' type='label' visibleBindingId='b' visibleBindingValue='true'/>\
            <Field id='d' type='checkbox' visibleBindingId='d' visibleBindingValue='true'/>");
        let mut values = json!({"a": false, "b": true, "d": true});
        let of = |values: &Value| shown(&ui, values.as_object().unwrap());
        assert_eq!(of(&values), [true, false, true, false, true]);
        values["a"] = json!(true);
        assert_eq!(of(&values), [true, true, false, true, true]);
    }

    /// As many fields as there may be, each bound to as many values as a binding may have. The
    /// value that these are compared with is a long list or a long text.
    #[test]
    fn bindings_take_time_in_proportion_to_their_length() {
        let mut fields = String::from("<Field id='f' type='textfield'/>");
        for number in 1..FIELDS {
            let wanted: String = (0..BINDING_VALUES)
                .map(|n| format!("w{number}x{n},"))
                .collect();
            let wanted = wanted.trim_end_matches(',');
            write!(
                fields,
                "<Field id='f{number}' type='label' visibleBindingId='f' \
                 visibleBindingValue='{wanted}'/>"
            )
            .unwrap();
        }
        let ui = ui(&fields);
        for value in [
            json!(vec!["a"; 20_000]),
            json!("w".repeat(LONGEST)),
            json!("w".repeat(1 << 20)),
        ] {
            let values = json!({"f": value});
            let start = thread_cpu();
            let shown = shown(&ui, values.as_object().unwrap());
            let spent = thread_cpu().saturating_sub(start);
            assert_eq!(shown.iter().filter(|it| **it).count(), 1);
            assert!(spent < Duration::from_secs(4), "{spent:?}");
        }
    }
}
