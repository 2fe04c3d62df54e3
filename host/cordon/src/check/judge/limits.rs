//! Limits that a plugin is likely to meet.

use super::{CALLED, Findings};
use crate::check::facts::{Facts, Probe};
use crate::check::finding::{Topic, Verdict};
use cordon_base::limits::Limits;

/// What is likely to go past a limit.
pub(super) fn limits(facts: &Facts, probe: Option<&Probe>, findings: &mut Findings) {
    let defaults = Limits::default();
    for sleep in &facts.sleeps {
        let callback = CALLED.contains(&sleep.function.as_str());
        let wall = std::time::Duration::from_millis(defaults.callback_wall).as_secs_f64();
        if callback && sleep.seconds >= wall {
            let detail = format!(
                "{} sleeps {} s, and a callback has {wall} s",
                sleep.function, sleep.seconds
            );
            findings.once(
                Topic::Limit,
                "callback-wall",
                Verdict::Note,
                &detail,
                (&sleep.file, sleep.line),
            );
        }
    }
    for call in &facts.unbounded {
        let detail = format!(
            "{} has no timeout: a peer that says nothing holds the callback until the limit ends the plugin",
            call.call
        );
        findings.once(
            Topic::Limit,
            "callback-wall",
            Verdict::Note,
            &detail,
            (&call.file, call.line),
        );
    }
    for pool in &facts.pools {
        if pool.workers > defaults.threads {
            let detail = format!(
                "a pool of {} threads, and {} are allowed",
                pool.workers, defaults.threads
            );
            findings.once(
                Topic::Limit,
                "threads",
                Verdict::Note,
                &detail,
                (&pool.file, pool.line),
            );
        }
    }
    let sites = u64::try_from(facts.threads.len()).unwrap_or(u64::MAX);
    if sites > defaults.threads {
        let detail = format!(
            "threads are made in {sites} places, and {} may be alive at once",
            defaults.threads
        );
        findings.once(Topic::Limit, "threads", Verdict::Note, &detail, ("", 0));
    }
    let took = probe
        .and_then(|it| it.plugin.as_ref())
        .map_or(0, |it| it.took_ms);
    if took.saturating_mul(2) > defaults.callback_cpu {
        let detail = format!(
            "its import took {took} ms here, and {} ms of computing are allowed",
            defaults.callback_cpu
        );
        findings.once(
            Topic::Limit,
            "callback-cpu",
            Verdict::Note,
            &detail,
            ("plugin.py", 0),
        );
    }
}
