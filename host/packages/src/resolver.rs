//! pip, as the operator has it: it chooses versions and fetches files.
//!
//! pip runs in an empty folder of ours with requirements in files of ours, so that nothing of a
//! plugin can become an option or a module of pip. Its own configuration (index, proxy,
//! certificates) is the operator's and stays in force. Only wheels for any machine are asked for,
//! which pip unpacks no further than their metadata and never runs.

mod diagnosis;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde::Deserialize;

use super::wheel::{self, WheelName};
use super::{PYTHON, PackagesError, normal_name, provided};

/// The oldest pip that writes reports.
const OLDEST: (u32, u32) = (22, 2);

/// Where packages come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// Folders with wheels.
    pub find_links: Vec<PathBuf>,
    /// Whether no index is asked.
    pub offline: bool,
}

/// pip and a scratch folder for it.
pub struct Resolver {
    command: Vec<String>,
    sources: Sources,
    scratch: tempfile::TempDir,
    constraints: Vec<String>,
}

/// A package that pip chose.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Name on the index.
    pub name: String,
    /// Version.
    pub version: String,
    /// Name of the wheel.
    pub file: String,
    /// SHA-256 of it.
    pub sha256: String,
    /// The packages that it requires itself.
    pub requires: Vec<String>,
}

impl Chosen {
    /// Whether the runtime has it.
    #[must_use]
    pub fn is_provided(&self) -> bool {
        self.version.ends_with(provided::MARK)
    }
}

/// pip's report, as far as it is read (format 1 of its documentation).
#[derive(Deserialize)]
struct Report {
    install: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    download_info: DownloadInfo,
    metadata: Metadata,
}

#[derive(Deserialize)]
struct DownloadInfo {
    url: String,
    #[serde(default)]
    archive_info: ArchiveInfo,
}

#[derive(Default, Deserialize)]
struct ArchiveInfo {
    #[serde(default)]
    hashes: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Metadata {
    name: String,
    version: String,
    #[serde(default)]
    requires_dist: Vec<String>,
}

impl Resolver {
    /// Looks for pip, then for uv, which can run it.
    ///
    /// # Errors
    ///
    /// [`PackagesError::NoResolver`] with the command that installs one.
    pub fn find(sources: Sources) -> Result<Self, PackagesError> {
        let scratch = tempfile::tempdir()
            .map_err(|error| PackagesError::io("cannot make a temporary folder", error))?;
        for folder in ["cwd", "wheels", "fetched", "sources"] {
            std::fs::create_dir(scratch.path().join(folder))
                .map_err(|error| PackagesError::io("cannot make a temporary folder", error))?;
        }
        let constraints = provided::write(&scratch.path().join("wheels"))?;
        let mut resolver = Self {
            command: Vec::new(),
            sources: absolute(sources)?,
            scratch,
            constraints,
        };
        let mut seen = Vec::new();
        for command in [
            ["python3", "-m", "pip"].as_slice(),
            &["uv", "tool", "run", "pip"],
        ] {
            resolver.command = command.iter().map(|&word| word.to_owned()).collect();
            match resolver.version() {
                Some(version) if version >= OLDEST => return Ok(resolver),
                Some((major, minor)) => {
                    seen.push(format!("{} is {major}.{minor}", command.join(" ")))
                }
                None => {}
            }
        }
        let found = if seen.is_empty() {
            "neither `python3 -m pip` nor `uv` can be run".to_owned()
        } else {
            format!("pip 22.2 or newer is needed, and {}", seen.join(", "))
        };
        Err(PackagesError::NoResolver(format!(
            "{found}; packages are chosen by pip: install it with `apt install python3-pip` or `python3 -m ensurepip --upgrade`"
        )))
    }

    /// Where stand-ins and wheels that were built lie.
    #[must_use]
    pub fn wheels(&self) -> PathBuf {
        self.scratch.path().join("wheels")
    }

    /// A folder for sources.
    #[must_use]
    pub fn source_folder(&self) -> PathBuf {
        self.scratch.path().join("sources")
    }

    /// Makes pip choose a wheel that was built here, and none of the same package elsewhere.
    pub fn prefer(&mut self, name: &str, wheel: &str) {
        let path = self.wheels().join(wheel);
        self.constraints
            .push(format!("{name} @ {}", file_address(&path)));
    }

    fn version(&self) -> Option<(u32, u32)> {
        let output = self.run(self.pip("--version", &[])).ok()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let mut words = text.split_whitespace();
        let version = words
            .find(|word| *word == "pip")
            .and_then(|_| words.next())?;
        let mut parts = version.split('.').map_while(|part| part.parse().ok());
        output.status.success().then_some(())?;
        Some((parts.next()?, parts.next().unwrap_or(0)))
    }

    /// A call of pip with these arguments and no input.
    #[must_use]
    pub fn pip(&self, verb: &str, arguments: &[&str]) -> Command {
        let mut words = self.command.iter();
        let mut command = Command::new(words.next().map_or("pip", String::as_str));
        command
            .args(words)
            .arg(verb)
            .args(arguments)
            .current_dir(self.scratch.path().join("cwd"))
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .stdin(std::process::Stdio::null());
        command
    }

    /// Tells a call where packages come from.
    pub fn with_sources(&self, command: &mut Command) {
        if self.sources.offline {
            command.arg("--no-index");
        }
        for folder in self.sources.find_links.iter().chain([&self.wheels()]) {
            command.arg("--find-links").arg(folder);
        }
    }

    /// Runs a call.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Io`] when it cannot be started.
    pub fn run(&self, mut command: Command) -> Result<Output, PackagesError> {
        tracing::debug!(?command, "running");
        command
            .output()
            .map_err(|error| PackagesError::io("cannot run pip", error))
    }

    /// Writes lines into a file for pip.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Io`] when it cannot be written.
    pub fn lines(&self, name: &str, lines: &[String]) -> Result<PathBuf, PackagesError> {
        let path = self.scratch.path().join(name);
        std::fs::write(&path, lines.join("\n") + "\n")
            .map_err(|error| PackagesError::io("cannot write requirements for pip", error))?;
        Ok(path)
    }

    /// Chooses versions of pure-Python wheels for these requirements.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Native`] with every package that has none and its remedy,
    /// [`PackagesError::Resolver`] with pip's words for anything else.
    pub fn resolve(&self, requirements: &[String]) -> Result<Vec<Chosen>, PackagesError> {
        match self.report(requirements, true, true)? {
            Ok(report) => self.chosen(report),
            Err(words) => Err(self.diagnose(requirements, words)?),
        }
    }

    /// One dry run of pip; its report or its words.
    fn report(
        &self,
        requirements: &[String],
        pure: bool,
        dependencies: bool,
    ) -> Result<Result<Report, String>, PackagesError> {
        let wanted = self.lines("requirements.txt", requirements)?;
        let constraints = self.lines("constraints.txt", &self.constraints)?;
        let report = self.scratch.path().join("report.json");
        // Not quietly: the packages that disagree stand among the words that would be left out.
        let mut command = self.pip("install", &["--dry-run", "--ignore-installed"]);
        command.arg("--report").arg(&report).arg("-r").arg(wanted);
        command.arg("-c").arg(constraints);
        command
            .arg("--target")
            .arg(self.scratch.path().join("target"));
        if pure {
            command.args(PURE);
        } else {
            command.arg("--only-binary=:all:");
        }
        if !dependencies {
            command.arg("--no-deps");
        }
        self.with_sources(&mut command);
        let output = self.run(command)?;
        if !output.status.success() {
            return Ok(Err(words(&output) + &diagnosis::conflict(&output)));
        }
        let read = std::fs::read(&report)
            .map_err(|error| PackagesError::io("cannot read pip's report", error))?;
        let report = serde_json::from_slice(&read).map_err(|error| {
            PackagesError::Resolver(format!("its report is not understood: {error}"))
        })?;
        Ok(Ok(report))
    }

    fn chosen(&self, report: Report) -> Result<Vec<Chosen>, PackagesError> {
        let mut all = Vec::new();
        for item in report.install {
            let file = file_of(&item.download_info.url);
            let sha256 = match item.download_info.archive_info.hashes.get("sha256") {
                Some(hash) => hash.clone(),
                // pip does not hash files that lie in a folder.
                None => self.hash_of_local(&file)?,
            };
            let Metadata {
                name,
                version,
                requires_dist,
            } = item.metadata;
            if !WheelName::parse(&file).is_some_and(|wheel| wheel.pure) {
                return Err(PackagesError::refused(file, "it is no pure-Python wheel"));
            }
            all.push(Chosen {
                name,
                version,
                file,
                sha256,
                requires: requires_dist,
            });
        }
        all.sort_by_key(|chosen| normal_name(&chosen.name));
        Ok(all)
    }

    fn hash_of_local(&self, file: &str) -> Result<String, PackagesError> {
        let folders = self
            .sources
            .find_links
            .iter()
            .cloned()
            .chain([self.wheels()]);
        let path = folders
            .map(|folder| folder.join(file))
            .find(|path| path.is_file())
            .ok_or_else(|| PackagesError::refused(file, "pip's report names no hash for it"))?;
        wheel::sha256(&path)
            .map_err(|error| PackagesError::io(format!("cannot read {file}"), error))
    }

    /// Fetches wheels with these hashes; returns the folder that they lie in.
    ///
    /// # Errors
    ///
    /// [`PackagesError::Refused`] when a wheel has another hash, [`PackagesError::Resolver`] when
    /// one is not to be had.
    pub fn fetch(&self, lines: &[String]) -> Result<PathBuf, PackagesError> {
        let folder = self.scratch.path().join("fetched");
        if lines.is_empty() {
            return Ok(folder);
        }
        let wanted = self.lines("fetch.txt", lines)?;
        let mut command = self.pip("download", &["--no-deps", "--require-hashes", "--quiet"]);
        command
            .args(PURE)
            .arg("-r")
            .arg(wanted)
            .arg("-d")
            .arg(&folder);
        self.with_sources(&mut command);
        let output = self.run(command)?;
        if output.status.success() {
            return Ok(folder);
        }
        Err(failed(words(&output)))
    }
}

/// Wheels for any machine and the guest's Python.
const PURE: [&str; 9] = [
    "--only-binary=:all:",
    "--platform",
    "any",
    "--python-version",
    PYTHON,
    "--implementation",
    "py",
    "--abi",
    "none",
];

/// pip runs elsewhere, so a folder is named from the root.
fn absolute(mut sources: Sources) -> Result<Sources, PackagesError> {
    for folder in &mut sources.find_links {
        *folder = folder.canonicalize().map_err(|error| {
            PackagesError::io(format!("cannot open {}", folder.display()), error)
        })?;
    }
    Ok(sources)
}

/// pip's words about its failure.
#[must_use]
pub fn words(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = lines.len().saturating_sub(20);
    lines.get(last..).unwrap_or_default().join("\n")
}

/// The address of a file, for pip.
fn file_address(path: &Path) -> String {
    let mut address = "file://".to_owned();
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte) {
            address.push(char::from(byte));
        } else {
            address.push_str(&format!("%{byte:02X}"));
        }
    }
    address
}

/// Tells a wrong hash from everything else.
#[must_use]
pub fn failed(words: String) -> PackagesError {
    if words.contains("DO NOT MATCH THE HASHES") {
        let file = words
            .lines()
            .find_map(|line| line.trim().strip_suffix(':')?.split(" from ").next())
            .unwrap_or("a file")
            .trim();
        return PackagesError::refused(
            file,
            "it is not the file whose hash was recorded; it was changed or damaged on its way",
        );
    }
    PackagesError::Resolver(words)
}

/// The file that an address names.
fn file_of(url: &str) -> String {
    let plain = url.split(['?', '#']).next().unwrap_or_default();
    let last = plain.rsplit('/').next().unwrap_or_default();
    // Only characters of versions are ever escaped here.
    last.replace("%2B", "+")
        .replace("%2b", "+")
        .replace("%21", "!")
}

#[cfg(test)]
mod tests;
