//! Counts the content of a folder when an instance starts.
//!
//! Never follows a symlink and never builds a path: a plugin may have nested its
//! folders deeper than the longest path of the system, so the walk goes down and
//! up by handles, with one folder open at a time.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, openat, statat};

use super::quota::Usage;
use cordon_base::error::EngineError;

/// Entries after which the walk gives up: the ceiling of `data-files`, so no
/// plugin can have made more.
const MAX_ENTRIES: u64 = 1 << 20;

/// Counts the files, folders and other entries below `folder`, and the lengths of
/// the files; nothing where there is no such folder yet. Blocks; bounded in entries.
///
/// # Errors
///
/// A folder that cannot be read, or one with more entries than any limit allows.
pub(super) fn count(folder: &Path) -> Result<Usage, EngineError> {
    let mut usage = Usage::default();
    match walk(folder, &mut usage) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Usage::default()),
        walked => walked
            .map_err(|error| EngineError::io(format!("counting {}", folder.display()), error))?,
    }
    if usage.files > MAX_ENTRIES {
        return Err(EngineError::Config(format!(
            "{} holds more than {MAX_ENTRIES} files; remove some",
            folder.display()
        )));
    }
    Ok(usage)
}

fn walk(folder: &Path, usage: &mut Usage) -> io::Result<()> {
    let mut here = openat(CWD, folder, flags(), Mode::empty())?;
    // The folders still to visit, per level from the top down to `here`.
    let mut levels = vec![list(&here, usage)?];
    while let Some(level) = levels.last_mut() {
        if usage.files > MAX_ENTRIES {
            break;
        }
        if let Some(name) = level.pop() {
            here = openat(&here, name, flags() | OFlags::NOFOLLOW, Mode::empty())?;
            levels.push(list(&here, usage)?);
            continue;
        }
        levels.pop();
        if !levels.is_empty() {
            here = openat(&here, c"..", flags(), Mode::empty())?;
        }
    }
    Ok(())
}

fn flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC
}

/// Counts the entries of one folder and returns those that are folders.
fn list(folder: &OwnedFd, usage: &mut Usage) -> io::Result<Vec<CString>> {
    let mut folders = Vec::new();
    for entry in Dir::read_from(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name == c"." || name == c".." {
            continue;
        }
        usage.files = usage.files.saturating_add(1);
        if usage.files > MAX_ENTRIES {
            break;
        }
        let stat = statat(folder, name, AtFlags::SYMLINK_NOFOLLOW)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {
                let length = u64::try_from(stat.st_size).unwrap_or(0);
                usage.bytes = usage.bytes.saturating_add(length);
            }
            FileType::Directory => folders.push(name.to_owned()),
            _ => {}
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
    fn files_folders_and_lengths_are_counted_and_links_are_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        fs::write(outside.path().join("large"), vec![0; 5000]).unwrap();
        fs::create_dir_all(folder.path().join("a/b")).unwrap();
        fs::write(folder.path().join("a/b/one"), [0; 10]).unwrap();
        fs::write(folder.path().join("a/two"), [0; 20]).unwrap();
        fs::write(folder.path().join("three"), [0; 30]).unwrap();
        symlink(outside.path(), folder.path().join("link")).unwrap();
        symlink(outside.path().join("large"), folder.path().join("a/link")).unwrap();

        let usage = count(folder.path()).unwrap();
        assert_eq!(
            usage,
            Usage {
                bytes: 60,
                files: 7
            }
        );
    }

    #[test]
    fn a_sparse_file_counts_as_long_as_it_looks() {
        let folder = tempfile::tempdir().unwrap();
        let file = fs::File::create(folder.path().join("sparse")).unwrap();
        file.set_len(1 << 30).unwrap();
        assert_eq!(count(folder.path()).unwrap().bytes, 1 << 30);
    }

    #[test]
    fn nesting_beyond_the_longest_path_is_counted() {
        let folder = tempfile::tempdir().unwrap();
        let name = CString::new("d".repeat(200)).unwrap();
        let mut here = openat(CWD, folder.path(), flags(), Mode::empty()).unwrap();
        for _ in 0..40 {
            rustix::fs::mkdirat(&here, &name, Mode::RWXU).unwrap();
            here = openat(&here, &name, flags(), Mode::empty()).unwrap();
        }
        assert_eq!(count(folder.path()).unwrap().files, 40);
    }

    #[test]
    fn a_missing_folder_holds_nothing_and_a_file_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let missing = count(&folder.path().join("absent")).unwrap();
        assert_eq!(missing, Usage::default());
        fs::write(folder.path().join("file"), "").unwrap();
        let error = count(&folder.path().join("file")).unwrap_err();
        assert!(error.to_string().contains("file"), "{error}");
    }
}
