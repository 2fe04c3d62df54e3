//! Tests of the file of preferences.

use super::*;
use serde_json::json;

fn sample() -> Map<String, Value> {
    let sample = json!({
        "_last": "a <b> & \"c\"\r\n",
        "on": true, "count": -3, "ratio": 1.5, "empty": "",
        "nested": {"list": ["x", 1, [false]], "none": {}},
    });
    sample.as_object().unwrap().clone()
}

#[test]
fn what_is_written_is_read_again() {
    let text = write(&sample());
    assert_eq!(parse(text.as_bytes()).unwrap(), sample());
}

#[test]
fn a_file_of_the_original_is_read() {
    let text = br#"<?xml version="1.0" encoding="UTF-8"?>
<Prefs type="dict">
    <address type="string">10.0.0.5</address>
    <debug type="bool">false</debug>
    <port type="integer">8080</port>
    <untyped>text</untyped>
    <rooms type="vector"><Item type="string">hall</Item></rooms>
</Prefs>"#;
    let wanted = json!({"address": "10.0.0.5", "debug": false, "port": 8080,
            "untyped": "text", "rooms": ["hall"]});
    assert_eq!(Value::Object(parse(text).unwrap()), wanted);
}

#[test]
fn a_wrong_file_is_refused_and_put_aside() {
    for text in [
        "",
        "<Prefs>",
        "<Other/>",
        "<Prefs><a type=\"integer\">x</a></Prefs>",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
    let deep = "<Prefs>".to_owned() + &"<a type=\"dict\">".repeat(10_000);
    assert!(parse(deep.as_bytes()).is_err());
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "p", &sample(), 1000).unwrap();
    let file = folder.path().join(PREFERENCES).join("p.indiPref");
    std::fs::write(&file, "junk").unwrap();
    assert!(load(folder.path(), "p", 1000).is_err());
    assert!(load(folder.path(), "p", 1000).unwrap().is_empty());
    assert!(file.with_extension("indiPref.damaged").exists());
}

#[test]
fn a_saved_file_is_loaded() {
    let folder = tempfile::tempdir().unwrap();
    assert!(load(folder.path(), "p", 1000).unwrap().is_empty());
    save(folder.path(), "p", &sample(), 1000).unwrap();
    save(folder.path(), "p", &sample(), 1000).unwrap();
    assert_eq!(load(folder.path(), "p", 1000).unwrap(), sample());
}

#[test]
fn what_could_not_be_read_again_is_not_written() {
    let folder = tempfile::tempdir().unwrap();
    save(folder.path(), "p", &sample(), 1000).unwrap();
    let many: Vec<Value> = (0..VALUES).map(Value::from).collect();
    for refused in [json!({"t": "&".repeat(1000)}), json!({ "t": many })] {
        let refused = refused.as_object().unwrap();
        let written = Written::of(refused);
        assert_eq!(written.bytes, count(write(refused).len()));
        assert!(written.bytes > longest(1000) || written.has_too_many());
        assert!(save(folder.path(), "p", refused, 1000).is_err());
        assert_eq!(load(folder.path(), "p", 1000).unwrap(), sample());
    }
    let large = json!({"most": u64::MAX, "least": i64::MIN, "text": " \t\n\u{7}x"});
    save(folder.path(), "p", large.as_object().unwrap(), 1000).unwrap();
    let kept = json!({"most": u64::MAX, "least": i64::MIN, "text": " \t\nx"});
    assert_eq!(Value::Object(load(folder.path(), "p", 1000).unwrap()), kept);
}

#[test]
fn a_link_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), folder.path().join("Preferences")).unwrap();
    assert!(save(folder.path(), "p", &sample(), 1000).is_err());
    assert!(load(folder.path(), "p", 1000).is_err());
    assert!(
        std::fs::read_dir(elsewhere.path())
            .unwrap()
            .next()
            .is_none()
    );
}
