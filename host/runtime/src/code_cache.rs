//! Compiled code of plugins, kept by the hash of its source and of the guest.
//!
//! Files under the hub's data folder, each with a checksum. An entry that cannot be read is as good
//! as missing; code that cannot be written is compiled again at the next start. Of several starts
//! with the same source one compiles it, and the others wait for that. The content comes from the
//! runtime before any line of a plugin has run (see `capability::code`), so instances of different
//! owners may share it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use cordon_base::account::Account;
use cordon_base::bounds::SOURCE_BYTES;
use cordon_base::hex::hex;
use cordon_base::pool::Pool;
use cordon_base::regular_file::RegularFile;
use cordon_base::turns::{Turn, Turns};

/// Entries that are kept; the oldest go first. A big hub has some hundred plugins.
const ENTRIES: usize = 1024;

/// Most bytes of an entry: compiled code is a few times as long as its source.
const ENTRY_BYTES: usize = 8 * SOURCE_BYTES;

/// Bytes of a checksum in front of an entry.
const CHECKSUM: usize = 32;

/// How long a start waits for another to compile the same source. The other start may have a small
/// share of the processor, and its plugin a long source.
const PATIENCE: Duration = Duration::from_secs(2);

/// The cache of one hub and one guest. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CodeCache {
    folder: PathBuf,
    turns: Turns,
}

/// The state of the compiled form of a `plugin.py`.
#[derive(Debug)]
pub enum Sought {
    /// The compiled form of the source.
    Found(Vec<u8>),
    /// Nothing, and the turn to compile it; no turn without a source.
    Missing(Option<Turn>),
    /// Nothing yet: another start compiles it, until this ends.
    UnderWay(watch::Receiver<()>),
}

/// The place where one start may put the code that it compiles.
#[derive(Debug)]
pub struct Compilation {
    cache: CodeCache,
    turn: Option<Turn>,
}

impl CodeCache {
    /// The cache in this data folder for the guest with this digest.
    #[must_use]
    pub fn new(data: &Path, guest: &str) -> Self {
        Self {
            folder: data.join("code").join(guest),
            turns: Turns::default(),
        }
    }

    /// Looks for the compiled form of this `plugin.py`. Blocks for the time of reading it. A source
    /// is not looked for when it is no regular file, or larger than a file that is run may be.
    #[must_use]
    pub fn seek(&self, plugin: &Path) -> Sought {
        let Ok(hash) = hash_of(plugin) else {
            return Sought::Missing(None);
        };
        if let Some(code) = self.read(&hash) {
            return Sought::Found(code);
        }
        let turn = match self.turns.take(&hash) {
            Ok(turn) => turn,
            Err(end) => return Sought::UnderWay(end),
        };
        // The start that had the turn before may have ended since.
        match self.read(&hash) {
            Some(code) => Sought::Found(code),
            None => Sought::Missing(Some(turn)),
        }
    }

    /// Waits for the start that compiles the same source, if there is one: a hundred that
    /// begin together compile it once. Not for longer than two seconds.
    pub async fn settle(
        &self,
        mut sought: Sought,
        plugin: &Path,
        pool: &Pool,
        account: &Arc<Account>,
    ) -> (Option<Vec<u8>>, Compilation) {
        let until = Instant::now() + PATIENCE;
        let (code, turn) = loop {
            let mut end = match sought {
                Sought::Found(code) => break (Some(code), None),
                Sought::Missing(turn) => break (None, turn),
                Sought::UnderWay(end) => end,
            };
            // Nothing is ever sent: the wait ends when the sender is gone.
            if timeout_at(until, end.changed()).await.is_err() {
                break (None, None);
            }
            let (cache, plugin) = (self.clone(), plugin.to_owned());
            let again = pool.run(account, move || cache.seek(&plugin)).await;
            sought = again.unwrap_or(Sought::Missing(None));
        };
        let cache = self.clone();
        (code, Compilation { cache, turn })
    }

    fn read(&self, hash: &str) -> Option<Vec<u8>> {
        let file = RegularFile::open_no_link(&self.folder.join(hash)).ok()?;
        let entry = file.whole(ENTRY_BYTES).ok()?;
        let (checksum, code) = entry.split_at_checked(CHECKSUM)?;
        (checksum == Sha256::digest(code).as_slice()).then(|| code.to_vec())
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

impl Compilation {
    /// Keeps a compiled form. Returns at once; the file is written in the background, and the turn
    /// ends with that.
    pub fn keep(self, source_hash: &str, code: Vec<u8>) {
        let is_hash = source_hash.len() == 64
            && source_hash
                .bytes()
                .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        if !is_hash {
            return;
        }
        let path = self.cache.folder.join(source_hash);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = self.cache.write(&path, &code) {
                tracing::warn!(%error, "compiled code is not kept");
            }
            drop(self.turn);
        });
    }
}

/// The hash of a source. It is read in pieces, so a large one takes no memory.
fn hash_of(source: &Path) -> std::io::Result<String> {
    let file = RegularFile::open(source)?;
    let most = u64::try_from(SOURCE_BYTES).unwrap_or(u64::MAX);
    let large = || std::io::Error::other(format!("it has more than {most} bytes"));
    if file.size() > most {
        return Err(large());
    }
    let mut hash = Sha256::new();
    let mut pieces = file.take(most.saturating_add(1));
    let mut piece = vec![0; 64 << 10];
    loop {
        match pieces.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => hash.update(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    match pieces.limit() {
        0 => Err(large()),
        _ => Ok(hex(&hash.finalize())),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    async fn settle(
        cache: &CodeCache,
        sought: Sought,
        plugin: &Path,
    ) -> (Option<Vec<u8>>, Compilation) {
        let (pool, account) = (Pool::new("files", 2, 2), Account::of_hub());
        cache.settle(sought, plugin, &pool, &account).await
    }

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
        assert!(matches!(cache.seek(&plugin), Sought::Found(code) if code == b"code"));
        std::fs::write(&plugin, "other source").unwrap();
        assert!(matches!(cache.seek(&plugin), Sought::Missing(Some(_))));
    }

    #[test]
    fn a_source_without_end_costs_nothing() {
        let (_folder, cache, plugin, _) = kept();
        let sparse = std::fs::File::create(&plugin).unwrap();
        sparse.set_len(3 << 30).unwrap();
        let start = cordon_base::account::thread_cpu();
        assert!(matches!(cache.seek(&plugin), Sought::Missing(None)));
        let spent = cordon_base::account::thread_cpu().saturating_sub(start);
        assert!(spent < Duration::from_millis(100), "{spent:?}");
        std::fs::remove_file(&plugin).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&plugin).status();
        assert!(made.unwrap().success());
        assert!(matches!(cache.seek(&plugin), Sought::Missing(None)));
    }

    #[test]
    fn a_damaged_entry_is_as_good_as_missing() {
        let (_folder, cache, plugin, entry) = kept();
        let mut bytes = std::fs::read(&entry).unwrap();
        bytes.push(0);
        std::fs::write(&entry, bytes).unwrap();
        assert!(matches!(cache.seek(&plugin), Sought::Missing(Some(_))));
    }

    #[tokio::test]
    async fn one_compiles_and_the_others_find_it() {
        let (_folder, cache, plugin, _) = kept();
        std::fs::write(&plugin, "new").unwrap();
        let (code, first) = settle(&cache, cache.seek(&plugin), &plugin).await;
        assert_eq!(code, None);
        let sought = cache.seek(&plugin);
        assert!(matches!(sought, Sought::UnderWay(_)));
        let (others, other_plugin) = (cache.clone(), plugin.clone());
        let other = tokio::spawn(async move { settle(&others, sought, &other_plugin).await.0 });
        first.keep(&hex(&Sha256::digest("new")), b"compiled".to_vec());
        assert_eq!(other.await.unwrap().as_deref(), Some(&b"compiled"[..]));
        assert!(cache.turns.is_empty());
    }

    #[tokio::test]
    async fn the_next_compiles_when_the_first_could_not() {
        let (_folder, cache, plugin, _) = kept();
        std::fs::write(&plugin, "new").unwrap();
        let first = cache.seek(&plugin);
        let second = cache.seek(&plugin);
        drop(first);
        let (code, second) = settle(&cache, second, &plugin).await;
        assert!(code.is_none() && second.turn.is_some());
    }

    #[tokio::test]
    async fn nobody_waits_for_ever() {
        let (_folder, cache, plugin, _) = kept();
        std::fs::write(&plugin, "new").unwrap();
        let _first = cache.seek(&plugin);
        let begun = Instant::now();
        let (code, second) = settle(&cache, cache.seek(&plugin), &plugin).await;
        assert!(code.is_none() && second.turn.is_none());
        assert!(begun.elapsed() >= PATIENCE);
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
