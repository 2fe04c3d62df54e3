//! The values of limits as an operator writes and reads them: `128 MiB`, `10 s`, `32`.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// Words for bytes, the largest first.
const BYTES: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// Words for milliseconds, the largest first.
const TIME: [(&str, u64); 4] = [("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];

/// A value as it stands in a file or an argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amount {
    /// A number, in the limit's unit.
    Number(u64),
    /// A number with a word for its unit.
    Text(String),
}

impl Amount {
    /// The value in the limit's own unit, `unit`.
    ///
    /// # Errors
    ///
    /// The words that are expected instead.
    pub fn of(&self, unit: &str) -> Result<u64, String> {
        match self {
            Self::Number(number) => Ok(*number),
            Self::Text(text) => parse(text, unit).ok_or_else(|| expected(text, unit)),
        }
    }
}

impl From<u64> for Amount {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for Amount {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AmountVisitor)
    }
}

struct AmountVisitor;

impl Visitor<'_> for AmountVisitor {
    type Value = Amount;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or one with its unit such as \"128 MiB\" or \"10 s\"")
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Amount, E> {
        let number = u64::try_from(number)
            .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))?;
        Ok(Amount::Number(number))
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Amount, E> {
        Ok(Amount::Number(number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Amount, E> {
        Ok(Amount::from(text))
    }
}

/// The words for a unit of the table of limits.
fn words(unit: &str) -> &'static [(&'static str, u64)] {
    match unit {
        "bytes" => &BYTES,
        "milliseconds" => &TIME,
        _ => &[],
    }
}

fn parse(text: &str, unit: &str) -> Option<u64> {
    let text = text.trim();
    let end = text
        .find(|letter: char| !letter.is_ascii_digit())
        .unwrap_or(text.len());
    let (number, word) = text.split_at_checked(end)?;
    let number: u64 = number.parse().ok()?;
    let word = word.trim_start();
    if word.is_empty() {
        return Some(number);
    }
    let (_, factor) = words(unit)
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word))?;
    number.checked_mul(*factor)
}

fn expected(text: &str, unit: &str) -> String {
    let known: Vec<_> = words(unit).iter().rev().map(|(word, _)| *word).collect();
    let shown: String = text.chars().take(40).collect();
    match known.is_empty() {
        true => format!("{shown:?} is no whole number of {unit}"),
        false => format!(
            "{shown:?} is no amount of {unit}; write a whole number, alone or with {}",
            known.join(", ")
        ),
    }
}

/// The largest word that a value is a whole number of.
fn split(name: &str, value: u64) -> (u64, &'static str) {
    let declared = super::DECLARATIONS.iter().find(|it| it.name == name);
    let words = declared.map_or(&[][..], |it| words(it.unit));
    let fits = |(_, factor): &&(&str, u64)| value != 0 && value.is_multiple_of(*factor);
    match words.iter().find(fits) {
        Some((word, factor)) => (value / factor, word),
        None => (value, ""),
    }
}

/// The value of the limit `name` as TOML.
#[must_use]
pub fn toml(name: &str, value: u64) -> String {
    match split(name, value) {
        (number, "") => number.to_string(),
        (number, word) => format!("\"{number} {word}\""),
    }
}

/// The value of the limit `name` as one word.
#[must_use]
pub fn word(name: &str, value: u64) -> String {
    let (number, word) = split(name, value);
    format!("{number}{word}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_a_number_alone_or_with_its_unit() {
        let of = |text: &str, unit| Amount::from(text).of(unit);
        assert_eq!(of("128 MiB", "bytes"), Ok(128 << 20));
        assert_eq!(of("128MiB", "bytes"), Ok(128 << 20));
        assert_eq!(of("1 gib", "bytes"), Ok(1 << 30));
        assert_eq!(of(" 77 ", "bytes"), Ok(77));
        assert_eq!(of("10 s", "milliseconds"), Ok(10_000));
        assert_eq!(of("2min", "milliseconds"), Ok(120_000));
        assert_eq!(of("32", "threads"), Ok(32));
        assert_eq!(Amount::from(5).of("bytes"), Ok(5));
        for (text, unit) in [
            ("10 s", "bytes"),
            ("1 MiB", "milliseconds"),
            ("3 s", "threads"),
            ("", "bytes"),
            ("-1 s", "milliseconds"),
            ("1.5 s", "milliseconds"),
            ("é", "bytes"),
            ("99999999999 GiB", "bytes"),
        ] {
            assert!(of(text, unit).is_err(), "{text} {unit}");
        }
        let said = of("10 parsec", "milliseconds").unwrap_err();
        assert!(said.contains("alone or with ms, s, min, h"), "{said}");
    }

    #[test]
    fn a_value_is_written_in_the_largest_unit_that_it_is_whole_in() {
        assert_eq!(toml("memory", 128 << 20), "\"128 MiB\"");
        assert_eq!(toml("memory", (128 << 20) + 1), "\"134217729 B\"");
        assert_eq!(toml("callback-cpu", 20_000), "\"20 s\"");
        assert_eq!(word("callback-cpu", 1500), "1500ms");
        assert_eq!(toml("threads", 32), "32");
        for declared in super::super::DECLARATIONS {
            let word = word(declared.name, declared.default);
            let read = Amount::from(word.as_str()).of(declared.unit);
            assert_eq!(read, Ok(declared.default), "{}", declared.name);
        }
    }
}
