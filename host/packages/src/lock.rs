//! `cordon.lock`: what was installed, exactly, so that it can be installed again.
//!
//! TOML, made to be kept with the plugin. Every file is named with the SHA-256 that
//! the index gave for it; every package with a digest over what it put on the disk.

use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::PackagesError;
use cordon_base::hex::hex;

/// The form of the file. Another one is refused.
pub const VERSION: u32 = 1;

/// Largest lock file that is read, in bytes.
const MAX_BYTES: u64 = 4 << 20;

const HEADER: &str = "\
# Written by `cordon install`: the packages of this plugin, each file with its hash.
# `cordon install` without other requirements installs exactly these again.
";

/// The whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// [`VERSION`].
    pub version: u32,
    /// Python version that the packages were chosen for.
    pub python: String,
    /// What was asked for, sorted.
    pub requirements: Vec<String>,
    /// Packages whose source was built, sorted.
    pub build: Vec<String>,
    /// Packages that the runtime has itself, sorted.
    pub provided: Vec<String>,
    /// The packages, by name.
    #[serde(default, rename = "package")]
    pub packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// Its name on the index.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The file it came in: a wheel, or the source it was built from.
    pub file: String,
    /// SHA-256 of that file, in hexadecimal.
    pub sha256: String,
    /// [`digest`] of the unpacked files, in hexadecimal.
    pub files: String,
    /// Whether `file` is a source that was built.
    pub built: bool,
    /// What it wants itself.
    pub requires: Vec<String>,
}

impl Lock {
    /// Reads a lock file; `None` when there is none.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Lock`] for one that is damaged or of another form.
    pub fn read(path: &Path) -> Result<Option<Self>, PackagesError> {
        let wrong = |what: &dyn std::fmt::Display| {
            PackagesError::Lock(format!(
                "{}: {what}; remove the file to choose the packages anew",
                path.display()
            ))
        };
        match std::fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() => return Err(wrong(&"it is no regular file")),
            Ok(found) if found.len() > MAX_BYTES => return Err(wrong(&"it is too large")),
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(wrong(&error)),
        }
        let text = std::fs::read_to_string(path).map_err(|error| wrong(&error))?;
        let lock: Self = toml::from_str(&text).map_err(|error| wrong(&error))?;
        if lock.version != VERSION {
            return Err(wrong(&format!(
                "version {VERSION} is expected, not {}",
                lock.version
            )));
        }
        for package in &lock.packages {
            package.check().map_err(|reason| wrong(&reason))?;
        }
        Ok(Some(lock))
    }

    /// The text of the file.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Lock`] when it cannot be written as TOML, which would be a fault of ours.
    pub fn text(&self) -> Result<String, PackagesError> {
        let body = toml::to_string(self).map_err(|error| PackagesError::Lock(error.to_string()))?;
        Ok(format!("{HEADER}{body}"))
    }
}

impl Package {
    /// The values go onto a command line and into paths.
    fn check(&self) -> Result<(), String> {
        let plain = |text: &str, extra: &str| {
            !text.is_empty()
                && text.len() <= 256
                && !text.starts_with(['-', '.'])
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(char::from(byte)))
        };
        let hash = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain(&self.name, "-_.") || !plain(&self.version, "-_.!+") {
            return Err(format!("{:?} {:?} is no package", self.name, self.version));
        }
        if !plain(&self.file, "-_.!+") {
            return Err(format!("{:?} is no file name", self.file));
        }
        if !hash(&self.sha256) || !hash(&self.files) {
            return Err(format!("the hashes of {} are damaged", self.name));
        }
        Ok(())
    }
}

/// The digest over unpacked files: their hashes and names, in the order of the names.
#[must_use]
pub fn digest<'a>(files: impl IntoIterator<Item = (&'a String, &'a String)>) -> String {
    let mut all = Sha256::new();
    for (name, hash) in files {
        all.update(format!("{hash}  {name}\n"));
    }
    hex(&all.finalize())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn lock() -> Lock {
        Lock {
            version: VERSION,
            python: "3.14".into(),
            requirements: vec!["requests>=2".into()],
            build: vec![],
            provided: vec![],
            packages: vec![Package {
                name: "requests".into(),
                version: "2.32.5".into(),
                file: "requests-2.32.5-py3-none-any.whl".into(),
                sha256: "a".repeat(64),
                files: "b".repeat(64),
                built: false,
                requires: vec!["idna>=2.5,<4; extra == \"x\"".into()],
            }],
        }
    }

    fn read(text: &str) -> Result<Option<Lock>, PackagesError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.lock");
        std::fs::write(&path, text).unwrap();
        Lock::read(&path)
    }

    #[test]
    fn what_was_written_is_read() {
        let lock = lock();
        assert_eq!(read(&lock.text().unwrap()).unwrap(), Some(lock));
        assert_eq!(Lock::read(Path::new("/nowhere/cordon.lock")).unwrap(), None);
    }

    #[test]
    fn a_damaged_file_is_refused_with_what_to_do() {
        let text = lock().text().unwrap();
        for damaged in [
            text.replace(&"a".repeat(64), "a"),
            text.replace("requests-2.32.5-py3-none-any.whl", "../x.whl"),
            text.replace("name = \"requests\"", "name = \"--index-url\""),
            text.replace("version = 1", "version = 2"),
            text.replace("[[package]]", "[[pakcage]]"),
            text.replace("python", "\u{0}"),
        ] {
            let error = read(&damaged).unwrap_err().to_string();
            assert!(error.contains("remove the file"), "{error}");
        }
    }
}
