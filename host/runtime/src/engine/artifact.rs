//! The guest artifact: found by the key of its inputs, checked before it is used.
//!
//! The build puts the component at `<cache>/guest/<key>/guest.wasm`, where the key is the hash of
//! all its sources. The build writes the key beside this program, where it is read at start:
//! another guest needs no other program. The compiled form stands beside it under a name that holds
//! the hash of the component and of the compiler's settings, so a stale form is never found. The
//! only unsafe code of loading is here.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use cordon_base::error::EngineError;
use cordon_base::hex::hex;
use cordon_base::private::{self, Untrusted};

/// The contract this host speaks (`wit/v0.1.0`).
pub const ABI: &str = "cordon:plugin@0.1.0";

/// Custom section of the component that names its contract and its key.
const STAMP_SECTION: &str = "cordon:stamp";

/// File beside the program that holds the key of its guest; written by the build.
const KEY_FILE: &str = "cordon-guest.key";

/// Longest content of that file in bytes: a hash in hexadecimal and a line's end.
const KEY_FILE_BYTES: u64 = 65;

/// Environment variable that takes the place of that file, for work on the guest itself.
const KEY: &str = "CORDON_GUEST_KEY";

/// Environment variable that names a guest file, for work on the guest itself.
const OVERRIDE: &str = "CORDON_GUEST";

/// Environment variable that moves the cache.
const CACHE: &str = "CORDON_CACHE";

/// A guest component on disk. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Artifact {
    component: PathBuf,
    /// Key it must carry; any when the operator named the file.
    key: Option<String>,
}

impl Artifact {
    /// The guest that belongs to this program, or the file that `CORDON_GUEST` names.
    ///
    /// The guest is known by its key: `CORDON_GUEST_KEY`, or the file that the build leaves
    /// beside the program.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`], with the remedy, when it is not there.
    pub fn locate() -> Result<Self, EngineError> {
        if let Some(file) = std::env::var_os(OVERRIDE) {
            return Ok(Self {
                component: PathBuf::from(file),
                key: None,
            });
        }
        let key =
            match std::env::var(KEY) {
                Ok(text) if !text.is_empty() => key(&text, KEY)?,
                _ => key_beside(&std::env::current_exe().map_err(|error| {
                    EngineError::io("cannot tell where this program is", error)
                })?)?,
            };
        Ok(Self {
            component: cache()?.join("guest").join(&key).join("guest.wasm"),
            key: Some(key),
        })
    }

    /// A guest file that need not carry a certain key.
    #[must_use]
    pub fn at(component: impl Into<PathBuf>) -> Self {
        Self {
            component: component.into(),
            key: None,
        }
    }

    /// A guest file that must carry this key.
    #[must_use]
    pub fn with_key(component: impl Into<PathBuf>, key: impl Into<String>) -> Self {
        Self {
            component: component.into(),
            key: Some(key.into()),
        }
    }

    /// The component's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.component
    }

    fn read(&self) -> Result<Vec<u8>, EngineError> {
        let bytes = std::fs::read(&self.component).map_err(|error| {
            EngineError::Artifact(format!(
                "cannot read {}: {error}; run `make build`",
                self.component.display()
            ))
        })?;
        self.check(&bytes)?;
        Ok(bytes)
    }

    fn check(&self, bytes: &[u8]) -> Result<(), EngineError> {
        let name = self.component.display();
        let Some((abi, key)) = stamp(bytes) else {
            return Err(EngineError::Artifact(format!(
                "{name} carries no stamp: it is no guest of Cordon; run `make build`"
            )));
        };
        if abi != ABI {
            return Err(EngineError::Artifact(format!(
                "{name} speaks {abi}, this program speaks {ABI}; run `make build`"
            )));
        }
        match &self.key {
            Some(wanted) if *wanted != key => Err(EngineError::Artifact(format!(
                "{name} was built from other sources (key {key}, wanted {wanted}); run `make build`"
            ))),
            _ => Ok(()),
        }
    }

    /// Compiles the component for this engine into the cache, if its compiled form is not
    /// there; returns that file.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] when the component is missing, does not fit or does not compile,
    /// or when others could change the files in the cache.
    pub fn precompile(
        &self,
        engine: &wasmtime::Engine,
        config_key: &str,
    ) -> Result<PathBuf, EngineError> {
        let bytes = self.read()?;
        let target = self.compiled_path(&hex(&Sha256::digest(&bytes)), engine, config_key);
        match compiled(engine, &bytes, &target) {
            Ok(_) => Ok(target),
            Err(Uncached::Untrusted(reason)) => Err(EngineError::Artifact(format!(
                "the hub would not load a compiled guest from here: {reason}"
            ))),
            Err(Uncached::Failed(error)) => Err(error),
        }
    }

    fn compiled_path(&self, digest: &str, engine: &wasmtime::Engine, config_key: &str) -> PathBuf {
        use std::hash::{Hash, Hasher};
        let mut compatibility = std::hash::DefaultHasher::new();
        engine
            .precompile_compatibility_hash()
            .hash(&mut compatibility);
        let short = digest.get(..16).unwrap_or_default();
        self.component.with_file_name(format!(
            "guest-{short}-{config_key}-{:016x}.cwasm",
            compatibility.finish()
        ))
    }

    /// Maps the compiled form into memory, with the component's digest. Where others could
    /// have written that form, the component is compiled in memory instead.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] when the component is missing, does not fit or does
    /// not compile.
    pub fn load(
        &self,
        engine: &wasmtime::Engine,
        config_key: &str,
    ) -> Result<(Component, String), EngineError> {
        let bytes = self.read()?;
        let digest = hex(&Sha256::digest(&bytes));
        let target = self.compiled_path(&digest, engine, config_key);
        let file = match compiled(engine, &bytes, &target) {
            Ok(file) => file,
            Err(Uncached::Untrusted(reason)) => {
                tracing::warn!(
                    "others could have written the compiled guest, so it is compiled anew, which \
                     takes minutes at every start: {reason}"
                );
                let component = Component::new(engine, &bytes).map_err(not_compiled)?;
                return Ok((component, digest));
            }
            Err(Uncached::Failed(error)) => return Err(error),
        };
        // The file that was examined, whatever its name leads to by now.
        let name = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: `open_trusted` has seen on this descriptor, and on every folder above it, that
        // nobody but this account and the administrator could have written the file. They write
        // there only the code that this program compiled from a component with this hash for an
        // engine with this compatibility hash. wasmtime checks its own version and settings again.
        // Plugins never see the folder.
        let component = unsafe { Component::deserialize_file(engine, &name) }
            .map_err(|error| EngineError::Artifact(format!("{}: {error:#}", target.display())))?;
        Ok((component, digest))
    }
}

/// The key in the file beside this program. Programs of the tests lie a folder deeper.
fn key_beside(program: &Path) -> Result<String, EngineError> {
    let folder = private::parent(program);
    for folder in [folder, private::parent(folder)] {
        let path = folder.join(KEY_FILE);
        let mut text = String::new();
        let read =
            File::open(&path).and_then(|file| file.take(KEY_FILE_BYTES).read_to_string(&mut text));
        match read {
            Ok(_) => return key(text.trim_end(), &path.display().to_string()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(EngineError::io(
                    format!("cannot read {}", path.display()),
                    error,
                ));
            }
        }
    }
    Err(EngineError::Artifact(format!(
        "there is no {KEY_FILE} in {}: run `make build`, or name a guest with {OVERRIDE}=FILE",
        folder.display()
    )))
}

/// A key as it was found: it becomes the name of a folder.
fn key(text: &str, source: &str) -> Result<String, EngineError> {
    if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    Err(EngineError::Artifact(format!(
        "{source} holds no key of a guest; run `make build`"
    )))
}

/// Why there is no compiled form to load.
enum Uncached {
    /// Other accounts could write the compiled form.
    Untrusted(Untrusted),
    /// The compiled form could not be made.
    Failed(EngineError),
}

/// Opens the compiled form, made from the component if it is not there.
fn compiled(engine: &wasmtime::Engine, component: &[u8], target: &Path) -> Result<File, Uncached> {
    match private::open_trusted(target) {
        Err(Untrusted::Io(error)) if error.kind() == ErrorKind::NotFound => {}
        found => return found.map_err(Uncached::Untrusted),
    }
    // Nothing is written where others could exchange it.
    private::folder_trusted(private::parent(target)).map_err(Uncached::Untrusted)?;
    let compiled = engine
        .precompile_component(component)
        .map_err(|error| Uncached::Failed(not_compiled(error)))?;
    write_atomically(target, &compiled).map_err(Uncached::Failed)?;
    private::open_trusted(target).map_err(Uncached::Untrusted)
}

fn not_compiled(error: wasmtime::Error) -> EngineError {
    EngineError::Artifact(format!("cannot compile: {error:#}"))
}

/// Where the guest and its compiled forms are kept, outside of any checkout.
fn cache() -> Result<PathBuf, EngineError> {
    let named = |name: &str| std::env::var_os(name).map(PathBuf::from);
    named(CACHE)
        .or_else(|| named("XDG_CACHE_HOME").map(|home| home.join("cordon")))
        .or_else(|| named("HOME").map(|home| home.join(".cache").join("cordon")))
        .ok_or_else(|| {
            EngineError::Artifact(format!("set {CACHE}: there is no HOME to keep a cache in"))
        })
}

/// Contract and key from the component's stamp. Walks the sections only; nothing
/// is compiled or instantiated for it.
fn stamp(mut bytes: &[u8]) -> Option<(String, String)> {
    let (header, rest) = bytes.split_first_chunk::<8>()?;
    if !header.starts_with(b"\0asm") {
        return None;
    }
    bytes = rest;
    while let Some((id, rest)) = bytes.split_first() {
        bytes = rest;
        let size = leb128(&mut bytes)?;
        let (mut body, rest) = bytes.split_at_checked(size)?;
        bytes = rest;
        if *id != 0 {
            continue;
        }
        let name_size = leb128(&mut body)?;
        let (name, content) = body.split_at_checked(name_size)?;
        if name == STAMP_SECTION.as_bytes() {
            let text = std::str::from_utf8(content).ok()?;
            let mut lines = text.lines();
            return Some((lines.next()?.to_owned(), lines.next()?.to_owned()));
        }
    }
    None
}

fn leb128(bytes: &mut &[u8]) -> Option<usize> {
    let mut value = 0_usize;
    for shift in (0..35).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn write_atomically(target: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let temporary = target.with_extension(format!("tmp{}", std::process::id()));
    // The file that a killed process of this number may have left.
    let _ = std::fs::remove_file(&temporary);
    let write = || {
        // Readable by the hub's account when the administrator compiles.
        let mut file = File::options()
            .write(true)
            .create_new(true)
            .mode(0o644)
            .open(&temporary)?;
        file.write_all(bytes)?;
        std::fs::rename(&temporary, target)
    };
    write().map_err(|error| EngineError::io(format!("cannot write {}", target.display()), error))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    fn stamped(abi: &str, key: &str) -> Vec<u8> {
        let content = format!("{abi}\n{key}\n");
        let size = 1 + STAMP_SECTION.len() + content.len();
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend([
            0,
            u8::try_from(size).unwrap(),
            u8::try_from(STAMP_SECTION.len()).unwrap(),
        ]);
        bytes.extend(STAMP_SECTION.bytes());
        bytes.extend(content.bytes());
        bytes
    }

    fn refusal(bytes: &[u8], key: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("guest.wasm");
        std::fs::write(&file, bytes).unwrap();
        let artifact = Artifact::with_key(&file, key);
        artifact.read().unwrap_err().to_string()
    }

    #[test]
    fn it_refuses_a_guest_of_another_contract() {
        let text = refusal(&stamped("cordon:plugin@0.2.0", "k"), "k");
        assert!(
            text.contains("speaks cordon:plugin@0.2.0, this program speaks"),
            "{text}"
        );
    }

    #[test]
    fn it_refuses_a_guest_of_another_key() {
        let text = refusal(&stamped(ABI, "old"), "new");
        assert!(
            text.contains("other sources (key old, wanted new)"),
            "{text}"
        );
    }

    #[test]
    fn it_refuses_a_file_without_a_stamp() {
        for bytes in [&b"\0asm\x0d\0\x01\0"[..], b"ELF", b""] {
            let text = refusal(bytes, "k");
            assert!(text.contains("carries no stamp"), "{text}");
        }
    }

    #[test]
    fn it_refuses_a_truncated_stamp_at_any_length() {
        let whole = stamped(ABI, "k");
        for length in 0..whole.len() {
            let text = refusal(whole.get(..length).unwrap(), "k");
            assert!(text.contains("carries no stamp"), "{length}: {text}");
        }
    }

    #[test]
    fn a_compiled_guest_that_others_could_have_written_is_not_loaded() {
        use std::os::unix::fs::PermissionsExt;
        let chmod = |path: &Path, mode| {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path().join("cache");
        std::fs::create_dir(&folder).unwrap();
        chmod(&folder, 0o755);
        let guest = folder.join("guest.wasm");
        std::fs::write(&guest, stamped(ABI, "k")).unwrap();
        let artifact = Artifact::at(&guest);
        let engine = wasmtime::Engine::default();
        let file = artifact.precompile(&engine, "test").unwrap();
        let (_, digest) = artifact.load(&engine, "test").unwrap();
        assert_eq!(
            std::fs::metadata(&file).unwrap().permissions().mode() & 0o777,
            0o644
        );
        // Code of another account: loading it would fail here, and do worse elsewhere.
        std::fs::write(&file, "somebody else's").unwrap();
        assert!(artifact.load(&engine, "test").is_err());
        let compiled_in_memory = || artifact.load(&engine, "test").unwrap().1;
        chmod(&file, 0o666);
        assert_eq!(compiled_in_memory(), digest);
        chmod(&file, 0o644);
        chmod(&folder, 0o777);
        assert_eq!(compiled_in_memory(), digest);
        assert!(artifact.precompile(&engine, "test").is_err());
        // Nor is anything written there.
        std::fs::remove_file(&file).unwrap();
        assert_eq!(compiled_in_memory(), digest);
        assert!(!file.exists());
        let text = artifact
            .precompile(&engine, "test")
            .unwrap_err()
            .to_string();
        assert!(text.contains("cache: others can write to it"), "{text}");
        chmod(&folder, 0o755);
        artifact.load(&engine, "test").unwrap();
        if rustix::process::geteuid().is_root() {
            std::fs::write(&file, "somebody else's").unwrap();
            std::os::unix::fs::chown(&file, Some(12345), None).unwrap();
            assert_eq!(compiled_in_memory(), digest);
        }
    }

    #[test]
    fn the_key_is_read_from_beside_the_program() {
        let scratch = tempfile::tempdir().unwrap();
        let program = scratch.path().join("deps/program");
        let found = || key_beside(&program).map_err(|error| error.to_string());
        let missing = found().unwrap_err();
        assert!(missing.contains("run `make build`"), "{missing}");
        let wanted = "0123456789abcdef".repeat(4);
        let write = |text: &str| std::fs::write(scratch.path().join(KEY_FILE), text).unwrap();
        write(&format!("{wanted}\n"));
        assert_eq!(found(), Ok(wanted.clone()));
        for wrong in ["", "../../elsewhere", &format!("{wanted}0"), "key\nkey"] {
            write(wrong);
            let text = found().unwrap_err();
            assert!(
                text.contains("holds no key of a guest"),
                "{wrong:?}: {text}"
            );
        }
    }

    #[test]
    fn a_missing_guest_says_what_to_do() {
        let artifact = Artifact::at("/nonexistent/guest.wasm");
        let text = artifact.read().unwrap_err().to_string();
        assert!(text.contains("run `make build`"), "{text}");
    }
}
