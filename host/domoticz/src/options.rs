//! The storage format of device options (behaviour spec 4.3).
//!
//! `key:base64(value)` joined by `;`, sorted by key, without empty values. Devices of sub type 31
//! store the text under `Custom` raw and nothing else. Plugins see the format's consequences (rules
//! 42, 43), so the format is kept.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::kind::CUSTOM;

/// Options as they are stored. A key given twice has its last value.
#[must_use]
pub fn encode(sub_type: i64, options: &[(String, String)]) -> String {
    if sub_type == CUSTOM {
        let mut custom = options.iter().rev().filter(|(key, _)| key == "Custom");
        return custom
            .next()
            .map_or_else(String::new, |(_, text)| text.clone());
    }
    let sorted: BTreeMap<_, _> = options.iter().map(|(key, value)| (key, value)).collect();
    let set = sorted.into_iter().filter(|(_, value)| !value.is_empty());
    let pairs: Vec<_> = set
        .map(|(key, value)| format!("{}:{}", escape(key), BASE64_STANDARD.encode(value)))
        .collect();
    pairs.join(";")
}

/// Options as they are seen. Parts that are not in the format are left out.
#[must_use]
pub fn decode(sub_type: i64, stored: &str) -> Vec<(String, String)> {
    if stored.is_empty() {
        return Vec::new();
    }
    if sub_type == CUSTOM {
        return vec![("Custom".to_owned(), stored.to_owned())];
    }
    let pairs = stored.split(';').filter_map(|pair| {
        // From the right: a key may hold a colon, base64 cannot.
        let (key, value) = pair.rsplit_once(':')?;
        let value = String::from_utf8(BASE64_STANDARD.decode(value).ok()?).ok()?;
        (!value.is_empty()).then(|| (unescape(key), value))
    });
    pairs.collect::<BTreeMap<_, _>>().into_iter().collect()
}

/// A semicolon in a key would end the pair.
fn escape(key: &str) -> String {
    key.replace('%', "%25").replace(';', "%3B")
}

fn unescape(key: &str) -> String {
    key.replace("%3B", ";").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn keys_come_back_sorted_and_empty_values_vanish() {
        let stored = encode(73, &pairs(&[("b", "x"), ("a", "y"), ("c", "")]));
        assert_eq!(stored, "a:eQ==;b:eA==");
        assert_eq!(decode(73, &stored), pairs(&[("a", "y"), ("b", "x")]));
    }

    #[test]
    fn custom_sensors_keep_only_the_raw_custom_text() {
        let stored = encode(31, &pairs(&[("Custom", "1;W"), ("z", "q")]));
        assert_eq!(stored, "1;W");
        assert_eq!(decode(31, &stored), pairs(&[("Custom", "1;W")]));
        assert_eq!(encode(31, &pairs(&[("z", "q")])), "");
        assert_eq!(decode(31, ""), pairs(&[]));
    }

    #[test]
    fn a_key_given_twice_has_its_last_value() {
        assert_eq!(
            decode(1, &encode(1, &pairs(&[("a", "1"), ("a", "2")]))),
            pairs(&[("a", "2")])
        );
        assert_eq!(encode(31, &pairs(&[("Custom", "1"), ("Custom", "2")])), "2");
    }

    #[test]
    fn what_is_not_in_the_format_is_left_out() {
        assert_eq!(
            decode(1, "nonsense;a:!!!;b:eA==;:;c:/w=="),
            pairs(&[("b", "x")])
        );
    }

    proptest::proptest! {
        #[test]
        fn any_options_come_back(map: BTreeMap<String, String>) {
            let options: Vec<_> = map.into_iter().collect();
            let kept: Vec<_> =
                options.iter().filter(|(_, value)| !value.is_empty()).cloned().collect();
            proptest::prop_assert_eq!(decode(73, &encode(73, &options)), kept);
        }

        #[test]
        fn whatever_is_read_of_a_text_is_written_back(text: String, sub_type in 30_i64..33) {
            let read = decode(sub_type, &text);
            proptest::prop_assert_eq!(decode(sub_type, &encode(sub_type, &read)), read);
        }
    }
}
