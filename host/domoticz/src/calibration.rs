//! Calibration: figures by which a person corrects the readings of a sensor that is a little off.
//!
//! As Domoticz does since the summer of 2026, each new reading is corrected before it is stored;
//! older versions added the figures when they showed a device. A device without a calibration
//! keeps the very text that came.

use std::borrow::Cow;

use rusqlite::{Connection, params};

use super::device::{Device, ValueUpdate};
use super::history;
use super::kind::{self, Layout};

/// Sub type of UV sensors that measure a temperature as well.
const UV_WITH_TEMPERATURE: i64 = 3;

/// The greatest figure in either direction.
pub const MAX: f64 = 1e9;

/// The figures of a device, under the names that clients have for them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Calibration {
    /// `AddjValue`, added to a temperature or a weight.
    pub value: f64,
    /// `AddjMulti`, which clients store and nothing is multiplied by.
    pub multiplier: f64,
    /// `AddjValue2`, added to an air pressure.
    pub value2: f64,
    /// `AddjMulti2`, by which a UV index is multiplied.
    pub multiplier2: f64,
}

impl Default for Calibration {
    fn default() -> Self {
        Self {
            value: 0.0,
            multiplier: 1.0,
            value2: 0.0,
            multiplier2: 1.0,
        }
    }
}

/// Stores the calibration of the device with this row id, which exists.
///
/// # Errors
/// Errors of SQLite.
pub(super) fn write(
    connection: &Connection,
    device: i64,
    calibration: Calibration,
) -> Result<(), rusqlite::Error> {
    let Calibration {
        value,
        multiplier,
        value2,
        multiplier2,
    } = calibration;
    let sql = "INSERT OR REPLACE INTO calibrations VALUES (?1, ?2, ?3, ?4, ?5)";
    let mut statement = connection.prepare_cached(sql)?;
    statement.execute(params![device, value, multiplier, value2, multiplier2])?;
    Ok(())
}

/// A reading as it is stored: corrected by the calibration of the device, if it has one.
pub(super) fn correct<'a>(device: &Device, reading: &'a ValueUpdate) -> Cow<'a, ValueUpdate> {
    // History that a plugin writes has its own figures.
    if history::is_entry(device, &reading.s_value) {
        return Cow::Borrowed(reading);
    }
    match device.calibration.corrected(device, &reading.s_value) {
        Some(s_value) => Cow::Owned(ValueUpdate {
            s_value,
            ..reading.clone()
        }),
        None => Cow::Borrowed(reading),
    }
}

/// How one part of a text value changes.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Part {
    at: usize,
    add: f64,
    multiply: f64,
    /// Whether the figure is a whole number afterwards.
    whole: bool,
}

impl Calibration {
    /// The parts of the device's text value that change.
    fn changes(self, device: &Device) -> Vec<Part> {
        let add = |at, add| Part {
            at,
            add,
            multiply: 1.0,
            whole: false,
        };
        let parts = match kind::layout(device) {
            Layout::Temperature | Layout::TempHum | Layout::Weight => vec![add(0, self.value)],
            Layout::TempHumBaro => {
                let whole = device.sub_type != kind::WEATHER_STATION;
                let pressure = Part {
                    whole,
                    ..add(3, self.value2)
                };
                vec![add(0, self.value), pressure]
            }
            Layout::TempBaro => vec![add(0, self.value), add(1, self.value2)],
            Layout::Baro => vec![add(0, self.value2)],
            Layout::Uv => {
                let index = Part {
                    multiply: self.multiplier2,
                    ..add(0, 0.0)
                };
                match device.sub_type {
                    UV_WITH_TEMPERATURE => vec![index, add(1, self.value)],
                    _ => vec![index],
                }
            }
            _ => Vec::new(),
        };
        let changes = |part: &Part| part.add != 0.0 || part.multiply != 1.0;
        parts.into_iter().filter(changes).collect()
    }

    /// A text value with the corrections; `None` where nothing changes.
    fn corrected(self, device: &Device, s_value: &str) -> Option<String> {
        let changes = self.changes(device);
        if changes.is_empty() {
            return None;
        }
        let part = |(at, text): (usize, &str)| {
            let change = changes.iter().find(|change| change.at == at);
            let number = text.trim().parse::<f64>().ok();
            let number = number.filter(|number| number.is_finite() && number.abs() <= MAX);
            match change.zip(number) {
                Some((change, number)) => change.of(number, text),
                None => text.to_owned(),
            }
        };
        let parts: Vec<_> = s_value.split(';').enumerate().map(part).collect();
        Some(parts.join(";"))
    }
}

impl Part {
    /// The figure with as many decimals as came, at least one.
    fn of(self, number: f64, text: &str) -> String {
        let corrected = (number + self.add) * self.multiply;
        let came = text
            .trim()
            .split_once('.')
            .map_or(0, |(_, rest)| rest.len());
        let decimals = if self.whole { 0 } else { came.clamp(1, 6) };
        format!("{corrected:.decimals$}")
    }
}

/// A figure that a client gives, as far as it can be one.
///
/// # Errors
/// The sentence about a figure that is not finite or too large.
pub fn checked(name: &str, figure: f64) -> Result<f64, String> {
    match figure.is_finite() && figure.abs() <= MAX {
        true => Ok(figure),
        false => Err(format!(
            "`{name}` must be a number from -{MAX:.0} to {MAX:.0}"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Calibration = Calibration {
        value: 1.5,
        multiplier: 9.0,
        value2: -2.0,
        multiplier2: 2.0,
    };

    fn corrected(main: i64, sub: i64, s_value: &str) -> Option<String> {
        let device = Device {
            device_type: main,
            sub_type: sub,
            ..Device::default()
        };
        ALL.corrected(&device, s_value)
    }

    #[test]
    fn each_layout_has_the_parts_that_are_corrected() {
        for (main, sub, came, stored) in [
            (80, 5, "20.0", "21.5"),
            (80, 5, "20", "21.5"),
            (80, 5, "20.25", "21.75"),
            (82, 1, "20.0;50;1", "21.5;50;1"),
            (84, 1, "20.0;50;1;1010.4;1", "21.5;50;1;1008;1"),
            (84, 16, "20.0;50;1;1010.4;1", "21.5;50;1;1008.4;1"),
            (247, 1, "20.1;1013.2;2;0", "21.6;1011.2;2;0"),
            (87, 1, "3.2;0", "6.4;0"),
            (87, 3, "3.2;20", "6.4;21.5"),
            (93, 1, "75.5", "77.0"),
            (243, 26, "1013.2;2", "1011.2;2"),
        ] {
            assert_eq!(
                corrected(main, sub, came).as_deref(),
                Some(stored),
                "{main}/{sub}"
            );
        }
        for (main, sub) in [(81, 1), (243, 29), (243, 33), (248, 1), (244, 73), (85, 3)] {
            assert_eq!(corrected(main, sub, "1;2;3"), None, "{main}/{sub}");
        }
    }

    #[test]
    fn what_is_no_figure_stays_as_it_came() {
        for text in ["", "junk", "nan;5", "1e300", "inf"] {
            assert_eq!(corrected(82, 1, text).as_deref(), Some(text));
        }
        let plain = Device {
            device_type: 80,
            ..Device::default()
        };
        assert_eq!(Calibration::default().corrected(&plain, "20.0"), None);
        assert!(checked("addjvalue", f64::NAN).is_err() && checked("x", 1e10).is_err());
    }
}
