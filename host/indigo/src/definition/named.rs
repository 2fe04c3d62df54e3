//! Words of definitions and what they stand for.

/// What a word stands for, whatever its case.
pub(super) fn by_name<T: Copy>(names: &[(&str, T)], word: &str) -> Option<T> {
    let mut names = names.iter();
    let found = names.find(|(known, _)| known.eq_ignore_ascii_case(word));
    found.map(|(_, value)| *value)
}

/// The word for something; empty where there is none.
pub(super) fn name_of<T: PartialEq>(names: &[(&'static str, T)], value: &T) -> &'static str {
    let mut names = names.iter();
    let found = names.find(|(_, known)| known == value);
    found.map_or("", |(name, _)| *name)
}
