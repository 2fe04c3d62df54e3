//! Tests of bundles on disk.

use super::*;

const INFO: &str = "<plist version=\"1.0\"><dict><key>CFBundleIdentifier</key>\
    <string>com.example.ID</string><key>CFBundleDisplayName</key><string>D</string>\
    <key>PluginVersion</key><string>1</string><key>ServerApiVersion</key>\
    <string>3.0</string></dict></plist>";

fn write(root: &Path, name: &str, files: &[(&str, &str)]) -> PathBuf {
    let bundle = root.join(name);
    for (file, text) in files {
        let path = bundle.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    bundle
}

#[test]
fn a_bundle_is_found_whatever_its_spelling() {
    let root = tempfile::tempdir().unwrap();
    let path = write(
        root.path(),
        "A.IndigoPlugin",
        &[
            ("Contents/Info.plist", INFO),
            ("Contents/Server plugin/plugin.py", ""),
            ("Contents/Server plugin/Requirements.txt", "x"),
            (
                "Contents/Server plugin/Events.xml",
                "<Events><Event id='e'><Name>E</Name></Event></Events>",
            ),
            ("Contents/packages/p.py", ""),
            ("Contents/Resources/public/a.txt", ""),
        ],
    );
    let bundle = Bundle::open(&path).unwrap();
    assert_eq!(bundle.server_plugin_path(), "Contents/Server plugin");
    assert!(bundle.packages.unwrap().ends_with("packages"));
    assert!(bundle.resources.is_some());
    assert!(bundle.requirements.unwrap().ends_with("Requirements.txt"));
    assert!(bundle.definitions.events.find("e").is_some());
}

#[test]
fn a_definition_in_another_case_is_read_and_a_twin_is_told() {
    let root = tempfile::tempdir().unwrap();
    let event = |id: &str| format!("<Events><Event id='{id}'><Name>E</Name></Event></Events>");
    let (first, second) = (event("first"), event("second"));
    let dialog = "<PluginConfig><Template file='templates/MORE.xml'/></PluginConfig>";
    let path = write(
        root.path(),
        "a.indigoPlugin",
        &[
            ("Contents/info.plist", INFO),
            ("Contents/Server Plugin/plugin.py", ""),
            ("Contents/Server Plugin/Plugin.py", ""),
            ("Contents/Server Plugin/devices.xml", "<Devices/>"),
            ("Contents/Server Plugin/EVENTS.xml", &first),
            ("Contents/Server Plugin/events.xml", &second),
            ("Contents/Server Plugin/pluginConfig.xml", dialog),
            (
                "Contents/Server Plugin/Templates/more.xml",
                "<T><Field id='f' type='textfield'/></T>",
            ),
        ],
    );
    assert!(is_bundle(&path));
    let definitions = Bundle::open(&path).unwrap().definitions;
    assert!(definitions.events.find("first").is_some());
    assert!(definitions.events.find("second").is_none());
    let config = definitions.config.unwrap();
    assert!(config.config_ui.field("f").is_some());
    let faults: Vec<_> = definitions.faults.iter().map(ToString::to_string).collect();
    assert_eq!(faults.len(), 2, "{faults:?}");
    assert!(
        faults[0].contains("Events.xml: `events.xml` differs"),
        "{faults:?}"
    );
    assert!(
        faults[1].contains("plugin.py: `Plugin.py` differs"),
        "{faults:?}"
    );
}

/// Files behind such a link were shown to everybody who asked the hub for it.
#[test]
fn no_folder_of_a_bundle_is_a_link_that_leads_out() {
    let root = tempfile::tempdir().unwrap();
    let outside = root.path().join("outside");
    fs::create_dir_all(outside.join("public")).unwrap();
    fs::write(outside.join("plugin.py"), "").unwrap();
    let plain = [
        ("Contents/Info.plist", INFO),
        ("Contents/Server Plugin/plugin.py", ""),
        ("Contents/Shared/public/a.txt", ""),
    ];
    for name in ["Resources", "Packages", "Server Plugin"] {
        let path = write(root.path(), &format!("{name}.indigoPlugin"), &plain);
        let link = path.join("Contents").join(name);
        let _ = fs::remove_dir_all(&link);
        std::os::unix::fs::symlink(&outside, &link).unwrap();
        let refused = Bundle::open(&path).unwrap_err().to_string();
        assert!(refused.contains("leads out of the bundle"), "{refused}");
    }
    // One within it does not.
    let path = write(root.path(), "in.indigoPlugin", &plain);
    std::os::unix::fs::symlink("Shared", path.join("Contents/Resources")).unwrap();
    assert!(Bundle::open(&path).unwrap().resources.is_some());
}

#[test]
fn what_is_missing_or_broken_is_named() {
    let root = tempfile::tempdir().unwrap();
    let say = |name: &str, files: &[(&str, &str)]| {
        let path = write(root.path(), name, files);
        Bundle::open(&path).unwrap_err().to_string()
    };
    let text = say("a", &[("x", "")]);
    assert!(text.contains("Contents: it is missing; expected"), "{text}");
    let text = say("b", &[("Contents/Info.plist", INFO)]);
    assert!(text.contains("Server Plugin: it is missing"), "{text}");
    let text = say(
        "c",
        &[
            ("Contents/Info.plist", "x"),
            ("Contents/Server Plugin/plugin.py", ""),
        ],
    );
    assert!(text.contains("Info.plist: no property list"), "{text}");
    let new = INFO.replace("3.0", "4.0");
    let text = say(
        "d",
        &[
            ("Contents/Info.plist", &new),
            ("Contents/Server Plugin/plugin.py", ""),
        ],
    );
    assert!(text.contains("needs version 4.0"), "{text}");
    let text = say(
        "e",
        &[
            ("Contents/Info.plist", INFO),
            ("Contents/Server Plugin/x.py", ""),
        ],
    );
    assert!(text.contains("plugin.py: it is missing"), "{text}");
}

#[test]
fn a_broken_bundle_hides_no_other() {
    let root = tempfile::tempdir().unwrap();
    let add = |name: &str, id: &str, priority: &str, devices: &str| {
        let info = INFO.replace("ID", id).replace(
            "<key>PluginVersion",
            &format!("<key>LoadPriority</key><string>{priority}</string><key>PluginVersion"),
        );
        write(
            root.path(),
            name,
            &[
                ("Contents/Info.plist", &info),
                ("Contents/Server Plugin/plugin.py", ""),
                ("Contents/Server Plugin/Devices.xml", devices),
            ],
        );
    };
    add("a.indigoPlugin", "a", "105", "<Devices/>");
    add("b.indigoPlugin", "b", "101", "<Devices/>");
    add("c.indigoPlugin", "c", "101", "<Devices");
    add("d.indigoPlugin", "a", "101", "<Devices/>");
    fs::create_dir(root.path().join("no bundle")).unwrap();
    let found = Bundles::discover(root.path()).unwrap();
    let ids: Vec<_> = found
        .usable
        .iter()
        .map(|it| it.info.identifier.as_str())
        .collect();
    assert_eq!(ids, ["com.example.b", "com.example.a"]);
    let problems: Vec<_> = found.problems.iter().map(ToString::to_string).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert!(problems[0].contains("c.indigoPlugin`: Server Plugin/Devices.xml, line 1"));
    assert!(problems[1].contains("is also that of"));
    assert!(
        Bundles::discover(&root.path().join("none"))
            .unwrap()
            .usable
            .is_empty()
    );
}
