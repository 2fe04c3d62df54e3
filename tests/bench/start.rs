//! How long a plugin takes to start, against the `python3` process it replaces.

use std::path::{Path, PathBuf};
use std::time::Instant;

use cordon_domoticz::definition::PluginDefinition;
use cordon_runtime::engine::Engine;

use crate::native::{self, Process};
use crate::report::{Goal, Report};
use crate::rig::{self, Rig, program};
use crate::sample::Samples;
use crate::{Outcome, machine};

const SECTION: &str = "start";

/// Starts per arm. The first of each arm warms caches and is not counted.
const ROUNDS: usize = 31;

/// Measures both plugins, four arms in turns.
pub async fn measure(report: &mut Report, engine: &Engine, long: Option<&Path>) -> Outcome<()> {
    let mut rig = Rig::new(engine, SECTION)?;
    let long = long.map_or_else(|| program("station_plugin.py"), Path::to_owned);
    let mut pairs = [
        Pair::new(&rig, "empty plugin", &program("empty_plugin.py"), 30.0)?,
        Pair::new(&rig, "500-line plugin", &long, 10.0)?,
    ];
    let python = native::python()?;
    let modules = native::preloaded()?.join(",");
    for round in 0..ROUNDS {
        for pair in &mut pairs {
            let faults = machine::minor_faults();
            let time = pair.instance(&mut rig).await?;
            let faults = machine::minor_faults() - faults;
            let native = pair.process(&python, &modules)?;
            if round > 0 {
                pair.ours.push(time);
                pair.native.push(native);
                pair.faults.push(faults);
            }
        }
    }
    for pair in &pairs {
        pair.report(report);
    }
    Ok(())
}

struct Pair {
    name: &'static str,
    goal: f64,
    definition: PluginDefinition,
    copy: PathBuf,
    ours: Samples,
    native: Samples,
    faults: Samples,
}

impl Pair {
    fn new(rig: &Rig, name: &'static str, source: &Path, goal: f64) -> Outcome<Self> {
        let text = std::fs::read_to_string(source)?;
        let key = name.replace([' ', '-'], "");
        Ok(Self {
            name,
            goal,
            definition: rig.plugin(&key, &text, &[])?,
            // A folder of its own: Python keeps its compiled form beside the source.
            copy: rig.plugin(&format!("{key}native"), &text, &[])?.folder,
            ours: Samples::default(),
            native: Samples::default(),
            faults: Samples::default(),
        })
    }

    /// Milliseconds from the request to start to the end of `onStart`. The configuration has
    /// been read before, as that of `python3` comes with its arguments.
    async fn instance(&self, rig: &mut Rig) -> Outcome<f64> {
        let section = rig::section(&self.definition, self.name, "")?;
        let begun = Instant::now();
        rig.begin(&self.definition, &section).await?;
        let time = begun.elapsed();
        // The store is still needed.
        rig.hub.stop_instances().await;
        Ok(time.as_secs_f64() * 1000.0)
    }

    /// The same for a process.
    fn process(&self, python: &Path, modules: &str) -> Outcome<f64> {
        let script = program("native_start.py");
        let script = script.to_str().ok_or("a path that is no text")?;
        let folder = self.copy.to_str().ok_or("a path that is no text")?;
        let begun = Instant::now();
        let mut process = Process::start(python, &[script, modules, folder])?;
        process.line()?;
        Ok(begun.elapsed().as_secs_f64() * 1000.0)
    }

    fn report(&self, report: &mut Report) {
        let name = self.name;
        report.arm(SECTION, &format!("instance, {name}"), "ms", &self.ours);
        report.arm(
            SECTION,
            &format!("minor faults of a start, {name}"),
            "faults",
            &self.faults,
        );
        report.arm(SECTION, &format!("python3, {name}"), "ms", &self.native);
        let ratio = self.native.median() / self.ours.median();
        report.ratio(
            SECTION,
            &format!("python3 / instance, {name}"),
            ratio,
            Goal::AtLeast(self.goal),
        );
    }
}
