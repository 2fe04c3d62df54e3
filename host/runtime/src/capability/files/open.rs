//! Opens a file or a folder, and nothing else.
//!
//! A pipe, a socket or a device may lie in a folder of a plugin, put there by a program or by
//! whoever made the plugin. Opening one may wait for ever, or do something to a machine. So the
//! kind of the file is looked at before. The file is then opened in a way that waits for nobody,
//! and its kind is looked at once more.

use std::fs::File;
use std::io;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use wasmtime_wasi::filesystem::{
    Descriptor, Dir, File as OpenFile, OpenMode, WasiFilesystemCtxView,
};
use wasmtime_wasi::p2::FsResult;
use wasmtime_wasi::p2::bindings::filesystem::types::{
    DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, HostDescriptor, OpenFlags,
    PathFlags,
};

use super::charged::{Fd, same};

/// Tries of a look-up that a renaming somewhere disturbed.
const TRIES: usize = 4;

/// The file or folder to open, and the way to open it.
pub(super) struct Opening {
    pub(super) path_flags: PathFlags,
    pub(super) path: String,
    pub(super) open_flags: OpenFlags,
    pub(super) flags: DescriptorFlags,
}

/// Whether a plugin may open a file with this description. A link is followed or refused by the
/// system.
pub(super) fn is_openable(stat: &DescriptorStat) -> bool {
    matches!(
        stat.type_,
        DescriptorType::RegularFile | DescriptorType::Directory | DescriptorType::SymbolicLink
    )
}

/// Opens a file or a folder below a handle.
///
/// # Errors
///
/// [`ErrorCode::NotPermitted`] for anything but a file or a folder, and for ways of opening that
/// the handle does not allow; else the system's error.
pub(super) async fn open(
    files: &mut WasiFilesystemCtxView<'_>,
    fd: &Fd,
    opening: Opening,
) -> FsResult<Descriptor> {
    let Opening {
        path_flags,
        path,
        open_flags,
        flags,
    } = opening;
    let there = files.stat_at(same(fd), path_flags, path.clone()).await;
    if there.is_ok_and(|stat| !is_openable(&stat)) {
        return Err(ErrorCode::NotPermitted.into());
    }
    if let Descriptor::Dir(dir) = files.table.get(fd)?
        && let Some(opened) = beneath(dir, path_flags, &path, open_flags, flags)?
    {
        return Ok(opened);
    }
    let opened = files
        .open_at(same(fd), path_flags, path, open_flags, flags)
        .await?;
    Ok(files.table.delete(opened)?)
}

/// Opens as wasmtime does, but without waiting; nothing where the system has no such call.
fn beneath(
    dir: &Dir,
    path_flags: PathFlags,
    path: &str,
    open_flags: OpenFlags,
    flags: DescriptorFlags,
) -> FsResult<Option<Descriptor>> {
    let sync = DescriptorFlags::FILE_INTEGRITY_SYNC
        | DescriptorFlags::DATA_INTEGRITY_SYNC
        | DescriptorFlags::REQUESTED_WRITE_SYNC;
    let changes = open_flags.intersects(OpenFlags::CREATE | OpenFlags::TRUNCATE);
    let writes = changes || flags.contains(DescriptorFlags::WRITE);
    // A file that is written only is not read, as far as the system is concerned.
    let reads = flags.contains(DescriptorFlags::READ) || !flags.contains(DescriptorFlags::WRITE);
    if flags.intersects(sync) {
        return Err(ErrorCode::Unsupported.into());
    }
    if open_flags.contains(OpenFlags::DIRECTORY)
        && open_flags.intersects(OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::TRUNCATE)
    {
        return Err(ErrorCode::Invalid.into());
    }
    if writes && dir.perms.write_not_permitted() {
        return Err(ErrorCode::NotPermitted.into());
    }
    let mut how = OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    how |= match (reads, writes) {
        (_, false) => OFlags::RDONLY,
        (true, true) => OFlags::RDWR,
        (false, true) => OFlags::WRONLY,
    };
    how.set(OFlags::CREATE, open_flags.contains(OpenFlags::CREATE));
    how.set(
        OFlags::EXCL,
        open_flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE),
    );
    how.set(OFlags::TRUNC, open_flags.contains(OpenFlags::TRUNCATE));
    how.set(OFlags::DIRECTORY, open_flags.contains(OpenFlags::DIRECTORY));
    how.set(
        OFlags::NOFOLLOW,
        !path_flags.contains(PathFlags::SYMLINK_FOLLOW),
    );
    let Some(file) = openat2_beneath(&dir.dir, path, how)? else {
        return Ok(None);
    };
    let metadata = file.metadata()?;
    let mut mode = OpenMode::empty();
    mode.set(OpenMode::READ, reads);
    mode.set(OpenMode::WRITE, writes);
    if metadata.is_dir() {
        Ok(Some(Descriptor::Dir(Dir::new(file, dir.perms, mode, true))))
    } else if metadata.is_file() {
        Ok(Some(Descriptor::File(OpenFile::new(
            file, dir.perms, mode, true,
        ))))
    } else {
        Err(ErrorCode::NotPermitted.into())
    }
}

fn openat2_beneath(dir: &File, path: &str, how: OFlags) -> io::Result<Option<File>> {
    let mode = if how.contains(OFlags::CREATE) {
        Mode::from_raw_mode(0o666)
    } else {
        Mode::empty()
    };
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..TRIES {
        match openat2(dir, path, how, mode, resolve) {
            Ok(file) => return Ok(Some(file.into())),
            Err(Errno::AGAIN) => {}
            // The answer of sandboxes that do not know the call, too.
            Err(Errno::NOSYS | Errno::PERM) => return Ok(None),
            // The path led out of the folder.
            Err(Errno::XDEV) => return Err(Errno::PERM.into()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}
