//! Reading of files that somebody else has put there.
//!
//! A name may stand for anything: a pipe without a writer, a device, a sparse file of
//! terabytes, a link to somewhere else. What is opened here is a regular file, opening
//! it never waits, and no more of it is read than the caller says.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::AsFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};

/// A regular file, open for reading.
#[derive(Debug)]
pub struct RegularFile {
    file: File,
    identity: Identity,
}

/// Which file in which state. As long as it is the same, so is the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(facts: &fs::Metadata) -> Self {
        Self {
            device: facts.dev(),
            inode: facts.ino(),
            size: facts.size(),
            modified: (facts.mtime(), facts.mtime_nsec()),
            changed: (facts.ctime(), facts.ctime_nsec()),
        }
    }

    /// Whether the last change is so long ago that a further one would show. The times of
    /// a file system have steps.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        now.saturating_sub(self.changed.0) > 2
    }
}

impl RegularFile {
    /// Opens the file of this path; links are followed. Blocks as long as the file system
    /// does.
    ///
    /// # Errors
    /// The system's, and one that says that it is no regular file.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Looked at before it is opened: opening a device may do something.
        require_regular(&fs::metadata(path)?)?;
        Self::open_at(CWD, path, ResolveFlags::empty())
    }

    /// The same for a file below a folder, to which no `..` and no link may lead out of it.
    ///
    /// # Errors
    /// As [`RegularFile::open`], and one that says that it lies outside.
    pub fn open_beneath(folder: &Path, path: &Path) -> io::Result<Self> {
        let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
        let folder = rustix::fs::open(folder, flags, Mode::empty())?;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        Self::open_at(folder, path, resolve).map_err(|error| match error.raw_os_error() {
            Some(code) if code == rustix::io::Errno::XDEV.raw_os_error() => {
                io::Error::other("it lies outside of the folder")
            }
            _ => error,
        })
    }

    /// The same for a file that is no link and lies behind none.
    ///
    /// # Errors
    /// As [`RegularFile::open`].
    pub fn open_no_link(path: &Path) -> io::Result<Self> {
        require_regular(&fs::symlink_metadata(path)?)?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW;
        Self::checked(rustix::fs::open(path, flags | waits_for_nothing(), Mode::empty())?.into())
    }

    fn open_at(folder: impl AsFd, path: &Path, resolve: ResolveFlags) -> io::Result<Self> {
        let flags = OFlags::RDONLY | waits_for_nothing();
        let file = rustix::fs::openat2(folder, path, flags, Mode::empty(), resolve)?;
        Self::checked(file.into())
    }

    fn checked(file: File) -> io::Result<Self> {
        let facts = file.metadata()?;
        require_regular(&facts)?;
        Ok(Self {
            file,
            identity: Identity::of(&facts),
        })
    }

    /// The file itself.
    #[must_use]
    pub fn as_file(&self) -> &File {
        &self.file
    }

    /// Which file it is, and in which state it was when it was opened.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.identity
    }

    /// Size in bytes when it was opened.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.identity.size
    }

    /// Its first bytes, at most so many.
    ///
    /// # Errors
    /// The system's.
    pub fn first(self, most: usize) -> io::Result<Vec<u8>> {
        let most = u64::try_from(most).unwrap_or(u64::MAX);
        let mut bytes = Vec::new();
        self.file.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// All of it, if it has no more than so many bytes.
    ///
    /// # Errors
    /// The system's, and one that says how large it may be.
    pub fn whole(self, most: usize) -> io::Result<Vec<u8>> {
        let fits = |size: u64| u64::try_from(most).is_ok_and(|most| size <= most);
        let large = |size: u64| {
            io::Error::other(format!(
                "the file has {size} bytes; at most {most} are read"
            ))
        };
        let size = self.size();
        if !fits(size) {
            return Err(large(size));
        }
        // One byte more shows that it has grown.
        let bytes = self.first(most.saturating_add(1))?;
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        match fits(size) {
            true => Ok(bytes),
            false => Err(large(size)),
        }
    }
}

impl Read for RegularFile {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.file.read(bytes)
    }
}

/// A pipe without a writer would block, a terminal would become this process's own.
fn waits_for_nothing() -> OFlags {
    OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC
}

fn require_regular(facts: &fs::Metadata) -> io::Result<()> {
    match facts.is_file() {
        true => Ok(()),
        false => Err(io::Error::other("it is no regular file")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_regular_files_are_opened_and_nothing_waits() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let pipe = at("pipe");
        rustix::fs::mknodat(
            CWD,
            &pipe,
            rustix::fs::FileType::Fifo,
            Mode::from_bits_truncate(0o600),
            0,
        )
        .unwrap();
        fs::create_dir(at("folder")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("socket")).unwrap();
        symlink("/dev/zero", at("device")).unwrap();
        symlink("loop", at("loop")).unwrap();
        for name in ["pipe", "folder", "socket", "device", "loop", "none"] {
            assert!(RegularFile::open(&at(name)).is_err(), "{name}");
            assert!(RegularFile::open_beneath(folder.path(), Path::new(name)).is_err());
            assert!(RegularFile::open_no_link(&at(name)).is_err());
        }
    }

    #[test]
    fn links_lead_where_the_caller_allows() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("in");
        fs::create_dir(&folder).unwrap();
        fs::write(root.path().join("out"), "secret").unwrap();
        fs::write(folder.join("real"), "r").unwrap();
        symlink("../out", folder.join("up")).unwrap();
        symlink("real", folder.join("within")).unwrap();
        assert!(RegularFile::open(&folder.join("up")).is_ok());
        let beneath = |name: &str| RegularFile::open_beneath(&folder, Path::new(name));
        assert!(beneath("real").is_ok() && beneath("within").is_ok());
        assert!(beneath("up").unwrap_err().to_string().contains("outside"));
        assert!(beneath("../out").is_err() && beneath("/etc/passwd").is_err());
        assert!(RegularFile::open_no_link(&folder.join("within")).is_err());
    }

    #[test]
    fn no_more_is_read_than_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sparse");
        File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = RegularFile::open(&path).unwrap().whole(100).unwrap_err();
        assert!(
            error.to_string().contains("at most 100 are read"),
            "{error}"
        );
        assert_eq!(
            RegularFile::open(&path).unwrap().first(10).unwrap(),
            [0; 10]
        );
    }

    #[test]
    fn a_file_that_was_changed_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let identity = || RegularFile::open(&path).unwrap().identity();
        fs::write(&path, "one").unwrap();
        let first = identity();
        assert_eq!(first, identity());
        fs::write(folder.path().join("b"), "two").unwrap();
        fs::rename(folder.path().join("b"), &path).unwrap();
        assert_ne!(first, identity());
    }
}
