//! Indigo bundles from text.

use std::path::{Path, PathBuf};

/// Makes a bundle from texts by name of file.
pub fn bundle(folder: &Path, name: &str, id: &str, files: &[(&str, &str)]) -> PathBuf {
    let root = folder.join(format!("{name}.indigoPlugin"));
    let code = root.join("Contents/Server Plugin");
    std::fs::create_dir_all(&code).unwrap();
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\
         <key>CFBundleIdentifier</key><string>{id}</string>\
         <key>CFBundleDisplayName</key><string>{name}</string>\
         <key>PluginVersion</key><string>1.2.3</string>\
         <key>CFBundleVersion</key><string>1.0.0</string>\
         <key>ServerApiVersion</key><string>3.0</string>\
         <key>CFBundleURLTypes</key><array><dict><key>CFBundleURLName</key>\
         <string>http://example.org/help</string></dict></array></dict></plist>\n"
    );
    std::fs::write(root.join("Contents/Info.plist"), list).unwrap();
    for (file, text) in files {
        std::fs::write(code.join(file), text).unwrap();
    }
    root
}
