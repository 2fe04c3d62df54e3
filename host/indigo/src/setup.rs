//! What a plugin is told about itself and the server before its first line runs.

use super::bundle::Bundle;
use super::info::SERVER_API;
use super::paths::{self, INSTALL_FOLDER, LOGS, PLUGIN_FOLDER, PREFERENCES, SERVER_VERSION};

/// The parameters that are the same at every start; the preferences are added then.
#[must_use]
pub fn parameters(bundle: &Bundle) -> Vec<(String, String)> {
    let info = &bundle.info;
    let code = format!("{PLUGIN_FOLDER}/{}", bundle.server_plugin_path());
    let packages = bundle.packages.as_ref().and_then(|packages| {
        let inside = packages.strip_prefix(&bundle.root).ok()?;
        Some(format!("{PLUGIN_FOLDER}/{}", inside.display()))
    });
    let pairs = [
        ("pluginVersion", info.version.clone()),
        ("pluginDisplayName", info.display_name.clone()),
        (
            "pluginSupportURL",
            info.support_url.clone().unwrap_or_default(),
        ),
        ("pluginFolder", paths::bundle(&bundle.root)),
        ("serverPluginFolder", code),
        ("packagesFolder", packages.unwrap_or_default()),
        ("serverVersion", SERVER_VERSION.to_owned()),
        ("apiVersion", SERVER_API.to_string()),
        ("installFolder", INSTALL_FOLDER.to_owned()),
        ("logFolder", format!("{INSTALL_FOLDER}/{LOGS}")),
        (
            "preferencesFolder",
            format!("{INSTALL_FOLDER}/{PREFERENCES}"),
        ),
    ];
    pairs
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}
