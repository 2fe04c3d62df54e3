//! Names of instances in addresses, and those that somebody may have meant.

use cordon_base::log::one_line;

use crate::operator::OperatorError;

/// Names that are proposed.
const PROPOSED: usize = 3;

/// Characters of a name that are compared.
const COMPARED: usize = 64;

/// The error about a name that no instance has.
pub fn missing<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> OperatorError {
    let near: Vec<_> = near(wanted, names)
        .into_iter()
        .map(|name| format!("`{}`", one_line(name)))
        .collect();
    let advice = match near.as_slice() {
        [] => "`cordon ps` lists them".to_owned(),
        near => format!("did you mean {}?", near.join(" or ")),
    };
    let wanted: String = wanted.chars().take(COMPARED).collect();
    let wanted = one_line(&wanted);
    OperatorError::Missing(format!("there is no instance `{wanted}`; {advice}"))
}

/// The names that are nearest to this one, at most three.
pub fn near<'a>(wanted: &str, names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = letters(wanted);
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| Some((distance(&wanted, &letters(name))?, name)))
        .collect();
    // Sorting keeps the order of equals.
    found.sort_by_key(|(distance, _)| *distance);
    found.truncate(PROPOSED);
    found.into_iter().map(|(_, name)| name).collect()
}

fn letters(name: &str) -> Vec<char> {
    let letters = name.chars().flat_map(char::to_lowercase);
    letters
        .filter(|c| c.is_alphanumeric())
        .take(COMPARED)
        .collect()
}

/// How far two names are apart; `None` when nobody would mistake one for the other.
fn distance(one: &[char], other: &[char]) -> Option<usize> {
    let part = |whole: &[char], part: &[char]| {
        part.len() > 1 && whole.windows(part.len()).any(|it| it == part)
    };
    if one == other {
        return Some(0);
    }
    if part(one, other) || part(other, one) {
        return Some(1);
    }
    let edits = edits(one, other);
    (edits <= one.len().max(other.len()) / 3).then(|| edits.saturating_add(1))
}

/// How many letters have to be put in, taken out or exchanged.
fn edits(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in (1_usize..).zip(one) {
        let mut left = above;
        let mut diagonal = above.saturating_sub(1);
        let mut next = vec![left];
        for (old, against) in row.iter().skip(1).zip(other) {
            let exchanged = diagonal.saturating_add(usize::from(letter != against));
            left = exchanged
                .min(left.saturating_add(1))
                .min(old.saturating_add(1));
            diagonal = *old;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

/// A name as one part of an address: every other character than letters, digits, `-` and `_` is
/// written as bytes in hexadecimal digits.
#[must_use]
pub fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(byte)),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAMES: [&str; 4] = ["Living room", "Kitchen", "Heating", "Lamps"];

    #[test]
    fn names_that_somebody_may_have_meant_are_told() {
        for (wanted, expected) in [
            ("living-room", &["Living room"][..]),
            ("kitchen", &["Kitchen"]),
            ("Kichten", &["Kitchen"]),
            ("lamp", &["Lamps"]),
            ("Heatnig", &["Heating"]),
            ("Garage", &[]),
            ("", &[]),
        ] {
            assert_eq!(near(wanted, NAMES), expected, "{wanted}");
        }
        let told = missing("Kichten", NAMES).to_string();
        assert_eq!(
            told,
            "there is no instance `Kichten`; did you mean `Kitchen`?"
        );
        let told = missing("x\x1b[2J", NAMES).to_string();
        assert_eq!(
            told,
            "there is no instance `x\\x1b[2J`; `cordon ps` lists them"
        );
        let many = ["aa1", "aa2", "aa3", "aa4"];
        assert_eq!(near("aa", many), ["aa1", "aa2", "aa3"]);
    }

    #[test]
    fn the_letters_to_change_are_counted() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "ab", 2),
            ("ab", "", 2),
            ("kitten", "sitting", 3),
        ] {
            let [one, other] = [one, other].map(|it| it.chars().collect::<Vec<_>>());
            assert_eq!(edits(&one, &other), expected);
        }
    }

    #[test]
    fn a_name_is_one_part_of_an_address() {
        assert_eq!(encoded("A/b ü?.."), "A%2Fb%20%C3%BC%3F%2E%2E");
    }
}
