//! The states of all devices, as scripts see them.

use futures_util::future::BoxFuture;
use serde_json::json;

use super::super::names;
use super::{Answer, Call, Outcome, explain};
use crate::{Device, DeviceTable, kind};
use cordon_web::rows::{Commas, PIECE, Pieces};

/// Scripts themselves there are none, so any other question has no rows.
pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let asked = ["param", "evparam"].map(|name| call.query.text(name));
    let answer = Answer::ok("Events");
    if !asked.contains(&Some("currentstates")) {
        return Ok(answer);
    }
    let rows = call.api.board.all().await.map_err(explain)?;
    let ids: Vec<i64> = rows.by_id().iter().map(|entry| entry.id).collect();
    Ok(match ids.is_empty() {
        true => answer,
        false => answer.with_rows(States {
            devices: call.api.devices.clone(),
            ids,
            commas: Commas::default(),
        }),
    })
}

/// The states of the devices with these ids, read a few at a time.
struct States {
    devices: DeviceTable,
    ids: Vec<i64>,
    commas: Commas,
}

impl Pieces for States {
    fn fill<'a>(&'a mut self, piece: &'a mut String) -> BoxFuture<'a, bool> {
        Box::pin(async move {
            while piece.len() < PIECE && !self.ids.is_empty() {
                let some: Vec<_> = self.ids.iter().take(DeviceTable::SHOWN).copied().collect();
                let asked = some.len();
                // Rows that cannot be read are left out.
                let (rows, done) = match self.devices.shown(some, i64::MAX).await {
                    Ok(read) => read,
                    Err(_) => (Vec::new(), asked),
                };
                for shown in &rows {
                    self.commas.before(piece);
                    piece.push_str(&state(&shown.row.device));
                }
                self.ids.drain(..done.clamp(1, asked.max(1)).min(asked));
            }
            !self.ids.is_empty()
        })
    }

    fn weight(&self) -> usize {
        size_of_val(self.ids.as_slice())
    }
}

fn state(device: &Device) -> String {
    let value = match kind::is_switch(device) {
        true => names::status(device, device.last_level),
        false => device.n_value.to_string(),
    };
    let row = json!({
        "id": device.id.to_string(), "name": device.name, "value": value,
        "svalues": device.s_value, "lastupdate": device.last_update,
    });
    row.to_string()
}
