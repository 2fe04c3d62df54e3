//! `cordon ps`: all instances in a table.

use std::process::ExitCode;

use clap::Args;

use super::{HubPlace, Unanswered, print, print_json, words};
use cordon_control::report::{HubReport, InstanceReport};

/// Characters of a name and of an error in a table.
const NAME: usize = 40;
const ERROR: usize = 100;

/// Arguments of `cordon ps`.
///
/// CPU% is the computing time of all lives since the hub was started, as a share of one core.
#[derive(Args)]
pub struct Ps {
    /// As JSON, with everything that `cordon status` knows.
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: HubPlace,
}

impl Ps {
    /// Prints the table.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn act(self) -> Result<ExitCode, Unanswered> {
        let hub = self.place.hub()?;
        let reports = hub.heard(hub.client.instances())?;
        if self.json {
            print_json(&reports)?;
            return Ok(ExitCode::SUCCESS);
        }
        let report = hub.heard(hub.client.hub())?;
        print(&text(&report, &reports, words::now()))?;
        Ok(ExitCode::SUCCESS)
    }
}

/// The table of `ps` and a line about more to come.
pub(super) fn text(hub: &HubReport, reports: &[InstanceReport], now: u64) -> String {
    let passed = now.saturating_sub(hub.started);
    let shares: Vec<_> = reports
        .iter()
        .map(|it| words::share(it.cpu, passed))
        .collect();
    let mut text = table(reports.iter().zip(shares), now);
    if reports.is_empty() && !hub.loading {
        text.push_str("there are no instances\n");
    }
    if hub.loading {
        text.push_str("more may come: the configuration is not read to its end yet\n");
    }
    text
}

/// A table of instances with their shares of a core.
pub(super) fn table<'a>(
    reports: impl Iterator<Item = (&'a InstanceReport, String)>,
    now: u64,
) -> String {
    let rows: Vec<_> = reports
        .map(|(report, share)| {
            let last = report.last_error.as_ref();
            let last = last.map(|last| last.text.as_str());
            let last = last.filter(|text| !text.is_empty());
            [
                words::short(&report.name, NAME),
                words::state(report.state).to_owned(),
                words::from_to(report.since, now),
                report.restarts.to_string(),
                share,
                words::bytes(report.memory),
                words::short(last.unwrap_or(&report.reason), ERROR),
            ]
        })
        .collect();
    let heads = [
        ("NAME", false),
        ("STATE", false),
        ("SINCE", true),
        ("RESTARTS", true),
        ("CPU%", true),
        ("MEMORY", true),
        ("LAST ERROR", false),
    ];
    words::table(heads, &rows)
}

#[cfg(test)]
mod tests {
    use super::super::status::tests::{hub, report};
    use super::*;

    #[test]
    fn every_instance_has_a_line() {
        let mut odd = report("B\x1b[2J");
        odd.last_error = None;
        odd.reason = "no plugin with key `X`".to_owned();
        let reports = [report("Living room"), odd];
        let text = text(&hub(), &reports, 3_601_000);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(
            lines.iter().map(|line| words(line)).collect::<Vec<_>>(),
            [
                "NAME STATE SINCE RESTARTS CPU% MEMORY LAST ERROR",
                "Living room parked 1 h 2 0.1 12.0 MiB KeyError: 'x'",
                "B\\x1b[2J parked 1 h 2 0.1 12.0 MiB no plugin with key `X`",
            ]
        );
    }

    #[test]
    fn a_hub_without_instances_says_so() {
        let mut hub = hub();
        assert!(text(&hub, &[], 5).ends_with("there are no instances\n"));
        hub.loading = true;
        assert!(text(&hub, &[], 5).ends_with("not read to its end yet\n"));
    }
}
