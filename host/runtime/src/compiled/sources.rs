//! The modules in a folder of packages, and their hash.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use cordon_base::bounds::ENTRIES;
use cordon_base::hex::hex;
use cordon_base::regular_file::RegularFile;

/// Bounds on a set of packages. A larger set is left to the instances.
const FILES: usize = 20_000;
const BYTES: u64 = 64 << 20;
const DEPTH: usize = 24;

/// The hash of all modules with their paths. Blocks.
///
/// # Errors
///
/// The system's, and one for a set that is beyond a bound.
pub fn hash(packages: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    each(packages, &mut |path, source| {
        // Neither a path nor a file can end where another begins.
        for part in [path.as_os_str().as_encoded_bytes(), source] {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Ok(())
    })?;
    Ok(hex(&hash.finalize()))
}

/// Copies the modules. Blocks.
///
/// # Errors
///
/// As [`hash`], and those of writing.
pub fn copy(packages: &Path, to: &Path) -> io::Result<()> {
    each(packages, &mut |path, source| {
        let copy = to.join(path);
        if let Some(folder) = copy.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(copy, source)
    })
}

/// Goes through the modules in the order of their paths: the path from `packages`, and the
/// content. Links are not followed.
fn each(packages: &Path, take: &mut dyn FnMut(&Path, &[u8]) -> io::Result<()>) -> io::Result<()> {
    let (mut files, mut bytes) = (FILES, BYTES);
    let mut left = vec![PathBuf::new()];
    while let Some(path) = left.pop() {
        let place = packages.join(&path);
        // The folder itself may be reached by a link; nothing in it is.
        if path.as_os_str().is_empty() || place.symlink_metadata()?.is_dir() {
            if path.components().count() > DEPTH {
                return Err(large());
            }
            let mut entries: Vec<_> = fs::read_dir(&place)?
                .take(ENTRIES.saturating_add(1))
                .map(|entry| entry.map(|entry| path.join(entry.file_name())))
                .collect::<Result<_, _>>()?;
            files = files.checked_sub(entries.len()).ok_or_else(large)?;
            entries.sort_unstable_by(|one, other| other.cmp(one));
            left.append(&mut entries);
        } else if path.extension().is_some_and(|end| end == "py") {
            let file = RegularFile::open_no_link(&place)?;
            let size = file.size();
            bytes = bytes.checked_sub(size).ok_or_else(large)?;
            let mut source = Vec::new();
            file.take(size).read_to_end(&mut source)?;
            take(&path, &source)?;
        }
    }
    Ok(())
}

fn large() -> io::Error {
    io::Error::other("there is too much in the folder of packages")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn some(folder: &Path) {
        fs::create_dir_all(folder.join("a/b")).unwrap();
        fs::write(folder.join("a/__init__.py"), "1").unwrap();
        fs::write(folder.join("a/b/c.py"), "2").unwrap();
        fs::write(folder.join("a/data.json"), "3").unwrap();
    }

    #[test]
    fn copies_have_the_hash_and_changes_another() {
        let folder = tempfile::tempdir().unwrap();
        let (one, other) = (folder.path().join("one"), folder.path().join("other"));
        some(&one);
        copy(&one, &other).unwrap();
        assert!(!other.join("a/data.json").exists());
        let before = hash(&one).unwrap();
        assert_eq!(before, hash(&other).unwrap());
        fs::rename(other.join("a/b/c.py"), other.join("a/b/d.py")).unwrap();
        assert_ne!(before, hash(&other).unwrap());
    }

    #[test]
    fn links_devices_and_too_much_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        some(folder.path());
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("link.py")).unwrap();
        hash(folder.path()).unwrap_err();
        fs::remove_file(folder.path().join("link.py")).unwrap();
        // A link to a folder is no folder, and without the end of a module it is nothing.
        std::os::unix::fs::symlink("/", folder.path().join("root")).unwrap();
        hash(folder.path()).unwrap();
        let large = fs::File::create(folder.path().join("large.py")).unwrap();
        large.set_len(BYTES + 1).unwrap();
        hash(folder.path()).unwrap_err();
    }
}
