//! The hub's log, and the logs of switches and texts.

use std::sync::{Arc, Weak};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::super::names;
use super::{Answer, Call, Outcome, failed};
use crate::history::LogRow;
use crate::{Device, kind};
use cordon_base::log::{Level, Record};

/// Records in one `getlog` answer.
const LOG_RECORDS: usize = 1000;
/// Longest message that a client can put into the log, in bytes.
const MAX_MESSAGE: usize = 1024;

/// Records later than the whole second `lastlogtime`.
///
/// Clients ask again with the `LastLogTime` of the answer. `LastLogTime` is never the second that
/// is still running, so that no client misses a record, and a follower gets the records of a second
/// when it is over.
pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let after: i64 = call.query.number("lastlogtime")?.unwrap_or(0);
    let mask: u32 = call.query.number("loglevel")?.unwrap_or(u32::MAX);
    let now = Timestamp::now().as_second();
    let before = if after > 0 { now } else { i64::MAX };
    // When there are more, everybody has a share of the answer.
    let wanted = |record: &Record| {
        let second = record.time.as_second();
        second > after && second < before && record.level.mask() & mask != 0
    };
    let records = call.api.log.select(LOG_RECORDS, |_| true, wanted);
    let last = records
        .last()
        .map_or(after, |record| record.time.as_second());
    // Whoever reads slowly keeps no line that the log has dropped.
    let lines: Vec<_> = records.iter().map(Arc::downgrade).collect();
    let weight = lines.len().saturating_mul(size_of::<Record>());
    let row = |line: Weak<Record>| {
        let record = line.upgrade()?;
        Some(json!({"level": record.level.mask(), "message": record.line()}))
    };
    let last = last.min(now.saturating_sub(1)).max(after).to_string();
    Ok(Answer::ok("GetLog")
        .with("LastLogTime", last)
        .with_each(lines.into_iter().filter_map(row), weight))
}

/// Adds a line where everybody looks, so it names its writer: the user, if the hub knows one.
pub(super) async fn add(call: &Call<'_>) -> Outcome {
    let message = call.query.needed("message")?;
    if message.len() > MAX_MESSAGE {
        return Err(format!("a message may have {MAX_MESSAGE} bytes"));
    }
    let level = match call.query.number::<u32>("level")? {
        Some(2) => Level::Status,
        Some(4) => Level::Error,
        _ => Level::Normal,
    };
    // One request is one line, and the line is nobody's but the writer's.
    let message = message.replace(char::is_control, " ");
    let who = match call.caller.is_local() {
        true => call.peer.to_string(),
        false => call.caller.name.clone(),
    };
    let text = format!("API ({who}): {message}");
    match call.api.log.record_client(level, &text) {
        true => Ok(Answer::ok("AddLogMessage")),
        false => Err("clients have written too much to the log; try again in a moment".to_owned()),
    }
}

pub(super) async fn switches(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let rows = call.api.history.log(device.id).await.map_err(failed)?;
    let dims = device.switch_type == kind::DIMMER || kind::is_blinds_percentage(&device);
    let selects = device.switch_type == kind::SELECTOR;
    let steps = kind::dim_range(&device);
    let weight = weight(&rows);
    let mut then = Device {
        device_type: device.device_type,
        sub_type: device.sub_type,
        switch_type: device.switch_type,
        ..Device::default()
    };
    let row = move |row: LogRow| {
        then.n_value = row.n_value;
        let level = row.s_value.trim().parse::<i64>();
        let level = kind::level(&then, level.unwrap_or(0), false);
        let status = names::status(&then, level);
        json!({
            "idx": row.id.to_string(), "Date": date(&row), "Data": status, "Status": status,
            "Level": level, "MaxDimLevel": if dims || selects { steps } else { 0 },
            "User": row.user,
        })
    };
    Ok(Answer::ok("GetLightLog")
        .with("HaveDimmer", dims)
        .with("HaveGroupCmd", false)
        .with("HaveSelector", selects)
        .with_each(rows.into_iter().map(row), weight))
}

pub(super) async fn texts(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let rows = call.api.history.log(device.id).await.map_err(failed)?;
    let weight = weight(&rows);
    let row =
        |row: LogRow| json!({"idx": row.id.to_string(), "Date": date(&row), "Data": row.s_value});
    Ok(Answer::ok("GetTextLog").with_each(rows.into_iter().map(row), weight))
}

pub(super) async fn clear_switches(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    call.api
        .history
        .clear_log(device.id)
        .await
        .map_err(failed)?;
    Ok(Answer::ok("ClearLightLog"))
}

/// Bytes of these rows.
fn weight(rows: &[LogRow]) -> usize {
    let each = rows
        .iter()
        .map(|row| row.s_value.len().saturating_add(row.user.len()));
    each.fold(size_of_val(rows), usize::saturating_add)
}

fn date(row: &LogRow) -> String {
    let time = Timestamp::from_millisecond(row.time).unwrap_or_default();
    let local = time.to_zoned(TimeZone::system());
    local.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
