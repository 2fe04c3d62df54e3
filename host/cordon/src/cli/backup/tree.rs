//! Walks through a folder whose files others are writing, without following a link.
//!
//! Plugins write into the data folder. Every step is looked up from the folder's own handle by the
//! system, which refuses links on the way, so a plugin that exchanges a folder for a link while the
//! walk goes on shows nothing of another folder.

use std::collections::BTreeSet;
use std::fs::{File, Metadata};
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use cordon_base::error::EngineError;

/// Which file or folder it is: device and inode.
pub(super) type Place = (u64, u64);

/// The place of a file or folder, if there is one.
pub(super) fn place(path: &Path) -> Option<Place> {
    let found = std::fs::metadata(path).ok()?;
    Some((found.dev(), found.ino()))
}

/// A thing on the way. Paths have `/` between their names and begin below the root.
pub(super) enum Found<'a> {
    Folder(&'a str),
    File(&'a str, File),
    /// Left out, and why.
    LeftOut(&'a str, &'static str),
}

/// Longest path of a file or folder, in bytes. The system takes about twice as many, and a backup is
/// restored below a folder with a name of its own. Plugins can nest folders deeper than that.
const LONGEST: usize = 2048;

/// A folder, open.
pub(super) struct Tree {
    root: OwnedFd,
    name: String,
}

/// The folder that is read, and the names in it that are still to come, last first.
struct Level {
    path: String,
    names: Vec<String>,
}

impl Tree {
    /// Opens a folder; links to it are followed. `None` if there is none.
    ///
    /// # Errors
    /// [`EngineError::Io`].
    pub(super) fn open(path: &Path) -> Result<Option<Self>, EngineError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let name = path.display().to_string();
        match rustix::fs::open(path, flags, Mode::empty()) {
            Ok(root) => Ok(Some(Self { root, name })),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(EngineError::io(format!("cannot read {name}"), error.into())),
        }
    }

    /// Shows everything below it in the order of paths by their parts, but for the places to skip
    /// and all below them. Files that go away meanwhile are left out.
    ///
    /// # Errors
    /// That of `visit`, and [`EngineError::Io`] for a file or folder that cannot be read.
    pub(super) fn walk(
        &self,
        skip: &BTreeSet<Place>,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), EngineError>,
    ) -> Result<(), EngineError> {
        let mut levels = vec![self.level(String::new(), visit)?];
        while let Some(level) = levels.last_mut() {
            let Some(name) = level.names.pop() else {
                levels.pop();
                continue;
            };
            let path = match level.path.as_str() {
                "" => name,
                folder => format!("{folder}/{name}"),
            };
            match self.look(&path, skip)? {
                Look::Gone => {}
                Look::Folder => {
                    visit(Found::Folder(&path))?;
                    levels.push(self.level(path, visit)?);
                }
                Look::File(file) => visit(Found::File(&path, file))?,
                Look::Other(why) => visit(Found::LeftOut(&path, why))?,
            }
        }
        Ok(())
    }

    /// The names in a folder; none if it has gone.
    fn level(
        &self,
        path: String,
        visit: &mut dyn FnMut(Found<'_>) -> Result<(), EngineError>,
    ) -> Result<Level, EngineError> {
        let mut names = Vec::new();
        let here = if path.is_empty() { "." } else { path.as_str() };
        let folder = match self.at(here, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(folder) => folder,
            Err(error) if is_gone(error) => return Ok(Level { path, names }),
            Err(error) => return Err(self.unreadable(&path, error)),
        };
        let entries = Dir::new(folder).map_err(|error| self.unreadable(&path, error))?;
        for entry in entries {
            let entry = entry.map_err(|error| self.unreadable(&path, error))?;
            match entry.file_name().to_str() {
                Ok("." | "..") => {}
                Ok(name) => names.push(name.to_owned()),
                Err(_) => {
                    let name = entry.file_name().to_string_lossy();
                    let shown = format!("{path}/{name}");
                    visit(Found::LeftOut(&shown, "its name is no UTF-8"))?;
                }
            }
        }
        names.sort_unstable_by(|a, b| b.cmp(a));
        Ok(Level { path, names })
    }

    fn look(&self, path: &str, skip: &BTreeSet<Place>) -> Result<Look, EngineError> {
        if path.len() > LONGEST {
            return Ok(Look::Other("its path is too long"));
        }
        // Nothing is opened before it is known to be a file: opening a device may do something.
        let facts = self
            .at(path, OFlags::PATH | OFlags::NOFOLLOW)
            .and_then(rustix::fs::fstat);
        let facts = match facts {
            Ok(facts) => facts,
            Err(error) if is_gone(error) => return Ok(Look::Gone),
            Err(error) => return Err(self.unreadable(path, error)),
        };
        if skip.contains(&(facts.st_dev, facts.st_ino)) {
            return Ok(Look::Gone);
        }
        match FileType::from_raw_mode(facts.st_mode) {
            FileType::Directory => return Ok(Look::Folder),
            FileType::RegularFile => {}
            FileType::Symlink => return Ok(Look::Other("it is a link")),
            _ => return Ok(Look::Other("it is no regular file")),
        }
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = match self.at(path, flags) {
            Ok(file) => File::from(file),
            Err(error) if is_gone(error) => return Ok(Look::Gone),
            Err(error) => return Err(self.unreadable(path, error)),
        };
        let is_file = file.metadata().as_ref().is_ok_and(Metadata::is_file);
        Ok(if is_file {
            Look::File(file)
        } else {
            Look::Gone
        })
    }

    fn at(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve =
            ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        rustix::fs::openat2(
            &self.root,
            path,
            flags | OFlags::CLOEXEC,
            Mode::empty(),
            resolve,
        )
    }

    fn unreadable(&self, path: &str, error: Errno) -> EngineError {
        let what = format!(
            "cannot read {}/{path}, so there would be no whole backup; use the hub's own account",
            self.name
        );
        EngineError::io(what, error.into())
    }
}

enum Look {
    Gone,
    Folder,
    File(File),
    Other(&'static str),
}

/// A file that has gone, or a folder on the way to it that has become something else.
fn is_gone(error: Errno) -> bool {
    matches!(
        error,
        Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::STALE
    )
}

/// Whether a folder has anything in it; one that is not there has nothing.
///
/// # Errors
/// The system's.
pub(super) fn is_empty(path: &Path) -> std::io::Result<bool> {
    match rustix::fs::statat(CWD, path, AtFlags::empty()) {
        Err(Errno::NOENT) => Ok(true),
        _ => Ok(std::fs::read_dir(path)?.next().is_none()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn walked(root: &Path, skip: &BTreeSet<Place>) -> Vec<String> {
        let mut found = Vec::new();
        let tree = Tree::open(root).unwrap().unwrap();
        tree.walk(skip, &mut |it| {
            found.push(match it {
                Found::Folder(path) => format!("{path}/"),
                Found::File(path, _) => path.to_owned(),
                Found::LeftOut(path, why) => format!("{path}: {why}"),
            });
            Ok(())
        })
        .unwrap();
        found
    }

    #[test]
    fn folders_that_are_nested_too_deep_are_left_out_and_told() {
        let scratch = tempfile::tempdir().unwrap();
        let name = "x".repeat(200);
        let deep: std::path::PathBuf = std::iter::repeat_n(name.as_str(), 12).collect();
        std::fs::create_dir_all(scratch.path().join(deep)).unwrap();
        std::fs::write(scratch.path().join("kept"), "").unwrap();
        let found = walked(scratch.path(), &BTreeSet::new());
        assert!(found.contains(&"kept".to_owned()));
        let told = found
            .iter()
            .filter(|it| it.ends_with(": its path is too long"));
        assert_eq!(told.count(), 1);
    }

    #[test]
    fn the_order_is_that_of_paths_and_no_link_is_followed() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        let outside = scratch.path().join("outside");
        for folder in [&root, &outside, &root.join("a"), &root.join("skipped")] {
            std::fs::create_dir(folder).unwrap();
        }
        std::fs::write(outside.join("secret"), "").unwrap();
        for file in ["a/z", "a.b", "b", "skipped/x"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        symlink("../outside", root.join("link")).unwrap();
        symlink("../../outside/secret", root.join("a/link")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("socket")).unwrap();
        let skip = BTreeSet::from([place(&root.join("skipped")).unwrap()]);
        let found = walked(&root, &skip);
        let expected = [
            "a/",
            "a/link: it is a link",
            "a/z",
            "a.b",
            "b",
            "link: it is a link",
            "socket: it is no regular file",
        ];
        assert_eq!(found, expected);
        let mut paths = crate::cli::backup::manifest::Paths::default();
        for path in ["a", "a/z", "a.b", "b"] {
            let folder = path == "a";
            paths.take(&format!("data/{path}"), folder).unwrap();
        }
    }

    #[test]
    fn a_folder_that_becomes_a_link_shows_nothing_of_its_target() {
        let scratch = tempfile::tempdir().unwrap();
        let root = scratch.path().join("root");
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        std::fs::create_dir_all(scratch.path().join("outside/b")).unwrap();
        std::fs::write(scratch.path().join("outside/b/secret"), "").unwrap();
        let mut found = Vec::new();
        let tree = Tree::open(&root).unwrap().unwrap();
        tree.walk(&BTreeSet::new(), &mut |it| {
            if let Found::Folder("a/b") = it {
                std::fs::rename(root.join("a"), root.join("moved")).unwrap();
                symlink("../outside", root.join("a")).unwrap();
            }
            if let Found::Folder(path) | Found::File(path, _) = it {
                found.push(path.to_owned());
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(found, ["a", "a/b"]);
    }

    #[test]
    fn a_missing_folder_is_none_and_a_name_that_is_no_text_is_told() {
        use std::os::unix::ffi::OsStrExt;
        let scratch = tempfile::tempdir().unwrap();
        assert!(Tree::open(&scratch.path().join("none")).unwrap().is_none());
        assert!(is_empty(&scratch.path().join("none")).unwrap());
        assert!(is_empty(scratch.path()).unwrap());
        let odd = std::ffi::OsStr::from_bytes(b"\xff");
        std::fs::write(scratch.path().join(odd), "").unwrap();
        assert!(!is_empty(scratch.path()).unwrap());
        let found = walked(scratch.path(), &BTreeSet::new());
        assert!(found.concat().contains("its name is no UTF-8"), "{found:?}");
    }
}
