//! `indigo.sprinkler`: zones and schedules of zones.

use serde_json::{Value, json};

use super::{Context, device};
use crate::action::Step;
use crate::device::{DeviceClass, count};
use crate::failure::Failure;
use crate::object::Object;
use crate::state::figure;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    let member = match command {
        "run" => "RunNewSchedule",
        "runPrevious" => "RunPreviousSchedule",
        "pause" => "PauseSchedule",
        "resume" => "ResumeSchedule",
        "stop" => "StopSchedule",
        "nextZone" => "NextZone",
        "previousZone" => "PreviousZone",
        "setActiveZone" => "ZoneOn",
        _ => return device::run(context, command).await,
    };
    let sprinkler = context.device()?;
    if sprinkler.hidden.device != DeviceClass::Sprinkler {
        return Err(Failure::value(format!(
            "'{}' is no sprinkler",
            sprinkler.name()
        )));
    }
    let durations = durations(&context, &sprinkler)?;
    let zone = match context.arguments.number("index")? {
        Some(zone) => zone,
        None if member == "ZoneOn" => return Err(Failure::wrong_type("index is missing")),
        None => 0.0,
    };
    let zones = zones(&sprinkler);
    if member == "ZoneOn" && !(0.0..=f64::from(zones)).contains(&zone) {
        return Err(Failure::index(format!("there is no zone {zone}")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 64")]
    let zone = zone as i64;
    let member = if member == "ZoneOn" && zone == 0 {
        "AllZonesOff"
    } else {
        member
    };
    context.act(Step::new(
        "indigo.SprinklerAction",
        json!({
            "deviceId": sprinkler.id,
            "sprinklerAction": member,
            "zoneIndex": zone,
            "zoneDurations": durations,
            "multiplierVarId": Value::Null,
        }),
    ))
}

fn zones(sprinkler: &Object) -> u32 {
    let props = sprinkler
        .props(sprinkler.owner())
        .cloned()
        .unwrap_or_default();
    count(&props, "NumZones", 1)
}

/// Minutes of each zone.
fn durations(context: &Context<'_>, sprinkler: &Object) -> Result<Vec<f64>, Failure> {
    let most = usize::try_from(zones(sprinkler)).unwrap_or(0);
    let given = context.arguments.list("schedule")?;
    let minutes = given.iter().take(most).map(|value| {
        let minutes = figure(value).filter(|it| (0.0..=1440.0).contains(it));
        minutes.ok_or_else(|| Failure::value(format!("{value} is no number of minutes")))
    });
    minutes.collect()
}
