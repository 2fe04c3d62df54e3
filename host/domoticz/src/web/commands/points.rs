//! Points of charts, which give each figure of the history its name in an answer.
//!
//! Pure. Names and kinds are those that clients of Domoticz read: `te` is a number, most
//! others are texts with a fixed number of decimals. Each point is made when it is wanted:
//! plugins decide how many there are.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::super::figure::fixed;
use crate::Device;
use crate::history::{Day, Family, Moment};
use crate::kind::{self, Layout};

/// Points, made one after the other.
pub(super) type Points = Box<dyn Iterator<Item = Value> + Send>;

/// The form of one device's figures in an answer.
pub(super) struct Chart {
    pub(super) family: Family,
    /// A managed counter, which has uses and no readings.
    pub(super) managed: bool,
    /// Power is known beside the counter.
    has_power: bool,
    /// A counter's figure divided by this is the shown value.
    pub(super) divider: f64,
    pub(super) decimals: usize,
    pub(super) sensor: String,
}

impl Chart {
    /// The chart of a device; a `sensor` that does not fit has no points.
    pub(super) fn of(device: &Device, sensor: &str) -> Result<Self, String> {
        let known = [
            "temp",
            "rain",
            "wind",
            "uv",
            "percentage",
            "fan",
            "counter",
            "winddir",
            "light",
        ];
        let sensor = sensor.to_ascii_lowercase();
        if !known.contains(&sensor.as_str()) {
            return Err("`sensor` is temp, rain, wind, uv, Percentage, fan or counter".to_owned());
        }
        let family = Family::of(device).ok_or("no history is kept of this device")?;
        let layout = kind::layout(device);
        let (divider, decimals) = divider(device);
        Ok(Self {
            family,
            managed: layout == Layout::Managed,
            has_power: layout == Layout::Energy,
            divider,
            decimals,
            sensor,
        })
    }

    /// Points of five-minute rows.
    pub(super) fn moments(self, rows: Vec<Moment>) -> Points {
        if self.sensor == "winddir" {
            return at_once(move || directions(&rows));
        }
        if self.family == Family::Counter && !self.managed && !self.has_power {
            return at_once(move || self.hours(&rows));
        }
        let mut before: Option<Moment> = None;
        Box::new(rows.into_iter().filter_map(move |row| {
            let mut point = dated(local(row.time, "%Y-%m-%d %H:%M"));
            self.moment(&mut point, &row, before.as_ref());
            before = Some(row);
            with_figures(point)
        }))
    }

    /// Adds the figures of a row, which came after `before`.
    pub(super) fn moment(
        &self,
        point: &mut Map<String, Value>,
        row: &Moment,
        before: Option<&Moment>,
    ) {
        let figure = |n: usize| row.figures.get(n).copied().flatten();
        let gone = |n: usize| {
            let was = before.and_then(|row| row.figures.get(n).copied().flatten());
            figure(n).zip(was).map(|(is, was)| (is - was).max(0.0))
        };
        let text = |point: &mut Map<String, Value>, name: &str, figure: Option<f64>, decimals| {
            if let Some(figure) = figure {
                point.insert(name.to_owned(), Value::from(fixed(figure, decimals)));
            }
        };
        match (self.family, self.sensor.as_str()) {
            (Family::Temperature, "temp") => {
                number(point, "te", figure(0));
                number(point, "ch", figure(1));
                text(point, "hu", figure(2), 0);
                text(point, "ba", figure(3), 1);
            }
            (Family::Wind, "temp") => {
                number(point, "te", figure(3));
                number(point, "ch", figure(4));
            }
            (Family::Rain, "rain") => text(point, "mm", gone(0).or(Some(0.0)), 1),
            (Family::Wind, "wind") => {
                text(point, "di", figure(0), 0);
                text(point, "sp", figure(1), 1);
                text(point, "gu", figure(2), 1);
            }
            (Family::Uv, "uv") => text(point, "uvi", figure(0), 1),
            (Family::Percentage, "percentage") | (Family::Fan, "fan") => {
                text(
                    point,
                    "v",
                    figure(0),
                    if self.family == Family::Fan { 0 } else { 2 },
                );
            }
            (Family::Level, "counter") => text(point, "v", figure(0), 3),
            (Family::Lux, "counter") => text(point, "lux", figure(0), 0),
            (Family::Usage, "counter") => text(point, "u", figure(0), 1),
            (Family::AirQuality, "counter") => text(point, "co2", figure(0), 0),
            (Family::Current, "counter") => {
                for (n, name) in ["v1", "v2", "v3"].into_iter().enumerate() {
                    text(point, name, figure(n), 1);
                }
            }
            (Family::Counter, "counter") if self.managed => {
                text(
                    point,
                    "v",
                    figure(1).map(|used| used / self.divider),
                    self.decimals,
                );
                text(
                    point,
                    "c",
                    figure(0).map(|used| used / self.divider),
                    self.decimals,
                );
            }
            (Family::Counter, "counter") => {
                text(point, "v", figure(1), 1);
                text(point, "eu", gone(0), 1);
            }
            (Family::Meter, "counter") => {
                text(point, "v", figure(4), 0);
                text(point, "v2", Some(0.0), 0);
                text(point, "r1", figure(5), 0);
                text(point, "r2", Some(0.0), 0);
                text(point, "eu", gone(0).zip(gone(1)).map(|(a, b)| a + b), 0);
                text(point, "eg", gone(2).zip(gone(3)).map(|(a, b)| a + b), 0);
            }
            _ => {}
        }
    }

    /// The sum of a counter's steps up in each hour.
    pub(super) fn hours(&self, rows: &[Moment]) -> Vec<Value> {
        let mut hours: Vec<(String, f64)> = Vec::new();
        let mut before: Option<f64> = None;
        for row in rows {
            let Some(figure) = row.figures.first().copied().flatten() else {
                continue;
            };
            let hour = local(row.time, "%Y-%m-%d %H:00");
            if let Some(before) = before {
                let used = (figure - before).max(0.0);
                match hours.last_mut() {
                    Some((last, sum)) if *last == hour => *sum += used,
                    _ => hours.push((hour, used)),
                }
            }
            before = Some(figure);
        }
        if self.sensor != "counter" {
            return Vec::new();
        }
        let point = |(hour, used): (String, f64)| json!({"d": hour, "v": fixed(used / self.divider, self.decimals)});
        hours.into_iter().map(point).collect()
    }

    /// Points of daily rows.
    pub(super) fn days(self, rows: Vec<(Date, Day)>) -> Points {
        Box::new(rows.into_iter().filter_map(move |(date, day)| {
            let mut point = dated(date.to_string());
            self.day(&mut point, &day);
            with_figures(point)
        }))
    }

    fn day(&self, point: &mut Map<String, Value>, day: &Day) {
        let texts = |point: &mut Map<String, Value>, names: &[(&str, usize)], decimals: usize| {
            for (name, column) in names {
                if let Some(figure) = day.get(*column) {
                    point.insert((*name).to_owned(), Value::from(fixed(figure, decimals)));
                }
            }
        };
        let three = [("v_min", 0), ("v_max", 1), ("v_avg", 2)];
        match (self.family, self.sensor.as_str()) {
            (Family::Temperature, "temp") => {
                number(point, "tm", day.get(0));
                number(point, "te", day.get(1));
                number(point, "ta", day.get(2));
                number(point, "cm", day.get(3));
                number(point, "ch", day.get(4));
                texts(point, &[("hu", 5)], 0);
                texts(point, &[("ba", 6)], 1);
            }
            (Family::Wind, "temp") => {
                number(point, "tm", day.get(5));
                number(point, "te", day.get(6));
                number(point, "ta", day.get(7));
                number(point, "cm", day.get(8));
                number(point, "ch", day.get(9));
            }
            (Family::Rain, "rain") => texts(point, &[("mm", 0)], 1),
            (Family::Wind, "wind") => {
                texts(point, &[("di", 0)], 0);
                texts(point, &[("sp", 2), ("gu", 4)], 1);
            }
            (Family::Uv, "uv") => texts(point, &[("uvi", 0)], 1),
            (Family::Percentage, "percentage") => texts(point, &three, 2),
            (Family::Fan, "fan") => texts(point, &three, 0),
            (Family::Level, "counter") => texts(point, &three, 3),
            (Family::Lux, "counter") => {
                texts(point, &[("lux_min", 0), ("lux_max", 1), ("lux_avg", 2)], 0);
            }
            (Family::Usage, "counter") => texts(point, &[("u_min", 0), ("u_max", 1)], 1),
            (Family::AirQuality, "counter") => {
                texts(point, &[("co2_min", 0), ("co2_max", 1), ("co2_avg", 2)], 0);
            }
            (Family::Current, "counter") => {
                let six = [
                    ("v1", 0),
                    ("v2", 1),
                    ("v3", 2),
                    ("v4", 3),
                    ("v5", 4),
                    ("v6", 5),
                ];
                texts(point, &six, 1);
            }
            (Family::Counter, "counter") => self.scaled(point, day, &[("v", 0), ("c", 1)]),
            (Family::Meter, "counter") => {
                let values = [("v", 0), ("v2", 1), ("r1", 2), ("r2", 3)];
                let counters = [("c1", 6), ("c2", 7), ("c3", 8), ("c4", 9)];
                self.scaled(point, day, &values);
                self.scaled(point, day, &counters);
            }
            _ => {}
        }
    }

    fn scaled(&self, point: &mut Map<String, Value>, day: &Day, names: &[(&str, usize)]) {
        for (name, column) in names {
            if let Some(figure) = day.get(*column) {
                let text = fixed(figure / self.divider, self.decimals);
                point.insert((*name).to_owned(), Value::from(text));
            }
        }
    }
}

/// Points of which none can be made without all the others.
pub(super) fn at_once(make: impl FnOnce() -> Vec<Value> + Send + 'static) -> Points {
    Box::new(std::iter::once_with(make).flatten())
}

pub(super) fn dated(date: String) -> Map<String, Value> {
    let mut point = Map::new();
    point.insert("d".to_owned(), Value::from(date));
    point
}

/// A point that has more than its date.
pub(super) fn with_figures(point: Map<String, Value>) -> Option<Value> {
    (point.len() > 1).then_some(Value::Object(point))
}

/// The divisor of a counter and its decimals: energy and gas of meters come in thousandths; the
/// kind of the counter decides for the rest.
pub(in crate::web) fn divider(device: &Device) -> (f64, usize) {
    let counts = match kind::layout(device) {
        Layout::Meter | Layout::Gas | Layout::Energy => return (1000.0, 3),
        Layout::Counter | Layout::Managed => device.switch_type,
        _ => return (1.0, 0),
    };
    match counts {
        // Energy used and made, in Wh.
        0 | 4 => (1000.0, 3),
        // Gas and water, in hundredths of m3.
        1 | 2 => (100.0, 3),
        // Pieces, and time in minutes.
        _ => (1.0, 0),
    }
}

/// How often the wind came from each direction, in percent.
fn directions(rows: &[Moment]) -> Vec<Value> {
    let mut counts = [0_u32; 16];
    for row in rows {
        let degrees = row.figures.first().copied().flatten().unwrap_or(0.0);
        // From 0 to 16: the cast cannot lose anything.
        let sector = (degrees.rem_euclid(360.0) / 22.5).round() as usize % 16;
        if let Some(count) = counts.get_mut(sector) {
            *count = count.saturating_add(1);
        }
    }
    let all: u32 = counts.iter().sum();
    let share = |(sector, count): (u32, &u32)| {
        let share = f64::from(*count) * 100.0 / f64::from(all.max(1));
        json!({"dig": f64::from(sector) * 22.5, "div": fixed(share, 2)})
    };
    (0..).zip(&counts).map(share).collect()
}

fn number(point: &mut Map<String, Value>, name: &str, figure: Option<f64>) {
    if let Some(figure) = figure.filter(|figure| figure.is_finite()) {
        let rounded = (figure * 100.0).round() / 100.0;
        point.insert(name.to_owned(), json!(rounded));
    }
}

pub(super) fn local(second: i64, form: &str) -> String {
    let time = Timestamp::from_second(second).unwrap_or_default();
    time.to_zoned(TimeZone::system()).strftime(form).to_string()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
