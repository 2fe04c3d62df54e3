//! The folders that a plugin sees, and the facts about the server that go with them.
//!
//! The original has one install folder for the server and all plugins. Here each
//! instance has its own, in its data folder: what it finds there is its own.

use std::path::Path;

/// The bundle, which holds `Contents`.
pub const PLUGIN_FOLDER: &str = "/plugin";

/// What `indigo.server.getInstallFolderPath()` returns.
pub const INSTALL_FOLDER: &str = "/data";

/// The folder for logs in the install folder.
pub const LOGS: &str = "Logs";

/// The folder for the files of preferences in the install folder.
pub const PREFERENCES: &str = "Preferences/Plugins";

/// The folder for bundles in the install folder. A plugin finds its own there, and no
/// other.
pub const PLUGINS: &str = "Plugins";

/// Version of the server that plugins see: the one that the object model describes.
pub const SERVER_VERSION: &str = "2025.2.0";

/// Version of the API that plugins see.
pub const API_VERSION: &str = "3.8";

/// Where a bundle lies for whoever asks the server; the plugin itself finds it there.
#[must_use]
pub fn bundle(root: &Path) -> String {
    let name = root.file_name().unwrap_or_default().to_string_lossy();
    format!("{INSTALL_FOLDER}/{PLUGINS}/{name}")
}

/// Where logs go, of the server (`None`) or of a plugin.
#[must_use]
pub fn logs(plugin: Option<&str>) -> String {
    match plugin {
        Some(plugin) => format!("{INSTALL_FOLDER}/{LOGS}/{plugin}"),
        None => format!("{INSTALL_FOLDER}/{LOGS}"),
    }
}
