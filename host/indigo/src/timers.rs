//! Steps that wait for their time.
//!
//! They are in memory only: the reason for a delay is over when the hub was off.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::action::Step;
use super::bounds::{footprint, map_footprint};
use super::caller::Caller;
use super::failure::Failure;
use cordon_base::account::Charge;
use cordon_base::limits::Limits;

/// Steps that may wait for the operator's own triggers and schedules, and as many for clients.
const MOST: usize = 4096;

/// Longest delay: a year. Longer ones are cut.
const LONGEST: f64 = 31_536_000.0;

/// A step that waits.
pub(super) struct Delayed {
    pub(super) caller: Caller,
    pub(super) step: Step,
    pub(super) data: Option<Value>,
    /// Room for the step in the account of the plugin that caused it.
    pub(super) charge: Option<Charge>,
}

/// The steps that wait.
#[derive(Default)]
pub struct Timers {
    waiting: Mutex<Waiting>,
    /// Rung when a step came in front of the others.
    pub(super) changed: Notify,
}

#[derive(Default)]
struct Waiting {
    steps: BTreeMap<(Instant, u64), Delayed>,
    last: u64,
}

impl Waiting {
    /// Refuses one step more of a caller who has as many as it may have.
    fn admit(&self, caller: &Caller) -> Result<(), Failure> {
        let charged = caller.charged();
        // Clients have room of their own, and the operator's triggers and schedules have theirs.
        let client = caller.is_client();
        let same = |other: &&Delayed| {
            other.caller.charged() == charged && other.caller.is_client() == client
        };
        let alike = self.steps.values().filter(same);
        let used = alike.clone().count();
        if let Some(limits) = caller.limits() {
            let count = u64::try_from(used).unwrap_or(u64::MAX).saturating_add(1);
            return match count > limits.timers {
                true => Err(Limits::hit("timers", count, limits.timers).into()),
                false => Ok(()),
            };
        }
        let Some(user) = caller.user() else {
            return match used >= MOST {
                true => Err(Failure::other(format!("{MOST} actions wait already"))),
                false => Ok(()),
            };
        };
        // A user leaves half of what the others have left, so that there is some for the next.
        let own = alike
            .filter(|other| other.caller.user() == Some(user))
            .count();
        let share = MOST.saturating_sub(used.saturating_sub(own)) / 2;
        match own >= share {
            true => Err(Failure::other(format!(
                "{own} actions of this user wait already, and {share} may; wait until some of them \
                 are due"
            ))),
            false => Ok(()),
        }
    }
}

impl Timers {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a step that is due after its delay.
    ///
    /// # Errors
    ///
    /// The limits `timers` and `host-memory` of the plugin that caused the step.
    pub(super) fn add(&self, mut delayed: Delayed) -> Result<(), Failure> {
        if let Some(plugin) = delayed.caller.plugin() {
            let data = delayed.data.as_ref().map_or(0, footprint);
            let bytes = map_footprint(&delayed.step.fields).saturating_add(data);
            delayed.charge = Some(plugin.account.charge(bytes)?);
        }
        let seconds = delayed.step.delay.clamp(0.0, LONGEST);
        let due = Instant::now() + Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let mut waiting = self.waiting();
        if delayed.step.replace {
            waiting
                .steps
                .retain(|_, other| !other.step.is_like(&delayed.step));
        }
        waiting.admit(&delayed.caller)?;
        waiting.last = waiting.last.wrapping_add(1);
        let number = waiting.last;
        waiting.steps.insert((due, number), delayed);
        drop(waiting);
        self.changed.notify_one();
        Ok(())
    }

    /// When the next step is due.
    #[must_use]
    pub(super) fn next(&self) -> Option<Instant> {
        let waiting = self.waiting();
        waiting.steps.first_key_value().map(|((due, _), _)| *due)
    }

    /// The steps that are due.
    #[must_use]
    pub(super) fn due(&self, now: Instant) -> Vec<Delayed> {
        let mut waiting = self.waiting();
        let later = waiting.steps.split_off(&(now, u64::MAX));
        let due = std::mem::replace(&mut waiting.steps, later);
        due.into_values().collect()
    }

    /// Forgets the steps about an object.
    pub(super) fn remove(&self, id: i64) {
        let mut waiting = self.waiting();
        waiting.steps.retain(|_, it| !it.step.concerns(id));
    }

    /// Forgets all steps of a plugin, or every step for the operator.
    pub(super) fn clear(&self, caller: &Caller) {
        let mut waiting = self.waiting();
        let own = caller.charged();
        waiting
            .steps
            .retain(|_, it| !own.is_empty() && it.caller.charged() != own);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fill(timers: &Timers, caller: &Caller) -> usize {
        let mut count = 0;
        loop {
            let delayed = Delayed {
                caller: caller.clone(),
                step: Step::new("indigo.DeviceAction", json!({"n": count})).after(1000.0),
                data: None,
                charge: None,
            };
            match timers.add(delayed) {
                Ok(()) => count += 1,
                Err(failure) => {
                    let text = failure.to_string();
                    assert!(text.contains("wait already"), "{text}");
                    return count;
                }
            }
        }
    }

    #[test]
    fn a_user_leaves_half_to_the_others_and_all_to_triggers() {
        let timers = Timers::default();
        let eve = Caller::client("api-http", "eve");
        assert_eq!(fill(&timers, &eve), MOST / 2);
        // Steps that follow from a command of a user count for that user, however it came.
        let later = Caller::Chain(Caller::client("api-websocket", "eve").chain());
        assert_eq!(fill(&timers, &later), 0);
        assert_eq!(fill(&timers, &Caller::client("api-http", "ann")), MOST / 4);
        assert_eq!(
            fill(&timers, &Caller::client("api-http", "10.0.0.9")),
            MOST / 8
        );
        let trigger = Caller::Chain(Caller::Operator(super::super::caller::SERVER).chain());
        assert_eq!(fill(&timers, &trigger), MOST);
    }
}
