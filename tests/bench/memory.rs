//! The memory of one more idle instance, against an idle `python3` process.

use std::time::Duration;

use cordon_runtime::engine::Engine;

use crate::native::{self, Process};
use crate::pages::Pages;
use crate::report::{Goal, Report};
use crate::rig::{Rig, program};
use crate::sample::Samples;
use crate::{Outcome, machine};

const SECTION: &str = "memory";

/// Instances that are added per figure, and figures.
const INSTANCES: usize = 25;
const ROUNDS: usize = 4;

const KIB: f64 = 1024.0;

/// Measures both, in turns.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut rig = Rig::new(engine, SECTION)?;
    let plugin = rig.plugin(
        "Quiet",
        &std::fs::read_to_string(program("quiet_plugin.py"))?,
        &[],
    )?;
    let python = native::python()?;
    let modules = native::preloaded()?.join(",");
    let script = program("native_start.py");
    let script = script.to_str().ok_or("a path that is no text")?;
    let folder = plugin.folder.to_str().ok_or("a path that is no text")?;
    let (mut ours, mut theirs, mut processes) =
        (Samples::default(), Samples::default(), Vec::new());
    let mut mappings = Samples::default();
    for round in 0..=ROUNDS {
        let before = (machine::private_bytes("self"), machine::mappings());
        for n in 0..INSTANCES {
            rig.start(&plugin, &format!("Q{round}-{n}"), "").await?;
        }
        beats(&rig).await;
        let each = (machine::private_bytes("self") - before.0) / INSTANCES as f64;
        let more = machine::mappings().saturating_sub(before.1);
        let mut process = Process::start(&python, &[script, &modules, folder])?;
        process.line()?;
        // The first instances pay for the shared parts.
        if round > 0 {
            ours.push(each / KIB);
            theirs.push(process.private_bytes() / KIB);
            mappings.push(more as f64 / INSTANCES as f64);
        }
        processes.push(process);
    }
    report.arm(SECTION, "one more instance after a heartbeat", "KiB", &ours);
    report.arm(SECTION, "idle python3", "KiB", &theirs);
    report.arm(SECTION, "mappings of an instance", "mappings", &mappings);
    Pages::of_this_process()?.report(report, SECTION, (ROUNDS + 1) * INSTANCES);
    let ratio = ours.median() / theirs.median();
    report.ratio(SECTION, "instance / python3", ratio, Goal::AtMost(0.2));
    rig.hub.stop().await;
    Ok(())
}

/// Waits until every instance had a heartbeat.
async fn beats(rig: &Rig) {
    for instance in rig.hub.instances() {
        let remote = instance.remote();
        while remote.counters.lateness.count() == 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
