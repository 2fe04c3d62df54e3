//! Many idle instances at once: how fast they start, their cost, whether they
//! live and how late their heartbeats are.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cordon_base::system;
use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::pool::stacks;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::histogram::Histogram;

use crate::report::{Goal, Report};
use crate::rig::{Rig, program};
use crate::sample::Samples;
use crate::{Outcome, engine, machine};

const SECTION: &str = "idle";

/// Seconds between two heartbeats of a plugin that sets none.
const HEARTBEAT: u64 = 10;

/// How many instances for how long.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Instances alive at once.
    pub instances: u32,
    /// How long they are watched.
    pub watched: Duration,
}

/// The program of `make bench`.
pub const SHORT: Scale = Scale {
    instances: 1000,
    watched: Duration::from_secs(60),
};

/// The program of `--long`.
pub const LONG: Scale = Scale {
    instances: 10_000,
    watched: Duration::from_secs(300),
};

/// Measures one scale.
pub async fn measure(report: &mut Report, artifact: &Artifact, scale: Scale) -> Outcome<()> {
    let Scale { instances, watched } = scale;
    if let Err(refusal) = system::room_for(u64::from(instances), stacks(instances)) {
        report.note(SECTION, format!("not measured: {refusal}"));
        return Ok(());
    }
    let engine = engine(artifact, instances, true)?;
    let mut rig = Rig::new(&engine, SECTION)?;
    let plugin = rig.plugin(
        "Empty",
        &std::fs::read_to_string(program("empty_plugin.py"))?,
        &[],
    )?;
    let before = (machine::private_bytes("self"), machine::mappings());
    let begun = Instant::now();
    for n in 0..instances {
        rig.spawn(&plugin, &format!("I{n}"), "").await?;
    }
    let running = settle(&rig).await;
    let started = begun.elapsed().as_secs_f64();
    let count = f64::from(instances);
    println!("  {running} of {instances} running after {started:.1} s");
    // One heartbeat each before memory is looked at and lateness counted.
    tokio::time::sleep(Duration::from_secs(HEARTBEAT + 1)).await;
    let memory = (machine::private_bytes("self") - before.0) / count / 1024.0;
    let mappings = machine::mappings().saturating_sub(before.1);
    for instance in rig.hub.instances() {
        instance.remote().counters.lateness.clear();
    }
    let cpu = machine::cpu_seconds();
    tokio::time::sleep(watched).await;
    let busy = (machine::cpu_seconds() - cpu) / watched.as_secs_f64() * 100.0;
    let late = Histogram::default();
    let alive = alive(&rig, watched, &late);
    let one = |figure: f64| Samples::from(vec![figure]);
    report.arm(
        SECTION,
        &format!("{instances} instances: starts per second"),
        "1/s",
        &one(count / started),
    );
    report.arm(SECTION, "memory of an instance", "KiB", &one(memory));
    report.arm(
        SECTION,
        "mappings of an instance",
        "mappings",
        &one(mappings as f64 / count),
    );
    report.arm(
        SECTION,
        "computing time while idle",
        "% of a core",
        &one(busy),
    );
    for share in [0.5, 0.99, 1.0] {
        let figure = late.quantile(share).as_secs_f64() * 1000.0;
        report.arm(
            SECTION,
            &format!("heartbeat lateness, quantile {share} of {}", late.count()),
            "ms",
            &one(figure),
        );
    }
    let what = format!(
        "share of {instances} alive, with every heartbeat, after {} s",
        watched.as_secs()
    );
    report.ratio(SECTION, &what, alive / count, Goal::AtLeast(1.0));
    let begun = Instant::now();
    rig.hub.stop().await;
    report.arm(
        SECTION,
        "stopping all",
        "s",
        &one(begun.elapsed().as_secs_f64()),
    );
    Ok(())
}

/// Waits until every instance has started or failed; returns how many run.
async fn settle(rig: &Rig) -> usize {
    let (mut running, mut told) = (0, false);
    for instance in rig.hub.instances() {
        let status = instance.remote().counters.settled().await;
        running += usize::from(status == Status::Running);
        if status != Status::Running && !told {
            told = true;
            println!("  {status:?}: {}", rig.tail());
        }
    }
    running
}

/// Instances that run, never failed, and had all the heartbeats of the time.
fn alive(rig: &Rig, watched: Duration, late: &Histogram) -> f64 {
    let expected = watched.as_secs() / HEARTBEAT - 1;
    let mut alive = 0.0;
    for instance in rig.hub.instances() {
        let counters = instance.remote().counters;
        late.add(&counters.lateness);
        let healthy = counters.status() == Status::Running
            && counters.failures.load(Ordering::Relaxed) == 0
            && counters.lateness.count() >= expected;
        alive += f64::from(u8::from(healthy));
    }
    alive
}
