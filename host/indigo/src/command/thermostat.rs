//! `indigo.thermostat`: modes and set points.

use serde_json::{Value, json};

use super::{Context, device};
use crate::action::Step;
use crate::device::{DeviceClass, FAN_MODES, HVAC_MODES};
use crate::failure::Failure;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    let member = match command {
        "setHvacMode" => "SetHvacMode",
        "setFanMode" => "SetFanMode",
        "setCoolSetpoint" => "SetCoolSetpoint",
        "setHeatSetpoint" => "SetHeatSetpoint",
        "increaseCoolSetpoint" => "IncreaseCoolSetpoint",
        "increaseHeatSetpoint" => "IncreaseHeatSetpoint",
        "decreaseCoolSetpoint" => "DecreaseCoolSetpoint",
        "decreaseHeatSetpoint" => "DecreaseHeatSetpoint",
        "statusRequest" => return request(&context),
        _ => return device::run(context, command).await,
    };
    let thermostat = thermostat(&context)?;
    let mut fields = json!({ "deviceId": thermostat, "thermostatAction": member });
    let (key, value) = match member {
        "SetHvacMode" => ("actionMode", mode(&context, &HVAC_MODES)?),
        "SetFanMode" => ("actionMode", mode(&context, &FAN_MODES)?),
        "SetCoolSetpoint" | "SetHeatSetpoint" => (
            "actionValue",
            json!(context.arguments.needed_number("value")?),
        ),
        _ => {
            let delta = context.arguments.number("delta")?;
            ("actionValue", json!(delta.unwrap_or(1.0)))
        }
    };
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(key.to_owned(), value);
    }
    context.act(Step::new("indigo.ThermostatAction", fields))
}

fn thermostat(context: &Context<'_>) -> Result<i64, Failure> {
    let thermostat = context.device()?;
    if thermostat.hidden.device != DeviceClass::Thermostat {
        return Err(Failure::value(format!(
            "'{}' is no thermostat",
            thermostat.name()
        )));
    }
    Ok(thermostat.id)
}

fn mode(context: &Context<'_>, members: &[(&str, &str)]) -> Result<Value, Failure> {
    let value = context.arguments.needed_text("value")?;
    match members.iter().find(|(_, member)| *member == value) {
        Some((_, member)) => Ok(Value::from(*member)),
        None => Err(Failure::value(format!("there is no mode {value}"))),
    }
}

/// A thermostat is asked for its status by an action of its own class as well; plugins
/// of the original get the universal one.
fn request(context: &Context<'_>) -> Result<Value, Failure> {
    let id = thermostat(context)?;
    let fields = json!({ "deviceId": id, "deviceAction": "RequestStatus" });
    context.act(Step::new("indigo.UniversalAction", fields))
}
