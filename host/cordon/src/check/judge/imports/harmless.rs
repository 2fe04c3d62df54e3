//! Imports that fail and do no harm, as the code around them tells.

use crate::check::facts::{Facts, Import, Probe};
use crate::check::library;
use cordon_packages::known;

/// Whether nothing is to be said of a failed import.
///
/// It stands where nothing comes by, another one takes its place, or it is the first of
/// two and the second is the one that counts. `worked` tells of each import.
pub(super) fn is_harmless(
    import: &Import,
    facts: &Facts,
    probe: &Probe,
    worked: impl Fn(&Import) -> bool,
) -> bool {
    // The file was run to its end, so its own level has no import that fails uncaught:
    // this one is in a branch for another interpreter or platform.
    let passed_by = !import.late && !import.guarded && probe.ran.contains(&import.file);
    let old = import.module.split('.').next().unwrap_or_default();
    let caught_old = import.guarded && library::successor(old).is_some();
    passed_by
        || caught_old
        || import.guarded && is_bundled(import)
        || is_replaced(import, facts)
        || is_replacement(import, facts, worked)
}

/// Whether it stands in a package of others that came with the plugin.
pub(super) fn is_bundled(import: &Import) -> bool {
    let folder = import.file.split_once('/').map(|(top, _)| top);
    import.bundled || folder.is_some_and(|top| known::by_module(top).is_some())
}

/// Whether the handler of its failure imports something else by the same name.
fn is_replaced(import: &Import, facts: &Facts) -> bool {
    import.tried.is_some()
        && facts
            .imports
            .iter()
            .any(|it| it.fallback == import.tried && it.binds == import.binds)
}

/// Whether it would be imported only if another one had failed, which it has not.
fn is_replacement(import: &Import, facts: &Facts, worked: impl Fn(&Import) -> bool) -> bool {
    if import.fallback.is_none() {
        return false;
    }
    let mut first = facts
        .imports
        .iter()
        .filter(|it| it.tried == import.fallback && it.binds == import.binds)
        .peekable();
    first.peek().is_some() && first.all(worked)
}
