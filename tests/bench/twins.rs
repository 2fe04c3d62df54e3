//! The same Python programs in the component and in CPython, in turns.
//!
//! A program is a module in `programs/` with a function `run(words)` that measures with the
//! clock of its arm and returns a list of figures. An order is the module's name and the words.

use std::path::Path;
use std::time::Duration;

use cordon_runtime::engine::Engine;
use cordon_runtime::instance::remote::Remote;

use crate::Outcome;
use crate::native::{self, Process};
use crate::report::{Goal, Report};
use crate::rig::{Rig, UNLIMITED, command, deliver, program};
use crate::sample::Samples;

const PATIENCE: Duration = Duration::from_secs(300);

/// One look-up for each request would meet the limit of a minute. It ends the table of limits.
const LOOKUPS: &str = "lookups = 100000\n";

/// An instance and a process that take the same orders.
pub struct Twins {
    rig: Rig,
    remote: Remote,
    process: Process,
}

/// The measurements of both of one thing. Smaller figures are better.
#[derive(Default)]
pub struct Pair {
    /// The component's.
    pub ours: Samples,
    /// CPython's.
    pub theirs: Samples,
}

impl Twins {
    /// Starts both with this program; the instance may connect to this port of this machine.
    pub async fn new(engine: &Engine, module: &str, port: Option<u16>) -> Outcome<Self> {
        let mut rig = Rig::new(engine, module)?;
        let source = std::fs::read_to_string(program("twin_plugin.py"))?;
        let file = program(&format!("{module}.py"));
        let plugin = rig.plugin("Twin", &source, &[file.as_path()])?;
        let grant = port.map(|port| format!("grants = {{ network = [\"127.0.0.1:{port}\"] }}\n"));
        let config = format!("{}{UNLIMITED}{LOOKUPS}", grant.unwrap_or_default());
        let remote = rig.start(&plugin, "Twin", &config).await?;
        let worker = program("twin_worker.py");
        let worker = text(&worker)?;
        let process = Process::start(&native::python()?, &[worker])?;
        Ok(Self {
            rig,
            remote,
            process,
        })
    }

    /// Gives the order to both, one after the other, this often and once more before it
    /// counts. Returns a pair for each figure of the program's list.
    pub async fn measure(&mut self, order: &str, rounds: usize) -> Outcome<Vec<Pair>> {
        let mut pairs: Vec<Pair> = Vec::new();
        for round in 0..=rounds {
            deliver(&self.remote, command(order)).await?;
            let ours: Vec<f64> = serde_json::from_str(&self.rig.answer("TWIN ", PATIENCE).await?)?;
            let theirs: Vec<f64> = serde_json::from_str(&self.process.ask(order)?)?;
            if ours.len() != theirs.len() {
                return Err(format!("{order}: {} figures and {}", ours.len(), theirs.len()).into());
            }
            if round == 0 {
                pairs.extend(ours.iter().map(|_| Pair::default()));
                continue;
            }
            for (pair, (ours, theirs)) in pairs.iter_mut().zip(ours.into_iter().zip(theirs)) {
                pair.ours.push(ours);
                pair.theirs.push(theirs);
            }
        }
        Ok(pairs)
    }

    /// Stops both.
    pub async fn stop(mut self) {
        self.rig.hub.stop().await;
    }
}

impl Pair {
    /// Both arms and their ratio, for which there is no goal.
    pub fn report(
        &self,
        report: &mut Report,
        section: &'static str,
        what: &str,
        unit: &'static str,
    ) {
        report.arm(section, &format!("component, {what}"), unit, &self.ours);
        report.arm(section, &format!("CPython, {what}"), unit, &self.theirs);
        report.ratio(
            section,
            &format!("component / CPython, {what}"),
            self.ours.median() / self.theirs.median(),
            Goal::None,
        );
    }

    /// A note with the medians as a rate: `amount` divided by each.
    pub fn rate(
        &self,
        report: &mut Report,
        section: &'static str,
        what: &str,
        amount: f64,
        unit: &str,
    ) {
        report.note(
            section,
            format!(
                "{what}: component {:.0} {unit}, CPython {:.0} {unit}",
                amount / self.ours.median(),
                amount / self.theirs.median()
            ),
        );
    }
}

/// A path as an argument of a process.
pub fn text(path: &Path) -> Outcome<&str> {
    path.to_str().ok_or_else(|| "a path that is no text".into())
}
