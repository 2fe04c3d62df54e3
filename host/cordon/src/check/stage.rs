//! Copies of a plugin's folder for the components of a check.
//!
//! Only regular files, no more than a plugin has, and links are not followed: the folder is
//! somebody else's. Files that were left out are named.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use cordon_base::bounds::ENTRIES;
use cordon_base::error::EngineError;
use cordon_base::regular_file::RegularFile;
use cordon_packages::packages_of;
use cordon_packages::place::{PACKAGES, Place};

/// Bounds on a copy of the plugin, and on one of its packages.
const PLUGIN_FILES: u64 = 5_000;
const PLUGIN_BYTES: u64 = 64 << 20;
const PACKAGES_FILES: u64 = 30_000;
const PACKAGES_BYTES: u64 = 256 << 20;
const DEPTH: u32 = 24;

/// Largest source that is parsed, in bytes.
const SOURCE_BYTES: u64 = 4 << 20;

/// How deep a folder of plugins is searched, and how many folders are looked at.
const SEARCH_DEPTH: u32 = 3;
const SEARCH_FOLDERS: u32 = 20_000;

/// Folders that belong to a plugin's development and not to the plugin.
const LEFT_OUT: [&str; 5] = [".git", "__pycache__", "node_modules", ".venv", "venv"];

/// The name of the entry, and that of its copy beside the driver of a check.
pub const ENTRY: &str = "plugin.py";
/// The plugin's own `plugin.py`, beside the driver.
pub const CHECKED: &str = "cordon-checked.source";
/// The name of the file with the imports for the driver.
pub const WANTED: &str = "cordon-wanted.json";

/// The copies.
pub struct Stage {
    folder: tempfile::TempDir,
    /// The files that were not copied, as sentences.
    pub skipped: Vec<String>,
}

impl Stage {
    /// Copies a plugin twice: its sources to be read, and all of it to be imported.
    ///
    /// # Errors
    ///
    /// [`EngineError::Io`] when the copies cannot be made.
    pub fn new(place: &Place) -> Result<Self, EngineError> {
        let io = |error| EngineError::io(format!("cannot copy {}", place.root.display()), error);
        let folder = tempfile::tempdir().map_err(io)?;
        let mut stage = Self {
            folder,
            skipped: Vec::new(),
        };
        let mut sources = Copy::new(PLUGIN_FILES, PLUGIN_BYTES);
        sources.only_python = true;
        sources
            .tree(&place.code, &stage.reading().join("sources"), 0)
            .map_err(io)?;
        stage.skipped = sources.skipped;
        let mut all = Copy::new(PLUGIN_FILES, PLUGIN_BYTES);
        all.tree(&place.code, &stage.probing(), 0).map_err(io)?;
        stage
            .skipped
            .extend(all.skipped.into_iter().filter(|_| all.full));
        fs::rename(stage.probing().join(ENTRY), stage.probing().join(CHECKED)).map_err(io)?;
        if let Some(packages) = packages_of(&place.code) {
            Copy::new(PACKAGES_FILES, PACKAGES_BYTES)
                .tree(&packages, &stage.probing().join(PACKAGES), 0)
                .map_err(io)?;
        }
        Ok(stage)
    }

    /// Folder of the component that reads.
    #[must_use]
    pub fn reading(&self) -> PathBuf {
        self.folder.path().join("reading")
    }

    /// Folder of the component that imports.
    #[must_use]
    pub fn probing(&self) -> PathBuf {
        self.folder.path().join("probing")
    }
}

/// A copy that is being made.
struct Copy {
    files: u64,
    bytes: u64,
    only_python: bool,
    full: bool,
    skipped: Vec<String>,
}

impl Copy {
    fn new(files: u64, bytes: u64) -> Self {
        Self {
            files,
            bytes,
            only_python: false,
            full: false,
            skipped: Vec::new(),
        }
    }

    fn skip(&mut self, path: &Path, why: &str) {
        if self.skipped.len() < 20 {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            self.skipped
                .push(format!("{name} was not looked at: {why}"));
        }
    }

    fn tree(&mut self, from: &Path, to: &Path, depth: u32) -> std::io::Result<()> {
        // A folder counts as a file does.
        let Some(files) = self.files.checked_sub(1) else {
            self.full = true;
            self.skip(from, "the folder is too large");
            return Ok(());
        };
        self.files = files;
        fs::create_dir_all(to)?;
        let entries = fs::read_dir(from).and_then(|it| it.take(ENTRIES).collect());
        let mut entries: Vec<_> = match entries {
            Ok(entries) => entries,
            Err(error) if depth > 0 => {
                self.skip(from, &format!("it cannot be read: {error}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let path = entry.path();
            let kind = entry.file_type()?;
            let name = entry.file_name();
            if LEFT_OUT.iter().any(|left_out| name == *left_out) {
                continue;
            }
            if depth == 0 && name == PACKAGES && kind.is_dir() {
                continue;
            }
            if kind.is_dir() {
                if depth >= DEPTH {
                    self.skip(&path, "it lies too deep");
                } else {
                    self.tree(&path, &to.join(name), depth.saturating_add(1))?;
                }
            } else if !kind.is_file() {
                self.skip(&path, "it is a link or a device");
            } else if !self.only_python || path.extension().is_some_and(|end| end == "py") {
                self.file(&path, &to.join(name), entry.metadata()?.len())?;
            }
        }
        Ok(())
    }

    fn file(&mut self, from: &Path, to: &Path, size: u64) -> std::io::Result<()> {
        if self.only_python && size > SOURCE_BYTES {
            self.skip(from, "it is larger than 4 MiB");
            // There is an empty file in its place, so that the rest can be read.
            return fs::write(to, "");
        }
        match (self.files.checked_sub(1), self.bytes.checked_sub(size)) {
            (Some(files), Some(bytes)) => {
                (self.files, self.bytes) = (files, bytes);
                // The file may have become something else, or longer, since it was listed.
                let mut file = match RegularFile::open_no_link(from) {
                    Ok(file) => file.take(size),
                    Err(error) => {
                        self.skip(from, &format!("it cannot be read: {error}"));
                        return Ok(());
                    }
                };
                std::io::copy(&mut file, &mut fs::File::create(to)?)?;
                Ok(())
            }
            _ => {
                self.full = true;
                self.skip(from, "the folder is too large");
                Ok(())
            }
        }
    }
}

/// The folders below a folder of plugins.
#[derive(Default)]
pub struct Below {
    /// The plugins, in the order of their paths.
    pub places: Vec<Place>,
    /// Folders that cannot be looked into, with the reason.
    pub unread: Vec<(PathBuf, String)>,
}

/// The plugins in a folder.
#[must_use]
pub fn plugins_below(folder: &Path) -> Below {
    let mut found = Below::default();
    let mut room = SEARCH_FOLDERS;
    search(folder, SEARCH_DEPTH, &mut room, &mut found);
    found
}

fn search(folder: &Path, depth: u32, room: &mut u32, found: &mut Below) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            let why = format!("the folder cannot be read: {error}");
            found.unread.push((folder.to_owned(), why));
            return;
        }
    };
    let mut folders: Vec<_> = entries
        .take(ENTRIES)
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        .filter(|entry| {
            !LEFT_OUT
                .iter()
                .any(|left_out| entry.file_name() == *left_out)
        })
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    for path in folders {
        let Some(left) = room.checked_sub(1) else {
            return;
        };
        *room = left;
        match Place::of(&path) {
            Ok(place) => found.places.push(place),
            Err(_) if depth > 1 => search(&path, depth.saturating_sub(1), room, found),
            Err(_) => {}
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn plugin(folder: &Path) -> Place {
        fs::create_dir_all(folder.join("lib/deep")).unwrap();
        fs::write(folder.join("plugin.py"), "import lib").unwrap();
        fs::write(folder.join("lib/deep/a.py"), "").unwrap();
        fs::write(folder.join("data.json"), "{}").unwrap();
        Place::of(folder).unwrap()
    }

    #[test]
    fn the_sources_and_the_whole_are_copied_and_links_are_not() {
        let folder = tempfile::tempdir().unwrap();
        let place = plugin(folder.path());
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("secret.py")).unwrap();
        fs::create_dir(folder.path().join("Packages")).unwrap();
        fs::write(folder.path().join("Packages/p.py"), "").unwrap();
        let stage = Stage::new(&place).unwrap();
        assert!(stage.reading().join("sources/lib/deep/a.py").is_file());
        assert!(!stage.reading().join("sources/data.json").exists());
        assert!(!stage.reading().join("sources/secret.py").exists());
        assert!(stage.probing().join("data.json").is_file());
        assert!(stage.probing().join(CHECKED).is_file());
        assert!(stage.probing().join("Packages/p.py").is_file());
        assert_eq!(
            stage.skipped,
            ["secret.py was not looked at: it is a link or a device"]
        );
    }

    #[test]
    fn a_large_source_and_a_large_folder_are_cut_off_and_said() {
        let folder = tempfile::tempdir().unwrap();
        let place = plugin(folder.path());
        let large = fs::File::create(folder.path().join("large.py")).unwrap();
        large.set_len(SOURCE_BYTES + 1).unwrap();
        for n in 0..2 {
            let file = fs::File::create(folder.path().join(format!("x{n}"))).unwrap();
            file.set_len(40 << 20).unwrap();
        }
        let stage = Stage::new(&place).unwrap();
        let said = stage.skipped.join("; ");
        assert!(
            said.contains("large.py was not looked at: it is larger than 4 MiB"),
            "{said}"
        );
        assert!(
            said.contains("x1 was not looked at: the folder is too large"),
            "{said}"
        );
    }

    #[test]
    fn a_folder_that_cannot_be_read_is_told_of() {
        // A file stands for a folder without rights, which an administrator may read all the same.
        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        fs::write(&closed, "").unwrap();
        let found = plugins_below(&closed);
        assert_eq!(found.unread.len(), 1);
        assert!(found.unread[0].1.starts_with("the folder cannot be read: "));
        let mut copy = Copy::new(10, 10);
        copy.tree(&closed, &folder.path().join("to"), 1).unwrap();
        assert!(copy.skipped[0].starts_with("closed was not looked at: it cannot be read: "));
        let top = copy.tree(&closed, &folder.path().join("top"), 0);
        assert!(top.is_err());
    }

    #[test]
    fn plugins_are_found_below_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        plugin(&folder.path().join("b"));
        plugin(&folder.path().join("repository/inner"));
        plugin(
            &folder
                .path()
                .join("repo/X.indigoPlugin/Contents/Server Plugin"),
        );
        fs::create_dir(folder.path().join("empty")).unwrap();
        let found = plugins_below(folder.path());
        let roots: Vec<_> = found
            .places
            .iter()
            .map(|place| place.root.strip_prefix(folder.path()).unwrap().to_owned())
            .collect();
        assert_eq!(
            roots,
            ["b", "repo/X.indigoPlugin", "repository/inner"].map(PathBuf::from)
        );
    }
}
