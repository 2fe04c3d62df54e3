//! Tests of the parameters that a plugin is told.

use super::super::definition::ParamOption;
use super::*;

fn definition(params: Vec<Param>) -> PluginDefinition {
    PluginDefinition {
        key: "K".to_owned(),
        version: "1.0".to_owned(),
        params,
        ..PluginDefinition::default()
    }
}

fn param(field: &str, required: &str, default: &str) -> Param {
    Param {
        field: field.to_owned(),
        label: format!("label of {field}"),
        required: required.to_owned(),
        default: default.to_owned(),
        ..Param::default()
    }
}

fn config(
    values: &[(&str, &str)],
    definition: &PluginDefinition,
) -> Result<HardwareConfig, ParameterError> {
    let values = values
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    HardwareConfig::from_values(12, "HW", definition, values)
}

fn built(
    values: &[(&str, &str)],
    params: Vec<Param>,
) -> Result<Vec<(String, String)>, ParameterError> {
    let definition = definition(params);
    let facts = HubFacts {
        home_folder: "/plugin/".to_owned(),
        ..HubFacts::default()
    };
    parameters(config(values, &definition)?, &definition, &facts)
}

fn value(list: &[(String, String)], key: &str) -> String {
    list.iter().find(|(k, _)| k == key).unwrap().1.clone()
}

#[test]
fn the_keys_come_in_the_order_of_the_table() {
    // Rule 14.
    let list = built(&[], vec![]).unwrap();
    let keys: Vec<_> = list.iter().map(|(key, _)| key.as_str()).collect();
    let expected = "HardwareID HomeFolder StartupFolder UserDataFolder WebRoot Database Language \
                    Version Author Name Address Port SerialPort Username Password Key Mode1 Mode2 \
                    Mode3 Mode4 Mode5 Mode6 DomoticzVersion DomoticzHash DomoticzBuildTime";
    assert_eq!(keys.join(" "), expected);
    assert_eq!(value(&list, "HardwareID"), "12");
    assert_eq!(value(&list, "HomeFolder"), "/plugin/");
    assert_eq!(
        (value(&list, "Key"), value(&list, "Version")),
        ("K".to_owned(), "1.0".to_owned())
    );
    assert_eq!(
        (value(&list, "Port"), value(&list, "Address")),
        ("0".to_owned(), String::new())
    );
}

#[test]
fn given_values_go_before_defaults() {
    let option = |value: &str, default| ParamOption {
        value: value.to_owned(),
        default,
        ..ParamOption::default()
    };
    let marked = Param {
        options: vec![option("a", false), option("b", true)],
        ..param("Mode2", "", "")
    };
    let first = Param {
        options: vec![option("c", false)],
        ..param("Mode3", "", "")
    };
    let params = vec![
        param("Address", "true", "127.0.0.1"),
        param("Port", "", "8080"),
        param("Mode1", "", "d"),
        marked,
        first,
        param("Extra", "true", ""),
    ];
    let list = built(&[("Mode1", ""), ("Port", " 0081")], params).unwrap();
    assert_eq!(value(&list, "Address"), "127.0.0.1");
    assert_eq!(
        (value(&list, "Port"), value(&list, "Mode1")),
        ("81".to_owned(), String::new())
    );
    assert_eq!(
        (value(&list, "Mode2"), value(&list, "Mode3")),
        ("b".to_owned(), "c".to_owned())
    );
}

#[test]
fn own_parameters_come_under_their_own_names_rules_179_to_181() {
    let params = vec![
        param("PollSeconds", "", "45"),
        param("Token", "", ""),
        param("pollseconds", "", "a name of its own"),
        param("mode1", "", "of the column"),
        param("Author", "", "somebody else"),
        param("DomoticzHash", "", "lost"),
        param("PollSeconds", "", "a second one"),
    ];
    let list = built(&[("Token", "t"), ("Mode2", "x")], params).unwrap();
    assert_eq!(value(&list, "PollSeconds"), "45");
    assert_eq!(value(&list, "pollseconds"), "a name of its own");
    assert_eq!(value(&list, "Token"), "t");
    assert_eq!(value(&list, "Mode1"), "of the column");
    assert!(list.iter().all(|(key, _)| key != "mode1"));
    // The plugin sees the last value of a name.
    let last = |key: &str| &list.iter().rfind(|(k, _)| k == key).unwrap().1;
    assert_eq!(last("Author"), "somebody else");
    assert_eq!(last("DomoticzHash"), "");
}

#[test]
fn a_row_that_a_form_may_hide_need_not_be_given_rule_183() {
    let shown = param("Host", "true", "");
    let hidden = Param {
        visible_when: "Mode1=TCP".to_owned(),
        ..shown.clone()
    };
    assert!(built(&[], vec![shown.clone()]).is_err());
    assert_eq!(value(&built(&[], vec![hidden]).unwrap(), "Host"), "");
    assert!(built(&[("Host", "h")], vec![shown]).is_ok());
}

#[test]
fn a_marked_option_goes_before_the_default_rule_184() {
    let option = |value: &str, default| ParamOption {
        value: value.to_owned(),
        default,
        ..ParamOption::default()
    };
    let list = |marked| Param {
        options: vec![option("a", false), option("b", marked), option("c", marked)],
        ..param("Own", "", "a")
    };
    assert_eq!(value(&built(&[], vec![list(true)]).unwrap(), "Own"), "b");
    assert_eq!(value(&built(&[], vec![list(false)]).unwrap(), "Own"), "a");
}

#[test]
fn mistakes_are_named_with_what_is_valid() {
    let params = || vec![param("Address", "true", ""), param("Mode1", "", "")];
    let error = built(&[("Adress", "x")], params()).unwrap_err().to_string();
    assert_eq!(
        error,
        "hardware `HW`: there is no parameter `Adress`; plugin `K` takes Address, Mode1"
    );
    let error = built(&[], params()).unwrap_err().to_string();
    assert_eq!(
        error,
        "hardware `HW`: parameter `Address` (label of Address) is required by plugin `K`; give it among its \
         `parameters`, or to `cordon run` with `--param Address=VALUE`"
    );
    assert!(built(&[("Address", "")], params()).is_err());
    let error = built(&[("Port", "http")], vec![]).unwrap_err().to_string();
    assert_eq!(
        error,
        "hardware `HW`: parameter `Port` must be a whole number, not `http`"
    );
}

#[test]
fn secrets_do_not_show_in_debug_output() {
    let config = config(
        &[("Password", "hunter2"), ("Mode1", "token")],
        &definition(vec![]),
    )
    .unwrap();
    let shown = format!("{config:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("token") && shown.contains("HW"));
}

#[test]
fn hardware_of_the_api_has_the_defaults_of_the_definition_alone_rule_180() {
    let option = ParamOption {
        value: "marked".to_owned(),
        default: true,
        ..ParamOption::default()
    };
    let list = Param {
        options: vec![option],
        ..param("Kind", "", "")
    };
    let definition = definition(vec![param("Poll", "", "45"), list, param("Token", "", "")]);
    let stored = [("Address", "h"), ("Token", "t"), ("Gone", "x")];
    let stored = stored.map(|(k, v)| (k.to_owned(), v.to_owned())).into();
    let given = stored_parameters(&stored, &definition);
    let given: Vec<_> = given
        .iter()
        .map(|(k, v)| (k.as_str(), v.as_str()))
        .collect();
    let expected = [
        ("Address", "h"),
        ("Kind", ""),
        ("Poll", "45"),
        ("Token", "t"),
    ];
    assert_eq!(given, expected);
}
