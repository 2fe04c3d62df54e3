//! The API's commands: which there are and what each does.
//!
//! A command for a device goes to its plugin and changes nothing here (rule 36); a
//! change of a row is on disk before the answer and is then told to its plugin.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::answer::Answer;
use super::query::Query;
use super::{HubApi, devices};
use crate::platform::domoticz::command::{self, Request};
use crate::platform::domoticz::{DeviceError, HubEvent, Notice, Reading, Row, kind};

/// What is answered to anything else.
const SUPPORTED: &str = "supported are type=command with param=getversion, getdevices, \
     switchlight, setsetpoint, udevice, renamedevice, deletedevice, getlog, gethardware, and the \
     older type=devices and type=hardware";

/// Records in one `getlog` answer.
const LOG_RECORDS: usize = 1000;

/// What the answer says when it is not OK.
type Outcome = Result<Answer, String>;

/// Carries a command out.
pub(super) async fn run(api: &HubApi, query: &Query) -> Answer {
    let kind = query.text("type").unwrap_or("command");
    let command = match (kind, query.text("param")) {
        ("command", Some(command)) => command,
        ("devices", _) => "getdevices",
        ("hardware", _) => "gethardware",
        _ => return Answer::error("Error", SUPPORTED),
    };
    let (title, outcome) = match command {
        "getversion" => ("GetVersion", Ok(version(api))),
        "getdevices" => ("Devices", devices::list(api, query).await),
        "switchlight" => ("SwitchLight", switch_light(api, query).await),
        "setsetpoint" => ("SetSetpoint", set_set_point(api, query).await),
        "udevice" => ("Update Device", update(api, query).await),
        "renamedevice" => ("RenameDevice", rename(api, query).await),
        "deletedevice" => ("DeleteDevice", delete(api, query).await),
        "getlog" => ("GetLog", log(api, query)),
        "gethardware" => ("Hardware", Ok(hardware(api))),
        _ => ("Error", Err(SUPPORTED.to_owned())),
    };
    outcome.unwrap_or_else(|message| Answer::error(title, message))
}

fn version(api: &HubApi) -> Answer {
    let info = &api.version;
    Answer::ok("GetVersion")
        .with("version", info.version.as_str())
        .with("Revision", info.revision)
        .with("build_time", info.build_time.as_str())
        .with("hash", info.hash.as_str())
        .with("python_version", info.python_version.as_str())
        .with("dzvents_version", "")
        .with("SystemName", std::env::consts::OS)
        .with("HaveUpdate", false)
        .with("UseUpdate", false)
        .with("DomoticzUpdateURL", "")
}

async fn switch_light(api: &HubApi, query: &Query) -> Outcome {
    let row = device(api, query).await?;
    if !kind::is_switch(&row.device) {
        return Err("this device is no switch".to_owned());
    }
    let action = query
        .text("switchcmd")
        .ok_or("parameter `switchcmd` is missing")?;
    let request = Request {
        action,
        level: query.number("level")?,
        color: query.text("color"),
    };
    if action == "Set Level" && request.level.is_none() {
        return Err("`Set Level` needs the parameter `level`".to_owned());
    }
    deliver(api, row.hardware, command::switch(&row.device, &request))?;
    Ok(Answer::ok("SwitchLight"))
}

async fn set_set_point(api: &HubApi, query: &Query) -> Outcome {
    let row = device(api, query).await?;
    if row.device.device_type != kind::SETPOINT {
        return Err("this device is no set point".to_owned());
    }
    let value = query.required("setpoint")?;
    let event = command::set_point(&row.device, value).ok_or("no set point has this value")?;
    deliver(api, row.hardware, event)?;
    Ok(Answer::ok("SetSetpoint"))
}

async fn update(api: &HubApi, query: &Query) -> Outcome {
    let reading = Reading {
        n_value: query.number("nvalue")?,
        s_value: query.raw("svalue").map(str::to_owned),
        signal_level: query.number("rssi")?,
        battery_level: query.number("battery")?,
    };
    if reading.n_value.is_none() && reading.s_value.is_none() {
        return Err("parameter `nvalue` or `svalue` is missing".to_owned());
    }
    changed(api, api.devices.read_in(idx(query)?, reading).await).await?;
    Ok(Answer::ok("Update Device"))
}

async fn rename(api: &HubApi, query: &Query) -> Outcome {
    let name = query.text("name").ok_or("parameter `name` is missing")?;
    changed(api, api.devices.rename(idx(query)?, name.to_owned()).await).await?;
    Ok(Answer::ok("RenameDevice"))
}

async fn delete(api: &HubApi, query: &Query) -> Outcome {
    changed(api, api.devices.remove(idx(query)?).await).await?;
    Ok(Answer::ok("DeleteDevice"))
}

fn hardware(api: &HubApi) -> Answer {
    let row = |info: crate::platform::domoticz::HardwareInfo| {
        json!({
            "idx": info.id.to_string(),
            "Name": info.name,
            "Enabled": "true",
            "Type": devices::PLUGIN_HARDWARE,
            "Extra": info.key,
            "State": info.state,
            "Detail": info.detail,
        })
    };
    let rows = api.plugins.hardware().into_iter().map(row).collect();
    Answer::ok("Hardware").with_result(rows)
}

/// Records later than the whole second `lastlogtime`.
///
/// Clients ask again with the `LastLogTime` of the answer. So that none of them
/// misses a record, that is never the second that is still running, and a follower
/// gets the records of a second when it is over.
fn log(api: &HubApi, query: &Query) -> Outcome {
    let after: i64 = query.number("lastlogtime")?.unwrap_or(0);
    let mask: u32 = query.number("loglevel")?.unwrap_or(u32::MAX);
    let now = Timestamp::now().as_second();
    let before = if after > 0 { now } else { i64::MAX };
    let mut records = api.log.tail(Timestamp::from_second(after).ok(), usize::MAX);
    records.retain(|record| {
        let second = record.time.as_second();
        second > after && second < before && record.level.mask() & mask != 0
    });
    let skipped = records.len().saturating_sub(LOG_RECORDS);
    let row = |record: &crate::log::Record| -> Value {
        json!({"level": record.level.mask(), "message": record.line()})
    };
    let last = records
        .last()
        .map_or(after, |record| record.time.as_second());
    let rows = records
        .iter()
        .skip(skipped)
        .map(|record| row(record))
        .collect();
    let last = last.min(now.saturating_sub(1)).max(after).to_string();
    Ok(Answer::ok("GetLog")
        .with("LastLogTime", last)
        .with_result(rows))
}

fn idx(query: &Query) -> Result<i64, String> {
    query.required("idx")
}

async fn device(api: &HubApi, query: &Query) -> Result<Row, String> {
    api.devices.find(idx(query)?).await.map_err(explain)
}

fn explain(error: DeviceError) -> String {
    match error {
        DeviceError::Missing => "no device has this idx".to_owned(),
        other => other.to_string(),
    }
}

fn deliver(api: &HubApi, hardware: u32, event: HubEvent) -> Result<(), String> {
    let delivered = api.plugins.deliver(hardware, event);
    delivered.map_err(|error| format!("hardware {hardware}: {error}"))
}

/// Tells the plugins. The change is stored whether or not they can be told.
async fn changed(api: &HubApi, outcome: Result<Notice, DeviceError>) -> Result<(), String> {
    api.house.tell(outcome.map_err(explain)?).await;
    Ok(())
}
