//! `cordon doctor`: the things of this machine that keep a hub from working.
//!
//! Every finding names the command that mends it. Nothing is changed.

use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use clap::Args;
use sha2::{Digest, Sha256};

use crate::config::Config;
use crate::hub;
use cordon_base::error::EngineError;
use cordon_base::hex::hex;
use cordon_base::private;
use cordon_base::system;
use cordon_runtime::engine::EngineOptions;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::pool::stacks;

/// Free room below which a hub may soon not be able to write: log, history and data of plugins.
const LITTLE_ROOM: u64 = 512 << 20;

/// Rights of the group and of everybody.
const OTHERS: u32 = 0o077;

/// Rights of the group and of everybody to write.
const OTHERS_WRITE: u32 = 0o022;

/// Arguments of `cordon doctor`.
///
/// Exit code: 0 when a hub can work here, 1 when something keeps it from working.
#[derive(Args)]
pub struct Doctor {
    /// The configuration file of the hub; its defaults when there is none.
    #[arg(long, default_value = "cordon.toml")]
    config: PathBuf,
}

/// The result of one examination.
#[derive(Debug, PartialEq, Eq)]
enum Finding {
    /// All is well.
    Good(String),
    /// The hub works, but there is something to know.
    Note(String),
    /// The hub does not work.
    Bad(String),
}

use Finding::{Bad, Good, Note};

impl Doctor {
    /// Examines and prints.
    ///
    /// # Errors
    /// None; the type is that of the other verbs.
    pub fn act(self) -> Result<ExitCode, EngineError> {
        let findings = self.examine();
        for finding in &findings {
            match finding {
                Good(text) => println!("good: {text}"),
                Note(text) => println!("note: {text}"),
                Bad(text) => println!("BAD:  {text}"),
            }
        }
        let bad = findings.iter().filter(|it| matches!(it, Bad(_))).count();
        match bad {
            0 => println!("a hub can work here"),
            count => println!("{count} to mend"),
        }
        Ok(ExitCode::from(u8::from(bad > 0)))
    }

    fn examine(&self) -> Vec<Finding> {
        let mut findings = vec![guest(Artifact::locate())];
        let (config, finding) = configuration(&self.config);
        findings.push(finding);
        findings.push(limits(&config));
        findings.push(data_folder(&config.hub.data));
        findings.push(plugins_folder(&config.hub.plugins));
        let running = is_running(&config.hub.data);
        findings.push(port("listen", "[hub]", config.hub.listen, running));
        if let Some(pages) = config.web.pages {
            findings.push(port("pages", "[web]", pages, running));
        }
        findings.push(disk(&config.hub.data, LITTLE_ROOM));
        let program = std::env::current_exe().and_then(|path| path.metadata()?.modified());
        findings.push(clock(SystemTime::now(), program.ok()));
        findings
    }
}

fn guest(artifact: Result<Artifact, EngineError>) -> Finding {
    let artifact = match artifact {
        Ok(artifact) => artifact,
        Err(error) => return Bad(error.to_string()),
    };
    let path = artifact.path();
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => {
            let path = path.display();
            return Bad(format!(
                "cannot read the guest {path}: {error}; run `make build`"
            ));
        }
    };
    // As the compiled form is called: see `Artifact`.
    let digest = hex(&Sha256::digest(&bytes));
    let begin = format!("guest-{}-", digest.get(..16).unwrap_or_default());
    let folder = private::parent(path);
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    if !names.any(|name| name.starts_with(&begin) && name.ends_with(".cwasm")) {
        return Note(format!(
            "the guest {} is not compiled for this machine; the first start does it in a minute or \
             two, or `cordon guest precompile` now",
            path.display()
        ));
    }
    match private::folder_trusted(folder) {
        Ok(()) => Good(format!("the guest {} is compiled", path.display())),
        Err(reason) => Bad(format!(
            "others could have written the compiled guest, so it is compiled at every start: {reason}"
        )),
    }
}

/// The configuration, or that of a hub without one.
fn configuration(path: &Path) -> (Config, Finding) {
    if !path.exists() {
        let text = format!("there is no {}; `cordon init` writes one", path.display());
        return (Config::default(), Note(text));
    }
    match Config::load(path) {
        Ok(config) => {
            let finding = match config.warnings.first() {
                Some(warning) => Note(warning.clone()),
                None => Good(format!("{} can be read", path.display())),
            };
            (config, finding)
        }
        Err(error) => {
            let text = format!(
                "{error}; `cordon check --config {}` tells all",
                path.display()
            );
            (Config::default(), Bad(text))
        }
    }
}

fn limits(config: &Config) -> Finding {
    let options = EngineOptions {
        instances: config.hub.instances,
        ..EngineOptions::default()
    };
    system::raise_file_limit(u64::from(options.instances));
    let wanted = config.hardware.len().saturating_add(config.indigo.len());
    let wanted = u64::try_from(wanted).unwrap_or(u64::MAX);
    match system::room_for(wanted, stacks(options.instances)) {
        Ok(()) => Good("files and memory mappings are enough for all instances".to_owned()),
        Err(error) => Bad(error.to_string()),
    }
}

fn data_folder(data: &Path) -> Finding {
    let shown = data.display();
    let facts = match std::fs::metadata(data) {
        Ok(facts) if facts.is_dir() => facts,
        Ok(_) => {
            return Bad(format!(
                "{shown} is no folder; name another as `data` under [hub]"
            ));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return new_folder(data),
        Err(error) => return Bad(format!("cannot look at {shown}: {error}")),
    };
    let own = rustix::process::geteuid().as_raw();
    if facts.uid() != own {
        return Bad(format!(
            "{shown} is another account's (number {}); `sudo -u '#{0}' cordon doctor` looks as that \
             one, `chown -R {own} {shown}` gives it to this one",
            facts.uid()
        ));
    }
    if facts.mode() & OTHERS != 0 {
        return Note(format!(
            "others can read {shown} until the hub starts; `chmod 700 {shown}`"
        ));
    }
    Good(format!("{shown} is private"))
}

/// The data folder before the first start, which makes it.
fn new_folder(data: &Path) -> Finding {
    let above = data.ancestors().skip(1).find(|it| it.is_dir());
    let above = above.unwrap_or(Path::new("."));
    match rustix::fs::access(above, rustix::fs::Access::WRITE_OK) {
        Ok(()) => Good(format!(
            "{} will be made at the first start",
            data.display()
        )),
        Err(_) => Bad(format!(
            "{} is not there and cannot be made; `sudo install -d -m 700 -o \"$USER\" {0}`",
            data.display()
        )),
    }
}

fn plugins_folder(plugins: &Path) -> Finding {
    let shown = plugins.display();
    let entries = match std::fs::read_dir(plugins) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Note(format!(
                "there is no plugins folder {shown}; `mkdir {shown}`"
            ));
        }
        Err(error) => {
            return Bad(format!(
                "cannot read {shown}: {error}; `chmod u+rx {shown}`"
            ));
        }
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && std::fs::read_dir(&path).is_err() {
            return Bad(format!(
                "cannot read {0}; `chmod -R u+rX {0}`",
                path.display()
            ));
        }
    }
    let mode = std::fs::metadata(plugins).map_or(0, |facts| facts.mode());
    if mode & OTHERS_WRITE != 0 {
        return Note(format!(
            "others can put plugins into {shown}; `chmod go-w {shown}`"
        ));
    }
    Good(format!("{shown} can be read"))
}

/// Whether a hub uses the data folder.
fn is_running(data: &Path) -> bool {
    data.join("cordon.lock").exists() && hub::lock(data).is_err()
}

fn port(key: &str, section: &str, address: SocketAddr, running: bool) -> Finding {
    match TcpListener::bind(address) {
        Ok(_) => Good(format!("nobody listens on {address}")),
        Err(_) if running => Good(format!("the hub that runs listens on {address}")),
        Err(error) => {
            let port = address.port();
            let remedy = match error.kind() {
                std::io::ErrorKind::PermissionDenied => {
                    "`sudo sysctl net.ipv4.ip_unprivileged_port_start=80` allows it".to_owned()
                }
                std::io::ErrorKind::AddrInUse => format!("`ss -ltnp sport = :{port}` shows who"),
                _ => "`ip addr` shows the addresses of this machine".to_owned(),
            };
            Bad(format!(
                "cannot listen on {address}: {error}; {remedy}, or change `{key}` under {section}"
            ))
        }
    }
}

fn disk(data: &Path, little: u64) -> Finding {
    let there = data.ancestors().find(|it| it.is_dir());
    let there = there.unwrap_or(Path::new("."));
    let shown = there.display();
    match rustix::fs::statvfs(there) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let mebibytes = free >> 20;
            match free < little {
                true => Bad(format!(
                    "only {mebibytes} MiB are free in {shown}; `du -xh --max-depth=2 / | sort -h` \
                     shows what takes the room"
                )),
                false => Good(format!("{mebibytes} MiB are free in {shown}")),
            }
        }
        Err(error) => Note(format!("cannot see the free room in {shown}: {error}")),
    }
}

/// A clock that stands before the time when this program was put here is wrong.
fn clock(now: SystemTime, program: Option<SystemTime>) -> Finding {
    match program {
        Some(made) if now < made => Bad(
            "the clock is slow: this program is newer; `sudo timedatectl set-ntp true`".to_owned(),
        ),
        _ => Good("the clock goes".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;

    fn bad(finding: Finding) -> String {
        match finding {
            Bad(text) => text,
            other => panic!("{other:?}"),
        }
    }

    fn note(finding: Finding) -> String {
        match finding {
            Note(text) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_guest_that_is_missing_or_not_compiled_is_told() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("guest.wasm");
        assert!(bad(guest(Ok(Artifact::at(&path)))).contains("make build"));
        assert!(bad(guest(Err(EngineError::Artifact("gone".into())))).contains("gone"));
        std::fs::write(&path, "guest").unwrap();
        std::fs::write(scratch.path().join("guest-0000000000000000-x.cwasm"), "").unwrap();
        let told = note(guest(Ok(Artifact::at(&path))));
        assert!(told.contains("cordon guest precompile"), "{told}");
        let digest = hex(&Sha256::digest("guest"));
        let name = format!("guest-{}-metered-0.cwasm", &digest[..16]);
        std::fs::write(scratch.path().join(name), "").unwrap();
        assert!(matches!(guest(Ok(Artifact::at(&path))), Good(_)));
        let open = std::fs::Permissions::from_mode(0o777);
        std::fs::set_permissions(scratch.path(), open).unwrap();
        assert!(bad(guest(Ok(Artifact::at(&path)))).contains("others can write"));
    }

    #[test]
    fn a_configuration_that_is_wrong_names_the_verb_that_tells_all() {
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("cordon.toml");
        assert!(note(configuration(&path).1).contains("cordon init"));
        std::fs::write(&path, "[hub]\nprot = 1\n").unwrap();
        assert!(bad(configuration(&path).1).contains("cordon check --config"));
    }

    #[test]
    fn instances_that_the_system_has_no_room_for_are_told() {
        let mut config = Config::default();
        assert!(matches!(limits(&config), Good(_) | Bad(_)));
        let mappings = std::fs::read_to_string("/proc/sys/vm/max_map_count").unwrap();
        let most: usize = mappings.trim().parse().unwrap();
        let section: Config = toml::from_str("[[indigo]]\nbundle = 'A'").unwrap();
        let sections = section.indigo.into_iter().cycle();
        config.indigo = sections.take(most / 4 + 1).collect();
        assert!(bad(limits(&config)).contains("the system allows"));
    }

    #[test]
    fn folders_that_others_can_use_are_told_with_the_command() {
        let scratch = tempfile::tempdir().unwrap();
        let chmod = |mode| {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(scratch.path(), mode).unwrap();
        };
        chmod(0o755);
        assert!(note(data_folder(scratch.path())).contains("chmod 700"));
        assert!(matches!(plugins_folder(scratch.path()), Good(_)));
        chmod(0o777);
        assert!(note(plugins_folder(scratch.path())).contains("chmod go-w"));
        chmod(0o700);
        assert!(matches!(data_folder(scratch.path()), Good(_)));
        let missing = scratch.path().join("none");
        assert!(matches!(data_folder(&missing), Good(_)));
        assert!(note(plugins_folder(&missing)).contains("mkdir"));
        let file = scratch.path().join("file");
        std::fs::write(&file, "").unwrap();
        assert!(bad(data_folder(&file)).contains("is no folder"));
        if rustix::process::geteuid().is_root() {
            std::os::unix::fs::chown(scratch.path(), Some(12345), None).unwrap();
            assert!(bad(data_folder(scratch.path())).contains("chown"));
        }
    }

    #[test]
    fn a_port_that_is_taken_is_bad_unless_the_hub_has_it() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let told = bad(port("listen", "[hub]", address, false));
        assert!(
            told.contains("ss -ltnp") && told.contains("`listen` under [hub]"),
            "{told}"
        );
        assert!(matches!(port("listen", "[hub]", address, true), Good(_)));
        drop(listener);
        assert!(matches!(port("listen", "[hub]", address, false), Good(_)));
        let elsewhere = SocketAddr::from(([192, 0, 2, 1], 80));
        assert!(bad(port("listen", "[hub]", elsewhere, false)).contains("ip addr"));
    }

    #[test]
    fn a_hub_that_runs_is_known_by_its_lock() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(!is_running(scratch.path()));
        let lock = hub::lock(scratch.path()).unwrap();
        assert!(is_running(scratch.path()));
        drop(lock);
        assert!(!is_running(scratch.path()));
    }

    #[test]
    fn a_full_disk_and_a_slow_clock_are_told() {
        let scratch = tempfile::tempdir().unwrap();
        assert!(bad(disk(scratch.path(), u64::MAX)).contains("du -xh"));
        assert!(matches!(disk(&scratch.path().join("none"), 0), Good(_)));
        let now = SystemTime::now();
        let later = now + Duration::from_secs(60);
        assert!(bad(clock(now, Some(later))).contains("timedatectl"));
        assert!(matches!(clock(later, Some(now)), Good(_)));
        assert!(matches!(clock(now, None), Good(_)));
    }
}
