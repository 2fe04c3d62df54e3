//! Schedules of sprinklers that the server runs, one zone after the other.
//!
//! A plugin whose devices override schedules gets the whole schedule. For all other plugins the
//! server switches the zones itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::action::Step;
use super::caller::Caller;
use super::control;
use super::device::count;
use super::execute;
use super::failure::Failure;
use super::object::Object;
use super::promptly::begin_promptly;
use super::server::IndigoServer;
use super::state::{figure, truth};
use super::table::Collection;

/// Most zones of a sprinkler.
const ZONES: usize = 64;

/// Shortest time of a zone that is on. Valves need longer, and each zone is work of its own.
const SHORTEST: Duration = Duration::from_secs(1);

/// The running schedules, by device.
#[derive(Default)]
pub(super) struct Sprinklers {
    plans: Mutex<BTreeMap<i64, Plan>>,
}

/// The schedule of one sprinkler.
#[derive(Clone)]
struct Plan {
    caller: Caller,
    /// Minutes of each zone.
    minutes: Vec<f64>,
    /// The zone that is on, from 0.
    zone: usize,
    /// When the zone is over; nothing while the schedule rests.
    until: Option<Instant>,
    /// Time that the zone had left when the schedule was paused.
    left: Duration,
    /// Whether the schedule is over. It is kept so that it can be run again.
    done: bool,
}

impl Sprinklers {
    fn plans(&self) -> MutexGuard<'_, BTreeMap<i64, Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When a zone is over next.
    pub(super) fn next(&self) -> Option<Instant> {
        self.plans().values().filter_map(|plan| plan.until).min()
    }

    /// Adds the running schedule of a sprinkler, and where it was paused, to the sprinkler as
    /// callers see it. A plugin that runs schedules itself has them in its properties.
    pub(super) fn show(&self, sprinkler: &Object, seen: &mut Value) {
        let plans = self.plans();
        let Some(plan) = plans.get(&sprinkler.id).filter(|plan| !plan.done) else {
            return;
        };
        let Some(seen) = seen.as_object_mut() else {
            return;
        };
        seen.insert("zoneScheduledDurations".to_owned(), json!(plan.minutes));
        if plan.until.is_none() {
            let zone = plan.zone.saturating_add(1);
            let left = plan.left.as_secs_f64() / 60.0;
            seen.insert("pausedScheduleZone".to_owned(), json!(zone));
            let key = "pausedScheduleRemainingZoneDuration";
            seen.insert(key.to_owned(), json!(left));
        }
    }

    /// Forgets a device that is gone.
    pub(super) fn forget(&self, device: i64) {
        self.plans().remove(&device);
    }
}

impl Plan {
    /// Goes to the first zone from `from` on that has minutes. False when there is none.
    fn go(&mut self, from: usize) -> bool {
        let next = self.minutes.iter().enumerate().skip(from);
        let next = next.into_iter().find(|(_, minutes)| **minutes > 0.0);
        let Some((zone, minutes)) = next else {
            self.until = None;
            self.done = true;
            return false;
        };
        self.zone = zone;
        self.done = false;
        let time = Duration::try_from_secs_f64(minutes * 60.0).unwrap_or_default();
        self.until = Some(Instant::now() + time.max(SHORTEST));
        true
    }

    /// The zone before the one that is on; nothing when that is the first.
    fn before(&self) -> Option<usize> {
        let earlier = self.minutes.iter().enumerate().take(self.zone);
        let found = earlier.rev().find(|(_, minutes)| **minutes > 0.0);
        found.map(|(zone, _)| zone)
    }

    /// Ends the schedule: no zone is on.
    fn end(&mut self) -> bool {
        self.until = None;
        self.done = true;
        false
    }
}

/// Carries out an action on a sprinkler. An action on one zone, or on a device that overrides
/// schedules, goes to its plugin.
///
/// # Errors
///
/// The action is wrong.
pub(super) fn carry_out(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    step: &Step,
) -> Result<(), Failure> {
    let sprinkler = execute::find(server, Collection::Devices, step, "deviceId")?;
    let member = step.text("sprinklerAction");
    let overrides = sprinkler.owner_prop("OverrideScheduleActions");
    if overrides.and_then(truth) == Some(true)
        || matches!(member, "ZoneOn" | "AllZonesOff" | "RequestStatusAll")
    {
        return control::control(server, caller, step);
    }
    let factor = match step.fields.get("multiplierVarId") {
        None | Some(Value::Null) => 1.0,
        Some(_) => {
            let variable = execute::find(server, Collection::Variables, step, "multiplierVarId")?;
            let value = variable.fields.get("value").and_then(figure);
            value.ok_or_else(|| {
                let text = format!("'{}' holds no number to multiply by", variable.name());
                Failure::value(text)
            })?
        }
    };
    let minutes = step.fields.get("zoneDurations").and_then(Value::as_array);
    let minutes = minutes.into_iter().flatten().take(ZONES);
    let minutes = minutes.map(|it| (figure(it).unwrap_or(0.0) * factor).clamp(0.0, 1440.0));
    order(server, caller, &sprinkler, member, minutes.collect())
}

/// The zone that is so many places beside the one that is on, where no schedule runs. Past the
/// first and the last zone, all are off.
fn beside(sprinkler: &Object, step: i64) -> Option<usize> {
    let states = sprinkler.fields.get("states");
    let active = states.and_then(|it| it.get("activeZone")).and_then(figure);
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 64")]
    let active = active.unwrap_or(0.0).clamp(0.0, 64.0) as i64;
    let props = sprinkler.props(sprinkler.owner());
    let zones = props.map_or(1, |props| count(props, "NumZones", 1));
    let zone = active.saturating_add(step);
    if active == 0 && step < 0 || zone < 1 || zone > i64::from(zones) {
        return None;
    }
    usize::try_from(zone.saturating_sub(1)).ok()
}

/// Follows a command about the schedule of a sprinkler.
///
/// # Errors
///
/// Nothing to run.
fn order(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    sprinkler: &Object,
    member: &str,
    minutes: Vec<f64>,
) -> Result<(), Failure> {
    let mut plans = server.sprinklers.plans();
    let missing = || Failure::value(format!("'{}' has no schedule", sprinkler.name()));
    if member == "RunNewSchedule" {
        let plan = Plan {
            caller: caller.clone(),
            minutes,
            zone: 0,
            until: None,
            left: Duration::ZERO,
            done: true,
        };
        plans.insert(sprinkler.id, plan);
    }
    let Some(plan) = plans.get_mut(&sprinkler.id) else {
        drop(plans);
        let on = match member {
            "NextZone" => beside(sprinkler, 1),
            "PreviousZone" => beside(sprinkler, -1),
            "StopSchedule" => None,
            _ => return Err(missing()),
        };
        switch(server, caller, sprinkler.id, on);
        return Ok(());
    };
    let on = match member {
        "RunNewSchedule" | "RunPreviousSchedule" => plan.go(0),
        "NextZone" => plan.go(plan.zone.saturating_add(1)),
        "PreviousZone" => match plan.before() {
            Some(zone) => plan.go(zone),
            None => plan.end(),
        },
        "ResumeSchedule" if !plan.done && plan.until.is_none() => {
            plan.until = Some(Instant::now() + plan.left);
            true
        }
        "ResumeSchedule" => return Ok(()),
        "PauseSchedule" => {
            if let Some(until) = plan.until.take() {
                plan.left = until.saturating_duration_since(Instant::now());
            }
            false
        }
        _ => plan.end(),
    };
    let zone = plan.zone;
    drop(plans);
    server.timers.changed.notify_one();
    switch(server, caller, sprinkler.id, on.then_some(zone));
    Ok(())
}

/// Goes to the next zone where one is over.
pub(super) fn advance(server: &Arc<IndigoServer>) {
    let now = Instant::now();
    let mut switched = Vec::new();
    for (device, plan) in &mut *server.sprinklers.plans() {
        if plan.until.is_some_and(|until| until <= now) {
            let on = plan.go(plan.zone.saturating_add(1));
            switched.push((*device, plan.caller.clone(), on.then_some(plan.zone)));
        }
    }
    for (device, caller, zone) in switched {
        super::clock::begin(server, &caller, move |server, caller| {
            switch(server, caller, device, zone);
        });
    }
}

/// Switches a zone on, or all off.
fn switch(server: &Arc<IndigoServer>, caller: &Caller, device: i64, zone: Option<usize>) {
    let member = if zone.is_some() {
        "ZoneOn"
    } else {
        "AllZonesOff"
    };
    let fields = json!({
        "deviceId": device,
        "sprinklerAction": member,
        "zoneIndex": zone.map_or(0, |zone| zone.saturating_add(1)),
        "zoneDurations": [],
        "multiplierVarId": null,
    });
    let step = Step::new("indigo.SprinklerAction", fields);
    match caller.plugin() {
        Some(_) => execute::begin_unasked(server, caller, step, None),
        None => begin_promptly(server, caller, step, None),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::caller::SERVER;

    #[test]
    fn a_zone_is_on_for_a_second_at_least() {
        let mut plan = Plan {
            caller: Caller::Operator(SERVER),
            minutes: vec![0.0, 1e-12],
            zone: 0,
            until: None,
            left: Duration::ZERO,
            done: true,
        };
        let begun = Instant::now();
        assert!(plan.go(0));
        assert_eq!(plan.zone, 1);
        assert!(plan.until.unwrap() >= begun + SHORTEST);
        assert!(!plan.go(2));
    }
}
