//! The cost of limits for a plugin that computes: the guest compiled with and without.

use std::time::Duration;

use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::instance::remote::Remote;

use crate::report::{Goal, Report};
use crate::rig::{Rig, UNLIMITED, command, deliver, program};
use crate::sample::{Samples, geometric_mean};
use crate::{Outcome, engine};

const SECTION: &str = "metering";
const ROUNDS: usize = 15;
const PATIENCE: Duration = Duration::from_secs(60);

/// Programs that compute and call nothing.
const PROGRAMS: [&str; 4] = ["fib", "floats", "methods", "nbody"];

/// Measures both engines, in turns.
pub async fn measure(report: &mut Report, artifact: &Artifact) -> Outcome<()> {
    println!("  compiling the guest without metering, if that is not in the cache");
    let mut arms = [
        Arm::new(artifact, "limits on", true).await?,
        Arm::new(artifact, "limits off", false).await?,
    ];
    for round in 0..=ROUNDS {
        for (index, name) in PROGRAMS.into_iter().enumerate() {
            for arm in &mut arms {
                let figure = arm.run(name).await?;
                if round > 0
                    && let Some(samples) = arm.samples.get_mut(index)
                {
                    samples.push(figure);
                }
            }
        }
    }
    let [on, off] = &arms;
    let pairs = || on.samples.iter().zip(&off.samples);
    for arm in &arms {
        for (name, samples) in PROGRAMS.iter().zip(&arm.samples) {
            report.arm(SECTION, &format!("{name}, {}", arm.name), "ms", samples);
        }
    }
    let medians = geometric_mean(pairs().map(|(on, off)| on.median() / off.median()));
    let best = geometric_mean(pairs().map(|(on, off)| on.best() / off.best()));
    report.note(SECTION, format!("by medians: {medians:.3}"));
    report.ratio(
        SECTION,
        &format!("limits on / off, best of {ROUNDS}"),
        best,
        Goal::AtMost(1.10),
    );
    Ok(())
}

struct Arm {
    name: &'static str,
    rig: Rig,
    remote: Remote,
    samples: Vec<Samples>,
}

impl Arm {
    async fn new(artifact: &Artifact, name: &'static str, metering: bool) -> Outcome<Self> {
        let engine = engine(artifact, 4, metering)?;
        let mut rig = Rig::new(&engine, &name.replace(' ', "-"))?;
        let source = std::fs::read_to_string(program("micro_plugin.py"))?;
        let others = [program("micro.py"), program("timing.py")];
        let others: Vec<_> = others.iter().map(|path| path.as_path()).collect();
        let plugin = rig.plugin("Micro", &source, &others)?;
        let remote = rig.start(&plugin, "Micro", UNLIMITED).await?;
        Ok(Self {
            name,
            rig,
            remote,
            samples: vec![Samples::default(); PROGRAMS.len()],
        })
    }

    async fn run(&mut self, name: &str) -> Outcome<f64> {
        deliver(&self.remote, command(name)).await?;
        Ok(self.rig.answer("MICRO ", PATIENCE).await?.parse()?)
    }
}
