//! `X.indigoPlugin`: the folder that is a plugin.
//!
//! ```text
//! X.indigoPlugin/
//!   Contents/
//!     Info.plist
//!     Server Plugin/     plugin.py, *.xml, requirements.txt
//!     Packages/          optional
//!     Resources/         optional
//! ```
//!
//! Names are looked up without regard to case, since the original's file system has
//! none. Nothing of the Python code is looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::definition::{Definitions, Problem};
use super::info::Info;
use cordon_base::bounds::{self, ENTRIES};
use cordon_base::regular_file::RegularFile;

/// A plugin's bundle with all that it says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The folder that holds `Contents`; what a component sees as `/plugin`.
    pub root: PathBuf,
    /// `Contents` as it is really spelt.
    pub contents: PathBuf,
    /// `Contents/Server Plugin` as it is really spelt.
    pub server_plugin: PathBuf,
    /// `Contents/Packages`, where there is one.
    pub packages: Option<PathBuf>,
    /// `Contents/Resources`, where there is one.
    pub resources: Option<PathBuf>,
    /// `requirements.txt` in `Server Plugin`, where there is one.
    pub requirements: Option<PathBuf>,
    /// `Info.plist`.
    pub info: Info,
    /// The XML files.
    pub definitions: Definitions,
}

/// A bundle that cannot be used. Other bundles are not affected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("plugin bundle `{}`: {problem}", bundle.display())]
pub struct BundleProblem {
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// What is wrong.
    pub problem: Problem,
}

impl Bundle {
    /// Reads the bundle in the folder `root`: `Info.plist` and all XML files.
    ///
    /// Reads files, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`BundleProblem`] with file, line and what was expected; also when the plugin
    /// needs a newer API than [`info::SERVER_API`].
    pub fn open(root: &Path) -> Result<Self, BundleProblem> {
        Self::read(root).map_err(|problem| BundleProblem {
            bundle: root.to_owned(),
            problem,
        })
    }

    /// The same on a thread of its own, which nobody waits for longer than a few seconds:
    /// a file system may not answer.
    ///
    /// # Errors
    /// As [`Bundle::open`], and when it was not read in time.
    pub async fn open_in_time(root: &Path) -> Result<Self, BundleProblem> {
        let problem = |reason: String| BundleProblem {
            bundle: root.to_owned(),
            problem: Problem::of_file("Contents", reason),
        };
        let (sender, opened) = tokio::sync::oneshot::channel();
        let path = root.to_owned();
        // No thread of the runtime, which would wait for it at the end.
        std::thread::Builder::new()
            .name("bundle".to_owned())
            .spawn(move || {
                // Nobody waits for it any more when its time is over.
                let _ = sender.send(Self::open(&path));
            })
            .map_err(|error| problem(format!("there is no thread to read it: {error}")))?;
        let seconds = u64::try_from(bounds::FOLDER_SECONDS).unwrap_or(u64::MAX);
        match tokio::time::timeout(Duration::from_secs(seconds), opened).await {
            Ok(Ok(opened)) => opened,
            Ok(Err(_)) => Err(problem("the thread that read it has ended".to_owned())),
            Err(_) => Err(problem(format!(
                "it was not read within {seconds} seconds; look at its file system"
            ))),
        }
    }

    fn read(root: &Path) -> Result<Self, Problem> {
        let expected = "expected a folder `Contents` with `Info.plist` and `Server Plugin`";
        let missing = |what: &str| Problem::of_file(what, format!("it is missing; {expected}"));
        let contents = folder(root, "Contents")?.ok_or_else(|| missing("Contents"))?;
        let list = file(&contents, "Info.plist")?.ok_or_else(|| missing("Info.plist"))?;
        let info = read_info(&contents, &list);
        let info = info.map_err(|reason| Problem::of_file("Info.plist", reason))?;
        info.check_api()
            .map_err(|reason| Problem::of_file("Info.plist", reason))?;
        let server_plugin =
            folder(&contents, "Server Plugin")?.ok_or_else(|| missing("Server Plugin"))?;
        let source = file(&server_plugin, "plugin.py")?;
        let wrong = |reason: String| Problem::of_file("Server Plugin/plugin.py", reason);
        let source = source.ok_or_else(|| {
            wrong("it is missing; expected the file with the class `Plugin`".to_owned())
        })?;
        check_source(&source).map_err(wrong)?;
        Ok(Self {
            root: root.to_owned(),
            packages: folder(&contents, "Packages")?,
            resources: folder(&contents, "Resources")?,
            requirements: file(&server_plugin, "requirements.txt")?,
            definitions: Definitions::load(&contents, &server_plugin)?,
            info,
            contents,
            server_plugin,
        })
    }

    /// Path of `Server Plugin` below [`Bundle::root`], such as `Contents/Server Plugin`.
    #[must_use]
    pub fn server_plugin_path(&self) -> String {
        let inner = self.server_plugin.strip_prefix(&self.root);
        inner
            .unwrap_or(&self.server_plugin)
            .to_string_lossy()
            .into_owned()
    }
}

/// Whether a folder looks like a bundle: by its name, or because it holds `Contents`
/// with an `Info.plist`.
#[must_use]
pub fn is_bundle(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default().to_string_lossy();
    let named = extension.eq_ignore_ascii_case("indigoPlugin");
    path.is_dir() && (named || path.join("Contents").join("Info.plist").is_file())
}

/// All bundles of a folder.
#[derive(Debug, Clone, Default)]
pub struct Bundles {
    /// The usable ones, those of smaller load priority first, then by identifier.
    pub usable: Vec<Bundle>,
    /// The others.
    pub problems: Vec<BundleProblem>,
}

impl Bundles {
    /// Looks through the direct sub-folders of `folder`; no `folder`, no bundles.
    ///
    /// Reads files, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`std::io::Error`] when `folder` cannot be listed.
    pub fn discover(folder: &Path) -> std::io::Result<Self> {
        let mut found = Self::default();
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(found),
            entries => entries?,
        };
        let mut folders = Vec::new();
        for entry in entries.take(ENTRIES) {
            let path = entry?.path();
            if is_bundle(&path) {
                folders.push(path);
            }
        }
        folders.sort();
        for path in folders {
            match Bundle::open(&path) {
                Ok(bundle) => found.add(bundle),
                Err(problem) => found.problems.push(problem),
            }
        }
        // The original's numbers start at 100; without one a plugin comes last.
        found.usable.sort_by_key(|bundle| {
            let priority = bundle.info.load_priority.unwrap_or(i64::MAX);
            (priority, bundle.info.identifier.clone())
        });
        Ok(found)
    }

    /// The bundle of this identifier.
    #[must_use]
    pub fn find(&self, identifier: &str) -> Option<&Bundle> {
        let mut bundles = self.usable.iter();
        bundles.find(|bundle| bundle.info.identifier == identifier)
    }

    /// Identifiers are unique: the first bundle in the order of the folders' names counts.
    fn add(&mut self, bundle: Bundle) {
        let Some(first) = self.find(&bundle.info.identifier) else {
            self.usable.push(bundle);
            return;
        };
        let reason = format!(
            "CFBundleIdentifier `{}` is also that of `{}`; remove one of the two",
            bundle.info.identifier,
            first.root.display()
        );
        self.problems.push(BundleProblem {
            bundle: bundle.root,
            problem: Problem::of_file("Info.plist", reason),
        });
    }
}

fn read_info(contents: &Path, path: &Path) -> Result<Info, String> {
    let name = path.strip_prefix(contents).unwrap_or(path);
    let bytes = RegularFile::open_beneath(contents, name)
        .and_then(|file| file.whole(bounds::INFO_BYTES))
        .map_err(|error| format!("it cannot be read: {error}"))?;
    Info::parse(&bytes)
}

/// Nothing of it is read here; it only is of a size that can be run.
fn check_source(path: &Path) -> Result<(), String> {
    let file = RegularFile::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let (size, most) = (file.size(), bounds::SOURCE_BYTES);
    match u64::try_from(most).is_ok_and(|most| size > most) {
        true => Err(format!("it has {size} bytes; at most {most} are taken")),
        false => Ok(()),
    }
}

fn folder(parent: &Path, name: &str) -> Result<Option<PathBuf>, Problem> {
    entry(parent, name, Path::is_dir)
}

fn file(parent: &Path, name: &str) -> Result<Option<PathBuf>, Problem> {
    entry(parent, name, Path::is_file)
}

/// The entry of this name, in this spelling or else in another case.
fn entry(parent: &Path, name: &str, kind: fn(&Path) -> bool) -> Result<Option<PathBuf>, Problem> {
    let exact = parent.join(name);
    if kind(&exact) {
        return Ok(Some(exact));
    }
    let shown = parent.file_name().unwrap_or_default().to_string_lossy();
    let failed = |error: std::io::Error| {
        Problem::of_file(shown.clone(), format!("it cannot be listed: {error}"))
    };
    let entries = match fs::read_dir(parent) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        entries => entries.map_err(failed)?,
    };
    let mut found = Vec::new();
    for entry in entries.take(ENTRIES) {
        let entry = entry.map_err(failed)?;
        let same = entry
            .file_name()
            .to_string_lossy()
            .eq_ignore_ascii_case(name);
        if same && kind(&entry.path()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found.into_iter().next())
}

#[cfg(test)]
mod tests {
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
}
