//! `indigo.iodevice`: outputs by number.

use serde_json::{Value, json};

use super::{Context, device};
use crate::action::Step;
use crate::device::DeviceClass;
use crate::failure::Failure;
use crate::view::numbered;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    if command != "setBinaryOutput" {
        return device::run(context, command).await;
    }
    let io = context.device()?;
    if io.hidden.device != DeviceClass::MultiIo {
        return Err(Failure::value(format!(
            "'{}' is no device with inputs and outputs",
            io.name()
        )));
    }
    let states = io.fields.get("states").and_then(Value::as_object);
    let outputs = states.map_or(0, |states| numbered(states, "binaryOutput").len());
    let index = context.arguments.needed_number("index")?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float is cut to the range, and is below the count then"
    )]
    let place = index as usize;
    if index < 0.0 || place >= outputs {
        return Err(Failure::index(format!(
            "'{}' has {outputs} outputs, which count from 0; there is no output {index}",
            io.name()
        )));
    }
    let on = context.arguments.flag("value")?;
    let on = on.ok_or_else(|| Failure::wrong_type("value is missing"))?;
    let member = if on { "TurnOnOutput" } else { "TurnOffOutput" };
    let fields = json!({ "deviceId": io.id, "action": member, "index": place });
    context.act(Step::new("indigo.InputOutputAction", fields))
}
