//! `cordon start`, `stop`, `restart` and `reload`.

use std::process::ExitCode;

use clap::Args;

use super::{HubPlace, Unanswered, print, words};
use cordon_control::operator::Action;
use cordon_control::report::Changes;

/// Arguments of `cordon start`, `cordon stop` and `cordon restart`.
#[derive(Args)]
pub struct Order {
    /// The instance, by its name in the log and the configuration.
    instance: String,
    #[command(flatten)]
    place: HubPlace,
}

/// Arguments of `cordon reload`.
#[derive(Args)]
pub struct Reload {
    /// The instance, whose plugin's definition and files are read again; the configuration of the
    /// hub without one.
    instance: Option<String>,
    #[command(flatten)]
    place: HubPlace,
}

impl Order {
    /// Gives the order and says so.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn act(self, action: Action) -> Result<ExitCode, Unanswered> {
        give(&self.place, &self.instance, action)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Reload {
    /// Gives the order and prints the changes.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub fn act(self) -> Result<ExitCode, Unanswered> {
        let Some(name) = &self.instance else {
            let hub = self.place.hub()?;
            let changes = hub.heard(hub.client.reload())?;
            print(&text(&changes))?;
            return Ok(ExitCode::from(u8::from(!changes.problems.is_empty())));
        };
        give(&self.place, name, Action::Reload)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn give(place: &HubPlace, name: &str, action: Action) -> Result<(), Unanswered> {
    let hub = place.hub()?;
    hub.heard(hub.client.act(name, action))?;
    let done = match action {
        Action::Start => "starts",
        Action::Stop => "is stopped, until `cordon start`",
        Action::Restart => "is restarted",
        Action::Reload => "is read again and restarted",
    };
    print(&format!("`{}` {done}\n", words::shown(name)))
}

/// The changes that a new reading has made.
fn text(changes: &Changes) -> String {
    let mut text = String::new();
    for (names, done) in [
        (&changes.started, "started"),
        (&changes.stopped, "stopped"),
        (&changes.restarted, "restarted"),
        (
            &changes.after_restart,
            "counts after the hub was started again",
        ),
    ] {
        for name in names {
            text.push_str(&format!("{}: {done}\n", words::shown(name)));
        }
    }
    for problem in &changes.problems {
        let (name, reason) = (words::shown(&problem.name), words::shown(&problem.reason));
        text.push_str(&format!("{name}: {reason}\n"));
    }
    let instances = words::count(changes.unchanged, "instance stays", "instances stay");
    text.push_str(&format!("{instances} as before\n"));
    text
}

#[cfg(test)]
mod tests {
    use cordon_control::report::Problem;

    use super::*;

    #[test]
    fn changes_are_told_one_by_one() {
        let changes = Changes {
            started: vec!["A".to_owned()],
            stopped: vec!["B".to_owned()],
            restarted: vec!["C\n".to_owned()],
            unchanged: 1,
            after_restart: vec!["listen".to_owned()],
            problems: vec![Problem {
                name: "D".to_owned(),
                reason: "no plugin".to_owned(),
            }],
        };
        assert_eq!(
            text(&changes),
            "A: started\nB: stopped\nC\\n: restarted\n\
             listen: counts after the hub was started again\nD: no plugin\n\
             1 instance stays as before\n"
        );
        assert_eq!(text(&Changes::default()), "0 instances stay as before\n");
    }
}
