//! Reads the archive of a backup and believes none of it.
//!
//! The entries are read one by one in the raw form of tar: a file, a folder, or the long name of the
//! next one. Anything else is refused, as is any path that [`Paths`] refuses. The end of the archive
//! shows whether all of it was as the manifest says.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, Write};

use flate2::bufread::GzDecoder;
use sha2::{Digest, Sha256};
use tar::{Archive, EntryType};

use super::manifest::{
    FORMAT, HEAD, Head, Item, LONGEST_HEAD, LONGEST_LINE, LONGEST_PATH, MANIFEST, Paths,
};
use super::write::{CHUNK, Content};
use cordon_base::hex::hex;

/// Longest long name as tar writes it: with a zero at its end.
const LONGEST_LONG_NAME: u64 = LONGEST_PATH as u64 + 1;

/// A file in an archive, before its content.
pub(super) struct Entry<'a> {
    pub path: &'a str,
    pub executable: bool,
    /// Seconds since 1970.
    pub modified: u64,
}

/// Takes the entries of an archive.
pub(super) trait Taker {
    /// Takes a folder.
    fn folder(&mut self, path: &str) -> io::Result<()>;
    /// Takes a file; as much as it does not read is read afterwards.
    fn file(&mut self, entry: &Entry<'_>, content: &mut dyn Read) -> io::Result<()>;
}

/// Takes nothing: for an archive that is only examined.
pub(super) struct Nothing;

impl Taker for Nothing {
    fn folder(&mut self, _path: &str) -> io::Result<()> {
        Ok(())
    }

    fn file(&mut self, _entry: &Entry<'_>, _content: &mut dyn Read) -> io::Result<()> {
        Ok(())
    }
}

/// Reads an archive from its beginning to its end.
///
/// # Errors
/// The fault of the archive, or that of the taker.
pub(super) fn read(archive: &File, taker: &mut dyn Taker) -> io::Result<(Head, Content)> {
    let mut source = archive.try_clone()?;
    source.rewind()?;
    let gzip = GzDecoder::new(BufReader::with_capacity(CHUNK, source));
    let mut tar = Archive::new(gzip);
    let mut state = State::new(taker)?;
    let mut ended = false;
    for entry in tar.entries()?.raw(true) {
        let mut entry = entry.map_err(damage)?;
        if ended {
            return Err(fault("something comes after the manifest"));
        }
        let header = entry.header();
        let (kind, path) = (header.entry_type(), header.path_bytes().into_owned());
        let executable = header.mode().map_err(damage)? & 0o100 != 0;
        let modified = header.mtime().map_err(damage)?;
        let size = entry.size();
        match kind {
            EntryType::GNULongName if size <= LONGEST_LONG_NAME => {
                let mut name = Vec::new();
                entry.read_to_end(&mut name).map_err(damage)?;
                if name.pop() != Some(0) || state.name.replace(name).is_some() {
                    return Err(fault("a long name is damaged"));
                }
            }
            EntryType::Regular | EntryType::Directory => {
                let path = state.name.take().unwrap_or(path);
                let path = String::from_utf8(path).map_err(|_| fault("a path is no UTF-8"))?;
                if kind == EntryType::Directory {
                    state.folder(path.strip_suffix('/').unwrap_or(&path), size)?;
                } else if path == MANIFEST {
                    state.compare(&mut entry)?;
                    ended = true;
                } else {
                    let entry_of = Entry {
                        path: &path,
                        executable,
                        modified,
                    };
                    state.file(&entry_of, size, &mut entry)?;
                }
            }
            _ => {
                let path = String::from_utf8_lossy(&path);
                let shown = path.escape_debug();
                return Err(fault(&format!("`{shown}` is neither a file nor a folder")));
            }
        }
    }
    if !ended {
        return Err(fault("its end is missing"));
    }
    let mut gzip = tar.into_inner();
    let mut chunk = vec![0; CHUNK];
    loop {
        // The checksum of the whole stream is looked at when it ends.
        let count = gzip.read(&mut chunk).map_err(damage)?;
        match chunk.get(..count) {
            Some([]) | None => break,
            Some(bytes) if bytes.iter().any(|byte| *byte != 0) => {
                return Err(fault("something comes after the manifest"));
            }
            Some(_) => {}
        }
    }
    if !gzip.into_inner().fill_buf()?.is_empty() {
        return Err(fault("something comes after its end"));
    }
    let head = state.head.ok_or_else(no_backup)?;
    Ok((head, state.content))
}

struct State<'a> {
    taker: &'a mut dyn Taker,
    /// The items as they were found, for the manifest.
    found: BufWriter<File>,
    paths: Paths,
    head: Option<Head>,
    name: Option<Vec<u8>>,
    content: Content,
}

impl<'a> State<'a> {
    fn new(taker: &'a mut dyn Taker) -> io::Result<Self> {
        Ok(Self {
            taker,
            found: BufWriter::new(tempfile::tempfile()?),
            paths: Paths::default(),
            head: None,
            name: None,
            content: Content::default(),
        })
    }

    fn folder(&mut self, path: &str, size: u64) -> io::Result<()> {
        self.head.as_ref().ok_or_else(no_backup)?;
        self.paths.take(path, true).map_err(|why| fault(&why))?;
        if size != 0 {
            return Err(fault("a folder has content"));
        }
        self.taker.folder(path)?;
        self.list(path, None, None)
    }

    fn file(&mut self, entry: &Entry<'_>, size: u64, content: &mut dyn Read) -> io::Result<()> {
        let first = self.head.is_none();
        if first != (entry.path == HEAD) || first && size > LONGEST_HEAD {
            return Err(no_backup());
        }
        self.paths
            .take(entry.path, false)
            .map_err(|why| fault(&why))?;
        let mut content = Hashed {
            content,
            digest: Sha256::new(),
            size: 0,
        };
        if first {
            let mut text = Vec::new();
            content.read_to_end(&mut text)?;
            self.head = Some(head(&text)?);
        } else {
            self.taker.file(entry, &mut content)?;
            let mut chunk = vec![0; CHUNK];
            while content.read(&mut chunk)? > 0 {}
        }
        if content.size != size {
            return Err(fault("it is cut off"));
        }
        self.content.files = self.content.files.saturating_add(1);
        self.content.bytes = self.content.bytes.saturating_add(size);
        let sha256 = hex(&content.digest.finalize());
        self.list(entry.path, Some(size), Some(sha256))
    }

    fn list(&mut self, path: &str, size: Option<u64>, sha256: Option<String>) -> io::Result<()> {
        let path = path.to_owned();
        self.found.write_all(&Item { path, size, sha256 }.line()?)
    }

    /// Compares the items with the manifest, line by line.
    fn compare(&mut self, manifest: &mut dyn Read) -> io::Result<()> {
        self.found.flush()?;
        let mut found = self.found.get_ref().try_clone()?;
        found.rewind()?;
        let (mut found, mut manifest) = (BufReader::new(found), BufReader::new(manifest));
        loop {
            let (found, listed) = (next(&mut found)?, next(&mut manifest)?);
            if found == listed {
                match found {
                    Some(_) => continue,
                    None => return Ok(()),
                }
            }
            let path = found.or(listed).map(|item| item.path).unwrap_or_default();
            let shown = path.escape_debug();
            return Err(fault(&format!("`{shown}` is not as the manifest says")));
        }
    }
}

fn next(lines: &mut dyn BufRead) -> io::Result<Option<Item>> {
    let mut line = Vec::new();
    lines
        .take(LONGEST_LINE)
        .read_until(b'\n', &mut line)
        .map_err(damage)?;
    if line.is_empty() {
        return Ok(None);
    }
    let item = serde_json::from_slice(&line);
    item.map(Some).map_err(|_| fault("the manifest is damaged"))
}

/// The versions, read with care: a newer form may have other words.
fn head(text: &[u8]) -> io::Result<Head> {
    #[derive(serde::Deserialize)]
    struct Form {
        format: u32,
    }
    let form: Form = serde_json::from_slice(text).map_err(|_| no_backup())?;
    if form.format > FORMAT {
        return Err(io::Error::other(format!(
            "it was made by a newer version of cordon (form {}, this one knows {FORMAT}); restore it \
             with that version",
            form.format
        )));
    }
    serde_json::from_slice(text).map_err(|_| no_backup())
}

struct Hashed<'a> {
    content: &'a mut dyn Read,
    digest: Sha256,
    size: u64,
}

impl Read for Hashed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(bytes).map_err(damage)?;
        self.digest.update(bytes.get(..count).unwrap_or_default());
        let more = u64::try_from(count).unwrap_or(u64::MAX);
        self.size = self.size.saturating_add(more);
        Ok(count)
    }
}

fn fault(why: &str) -> io::Error {
    io::Error::other(format!(
        "the archive is damaged: {why}; nothing of it is used"
    ))
}

/// An archive that cannot be read, in the words of tar and gzip.
fn damage(error: io::Error) -> io::Error {
    fault(&error.to_string())
}

fn no_backup() -> io::Error {
    io::Error::other("it is no backup that `cordon backup` has made")
}
