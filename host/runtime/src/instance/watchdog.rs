//! Notices instances in which the hub itself hangs.
//!
//! A step of an instance takes milliseconds. A step that does not end keeps a thread of the runtime
//! and cannot be stopped from outside, so all that is left is to name its instance. The look-out is
//! a thread of its own, which goes on when no other does.

use std::collections::HashMap;
use std::time::Duration;

use crate::instance::switchboard::{Switchboard, WeakSwitchboard};
use cordon_base::error::EngineError;
use cordon_base::log::Level;

/// How often instances are examined.
const LOOK: Duration = Duration::from_secs(1);

/// Looks in a row that find an instance in the same step before the log tells of it.
/// Looks and not seconds, because a process that was stopped has seen no time pass.
const LOOKS: u32 = 10;

/// Starts the thread. It ends with the switchboard.
///
/// # Errors
///
/// [`EngineError::Io`] when the system has no thread for it.
pub fn start(instances: &Switchboard) -> Result<(), EngineError> {
    let instances = instances.downgrade();
    std::thread::Builder::new()
        .name("cordon-watchdog".into())
        .spawn(move || keep(&instances))
        .map(drop)
        .map_err(|error| EngineError::io("cannot start the watchdog", error))
}

fn keep(instances: &WeakSwitchboard) {
    let mut seen = Seen::default();
    loop {
        std::thread::sleep(LOOK);
        let Some(instances) = instances.upgrade() else {
            return;
        };
        let all = instances.all();
        let steps = all.iter().filter_map(|it| {
            let began = it.meter.polled_since()?;
            Some((it.spec.account.id(), began))
        });
        for hung in seen.look(steps) {
            let named = all.iter().filter(|it| it.spec.account.id() == hung);
            for instance in named {
                let line = "the hub does not get on with a step for this plugin, which is a \
                            fault of the hub; restart it when the plugin does not answer";
                instance.spec.log.hub(Level::Error, line);
            }
        }
    }
}

/// The steps that ran at the last look.
#[derive(Default)]
struct Seen(HashMap<u64, (u64, u32)>);

impl Seen {
    /// Takes the instances that are in a step, with the beginnings of their steps. Returns the
    /// instances that have been in one step for long, each once.
    fn look(&mut self, steps: impl Iterator<Item = (u64, u64)>) -> Vec<u64> {
        let before = std::mem::take(&mut self.0);
        let mut hung = Vec::new();
        for (id, began) in steps {
            let looks = match before.get(&id) {
                Some((same, looks)) if *same == began => looks.saturating_add(1),
                _ => 1,
            };
            if looks == LOOKS {
                hung.push(id);
            }
            self.0.insert(id, (began, looks));
        }
        hung
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_does_not_end_is_told_once() {
        let mut seen = Seen::default();
        let mut told = Vec::new();
        for look in 1..=3 * LOOKS {
            // The second instance is in another step at every look.
            let steps = [(1, 7), (2, u64::from(look))];
            told.extend(seen.look(steps.into_iter()));
        }
        assert_eq!(told, [1]);
        assert!(seen.look(std::iter::empty()).is_empty());
        assert!(seen.look([(1, 7)].into_iter()).is_empty());
    }
}
