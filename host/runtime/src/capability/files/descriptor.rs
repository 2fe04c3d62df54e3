//! `wasi:filesystem` over the instance's tree: finds the function and the folder that a call of the
//! guest means.
//!
//! Decides nothing itself: folders of the host go to `charged`, the folder that is
//! copied on write to `overlay`, and the root answers here.

use std::collections::VecDeque;

use wasmtime::component::Resource;
use wasmtime_wasi::filesystem::Descriptor;
use wasmtime_wasi::p2::bindings::filesystem::preopens;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    self, Advice, DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry,
    DirectoryEntryStream, ErrorCode, Filesize, HostDescriptor, HostDirectoryEntryStream,
    MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{DynInputStream, DynOutputStream, FsError, FsResult};

use super::charged::{Fd, FilesView, same};
use super::overlay::{End, join};
use super::stream::{FileInput, Place as Offset, write};
use super::tree::Place;

/// The root has no times and no size.
const ROOT: DescriptorStat = DescriptorStat {
    type_: DescriptorType::Directory,
    link_count: 1,
    size: 0,
    data_access_timestamp: None,
    data_modification_timestamp: None,
    status_change_timestamp: None,
};

/// The hash of the root's metadata: any two numbers will do.
const ROOT_HASH: MetadataHashValue = MetadataHashValue { lower: 1, upper: 1 };

/// Longest path, in bytes: the system's own bound.
const PATH: usize = 4096;

/// Where a path leads to.
enum At {
    /// Below a handle that wasmtime knows.
    Real(Fd, String),
    /// The root itself.
    Root,
    /// In the folder that is copied on write.
    Layered(String),
}

impl FilesView<'_> {
    async fn place(&mut self, fd: &Fd) -> FsResult<Place> {
        self.tree.place(self.files.table, fd, &self.worker).await
    }

    /// Tells the author of a change of a path that was refused, if it was in the plugin's own folder.
    fn tell_refused<T>(&self, rep: u32, path: &str, result: FsResult<T>) -> FsResult<T> {
        result.inspect_err(|error| {
            if is_refusal(error) {
                self.tree.refused_change(rep, path);
            }
        })
    }

    /// Gives a refused change in the plugin's own folder the answer that Linux has before it looks at
    /// rights: whether the path is there already, or is not. Tells the author otherwise.
    async fn explain_refused(
        &mut self,
        fd: Fd,
        path: &str,
        there: bool,
        answer: ErrorCode,
        result: FsResult<()>,
    ) -> FsResult<()> {
        if result.as_ref().is_err_and(is_refusal)
            && self.tree.is_code(fd.rep())
            && self.look(&fd, PathFlags::empty(), path).await.is_some() == there
        {
            return Err(answer.into());
        }
        self.tell_refused(fd.rep(), path, result)
    }

    /// Follows a path as far as the tree is ours.
    ///
    /// # Errors
    ///
    /// A name in the root that is no mount; a path out of the folder.
    async fn at(&mut self, fd: &Fd, path: String) -> FsResult<At> {
        if path.len() > PATH {
            return Err(ErrorCode::NameTooLong.into());
        }
        match self.place(fd).await? {
            Place::Real => Ok(At::Real(same(fd), path)),
            Place::Layered(base) => Ok(At::Layered(join(&base, &path)?)),
            Place::Root => {
                let path = join("", &path)?;
                if path.is_empty() {
                    return Ok(At::Root);
                }
                let (name, rest) = path.split_once('/').unwrap_or((&path, "."));
                let mount = self.tree.mount(name);
                let mount = mount.ok_or(FsError::from(ErrorCode::NoEntry))?;
                match self.place(&mount).await? {
                    Place::Layered(base) => Ok(At::Layered(join(&base, rest)?)),
                    _ => Ok(At::Real(mount, rest.to_owned())),
                }
            }
        }
    }
}

fn is_refusal(error: &FsError) -> bool {
    error
        .downcast_ref()
        .is_some_and(|code| matches!(code, ErrorCode::NotPermitted | ErrorCode::ReadOnly))
}

fn refused<T>() -> FsResult<T> {
    Err(ErrorCode::NotPermitted.into())
}

impl preopens::Host for FilesView<'_> {
    fn get_directories(&mut self) -> wasmtime::Result<Vec<(Fd, String)>> {
        self.tree.preopen(self.files.table)
    }
}

impl types::Host for FilesView<'_> {
    fn convert_error_code(&mut self, error: FsError) -> wasmtime::Result<ErrorCode> {
        self.files.convert_error_code(error)
    }

    fn filesystem_error_code(
        &mut self,
        error: Resource<wasmtime::Error>,
    ) -> wasmtime::Result<Option<ErrorCode>> {
        self.files.filesystem_error_code(error)
    }
}

impl HostDescriptor for FilesView<'_> {
    async fn open_at(
        &mut self,
        fd: Fd,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => {
                let changes = OpenFlags::CREATE | OpenFlags::TRUNCATE;
                let writes =
                    open_flags.intersects(changes) || flags.contains(DescriptorFlags::WRITE);
                let told = (fd.rep(), writes.then(|| path.clone()));
                let opened = self.real_open_at(fd, path_flags, path, open_flags, flags);
                let opened = opened.await;
                match told {
                    (rep, Some(path)) => self.tell_refused(rep, &path, opened),
                    _ => opened,
                }
            }
            At::Layered(path) => self.layered_open(path_flags, path, open_flags, flags).await,
            At::Root if flags.contains(DescriptorFlags::WRITE) => refused(),
            At::Root => {
                let added = self.tree.add_place(self.files.table, Place::Root);
                self.refuse_when_full(added)
            }
        }
    }

    async fn write(&mut self, fd: Fd, bytes: Vec<u8>, offset: Filesize) -> FsResult<Filesize> {
        let file = self.writable(&fd)?;
        let written = write(&self.quota, file, Offset::At(offset), bytes.into());
        Ok(written.await?)
    }

    fn write_via_stream(
        &mut self,
        fd: Fd,
        offset: Filesize,
    ) -> FsResult<Resource<DynOutputStream>> {
        self.stream(&fd, Offset::At(offset))
    }

    fn append_via_stream(&mut self, fd: Fd) -> FsResult<Resource<DynOutputStream>> {
        self.stream(&fd, Offset::End)
    }

    async fn set_size(&mut self, fd: Fd, size: Filesize) -> FsResult<()> {
        let file = self.writable(&fd)?;
        let sized = self
            .quota
            .change(file, move |_| size, move |file, _| file.set_len(size));
        Ok(sized.await?)
    }

    async fn create_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => {
                let created = self.real_create_directory_at(same(&fd), path.clone());
                let created = created.await;
                self.explain_refused(fd, &path, true, ErrorCode::Exist, created)
                    .await
            }
            At::Layered(path) => self.layered_create_directory(path).await,
            At::Root => Err(ErrorCode::Exist.into()),
        }
    }

    async fn remove_directory_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => self.real_remove_directory_at(fd, path).await,
            At::Layered(path) => self.layered_remove_directory(path).await,
            At::Root => refused(),
        }
    }

    async fn unlink_file_at(&mut self, fd: Fd, path: String) -> FsResult<()> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => {
                let unlinked = self.real_unlink_file_at(same(&fd), path.clone()).await;
                self.explain_refused(fd, &path, false, ErrorCode::NoEntry, unlinked)
                    .await
            }
            At::Layered(path) => self.layered_unlink(path).await,
            At::Root => refused(),
        }
    }

    async fn rename_at(
        &mut self,
        fd: Fd,
        path: String,
        new_fd: Fd,
        new_path: String,
    ) -> FsResult<()> {
        let (from, to) = (self.at(&fd, path).await?, self.at(&new_fd, new_path).await?);
        let (from, to) = match (from, to) {
            (At::Root, _) | (_, At::Root) => return refused(),
            (At::Real(fd, path), At::Real(new_fd, new_path)) => {
                let (rep, told) = (new_fd.rep(), new_path.clone());
                let renamed = self.real_rename_at(fd, path, new_fd, new_path).await;
                return self.tell_refused(rep, &told, renamed);
            }
            (At::Real(fd, path), At::Layered(to)) => (End::Real(fd, path), End::Layered(to)),
            (At::Layered(from), At::Real(fd, path)) => (End::Layered(from), End::Real(fd, path)),
            (At::Layered(from), At::Layered(to)) => (End::Layered(from), End::Layered(to)),
        };
        self.layered_rename(from, to).await
    }

    /// Refused: a second name would let a file outlive its deletion uncharged.
    async fn link_at(&mut self, _: Fd, _: PathFlags, _: String, _: Fd, _: String) -> FsResult<()> {
        refused()
    }

    /// Refused: a link is harmless here, but not for programs that follow it on the host, such as a
    /// backup of the data folder.
    async fn symlink_at(&mut self, _: Fd, _: String, _: String) -> FsResult<()> {
        refused()
    }

    async fn read_directory(&mut self, fd: Fd) -> FsResult<Resource<DirectoryEntryStream>> {
        match self.place(&fd).await? {
            Place::Real => self.real_read_directory(fd).await,
            Place::Layered(path) => self.layered_read_directory(&path).await,
            Place::Root => {
                let entries: VecDeque<_> = self
                    .tree
                    .names()
                    .map(|name| DirectoryEntry {
                        type_: DescriptorType::Directory,
                        name: name.to_owned(),
                    })
                    .collect();
                let any = self.tree.any_folder()?;
                self.place(&any).await?;
                self.listing_stream(any, entries, Vec::new()).await
            }
        }
    }

    fn read_via_stream(&mut self, fd: Fd, offset: Filesize) -> FsResult<Resource<DynInputStream>> {
        let file = match self.files.table.get(&fd)? {
            Descriptor::File(file) => file.file.clone(),
            Descriptor::Dir(_) => return Err(ErrorCode::IsDirectory.into()),
        };
        let stream: DynInputStream = Box::new(FileInput::new(self.worker.clone(), file, offset));
        let pushed = self.files.table.push(stream).map_err(FsError::from);
        self.refuse_when_full(pushed)
    }

    async fn read(
        &mut self,
        fd: Fd,
        length: Filesize,
        offset: Filesize,
    ) -> FsResult<(Vec<u8>, bool)> {
        let reading = self.at_work([&fd], async move |files, [fd]| {
            files.read(fd, length, offset).await
        });
        reading.await
    }

    async fn advise(
        &mut self,
        fd: Fd,
        offset: Filesize,
        length: Filesize,
        advice: Advice,
    ) -> FsResult<()> {
        let advising = self.at_work([&fd], async move |files, [fd]| {
            files.advise(fd, offset, length, advice).await
        });
        advising.await
    }

    async fn sync_data(&mut self, fd: Fd) -> FsResult<()> {
        match self.place(&fd).await? {
            Place::Real => {
                self.at_work([&fd], async move |files, [fd]| files.sync_data(fd).await)
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn sync(&mut self, fd: Fd) -> FsResult<()> {
        match self.place(&fd).await? {
            Place::Real => {
                self.at_work([&fd], async move |files, [fd]| files.sync(fd).await)
                    .await
            }
            _ => Ok(()),
        }
    }

    async fn get_flags(&mut self, fd: Fd) -> FsResult<DescriptorFlags> {
        match self.place(&fd).await? {
            Place::Real => {
                self.at_work([&fd], async move |files, [fd]| files.get_flags(fd).await)
                    .await
            }
            Place::Layered(_) => Ok(DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY),
            Place::Root => Ok(DescriptorFlags::READ),
        }
    }

    async fn get_type(&mut self, fd: Fd) -> FsResult<DescriptorType> {
        match self.place(&fd).await? {
            Place::Real => {
                self.at_work([&fd], async move |files, [fd]| files.get_type(fd).await)
                    .await
            }
            _ => Ok(DescriptorType::Directory),
        }
    }

    async fn set_times(
        &mut self,
        fd: Fd,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        match self.place(&fd).await? {
            Place::Real => {
                let setting = self.at_work([&fd], async move |files, [fd]| {
                    files.set_times(fd, accessed, modified).await
                });
                setting.await
            }
            _ => refused(),
        }
    }

    async fn set_times_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => {
                self.real_set_times_at(fd, flags, path, accessed, modified)
                    .await
            }
            At::Layered(path) => {
                self.layered_set_times(flags, &path, accessed, modified)
                    .await
            }
            At::Root => refused(),
        }
    }

    async fn stat(&mut self, fd: Fd) -> FsResult<DescriptorStat> {
        match self.place(&fd).await? {
            Place::Real => {
                self.at_work([&fd], async move |files, [fd]| files.stat(fd).await)
                    .await
            }
            Place::Layered(path) => self.layered_stat(PathFlags::empty(), &path).await,
            Place::Root => Ok(ROOT),
        }
    }

    async fn stat_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<DescriptorStat> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => {
                self.at_work([&fd], async move |files, [fd]| {
                    files.stat_at(fd, flags, path).await
                })
                .await
            }
            At::Layered(path) => self.layered_stat(flags, &path).await,
            At::Root => Ok(ROOT),
        }
    }

    async fn readlink_at(&mut self, fd: Fd, path: String) -> FsResult<String> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => self.real_readlink_at(&fd, path).await,
            At::Layered(path) => self.layered_readlink(&path).await,
            At::Root => Err(ErrorCode::Invalid.into()),
        }
    }

    async fn is_same_object(&mut self, a: Fd, b: Fd) -> wasmtime::Result<bool> {
        let one = self.metadata_hash(a).await;
        let other = self.metadata_hash(b).await;
        Ok(match (one, other) {
            (Ok(one), Ok(other)) => (one.lower, one.upper) == (other.lower, other.upper),
            _ => false,
        })
    }

    async fn metadata_hash(&mut self, fd: Fd) -> FsResult<MetadataHashValue> {
        match self.place(&fd).await? {
            Place::Real => {
                self.at_work([&fd], async move |files, [fd]| {
                    files.metadata_hash(fd).await
                })
                .await
            }
            Place::Layered(path) => self.layered_hash(PathFlags::empty(), &path).await,
            Place::Root => Ok(ROOT_HASH),
        }
    }

    async fn metadata_hash_at(
        &mut self,
        fd: Fd,
        flags: PathFlags,
        path: String,
    ) -> FsResult<MetadataHashValue> {
        match self.at(&fd, path).await? {
            At::Real(fd, path) => self.real_hash_at(&fd, flags, path).await,
            At::Layered(path) => self.layered_hash(flags, &path).await,
            At::Root => Ok(ROOT_HASH),
        }
    }

    fn drop(&mut self, fd: Fd) -> wasmtime::Result<()> {
        self.tree.forget(fd.rep());
        self.files.table.delete::<Descriptor>(fd)?;
        self.tree.sweep();
        Ok(())
    }
}

impl HostDirectoryEntryStream for FilesView<'_> {
    async fn read_directory_entry(
        &mut self,
        stream: Resource<DirectoryEntryStream>,
    ) -> FsResult<Option<DirectoryEntry>> {
        match self.tree.next_entry(stream.rep()) {
            Some(entry) => Ok(entry),
            None => self.files.read_directory_entry(stream).await,
        }
    }

    fn drop(&mut self, stream: Resource<DirectoryEntryStream>) -> wasmtime::Result<()> {
        self.tree.forget_listing(stream.rep());
        HostDirectoryEntryStream::drop(&mut self.files, stream)
    }
}
