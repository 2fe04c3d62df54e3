//! `cordon install`: from requirements, or from the lock file, to a `Packages` folder.
//!
//! The folder is made beside the old one and takes its place at the end, whole or
//! not at all. Instances that run keep the old one until they are restarted.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::lock::{self, Lock, Package};
use super::place::Place;
use super::requirements::{self, Requirement};
use super::resolver::{Chosen, Resolver, Sources};
use super::wheel::{self, Room};
use super::{PYTHON, PackagesError, build, known, normal_name};

/// The operator's request.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// The plugin's folder or bundle.
    pub plugin: PathBuf,
    /// Requirements files; the plugin's own where there is none.
    pub requirements: Vec<PathBuf>,
    /// Packages by name, beside those.
    pub packages: Vec<String>,
    /// Where packages come from.
    pub sources: Sources,
    /// Packages whose source may be built on this machine.
    pub build: Vec<String>,
    /// Chooses versions anew, whatever the lock file says.
    pub update: bool,
    /// Takes the place of a `Packages` folder of another origin.
    pub replace: bool,
}

/// The result of an installation.
#[derive(Debug)]
pub struct Installed {
    /// The folder.
    pub folder: PathBuf,
    /// The packages in it.
    pub lock: Lock,
    /// Whether the lock file was followed.
    pub from_lock: bool,
    /// Sentences for the operator.
    pub notes: Vec<String>,
}

/// Installs.
///
/// # Errors
///
/// [`PackagesError`]; nothing of the plugin was changed then.
pub fn install(request: &Request) -> Result<Installed, PackagesError> {
    let place = Place::of(&request.plugin)?;
    let old = Lock::read(&place.lock())?;
    check_folder(&place, old.is_some() || request.replace)?;
    let old = old.filter(|_| !request.update);
    let wanted = Wanted::collect(request, &place, old.as_ref())?;
    let followed = old.filter(|old| wanted.is_what(old));
    let staging = tempfile::Builder::new()
        .prefix(".packages-")
        .tempdir_in(&place.home)
        .map_err(|error| {
            let what = format!(
                "cannot write to {}, where the packages go",
                place.home.display()
            );
            PackagesError::io(what, error)
        })?;
    let from_lock = followed.is_some();
    let lock = match followed {
        Some(old) => again(request, old, staging.path())?,
        None => anew(request, &wanted, staging.path())?,
    };
    swap(staging, &place, &lock)?;
    Ok(Installed {
        folder: place.packages(),
        lock,
        from_lock,
        notes: wanted.notes,
    })
}

/// A folder that another program made may hold files that nobody can fetch again.
fn check_folder(place: &Place, ours: bool) -> Result<(), PackagesError> {
    let folder = place.packages();
    let there = std::fs::symlink_metadata(&folder);
    if there.as_ref().is_ok_and(|found| !found.is_dir()) {
        return Err(PackagesError::Place(format!(
            "{} is no folder; remove it",
            folder.display()
        )));
    }
    if there.is_ok() && !ours {
        return Err(PackagesError::Place(format!(
            "{} is there already and was not made by `cordon install`; move it away, or add `--replace`",
            folder.display()
        )));
    }
    Ok(())
}

/// The packages to be installed, in the form of the lock file.
struct Wanted {
    requirements: Vec<Requirement>,
    build: Vec<String>,
    provided: BTreeSet<String>,
    notes: Vec<String>,
}

impl Wanted {
    fn collect(
        request: &Request,
        place: &Place,
        old: Option<&Lock>,
    ) -> Result<Self, PackagesError> {
        let named = requirements::parse(&request.packages.join("\n"), "command line")?;
        let mut files = Vec::new();
        if request.requirements.is_empty() {
            if let Some(file) = place.requirements() {
                files.extend(requirements::read(&file)?);
            }
        } else {
            for file in &request.requirements {
                files.extend(requirements::read(file)?);
            }
        }
        // Packages that an earlier command line named stay, unless files are given anew.
        let mut earlier = Vec::new();
        if let Some(old) = old.filter(|_| request.requirements.is_empty()) {
            earlier = requirements::parse(&old.requirements.join("\n"), super::place::LOCK)?;
        }
        let mut all = named;
        for more in [files, earlier] {
            let taken: BTreeSet<_> = all.iter().map(|it| it.name.clone()).collect();
            all.extend(more.into_iter().filter(|it| !taken.contains(&it.name)));
        }
        if all.is_empty() {
            return Err(PackagesError::Place(format!(
                "{} has no requirements.txt; name the packages: `cordon install {0} PACKAGE...`",
                place.root.display()
            )));
        }
        all.sort_by(|a, b| a.text.cmp(&b.text));
        all.dedup();
        let build = request.build.iter().map(|name| normal_name(name));
        let built_before = old.map(|old| old.build.clone()).unwrap_or_default();
        let build: BTreeSet<_> = build.chain(built_before).collect();
        for name in &build {
            requirements::parse(name, "--build")?;
        }
        let mut wanted = Self {
            requirements: all,
            build: build.into_iter().collect(),
            provided: BTreeSet::new(),
            notes: Vec::new(),
        };
        wanted.note_provided();
        Ok(wanted)
    }

    fn note_provided(&mut self) {
        for (name, version) in known::provided() {
            for requirement in self.requirements.iter().filter(|it| it.name == name) {
                self.provided.insert(name.to_owned());
                self.notes.push(format!(
                    "{}: version {version} is part of the runtime",
                    requirement.text
                ));
            }
        }
    }

    fn texts(&self) -> Vec<String> {
        self.requirements.iter().map(|it| it.text.clone()).collect()
    }

    /// The requirements for pip: the runtime's own packages are there already.
    fn asked(&self) -> Vec<String> {
        self.requirements
            .iter()
            .filter(|it| !self.provided.contains(&it.name))
            .map(|it| it.text.clone())
            .collect()
    }

    fn is_what(&self, old: &Lock) -> bool {
        old.python == PYTHON && old.requirements == self.texts() && old.build == self.build
    }
}

/// Chooses versions and installs them.
fn anew(request: &Request, wanted: &Wanted, into: &Path) -> Result<Lock, PackagesError> {
    let asked = wanted.asked();
    let mut lock = Lock {
        version: lock::VERSION,
        python: PYTHON.to_owned(),
        requirements: wanted.texts(),
        build: wanted.build.clone(),
        provided: Vec::new(),
        packages: Vec::new(),
    };
    let mut provided = wanted.provided.clone();
    if !asked.is_empty() {
        let mut resolver = Resolver::find(request.sources.clone())?;
        let mut built = BTreeMap::new();
        for name in &wanted.build {
            let direct = wanted.requirements.iter().find(|it| it.name == *name);
            let text = direct.map_or(name.as_str(), |it| it.text.as_str());
            let done = build::build(&resolver, name, text)?;
            // An index may have a wheel of the same name, which is another file.
            resolver.prefer(&done.name, &done.wheel);
            built.insert(done.name.clone(), done);
        }
        let chosen = resolver.resolve(&asked)?;
        let (ours, theirs): (Vec<_>, Vec<_>) = chosen.into_iter().partition(Chosen::is_provided);
        provided.extend(ours.into_iter().map(|it| normal_name(&it.name)));
        let mut room = Room::default();
        let fetched = resolver.fetch(&hash_lines(&theirs, |it| {
            (!built.contains_key(&normal_name(&it.name))).then_some((
                it.name.as_str(),
                it.version.as_str(),
                it.sha256.as_str(),
            ))
        }))?;
        let mut native = Vec::new();
        for it in theirs {
            let source = built.get(&normal_name(&it.name));
            let folder = if source.is_some() {
                resolver.wheels()
            } else {
                fetched.clone()
            };
            let wheel = checked(&folder.join(&it.file), &it.sha256)?;
            if let Some(file) = wheel::native_file(&wheel)? {
                // All that stand in the way are told at once.
                native.push(format!(
                    "  {}: {file:?} is native code; {}",
                    it.name,
                    known::advice(&it.name)
                ));
                continue;
            }
            let files = wheel::unpack(&wheel, into, &mut room)?;
            lock.packages.push(Package {
                name: it.name,
                version: it.version,
                file: source.map_or(it.file, |built| built.source.clone()),
                sha256: source.map_or(it.sha256, |built| built.sha256.clone()),
                files: digest(&files, source.is_some()),
                built: source.is_some(),
                requires: it.requires,
            });
        }
        if !native.is_empty() {
            return Err(PackagesError::Native(native));
        }
    }
    lock.provided = provided.into_iter().collect();
    Ok(lock)
}

/// Installs exactly the files that the lock file names.
fn again(request: &Request, lock: Lock, into: &Path) -> Result<Lock, PackagesError> {
    if lock.packages.is_empty() {
        return Ok(lock);
    }
    let resolver = Resolver::find(request.sources.clone())?;
    let fetched = resolver.fetch(&hash_lines(&lock.packages, |it| {
        (!it.built).then_some((it.name.as_str(), it.version.as_str(), it.sha256.as_str()))
    }))?;
    let mut room = Room::default();
    for package in &lock.packages {
        let wheel = if package.built {
            built_again(&resolver, package)?
        } else {
            checked(&fetched.join(&package.file), &package.sha256)?
        };
        let files = wheel::unpack(&wheel, into, &mut room)?;
        if digest(&files, package.built) != package.files {
            return Err(PackagesError::refused(
                &package.file,
                "it does not unpack to the files that the lock file records; use `--update` to choose anew",
            ));
        }
    }
    Ok(lock)
}

/// The digest for the lock file. A build writes the version of its tools into the `dist-info`
/// folder, and the tools may have moved on when the source is built again.
fn digest(files: &BTreeMap<String, String>, built: bool) -> String {
    let is_about = |name: &str| {
        name.split('/')
            .next()
            .is_some_and(|it| it.ends_with(".dist-info"))
    };
    let counted = files.iter().filter(|(name, _)| !(built && is_about(name)));
    lock::digest(counted)
}

fn built_again(resolver: &Resolver, package: &Package) -> Result<PathBuf, PackagesError> {
    let exact = exact(&package.name, &package.version, &package.sha256);
    build::build(resolver, &package.name, &exact)?;
    let file = format!(
        "{}-{}-py3-none-any.whl",
        normal_name(&package.name).replace('-', "_"),
        package.version
    );
    Ok(resolver.wheels().join(file))
}

fn exact(name: &str, version: &str, sha256: &str) -> String {
    format!("{name}=={version} --hash=sha256:{sha256}")
}

fn hash_lines<T>(all: &[T], part: impl Fn(&T) -> Option<(&str, &str, &str)>) -> Vec<String> {
    all.iter()
        .filter_map(part)
        .map(|(name, version, sha256)| exact(name, version, sha256))
        .collect()
}

/// The file, if it has this hash.
fn checked(path: &Path, sha256: &str) -> Result<PathBuf, PackagesError> {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let found = wheel::sha256(path)
        .map_err(|error| PackagesError::io(format!("cannot read {name}"), error))?;
    if found.eq_ignore_ascii_case(sha256) {
        return Ok(path.to_owned());
    }
    Err(PackagesError::refused(
        name,
        "it is not the file whose hash was recorded; it was changed or damaged on its way",
    ))
}

/// Puts the new folder in the place of the old one, and the lock file beside it.
fn swap(staging: tempfile::TempDir, place: &Place, lock: &Lock) -> Result<(), PackagesError> {
    let folder = place.packages();
    let io = |error| PackagesError::io(format!("cannot replace {}", folder.display()), error);
    let text = lock.text()?;
    let old = tempfile::Builder::new()
        .prefix(".packages-old-")
        .tempdir_in(&place.home)
        .map_err(io)?;
    // Readable for a hub that runs as somebody else, unlike a temporary folder.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(staging.path(), mode).map_err(io)?;
    if folder.exists() {
        std::fs::rename(&folder, old.path().join("Packages")).map_err(io)?;
    }
    std::fs::rename(staging.path(), &folder).map_err(io)?;
    // The folder has moved to its place: there is nothing left to remove.
    let _ = staging.keep();
    let mut file = tempfile::NamedTempFile::new_in(&place.home).map_err(io)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(io)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o644);
    std::fs::set_permissions(file.path(), mode).map_err(io)?;
    file.persist(place.lock())
        .map_err(|error| io(error.error))?;
    Ok(())
}
