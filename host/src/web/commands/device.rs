//! Lists of devices, readings from outside, and what is switched.

use serde_json::{Value, json};

use super::super::names;
use super::{Answer, Call, Outcome, explain};
use crate::platform::domoticz::command::{self, Request};
use crate::platform::domoticz::{Reading, Row, kind};

pub(super) async fn switch(call: &Call<'_>) -> Outcome {
    let row = call.device().await?;
    if !kind::is_switch(&row.device) {
        return Err("this device is no switch".to_owned());
    }
    let action = call.query.needed("switchcmd")?;
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
    let row = |row: &Row| {
        let device = &row.device;
        let dims = kind::dims(device);
        let levels: Vec<_> = (1..=kind::dim_range(device))
            .map(|n| n.to_string())
            .collect();
        json!({
            "idx": device.id.to_string(), "Name": device.name, "Type": names::main(device),
            "SubType": names::sub(device), "IsDimmer": dims,
            "DimmerLevels": if dims { levels.join(",") } else { "none".to_owned() },
        })
    };
    let mut rows = shown(call).await?;
    rows.retain(|row| kind::is_switch(&row.device));
    Ok(Answer::ok("GetLightSwitches").with_result(rows.iter().map(row).collect()))
}

pub(super) async fn names(call: &Call<'_>) -> Outcome {
    let row = |row: &Row| -> Value {
        let device = &row.device;
        let (main, sub) = (names::main(device), names::sub(device));
        json!({
            "idx": device.id.to_string(), "name": device.name,
            "name_type": format!("{} ({main}/{sub})", device.name),
        })
    };
    let rows = shown(call).await?;
    Ok(Answer::ok("DevicesList").with_result(rows.iter().map(row).collect()))
}

/// The devices that are shown, by name.
async fn shown(call: &Call<'_>) -> Result<Vec<Row>, String> {
    let mut rows = call.api.devices.all().await.map_err(explain)?;
    rows.retain(|row| row.device.used != 0 && !row.device.name.starts_with('$'));
    rows.sort_by_key(|row| row.device.name.to_lowercase());
    Ok(rows)
}
