//! The guest artifact: found by the key of its inputs, checked before it is used.
//!
//! The build puts the component at `<cache>/guest/<key>/guest.wasm`, where the key
//! is the hash of everything it is made from; this program knows the key it was
//! built for. The compiled form stands beside it under a name that holds the
//! hash of the component and what the compiler would do differently, so a stale
//! one is never found. The only unsafe code of loading is here.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use wasmtime::component::Component;

use crate::error::EngineError;

/// The contract this host speaks (`wit/v0.1.0`).
pub const ABI: &str = "cordon:plugin@0.1.0";

/// Custom section of the component that names its contract and its key.
const STAMP_SECTION: &str = "cordon:stamp";

/// Key of the guest that belongs to this program; set by the build.
const BUILT_FOR: Option<&str> = option_env!("CORDON_GUEST_KEY");

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
    /// The guest that this program was built for, or the file that `CORDON_GUEST` names.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] with what to do when it is not there.
    pub fn locate() -> Result<Self, EngineError> {
        if let Some(file) = std::env::var_os(OVERRIDE) {
            return Ok(Self {
                component: PathBuf::from(file),
                key: None,
            });
        }
        let Some(key) = BUILT_FOR.filter(|key| !key.is_empty()) else {
            return Err(EngineError::Artifact(
                "this program was built without a guest; build it with `make build`, or name a guest with CORDON_GUEST=FILE".into(),
            ));
        };
        Ok(Self {
            component: cache()?.join("guest").join(key).join("guest.wasm"),
            key: Some(key.to_owned()),
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

    /// The compiled form for this engine and the component's digest, compiling it if
    /// it is not in the cache.
    ///
    /// # Errors
    ///
    /// [`EngineError::Artifact`] when the component is missing, does not fit or does
    /// not compile.
    pub fn precompiled(
        &self,
        engine: &wasmtime::Engine,
        config_key: &str,
    ) -> Result<(PathBuf, String), EngineError> {
        let bytes = self.read()?;
        let digest = hex(&Sha256::digest(&bytes));
        let target = self.compiled_path(&digest, engine, config_key);
        if target.exists() {
            return Ok((target, digest));
        }
        let compiled = engine
            .precompile_component(&bytes)
            .map_err(|error| EngineError::Artifact(format!("cannot compile: {error:#}")))?;
        write_atomically(&target, &compiled)?;
        Ok((target, digest))
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

    /// Maps the compiled form into memory.
    ///
    /// # Errors
    ///
    /// As [`Artifact::precompiled`].
    pub fn load(
        &self,
        engine: &wasmtime::Engine,
        config_key: &str,
    ) -> Result<(Component, String), EngineError> {
        let (file, digest) = self.precompiled(engine, config_key)?;
        // SAFETY: the file was written by `precompiled` of this program for a
        // component with this hash and an engine with this compatibility hash, in
        // a folder that only the operator's account can write. wasmtime checks its
        // own version and settings again. Plugins never see the folder.
        let component = unsafe { Component::deserialize_file(engine, &file) }
            .map_err(|error| EngineError::Artifact(format!("{}: {error:#}", file.display())))?;
        Ok((component, digest))
    }
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

/// Bytes as lower-case hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn write_atomically(target: &Path, bytes: &[u8]) -> Result<(), EngineError> {
    let temporary = target.with_extension(format!("tmp{}", std::process::id()));
    std::fs::write(&temporary, bytes)
        .and_then(|()| std::fs::rename(&temporary, target))
        .map_err(|error| EngineError::io(format!("cannot write {}", target.display()), error))
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
    fn a_missing_guest_says_what_to_do() {
        let artifact = Artifact::at("/nonexistent/guest.wasm");
        let text = artifact.read().unwrap_err().to_string();
        assert!(text.contains("run `make build`"), "{text}");
    }
}
