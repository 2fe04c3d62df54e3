//! `cordon top`: the instances by the computing time that they use, every two seconds.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::place::Hub;
use super::screen::Screen;
use super::{HubPlace, Unanswered, print, ps, words};
use cordon_control::report::{HubReport, InstanceReport};

/// Time between two looks.
const PERIOD: Duration = Duration::from_secs(2);

/// Arguments of `cordon top`.
///
/// Ends with q or Ctrl-C. Where the output is no terminal, one table is printed.
#[derive(Args)]
pub struct Top {
    #[command(flatten)]
    place: HubPlace,
}

/// The hub at one moment.
struct Look {
    time: u64,
    hub: HubReport,
    reports: Vec<InstanceReport>,
}

impl Look {
    fn take(hub: &Hub) -> Result<Self, Unanswered> {
        Ok(Self {
            hub: hub.heard(hub.client.hub())?,
            reports: hub.heard(hub.client.instances())?,
            time: words::now(),
        })
    }

    /// Computing time by name.
    fn computed(&self) -> BTreeMap<&str, u64> {
        let reports = self.reports.iter();
        reports.map(|it| (it.name.as_str(), it.cpu)).collect()
    }
}

impl Top {
    /// Shows the table until it is told to end.
    ///
    /// # Errors
    /// [`Unanswered`], also when the hub ends.
    pub fn act(self) -> Result<ExitCode, Unanswered> {
        let hub = self.place.hub()?;
        let mut before = Look::take(&hub)?;
        let Some(screen) = Screen::open() else {
            print(&ps::text(&before.hub, &before.reports, before.time))?;
            return Ok(ExitCode::SUCCESS);
        };
        screen.draw(&text(None, &before))?;
        while !screen.is_quit_within(PERIOD) {
            let now = Look::take(&hub)?;
            screen.draw(&text(Some(&before), &now))?;
            before = now;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A line about the hub, and the table. Shares are of the time since the look before, or of the time
/// since the hub was started.
fn text(before: Option<&Look>, now: &Look) -> String {
    let (from, computed) = match before {
        Some(before) => (before.time, before.computed()),
        None => (now.hub.started, BTreeMap::new()),
    };
    let passed = now.time.saturating_sub(from);
    let mut rows: Vec<_> = now
        .reports
        .iter()
        .map(|report| {
            // An instance that is new has no time before.
            let earlier = match (before, computed.get(report.name.as_str())) {
                (Some(_), None) => report.cpu,
                (_, earlier) => earlier.copied().unwrap_or(0),
            };
            (report.cpu.saturating_sub(earlier), report)
        })
        .collect();
    rows.sort_by_key(|(computed, report)| (Reverse(*computed), &report.name));
    let all: u64 = rows.iter().map(|(computed, _)| *computed).sum();
    let hub = &now.hub;
    let head = format!(
        "cordon {}, up {}, {} of memory, {}, {}% of a core; q ends\n\n",
        words::shown(&hub.version),
        words::from_to(hub.started, now.time),
        words::bytes(hub.resident),
        words::count(
            u64::try_from(rows.len()).unwrap_or(u64::MAX),
            "instance",
            "instances"
        ),
        words::share(all, passed),
    );
    let rows = rows.into_iter();
    let rows = rows.map(|(computed, report)| (report, words::share(computed, passed)));
    head + &ps::table(rows, now.time)
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{hub, report};
    use super::*;

    fn look(time: u64, computed: [(&str, u64); 2]) -> Look {
        let reports = computed.map(|(name, cpu)| InstanceReport {
            cpu,
            ..report(name)
        });
        Look {
            time,
            hub: hub(),
            reports: reports.into(),
        }
    }

    #[test]
    fn whoever_computes_most_is_first() {
        let before = look(11_000, [("A", 4000), ("B", 500)]);
        let now = look(13_000, [("A", 4100), ("B", 1500)]);
        let first = text(None, &before);
        let names = |text: &str| -> Vec<String> {
            let rows = text.lines().skip(3);
            rows.map(|line| {
                line.split_whitespace()
                    .take(7)
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect()
        };
        assert_eq!(
            names(&first),
            ["A parked 10 s 2 40.0 12.0", "B parked 10 s 2 5.0 12.0"]
        );
        let second = text(Some(&before), &now);
        assert!(
            second.starts_with("cordon 0.1.0, up 12 s, 50.0 MiB of memory, 2 instances, 55.0%")
        );
        assert_eq!(
            names(&second),
            ["B parked 12 s 2 50.0 12.0", "A parked 12 s 2 5.0 12.0"]
        );
        // One that is new does not count as one that computed all its time just now.
        let other = look(13_000, [("A", 4100), ("C", 9000)]);
        let rows = names(&text(Some(&before), &other));
        assert_eq!(
            rows.last().map(String::as_str),
            Some("C parked 12 s 2 0.0 12.0")
        );
    }
}
