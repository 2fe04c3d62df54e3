//! `indigo.dimmer`: brightness and colours.

use serde_json::{Map, Value, json};

use super::{Context, device, states};
use crate::action::Step;
use crate::device::DeviceClass;
use crate::failure::Failure;
use crate::state::figure;
use crate::view::COLOR_STATES;

/// Range of a white's temperature in Kelvin.
const KELVIN: std::ops::RangeInclusive<f64> = 1200.0..=15_000.0;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "setBrightness" => level(&context, "SetBrightness", &["value", "level"], None).await,
        "brighten" => level(&context, "BrightenBy", &["by", "brightenBy"], Some(10.0)).await,
        "dim" => level(&context, "DimBy", &["by", "dimBy"], Some(10.0)).await,
        "setColorLevels" => colors(&context).await,
        "setLedState" => super::relay::led(&context),
        "setOnBrightensToDefaultToggle" | "setOnBrightensToLast" | "setDefaultBrightness" => Err(
            Failure::unsupported("a plugin's dimmer has no such setting"),
        ),
        _ => device::run(context, command).await,
    }
}

async fn level(
    context: &Context<'_>,
    member: &str,
    names: &[&str],
    default: Option<f64>,
) -> Result<Value, Failure> {
    let dimmer = context.device()?;
    if dimmer.hidden.device != DeviceClass::Dimmer {
        return Err(Failure::value(format!("'{}' is no dimmer", dimmer.name())));
    }
    let given = context.arguments.first(names);
    let value = match given {
        Some(value) => figure(value),
        None => default,
    };
    let value = value.ok_or_else(|| Failure::wrong_type("a level from 0 to 100 is expected"))?;
    if !(0.0..=100.0).contains(&value) {
        return Err(Failure::value(format!("{value} is no level from 0 to 100")));
    }
    #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
    let value = value.round() as i64;
    if states::only(context)? {
        let old = dimmer.state("brightnessLevel").and_then(figure);
        #[expect(clippy::cast_possible_truncation, reason = "from 0 to 100")]
        let old = old.unwrap_or(0.0).clamp(0.0, 100.0) as i64;
        let new = match member {
            "BrightenBy" => old.saturating_add(value).min(100),
            "DimBy" => old.saturating_sub(value).max(0),
            _ => value,
        };
        return states::put(context, vec![("brightnessLevel".to_owned(), json!(new))]).await;
    }
    let fields = json!({ "deviceId": dimmer.id, "deviceAction": member, "actionValue": value });
    context.act(Step::new("indigo.DeviceAction", fields))
}

async fn colors(context: &Context<'_>) -> Result<Value, Failure> {
    let dimmer = context.device()?;
    if dimmer.hidden.device != DeviceClass::Dimmer {
        return Err(Failure::value(format!("'{}' is no dimmer", dimmer.name())));
    }
    let mut channels = Map::new();
    for key in COLOR_STATES {
        let Some(value) = context.arguments.number(key)? else {
            continue;
        };
        let fits = match key {
            "whiteTemperature" => KELVIN.contains(&value),
            _ => (0.0..=100.0).contains(&value),
        };
        if !fits {
            return Err(Failure::value(format!("{value} is no value for {key}")));
        }
        channels.insert(key.to_owned(), json!(value));
    }
    // A white of two levels has no temperature beside.
    if channels.contains_key("whiteLevel2") {
        channels.shift_remove("whiteTemperature");
    }
    if channels.is_empty() {
        return Err(Failure::value("no colour is given"));
    }
    if states::only(context)? {
        return states::put(context, channels.into_iter().collect()).await;
    }
    let fields = json!({
        "deviceId": dimmer.id,
        "deviceAction": "SetColorLevels",
        "actionValue": channels,
    });
    context.act(Step::new("indigo.DeviceAction", fields))
}
