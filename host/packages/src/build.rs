//! Wheels from sources, for packages whose only pure form is their source.
//!
//! This runs the package's own build script on the operator's machine, with the
//! operator's rights: nothing here can change that, so it happens only for packages that
//! the operator named with `--build`. There is no compiler in reach of the script,
//! and a wheel with native code in it is refused all the same.

use std::path::{Path, PathBuf};

use super::known::{self, Kind};
use super::resolver::{self, Resolver};
use super::wheel::{self, WheelName};
use super::{PackagesError, normal_name};

/// Dates in archives that are built: the first that the format can hold.
const EPOCH: &str = "315532800";

/// A source that was built.
#[derive(Debug, Clone)]
pub struct Built {
    /// Name as compared.
    pub name: String,
    /// Name of the source file, and its SHA-256.
    pub source: String,
    /// SHA-256 of the source.
    pub sha256: String,
    /// Name of the wheel in the resolver's folder.
    pub wheel: String,
}

/// Fetches the source that `requirement` names and builds a wheel of it into the
/// resolver's folder.
///
/// # Errors
///
/// [`PackagesError::Resolver`] when there is no such source or it cannot be built,
/// [`PackagesError::Refused`] for a wrong hash or a wheel that is not pure.
pub fn build(resolver: &Resolver, name: &str, requirement: &str) -> Result<Built, PackagesError> {
    let folder = resolver.source_folder().join(normal_name(name));
    let output_folder = folder.join("wheel");
    std::fs::create_dir_all(&output_folder)
        .map_err(|error| PackagesError::io("cannot make a temporary folder", error))?;
    let source = fetch(resolver, name, requirement, &folder)?;
    let sha256 = wheel::sha256(&source)
        .map_err(|error| PackagesError::io(format!("cannot read {}", source.display()), error))?;
    let mut command = resolver.pip("wheel", &["--no-deps", "--quiet", "-w"]);
    command.arg(&output_folder).arg(&source);
    resolver.with_sources(&mut command);
    environment(&mut command, name);
    let output = resolver.run(command)?;
    if !output.status.success() {
        return Err(PackagesError::Resolver(format!(
            "{name} cannot be built without native code:\n{}",
            resolver::words(&output)
        )));
    }
    let wheel = keep(&only_file(&output_folder)?, &resolver.wheels())?;
    Ok(Built {
        name: normal_name(name),
        wheel,
        source: file_name(&source),
        sha256,
    })
}

/// Settings under which build scripts leave native code out.
fn environment(command: &mut std::process::Command, name: &str) {
    for (variable, value) in [
        ("CC", "/bin/false"),
        ("CXX", "/bin/false"),
        ("SOURCE_DATE_EPOCH", EPOCH),
    ] {
        command.env(variable, value);
    }
    if let Some(Kind::Build(variables)) = known::package(name).map(|known| known.kind) {
        command.envs(variables.iter().copied());
    }
}

fn fetch(
    resolver: &Resolver,
    name: &str,
    requirement: &str,
    folder: &Path,
) -> Result<PathBuf, PackagesError> {
    let wanted = resolver.lines("build.txt", &[requirement.to_owned()])?;
    let mut command = resolver.pip("download", &["--no-deps", "--quiet", "--no-binary", name]);
    command.arg("-r").arg(wanted).arg("-d").arg(folder);
    resolver.with_sources(&mut command);
    environment(&mut command, name);
    let output = resolver.run(command)?;
    if !output.status.success() {
        return Err(resolver::failed(resolver::words(&output)));
    }
    only_file(folder)
}

fn only_file(folder: &Path) -> Result<PathBuf, PackagesError> {
    let io = |error| PackagesError::io("cannot list a temporary folder", error);
    for entry in std::fs::read_dir(folder).map_err(io)? {
        let entry = entry.map_err(io)?;
        if entry.file_type().map_err(io)?.is_file() {
            return Ok(entry.path());
        }
    }
    Err(PackagesError::Resolver(
        "pip fetched nothing to build".to_owned(),
    ))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// Puts a wheel where pip finds it, under the name that its content deserves: without native code
/// it is for any machine, whatever its build script wrote on it.
fn keep(built: &Path, wheels: &Path) -> Result<String, PackagesError> {
    let file = file_name(built);
    let named = WheelName::parse(&file)
        .ok_or_else(|| PackagesError::refused(&file, "it has not the name of a wheel"))?;
    if let Some(native) = wheel::native_file(built)? {
        return Err(PackagesError::refused(
            &file,
            format!("{native:?} is native code; there is no pure form of this package"),
        ));
    }
    let name = format!(
        "{}-{}-py3-none-any.whl",
        named.name.replace('-', "_"),
        named.version
    );
    std::fs::copy(built, wheels.join(&name))
        .map_err(|error| PackagesError::io(format!("cannot copy {file}"), error))?;
    Ok(name)
}
