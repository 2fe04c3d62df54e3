//! Changes in a write-ahead log that cannot be read any more.
//!
//! SQLite takes up a log as far as its checksums are right and leaves out the rest without a word:
//! behind the end there may be frames of an earlier log. A damaged log ends at the damage in the
//! same way, and the newest values are gone. The two are told apart here by the salts of the log,
//! which every frame repeats: a commit of this very log behind its end was once whole
//! (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).

use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use cordon_base::private;

/// Bytes of a log that are examined, and of one that is kept. A log is cut at 4 MiB whenever all of
/// it is in the database.
const LONGEST: u64 = 256 << 20;

/// Bytes of the head of a log, and of that of a frame.
const HEAD: usize = 32;
const FRAME: usize = 24;

/// First word of a log whose checksums are of little-endian words; with big-endian ones it is one
/// more.
const MAGIC: u32 = 0x377f_0682;

/// The sum of the words so far, as logs have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sum {
    pair: (u32, u32),
    big_endian: bool,
}

impl Sum {
    /// The sum with these bytes behind, a multiple of eight.
    fn with(mut self, bytes: &[u8]) -> Self {
        let word = |bytes: [u8; 4]| match self.big_endian {
            true => u32::from_be_bytes(bytes),
            false => u32::from_le_bytes(bytes),
        };
        let (mut first, mut second) = self.pair;
        let (pairs, _) = bytes.as_chunks::<8>();
        for &[a, b, c, d, e, f, g, h] in pairs {
            first = first.wrapping_add(word([a, b, c, d])).wrapping_add(second);
            second = second.wrapping_add(word([e, f, g, h])).wrapping_add(first);
        }
        self.pair = (first, second);
        self
    }
}

/// The part of a damaged log that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// The head is damaged, and so all of it.
    All,
    /// At least so many commits behind the damage.
    Commits(u64),
}

/// Examines a log, up to a bound; nothing is lost of one that is missing or empty.
///
/// # Errors
///
/// It cannot be read.
pub(super) fn examine(log: &Path) -> io::Result<Option<Lost>> {
    let file = match File::open(log) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    if file.metadata()?.len() <= u64::try_from(HEAD + FRAME).unwrap_or(0) {
        return Ok(None);
    }
    let mut reader = BufReader::new(file.take(LONGEST));
    let mut head = [0; HEAD];
    reader.read_exact(&mut head)?;
    let Some((mut sum, page)) = begin(&head) else {
        return Ok(Some(Lost::All));
    };
    let salts = head.get(16..24).unwrap_or_default();
    let mut frame = vec![0; FRAME.saturating_add(page)];
    let mut whole = true;
    let mut commits: u64 = 0;
    loop {
        match reader.read_exact(&mut frame) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => break,
            read => read?,
        }
        let of_this_log = frame.get(8..16) == Some(salts);
        if whole {
            let start = frame.get(..8).unwrap_or_default();
            let content = frame.get(FRAME..).unwrap_or_default();
            let next = sum.with(start).with(content);
            whole = of_this_log && next.pair == (number(&frame, 16), number(&frame, 20));
            sum = next;
        }
        if !whole && of_this_log && number(&frame, 4) != 0 {
            commits = commits.saturating_add(1);
        }
    }
    Ok((commits > 0).then_some(Lost::Commits(commits)))
}

/// The sum of a log's head, and the bytes of a page; nothing when the head is damaged.
fn begin(head: &[u8; HEAD]) -> Option<(Sum, usize)> {
    let magic = number(head, 0);
    let page = usize::try_from(number(head, 8)).ok()?;
    let sum = Sum {
        pair: (0, 0),
        big_endian: magic == MAGIC | 1,
    };
    let sum = sum.with(head.get(..24)?);
    let sound = magic & !1 == MAGIC
        && page.is_power_of_two()
        && (512..=65536).contains(&page)
        && sum.pair == (number(head, 24), number(head, 28));
    sound.then_some((sum, page))
}

/// The number at this place; 0 where there is none.
fn number(bytes: &[u8], place: usize) -> u32 {
    let word = bytes.get(place..).and_then(|rest| rest.first_chunk());
    word.map_or(0, |word| u32::from_be_bytes(*word))
}

/// Keeps a damaged log beside the database and tells of the loss; nothing for a sound one. To be
/// called before anything is written, because that overwrites the log behind its end.
pub(super) fn keep(log: &Path) -> Option<String> {
    let lost = match examine(log) {
        Ok(lost) => lost?,
        Err(error) => {
            tracing::warn!(%error, "the write-ahead log could not be examined");
            return None;
        }
    };
    let what = match lost {
        Lost::All => "its first bytes are, so nothing in it could be read".to_owned(),
        Lost::Commits(1) => "the last commit in it could not be read".to_owned(),
        Lost::Commits(commits) => format!("the last {commits} commits in it could not be read"),
    };
    let kept = kept(log);
    let copied = match std::fs::metadata(log) {
        Ok(found) if found.len() > LONGEST => Err(io::Error::from(ErrorKind::FileTooLarge)),
        _ => std::fs::copy(log, &kept),
    };
    let copy = match copied {
        Ok(_) => {
            private::file(&kept);
            format!("the log as it was is kept as `{}`", kept.display())
        }
        Err(error) => format!(
            "the log could not be kept as `{}` ({error})",
            kept.display()
        ),
    };
    Some(format!(
        "`{}` is damaged: {what}, and the newest values may be missing; {copy}; examine the disk, and \
         restore a backup if too much is missing",
        log.display()
    ))
}

/// The copy of a damaged log. There is one; a later one takes its place.
fn kept(log: &Path) -> PathBuf {
    let mut name = log.as_os_str().to_owned();
    name.push("-spoilt");
    PathBuf::from(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use rusqlite::Connection;

    use super::*;

    /// A log with so many commits of a page or more each, as a crash leaves it. Returns where each
    /// commit ends.
    fn log(folder: &Path, commits: usize) -> (PathBuf, Vec<usize>) {
        let connection = Connection::open(folder.join("db")).unwrap();
        let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
        connection
            .query_row("PRAGMA journal_mode = wal", [], mode)
            .unwrap();
        connection
            .execute_batch("CREATE TABLE t (x); PRAGMA wal_checkpoint(TRUNCATE)")
            .unwrap();
        let path = folder.join("db-wal");
        let mut ends = Vec::new();
        for n in 0..commits {
            connection
                .execute("INSERT INTO t VALUES (?1)", [i64::try_from(n).unwrap()])
                .unwrap();
            ends.push(usize::try_from(std::fs::metadata(&path).unwrap().len()).unwrap());
        }
        let copy = folder.join("crashed-wal");
        std::fs::copy(&path, &copy).unwrap();
        (copy, ends)
    }

    fn spoil(path: &Path, place: usize) {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[place] ^= 1;
        std::fs::write(path, bytes).unwrap();
    }

    #[test]
    fn commits_behind_the_damage_are_counted() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ends) = log(folder.path(), 10);
        assert_eq!(examine(&path).unwrap(), None);
        let whole = std::fs::read(&path).unwrap();
        // In the content of the last page of the fourth commit.
        spoil(&path, ends[3] - 1);
        assert_eq!(examine(&path).unwrap(), Some(Lost::Commits(7)));
        // In the salt of a frame: the frame looks like one of an earlier log, those behind do not.
        std::fs::write(&path, &whole).unwrap();
        spoil(&path, ends[3] + 9);
        assert_eq!(examine(&path).unwrap(), Some(Lost::Commits(5)));
        std::fs::write(&path, &whole).unwrap();
        spoil(&path, 9);
        assert_eq!(examine(&path).unwrap(), Some(Lost::All));
    }

    #[test]
    fn an_end_as_a_crash_leaves_it_is_no_damage() {
        let folder = tempfile::tempdir().unwrap();
        let (path, ends) = log(folder.path(), 4);
        let whole = std::fs::read(&path).unwrap();
        for end in [ends[3] - 1, ends[2] + 10, ends[2], 40, 10, 0] {
            std::fs::write(&path, &whole[..end]).unwrap();
            assert_eq!(examine(&path).unwrap(), None, "{end}");
        }
        // Frames of an earlier log, which had another salt.
        let mut older = whole[ends[1]..].to_vec();
        for frame in older.chunks_mut(FRAME + 4096) {
            frame[8] ^= 1;
        }
        let text = [&whole[..ends[1]], &older].concat();
        std::fs::write(&path, text).unwrap();
        assert_eq!(examine(&path).unwrap(), None);
        assert_eq!(examine(&folder.path().join("missing")).unwrap(), None);
    }
}
