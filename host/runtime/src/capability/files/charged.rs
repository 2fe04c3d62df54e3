//! Changes of a folder of the host, with the quota in front of every change that takes room.
//!
//! wasmtime's implementation resolves every path and keeps it inside its folder; `open` opens files
//! and folders under the same rule. Descriptors of the read-only folder go straight through:
//! wasmtime refuses to change anything below it. Each function does its work in one job on a thread
//! for files.

use std::fs::File;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::ResourceTableError;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, HostDescriptor, MetadataHashValue,
    NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynOutputStream, FsError, FsResult};

use super::open::{Opening, is_openable, open};
use super::quota::{OWN_HANDLES, Quota, Turn, Usage};
use super::stream::{FileStream, Place};
use super::tree::Tree;
use super::worker::Worker;

/// The file system as one instance sees it.
pub struct FilesView<'a> {
    pub(super) files: WasiFilesystemCtxView<'a>,
    pub(super) quota: Arc<Quota>,
    pub(super) tree: Arc<Tree>,
    pub(super) worker: Worker,
}

pub(super) type Fd = Resource<Descriptor>;

/// wasmtime takes its handles by value but only looks at their number.
pub(super) fn same(fd: &Fd) -> Fd {
    Resource::new_borrow(fd.rep())
}

/// Length of a file in bytes; 0 for anything else.
fn length(stat: &DescriptorStat) -> u64 {
    match stat.type_ {
        DescriptorType::RegularFile => stat.size,
        _ => 0,
    }
}

/// Gives back the quota of a name that is gone, which stood for `entry`. Blocks.
fn removed(turn: Turn, entry: Option<DescriptorStat>) {
    match entry {
        Some(entry) if entry.type_ == DescriptorType::RegularFile && entry.link_count == 1 => {
            turn.file_removed(entry.size);
        }
        // A file with another name stays, whatever else has no length.
        _ => turn.give_back(Usage { bytes: 0, files: 1 }),
    }
}

/// The entry that a path leads to, read in a job.
async fn seen(
    files: &mut WasiFilesystemCtxView<'_>,
    fd: &Fd,
    flags: PathFlags,
    path: &str,
) -> Option<DescriptorStat> {
    files.stat_at(same(fd), flags, path.to_owned()).await.ok()
}

/// Whether two names are known to be of different things.
async fn differ(
    files: &mut WasiFilesystemCtxView<'_>,
    one: (&Fd, &str),
    other: (&Fd, &str),
) -> bool {
    let flags = PathFlags::empty();
    let one = files.metadata_hash_at(same(one.0), flags, one.1.to_owned());
    let one = one.await;
    let other = files.metadata_hash_at(same(other.0), flags, other.1.to_owned());
    match (one, other.await) {
        (Ok(one), Ok(other)) => (one.lower, one.upper) != (other.lower, other.upper),
        _ => false,
    }
}

/// Opens a file or a folder that counts against the quota, which the turn is for.
async fn open_charged(
    files: &mut WasiFilesystemCtxView<'_>,
    fd: &Fd,
    turn: Turn,
    opening: Opening,
) -> FsResult<Descriptor> {
    let (path_flags, path, open_flags) =
        (opening.path_flags, opening.path.clone(), opening.open_flags);
    let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    let before = match changes {
        true => seen(files, fd, path_flags, &path).await,
        false => None,
    };
    let reserved = open_flags.contains(OpenFlags::CREATE) && before.is_none();
    if reserved {
        turn.add_file()?;
    }
    let opened = open(files, fd, opening).await;
    if changes {
        let after = seen(files, fd, path_flags, &path).await;
        let mut gone = Usage::default();
        if reserved && opened.is_err() && after.is_none() {
            gone.files = 1;
        }
        if let (Some(before), Some(after)) = (before, after) {
            gone.bytes = length(&before).saturating_sub(length(&after));
        }
        turn.give_back(gone);
    }
    let opened = opened?;
    // The file counts for as long as it is open: deleting it must not hide it.
    if let Descriptor::File(file) = &opened {
        turn.opened(&file.file)?;
    }
    Ok(opened)
}

/// A turn at the quota for a change of a file or folder that counts.
async fn turn(quota: &Arc<Quota>, charged: bool) -> Option<Turn> {
    match charged {
        true => Some(quota.turn().await),
        false => None,
    }
}

impl FilesView<'_> {
    /// Whether the file or folder behind the descriptor counts against the quota.
    fn charged(&self, fd: &Fd) -> FsResult<bool> {
        let perms = match self.files.table.get(fd)? {
            Descriptor::File(file) => file.perms,
            Descriptor::Dir(folder) => folder.perms,
        };
        Ok(!perms.write_not_permitted())
    }

    /// The file behind a descriptor through which it may be changed.
    pub(super) fn writable(&self, fd: &Fd) -> FsResult<Arc<File>> {
        match self.files.table.get(fd)? {
            Descriptor::File(file) if file.perms.write_not_permitted() => {
                Err(ErrorCode::NotPermitted.into())
            }
            Descriptor::File(file) => Ok(file.file.clone()),
            Descriptor::Dir(_) => Err(ErrorCode::BadDescriptor.into()),
        }
    }

    pub(super) async fn look(
        &mut self,
        fd: &Fd,
        flags: PathFlags,
        path: &str,
    ) -> Option<DescriptorStat> {
        let path = path.to_owned();
        let stat = self.at_work([fd], async move |files, [fd]| {
            files.stat_at(fd, flags, path).await
        });
        stat.await.ok()
    }

    pub(super) fn stream(&mut self, fd: &Fd, place: Place) -> FsResult<Resource<DynOutputStream>> {
        let file = self.writable(fd)?;
        let stream: DynOutputStream = Box::new(FileStream::new(self.quota.clone(), file, place));
        let pushed = self.files.table.push(stream).map_err(FsError::from);
        self.refuse_when_full(pushed)
    }

    /// A full table is a limit, not a reason to trap. WASI has no `EMFILE`.
    pub(super) fn refuse_when_full<T>(&self, result: FsResult<T>) -> FsResult<T> {
        result.map_err(|error| match error.downcast() {
            Ok(code) => code.into(),
            Err(error) => match error.downcast_ref::<ResourceTableError>() {
                Some(ResourceTableError::Full) => {
                    let limit = self.files.table.max_capacity();
                    self.quota.report_handles(limit.saturating_sub(OWN_HANDLES));
                    ErrorCode::InsufficientMemory.into()
                }
                _ => FsError::trap(error),
            },
        })
    }

    pub(super) async fn real_open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let permit = self.tree.descriptor()?;
        let turn = turn(&self.quota, self.charged(&fd)?).await;
        let opening = Opening {
            path_flags,
            path,
            open_flags,
            flags,
        };
        let opened = self.at_work([&fd], async move |files, [fd]| match turn {
            Some(turn) => open_charged(files, &fd, turn, opening).await,
            None => open(files, &fd, opening).await,
        });
        let opened = opened.await?;
        self.tree.note(&opened, permit);
        let pushed = self.files.table.push(opened).map_err(FsError::from);
        self.refuse_when_full(pushed)
    }

    pub(super) async fn real_create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let turn = turn(&self.quota, self.charged(&fd)?).await;
        let created = self.at_work([&fd], async move |files, [fd]| {
            if let Some(turn) = &turn {
                turn.add_file()?;
            }
            let created = files.create_directory_at(fd, path).await;
            if let (Some(turn), Err(_)) = (&turn, &created) {
                turn.give_back(Usage { bytes: 0, files: 1 });
            }
            created
        });
        created.await
    }

    pub(super) async fn real_remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let turn = self.quota.turn().await;
        let removing = self.at_work([&fd], async move |files, [fd]| {
            files.remove_directory_at(fd, path).await?;
            turn.give_back(Usage { bytes: 0, files: 1 });
            Ok(())
        });
        removing.await
    }

    pub(super) async fn real_unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let turn = self.quota.turn().await;
        let removing = self.at_work([&fd], async move |files, [fd]| {
            let file = seen(files, &fd, PathFlags::empty(), &path).await;
            files.unlink_file_at(fd, path).await?;
            removed(turn, file);
            Ok(())
        });
        removing.await
    }

    pub(super) async fn real_rename_at(
        &mut self,
        fd: Fd,
        path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let turn = self.quota.turn().await;
        let renaming = self.at_work([&fd, &new_fd], async move |files, [fd, new_fd]| {
            let target = seen(files, &new_fd, PathFlags::empty(), &new_path).await;
            // Renaming a file to itself removes nothing.
            let replaces =
                target.is_some() && differ(files, (&fd, &path), (&new_fd, &new_path)).await;
            files.rename_at(fd, path, new_fd, new_path).await?;
            if replaces {
                removed(turn, target);
            }
            Ok(())
        });
        renaming.await
    }

    pub(super) async fn real_readlink_at(&mut self, fd: &Fd, path: String) -> FsResult<String> {
        let reading = self.at_work([fd], async move |files, [fd]| {
            files.readlink_at(fd, path).await
        });
        reading.await
    }

    pub(super) async fn real_hash_at(
        &mut self,
        fd: &Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        let hashing = self.at_work([fd], async move |files, [fd]| {
            files.metadata_hash_at(fd, flags, path).await
        });
        hashing.await
    }

    /// Changes the times of the file or folder that a path leads to.
    ///
    /// wasmtime opens the file to change its times when it may follow links, which a pipe makes
    /// wait: links are followed only where there is one, and only to files and folders.
    pub(super) async fn real_set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let setting = self.at_work([&fd], async move |files, [fd]| {
            let itself = seen(files, &fd, PathFlags::empty(), &path).await;
            let link = itself.is_some_and(|it| it.type_ == DescriptorType::SymbolicLink);
            let flags = if link { flags } else { PathFlags::empty() };
            let there = seen(files, &fd, flags, &path).await;
            if there.is_some_and(|stat| !is_openable(&stat)) {
                return Err(ErrorCode::NotPermitted.into());
            }
            files
                .set_times_at(fd, flags, path, accessed, modified)
                .await
        });
        setting.await
    }
}
