//! Device colours: strict parsing, one written form (behaviour spec 4.6).
//!
//! "No colour" is the empty text everywhere; a text that cannot be parsed is no colour. The column
//! of a row may hold colour ranges instead, which clients draw and the hub does not read (rule 203).

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};
use serde_json::{Map, Value};

/// Components in the order of the written form; `m` is the colour mode.
const COMPONENTS: [&str; 7] = ["b", "cw", "g", "m", "r", "t", "ww"];

/// Bytes of a text that can be a colour. Longer ones are not read: a JSON text takes many times its
/// size in memory.
const LONGEST: usize = 1024;

/// The written form of a colour, or the empty text (rules 52 and 53).
#[must_use]
pub fn normalise(text: &str) -> String {
    parse(text).unwrap_or_default()
}

/// The text that a row keeps as its colour: a colour in its written form, other JSON as it is, or
/// the empty text (rule 203). The limit `device-text` bounds it.
#[must_use]
pub fn stored(text: &str) -> String {
    #[derive(Deserialize)]
    struct Object {
        #[serde(default, rename = "m")]
        mode: Seen,
    }
    // Neither of the two makes anything of the values, so a long text costs no memory.
    match serde_json::from_str::<Object>(text) {
        // Serde takes a list for an object of fields in order.
        Ok(Object { mode: Seen(true) }) if text.trim_ascii_start().starts_with('{') => {
            normalise(text)
        }
        _ if serde_json::from_str::<IgnoredAny>(text).is_ok() => text.to_owned(),
        _ => String::new(),
    }
}

/// Whether a key is there, whatever its value.
#[derive(Default)]
struct Seen(bool);

impl<'de> Deserialize<'de> for Seen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self(true))
    }
}

fn parse(text: &str) -> Option<String> {
    if text.len() > LONGEST {
        return None;
    }
    let given: Map<String, Value> = serde_json::from_str(text).ok()?;
    if !matches!(given.get("m").and_then(whole), Some(1..=4)) {
        return None;
    }
    let mut written = Map::new();
    for key in COMPONENTS {
        let value = given.get(key).map_or(Some(0), whole)?;
        written.insert(key.to_owned(), Value::from(value.rem_euclid(256)));
    }
    serde_json::to_string(&written).ok()
}

/// A number without its fraction; anything else is no component.
fn whole(value: &Value) -> Option<i64> {
    match value.as_i64() {
        Some(number) => Some(number),
        // A float-to-int cast saturates, it cannot fail.
        None => value.as_f64().map(|number| number as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_is_written_with_all_keys_in_order() {
        let expected = r#"{"b":0,"cw":0,"g":0,"m":3,"r":255,"t":0,"ww":0}"#;
        assert_eq!(normalise(r#"{"m":3,"r":255,"g":0,"b":0}"#), expected);
        assert_eq!(normalise(expected), expected);
    }

    #[test]
    fn components_are_reduced_modulo_256() {
        let expected = r#"{"b":255,"cw":0,"g":1,"m":4,"r":0,"t":7,"ww":0}"#;
        assert_eq!(
            normalise(r#"{"m":4,"r":256,"g":257,"b":-1,"t":7.9}"#),
            expected
        );
    }

    #[test]
    fn what_is_no_colour_is_empty() {
        let junk = [
            "",
            "junk",
            r#"{"m":9}"#,
            r#"{"m":0}"#,
            r#"{"r":1}"#,
            "[]",
            "3",
            r#"{"m":"3"}"#,
        ];
        for text in junk {
            assert_eq!(normalise(text), "", "{text}");
        }
        assert_eq!(normalise(r#"{"m":3,"r":"255"}"#), "");
        assert_eq!(normalise(r#"{"m":3} x"#), "");
        let padded = |blanks: usize| format!("{{\"m\":3{}}}", " ".repeat(blanks));
        assert_ne!(normalise(&padded(LONGEST - 7)), "");
        assert_eq!(normalise(&padded(LONGEST - 6)), "");
    }

    #[test]
    fn a_row_keeps_colour_ranges_as_they_are_rule_203() {
        let ranges = r##"[{"from":0,"to":10,"color":"#00aa00"}]"##;
        let by_reading = r##"{"temp":[{"from":0,"to":20}],"hum":[]}"##;
        for kept in [ranges, by_reading, "[]", "3", "\"x\"", "{}", " [1]"] {
            assert_eq!(stored(kept), kept);
        }
        let long = format!("[{}0]", "0,".repeat(10_000));
        assert_eq!(stored(&long), long);
        let colour = r#"{"b":0,"cw":0,"g":0,"m":3,"r":255,"t":0,"ww":0}"#;
        assert_eq!(stored(r#"{"m":3,"r":255}"#), colour);
        for none in [
            "",
            "junk",
            "[1,]",
            "[1] x",
            r#"{"m":9}"#,
            r#"{"m":null}"#,
            r#"{"m":"3"}"#,
        ] {
            assert_eq!(stored(none), "", "{none}");
        }
        let deep = "[".repeat(10_000);
        assert_eq!(stored(&deep), "");
    }

    proptest::proptest! {
        #[test]
        fn the_written_form_is_stable(r: i64, g: f64, m in -1_i64..6) {
            let text = serde_json::json!({"m": m, "r": r, "g": g}).to_string();
            let once = normalise(&text);
            proptest::prop_assert_eq!(once.is_empty(), !(1..=4).contains(&m));
            proptest::prop_assert_eq!(normalise(&once), once);
        }
    }
}
