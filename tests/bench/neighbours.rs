//! The effect of a spinning plugin on quiet ones, and how late it is ended.

use std::time::Duration;

use cordon_runtime::engine::{Engine, TICK};
use cordon_runtime::instance::histogram::Histogram;

use crate::Outcome;
use crate::report::{Goal, Report};
use crate::rig::{Rig, command, deliver, program};
use crate::sample::Samples;

const SECTION: &str = "neighbours";

/// Quiet plugins with a heartbeat per second, and how long each half of a turn lasts.
const QUIET: usize = 20;
const HALF: Duration = Duration::from_secs(20);
const TURNS: usize = 3;

/// Time before each half that is not counted.
const SETTLE: Duration = Duration::from_secs(1);

/// Plugins that are ended, and the computing time they are allowed.
const KILLS: usize = 20;
const ALLOWED: u64 = 200;

/// Measures both.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    lateness(report, engine).await?;
    kills(report, engine).await
}

/// Turns without and with a spinning plugin. It is given a whole core until the end
/// of the half: with the default limits it would get half of one and be ended sooner.
async fn lateness(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut rig = Rig::new(engine, "neighbours")?;
    let quiet = rig.plugin(
        "Quiet",
        &std::fs::read_to_string(program("quiet_plugin.py"))?,
        &[],
    )?;
    for n in 0..QUIET {
        rig.start(&quiet, &format!("Q{n}"), "").await?;
        // Not all at the same moment, as they would not be in a real hub.
        tokio::time::sleep(Duration::from_millis(37)).await;
    }
    let halves = [Histogram::default(), Histogram::default()];
    for turn in 0..TURNS {
        for (spinning, half) in halves.iter().enumerate() {
            let mut other = Rig::new(engine, &format!("spinner-{turn}"))?;
            if spinning == 1 {
                let source = std::fs::read_to_string(program("spinning_plugin.py"))?;
                let plugin = other.plugin("Spinning", &source, &[])?;
                let spins = (SETTLE + HALF + SETTLE).as_millis();
                let config =
                    format!("[limits]\ncallback-cpu = {spins}\ncpu-share = 400\nrestarts = 1\n");
                let remote = other.start(&plugin, "Spinning", &config).await?;
                deliver(&remote, command("spin")).await?;
            }
            tokio::time::sleep(SETTLE).await;
            for instance in rig.hub.instances() {
                instance.remote().counters.lateness.clear();
            }
            tokio::time::sleep(HALF).await;
            for instance in rig.hub.instances() {
                half.add(&instance.remote().counters.lateness);
            }
            other.hub.stop().await;
        }
    }
    rig.hub.stop().await;
    let [without, with] = &halves;
    for (name, half) in [("without", without), ("with", with)] {
        let shares: Vec<_> = [0.5, 0.9, 0.99, 1.0]
            .map(|share| milliseconds(half, share))
            .to_vec();
        report.note(
            SECTION,
            format!("lateness {name} a spinning plugin, {} beats: p50, p90, p99, worst in ms: {shares:.2?}", half.count()),
        );
        report.arm(
            SECTION,
            &format!("p99 lateness {name} a spinning plugin"),
            "ms",
            &vec![milliseconds(half, 0.99)].into(),
        );
    }
    let ratio = milliseconds(with, 0.99) / milliseconds(without, 0.99);
    report.ratio(
        SECTION,
        "p99 lateness with / without",
        ratio,
        Goal::AtMost(1.2),
    );
    Ok(())
}

fn milliseconds(histogram: &Histogram, share: f64) -> f64 {
    histogram.quantile(share).as_secs_f64() * 1000.0
}

/// How far past its computing time a spinning plugin is ended, one after the other.
async fn kills(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut rig = Rig::new(engine, "kills")?;
    let plugin = rig.plugin(
        "Spinning",
        &std::fs::read_to_string(program("spinning_plugin.py"))?,
        &[],
    )?;
    let config = format!("[limits]\ncallback-cpu = {ALLOWED}\nrestarts = 1\n");
    let mut late = Samples::default();
    for n in 0..KILLS {
        let remote = rig.start(&plugin, &format!("S{n}"), &config).await?;
        deliver(&remote, command("spin")).await?;
        let text = rig
            .answer("limit callback-cpu: ", Duration::from_secs(30))
            .await?;
        let used: f64 = text
            .split_whitespace()
            .next()
            .ok_or("an empty line")?
            .parse()?;
        // Whole milliseconds, rounded down: the real figure is below one more.
        late.push((used + 1.0 - ALLOWED as f64) / (TICK.as_secs_f64() * 1000.0));
    }
    report.arm(SECTION, "a kill past its deadline", "ticks", &late);
    report.ratio(
        SECTION,
        "worst kill past its deadline, in ticks",
        late.quantile(1.0),
        Goal::AtMost(1.5),
    );
    rig.hub.stop().await;
    Ok(())
}
