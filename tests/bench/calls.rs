//! The cost of a call: the hub calling Python, Python calling the hub, and a switch
//! between two Python threads.

use std::sync::atomic::Ordering;
use std::time::Duration;

use cordon_runtime::engine::Engine;

use crate::Outcome;
use crate::report::Report;
use crate::rig::{Rig, UNLIMITED, command, deliver, program};
use crate::sample::Samples;

const SECTION: &str = "calls";

/// Callbacks of the first figure.
const CALLBACKS: u64 = 20_000;

const PATIENCE: Duration = Duration::from_secs(120);

/// Measures all three.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    callbacks(report, engine).await?;
    let mut rig = Rig::new(engine, "calls-inside")?;
    let source = std::fs::read_to_string(program("calls_plugin.py"))?;
    let plugin = rig.plugin("Calls", &source, &[])?;
    let remote = rig.start(&plugin, "Calls", UNLIMITED).await?;
    for (order, marker, name) in [
        ("calls", "CALLS ", "Python to host and back"),
        ("switches", "SWITCHES ", "switch between two Python threads"),
    ] {
        deliver(&remote, command(order)).await?;
        let figures: Vec<f64> = serde_json::from_str(&rig.answer(marker, PATIENCE).await?)?;
        let samples = Samples::from(figures);
        report.arm(SECTION, name, "us", &samples);
        report.note(
            SECTION,
            format!(
                "{name}: p50 {:.2} us, p99 {:.2} us",
                samples.median(),
                samples.quantile(0.99)
            ),
        );
    }
    rig.hub.stop().await;
    Ok(())
}

/// An `onCommand` that does nothing, from the call to its return.
async fn callbacks(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let mut rig = Rig::new(engine, "calls-outside")?;
    let source = std::fs::read_to_string(program("noop_plugin.py"))?;
    let plugin = rig.plugin("Noop", &source, &[])?;
    let remote = rig.start(&plugin, "Noop", UNLIMITED).await?;
    let counters = &remote.counters;
    let mut figures = Samples::default();
    for round in 0..6 {
        counters.call_time.clear();
        let before = counters.calls.load(Ordering::Relaxed);
        for _ in 0..CALLBACKS / 5 {
            deliver(&remote, command("On")).await?;
        }
        while counters.calls.load(Ordering::Relaxed) < before + CALLBACKS / 5 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if round == 0 {
            continue;
        }
        let microseconds = |share| counters.call_time.quantile(share).as_secs_f64() * 1e6;
        figures.push(microseconds(0.5));
        if round == 5 {
            let (p50, p99) = (microseconds(0.5), microseconds(0.99));
            report.note(
                SECTION,
                format!("callback: p50 {p50:.1} us, p99 {p99:.1} us"),
            );
        }
    }
    report.arm(
        SECTION,
        "host to Python and back (medians of 4,000)",
        "us",
        &figures,
    );
    rig.hub.stop().await;
    Ok(())
}
