//! The two components of a check.
//!
//! They run as plugins of a hub of their own, in a temporary folder, without grants and without the
//! API. They write their findings as JSON into their data folder.

use std::path::Path;
use std::time::Duration;

use super::facts::{Facts, Probe};
use super::stage::{CHECKED, ENTRY, Stage, WANTED};
use crate::hub::Hub;
use cordon_base::error::EngineError;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_base::regular_file::RegularFile;
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::definition;
use cordon_packages::place::Framework;
use cordon_runtime::engine::Engine;
use cordon_runtime::instance::counters::Status;

const READ: &str = concat!(
    include_str!("python/conditions.py"),
    include_str!("python/names.py"),
    include_str!("python/read.py")
);
const PROBE: &str = include_str!("python/probe.py");

/// The start of a script, which makes a component a plugin.
const DRIVER: &str =
    "\"\"\"\n<plugin key=\"check\" name=\"check\">\n</plugin>\n\"\"\"\nimport Domoticz\n";

/// How long a component may take. Its own limits end it well before.
const PATIENCE: Duration = Duration::from_secs(300);

/// Largest result, in bytes.
const MAX_RESULT: usize = 16 << 20;

/// Most imports that are tried.
const MAX_IMPORTS: usize = 500;

/// Modules that are the hub's own.
pub const HUB_MODULES: [&str; 3] = ["Domoticz", "DomoticzEx", "indigo"];

/// Runs components for checks, one at a time.
pub struct Runner {
    hub: Hub,
    runs: u64,
    _folder: tempfile::TempDir,
}

impl Runner {
    /// A hub for checks.
    ///
    /// # Errors
    ///
    /// As [`Hub::open`].
    pub fn new(engine: Engine) -> Result<Self, EngineError> {
        let folder = tempfile::tempdir()
            .map_err(|error| EngineError::io("cannot make a temporary folder", error))?;
        let events = EventLog::new(LogCapacity::default());
        let mut hub = Hub::open(engine, events, &folder.path().join("data"), Vec::new())?;
        hub.compile_alone();
        Ok(Self {
            hub,
            runs: 0,
            _folder: folder,
        })
    }

    /// Reads the sources; the inner error says why that failed.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when no component can be run.
    pub async fn read(&mut self, stage: &Stage) -> Result<Result<Facts, String>, EngineError> {
        let (ended, result) = self.run(&stage.reading(), READ, "facts.json").await?;
        if let Some(reason) = ended {
            return Ok(Err(reason));
        }
        Ok(match serde_json::from_slice(&result) {
            Ok(facts) => Ok(facts),
            Err(error) => Err(format!("what was read is not understood: {error}")),
        })
    }

    /// Imports the plugin, and every module that its sources import, and looks for these methods of an
    /// Indigo plugin's class.
    ///
    /// # Errors
    ///
    /// [`EngineError`] when no component can be run.
    pub async fn probe(
        &mut self,
        stage: &Stage,
        facts: &Facts,
        framework: Framework,
        methods: &[String],
    ) -> Result<Probe, EngineError> {
        let folder = stage.probing();
        let wanted = serde_json::to_vec(&wanted(facts, framework, methods)).unwrap_or_default();
        std::fs::write(folder.join(WANTED), wanted)
            .map_err(|error| EngineError::io("cannot write what is to be imported", error))?;
        let (ended, result) = self.run(&folder, PROBE, "probe.json").await?;
        let mut probe: Probe = serde_json::from_slice(&result).unwrap_or_default();
        probe.ended = ended;
        Ok(probe)
    }

    /// Runs one component to its end. Returns why it failed, and the file that it wrote.
    async fn run(
        &mut self,
        folder: &Path,
        source: &str,
        result: &str,
    ) -> Result<(Option<String>, Vec<u8>), EngineError> {
        std::fs::write(folder.join(ENTRY), format!("{DRIVER}{source}\nmain()\n"))
            .map_err(|error| EngineError::io("cannot write a driver", error))?;
        let definition = definition::read_folder(folder)
            .map_err(|error| EngineError::Config(error.to_string()))?
            .into_iter()
            .next()
            .ok_or_else(|| EngineError::Config("the driver has no definition".to_owned()))?;
        self.runs = self.runs.saturating_add(1);
        self.hub.start(&section(self.runs)?, &definition).await?;
        let Some(remote) = self.hub.instances().last().map(|it| it.remote()) else {
            return Err(EngineError::Config(
                "the component was not started".to_owned(),
            ));
        };
        let settled = tokio::time::timeout(PATIENCE, remote.counters.settled()).await;
        let ended = match settled {
            Ok(Status::Running) => None,
            Ok(status) => Some(status.reason().to_owned()),
            Err(_) => Some("it did not come to an end".to_owned()),
        };
        self.hub.stop_instances().await;
        Ok((ended, read_result(&remote.spec.folders.data.join(result))))
    }
}

/// A result that is missing or too large is empty.
fn read_result(path: &Path) -> Vec<u8> {
    let file = RegularFile::open_no_link(path);
    file.and_then(|file| file.whole(MAX_RESULT))
        .unwrap_or_default()
}

/// The limits let a component parse the largest plugin; it runs once.
const SECTION: &str = "
plugin = \"check\"
[limits]
callback-cpu = 120000
callback-wall = 180000
cpu-share = 400
restarts = 1
";

fn section(run: u64) -> Result<HardwareSection, EngineError> {
    toml::from_str(&format!("name = \"check {run}\"{SECTION}"))
        .map_err(|error| EngineError::Config(error.to_string()))
}

/// The tasks of the second component.
fn wanted(facts: &Facts, framework: Framework, methods: &[String]) -> serde_json::Value {
    let mut imports = Vec::new();
    let mut frameworks = std::collections::BTreeSet::new();
    for import in &facts.imports {
        let top = import.module.split('.').next().unwrap_or_default();
        if HUB_MODULES.contains(&top) {
            frameworks.insert(top.to_owned());
        } else if !import.local && imports.len() < MAX_IMPORTS {
            let wanted = serde_json::json!([import.module, import.name]);
            if !imports.contains(&wanted) {
                imports.push(wanted);
            }
        }
    }
    let mut members: std::collections::BTreeSet<_> = facts
        .api
        .iter()
        .map(|member| member.member.clone())
        .collect();
    members.extend(frameworks);
    let own: std::collections::BTreeSet<_> = facts
        .imports
        .iter()
        .filter(|import| import.local)
        .map(|import| &import.module)
        .take(MAX_IMPORTS)
        .collect();
    serde_json::json!({
        "imports": imports,
        "api": members,
        "methods": methods,
        "own": own,
        "plugin": CHECKED,
        "indigo": framework == Framework::Indigo,
    })
}
