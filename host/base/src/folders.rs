//! The folders of one instance, on the host and as the plugin sees them.

use std::path::PathBuf;

/// Where a plugin sees its own folder, with the slash that plugins expect at the
/// end.
pub const PLUGIN_FOLDER: &str = "/plugin/";

/// Where a plugin sees its data folder.
pub const DATA_FOLDER: &str = "/data/";

/// Where a plugin sees its folder for temporary files.
pub const TEMPORARY_FOLDER: &str = "/tmp/";
/// Where a plugin sees its packages, when it has some; `_cordon_domoticz` puts it on
/// `sys.path`.
pub const PACKAGES_FOLDER: &str = "/packages/";

/// Where a plugin puts its web pages: reached by relative paths, and below
/// `Parameters["StartupFolder"]`, as `www/templates`.
pub const PAGES_FOLDER: &str = "/data/www/templates/";

/// Where a plugin finds its own folder by a relative path, followed by its name.
pub const PLUGINS_FOLDER: &str = "/data/plugins/";

/// Where a bundle of Indigo finds its own folder, followed by its name: it looks for itself in the
/// install folder.
pub const BUNDLES_FOLDER: &str = "/data/Plugins/";

/// Where the runtime finds compiled code of earlier starts.
pub const CODE_FOLDER: &str = "/cache/";

/// Where the runtime finds the compiled modules of the plugin's packages: Python puts them below
/// the folder for compiled code, by the path of the source.
pub const COMPILED_PACKAGES_FOLDER: &str = "/cache/packages/";

/// Beginning of the name of a file among the changes of a folder that is copied on write; the rest
/// is the name of the plugin's own folder that it hides.
pub const HIDING: &str = ".cordon-hidden-";

/// The folders of one instance on the host.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The folder with `plugin.py`; never changed.
    pub plugin: PathBuf,
    /// Where the plugin sees this folder once more, under its own name: [`PLUGINS_FOLDER`] or
    /// [`BUNDLES_FOLDER`].
    pub listed_in: &'static str,
    /// The private working area.
    pub data: PathBuf,
    /// The pages that the plugin adds to the hub's, served from here and from nowhere else.
    pub pages: PathBuf,
    /// For temporary files; emptied at every start.
    pub temporary: PathBuf,
    /// For compiled code of the plugin's modules, which the runtime keeps there.
    pub code: PathBuf,
    /// The plugin's changes in its own folder, where that is copied on write.
    pub changes: Option<PathBuf>,
}

impl Folders {
    /// The other path of the plugin's folder, without a slash at the end: plugins know the
    /// name of their folder and look for it in the hub's.
    #[must_use]
    pub fn listed(&self) -> String {
        let name = self.plugin.file_name().unwrap_or_default();
        format!("{}{}", self.listed_in, name.to_string_lossy())
    }
}
