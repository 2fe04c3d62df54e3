//! Names of files in a bundle, which are looked up whatever their case.
//!
//! The disks of the original ignore the case of names, so published bundles have a `devices.xml` or
//! name a template in another case than its file.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Component, Path, PathBuf};

use cordon_base::bounds::ENTRIES;

/// A file or folder that was found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Its path, as it is really spelt.
    pub(crate) path: PathBuf,
    /// The names of others beside it that differ from it in case alone, in order.
    pub(crate) twins: Vec<String>,
}

/// The entry of a folder with this name: the one that is spelt so, or else the first in order. None
/// where the folder itself is missing. Blocks.
///
/// # Errors
///
/// The folder cannot be listed.
pub(crate) fn entry(
    folder: &Path,
    name: &str,
    kind: fn(&Path) -> bool,
) -> io::Result<Option<Found>> {
    let exact = folder.join(name);
    let entries = match fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) if !kind(&exact) => return Err(error),
        entries => entries.ok(),
    };
    let wanted = name.to_lowercase();
    let mut found = Vec::new();
    for entry in entries.into_iter().flatten().take(ENTRIES) {
        let entry = entry?;
        let same = entry.file_name().to_string_lossy().to_lowercase() == wanted;
        if same && kind(&entry.path()) {
            found.push(entry.file_name());
        }
    }
    if !found.iter().any(|it| it == name) && kind(&exact) {
        // It is behind the entries that were looked at, or the folder may not be listed.
        found.push(name.into());
    }
    found.sort_by_key(|it| (it != name, it.clone()));
    let mut found = found.into_iter();
    let Some(first) = found.next() else {
        return Ok(None);
    };
    Ok(Some(Found {
        path: folder.join(first),
        twins: found.map(|it| it.to_string_lossy().into_owned()).collect(),
    }))
}

/// The file with this relative path below a folder. Folders on the way may be spelt in another case
/// too. Whether it lies in the bundle is for the caller to check. Blocks.
///
/// # Errors
///
/// A folder on the way cannot be listed.
pub(crate) fn below(folder: &Path, path: &Path) -> io::Result<Option<Found>> {
    let mut found = Found {
        path: folder.to_owned(),
        twins: Vec::new(),
    };
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::Normal(name) => {
                let name = name.to_string_lossy();
                match entry(&found.path, &name, Path::exists)? {
                    Some(next) => found = next,
                    None => return Ok(None),
                }
            }
            Component::ParentDir => found.path.push(part),
            Component::RootDir | Component::Prefix(_) => return Ok(None),
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_in_any_case() {
        let root = tempfile::tempdir().unwrap();
        let make = |name: &str| {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        };
        make("Templates/More_fields.XML");
        make("devices.xml");
        make("DEVICES.xml");
        make("gr\u{dc}n.txt");
        make("folder/Devices.xml");
        let find = |name: &str| {
            let found = below(root.path(), Path::new(name)).unwrap()?;
            let path = found.path.strip_prefix(root.path()).unwrap();
            Some((path.to_string_lossy().into_owned(), found.twins))
        };
        let one = |name: &str| Some((name.to_owned(), Vec::new()));
        assert_eq!(
            find("templates/more_fields.xml"),
            one("Templates/More_fields.XML")
        );
        assert_eq!(find("./GR\u{fc}N.TXT"), one("gr\u{dc}n.txt"));
        // The spelling that was asked for goes before others, which are told.
        let twins = |name: &str, twin: &str| Some((name.to_owned(), vec![twin.to_owned()]));
        assert_eq!(find("devices.xml"), twins("devices.xml", "DEVICES.xml"));
        assert_eq!(find("Devices.xml"), twins("DEVICES.xml", "devices.xml"));
        assert_eq!(
            find("folder/../devices.xml"),
            Some((
                "folder/../devices.xml".to_owned(),
                vec!["DEVICES.xml".to_owned()]
            ))
        );
        for missing in [
            "devices.xm",
            "none/devices.xml",
            "devices.xml/x",
            "/etc/passwd",
        ] {
            assert_eq!(find(missing), None, "{missing}");
        }
    }
}
