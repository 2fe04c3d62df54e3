//! Compiled modules of packages, kept by the hash of the packages and of the guest.
//!
//! Importing a package compiles its modules, which takes longer than all the rest of a start.
//! A plugin cannot be asked for the result: it could answer with other code than that of the
//! source, and other owners' instances with the same packages would run it. So a component
//! without any plugin compiles the whole set once ([`driver`]), and every instance with
//! these packages finds the result in a folder that it cannot write to. Packages that the
//! component cannot handle are compiled by each instance for itself.

mod driver;
mod sources;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::{Semaphore, oneshot, watch};
use tokio::time::timeout;

use crate::capability::files::remove;
use cordon_base::turns::{Turn, Turns};

pub use driver::compile;

/// Sets of packages that are kept; the ones not used for longest go first.
const ENTRIES: usize = 128;

/// Beginning of the name of a folder in which a set is being compiled.
const UNFINISHED: &str = "tmp-";

/// End of the name of the file that says that a set was tried in vain.
const IN_VAIN: &str = "in-vain";

/// Compilations that have a place at a time. The instances that wait for them run on the same cores.
const AT_ONCE: usize = 2;

/// How long a set keeps its place. One that takes longer goes on without, so that others do not wait
/// for a set that was made to take long.
const PLACE: Duration = Duration::from_secs(5);

/// The compiled packages of one hub and one guest. Cheap to clone.
#[derive(Debug, Clone)]
pub struct CompiledPackages {
    folder: PathBuf,
    turns: Turns,
    at_once: Arc<Semaphore>,
}

/// Where the compiled modules of some packages are.
#[derive(Debug)]
pub enum Sought {
    /// In this folder.
    Found(PathBuf),
    /// Nowhere, and they will not be: each instance compiles them for itself.
    Never,
    /// Nowhere yet: the caller is to compile them.
    Missing(Set),
    /// Nowhere yet: another instance's turn compiles them, until this ends.
    UnderWay(watch::Receiver<()>),
}

/// A set of packages that is to be compiled, and the turn to do that.
#[derive(Debug)]
pub struct Set {
    packages: PathBuf,
    hash: String,
    turn: Turn,
}

impl CompiledPackages {
    /// The compiled packages in this folder, which is the cache's own. Sets that an earlier hub
    /// left unfinished are removed. Blocks.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(UNFINISHED)
                && let Err(error) = remove(&entry.path())
            {
                tracing::warn!(%error, "unfinished compiled code stays");
            }
        }
        Self {
            folder: folder.to_owned(),
            turns: Turns::default(),
            at_once: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }

    /// Looks for the compiled form of the packages in this folder. Blocks for the time of reading
    /// them.
    #[must_use]
    pub fn seek(&self, packages: &Path) -> Sought {
        let Ok(hash) = sources::hash(packages) else {
            return Sought::Never;
        };
        if let Some(sought) = self.kept(&hash) {
            return sought;
        }
        let turn = match self.turns.take(&hash) {
            Ok(turn) => turn,
            Err(end) => return Sought::UnderWay(end),
        };
        // The instance that had the turn before may have ended since.
        self.kept(&hash).unwrap_or_else(|| {
            Sought::Missing(Set {
                packages: packages.to_owned(),
                hash,
                turn,
            })
        })
    }

    fn kept(&self, hash: &str) -> Option<Sought> {
        let folder = self.folder.join(hash);
        if folder.is_dir() {
            // The ones used last are kept longest; without this it is the ones made last.
            let used = fs::File::open(&folder).and_then(|it| it.set_modified(SystemTime::now()));
            if let Err(error) = used {
                tracing::debug!(%error, "the use of compiled packages is not noted");
            }
            return Some(Sought::Found(folder));
        }
        let in_vain = folder.with_extension(IN_VAIN);
        in_vain.exists().then_some(Sought::Never)
    }

    /// Waits for a place to compile a set. The place is given to the next when the result is dropped,
    /// or when [`PLACE`] is over.
    async fn place(&self) -> oneshot::Sender<()> {
        self.place_for(PLACE).await
    }

    async fn place_for(&self, most: Duration) -> oneshot::Sender<()> {
        let permit = Arc::clone(&self.at_once).acquire_owned().await;
        let (place, dropped) = oneshot::channel::<()>();
        tokio::spawn(async move {
            // Nothing is ever sent: an error is the end.
            let _ = timeout(most, dropped).await;
            // An error only for a semaphore that was closed, which this one never is.
            drop(permit);
        });
        place
    }

    /// A folder to compile in. Blocks.
    fn workshop(&self) -> io::Result<tempfile::TempDir> {
        fs::create_dir_all(&self.folder)?;
        tempfile::Builder::new()
            .prefix(UNFINISHED)
            .tempdir_in(&self.folder)
    }

    /// Keeps the folder `made`, or that there is none to be had. Blocks.
    fn keep(&self, hash: &str, made: Option<&Path>) -> io::Result<()> {
        let folder = self.folder.join(hash);
        match made {
            Some(made) => fs::rename(made, folder)?,
            None => fs::write(folder.with_extension(IN_VAIN), "")?,
        }
        self.prune()
    }

    fn prune(&self) -> io::Result<()> {
        let mut kept = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let unfinished = entry.file_name().to_string_lossy().starts_with(UNFINISHED);
            if !unfinished {
                kept.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        kept.sort();
        let surplus = kept.len().saturating_sub(ENTRIES);
        for (_, path) in kept.into_iter().take(surplus) {
            if path.is_dir() {
                remove(&path).map_err(io::Error::other)?;
            } else {
                fs::remove_file(path)?;
            }
        }
        Ok(())
    }
}

impl Set {
    /// The end of the compilation, for those who wait for it.
    #[must_use]
    pub fn end(&self) -> watch::Receiver<()> {
        self.turn.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn packages(folder: &Path, source: &str) -> PathBuf {
        let packages = folder.join("Packages");
        fs::create_dir_all(packages.join("some")).unwrap();
        fs::write(packages.join("some/__init__.py"), source).unwrap();
        packages
    }

    fn kept() -> (tempfile::TempDir, CompiledPackages) {
        let folder = tempfile::tempdir().unwrap();
        let kept = CompiledPackages::new(&folder.path().join("kept"));
        (folder, kept)
    }

    fn missing(sought: Sought) -> Set {
        match sought {
            Sought::Missing(set) => set,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn one_has_the_turn_and_what_it_made_is_found_by_the_content() {
        let (folder, kept) = kept();
        let here = packages(&folder.path().join("a"), "x = 1");
        let copy = packages(&folder.path().join("b"), "x = 1");
        let set = missing(kept.seek(&here));
        assert!(matches!(kept.seek(&copy), Sought::UnderWay(_)));
        let workshop = kept.workshop().unwrap();
        let made = workshop.path().join("made");
        fs::create_dir(&made).unwrap();
        kept.keep(&set.hash, Some(&made)).unwrap();
        drop(set);
        assert!(matches!(kept.seek(&copy), Sought::Found(found) if found.is_dir()));
        let other = packages(&folder.path().join("b"), "x = 2");
        drop(missing(kept.seek(&other)));
        assert!(kept.turns.is_empty());
    }

    #[test]
    fn a_set_tried_in_vain_is_left_to_the_instances() {
        let (folder, kept) = kept();
        let here = packages(folder.path(), "x = 1");
        let set = missing(kept.seek(&here));
        fs::create_dir_all(&kept.folder).unwrap();
        kept.keep(&set.hash, None).unwrap();
        drop(set);
        assert!(matches!(kept.seek(&here), Sought::Never));
    }

    #[test]
    fn what_was_not_finished_goes_and_the_oldest_go_first() {
        let (_folder, kept) = kept();
        let left = kept.workshop().unwrap().keep();
        for n in 0..=ENTRIES {
            fs::create_dir(kept.folder.join(format!("{n}"))).unwrap();
        }
        let first = fs::File::open(kept.folder.join("0")).unwrap();
        first.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        kept.prune().unwrap();
        assert!(!kept.folder.join("0").exists() && left.exists());
        let again = CompiledPackages::new(&kept.folder);
        assert!(!left.exists());
        assert_eq!(fs::read_dir(&again.folder).unwrap().count(), ENTRIES);
    }

    #[tokio::test]
    async fn a_set_that_takes_long_delays_the_others_for_a_while_only() {
        use futures_util::FutureExt;

        let (_folder, kept) = kept();
        let brief = Duration::from_millis(300);
        let begun = std::time::Instant::now();
        let mut slow = Vec::new();
        for _ in 0..AT_ONCE {
            slow.push(kept.place_for(brief).await);
        }
        assert!(
            kept.place().now_or_never().is_none(),
            "all places are taken"
        );
        let next = timeout(Duration::from_secs(5), kept.place()).await.unwrap();
        assert!(begun.elapsed() >= brief);
        // The slow ones go on, without a place; whoever is done gives his up at once.
        let other = kept.place().await;
        drop(next);
        let third = timeout(Duration::from_secs(2), kept.place()).await.unwrap();
        drop((slow, other, third));
    }
}
