//! Tests that `openapi.json` is the API: addresses, methods, fields.

use std::collections::BTreeSet;

use super::*;
use crate::answer::Refusal;
use crate::entry::{LogEntry, LogLevel, LogLine};

fn document() -> Value {
    serde_json::from_str(OPENAPI).unwrap()
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect()
}

#[tokio::test]
async fn the_document_has_the_addresses_and_their_methods() {
    let document = document();
    let routed: BTreeSet<_> = ROUTES.iter().map(|(path, _)| *path).collect();
    assert_eq!(keys(&document["paths"]), routed);
    let site = site();
    for (path, methods) in document["paths"].as_object().unwrap() {
        let filled = path.replace("{name}", "grants").replace("{action}", "stop");
        for method in ["GET", "PUT", "POST", "DELETE", "PATCH"] {
            let answer = site.response(method, &filled, Body::empty()).await;
            let known = methods.get(method.to_ascii_lowercase()).is_some();
            let allowed = answer.status() != StatusCode::METHOD_NOT_ALLOWED;
            assert_eq!(known, allowed, "{method} {path}");
            if known {
                let status = answer.status().as_u16().to_string();
                let told = &methods[method.to_ascii_lowercase()]["responses"];
                assert!(told.get(&status).is_some(), "{method} {path}: {status}");
            }
        }
    }
    assert_eq!(site.get("/cordon/v1/openapi.json").await.1, document);
}

/// Every difference between a value and its description in the document.
fn differences(document: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    if let Some(name) = schema["$ref"].as_str() {
        let schema = document.pointer(name.trim_start_matches('#')).unwrap();
        return differences(document, schema, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let mut choices = choices.iter();
        let fits = choices.any(|it| differences(document, it, value, at).is_empty());
        return if fits {
            Vec::new()
        } else {
            vec![format!("{at}: none fits")]
        };
    }
    let types = &schema["type"];
    let is =
        |kind: &str| types == kind || types.as_array().is_some_and(|it| it.contains(&kind.into()));
    let fits = match value {
        Value::Null => is("null"),
        Value::Bool(_) => is("boolean"),
        Value::Number(_) => is("integer"),
        Value::String(_) => is("string"),
        Value::Array(_) => is("array"),
        Value::Object(_) => is("object"),
    };
    let mut found = Vec::new();
    if !fits {
        found.push(format!("{at}: {value} is no {types}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is none of {words:?}"));
    }
    if let Some(items) = value.as_array() {
        for item in items {
            found.extend(differences(
                document,
                &schema["items"],
                item,
                &format!("{at}[]"),
            ));
        }
    }
    if let (Some(fields), Some(_)) = (value.as_object(), schema.get("properties")) {
        if keys(value) != keys(&schema["properties"]) {
            found.push(format!("{at}: {:?}", keys(value)));
        }
        let required: BTreeSet<_> = schema["required"]
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it.as_str().unwrap())
            .collect();
        if required != keys(&schema["properties"]) {
            found.push(format!("{at}: required"));
        }
        for (name, field) in fields {
            let schema = &schema["properties"][name];
            if schema["description"].as_str().is_none() && schema["$ref"].is_null() {
                found.push(format!("{at}.{name}: no description"));
            }
            found.extend(differences(
                document,
                schema,
                field,
                &format!("{at}.{name}"),
            ));
        }
    }
    found
}

#[test]
fn the_document_has_the_fields_of_the_reports() {
    let document = document();
    let line = LogLine {
        time: 1,
        level: LogLevel::Warning,
        instance: Some("A".to_owned()),
        text: "x".to_owned(),
    };
    let refusal = Refusal {
        error: "e".to_owned(),
        hint: Some("h".to_owned()),
    };
    let changes = Changes {
        started: vec!["A".to_owned()],
        stopped: vec!["B".to_owned()],
        restarted: vec!["C".to_owned()],
        unchanged: 1,
        after_restart: vec!["listen".to_owned()],
        problems: vec![problem()],
    };
    let bare = InstanceReport {
        last_error: None,
        next_start: None,
        ..report("A")
    };
    let samples = [
        ("HubReport", serde_json::to_value(hub_report())),
        ("InstanceReport", serde_json::to_value(report("A"))),
        ("InstanceReport", serde_json::to_value(bare)),
        ("Changes", serde_json::to_value(changes)),
        ("LogLine", serde_json::to_value(line)),
        (
            "Missed",
            serde_json::to_value(LogEntry::Missed { missed: 1 }),
        ),
        ("Refusal", serde_json::to_value(refusal)),
        ("Grants", Ok(json!({"security": true}))),
    ];
    let schemas = &document["components"]["schemas"];
    for (name, sample) in samples {
        let found = differences(&document, &schemas[name], &sample.unwrap(), name);
        assert!(found.is_empty(), "{found:#?}");
    }
    // The comparison finds differences.
    let mut wrong = serde_json::to_value(report("A")).unwrap();
    wrong["state"] = "asleep".into();
    wrong["limits"][0]["used"] = "much".into();
    let found = differences(&document, &schemas["InstanceReport"], &wrong, "");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn the_document_has_the_words_of_states() {
    let document = document();
    let words = |path: &str| document.pointer(path).unwrap().clone();
    let fields = "/components/schemas/InstanceReport/properties";
    let states = [
        Phase::Starting,
        Phase::Running,
        Phase::Restarting,
        Phase::Parked,
        Phase::Stopped,
        Phase::Unloaded,
    ];
    let health = [Health::Fine, Health::RaisedInStart, Health::Raising];
    let sources = [Source::Configuration, Source::Api];
    assert_eq!(words(&format!("{fields}/state/enum")), json!(states));
    assert_eq!(words(&format!("{fields}/health/enum")), json!(health));
    assert_eq!(words(&format!("{fields}/source/enum")), json!(sources));
    let actions = [Action::Start, Action::Stop, Action::Restart, Action::Reload];
    let path = "/paths/~1cordon~1v1~1instances~1{name}~1{action}/post/parameters/1/schema/enum";
    assert_eq!(words(path), json!(actions));
}
