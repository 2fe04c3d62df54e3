//! Counts and bounds the room that a plugin takes in its data folder.
//!
//! Whoever changes the folder takes the [`Turn`] first, so that the state before and after a change
//! can be told: charges are measured, not guessed. Room is reserved before a change and given back
//! after it, so a change that is cut short can only leave too much charged, until the count at the
//! next start.
//!
//! A deleted file that is still open stays charged until it is closed, else open
//! handles would hold any number of invisible files.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use rustix::io::Errno;
use tokio::sync::OwnedMutexGuard;

use super::count::count;
use super::worker::Worker;
use cordon_base::error::{EngineError, LimitHit};
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;

/// Handles that every start takes for standard streams, clocks and mounts, with room for handles
/// that the runtime holds for a moment; they come on top of the limit, so that the lowest setting
/// still lets a plugin start.
pub const OWN_HANDLES: usize = 24;

/// The size of a folder's content.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Lengths of the files, in bytes; holes count like data.
    pub bytes: u64,
    /// Files, folders and other entries, the folder itself excluded.
    pub files: u64,
}

/// Bounds the data folder of one instance.
pub struct Quota {
    limit: Usage,
    log: PluginLog,
    worker: Worker,
    turn: Arc<tokio::sync::Mutex<()>>,
    ledger: Mutex<Ledger>,
}

#[derive(Default)]
struct Ledger {
    used: Usage,
    open: Vec<OpenFile>,
    /// Files without a name that are kept by an open handle.
    nameless: Vec<Nameless>,
}

struct OpenFile {
    id: FileId,
    /// Dead when the descriptor and all its streams are gone.
    handle: Weak<File>,
}

struct Nameless {
    id: FileId,
    bytes: u64,
}

/// Device and inode.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(metadata: &std::fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }
}

impl Quota {
    /// The quota of an instance that has no folders yet.
    #[must_use]
    pub fn nothing(log: PluginLog, worker: Worker) -> Arc<Self> {
        Arc::new(Self {
            limit: Usage::default(),
            log,
            worker,
            turn: Arc::default(),
            ledger: Mutex::default(),
        })
    }

    /// Counts the content of `folders` and bounds it to `bytes` and `files` from here on, all
    /// together. Content that is over the limit already can only shrink.
    ///
    /// Blocks while counting.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read, or that holds over a million entries.
    pub fn new<'a>(
        folders: impl IntoIterator<Item = &'a Path>,
        bytes: u64,
        files: u64,
        log: PluginLog,
        worker: Worker,
    ) -> Result<Arc<Self>, EngineError> {
        let mut ledger = Ledger::default();
        for folder in folders {
            let held = count(folder)?;
            ledger.used.bytes = ledger.used.bytes.saturating_add(held.bytes);
            ledger.used.files = ledger.used.files.saturating_add(held.files);
        }
        Ok(Arc::new(Self {
            limit: Usage { bytes, files },
            log,
            worker,
            turn: Arc::default(),
            ledger: Mutex::new(ledger),
        }))
    }

    /// The bounds of the quota.
    #[must_use]
    pub fn limit(&self) -> Usage {
        self.limit
    }

    /// The use that is charged at the moment.
    #[must_use]
    pub fn usage(&self) -> Usage {
        let mut ledger = self.ledger();
        ledger.sweep();
        ledger.used
    }

    /// Tells the author that the table of open handles is full.
    pub(super) fn report_handles(&self, limit: usize) {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        let hit = Limits::hit("handles", limit.saturating_add(1), limit);
        self.log.limit(&hit);
    }

    /// Tells the author of another limit.
    pub(super) fn report(&self, hit: &LimitHit) {
        self.log.limit(hit);
    }

    /// Waits until nobody else changes the folder.
    pub(super) async fn turn(self: &Arc<Self>) -> Turn {
        let guard = self.turn.clone().lock_owned().await;
        Turn {
            quota: self.clone(),
            _guard: guard,
        }
    }

    /// Runs `change` on an open file. `end` tells from the file's length how long
    /// it may be afterwards; `change` is given the length as well.
    ///
    /// # Errors
    ///
    /// `ENOSPC` when the limit does not allow that length: `change` was not run.
    /// Else the error of `change`.
    pub(super) async fn change<T: Send + 'static>(
        self: &Arc<Self>,
        file: Arc<File>,
        end: impl FnOnce(u64) -> u64 + Send + 'static,
        change: impl FnOnce(&File, u64) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let turn = self.turn().await;
        // The turn goes with the work: it ends when the work does, even if nobody waits for the
        // result any more.
        self.worker
            .run(move || turn.change(&file, end, change))
            .await?
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The exclusive right to change the folder.
pub(super) struct Turn {
    quota: Arc<Quota>,
    _guard: OwnedMutexGuard<()>,
}

impl Turn {
    /// Charges one file or folder that is about to be made.
    ///
    /// # Errors
    ///
    /// `ENOSPC` at the limit.
    pub(super) fn add_file(&self) -> io::Result<()> {
        let limit = self.quota.limit.files;
        let mut ledger = self.quota.ledger();
        ledger.sweep();
        let files = ledger.used.files.saturating_add(1);
        if files > limit {
            drop(ledger);
            return Err(self.refuse("data-files", files, limit));
        }
        ledger.used.files = files;
        Ok(())
    }

    /// Gives back the room of content that is gone.
    pub(super) fn give_back(&self, gone: Usage) {
        self.quota.ledger().give_back(gone);
    }

    /// Gives back the room of a file whose last name was removed, now or, when the file is open,
    /// once it is closed. Blocks.
    pub(super) fn file_removed(self, bytes: u64) {
        self.quota.ledger().file_removed(bytes);
    }

    /// Notes a file as open, so that deleting it does not hide it. Blocks.
    pub(super) fn opened(&self, file: &Arc<File>) -> io::Result<()> {
        let id = FileId::of(&file.metadata()?);
        let mut ledger = self.quota.ledger();
        ledger.sweep();
        let handle = Arc::downgrade(file);
        ledger.open.push(OpenFile { id, handle });
        Ok(())
    }

    fn change<T>(
        self,
        file: &File,
        end: impl FnOnce(u64) -> u64,
        change: impl FnOnce(&File, u64) -> io::Result<T>,
    ) -> io::Result<T> {
        let before = file.metadata()?.len();
        let growth = end(before).saturating_sub(before);
        self.add_bytes(growth)?;
        let result = change(file, before);
        let after = file.metadata()?;
        let mut ledger = self.quota.ledger();
        let reserved = before.saturating_add(growth);
        let unused = reserved.saturating_sub(after.len());
        ledger.give_back(Usage {
            bytes: unused,
            files: 0,
        });
        if after.nlink() == 0 {
            ledger.resized(FileId::of(&after), after.len());
        }
        result
    }

    fn add_bytes(&self, growth: u64) -> io::Result<()> {
        if growth == 0 {
            return Ok(());
        }
        let limit = self.quota.limit.bytes;
        let mut ledger = self.quota.ledger();
        ledger.sweep();
        let bytes = ledger.used.bytes.saturating_add(growth);
        if bytes > limit {
            drop(ledger);
            return Err(self.refuse("data-bytes", bytes, limit));
        }
        ledger.used.bytes = bytes;
        Ok(())
    }

    fn refuse(&self, which: &'static str, used: u64, limit: u64) -> io::Error {
        self.quota.log.limit(&Limits::hit(which, used, limit));
        Errno::NOSPC.into()
    }
}

impl Ledger {
    fn give_back(&mut self, gone: Usage) {
        self.used.bytes = self.used.bytes.saturating_sub(gone.bytes);
        self.used.files = self.used.files.saturating_sub(gone.files);
    }

    /// Forgets closed handles and gives back the nameless files they kept.
    fn sweep(&mut self) {
        self.open.retain(|open| open.handle.strong_count() > 0);
        let mut gone = Usage::default();
        let open = &self.open;
        self.nameless.retain(|file| {
            let kept = open.iter().any(|open| open.id == file.id);
            if !kept {
                gone.bytes = gone.bytes.saturating_add(file.bytes);
                gone.files = gone.files.saturating_add(1);
            }
            kept
        });
        self.give_back(gone);
    }

    fn file_removed(&mut self, bytes: u64) {
        match self.newly_nameless() {
            Some(file) => self.nameless.push(file),
            None => self.give_back(Usage { bytes, files: 1 }),
        }
    }

    fn newly_nameless(&self) -> Option<Nameless> {
        let handles = self.open.iter().filter_map(|open| open.handle.upgrade());
        handles
            .filter_map(|file| file.metadata().ok())
            .filter(|metadata| metadata.nlink() == 0)
            .map(|metadata| Nameless {
                id: FileId::of(&metadata),
                bytes: metadata.len(),
            })
            .find(|file| self.nameless.iter().all(|known| known.id != file.id))
    }

    fn resized(&mut self, id: FileId, bytes: u64) {
        if let Some(file) = self.nameless.iter_mut().find(|file| file.id == id) {
            file.bytes = bytes;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::FileExt;

    use tempfile::TempDir;

    use super::*;
    use cordon_base::account::Account;
    use cordon_base::log::{EventLog, LogCapacity};
    use cordon_base::pool::Pool;

    fn worker() -> Worker {
        Worker::new(Pool::new("files", 2, 2), Account::of_hub())
    }

    fn quota(folder: &TempDir, bytes: u64, files: u64) -> Arc<Quota> {
        let events = EventLog::new(LogCapacity::default());
        let log = PluginLog::new(events, "test", &Limits::default());
        Quota::new([folder.path()], bytes, files, log, worker()).unwrap()
    }

    fn file(folder: &TempDir, name: &str) -> Arc<File> {
        Arc::new(File::create(folder.path().join(name)).unwrap())
    }

    async fn write(quota: &Arc<Quota>, file: &Arc<File>, offset: u64, len: u64) -> io::Result<()> {
        let bytes = vec![1; usize::try_from(len).unwrap()];
        let end = move |_| offset + len;
        let change = move |file: &File, _| file.write_all_at(&bytes, offset);
        quota.change(file.clone(), end, change).await
    }

    #[tokio::test]
    async fn it_starts_with_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("old"), [0; 70]).unwrap();
        let quota = quota(&folder, 100, 2);
        assert_eq!(
            quota.usage(),
            Usage {
                bytes: 70,
                files: 1
            }
        );

        let new = file(&folder, "new");
        write(&quota, &new, 0, 30).await.unwrap();
        let error = write(&quota, &new, 30, 1).await.unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::NOSPC.raw_os_error()));
        assert_eq!(quota.usage().bytes, 100);
    }

    #[tokio::test]
    async fn a_folder_over_its_limit_can_only_shrink() {
        let folder = tempfile::tempdir().unwrap();
        let old = file(&folder, "old");
        old.set_len(1000).unwrap();
        let quota = quota(&folder, 100, 1);
        write(&quota, &old, 0, 500).await.unwrap();
        assert!(write(&quota, &old, 1000, 1).await.is_err());
        assert!(quota.turn().await.add_file().is_err());
        let shrink = quota.change(old, |_| 50, |file, _| file.set_len(50));
        shrink.await.unwrap();
        assert_eq!(quota.usage().bytes, 50);
    }

    #[tokio::test]
    async fn a_change_that_fails_charges_what_it_left() {
        let folder = tempfile::tempdir().unwrap();
        let quota = quota(&folder, 100, 1);
        let half_done = |file: &File, _| {
            file.write_all_at(&[1; 20], 0)?;
            Err::<(), _>(Errno::IO.into())
        };
        let failed = quota.change(file(&folder, "file"), |_| 80, half_done).await;
        assert!(failed.is_err());
        assert_eq!(quota.usage().bytes, 20);
    }

    #[tokio::test]
    async fn changes_that_nobody_waits_for_are_charged() {
        let folder = tempfile::tempdir().unwrap();
        let quota = quota(&folder, 100, 1);
        let file = file(&folder, "file");
        let (begun, begins) = tokio::sync::oneshot::channel();
        let slow = move |file: &File, _| {
            begun.send(()).ok();
            std::thread::sleep(std::time::Duration::from_millis(50));
            file.write_all_at(&[1; 60], 0)
        };
        tokio::select! {
            _ = quota.change(file, |_| 60, slow) => unreachable!(),
            _ = begins => {}
        }
        drop(quota.turn().await);
        assert_eq!(quota.usage().bytes, 60);
    }
}
