//! The folders that a plugin sees, and the facts about the server that go with them.
//!
//! The original has one install folder for the server and all plugins. Here each instance has its
//! own, in its data folder, so all files that a plugin finds there are its own.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

/// The bundle, which holds `Contents`.
pub const PLUGIN_FOLDER: &str = "/plugin";

/// The value that `indigo.server.getInstallFolderPath()` returns.
pub const INSTALL_FOLDER: &str = "/data";

/// The folder for logs in the install folder.
pub const LOGS: &str = "Logs";

/// The folder for the files of preferences in the install folder.
pub const PREFERENCES: &str = "Preferences/Plugins";

/// The folder for bundles in the install folder. A plugin finds its own bundle there and no other.
pub const PLUGINS: &str = "Plugins";

/// The folder for bundles that are turned off.
pub const DISABLED: &str = "Plugins (Disabled)";

/// Version of the server that plugins see. The object model describes this version.
pub const SERVER_VERSION: &str = "2025.2.0";

/// Version of the API that plugins see.
pub const API_VERSION: &str = "3.8";

/// The path of a bundle that the server tells. The plugin itself finds its bundle there.
#[must_use]
pub fn bundle(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    format!("{INSTALL_FOLDER}/{PLUGINS}/{name}")
}

/// Makes the folders that a plugin expects in its install folder, with an empty one for its bundle:
/// the bundle itself is shown in the place of that one, so a listing of [`PLUGINS`] names it. Blocks.
///
/// # Errors
///
/// The file system refuses, or a link is in the way.
pub fn lay_out(data: &Path, root: &Path) -> io::Result<()> {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    folder(data, &format!("{PLUGINS}/{name}"), true)?;
    folder(data, DISABLED, true).map(drop)
}

/// A folder below a plugin's data folder, reached without following a link; `None` when it is not
/// there and is not to be made. Blocks.
pub(crate) fn folder(data: &Path, path: &str, make: bool) -> io::Result<Option<OwnedFd>> {
    if make {
        std::fs::create_dir_all(data)?;
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = match rustix::fs::open(data, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    for part in path.split('/').filter(|part| !part.is_empty()) {
        if make {
            match rustix::fs::mkdirat(folder.as_fd(), part, Mode::RWXU) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match rustix::fs::openat(
            folder.as_fd(),
            part,
            flags | OFlags::NOFOLLOW,
            Mode::empty(),
        ) {
            Ok(next) => folder = next,
            Err(Errno::NOENT) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(folder))
}

/// The folder for the logs of the server (`None`) or of a plugin.
#[must_use]
pub fn logs(plugin: Option<&str>) -> String {
    match plugin {
        Some(plugin) => format!("{INSTALL_FOLDER}/{LOGS}/{plugin}"),
        None => format!("{INSTALL_FOLDER}/{LOGS}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_listing_of_the_bundles_names_the_plugins_own() {
        let data = tempfile::tempdir().unwrap();
        for _ in 0..2 {
            lay_out(data.path(), Path::new("/x/A b.indigoPlugin")).unwrap();
        }
        let listed = |name: &str| -> Vec<_> {
            let entries = std::fs::read_dir(data.path().join(name)).unwrap();
            entries.map(|it| it.unwrap().file_name()).collect()
        };
        assert_eq!(listed(PLUGINS), ["A b.indigoPlugin"]);
        assert!(listed(DISABLED).is_empty());
    }

    #[test]
    fn no_link_is_followed() {
        let (data, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::os::unix::fs::symlink(elsewhere.path(), data.path().join(PLUGINS)).unwrap();
        assert!(lay_out(data.path(), Path::new("/x/A.indigoPlugin")).is_err());
        assert!(
            std::fs::read_dir(elsewhere.path())
                .unwrap()
                .next()
                .is_none()
        );
    }
}
