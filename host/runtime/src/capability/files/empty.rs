//! Empties the folder for temporary files when an instance starts.
//!
//! Goes down and up by handles with one folder open at a time, as `count` does: a
//! plugin may have nested its folders deeper than a path or a stack can be.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat, unlinkat};

use cordon_base::error::EngineError;

/// Empties `folder`; nothing to do where there is no such folder. Blocks.
///
/// # Errors
///
/// The error of an entry that cannot be removed.
pub(super) fn empty(folder: &Path) -> Result<(), EngineError> {
    match clear(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        cleared => cleared
            .map_err(|error| EngineError::io(format!("emptying {}", folder.display()), error)),
    }
}

/// Removes a folder of the hub with everything in it. Blocks.
///
/// # Errors
///
/// The error of an entry that cannot be removed.
pub fn remove(folder: &Path) -> Result<(), EngineError> {
    empty(folder)?;
    std::fs::remove_dir(folder)
        .map_err(|error| EngineError::io(format!("removing {}", folder.display()), error))
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW
}

fn clear(folder: &Path) -> io::Result<()> {
    let mut here = openat(CWD, folder, flags(), Mode::empty())?;
    // The folders still to remove, per level; the last of a level is the one that
    // the level below belongs to.
    let mut levels = vec![remove_files(&here)?];
    while let Some(level) = levels.last() {
        if let Some(name) = level.last() {
            here = openat(&here, name.as_c_str(), flags(), Mode::empty())?;
            levels.push(remove_files(&here)?);
            continue;
        }
        levels.pop();
        if let Some(name) = levels.last_mut().and_then(Vec::pop) {
            here = openat(
                &here,
                c"..",
                OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC,
                Mode::empty(),
            )?;
            unlinkat(&here, name.as_c_str(), AtFlags::REMOVEDIR)?;
        }
    }
    Ok(())
}

/// Removes all entries that are no folders; returns the folders.
fn remove_files(folder: &OwnedFd) -> io::Result<Vec<CString>> {
    let mut folders = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            folders.push(name.to_owned());
        } else {
            unlinkat(folder, name, AtFlags::empty())?;
        }
    }
    Ok(folders)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn everything_goes_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("kept"), "").unwrap();
        let path = folder.path();
        fs::create_dir_all(path.join("a/b/c")).unwrap();
        fs::create_dir_all(path.join("a/d")).unwrap();
        fs::create_dir_all(path.join("e")).unwrap();
        fs::write(path.join("a/b/file"), "x").unwrap();
        fs::write(path.join("file"), "x").unwrap();
        symlink(outside.path(), path.join("link")).unwrap();
        symlink(outside.path(), path.join("a/link")).unwrap();
        empty(path).unwrap();
        assert_eq!(fs::read_dir(path).unwrap().count(), 0);
        assert!(outside.path().join("kept").exists());
    }

    #[test]
    fn a_missing_folder_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        empty(&absent).unwrap();
        assert!(!absent.exists(), "it was made");
    }

    #[test]
    fn nesting_beyond_the_longest_path_goes() {
        let folder = tempfile::tempdir().unwrap();
        let name = CString::new("d".repeat(200)).unwrap();
        let mut here = openat(CWD, folder.path(), flags(), Mode::empty()).unwrap();
        for _ in 0..40 {
            rustix::fs::mkdirat(&here, &name, Mode::RWXU).unwrap();
            here = openat(&here, &name, flags(), Mode::empty()).unwrap();
        }
        empty(folder.path()).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
