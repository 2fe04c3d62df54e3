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
//! Names are looked up without regard to case, because the original's file system ignores it. The
//! Python code is not looked at.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::{Mode, OFlags, ResolveFlags};

use super::definition::{Definitions, Problem};
use super::info::Info;
use super::names;
use cordon_base::bounds::{self, ENTRIES};
use cordon_base::regular_file::RegularFile;

/// A plugin's bundle with its definitions and facts.
#[derive(Debug, Clone, PartialEq)]
pub struct Bundle {
    /// The folder that holds `Contents`. The plugin's component sees it as `/plugin`.
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
    /// The reason, with the file and the line.
    pub problem: Problem,
}

impl Bundle {
    /// Reads the bundle in the folder `root`: `Info.plist` and all XML files.
    ///
    /// Reads files, so call it where blocking is allowed.
    ///
    /// # Errors
    /// [`BundleProblem`] with the file, the line and a sentence about the form that was expected;
    /// also when the plugin needs a newer API than [`info::SERVER_API`].
    pub fn open(root: &Path) -> Result<Self, BundleProblem> {
        Self::read(root).map_err(|problem| BundleProblem {
            bundle: root.to_owned(),
            problem,
        })
    }

    /// Reads a bundle as [`Bundle::open`] does, on a thread of its own. The caller waits a few
    /// seconds at most, because a file system may not answer.
    ///
    /// # Errors
    /// As [`Bundle::open`], and when the bundle was not read in time.
    pub async fn open_in_time(root: &Path) -> Result<Self, BundleProblem> {
        let problem = |reason: String| BundleProblem {
            bundle: root.to_owned(),
            problem: Problem::of_file("Contents", reason),
        };
        let (sender, opened) = tokio::sync::oneshot::channel();
        let path = root.to_owned();
        // Not a thread of the runtime, which would wait for the thread when it ends.
        std::thread::Builder::new()
            .name("bundle".to_owned())
            .spawn(move || {
                // When the time is over, nobody waits for the result any more.
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
        let mut faults = Vec::new();
        let mut folder = |parent: &Path, name: &str| folder(root, parent, name, &mut faults);
        let contents = folder(root, "Contents")?.ok_or_else(|| missing("Contents"))?;
        let server_plugin = folder(&contents, "Server Plugin")?;
        let packages = folder(&contents, "Packages")?;
        let resources = folder(&contents, "Resources")?;
        let mut file = |parent: &Path, name: &str| entry(parent, name, Path::is_file, &mut faults);
        let list = file(&contents, "Info.plist")?.ok_or_else(|| missing("Info.plist"))?;
        let info = read_info(&contents, &list);
        let info = info.map_err(|reason| Problem::of_file("Info.plist", reason))?;
        info.check_api()
            .map_err(|reason| Problem::of_file("Info.plist", reason))?;
        let server_plugin = server_plugin.ok_or_else(|| missing("Server Plugin"))?;
        let source = file(&server_plugin, "plugin.py")?;
        let wrong = |reason: String| Problem::of_file("Server Plugin/plugin.py", reason);
        let source = source.ok_or_else(|| {
            wrong("it is missing; expected the file with the class `Plugin`".to_owned())
        })?;
        check_source(&source).map_err(wrong)?;
        let requirements = file(&server_plugin, "requirements.txt")?;
        let mut definitions = Definitions::load(&contents, &server_plugin)?;
        definitions.faults.append(&mut faults);
        Ok(Self {
            root: root.to_owned(),
            packages,
            resources,
            requirements,
            definitions,
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
    let list = || names::below(path, Path::new("Contents/Info.plist"));
    path.is_dir() && (named || matches!(list(), Ok(Some(found)) if found.path.is_file()))
}

/// All bundles of a folder.
#[derive(Debug, Clone, Default)]
pub struct Bundles {
    /// The usable ones, those of smaller load priority first, then by identifier.
    pub usable: Vec<Bundle>,
    /// The bundles that cannot be used.
    pub problems: Vec<BundleProblem>,
}

impl Bundles {
    /// Looks through the direct sub-folders of `folder`; a `folder` that does not exist has no
    /// bundles.
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

/// Checks the size of a source file. Its text is not read here.
fn check_source(path: &Path) -> Result<(), String> {
    let file = RegularFile::open(path).map_err(|error| format!("it cannot be read: {error}"))?;
    let (size, most) = (file.size(), bounds::SOURCE_BYTES);
    match u64::try_from(most).is_ok_and(|most| size > most) {
        true => Err(format!("it has {size} bytes; at most {most} are taken")),
        false => Ok(()),
    }
}

/// A folder of the bundle `root`. One that is a link to somewhere else would be shown to
/// clients of the hub, and its files read as the plugin's.
fn folder(
    root: &Path,
    parent: &Path,
    name: &str,
    faults: &mut Vec<Problem>,
) -> Result<Option<PathBuf>, Problem> {
    let found = entry(parent, name, Path::is_dir, faults)?;
    if let Some(path) = &found
        && !lies_beneath(root, path)
    {
        let reason = "it is a link that leads out of the bundle; put the folder itself there";
        return Err(Problem::of_file(name, reason.to_owned()));
    }
    Ok(found)
}

/// Whether no link on the way from `root` to a folder leads out of it.
fn lies_beneath(root: &Path, folder: &Path) -> bool {
    let flags = OFlags::DIRECTORY | OFlags::PATH | OFlags::CLOEXEC;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    let Ok(way) = folder.strip_prefix(root) else {
        return false;
    };
    let root = rustix::fs::open(root, flags, Mode::empty());
    root.is_ok_and(|root| rustix::fs::openat2(root, way, flags, Mode::empty(), resolve).is_ok())
}

/// The entry of this name, in this spelling or else in another case. Others that differ from it in
/// case alone are told.
fn entry(
    parent: &Path,
    name: &str,
    kind: fn(&Path) -> bool,
    faults: &mut Vec<Problem>,
) -> Result<Option<PathBuf>, Problem> {
    let shown = parent.file_name().unwrap_or_default().to_string_lossy();
    let found = names::entry(parent, name, kind)
        .map_err(|error| Problem::of_file(shown, format!("it cannot be listed: {error}")))?;
    let Some(found) = found else {
        return Ok(None);
    };
    faults.extend(Problem::of_twins(name, &found.twins));
    Ok(Some(found.path))
}

#[cfg(test)]
mod tests;
