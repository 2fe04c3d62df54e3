//! `import requests` from a plugin's `Packages`: the first time, which compiles, and
//! the second, which finds the compiled code of the first.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cordon_packages::Request;
use cordon_packages::lock::Lock;
use cordon_runtime::engine::Engine;

use crate::Outcome;
use crate::native::{self, Process};
use crate::report::Report;
use crate::rig::{Rig, UNLIMITED, command, deliver, program};
use crate::rustpython::tools;
use crate::twins::{Pair, text};

const SECTION: &str = "imports";
const ROUNDS: usize = 5;
const PATIENCE: Duration = Duration::from_secs(120);

/// The release that the figures are for, and the name under which it is imported.
const PACKAGE: &str = "requests==2.32.5";
const MODULE: &str = "requests";

/// Measures both, a new hub and a new copy of the packages in each round; leaves out
/// modules that cannot be installed.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let installed = match tokio::task::spawn_blocking(install).await? {
        Ok(folder) => folder,
        Err(error) => {
            report.note(SECTION, format!("not measured: {PACKAGE}: {error}"));
            return Ok(());
        }
    };
    let modules = native::preloaded()?.join(",");
    let (mut first, mut second) = (Pair::default(), Pair::default());
    for round in 0..=ROUNDS {
        let mut place = Place::new(engine, &installed)?;
        for pair in [&mut first, &mut second] {
            let ours = place.instance().await?;
            let theirs = place.process(&modules)?;
            // The first round warms the system's caches of files.
            if round > 0 {
                pair.ours.push(ours);
                pair.theirs.push(theirs);
            }
        }
    }
    first.report(report, SECTION, "first import, which compiles", "ms");
    second.report(report, SECTION, "second, with compiled code", "ms");
    report.note(SECTION, versions(&installed)?);
    Ok(())
}

/// The packages, twice: each side keeps its compiled code in a place of its own.
struct Place {
    rig: Rig,
    plugin: cordon_domoticz::definition::PluginDefinition,
    native: PathBuf,
}

impl Place {
    fn new(engine: &Engine, installed: &Path) -> Outcome<Self> {
        let rig = Rig::new(engine, SECTION)?;
        let source = std::fs::read_to_string(program("import_plugin.py"))?;
        let plugin = rig.plugin("Importing", &source, &[])?;
        let native = rig.plugin("ImportingNative", &source, &[])?.folder;
        for folder in [&plugin.folder, &native] {
            copy(&installed.join("Packages"), folder)?;
        }
        Ok(Self {
            rig,
            plugin,
            native: native.join("Packages"),
        })
    }

    /// Milliseconds in a new instance, as it takes them itself.
    async fn instance(&mut self) -> Outcome<f64> {
        let remote = self.rig.start(&self.plugin, "Importing", UNLIMITED).await?;
        deliver(&remote, command(MODULE)).await?;
        let answer = self.rig.answer("IMPORTED ", PATIENCE).await?;
        self.rig.hub.stop_instances().await;
        Ok(answer.parse()?)
    }

    /// The same in a new process that has imported the modules that an instance has from the start.
    fn process(&self, modules: &str) -> Outcome<f64> {
        let script = program("native_import.py");
        let arguments = [text(&script)?, modules, text(&self.native)?, MODULE];
        let mut process = Process::start(&native::python()?, &arguments)?;
        Ok(process.line()?.parse()?)
    }
}

/// A plugin folder in the cache with the package, put there by the hub's own installer.
fn install() -> Outcome<PathBuf> {
    let folder = tools()?.join(format!("bench-{}", PACKAGE.replace("==", "-")));
    if folder.join("Packages").is_dir() {
        return Ok(folder);
    }
    println!(
        "  installing {PACKAGE} from PyPI to import it: {}",
        folder.display()
    );
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("plugin.py"), "")?;
    cordon_packages::install(&Request {
        plugin: folder.clone(),
        packages: vec![PACKAGE.to_owned()],
        ..Request::default()
    })?;
    Ok(folder)
}

fn versions(installed: &Path) -> Outcome<String> {
    let lock = Lock::read(&installed.join("cordon.lock"))?.ok_or("no lock file")?;
    let all: Vec<_> = lock
        .packages
        .iter()
        .map(|package| format!("{} {}", package.name, package.version))
        .collect();
    Ok(all.join(", "))
}

fn copy(from: &Path, into: &Path) -> Outcome<()> {
    let status = Command::new("cp").arg("-r").arg(from).arg(into).status()?;
    if !status.success() {
        return Err(format!("{} could not be copied", from.display()).into());
    }
    Ok(())
}
