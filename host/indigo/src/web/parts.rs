//! The parts of a request, decoded within bounds.

use axum::http::Uri;
use serde_json::{Map, Value};

/// Longest query in bytes.
pub(super) const MAX_QUERY: usize = 8192;
/// Most names of a query or form.
const MAX_PAIRS: usize = 1000;
/// Most parts of a path.
const MAX_PARTS: usize = 64;

/// The pairs of a query.
pub(super) fn query_pairs(uri: &Uri) -> Result<Vec<(String, String)>, String> {
    let query = uri.query().unwrap_or("");
    if query.len() > MAX_QUERY {
        return Err(format!(
            "the query has {} bytes, {MAX_QUERY} are allowed",
            query.len()
        ));
    }
    pairs(query)
}

/// The pairs of a query or of a form.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        if found.len() >= MAX_PAIRS {
            return Err(format!("more than {MAX_PAIRS} names and values"));
        }
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        found.push((decoded(name, true)?, decoded(value, true)?));
    }
    Ok(found)
}

/// Pairs as a dictionary. A name that comes several times has a list.
pub(super) fn dictionary(pairs: Vec<(String, String)>) -> Map<String, Value> {
    let mut found = Map::new();
    for (name, value) in pairs {
        let value = Value::String(value);
        match found.get_mut(&name) {
            None => {
                found.insert(name, value);
            }
            Some(Value::Array(values)) => values.push(value),
            Some(first) => *first = Value::Array(vec![first.take(), value]),
        }
    }
    found
}

/// The parts of a path behind a prefix of so many parts, without empty ones.
pub(super) fn path_parts(path: &str, skip: usize) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let parts = path.split('/').filter(|part| !part.is_empty()).skip(skip);
    for part in parts {
        if found.len() >= MAX_PARTS {
            return Err(format!("more than {MAX_PARTS} parts in the path"));
        }
        found.push(decoded(part, false)?);
    }
    Ok(found)
}

/// Text with its percent signs resolved. `plus` makes plus signs blanks.
fn decoded(text: &str, plus: bool) -> Result<String, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
                let high = digit(rest.next());
                let low = digit(rest.next());
                let value = high
                    .zip(low)
                    .and_then(|(high, low)| u8::try_from(high * 16 + low).ok());
                bytes.push(value.ok_or("`%` must be followed by two hexadecimal digits")?);
            }
            b'+' if plus => bytes.push(b' '),
            other => bytes.push(other),
        }
    }
    String::from_utf8(bytes).map_err(|_| "the address is not UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn pairs_are_decoded_and_repeated_names_are_lists() {
        let found = pairs("a=1&b=x%20y+z&a=2&c&&a=3&%C3%A4=%3D").unwrap();
        let expected = json!({"a": ["1", "2", "3"], "b": "x y z", "c": "", "\u{e4}": "="});
        assert_eq!(Value::Object(dictionary(found)), expected);
        assert!(pairs("a=%G0").is_err() && pairs("a=%4").is_err() && pairs("%FF").is_err());
        assert!(pairs(&"a&".repeat(MAX_PAIRS + 1)).is_err());
    }

    #[test]
    fn path_parts_keep_what_is_encoded_in_them() {
        let found = path_parts("/message/p/a/x%2Fy//z+1/", 3).unwrap();
        assert_eq!(found, ["x/y", "z+1"]);
        assert!(path_parts("/message", 3).unwrap().is_empty());
        assert!(path_parts(&"/x".repeat(MAX_PARTS + 1), 0).is_err());
    }

    proptest! {
        #[test]
        fn decoding_makes_no_text_longer(text in "(.|%[0-9a-f]{2}|[&=/+]){0,100}") {
            if let Ok(found) = pairs(&text) {
                let lengths = found.iter().map(|(name, value)| name.len() + value.len());
                prop_assert!(lengths.sum::<usize>() <= text.len());
            }
            if let Ok(found) = path_parts(&text, 1) {
                prop_assert!(found.iter().map(String::len).sum::<usize>() <= text.len());
                prop_assert!(!found.iter().any(String::is_empty));
            }
        }
    }
}
