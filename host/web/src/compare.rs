//! Comparing secrets.

/// Whether two are the same, in a time that does not depend on where they differ.
pub fn same(one: &[u8], other: &[u8]) -> bool {
    let pairs = one.iter().zip(other);
    let differences = pairs.fold(0, |bits, (one, other)| bits | (one ^ other));
    (one.len() == other.len()) & (std::hint::black_box(differences) == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_and_the_length_count() {
        assert!(same(b"", b"") && same(b"abc", b"abc"));
        for other in [&b"abd"[..], b"bbc", b"ab", b"abcd", b""] {
            assert!(!same(b"abc", other) && !same(other, b"abc"), "{other:?}");
        }
    }
}
