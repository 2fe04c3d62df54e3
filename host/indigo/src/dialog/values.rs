//! Values of a dialog: the defaults, the values that users enter, and those that plugins return.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;

use super::{DialogError, MAX_VALUES, Values};
use crate::definition::{Choice, ConfigUi, Field, FieldKind, Options};

/// The keys of a serial port, behind the field's id, with their values at first.
const SERIAL: [(&str, &str); 5] = [
    ("_serialConnType", "local"),
    ("_serialPortLocal", ""),
    ("_serialPortNetSocket", ""),
    ("_serialPortNetRfc", ""),
    ("_uiAddress", ""),
];

/// Adds the defaults of fields that have no value yet. Menus come later, when their
/// options are known.
pub(super) fn add_defaults(ui: &ConfigUi, values: &mut Values) {
    for field in &ui.fields {
        let default = field.default_value.as_deref().unwrap_or("");
        let value = match field.kind {
            FieldKind::Button | FieldKind::Label | FieldKind::Separator => continue,
            FieldKind::SerialPort => {
                for (key, value) in SERIAL {
                    let key = format!("{}{key}", field.id);
                    values.entry(key).or_insert_with(|| value.into());
                }
                continue;
            }
            FieldKind::CheckBox => Value::Bool(is_true(default)),
            FieldKind::List => selection(default),
            FieldKind::TextField | FieldKind::Menu | FieldKind::ColorPicker => default.into(),
        };
        values.entry(field.id.as_str()).or_insert(value);
    }
}

/// Adds the defaults of `PluginConfig.xml` for keys that were never saved. Fields that name no
/// default are left out: a plugin that reads one with a default of its own means that one.
pub fn add_stated_defaults(ui: &ConfigUi, values: &mut Values) {
    let stated = |field: &&Arc<Field>| field.default_value.is_some();
    let ui = ConfigUi {
        fields: ui.fields.iter().filter(stated).cloned().collect(),
        ..ConfigUi::default()
    };
    let saved = values.clone();
    add_defaults(&ui, values);
    for field in ui.fields.iter().filter(|it| !saved.contains_key(&it.id)) {
        if let Some(Options::Fixed(choices)) = &field.options {
            let pair = |it: &Choice| (it.value.clone(), it.label.clone());
            let pairs: Vec<_> = choices.iter().map(pair).collect();
            choose_first(field, &pairs, values);
        }
    }
}

/// A menu shows the first of its options when it has no value.
pub(super) fn choose_first(field: &Field, options: &[(String, String)], values: &mut Values) {
    if field.kind != FieldKind::Menu {
        return;
    }
    let empty = match values.get(&field.id) {
        Some(Value::String(text)) => text.is_empty(),
        Some(Value::Null) | None => true,
        Some(_) => false,
    };
    let listed = options.iter().any(|(value, _)| value.is_empty());
    if let Some((first, _)) = options.first()
        && empty
        && !listed
    {
        values.insert(field.id.clone(), first.as_str().into());
    }
}

/// Takes the values that a user entered, for fields that can be edited, in the type of the field. A
/// value for anything that is not a field of the dialog is not taken.
pub(super) fn take(ui: &ConfigUi, sent: &Values, values: &mut Values) -> Result<(), DialogError> {
    let valued: HashMap<&str, &Field> = ui
        .fields
        .iter()
        .filter(|field| field.kind.has_value())
        .map(|field| (field.id.as_str(), field.as_ref()))
        .collect();
    for (key, value) in sent {
        if let Some(field) = valued.get(key.as_str()) {
            if !field.hidden && !field.read_only {
                values.insert(key.clone(), typed(field, value)?);
            }
            continue;
        }
        let serial = SERIAL.iter().any(|(end, _)| {
            let field = key.strip_suffix(end).and_then(|id| valued.get(id));
            field.is_some_and(|field| field.kind == FieldKind::SerialPort)
        });
        if serial {
            let text = plain(value).ok_or_else(|| wrong(key, "text"))?;
            values.insert(key.clone(), text.into());
        }
    }
    check_size(values)
}

/// A value as a field has it.
fn typed(field: &Field, value: &Value) -> Result<Value, DialogError> {
    match field.kind {
        FieldKind::CheckBox => match value {
            Value::Bool(_) => Ok(value.clone()),
            Value::Null => Ok(Value::Bool(false)),
            other => {
                let text = plain(other).ok_or_else(|| wrong(&field.id, "true or false"))?;
                Ok(Value::Bool(is_true(&text)))
            }
        },
        FieldKind::List => match value {
            Value::Array(items) => {
                let texts: Option<Vec<_>> = items.iter().map(plain).collect();
                texts
                    .map(|texts| texts.into_iter().map(Value::from).collect())
                    .ok_or_else(|| wrong(&field.id, "a list of texts"))
            }
            other => {
                let text = plain(other).ok_or_else(|| wrong(&field.id, "a list of texts"))?;
                Ok(selection(&text))
            }
        },
        _ => plain(value)
            .map(Value::from)
            .ok_or_else(|| wrong(&field.id, "text")),
    }
}

fn wrong(field: &str, expected: &str) -> DialogError {
    DialogError::Wrong(format!("the value of `{field}` must be {expected}"))
}

/// A value that can stand for text.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null => Some(String::new()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

fn is_true(text: &str) -> bool {
    let text = text.trim();
    ["true", "yes", "on", "1"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

/// Selected options by comma.
fn selection(text: &str) -> Value {
    let items = text.split(',').map(str::trim).filter(|it| !it.is_empty());
    items.map(Value::from).collect()
}

/// Refuses values that are too large to keep.
pub(super) fn check_size(values: &Values) -> Result<(), DialogError> {
    let size = super::super::object::map_weight(values);
    if usize::try_from(size).is_ok_and(|size| size <= MAX_VALUES) {
        return Ok(());
    }
    Err(DialogError::Wrong(format!(
        "the values have {size} bytes, {MAX_VALUES} are allowed"
    )))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::definition::Source;

    fn ui(fields: &str) -> ConfigUi {
        let folder = std::path::Path::new("/nowhere");
        let text = format!("<ConfigUI>{fields}</ConfigUI>");
        ConfigUi::from_xml(&text, "test", &Source::new(folder, folder))
            .unwrap()
            .0
    }

    const ALL: &str = "<Field id='t' type='textfield' defaultValue='d'/>\
        <Field id='c' type='checkbox' defaultValue='true'/><Field id='n' type='checkbox'/>\
        <Field id='m' type='menu'><List><Option value='x'>X</Option></List></Field>\
        <Field id='l' type='list' defaultValue='a, b'><List/></Field>\
        <Field id='p' type='colorpicker'/><Field id='s' type='serialport'/>\
        <Field id='h' type='textfield' hidden='true' defaultValue='kept'/>\
        <Field id='r' type='textfield' readonly='YES'/><Field id='b' type='button'/>";

    #[test]
    fn defaults_have_the_types_of_their_fields() {
        let mut values = Values::new();
        values.insert("t".to_owned(), json!("saved"));
        add_defaults(&ui(ALL), &mut values);
        let expected = json!({"t": "saved", "c": true, "n": false, "m": "", "l": ["a", "b"],
            "p": "", "s_serialConnType": "local", "s_serialPortLocal": "",
            "s_serialPortNetSocket": "", "s_serialPortNetRfc": "", "s_uiAddress": "",
            "h": "kept", "r": ""});
        assert_eq!(Value::Object(values), expected);
    }

    #[test]
    fn only_defaults_that_are_stated_are_there_from_the_start() {
        let more = "<Field id='o' type='menu' defaultValue=''><List><Option value='1'>A</Option>\
            </List></Field><Field id='k' type='menu' defaultValue=''><List>\
            <Option value='1'>A</Option></List></Field>";
        let mut values = Values::new();
        values.insert("t".to_owned(), json!("saved"));
        values.insert("k".to_owned(), json!(""));
        add_stated_defaults(&ui(&format!("{ALL}{more}")), &mut values);
        let expected = json!({"t": "saved", "k": "", "c": true, "l": ["a", "b"], "h": "kept",
            "o": "1"});
        assert_eq!(Value::Object(values), expected);
    }

    #[test]
    fn what_users_send_becomes_what_fields_have() {
        let ui = ui(ALL);
        let mut values = Values::new();
        let sent = json!({"t": 5, "c": "false", "n": 1, "l": "a,b", "m": "y", "h": "no", "r": "no",
            "b": "no", "unknown": "no", "s_serialPortLocal": "/dev/ttyUSB0", "s_other": "no"});
        take(&ui, sent.as_object().unwrap(), &mut values).unwrap();
        let expected = json!({"t": "5", "c": false, "n": true, "l": ["a", "b"], "m": "y",
            "s_serialPortLocal": "/dev/ttyUSB0"});
        assert_eq!(Value::Object(values.clone()), expected);
        for bad in [
            json!({"t": {}}),
            json!({"c": []}),
            json!({"l": [[]]}),
            json!({"m": [1]}),
        ] {
            assert!(
                take(&ui, bad.as_object().unwrap(), &mut values).is_err(),
                "{bad}"
            );
        }
        let large = json!({"t": "x".repeat(MAX_VALUES)});
        let refused = take(&ui, large.as_object().unwrap(), &mut values).unwrap_err();
        assert!(refused.to_string().contains("are allowed"));
    }

    #[test]
    fn an_empty_menu_takes_its_first_option() {
        let ui = ui(ALL);
        let field = ui.field("m").unwrap();
        let option = |value: &str| (value.to_owned(), "label".to_owned());
        let mut values = Values::new();
        choose_first(field, &[option("x"), option("y")], &mut values);
        assert_eq!(values["m"], "x");
        values.insert("m".to_owned(), json!("gone"));
        choose_first(field, &[option("x")], &mut values);
        assert_eq!(values["m"], "gone");
        values.insert("m".to_owned(), json!(""));
        choose_first(field, &[option("x"), option("")], &mut values);
        assert_eq!(values["m"], "");
    }
}
