//! Wheels: checking their names and unpacking them. Nothing in them is run.
//!
//! A wheel is somebody else's archive. Names that lead out of the folder, links,
//! native code, and more files or bytes than any pure package has are refused, and the
//! bytes are counted while they come out, because an archive can lie about them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use zip::ZipArchive;

use super::{PackagesError, normal_name};
use cordon_base::hex::hex;

/// Largest wheel, in bytes.
pub const MAX_WHEEL: u64 = 32 << 20;

/// Files of all packages of a plugin together.
const MAX_FILES: u64 = 20_000;

/// Bytes of all packages of a plugin together, unpacked.
const MAX_BYTES: u64 = 256 << 20;

/// Longest path within a wheel, in bytes, and most folders in it.
const MAX_PATH: usize = 512;
const MAX_DEPTH: usize = 32;

const CHUNK: usize = 64 << 10;

/// Room that is left for the packages of one plugin.
#[derive(Debug)]
pub struct Room {
    files: u64,
    bytes: u64,
}

impl Default for Room {
    fn default() -> Self {
        Self {
            files: MAX_FILES,
            bytes: MAX_BYTES,
        }
    }
}

/// The parts of a wheel's name.
#[derive(Debug, PartialEq, Eq)]
pub struct WheelName {
    /// Name of the package, as compared.
    pub name: String,
    /// Its version.
    pub version: String,
    /// Whether it is for any Python 3 on any machine.
    pub pure: bool,
}

impl WheelName {
    /// Reads `name-version(-build)-python-abi-platform.whl`.
    #[must_use]
    pub fn parse(file: &str) -> Option<Self> {
        let parts: Vec<&str> = file.strip_suffix(".whl")?.split('-').collect();
        let (name, version, tags) = match parts.as_slice() {
            [name, version, tags @ ..] if tags.len() == 3 || tags.len() == 4 => {
                (name, version, tags)
            }
            _ => return None,
        };
        let tags = tags.get(tags.len().saturating_sub(3)..)?;
        let python = tags.first()?.split('.').any(|tag| tag.starts_with("py3"));
        Some(Self {
            name: normal_name(name),
            version: (*version).to_owned(),
            pure: python && tags.get(1..) == Some(&["none", "any"]),
        })
    }
}

/// SHA-256 of a file, in hexadecimal.
///
/// # Errors
///
/// The system's.
pub fn sha256(path: &Path) -> std::io::Result<String> {
    let mut file = File::open(path)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = file.read(&mut chunk)?;
        match chunk.get(..count) {
            Some(bytes) if !bytes.is_empty() => digest.update(bytes),
            _ => return Ok(hex(&digest.finalize())),
        }
    }
}

/// The first file of native code in a wheel, if there is any.
///
/// # Errors
///
/// [`PackagesError::Refused`] when it is no archive.
pub fn native_file(path: &Path) -> Result<Option<String>, PackagesError> {
    let archive = open(path)?;
    for name in archive.file_names() {
        let name = name.map_err(|error| {
            PackagesError::refused(name_of(path), format!("it is damaged: {error}"))
        })?;
        if is_native(&name) {
            return Ok(Some(name.into_owned()));
        }
    }
    Ok(None)
}

/// Unpacks a wheel; returns its files with their hashes.
///
/// # Errors
///
/// [`PackagesError::Refused`] for whatever a pure wheel does not have.
pub fn unpack(
    path: &Path,
    into: &Path,
    room: &mut Room,
) -> Result<BTreeMap<String, String>, PackagesError> {
    let file = name_of(path);
    let refused = |reason: String| PackagesError::refused(&file, reason);
    let mut archive = open(path)?;
    let mut written = BTreeMap::new();
    for index in 0..archive.len() {
        let mut entry = archive
            .by_index(index)
            .map_err(|error| refused(format!("it is damaged: {error}")))?;
        let name = entry
            .name()
            .map_err(|error| refused(format!("it is damaged: {error}")))?
            .into_owned();
        check_path(&name).map_err(|reason| refused(format!("{name:?}: {reason}")))?;
        if entry.is_dir() {
            continue;
        }
        const KIND: u32 = 0o170_000;
        const REGULAR: u32 = 0o100_000;
        if entry
            .unix_mode()
            .is_some_and(|mode| mode & KIND != 0 && mode & KIND != REGULAR)
        {
            return Err(refused(format!("{name:?} is a link or a device")));
        }
        if is_native(&name) {
            return Err(refused(format!("{name:?} is native code")));
        }
        if is_foreign(&name) {
            continue;
        }
        let Some(place) = place(&name) else { continue };
        room.files = room
            .files
            .checked_sub(1)
            .ok_or_else(|| refused(format!("the packages have more than {MAX_FILES} files")))?;
        let hash = write(&mut entry, &into.join(place), &mut room.bytes)
            .map_err(|error| refused(format!("{name:?}: {error}")))?;
        if written.insert(place.to_owned(), hash).is_some() {
            return Err(refused(format!("{name:?} is in it twice")));
        }
    }
    Ok(written)
}

fn open(path: &Path) -> Result<ZipArchive<File>, PackagesError> {
    let file = name_of(path);
    let io = |error| PackagesError::io(format!("cannot read {file}"), error);
    let opened = File::open(path).map_err(io)?;
    if opened.metadata().map_err(io)?.len() > MAX_WHEEL {
        return Err(PackagesError::refused(file, "it is larger than 32 MiB"));
    }
    ZipArchive::new(opened)
        .map_err(|error| PackagesError::refused(&file, format!("it is no wheel: {error}")))
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Writes one file, no more bytes than there is room for.
fn write(from: &mut impl Read, path: &Path, room: &mut u64) -> std::io::Result<String> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // Packages do share files, such as a `tests/__init__.py`; the last one counts.
    let mut to = File::create(path)?;
    let mut digest = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        let count = from.read(&mut chunk)?;
        let Some(bytes) = chunk.get(..count).filter(|bytes| !bytes.is_empty()) else {
            return Ok(hex(&digest.finalize()));
        };
        let size = u64::try_from(count).unwrap_or(u64::MAX);
        *room = room.checked_sub(size).ok_or_else(|| {
            std::io::Error::other(format!("the packages have more than {MAX_BYTES} bytes"))
        })?;
        digest.update(bytes);
        to.write_all(bytes)?;
    }
}

/// Refuses a name that leads out of the folder, or would on another system.
fn check_path(name: &str) -> Result<(), &'static str> {
    let plain = name.trim_end_matches('/');
    if plain.is_empty() || plain.len() > MAX_PATH || plain.split('/').count() > MAX_DEPTH {
        return Err("the name is empty, too long or too deep");
    }
    if plain.contains(['\\', ':']) || plain.chars().any(char::is_control) {
        return Err("the name has characters that no module has");
    }
    if plain
        .split('/')
        .any(|part| part.is_empty() || part == "." || part == "..")
    {
        return Err("the name leads out of the folder");
    }
    Ok(())
}

fn is_native(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let last = name.rsplit('/').next().unwrap_or_default();
    last.ends_with(".so") || last.contains(".so.")
}

/// Whether a file is native code of a system that is not Linux. A wheel for any machine may carry
/// some beside its Python, and Linux never loads it; it is left out.
fn is_foreign(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let ends = [".pyd", ".dll", ".dylib"];
    ends.iter().any(|end| name.ends_with(end))
}

/// Where a file of the wheel goes below `Packages`; nothing for a file that is no module
/// (`X.data/scripts` and the like).
fn place(name: &str) -> Option<&str> {
    let Some((first, rest)) = name.split_once('/') else {
        return Some(name);
    };
    if !first.ends_with(".data") {
        return Some(name);
    }
    rest.strip_prefix("purelib/")
        .or_else(|| rest.strip_prefix("platlib/"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use zip::write::{SimpleFileOptions, ZipWriter};

    fn wheel(files: &[(&str, &[u8])]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1-py3-none-any.whl");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        for (name, content) in files {
            let options =
                SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
            zip.start_file(*name, options).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap();
        (folder, path)
    }

    fn refusal(files: &[(&str, &[u8])]) -> String {
        let (folder, path) = wheel(files);
        let into = folder.path().join("into");
        unpack(&path, &into, &mut Room::default())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn a_name_says_what_the_wheel_is_for() {
        let pure = |name| WheelName::parse(name).unwrap().pure;
        assert!(pure("requests-2.32.5-py3-none-any.whl"));
        assert!(pure("six-1.16.0-py2.py3-none-any.whl"));
        assert!(pure("x-1-2-py3-none-any.whl"));
        assert!(!pure("x-1-cp311-cp311-manylinux_2_17_x86_64.whl"));
        assert!(!pure("x-1-cp39-abi3-linux_x86_64.whl"));
        assert!(!pure("x-1-py2-none-any.whl"));
        assert!(!pure("x-1-py3-none-linux_armv7l.whl"));
        for name in [
            "x.whl",
            "x-1.tar.gz",
            "x-1-py3-none-any",
            "a-b-c-d-e-f-g.whl",
        ] {
            assert_eq!(WheelName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn modules_are_unpacked_and_scripts_are_not() {
        let (folder, path) = wheel(&[
            ("a/__init__.py", b"x = 1"),
            ("a-1.dist-info/METADATA", b"Name: a"),
            ("a-1.data/purelib/b.py", b"y = 2"),
            ("a-1.data/scripts/run", b"#!"),
        ]);
        let into = folder.path().join("into");
        let files = unpack(&path, &into, &mut Room::default()).unwrap();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["a-1.dist-info/METADATA", "a/__init__.py", "b.py"]);
        assert_eq!(std::fs::read(into.join("b.py")).unwrap(), b"y = 2");
    }

    #[test]
    fn names_that_lead_out_are_refused() {
        for name in [
            "../x.py",
            "/etc/x",
            "a/../../x",
            "a//x",
            "a\\..\\x",
            "C:x",
            "a/./x",
            "x\u{1}",
        ] {
            let text = refusal(&[(name, b"")]);
            assert!(text.contains("the name"), "{name}: {text}");
        }
        let deep = "a/".repeat(40) + "x.py";
        assert!(refusal(&[(&deep, b"")]).contains("too deep"));
    }

    #[test]
    fn native_code_of_other_systems_is_left_out() {
        let (folder, path) = wheel(&[
            ("a/__init__.py", b"x = 1"),
            ("a/fast.cp311-win_amd64.pyd", b"MZ"),
            ("a/libx.DLL", b"MZ"),
        ]);
        assert_eq!(native_file(&path).unwrap(), None);
        let into = folder.path().join("into");
        let files = unpack(&path, &into, &mut Room::default()).unwrap();
        let names: Vec<_> = files.keys().map(String::as_str).collect();
        assert_eq!(names, ["a/__init__.py"]);
        assert!(!into.join("a/libx.DLL").exists());
    }

    #[test]
    fn links_and_native_code_are_refused() {
        assert!(refusal(&[("a/b.cpython-311.so", b"")]).contains("native"));
        assert!(refusal(&[("a/libx.so.6", b"")]).contains("native"));
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a-1-py3-none-any.whl");
        let mut zip = ZipWriter::new(File::create(&path).unwrap());
        zip.add_symlink("a", "/etc", SimpleFileOptions::default())
            .unwrap();
        zip.finish().unwrap();
        let error = unpack(&path, &folder.path().join("into"), &mut Room::default()).unwrap_err();
        assert!(error.to_string().contains("link"), "{error}");
    }

    #[test]
    fn what_is_too_much_is_refused_while_it_comes_out() {
        let zeros = vec![0; 1 << 20];
        let (folder, path) = wheel(&[("a.py", &zeros), ("b.py", &zeros)]);
        let into = folder.path().join("into");
        let mut few = Room {
            files: 1,
            bytes: MAX_BYTES,
        };
        assert!(
            unpack(&path, &into, &mut few)
                .unwrap_err()
                .to_string()
                .contains("files")
        );
        let mut little = Room {
            files: 9,
            bytes: (1 << 20) + 10,
        };
        assert!(
            unpack(&path, &into, &mut little)
                .unwrap_err()
                .to_string()
                .contains("bytes")
        );
        assert!(std::fs::metadata(into.join("b.py")).unwrap().len() <= 10);
    }

    #[test]
    fn a_file_that_is_no_archive_or_is_cut_is_refused() {
        let (folder, path) = wheel(&[("a.py", &[7; 4000])]);
        let whole = std::fs::read(&path).unwrap();
        let cut = folder.path().join("cut-1-py3-none-any.whl");
        for length in [0, 1, 30, whole.len() / 2, whole.len() - 1] {
            std::fs::write(&cut, &whole[..length]).unwrap();
            assert!(unpack(&cut, &folder.path().join("into"), &mut Room::default()).is_err());
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_are_unpacked_outside(at in 0_usize..4000, byte: u8) {
            let (folder, path) = wheel(&[("a/b.py", b"x = 1"), ("c.py", &[9; 3000])]);
            let mut bytes = std::fs::read(&path).unwrap();
            let at = at % bytes.len();
            bytes[at] = byte;
            std::fs::write(&path, bytes).unwrap();
            let into = folder.path().join("into");
            let _ = unpack(&path, &into, &mut Room::default());
            let outside = std::fs::read_dir(folder.path()).unwrap().count();
            proptest::prop_assert!(outside <= 2);
        }
    }
}
