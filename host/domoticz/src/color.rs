//! Device colours: strict parsing, one written form (behaviour spec 4.6).
//!
//! "No colour" is the empty text everywhere; a text that cannot be parsed is no colour.

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
