//! The log file: for the hub's account alone, and put aside when it is full.
//!
//! `cordon.log` becomes `cordon.log.1`, that one `cordon.log.2`, and the oldest goes. All of this is
//! done by renaming, between two lines. A file that cannot be put aside takes no more lines, so that
//! it never outgrows its bound. A file that somebody has removed or renamed is begun anew.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::private;

/// A file that is written to until it has its full size, and its predecessors.
#[derive(Debug)]
pub(super) struct RotatedFile {
    path: PathBuf,
    /// Largest size in bytes.
    most: u64,
    /// How many predecessors are kept.
    keep: u32,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    file: File,
    size: u64,
    /// Whether the last line is whole.
    between_lines: bool,
}

impl RotatedFile {
    /// The file of this path. It is opened when it is first written to.
    pub(super) fn new(path: PathBuf, most: u64, keep: u32) -> Self {
        Self {
            path,
            most,
            keep,
            open: None,
        }
    }

    /// The file, with room for so many bytes more if it is between two lines.
    fn opened(&mut self, more: u64) -> io::Result<&mut Open> {
        let between_lines = self.open.as_ref().is_none_or(|open| open.between_lines);
        if between_lines
            && self
                .open
                .as_ref()
                .is_some_and(|open| !open.is_at(&self.path))
        {
            self.open = None;
        }
        let open = match self.open.take() {
            Some(open) => open,
            None => Open::at(&self.path)?,
        };
        let is_full = open.size > 0 && open.size.saturating_add(more) > self.most;
        if !(is_full && between_lines) {
            return Ok(self.open.insert(open));
        }
        drop(open);
        self.put_aside()?;
        let open = Open::at(&self.path)?;
        Ok(self.open.insert(open))
    }

    /// Renames the file and its predecessors. The oldest one goes.
    fn put_aside(&self) -> io::Result<()> {
        if self.keep == 0 {
            return std::fs::remove_file(&self.path);
        }
        for number in (1..self.keep).rev() {
            let earlier = self.predecessor(number);
            match std::fs::rename(earlier, self.predecessor(number.saturating_add(1))) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&self.path, self.predecessor(1))
    }

    fn predecessor(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder {
            let mut builder = DirBuilder::new();
            builder
                .recursive(true)
                .mode(private::FOLDER)
                .create(folder)?;
        }
        // Neither a link of somebody else is followed, nor is a pipe waited for.
        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let file = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(private::FILE)
            .custom_flags(private::flags(flags))
            .open(path)?;
        let facts = file.metadata()?;
        if !facts.is_file() {
            return Err(io::Error::other("it is no regular file"));
        }
        if facts.mode() & 0o077 != 0 {
            file.set_permissions(Permissions::from_mode(private::FILE))?;
        }
        Ok(Self {
            file,
            size: facts.size(),
            between_lines: true,
        })
    }

    /// Whether the path still leads to this file.
    fn is_at(&self, path: &Path) -> bool {
        let identity = |facts: std::fs::Metadata| (facts.dev(), facts.ino());
        let there = std::fs::symlink_metadata(path).map(identity);
        let own = self.file.metadata().map(identity);
        matches!((there, own), (Ok(there), Ok(own)) if there == own)
    }
}

impl Write for RotatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let more = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let open = self.opened(more)?;
        let written = open.file.write(bytes)?;
        open.size = open
            .size
            .saturating_add(u64::try_from(written).unwrap_or(0));
        let last = written.checked_sub(1).and_then(|last| bytes.get(last));
        if let Some(last) = last {
            open.between_lines = *last == b'\n';
        }
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::super::config::LogConfig;
    use super::super::{ConsoleMode, EventLog, FileFormat, Level, LogCapacity};
    use super::*;
    use crate::size::Size;

    fn names(folder: &Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|it| it.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_full_file_is_put_aside_between_lines_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log/cordon.log");
        let mut file = RotatedFile::new(path.clone(), 30, 2);
        for number in 0..10 {
            // Half a line and the rest of it are never parted.
            for part in ["line ", &format!("{number} of ten\n")] {
                assert_eq!(file.write(part.as_bytes()).unwrap(), part.len());
            }
        }
        let folder = path.parent().unwrap();
        assert_eq!(
            names(folder),
            ["cordon.log", "cordon.log.1", "cordon.log.2"]
        );
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        for (name, lines) in [
            ("cordon.log.2", [4, 5]),
            ("cordon.log.1", [6, 7]),
            ("cordon.log", [8, 9]),
        ] {
            let expected = lines
                .map(|number| format!("line {number} of ten\n"))
                .concat();
            assert_eq!(read(name), expected);
            let mode = std::fs::metadata(folder.join(name)).unwrap().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        assert_eq!(std::fs::metadata(folder).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn without_predecessors_the_file_begins_anew() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = RotatedFile::new(folder.path().join("a"), 10, 0);
        for _ in 0..5 {
            file.write_all(b"seven.\n").unwrap();
        }
        assert_eq!(names(folder.path()), ["a"]);
        assert_eq!(std::fs::read(folder.path().join("a")).unwrap(), b"seven.\n");
    }

    #[test]
    fn a_file_that_cannot_be_put_aside_takes_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        // A folder with something in it is in the way of the renamed file.
        std::fs::create_dir_all(folder.path().join("a.1/x")).unwrap();
        let mut file = RotatedFile::new(path.clone(), 10, 1);
        file.write_all(b"seven.\n").unwrap();
        for _ in 0..5 {
            assert!(file.write(b"seven.\n").is_err());
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"seven.\n");
        std::fs::remove_dir_all(folder.path().join("a.1")).unwrap();
        file.write_all(b"again.\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"again.\n");
    }

    #[test]
    fn a_file_that_was_moved_or_is_none_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "before\n").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        let mut file = RotatedFile::new(path.clone(), 1000, 1);
        file.write_all(b"one\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::fs::rename(&path, folder.path().join("b")).unwrap();
        file.write_all(b"two\n").unwrap();
        assert_eq!(
            std::fs::read(folder.path().join("b")).unwrap(),
            b"before\none\n"
        );
        assert_eq!(std::fs::read(&path).unwrap(), b"two\n");
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("b", &path).unwrap();
        assert!(file.write(b"three\n").is_err());
        assert!(
            RotatedFile::new("/dev/null".into(), 1000, 1)
                .write(b"x\n")
                .is_err()
        );
    }

    #[test]
    fn the_log_is_in_the_file_and_says_once_that_it_cannot_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.log");
        let config = LogConfig {
            file: Some(path.clone()),
            rotate_bytes: Size(64 << 10),
            keep: 3,
            format: FileFormat::Json,
            least_level: Level::Status,
            console: ConsoleMode::None,
        };
        let log = EventLog::open(LogCapacity::default(), &config).unwrap();
        let say = |text: String| {
            log.record(Some("HW"), Level::Status, text);
            log.flush_echo(Duration::from_secs(10));
        };
        log.record(Some("HW"), Level::Normal, "not important");
        for number in 0..200 {
            say(format!("{number} {}", "x".repeat(1000)));
        }
        let names = names(folder.path());
        assert_eq!(names.len(), 4, "{names:?}");
        for name in &names {
            let text = std::fs::read_to_string(folder.path().join(name)).unwrap();
            assert!(text.len() <= 64 << 10);
            for line in text.lines() {
                let line: serde_json::Value = serde_json::from_str(line).unwrap();
                assert_eq!(
                    (&line["instance"], &line["level"]),
                    (&"HW".into(), &"status".into())
                );
            }
        }
        // Something that is no file takes its place.
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        for number in 0..20 {
            say(format!("{number}"));
        }
        let told = |log: &EventLog| {
            let lines = log.tail(None, usize::MAX);
            lines
                .iter()
                .filter(|it| it.text.contains("cordon.log takes no lines: "))
                .count()
        };
        assert_eq!(told(&log), 1);
        std::fs::remove_dir(&path).unwrap();
        std::thread::sleep(Duration::from_millis(1100));
        say("at last".to_owned());
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("at last") && text.contains("takes no lines"),
            "{text}"
        );
        assert_eq!(told(&log), 1);
    }
}
