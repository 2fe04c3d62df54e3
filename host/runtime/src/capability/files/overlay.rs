//! A folder that is copied on write: the plugin's folder with the instance's own changes on top.
//!
//! The lower layer is the plugin's folder and is never changed; the upper layer is a folder of the
//! instance under its quota. Where a name exists in both, the upper one counts. A marker in the
//! upper layer hides a name of the lower one, so a folder that was deleted and made again starts
//! empty. Every access goes through the handles of the two layers, which keep paths inside and
//! count the use.

mod listing;

use wasmtime::component::Resource;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, DirectoryEntry, DirectoryEntryStream,
    ErrorCode, HostDescriptor, MetadataHashValue, NewTimestamp, OpenFlags, PathFlags,
};
use wasmtime_wasi::p2::{FsError, FsResult};

use super::charged::{Fd, FilesView, same};
use super::stream::{Place as Offset, write};
use super::tree::Place;
use cordon_base::folders::HIDING;

/// Beginning of the name of a marker; the rest is the hidden name.
const MARKER: &str = HIDING;

/// Bytes that are copied at once.
const PIECE: u64 = 64 * 1024;

/// Where a name was found.
enum Found {
    Upper(DescriptorStat),
    Lower(DescriptorStat),
    Missing,
}

impl Found {
    fn is_folder(&self) -> bool {
        matches!(self, Self::Upper(stat) | Self::Lower(stat)
            if stat.type_ == DescriptorType::Directory)
    }
}

/// One end of a renaming.
pub(super) enum End {
    /// Below a handle that wasmtime knows.
    Real(Fd, String),
    /// In the folder that is copied on write.
    Layered(String),
}

/// The path from the top, without dots.
///
/// # Errors
///
/// A path that leads out of the folder, or the name of a marker.
pub(super) fn join(base: &str, path: &str) -> FsResult<String> {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    if path.starts_with('/') {
        return Err(ErrorCode::NotPermitted.into());
    }
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return Err(ErrorCode::NotPermitted.into());
                }
            }
            marker if marker.starts_with(MARKER) => return Err(ErrorCode::NotPermitted.into()),
            name => parts.push(name),
        }
    }
    Ok(parts.join("/"))
}

/// The path in the form that the functions of a handle want.
fn below(path: &str) -> String {
    if path.is_empty() { "." } else { path }.to_owned()
}

/// The folders above a path, from the top, without the top itself.
fn above(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/')
        .map(|(at, _)| path.get(..at).unwrap_or(path))
}

fn marker_of(path: &str) -> String {
    match path.rsplit_once('/') {
        Some((folder, name)) => format!("{folder}/{MARKER}{name}"),
        None => format!("{MARKER}{path}"),
    }
}

impl FilesView<'_> {
    /// The handles of the lower and the upper layer, opened.
    async fn layers(&mut self) -> FsResult<(Fd, Fd)> {
        let (lower, upper) = self.tree.layers()?;
        self.tree
            .place(self.files.table, &lower, &self.worker)
            .await?;
        self.tree
            .place(self.files.table, &upper, &self.worker)
            .await?;
        Ok((lower, upper))
    }

    /// Whether nothing of the lower layer shows at this path.
    async fn hidden(&mut self, path: &str) -> FsResult<bool> {
        let (_, upper) = self.layers().await?;
        let none = PathFlags::empty();
        for folder in above(path) {
            if self.look(&upper, none, &marker_of(folder)).await.is_some() {
                return Ok(true);
            }
            let covers = self.look(&upper, none, folder).await;
            if covers.is_some_and(|stat| stat.type_ != DescriptorType::Directory) {
                return Ok(true);
            }
        }
        let marked = self.look(&upper, none, &marker_of(path)).await;
        Ok(!path.is_empty() && marked.is_some())
    }

    async fn below_shows(&mut self, path: &str) -> FsResult<bool> {
        let (lower, _) = self.layers().await?;
        let there = self.look(&lower, PathFlags::empty(), &below(path)).await;
        Ok(there.is_some() && !self.hidden(path).await?)
    }

    async fn find(&mut self, flags: PathFlags, path: &str) -> FsResult<Found> {
        let (lower, upper) = self.layers().await?;
        if !path.is_empty()
            && let Some(stat) = self.look(&upper, flags, path).await
        {
            return Ok(Found::Upper(stat));
        }
        if self.hidden(path).await? {
            return Ok(Found::Missing);
        }
        Ok(match self.look(&lower, flags, &below(path)).await {
            Some(stat) => Found::Lower(stat),
            None => Found::Missing,
        })
    }

    /// The handle of the layer in which a path is.
    async fn layer_of(&mut self, flags: PathFlags, path: &str) -> FsResult<Fd> {
        let (lower, upper) = self.layers().await?;
        match self.find(flags, path).await? {
            Found::Upper(_) => Ok(upper),
            Found::Lower(_) => Ok(lower),
            Found::Missing => Err(ErrorCode::NoEntry.into()),
        }
    }

    /// Makes the folders above a path in the upper layer.
    async fn make_above(&mut self, path: &str) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        for folder in above(path) {
            match self.find(PathFlags::SYMLINK_FOLLOW, folder).await? {
                Found::Missing => return Err(ErrorCode::NoEntry.into()),
                found if !found.is_folder() => return Err(ErrorCode::NotDirectory.into()),
                Found::Upper(_) => {}
                Found::Lower(_) => {
                    self.real_create_directory_at(same(&upper), folder.to_owned())
                        .await?;
                }
            }
        }
        Ok(())
    }

    /// Puts a file of the lower layer into the upper one, without its content if it
    /// is about to be cut.
    async fn copy_up(&mut self, path: &str, cut: bool) -> FsResult<()> {
        let (lower, upper) = self.layers().await?;
        self.make_above(path).await?;
        let follow = PathFlags::SYMLINK_FOLLOW;
        let source = self
            .real_open_at(
                lower,
                follow,
                path.to_owned(),
                OpenFlags::empty(),
                DescriptorFlags::READ,
            )
            .await?;
        let made = self
            .real_open_at(
                same(&upper),
                PathFlags::empty(),
                path.to_owned(),
                OpenFlags::CREATE | OpenFlags::EXCLUSIVE,
                DescriptorFlags::WRITE,
            )
            .await;
        let copied = match made {
            Ok(target) => {
                let copied = if cut {
                    Ok(())
                } else {
                    self.copy(&source, &target).await
                };
                self.files.table.delete(target)?;
                copied
            }
            Err(error) => Err(error),
        };
        self.files.table.delete(source)?;
        if copied.is_err() {
            // The rest of it would hide the file.
            let _ = self.real_unlink_file_at(upper, path.to_owned()).await;
        }
        copied
    }

    async fn copy(&mut self, source: &Fd, target: &Fd) -> FsResult<()> {
        let file = self.writable(target)?;
        let mut offset = 0_u64;
        loop {
            let reading = self.at_work([source], async move |files, [source]| {
                files.read(source, PIECE, offset).await
            });
            let (piece, end) = reading.await?;
            let length = u64::try_from(piece.len()).unwrap_or(u64::MAX);
            if length == 0 && end {
                return Ok(());
            }
            write(&self.quota, file.clone(), Offset::At(offset), piece.into()).await?;
            offset = offset.saturating_add(length);
        }
    }

    /// Hides a path of the lower layer.
    async fn hide(&mut self, path: &str) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        self.make_above(path).await?;
        let marker = self
            .real_open_at(
                upper,
                PathFlags::empty(),
                marker_of(path),
                OpenFlags::CREATE,
                DescriptorFlags::WRITE,
            )
            .await?;
        self.files.table.delete(marker)?;
        Ok(())
    }

    pub(super) async fn layered_open(
        &mut self,
        path_flags: PathFlags,
        path: String,
        open_flags: OpenFlags,
        flags: DescriptorFlags,
    ) -> FsResult<Fd> {
        let (lower, upper) = self.layers().await?;
        let found = self.find(path_flags, &path).await?;
        let cuts = open_flags.contains(OpenFlags::TRUNCATE);
        let writes = cuts
            || open_flags.contains(OpenFlags::CREATE)
            || flags.contains(DescriptorFlags::WRITE);
        if open_flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE)
            && !matches!(found, Found::Missing)
        {
            return Err(ErrorCode::Exist.into());
        }
        if found.is_folder() {
            if writes {
                return Err(ErrorCode::IsDirectory.into());
            }
            let added = self.tree.add_place(self.files.table, Place::Layered(path));
            return self.refuse_when_full(added);
        }
        let layer = match found {
            Found::Missing if !open_flags.contains(OpenFlags::CREATE) => {
                return Err(ErrorCode::NoEntry.into());
            }
            Found::Missing => {
                self.make_above(&path).await?;
                upper
            }
            Found::Upper(_) => upper,
            Found::Lower(_) if writes => {
                self.copy_up(&path, cuts).await?;
                upper
            }
            Found::Lower(_) => lower,
        };
        self.real_open_at(layer, path_flags, path, open_flags, flags)
            .await
    }

    pub(super) async fn layered_create_directory(&mut self, path: String) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        if !matches!(self.find(PathFlags::empty(), &path).await?, Found::Missing) {
            return Err(ErrorCode::Exist.into());
        }
        self.make_above(&path).await?;
        self.real_create_directory_at(upper, path).await
    }

    pub(super) async fn layered_unlink(&mut self, path: String) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        let found = self.find(PathFlags::empty(), &path).await?;
        if matches!(found, Found::Missing) {
            return Err(ErrorCode::NoEntry.into());
        }
        if found.is_folder() {
            return Err(ErrorCode::IsDirectory.into());
        }
        if self.below_shows(&path).await? {
            self.hide(&path).await?;
        }
        if matches!(found, Found::Upper(_)) {
            self.real_unlink_file_at(upper, path).await?;
        }
        Ok(())
    }

    pub(super) async fn layered_remove_directory(&mut self, path: String) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        let found = self.find(PathFlags::empty(), &path).await?;
        if matches!(found, Found::Missing) {
            return Err(ErrorCode::NoEntry.into());
        }
        if !found.is_folder() {
            return Err(ErrorCode::NotDirectory.into());
        }
        if path.is_empty() {
            return Err(ErrorCode::Busy.into());
        }
        if !self.listing(&path).await?.0.is_empty() {
            return Err(ErrorCode::NotEmpty.into());
        }
        if self.below_shows(&path).await? {
            self.hide(&path).await?;
        }
        if matches!(found, Found::Upper(_)) {
            // Markers are all that is left in the folder.
            for entry in self.entries(&upper, &path).await?.0 {
                self.real_unlink_file_at(same(&upper), format!("{path}/{}", entry.name))
                    .await?;
            }
            self.real_remove_directory_at(upper, path).await?;
        }
        Ok(())
    }

    pub(super) async fn layered_rename(&mut self, from: End, to: End) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        let none = PathFlags::empty();
        let (source, source_path, folder) = match from {
            End::Real(fd, path) => {
                let stat = self.look(&fd, none, &path).await;
                let stat = stat.ok_or(FsError::from(ErrorCode::NoEntry))?;
                (fd, path, stat.type_ == DescriptorType::Directory)
            }
            End::Layered(path) => {
                let found = self.find(none, &path).await?;
                let folder = found.is_folder();
                match found {
                    Found::Missing => return Err(ErrorCode::NoEntry.into()),
                    // Every layered file system answers so, and the caller copies.
                    _ if folder && self.below_shows(&path).await? => {
                        return Err(ErrorCode::CrossDevice.into());
                    }
                    Found::Lower(_) => self.copy_up(&path, false).await?,
                    Found::Upper(_) => {}
                }
                if !folder && self.below_shows(&path).await? {
                    self.hide(&path).await?;
                }
                (same(&upper), path, folder)
            }
        };
        let (target, target_path) = match to {
            End::Real(fd, path) => (fd, path),
            End::Layered(path) => {
                self.make_above(&path).await?;
                let found = self.find(none, &path).await?;
                match (found.is_folder(), folder) {
                    (true, false) => return Err(ErrorCode::IsDirectory.into()),
                    (true, true) => self.layered_remove_directory(path.clone()).await?,
                    (false, true) if !matches!(found, Found::Missing) => {
                        return Err(ErrorCode::NotDirectory.into());
                    }
                    (false, _) => {}
                }
                (upper, path)
            }
        };
        self.real_rename_at(source, source_path, target, target_path)
            .await
    }

    pub(super) async fn layered_stat(
        &mut self,
        flags: PathFlags,
        path: &str,
    ) -> FsResult<DescriptorStat> {
        match self.find(flags, path).await? {
            Found::Upper(stat) | Found::Lower(stat) => Ok(stat),
            Found::Missing => Err(ErrorCode::NoEntry.into()),
        }
    }

    pub(super) async fn layered_hash(
        &mut self,
        flags: PathFlags,
        path: &str,
    ) -> FsResult<MetadataHashValue> {
        let layer = self.layer_of(flags, path).await?;
        self.real_hash_at(&layer, flags, below(path)).await
    }

    pub(super) async fn layered_readlink(&mut self, path: &str) -> FsResult<String> {
        let layer = self.layer_of(PathFlags::empty(), path).await?;
        self.real_readlink_at(&layer, below(path)).await
    }

    pub(super) async fn layered_set_times(
        &mut self,
        flags: PathFlags,
        path: &str,
        accessed: NewTimestamp,
        modified: NewTimestamp,
    ) -> FsResult<()> {
        let (_, upper) = self.layers().await?;
        let found = self.find(flags, path).await?;
        match &found {
            Found::Missing => return Err(ErrorCode::NoEntry.into()),
            Found::Upper(_) => {}
            Found::Lower(_) if found.is_folder() => {
                self.make_above(&format!("{path}/")).await?;
            }
            Found::Lower(_) => self.copy_up(path, false).await?,
        }
        self.real_set_times_at(upper, flags, below(path), accessed, modified)
            .await
    }
}
