//! Writes the archive of a backup: tar in gzip, with the manifest at its end.
//!
//! Memory is bounded whatever the archive holds: files and the manifest go through scratch files.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tar::{Builder, EntryType, Header};

use super::manifest::{Item, MANIFEST, Paths};
use cordon_base::hex::hex;
use cordon_base::private;

/// How often a file that changes while it is copied is copied anew.
const TRIES: u32 = 3;

/// Bytes that are copied at once.
pub(super) const CHUNK: usize = 64 << 10;

/// Owner's right to run a file.
const EXECUTABLE: u32 = 0o100;

/// An archive that is being written.
pub(super) struct Writer {
    tar: Builder<GzEncoder<BufWriter<File>>>,
    manifest: BufWriter<File>,
    scratch: File,
    paths: Paths,
    files: u64,
    bytes: u64,
}

/// The content of an archive: files, and their bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub files: u64,
    pub bytes: u64,
}

impl Writer {
    /// Begins an archive in an empty file. Scratch files are made in the folder.
    pub(super) fn new(archive: File, scratch: &Path) -> io::Result<Self> {
        let gzip = GzEncoder::new(BufWriter::new(archive), Compression::default());
        Ok(Self {
            tar: Builder::new(gzip),
            manifest: BufWriter::new(tempfile::tempfile_in(scratch)?),
            scratch: tempfile::tempfile_in(scratch)?,
            paths: Paths::default(),
            files: 0,
            bytes: 0,
        })
    }

    /// Adds a folder.
    pub(super) fn folder(&mut self, path: &str) -> io::Result<()> {
        self.take(path, true)?;
        let mut header = header(EntryType::Directory, private::FOLDER, 0, 0);
        self.tar.append_data(&mut header, path, io::empty())?;
        self.list(path, None, None)
    }

    /// Adds a file with this content.
    pub(super) fn text(&mut self, path: &str, text: &[u8], modified: u64) -> io::Result<()> {
        self.take(path, false)?;
        let size = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let mut header = header(EntryType::Regular, private::FILE, size, modified);
        self.tar.append_data(&mut header, path, text)?;
        self.list(path, Some(size), Some(hex(&Sha256::digest(text))))
    }

    /// Adds an open file as it is now. Answers whether it kept changing while it was copied.
    pub(super) fn file(&mut self, path: &str, file: &mut File) -> io::Result<bool> {
        self.take(path, false)?;
        let mut changed = true;
        let (mut size, mut digest) = (0, String::new());
        let mut facts = file.metadata()?;
        for _ in 0..TRIES {
            (size, digest) = self.copy(file, facts.size())?;
            let now = file.metadata()?;
            changed = state(&facts) != state(&now);
            if !changed {
                break;
            }
            facts = now;
        }
        let modified = u64::try_from(facts.mtime()).unwrap_or(0);
        let mode = private::FILE | (facts.mode() & EXECUTABLE);
        let mut header = header(EntryType::Regular, mode, size, modified);
        self.scratch.rewind()?;
        let copied = Read::by_ref(&mut self.scratch).take(size);
        self.tar.append_data(&mut header, path, copied)?;
        self.list(path, Some(size), Some(digest))?;
        Ok(changed)
    }

    /// Ends the archive: all of it is on disk.
    pub(super) fn finish(self) -> io::Result<Content> {
        let mut manifest = self.manifest.into_inner()?;
        let size = manifest.stream_position()?;
        manifest.rewind()?;
        let mut tar = self.tar;
        let mut header = header(EntryType::Regular, private::FILE, size, 0);
        tar.append_data(&mut header, MANIFEST, manifest)?;
        let file = tar.into_inner()?.finish()?.into_inner()?;
        file.sync_all()?;
        Ok(Content {
            files: self.files,
            bytes: self.bytes,
        })
    }

    fn take(&mut self, path: &str, folder: bool) -> io::Result<()> {
        self.paths.take(path, folder).map_err(io::Error::other)
    }

    /// Copies at most so many bytes of a file into the scratch file.
    fn copy(&mut self, file: &mut File, most: u64) -> io::Result<(u64, String)> {
        file.rewind()?;
        self.scratch.set_len(0)?;
        self.scratch.rewind()?;
        let mut digest = Sha256::new();
        let mut source = Read::by_ref(file).take(most);
        let mut chunk = vec![0; CHUNK];
        let mut size: u64 = 0;
        loop {
            let count = source.read(&mut chunk)?;
            let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            digest.update(bytes);
            self.scratch.write_all(bytes)?;
            size = size.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok((size, hex(&digest.finalize())))
    }

    fn list(&mut self, path: &str, size: Option<u64>, sha256: Option<String>) -> io::Result<()> {
        if let Some(size) = size {
            self.files = self.files.saturating_add(1);
            self.bytes = self.bytes.saturating_add(size);
        }
        let path = path.to_owned();
        self.manifest
            .write_all(&Item { path, size, sha256 }.line()?)
    }
}

fn header(kind: EntryType, mode: u32, size: u64, modified: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(modified);
    header.set_size(size);
    header
}

/// As long as it is the same, so is the content.
fn state(facts: &std::fs::Metadata) -> (u64, i64, i64, i64, i64) {
    let (modified, changed) = (facts.mtime_nsec(), facts.ctime_nsec());
    (
        facts.size(),
        facts.mtime(),
        modified,
        facts.ctime(),
        changed,
    )
}
