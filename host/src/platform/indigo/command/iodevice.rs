//! `indigo.iodevice`: outputs by number.

use serde_json::{Value, json};

use super::{Context, device};
use crate::platform::indigo::action::Step;
use crate::platform::indigo::failure::Failure;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    if command != "setBinaryOutput" {
        return device::run(context, command).await;
    }
    let io = context.device()?;
    let index = context.arguments.needed_number("index")?;
    if !(0.0..64.0).contains(&index) {
        return Err(Failure::value(format!("there is no output {index}")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 63")]
    let index = index as i64;
    let on = context.arguments.flag("value")?.unwrap_or(true);
    let member = if on { "TurnOnOutput" } else { "TurnOffOutput" };
    let fields = json!({ "deviceId": io.id, "action": member, "index": index });
    context.act(Step::new("indigo.InputOutputAction", fields))
}
