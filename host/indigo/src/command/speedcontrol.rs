//! `indigo.speedcontrol`: steps and levels of fans and the like.

use serde_json::{Value, json};

use super::{Context, device};
use crate::action::Step;
use crate::device::{DeviceClass, count};
use crate::failure::Failure;
use crate::state::figure;
use crate::view::SPEEDS;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    let (member, names): (_, &[&str]) = match command {
        "setSpeedIndex" => ("SetSpeedIndex", &["value", "index"]),
        "setSpeedLevel" => ("SetSpeedLevel", &["value", "level"]),
        "increaseSpeedIndex" => ("IncreaseSpeedIndex", &["by", "delta"]),
        "decreaseSpeedIndex" => ("DecreaseSpeedIndex", &["by", "delta"]),
        _ => return device::run(context, command).await,
    };
    let fan = context.device()?;
    if fan.hidden.device != DeviceClass::SpeedControl {
        return Err(Failure::value(format!(
            "'{}' is no speed control",
            fan.name()
        )));
    }
    let value = match context.arguments.first(names) {
        Some(value) => figure(value),
        None if member.ends_with("creaseSpeedIndex") => Some(1.0),
        None => None,
    };
    let value = value.ok_or_else(|| Failure::wrong_type("a number is expected"))?;
    let props = fan.props(fan.owner()).cloned().unwrap_or_default();
    let top = match member {
        "SetSpeedLevel" => 100.0,
        _ => f64::from(count(&props, "SpeedIndexCount", SPEEDS).saturating_sub(1)),
    };
    if !(0.0..=top).contains(&value) {
        return Err(Failure::value(format!("{value} is not from 0 to {top}")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
    let value = value.round() as i64;
    let fields = json!({
        "deviceId": fan.id,
        "speedControlAction": member,
        "actionValue": value,
    });
    context.act(Step::new("indigo.SpeedControlAction", fields))
}
