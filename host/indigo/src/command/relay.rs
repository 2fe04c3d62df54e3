//! `indigo.relay`: what relays have beside the commands of every device.

use serde_json::Value;

use super::{Context, device};
use crate::failure::Failure;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "setLedState" => led(&context),
        _ => device::run(context, command).await,
    }
}

/// Lamps behind buttons are a thing of interfaces that this server does not have.
pub(super) fn led(context: &Context<'_>) -> Result<Value, Failure> {
    let relay = context.device()?;
    Err(Failure::unsupported(format!(
        "'{}' has no lamps that the server could switch",
        relay.name()
    )))
}
