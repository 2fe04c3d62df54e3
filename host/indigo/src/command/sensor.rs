//! `indigo.sensor`: setting what a sensor shows, where it allows that.

use serde_json::Value;

use super::{Context, device};
use crate::device::DeviceClass;
use crate::failure::Failure;
use crate::state::truth;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "setOnState" => {
            let sensor = context.device()?;
            if sensor.hidden.device != DeviceClass::Sensor {
                return Err(Failure::value(format!("'{}' is no sensor", sensor.name())));
            }
            let allowed = sensor.owner_prop("AllowOnStateChange").and_then(truth);
            if allowed != Some(true) {
                return Err(Failure::value(format!(
                    "'{}' does not let its state be changed",
                    sensor.name()
                )));
            }
            let on = context.arguments.flag("value")?.unwrap_or(true);
            let member = if on { "TurnOn" } else { "TurnOff" };
            context.act(device::action(&sensor, member)?)
        }
        _ => device::run(context, command).await,
    }
}
