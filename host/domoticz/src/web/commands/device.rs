//! Lists of devices, readings from outside, and commands to switch.

use futures_util::future::BoxFuture;
use serde_json::{Value, json};

use super::super::devices::{Board, Entry, Listed};
use super::{Answer, Call, Outcome, explain};
use crate::command::{self, Request};
use crate::{Reading, Row, kind};
use cordon_web::rows::{Commas, PIECE, Pieces};

/// Longest text value and longest command in bytes: the length that a query could hold before there
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
    if !kind::is_set_point(&row.device) {
        return Err("this device is no set point".to_owned());
    }
    let wanted = call.query.required("setpoint")?;
    want(call, &row, wanted, "SetSetpoint")
}

/// Has the plugin of a set point set it.
fn want(call: &Call<'_>, row: &Row, wanted: f64, title: &str) -> Outcome {
    let event = command::set_point(&row.device, wanted).ok_or("no set point has this value")?;
    call.deliver(row.hardware, event)?;
    Ok(Answer::ok(title))
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
    let row = call.device().await?;
    if kind::is_set_point(&row.device) {
        // Apps and bridges set what is wanted in this way; only the plugin knows whether it is.
        let wanted = query.required("svalue")?;
        return want(call, &row, wanted, "Update Device");
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
    let row = |entry: &Entry, name: &str| {
        let steps = entry.steps.map(|steps| 1..=steps);
        let levels = steps.map(|steps| steps.map(|n| n.to_string()).collect::<Vec<_>>());
        json!({
            "idx": entry.id.to_string(), "Name": name, "Type": entry.main,
            "SubType": entry.sub, "IsDimmer": levels.is_some(),
            "DimmerLevels": levels.map_or("none".to_owned(), |levels| levels.join(",")),
        })
    };
    list(call, "GetLightSwitches", |entry| entry.switch, row).await
}

pub(super) async fn names(call: &Call<'_>) -> Outcome {
    let row = |entry: &Entry, name: &str| {
        let name_type = format!("{name} ({}/{})", entry.main, entry.sub);
        json!({"idx": entry.id.to_string(), "name": name, "name_type": name_type})
    };
    list(call, "DevicesList", |_| true, row).await
}

/// The devices that are shown and wanted, by name, with a row for each.
async fn list(
    call: &Call<'_>,
    title: &str,
    wanted: impl Fn(&Entry) -> bool,
    row: fn(&Entry, &str) -> Value,
) -> Outcome {
    let board = call.api.board.clone();
    let rows = board.all().await.map_err(explain)?;
    let shown = rows.by_name().iter().filter(|row| row.used && !row.hidden);
    let listed: Vec<_> = shown.filter(|it| wanted(it)).map(Listed::of).collect();
    let answer = Answer::ok(title);
    Ok(match listed.is_empty() {
        true => answer,
        false => answer.with_rows(Named {
            board,
            rows: listed.into_iter(),
            row,
            commas: Commas::default(),
        }),
    })
}

/// Rows that have little but the name of each device.
struct Named {
    board: Board,
    rows: std::vec::IntoIter<Listed>,
    row: fn(&Entry, &str) -> Value,
    commas: Commas,
}

impl Pieces for Named {
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            while piece.len() < PIECE {
                let Some(listed) = self.rows.next() else {
                    return false;
                };
                let entry = listed.entry(&self.board).await;
                let Some((entry, texts)) =
                    entry.as_ref().and_then(|it| Some((it, it.texts.as_ref()?)))
                else {
                    continue;
                };
                self.commas.before(piece);
                piece.push_str(&(self.row)(entry, &texts.name).to_string());
            }
            self.rows.len() > 0
        })
    }

    fn weight(&self) -> usize {
        self.rows.len().saturating_mul(size_of::<Listed>())
    }
}
