//! An amount of bytes in the words of the operator.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

/// The units and their bytes, the largest first.
const UNITS: [(&str, u64); 4] = [
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("B", 1),
];

/// An amount of bytes: in a file a number of bytes, or a text such as `10 MiB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub u64);

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected a number of bytes, or a text such as `10 MiB`".to_owned();
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit());
        let (number, unit) = text.split_at(end.unwrap_or(text.len()));
        let unit = unit.trim();
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let mut units = UNITS.iter();
        let factor = match unit {
            "" => 1,
            unit => {
                units
                    .find(|(name, _)| name.eq_ignore_ascii_case(unit))
                    .ok_or_else(wrong)?
                    .1
            }
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    /// In the largest unit in which it is a whole number.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = |factor: u64| self.0 >= factor && self.0.is_multiple_of(factor);
        let unit = UNITS.iter().find(|(_, factor)| whole(*factor));
        let (name, factor) = unit.unwrap_or(&("B", 1));
        write!(f, "{} {name}", self.0 / factor)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;

        impl Visitor<'_> for Words {
            type Value = Size;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of bytes, or a text such as \"10 MiB\"")
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Size, E> {
                let number = u64::try_from(number);
                number.map(Size).map_err(|_| E::custom("it is below zero"))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Size, E> {
                Ok(Size(number))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Size, E> {
                text.parse().map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Words)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_numbers_or_texts_with_a_unit() {
        #[derive(Debug, Deserialize)]
        struct Section {
            size: Size,
        }
        let read = |value: &str| toml::from_str::<Section>(&format!("size = {value}"));
        for (value, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("'4096'", 4096),
            ("'10 MiB'", 10 << 20),
            ("'10MiB'", 10 << 20),
            ("' 3 B '", 3),
            ("'1 KiB'", 1024),
            ("'2 gib'", 2 << 30),
        ] {
            assert_eq!(read(value).unwrap().size, Size(bytes), "{value}");
        }
        for value in [
            "-1",
            "'10 MB'",
            "'MiB'",
            "''",
            "'1.5 MiB'",
            "'-1 B'",
            "'99999999999 GiB'",
            "true",
        ] {
            let refused = read(value).unwrap_err().to_string();
            assert!(
                refused.contains("10 MiB") || refused.contains("below zero"),
                "{refused}"
            );
        }
        for text in ["0 B", "1023 B", "10 MiB", "1024 GiB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
    }
}
