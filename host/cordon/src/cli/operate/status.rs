//! `cordon status`: the hub or one instance, in words.

use std::fmt::Write;
use std::process::ExitCode;

use clap::Args;

use super::{HubPlace, Unanswered, print, print_json, words};
use cordon_control::report::{Denied, Health, HubReport, InstanceReport, LimitReport, State};

/// Refused wishes that are shown.
const DENIED: usize = 20;

/// Width of the words before the values.
const HEADS: usize = 12;

/// Arguments of `cordon status`.
#[derive(Args)]
pub struct Status {
    /// The instance; the hub itself without one.
    instance: Option<String>,
    /// As JSON.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: HubPlace,
}

impl Status {
    /// Prints the report.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn act(self) -> Result<ExitCode, Unanswered> {
        let hub = self.place.hub()?;
        match &self.instance {
            Some(name) => {
                let report = hub.heard(hub.client.instance(name))?;
                match self.json {
                    true => print_json(&report)?,
                    false => print(&of_instance(&report, words::now()))?,
                }
            }
            None => {
                let report = hub.heard(hub.client.hub())?;
                match self.json {
                    true => print_json(&report)?,
                    false => {
                        let reports = hub.heard(hub.client.instances())?;
                        print(&of_hub(&report, &reports, words::now()))?;
                    }
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Lines with a word before each.
#[derive(Default)]
struct Lines(String);

impl Lines {
    fn add(&mut self, head: &str, value: impl AsRef<str>) {
        // Writing to a text does not fail.
        let _ = writeln!(self.0, "{head:<HEADS$}{}", value.as_ref());
    }

    /// Several values under one word.
    fn all(&mut self, head: &str, values: impl IntoIterator<Item = String>) {
        let mut head = head;
        for value in values {
            self.add(head, value);
            head = "";
        }
    }
}

fn of_hub(hub: &HubReport, reports: &[InstanceReport], now: u64) -> String {
    let mut lines = Lines::default();
    let up = words::from_to(hub.started, now);
    let started = words::moment(hub.started);
    lines.add(
        "hub",
        format!("cordon {}, process {}", words::shown(&hub.version), hub.pid),
    );
    lines.add("running", format!("since {started} ({up})"));
    if let Some(file) = &hub.configuration {
        lines.add("file", words::shown(file));
    }
    lines.add(
        "memory",
        format!("{} of the process", words::bytes(hub.resident)),
    );
    lines.add("instances", counts(reports));
    if hub.loading {
        lines.add(
            "",
            "more may come: the configuration is not read to its end yet",
        );
    }
    let problems = hub.problems.iter();
    lines.all(
        "problems",
        problems.map(|it| format!("{}: {}", words::shown(&it.name), words::shown(&it.reason))),
    );
    let ailing = reports.iter().filter(|it| is_ailing(it));
    lines.all(
        "look at",
        ailing.map(|it| {
            let state = match it.state {
                State::Running => words::health(it.health),
                state => words::state(state),
            };
            format!("{}: {state}", words::shown(&it.name))
        }),
    );
    lines.0
}

/// How many instances are in each state.
fn counts(reports: &[InstanceReport]) -> String {
    let states = [
        State::Running,
        State::Starting,
        State::Restarting,
        State::Parked,
        State::Stopped,
        State::Unloaded,
    ];
    let found = states.iter().filter_map(|state| {
        let count = reports.iter().filter(|it| it.state == *state).count();
        (count > 0).then(|| format!("{count} {}", words::state(*state)))
    });
    let found: Vec<_> = found.collect();
    match found.is_empty() {
        true => "none".to_owned(),
        false => found.join(", "),
    }
}

/// Whether the operator should look at an instance.
fn is_ailing(report: &InstanceReport) -> bool {
    match report.state {
        State::Restarting | State::Parked | State::Unloaded => true,
        State::Running => report.health != Health::Fine,
        State::Starting | State::Stopped => false,
    }
}

fn of_instance(report: &InstanceReport, now: u64) -> String {
    let mut lines = Lines::default();
    let (framework, key) = (words::shown(&report.framework), words::shown(&report.key));
    let source = words::source(report.source);
    lines.add("instance", words::shown(&report.name));
    let row = match report.id {
        0 => String::new(),
        id => format!(", row {id}"),
    };
    lines.add("plugin", format!("{key} ({framework}), {source}{row}"));
    let (since, for_) = (
        words::moment(report.since),
        words::from_to(report.since, now),
    );
    lines.add(
        "state",
        format!("{} since {since} ({for_})", words::state(report.state)),
    );
    if !report.reason.is_empty() {
        lines.add("reason", words::shown(&report.reason));
    }
    if let Some(next) = report.next_start {
        let (next, rest) = (words::moment(next), words::from_to(now, next));
        lines.add("next start", format!("{next} (in {rest})"));
    }
    lines.add("health", words::health(report.health));
    if let Some(last) = &report.last_error {
        let time = words::moment(last.time);
        let place = match last.callback.is_empty() {
            true => String::new(),
            false => format!(" in {}", words::shown(&last.callback)),
        };
        lines.add(
            "last error",
            format!("{time}{place}: {}", words::shown(&last.text)),
        );
    }
    let restarts = words::count(report.restarts, "restart", "restarts");
    let failures = words::count(report.failures, "failure", "failures");
    lines.add("lives", format!("{restarts}, {failures}"));
    let calls = words::count(report.calls, "callback", "callbacks");
    let refused = words::count(report.refused, "event", "events");
    let raised = report.raised;
    lines.add(
        "calls",
        format!("{calls}, {raised} raised; {refused} refused by a full inbox"),
    );
    lines.add(
        "computing",
        format!("{} in all lives", words::span(report.cpu)),
    );
    lines.add("memory", words::bytes(report.memory));
    lines.all("limits", report.limits.iter().map(limit));
    let mut denied: Vec<_> = report.denied.iter().take(DENIED).map(denied).collect();
    if let Some(more) = report
        .denied
        .len()
        .checked_sub(DENIED)
        .filter(|more| *more > 0)
    {
        denied.push(format!("and {more} more"));
    }
    lines.all("denied", denied);
    lines.0
}

fn limit(limit: &LimitReport) -> String {
    let percent = u128::from(limit.used) * 100 / u128::from(limit.allowed.max(1));
    format!(
        "{}: {} of {} ({percent}%)",
        words::shown(&limit.name),
        words::amount(limit.used, &limit.unit),
        words::amount(limit.allowed, &limit.unit)
    )
}

fn denied(denied: &Denied) -> String {
    let (name, what) = (words::shown(&denied.name), words::shown(&denied.what));
    let count = words::count(denied.count, "time", "times");
    let last = words::moment(denied.time);
    format!("{what}, {count}, last {last}: it lacks `{name}`")
}

#[cfg(test)]
pub(super) mod tests {
    use cordon_control::report::{LastError, Problem, Source};

    use super::*;

    /// A hub that was started at second 1.
    pub(in super::super) fn hub() -> HubReport {
        HubReport {
            version: "0.1.0".to_owned(),
            pid: 7,
            started: 1000,
            configuration: Some("/etc/cordon.toml".to_owned()),
            loading: false,
            resident: 50 << 20,
            problems: Vec::new(),
        }
    }

    /// An instance that is parked since second 1.
    pub(in super::super) fn report(name: &str) -> InstanceReport {
        InstanceReport {
            name: name.to_owned(),
            framework: "domoticz".to_owned(),
            key: "P".to_owned(),
            id: 3,
            source: Source::Configuration,
            state: State::Parked,
            since: 1000,
            reason: "failed 5 times in a row".to_owned(),
            health: Health::Raising,
            last_error: Some(LastError {
                time: 2000,
                callback: "onHeartbeat".to_owned(),
                text: "KeyError: 'x'".to_owned(),
            }),
            next_start: Some(61_000),
            restarts: 2,
            failures: 1,
            calls: 10,
            raised: 3,
            refused: 1,
            cpu: 5000,
            memory: 12 << 20,
            limits: vec![LimitReport {
                name: "memory".to_owned(),
                used: 12 << 20,
                allowed: 48 << 20,
                unit: "bytes".to_owned(),
            }],
            denied: vec![Denied {
                name: "network".to_owned(),
                what: "192.168.1.9:80\x1b[2J".to_owned(),
                count: 2,
                time: 3000,
            }],
        }
    }

    #[test]
    fn an_instance_is_told_whole() {
        let text = of_instance(&report("A"), 31_000);
        for line in [
            "instance    A\n",
            "plugin      P (domoticz), from the configuration, row 3\n",
            "state       parked since ",
            " (30 s)\n",
            "reason      failed 5 times in a row\n",
            " (in 30 s)\n",
            "health      the last callback of some kind raised\n",
            " in onHeartbeat: KeyError: 'x'\n",
            "lives       2 restarts, 1 failure\n",
            "calls       10 callbacks, 3 raised; 1 event refused by a full inbox\n",
            "computing   5 s in all lives\n",
            "memory      12.0 MiB\n",
            "limits      memory: 12.0 MiB of 48.0 MiB (25%)\n",
            "denied      192.168.1.9:80\\x1b[2J, 2 times, last ",
            ": it lacks `network`\n",
        ] {
            assert!(text.contains(line), "no {line:?} in:\n{text}");
        }
    }

    #[test]
    fn many_refused_wishes_are_counted() {
        let mut report = report("A");
        let one = report.denied.clone();
        report.denied = one.iter().cycle().take(DENIED + 3).cloned().collect();
        let text = of_instance(&report, 0);
        assert_eq!(text.matches("it lacks").count(), DENIED);
        assert!(text.ends_with("and 3 more\n"), "{text}");
    }

    #[test]
    fn the_hub_names_the_instances_to_look_at() {
        let mut fine = report("Fine");
        (fine.state, fine.health) = (State::Running, Health::Fine);
        let mut hub = hub();
        hub.problems = vec![Problem {
            name: "Broken".to_owned(),
            reason: "no definition".to_owned(),
        }];
        let text = of_hub(&hub, &[report("A"), fine.clone()], 61_000);
        for line in [
            "hub         cordon 0.1.0, process 7\n",
            " (1 min)\n",
            "file        /etc/cordon.toml\n",
            "memory      50.0 MiB of the process\n",
            "instances   1 running, 1 parked\n",
            "problems    Broken: no definition\n",
            "look at     A: parked\n",
        ] {
            assert!(text.contains(line), "no {line:?} in:\n{text}");
        }
        assert!(!text.contains("Fine"));
        fine.health = Health::RaisedInStart;
        let text = of_hub(&hub, &[fine], 0);
        assert!(
            text.contains("look at     Fine: the callback that starts it raised"),
            "{text}"
        );
        assert!(of_hub(&hub, &[], 0).contains("instances   none\n"));
    }
}
