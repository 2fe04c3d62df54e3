//! Compiled code of plugins, kept by the hash of its source and of the guest.
//!
//! Files under the hub's data folder, each with a checksum. What cannot be read is
//! as good as missing; what cannot be written is compiled again at the next start.
//! The content comes from the runtime before any line of a plugin has run (see
//! `capability::code`), so instances of different owners may share it.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::engine::artifact::hex;

/// Entries that are kept; the oldest go first. A big hub has some hundred plugins.
const ENTRIES: usize = 1024;

/// Bytes of a checksum in front of an entry.
const CHECKSUM: usize = 32;

/// The cache of one hub and one guest. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CodeCache {
    folder: PathBuf,
}

impl CodeCache {
    /// The cache in this data folder for the guest with this digest.
    #[must_use]
    pub fn new(data: &Path, guest: &str) -> Self {
        Self {
            folder: data.join("code").join(guest),
        }
    }

    /// The compiled form of this `plugin.py`, if it is there and whole.
    #[must_use]
    pub fn find(&self, plugin: &Path) -> Option<Vec<u8>> {
        let source = std::fs::read(plugin).ok()?;
        let entry = std::fs::read(self.folder.join(hex(&Sha256::digest(source)))).ok()?;
        let (checksum, code) = entry.split_at_checked(CHECKSUM)?;
        (checksum == Sha256::digest(code).as_slice()).then(|| code.to_vec())
    }

    /// Keeps a compiled form. Returns at once; it is written in the background.
    pub fn keep(&self, source_hash: &str, code: Vec<u8>) {
        let is_hash = source_hash.len() == 64
            && source_hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash {
            return;
        }
        let path = self.folder.join(source_hash);
        let cache = self.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = cache.write(&path, &code) {
                tracing::warn!(%error, "compiled code is not kept");
            }
        });
    }

    fn write(&self, path: &Path, code: &[u8]) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let mut entry = Sha256::digest(code).to_vec();
        entry.extend_from_slice(code);
        // A name of its own per writer: two instances may compile the same source.
        let unique = format!("tmp-{:?}", std::thread::current().id());
        let temporary = path.with_extension(unique);
        std::fs::write(&temporary, entry)?;
        std::fs::rename(&temporary, path)?;
        self.prune()
    }

    fn prune(&self) -> std::io::Result<()> {
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            entries.push((entry.metadata()?.modified()?, entry.path()));
        }
        if entries.len() <= ENTRIES {
            return Ok(());
        }
        entries.sort();
        let surplus = entries.len() - ENTRIES;
        for (_, path) in entries.into_iter().take(surplus) {
            std::fs::remove_file(path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn kept() -> (tempfile::TempDir, CodeCache, PathBuf, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let cache = CodeCache::new(folder.path(), "g");
        let plugin = folder.path().join("plugin.py");
        std::fs::write(&plugin, "source").unwrap();
        let entry = cache.folder.join(hex(&Sha256::digest("source")));
        cache.write(&entry, b"code").unwrap();
        (folder, cache, plugin, entry)
    }

    #[test]
    fn an_entry_is_found_by_its_source_only() {
        let (_folder, cache, plugin, _) = kept();
        assert_eq!(cache.find(&plugin).as_deref(), Some(&b"code"[..]));
        std::fs::write(&plugin, "other source").unwrap();
        assert_eq!(cache.find(&plugin), None);
    }

    #[test]
    fn a_damaged_entry_is_as_good_as_missing() {
        let (_folder, cache, plugin, entry) = kept();
        let mut bytes = std::fs::read(&entry).unwrap();
        bytes.push(0);
        std::fs::write(&entry, bytes).unwrap();
        assert_eq!(cache.find(&plugin), None);
    }

    #[test]
    fn the_oldest_entries_go_first() {
        let (_folder, cache, _, first) = kept();
        let old = std::time::SystemTime::UNIX_EPOCH;
        let file = std::fs::File::options().write(true).open(&first).unwrap();
        file.set_modified(old).unwrap();
        for n in 0..ENTRIES {
            std::fs::write(cache.folder.join(format!("{n}")), "").unwrap();
        }
        cache.prune().unwrap();
        assert!(!first.exists());
        assert_eq!(std::fs::read_dir(&cache.folder).unwrap().count(), ENTRIES);
    }
}
