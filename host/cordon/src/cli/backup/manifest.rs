//! The words of a backup: which entries its archive has, in which order, and the facts about each.
//!
//! The first entry tells the versions. The last one, the manifest, has one line of JSON for each
//! entry before it, in the order of the archive, which is that of the paths by their parts. Neither
//! side has to hold the lines of all files in memory, and no path can come twice.

use std::path::Path;

use serde::{Deserialize, Serialize};

/// The first entry: [`Head`] as JSON.
pub(super) const HEAD: &str = "cordon-backup.json";

/// The configuration file.
pub(super) const CONFIG: &str = "cordon.toml";

/// The folder of the database and of the instances' files.
pub(super) const DATA: &str = "data";

/// The database in that folder.
pub(super) const DATABASE: &str = "data/cordon.db";

/// The folder of the plugins.
pub(super) const PLUGINS: &str = "plugins";

/// The last entry: one [`Item`] a line.
pub(super) const MANIFEST: &str = "manifest.jsonl";

/// The form that this program writes and reads.
pub(super) const FORMAT: u32 = 1;

/// Longest path of an entry in bytes: as long as the system allows.
pub(super) const LONGEST_PATH: usize = 4096;

/// Longest name in a path, in bytes.
const LONGEST_NAME: usize = 255;

/// Longest line of the manifest in bytes: JSON writes a byte of a path in six.
pub(super) const LONGEST_LINE: u64 = 6 * 4096 + 256;

/// Longest first entry in bytes.
pub(super) const LONGEST_HEAD: u64 = 64 << 10;

/// The versions that made a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// Form of the archive.
    pub format: u32,
    /// Version of the program.
    pub cordon: String,
    /// Schema of the database; none when there is no database yet.
    pub schema: Option<i64>,
    /// When the copy of the database was made, as RFC 3339 in UTC.
    pub made: String,
}

/// One entry: a folder, or a file with its size in bytes and its SHA-256 in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Item {
    pub path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

impl Item {
    /// Its line in the manifest.
    pub(super) fn line(&self) -> std::io::Result<Vec<u8>> {
        let mut line = serde_json::to_vec(self)?;
        line.push(b'\n');
        Ok(line)
    }
}

/// Looks at the paths of an archive one after the other. Each has to stay inside of the folder that
/// it is unpacked into, to be one that a backup has, and to come after the one before it.
#[derive(Default)]
pub(super) struct Paths {
    last: Option<(String, bool)>,
}

impl Paths {
    /// Takes the next path, of a folder or a file.
    ///
    /// # Errors
    /// The fault of the path.
    pub(super) fn take(&mut self, path: &str, folder: bool) -> Result<(), String> {
        let shown = path.escape_debug();
        if let Some(fault) = fault(path, folder) {
            return Err(format!("the path `{shown}` {fault}"));
        }
        if let Some((last, was_folder)) = &self.last {
            let (last, path) = (Path::new(last), Path::new(path));
            if path <= last {
                return Err(format!(
                    "the path `{shown}` comes twice or out of its order"
                ));
            }
            if path.starts_with(last) && !was_folder {
                return Err(format!("the path `{shown}` lies in a file"));
            }
        }
        self.last = Some((path.to_owned(), folder));
        Ok(())
    }
}

fn fault(path: &str, folder: bool) -> Option<&'static str> {
    if path.len() > LONGEST_PATH {
        return Some("is too long");
    }
    let mut names = path.split('/');
    let odd = |name: &str| name.is_empty() || name == "." || name == ".." || name.contains('\0');
    if path.split('/').any(odd) {
        return Some("leads out of the folder");
    }
    if path.split('/').any(|name| name.len() > LONGEST_NAME) {
        return Some("is too long");
    }
    let first = names.next().unwrap_or_default();
    let alone = names.next().is_none();
    let known = match first {
        HEAD | CONFIG => alone && !folder,
        DATA | PLUGINS => folder || !alone,
        _ => false,
    };
    (!known).then_some("is none of a backup")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for path in [
            "",
            "/etc/passwd",
            "..",
            "../x",
            "data/../../x",
            "data/./x",
            "data//x",
            "data/x\0",
            "data/..",
            "elsewhere/x",
            "cordon.toml/x",
            "data",
            "cordon.lock",
        ] {
            assert!(Paths::default().take(path, false).is_err(), "{path:?}");
        }
        let long = format!("data/{}", "n".repeat(256));
        assert!(Paths::default().take(&long, false).is_err());
        let deep = format!("data{}", "/n".repeat(3000));
        assert!(Paths::default().take(&deep, false).is_err());
        for folder in ["cordon.toml", "manifest.jsonl"] {
            assert!(Paths::default().take(folder, true).is_err(), "{folder}");
        }
    }

    #[test]
    fn paths_come_in_order_once_and_never_below_a_file() {
        let take = |paths: &[(&str, bool)]| {
            let mut all = Paths::default();
            paths
                .iter()
                .try_for_each(|(path, folder)| all.take(path, *folder))
        };
        take(&[
            (HEAD, false),
            (CONFIG, false),
            (DATA, true),
            ("data/a", true),
            ("data/a/z", false),
            ("data/a.b", false),
            (PLUGINS, true),
        ])
        .unwrap();
        for wrong in [
            [("data/a", false), ("data/a", false)],
            [("data/b", false), ("data/a", false)],
            [("data/a", false), ("data/a/b", false)],
        ] {
            assert!(take(&wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn no_line_is_longer_than_is_read() {
        let path = "\u{1}".repeat(LONGEST_PATH);
        let (size, sha256) = (Some(u64::MAX), Some("f".repeat(64)));
        let line = Item { path, size, sha256 }.line().unwrap();
        assert!(u64::try_from(line.len()).unwrap() <= LONGEST_LINE);
    }
}
