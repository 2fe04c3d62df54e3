//! The fingerprint of a folder: another one when a file in it was added, removed or written.
//!
//! Looks at names, sizes and times, never into a file. Compiled files of Python are left out: a
//! plugin that is only run has changed nothing.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Entries that are looked at; what comes after them in a folder counts for nothing.
pub const ENTRIES: usize = 5000;

/// How deep folders are looked into.
const DEPTH: usize = 16;

/// A folder that holds nothing but compiled files.
const COMPILED: &str = "__pycache__";

/// The fingerprint of a folder, or of a single file. Links are not followed below it.
#[must_use]
pub fn of(path: &Path) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut left = ENTRIES;
    if let Ok(metadata) = path.metadata() {
        mark(&mut hasher, &metadata);
    }
    look(path, DEPTH, &mut left, &mut hasher);
    hasher.finish()
}

fn look(folder: &Path, depth: usize, left: &mut usize, hasher: &mut DefaultHasher) {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return;
    };
    // In an order of its own, whatever the system's is; no more than may be looked at.
    let mut names: Vec<_> = entries
        .take(*left)
        .flatten()
        .map(|entry| entry.file_name())
        .filter(|name| name != COMPILED)
        .collect();
    names.sort();
    *left = left.saturating_sub(names.len());
    for name in names {
        let path = folder.join(&name);
        let Ok(metadata) = path.symlink_metadata() else {
            continue;
        };
        name.hash(hasher);
        if metadata.is_dir() {
            // The time of a folder changes with files in it that do not count.
            if depth > 0 {
                look(&path, depth - 1, left, hasher);
            }
        } else {
            mark(hasher, &metadata);
        }
    }
}

fn mark(hasher: &mut DefaultHasher, metadata: &std::fs::Metadata) {
    if metadata.is_dir() {
        return;
    }
    (metadata.ino(), metadata.size()).hash(hasher);
    (metadata.mtime(), metadata.mtime_nsec()).hash(hasher);
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn it_changes_with_a_file_and_not_with_compiled_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("a/b")).unwrap();
        std::fs::write(path("a/b/plugin.py"), "1").unwrap();
        let mut seen = vec![of(folder.path())];
        assert_eq!(of(folder.path()), seen[0]);
        std::fs::create_dir_all(path("a/__pycache__")).unwrap();
        std::fs::write(path("a/__pycache__/x.pyc"), "1").unwrap();
        assert_eq!(of(folder.path()), seen[0]);
        std::fs::write(path("a/b/plugin.py"), "22").unwrap();
        seen.push(of(folder.path()));
        std::fs::write(path("a/other"), "").unwrap();
        seen.push(of(folder.path()));
        std::fs::remove_file(path("a/b/plugin.py")).unwrap();
        seen.push(of(folder.path()));
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count);
    }

    #[test]
    fn a_folder_with_too_many_files_is_looked_at_in_part() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..ENTRIES + 10 {
            std::fs::write(folder.path().join(number.to_string()), "").unwrap();
        }
        let mut left = ENTRIES;
        look(folder.path(), DEPTH, &mut left, &mut DefaultHasher::new());
        assert_eq!(left, 0);
    }

    #[test]
    fn a_single_file_has_one_and_what_is_not_there_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plugin.py");
        let none = of(&path);
        std::fs::write(&path, "1").unwrap();
        assert_ne!(of(&path), none);
    }
}
