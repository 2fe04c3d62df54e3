//! Lists of devices, readings from outside, and what is switched.

use std::sync::Arc;

use serde_json::json;

use super::super::devices::Entry;
use super::{Answer, Call, Outcome, explain};
use crate::platform::domoticz::command::{self, Request};
use crate::platform::domoticz::{Reading, kind};

/// Longest text value and longest command in bytes: what a query could hold before there
/// were forms.
const MAX_VALUE: usize = 8192;
const MAX_COMMAND: usize = 200;

pub(super) async fn switch(call: &Call<'_>) -> Outcome {
    let row = call.device().await?;
    if !kind::is_switch(&row.device) {
        return Err("this device is no switch".to_owned());
    }
    let action = call.query.needed("switchcmd")?;
    if action.len() > MAX_COMMAND {
        return Err(format!("a command may have {MAX_COMMAND} bytes"));
    }
    let request = Request {
        action,
        level: call.query.number("level")?,
        color: call.query.text("color"),
    };
    if action == "Set Level" && request.level.is_none() {
        return Err("`Set Level` needs the parameter `level`".to_owned());
    }
    call.deliver(row.hardware, command::switch(&row.device, &request))?;
    Ok(Answer::ok("SwitchLight"))
}

pub(super) async fn set_point(call: &Call<'_>) -> Outcome {
    let row = call.device().await?;
    if row.device.device_type != kind::SETPOINT {
        return Err("this device is no set point".to_owned());
    }
    let value = call.query.required("setpoint")?;
    let event = command::set_point(&row.device, value).ok_or("no set point has this value")?;
    call.deliver(row.hardware, event)?;
    Ok(Answer::ok("SetSetpoint"))
}

pub(super) async fn update(call: &Call<'_>) -> Outcome {
    let query = call.query;
    let reading = Reading {
        n_value: query.number("nvalue")?,
        s_value: query.raw("svalue").map(str::to_owned),
        signal_level: query.number("rssi")?,
        battery_level: query.number("battery")?,
    };
    if reading.n_value.is_none() && reading.s_value.is_none() {
        return Err("parameter `nvalue` or `svalue` is missing".to_owned());
    }
    let length = reading.s_value.as_ref().map_or(0, String::len);
    if length > MAX_VALUE {
        return Err(format!("`svalue` may have {MAX_VALUE} bytes"));
    }
    let stored = call.api.devices.read_in(call.idx()?, reading).await;
    call.changed(stored).await?;
    Ok(Answer::ok("Update Device"))
}

pub(super) async fn make_favorite(call: &Call<'_>) -> Outcome {
    let favorite = call.query.required::<i64>("isfavorite")? != 0;
    let set = call.api.favorites.set(call.idx()?, favorite).await;
    set.map_err(explain)?;
    Ok(Answer::ok("MakeFavorite"))
}

pub(super) async fn switches(call: &Call<'_>) -> Outcome {
    let mut rows = Vec::new();
    for entry in shown(call).await?.iter().filter(|entry| entry.switch) {
        let Some(name) = name(call, entry).await? else {
            continue;
        };
        let steps = entry.steps.map(|steps| 1..=steps);
        let levels = steps.map(|steps| steps.map(|n| n.to_string()).collect::<Vec<_>>());
        rows.push(json!({
            "idx": entry.id.to_string(), "Name": name, "Type": entry.main,
            "SubType": entry.sub, "IsDimmer": levels.is_some(),
            "DimmerLevels": levels.map_or("none".to_owned(), |levels| levels.join(",")),
        }));
    }
    Ok(Answer::ok("GetLightSwitches").with_result(rows))
}

pub(super) async fn names(call: &Call<'_>) -> Outcome {
    let mut rows = Vec::new();
    for entry in shown(call).await? {
        let Some(name) = name(call, &entry).await? else {
            continue;
        };
        let name_type = format!("{name} ({}/{})", entry.main, entry.sub);
        rows.push(json!({
            "idx": entry.id.to_string(), "name": name, "name_type": name_type,
        }));
    }
    Ok(Answer::ok("DevicesList").with_result(rows))
}

/// The devices that are shown, by name.
async fn shown(call: &Call<'_>) -> Result<Vec<Arc<Entry>>, String> {
    let rows = call.api.board.all().await.map_err(explain)?;
    let shown = rows.by_name().iter().filter(|row| row.used && !row.hidden);
    Ok(shown.cloned().collect())
}

/// The name of a device; read again where it is not kept, `None` when it is gone.
async fn name(call: &Call<'_>, entry: &Arc<Entry>) -> Result<Option<Box<str>>, String> {
    if let Some(texts) = &entry.texts {
        return Ok(Some(texts.name.clone()));
    }
    let read = call.api.board.one(entry.id).await.map_err(explain)?;
    let texts = read.as_ref().and_then(|entry| entry.texts.as_ref());
    Ok(texts.map(|texts| texts.name.clone()))
}
