//! Changes of a folder of the host, with the quota in front of whatever takes room.
//!
//! wasmtime's implementation resolves every path and keeps it inside its folder;
//! nothing here opens a path itself. Descriptors of the read-only folder go
//! straight through: wasmtime refuses to change anything below it.

use std::fs::File;
use std::sync::Arc;

use wasmtime::component::Resource;
use wasmtime_wasi::ResourceTableError;
use wasmtime_wasi::filesystem::{Descriptor, WasiFilesystemCtxView};
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, HostDescriptor, OpenFlags,
    PathFlags,
};
use wasmtime_wasi::p2::{DynOutputStream, FsError, FsResult};

use super::quota::{OWN_HANDLES, Quota, Turn, Usage};
use super::stream::{FileStream, Place};
use super::tree::Tree;

/// The file system as one instance sees it.
pub struct FilesView<'a> {
    pub(super) files: WasiFilesystemCtxView<'a>,
    pub(super) quota: Arc<Quota>,
    pub(super) tree: Arc<Tree>,
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

/// Gives back what a name stood for that is no longer there.
async fn removed(turn: Turn, entry: Option<DescriptorStat>) {
    match entry {
        Some(entry) if entry.type_ == DescriptorType::RegularFile && entry.link_count == 1 => {
            turn.file_removed(entry.size).await;
        }
        // A file with another name stays, whatever else has no length.
        _ => turn.give_back(Usage { bytes: 0, files: 1 }),
    }
}

impl FilesView<'_> {
    /// Whether what the descriptor leads to counts against the quota.
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
        let stat = self.files.stat_at(same(fd), flags, path.to_owned());
        stat.await.ok()
    }

    /// Whether two names are known to be of different things.
    async fn differ(&mut self, one: (&Fd, &str), other: (&Fd, &str)) -> bool {
        let flags = PathFlags::empty();
        let one = self
            .files
            .metadata_hash_at(same(one.0), flags, one.1.to_owned())
            .await;
        let other = self
            .files
            .metadata_hash_at(same(other.0), flags, other.1.to_owned())
            .await;
        match (one, other) {
            (Ok(one), Ok(other)) => (one.lower, one.upper) != (other.lower, other.upper),
            _ => false,
        }
    }

    pub(super) fn stream(&mut self, fd: &Fd, place: Place) -> FsResult<Resource<DynOutputStream>> {
        let file = self.writable(fd)?;
        let stream: DynOutputStream = Box::new(FileStream::new(self.quota.clone(), file, place));
        let pushed = self.files.table.push(stream).map_err(FsError::from);
        self.refuse_when_full(pushed)
    }

    /// Opens with leave to make or to cut the file.
    async fn open_changing(
        &mut self,
        fd: &Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let turn = self.quota.turn().await;
        let before = self.look(fd, path_flags, &path).await;
        let reserved = open_flags.contains(OpenFlags::CREATE) && before.is_none();
        if reserved {
            turn.add_file()?;
        }
        let opening = self
            .files
            .open_at(same(fd), path_flags, path.clone(), open_flags, flags);
        let opened = opening.await;
        // Looked at even after a failure: the table may be full after the file
        // was made.
        let after = self.look(fd, path_flags, &path).await;
        let mut gone = Usage::default();
        if reserved && opened.is_err() && after.is_none() {
            gone.files = 1;
        }
        if let (Some(before), Some(after)) = (before, after) {
            gone.bytes = length(&before).saturating_sub(length(&after));
        }
        turn.give_back(gone);
        opened
    }

    /// Has the quota watch a file for as long as it is open.
    async fn watch(&mut self, fd: Fd) -> FsResult<Fd> {
        let Descriptor::File(file) = self.files.table.get(&fd)? else {
            return Ok(fd);
        };
        let file = file.file.clone();
        let watched = self.quota.turn().await.opened(&file).await;
        if let Err(error) = watched {
            self.files.table.delete(fd)?;
            return Err(error.into());
        }
        Ok(fd)
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
        let charged = self.charged(&fd)?;
        let opened = if charged && open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE) {
            self.open_changing(&fd, path_flags, path, open_flags, flags)
                .await
        } else {
            self.files
                .open_at(fd, path_flags, path, open_flags, flags)
                .await
        };
        let opened = self.refuse_when_full(opened)?;
        if charged {
            return self.watch(opened).await;
        }
        Ok(opened)
    }

    pub(super) async fn real_create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        if !self.charged(&fd)? {
            return self.files.create_directory_at(fd, path).await;
        }
        let turn = self.quota.turn().await;
        turn.add_file()?;
        let created = self.files.create_directory_at(fd, path).await;
        if created.is_err() {
            turn.give_back(Usage { bytes: 0, files: 1 });
        }
        created
    }

    pub(super) async fn real_remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let turn = self.quota.turn().await;
        self.files.remove_directory_at(fd, path).await?;
        turn.give_back(Usage { bytes: 0, files: 1 });
        Ok(())
    }

    pub(super) async fn real_unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        let turn = self.quota.turn().await;
        let file = self.look(&fd, PathFlags::empty(), &path).await;
        self.files.unlink_file_at(fd, path).await?;
        removed(turn, file).await;
        Ok(())
    }

    pub(super) async fn real_rename_at(
        &mut self,
        fd: Fd,
        path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let turn = self.quota.turn().await;
        let target = self.look(&new_fd, PathFlags::empty(), &new_path).await;
        // Renaming a file to itself removes nothing.
        let replaces = target.is_some() && self.differ((&fd, &path), (&new_fd, &new_path)).await;
        self.files.rename_at(fd, path, new_fd, new_path).await?;
        if replaces {
            removed(turn, target).await;
        }
        Ok(())
    }
}
