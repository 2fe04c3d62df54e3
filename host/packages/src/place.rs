//! Where a plugin keeps its packages, its lock file and its requirements.
//!
//! A Domoticz plugin is a folder with `plugin.py`: all three lie in it. An Indigo
//! bundle has its code in `Contents/Server Plugin` and, by Indigo's convention, its
//! packages in `Contents/Packages`; the lock file lies beside those.

use std::path::{Path, PathBuf};

use super::PackagesError;

/// Name of the folder with the unpacked packages.
pub const PACKAGES: &str = "Packages";

/// Name of the lock file beside it.
pub const LOCK: &str = "cordon.lock";

const REQUIREMENTS: &str = "requirements.txt";

/// Whose conventions a plugin follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framework {
    /// A folder with `plugin.py`.
    Domoticz,
    /// A bundle with `Contents/Server Plugin/plugin.py`.
    Indigo,
}

/// A plugin's folders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Whose conventions it follows.
    pub framework: Framework,
    /// The folder that holds everything of the plugin: what was named.
    pub root: PathBuf,
    /// The folder with `plugin.py`.
    pub code: PathBuf,
    /// The folder that holds `Packages` and the lock file.
    pub home: PathBuf,
}

impl Place {
    /// Looks at a plugin folder, a bundle, or the `plugin.py` in one.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Place`] when it is neither; the sentence says what is expected.
    pub fn of(path: &Path) -> Result<Self, PackagesError> {
        let named = match path.file_name() {
            Some(name) if name == "plugin.py" && path.is_file() => path.parent().unwrap_or(path),
            _ => path,
        };
        let named = if named.as_os_str().is_empty() {
            Path::new(".")
        } else {
            named
        };
        if let Some(code) = server_plugin(named) {
            return Ok(Self {
                framework: Framework::Indigo,
                root: named.to_owned(),
                code,
                home: named.join("Contents"),
            });
        }
        if !named.join("plugin.py").is_file() {
            return Err(PackagesError::Place(format!(
                "{} is no plugin: a folder with plugin.py or a bundle with Contents/Server Plugin/plugin.py is expected",
                path.display()
            )));
        }
        // The inner folder of a bundle.
        let contents = named.canonicalize().ok().and_then(|full| {
            let contents = full.parent()?.to_owned();
            contents.ends_with("Contents").then_some(contents)
        });
        Ok(match contents {
            Some(contents) => Self {
                framework: Framework::Indigo,
                root: contents.parent().unwrap_or(&contents).to_owned(),
                code: named.to_owned(),
                home: contents,
            },
            None => Self {
                framework: Framework::Domoticz,
                root: named.to_owned(),
                code: named.to_owned(),
                home: named.to_owned(),
            },
        })
    }

    /// The folder of unpacked packages, whether it is there or not.
    #[must_use]
    pub fn packages(&self) -> PathBuf {
        self.home.join(PACKAGES)
    }

    /// The lock file, whether it is there or not.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.home.join(LOCK)
    }

    /// The plugin's own requirements, where it has some.
    #[must_use]
    pub fn requirements(&self) -> Option<PathBuf> {
        [&self.code, &self.home, &self.root]
            .into_iter()
            .map(|folder| folder.join(REQUIREMENTS))
            .find(|file| is_real(file, std::fs::Metadata::is_file))
    }
}

/// `Contents/Server Plugin` of a bundle; some are written with a small p.
fn server_plugin(bundle: &Path) -> Option<PathBuf> {
    if !is_real(&bundle.join("Contents"), std::fs::Metadata::is_dir) {
        return None;
    }
    ["Server Plugin", "Server plugin"]
        .into_iter()
        .map(|name| bundle.join("Contents").join(name))
        .find(|folder| folder.join("plugin.py").is_file())
}

/// Links are not followed: one in a plugin's download could lead anywhere.
fn is_real(path: &Path, is: impl Fn(&std::fs::Metadata) -> bool) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| is(&found))
}

/// The packages of the plugin whose code is in this folder, where it has some: what
/// the component sees as `/packages`.
#[must_use]
pub fn packages_of(code: &Path) -> Option<PathBuf> {
    let packages = Place::of(code).ok()?.packages();
    is_real(&packages, std::fs::Metadata::is_dir).then_some(packages)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn touch(path: &Path) {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }

    #[test]
    fn a_folder_with_a_plugin_keeps_its_packages_itself() {
        let folder = tempfile::tempdir().unwrap();
        touch(&folder.path().join("plugin.py"));
        touch(&folder.path().join("requirements.txt"));
        let place = Place::of(folder.path()).unwrap();
        assert_eq!(place.framework, Framework::Domoticz);
        assert_eq!(place.packages(), folder.path().join("Packages"));
        assert!(place.requirements().is_some());
        assert_eq!(Place::of(&folder.path().join("plugin.py")).unwrap(), place);
    }

    #[test]
    fn a_bundle_keeps_them_in_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let code = folder.join("X.indigoPlugin/Contents/Server plugin");
        touch(&code.join("plugin.py"));
        touch(&code.join("requirements.txt"));
        let place = Place::of(&folder.join("X.indigoPlugin")).unwrap();
        assert_eq!(place.framework, Framework::Indigo);
        assert_eq!(
            place.packages(),
            folder.join("X.indigoPlugin/Contents/Packages")
        );
        assert_eq!(place.requirements(), Some(code.join("requirements.txt")));
        assert_eq!(Place::of(&code).unwrap().packages(), place.packages());
        assert_eq!(packages_of(&code), None);
        std::fs::create_dir(place.packages()).unwrap();
        assert_eq!(packages_of(&code), Some(place.packages()));
    }

    #[test]
    fn a_link_is_no_folder_of_packages() {
        let folder = tempfile::tempdir().unwrap();
        touch(&folder.path().join("plugin.py"));
        std::os::unix::fs::symlink("/etc", folder.path().join("Packages")).unwrap();
        assert_eq!(packages_of(folder.path()), None);
    }

    #[test]
    fn what_is_no_plugin_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let error = Place::of(folder.path()).unwrap_err().to_string();
        assert!(
            error.contains("Server Plugin/plugin.py is expected"),
            "{error}"
        );
    }
}
