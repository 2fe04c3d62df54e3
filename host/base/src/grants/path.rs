//! A file of this machine that a grant names: a program or a serial port.
//!
//! Owns how such a path is written and when a path of the plugin means the same
//! file. Never opens anything.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use serde::Deserialize;
use serde::de::{self, Deserializer};

use crate::error::EngineError;

/// One entry of `exec` or `serial`: an absolute path without `.` and `..`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantedPath(PathBuf);

impl GrantedPath {
    /// The path as the operator wrote it.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Whether `asked` is the same entry of the same folder, whatever links lead
    /// to the folder (`/bin` is `/usr/bin` on most machines).
    ///
    /// A link at the end is not followed: two names of one file can be two
    /// programs, because a program such as busybox looks at its name.
    #[must_use]
    pub fn is_entry(&self, asked: &Path) -> bool {
        if self.0 == asked {
            return true;
        }
        let entry = |path: &Path| {
            let folder = path.parent()?.canonicalize().ok()?;
            Some((folder, path.file_name()?.to_owned()))
        };
        is_plain(asked) && entry(&self.0).is_some_and(|own| entry(asked) == Some(own))
    }

    /// Whether `asked` leads to the same file, links at the end followed
    /// (`/dev/serial/by-id/...` and `/dev/ttyUSB0`).
    #[must_use]
    pub fn is_file(&self, asked: &Path) -> bool {
        if self.0 == asked {
            return true;
        }
        let file = self.0.canonicalize().ok();
        is_plain(asked) && file.is_some() && file == asked.canonicalize().ok()
    }
}

/// Absolute, and without steps that depend on links.
fn is_plain(path: &Path) -> bool {
    let step = |component| matches!(component, Component::RootDir | Component::Normal(_));
    path.is_absolute() && path.components().all(step) && path.file_name().is_some()
}

impl FromStr for GrantedPath {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let path = PathBuf::from(text);
        if !is_plain(&path) || text.contains('\0') {
            return Err(EngineError::Config(format!(
                "grant {text:?} is not understood; write the absolute path of one file, without `..`"
            )));
        }
        Ok(Self(path))
    }
}

impl<'de> Deserialize<'de> for GrantedPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn it_refuses_what_is_no_absolute_path_of_a_file() {
        for text in [
            "",
            "uptime",
            "bin/uptime",
            "/",
            "/usr/bin/../bin/sh",
            "/a\0b",
        ] {
            assert!(text.parse::<GrantedPath>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_entry_is_the_same_through_a_linked_folder_and_not_through_a_linked_name() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().join("real");
        std::fs::create_dir(&real).unwrap();
        std::fs::write(real.join("tool"), "").unwrap();
        symlink(real.join("tool"), real.join("other")).unwrap();
        symlink(&real, folder.path().join("link")).unwrap();
        let granted: GrantedPath = real.join("tool").to_str().unwrap().parse().unwrap();
        assert!(granted.is_entry(&folder.path().join("link/tool")));
        assert!(!granted.is_entry(&real.join("other")));
        assert!(granted.is_file(&real.join("other")));
        assert!(!granted.is_entry(&real.join("../real/tool")));
    }
}
