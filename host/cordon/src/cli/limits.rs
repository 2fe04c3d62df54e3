//! `cordon limits --markdown`: the tables of all limits and bounds.

use cordon_base::{bounds, limits};

/// All tables as Markdown, for `docs/limits.md`.
pub(super) fn markdown() -> String {
    let mut text = limits::markdown();
    text.push_str(&cordon_indigo::bounds::markdown());
    text.push_str(&bounds::markdown());
    text
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_is_the_table() {
        let documented = std::fs::read_to_string("../../docs/limits.md").unwrap();
        assert_eq!(
            documented,
            markdown(),
            "run `cordon limits --markdown > docs/limits.md`"
        );
    }
}
