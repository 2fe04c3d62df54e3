//! The devices of Domoticz hardware as things that any front end can show.

use std::collections::HashMap;
use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::command::{self, Request};
use crate::history::{Family, History};
use crate::{DeliverError, Device, DeviceError, DeviceTable, Domoticz, HubEvent, Row, kind};
use cordon_runtime::things::{
    Answer, Moment, News, Operation, Page, Thing, Things, ThingsError, Value, Watch,
};
use cordon_store::Changes;
use cordon_web::access::Rights;

/// How often a watcher looks whether rows were changed.
const LOOK: Duration = Duration::from_millis(500);

/// The battery level that stands for none.
const NO_BATTERY: i64 = 255;

impl Domoticz {
    async fn page(&self, after: Option<&str>) -> Result<Page, ThingsError> {
        let after = after.map(parsed).transpose()?;
        let mut ids = self.devices.ids().await?;
        let begin = after.map_or(0, |after| ids.partition_point(|id| *id <= after));
        let left = ids.split_off(begin);
        let (rows, read) = match left.is_empty() {
            true => (Vec::new(), 0),
            false => {
                let wanted = left.iter().copied().take(DeviceTable::SHOWN).collect();
                self.devices.shown(wanted, i64::MAX).await?
            }
        };
        let names: HashMap<u32, String> = self
            .plugins()
            .hardware()
            .into_iter()
            .map(|hardware| (hardware.id, hardware.name))
            .collect();
        let next = left.get(read..).and_then(|rest| {
            // The last one that was read, unless that was the last of all.
            let last = read.checked_sub(1).and_then(|last| left.get(last))?;
            (!rest.is_empty()).then(|| last.to_string())
        });
        let things = rows.into_iter().map(|shown| thing(shown.row, &names));
        Ok(Page {
            things: things.collect(),
            next,
        })
    }

    async fn act(&self, id: &str, operation: Operation) -> Result<(), ThingsError> {
        let row = self.devices.find(parsed(id)?).await?;
        let event = wish(&row.device, operation)?;
        let delivered = self.plugins().deliver(row.hardware, event);
        delivered.map_err(|error| match error {
            DeliverError::InboxFull => ThingsError::Busy,
            DeliverError::NotRunning | DeliverError::NoSuchHardware => ThingsError::NotRunning,
        })
    }

    async fn moments(&self, id: &str, from: i64, until: i64) -> Result<Vec<Moment>, ThingsError> {
        let id = parsed(id)?;
        let device = self.devices.find(id).await?.device;
        let history = History::new(self.store.clone());
        let unavailable =
            |error: cordon_store::StoreError| ThingsError::Unavailable(error.to_string());
        let Some(family) = Family::of(&device) else {
            return Ok(Vec::new());
        };
        if family == Family::Log {
            let rows = history.log(id).await.map_err(unavailable)?;
            let rows = rows.into_iter().rev().map(|row| Moment {
                time: row.time.div_euclid(1000),
                values: readings(row.n_value, row.s_value),
            });
            let wanted = rows.filter(|it| (from..until).contains(&it.time));
            return Ok(wanted.collect());
        }
        let rows = history.short(id, from, until).await.map_err(unavailable)?;
        let columns = columns(family);
        let moment = |row: crate::history::Moment| {
            let figures = columns.iter().zip(row.figures);
            let values = figures.filter_map(|(name, figure)| {
                figure.map(|figure| ((*name).to_owned(), Value::Number(figure)))
            });
            Moment {
                time: row.time,
                values: values.collect(),
            }
        };
        Ok(rows.into_iter().map(moment).collect())
    }
}

impl Things for Domoticz {
    fn framework(&self) -> &'static str {
        "domoticz"
    }

    fn list<'a>(&'a self, after: Option<&'a str>) -> Answer<'a, Page> {
        Box::pin(self.page(after))
    }

    fn watch(&self) -> Box<dyn Watch> {
        let changes = self.devices.changes().clone();
        Box::new(Watcher {
            moment: changes.since(0).moment,
            changes,
        })
    }

    /// As the commands `switchlight` and `setsetpoint` of the API.
    fn operate<'a>(&'a self, rights: Rights, id: &'a str, operation: Operation) -> Answer<'a, ()> {
        Box::pin(async move {
            if rights < Rights::User {
                return Err(ThingsError::Forbidden);
            }
            self.act(id, operation).await
        })
    }

    fn history<'a>(&'a self, id: &'a str, from: i64, until: i64) -> Answer<'a, Vec<Moment>> {
        Box::pin(self.moments(id, from, until))
    }
}

/// Asks the store from time to time: SQLite tells of changes, and wakes nobody.
struct Watcher {
    changes: Changes,
    moment: u64,
}

impl Watch for Watcher {
    fn next(&mut self) -> BoxFuture<'_, Option<News>> {
        Box::pin(async move {
            loop {
                let news = self.changes.since(self.moment);
                match news.rows {
                    None => {
                        self.moment = news.moment;
                        return Some(News::Missed);
                    }
                    Some(rows) if !rows.is_empty() => {
                        self.moment = news.moment;
                        let ids = rows.iter().map(ToString::to_string);
                        return Some(News::Changed(ids.collect()));
                    }
                    Some(_) => tokio::time::sleep(LOOK).await,
                }
            }
        })
    }
}

impl From<DeviceError> for ThingsError {
    fn from(error: DeviceError) -> Self {
        match error {
            DeviceError::Missing => Self::Missing,
            DeviceError::Limit(hit) => Self::Limit(hit),
            other => Self::Unavailable(other.to_string()),
        }
    }
}

fn parsed(id: &str) -> Result<i64, ThingsError> {
    id.parse().map_err(|_| ThingsError::Missing)
}

fn thing(row: Row, names: &HashMap<u32, String>) -> Thing {
    let device = row.device;
    let is_switch = kind::is_switch(&device);
    let main = kind::main_name(&device).to_owned();
    let mut values = Vec::new();
    if is_switch {
        values.push(("on".to_owned(), Value::Truth(kind::is_on(&device))));
    }
    if kind::dims(&device) {
        values.push(("level".to_owned(), number(device.last_level)));
    }
    if device.battery_level != NO_BATTERY {
        values.push(("battery".to_owned(), number(device.battery_level)));
    }
    values.extend(readings(device.n_value, device.s_value));
    Thing {
        id: device.id.to_string(),
        name: device.name,
        instance: names.get(&row.hardware).cloned().unwrap_or_default(),
        kind: main,
        values,
        changed: Some(row.updated.as_millisecond()),
    }
}

/// The two values that every row has.
fn readings(n_value: i64, s_value: String) -> Vec<(String, Value)> {
    vec![
        ("number".to_owned(), number(n_value)),
        ("text".to_owned(), Value::Text(s_value)),
    ]
}

/// A whole number as a figure. Larger ones lose their last digits, as they do in JavaScript.
fn number(whole: i64) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "no device has such a value")]
    Value::Number(whole as f64)
}

/// The event for a wish, as the API makes it.
fn wish(device: &Device, operation: Operation) -> Result<HubEvent, ThingsError> {
    let refused = |text: &str| ThingsError::Refused(text.to_owned());
    if kind::is_set_point(device) {
        let Operation::Level(value) = operation else {
            return Err(refused("a set point has a level and nothing else"));
        };
        let event = command::set_point(device, value);
        return event.ok_or_else(|| refused("no set point has this value"));
    }
    if !kind::is_switch(device) {
        return Err(refused("this device is no switch"));
    }
    let (action, level) = match operation {
        Operation::On => ("On", None),
        Operation::Off => ("Off", None),
        Operation::Toggle => ("Toggle", None),
        Operation::Level(level) => {
            let top = kind::top_level(device);
            #[allow(clippy::cast_precision_loss, reason = "it is an int")]
            if !(0.0..=top as f64).contains(&level) {
                return Err(refused(&format!("a level is from 0 to {top}")));
            }
            #[allow(clippy::cast_possible_truncation, reason = "it is from 0 to the top")]
            ("Set Level", Some(level.round() as i32))
        }
    };
    let request = Request {
        action,
        level,
        color: None,
    };
    Ok(command::switch(device, &request))
}

/// The names of the columns of a family's five-minute rows.
fn columns(family: Family) -> &'static [&'static str] {
    match family {
        Family::Temperature => &["temperature", "chill", "humidity", "pressure", "dew-point"],
        Family::Rain => &["total", "rate"],
        Family::Wind => &["direction", "speed", "gust", "temperature", "chill"],
        Family::Current => &["current-1", "current-2", "current-3"],
        Family::Counter => &["total", "rate"],
        Family::Meter => &["use-1", "use-2", "return-1", "return-2", "used", "returned"],
        Family::Log => &[],
        Family::Uv
        | Family::Percentage
        | Family::Fan
        | Family::Level
        | Family::Lux
        | Family::Usage
        | Family::AirQuality => &["value"],
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
