//! The fields of sensors in the API: `Data` in words and the figures it is made of.
//!
//! The layouts of text values are those of behaviour spec section 3, in the table of types.

use serde_json::{Map, Value, json};

use super::devices::object;
use super::figure::{fixed, short};
use crate::Device;
use crate::history::{Figures, dew_point};
use crate::kind::{self, Kind, Layout};
use crate::set_point::Bounds;

/// Figures of the longest layout.
const PARTS: usize = 6;

/// The words of a weather forecast, by number; any other number is no forecast.
const FORECASTS: [&str; 7] = [
    "Stable",
    "Sunny",
    "Cloudy",
    "Unstable",
    "Thunderstorm",
    "Unknown",
    "Cloudy/Rain",
];

/// The words of soil moisture in centibars, each up to this figure.
const SOIL: [(i64, &str); 4] = [
    (9, "saturated"),
    (25, "adequately wet"),
    (59, "irrigation advice"),
    (99, "irrigation"),
];

/// The words of the air by carbon dioxide in ppm, each below this figure.
const AIR: [(i64, &str); 4] = [
    (700, "Excellent"),
    (900, "Good"),
    (1100, "Fair"),
    (1600, "Mediocre"),
];

/// The parts of a text value.
struct Parts<'a>(Vec<&'a str>);

impl<'a> Parts<'a> {
    fn of(device: &'a Device) -> Self {
        Self(device.s_value.split(';').take(PARTS).collect())
    }

    fn text(&self, n: usize) -> &'a str {
        self.0.get(n).copied().unwrap_or("")
    }

    /// A part as a JSON number; 0 for a text that is none.
    fn figure(&self, n: usize) -> Value {
        figure(self.text(n))
    }

    fn number(&self, n: usize) -> f64 {
        let number = self.text(n).trim().parse::<f64>().ok();
        number.filter(|number| number.is_finite()).unwrap_or(0.0)
    }
}

/// The fields of a device that is no switch, and that had these figures at the beginning of the
/// day.
pub(super) fn fields(device: &Device, first: Option<&Figures>) -> Map<String, Value> {
    let kind = kind::of(device);
    let parts = Parts::of(device);
    let value = parts.text(0);
    let whole = device.s_value.as_str();
    let fields = match kind.layout {
        Layout::Temperature => json!({"Data": with_unit(value, kind), "Temp": parts.figure(0)}),
        Layout::Humidity => json!({
            "Data": format!("Humidity {} %", device.n_value), "Humidity": device.n_value,
            "HumidityStatus": humidity(value),
        }),
        Layout::TempHum | Layout::TempHumBaro | Layout::TempBaro | Layout::Baro => {
            return climate(kind, &parts);
        }
        Layout::Rain => rain(&parts, first),
        Layout::Wind => wind(&parts, whole),
        Layout::Uv => json!({
            "Data": with_unit(value, kind), "UVI": value, "Temp": parts.figure(1),
        }),
        Layout::Currents => json!({
            "Data": format!("{value} A, {} A, {} A", parts.text(1), parts.text(2)),
            "displaytype": 0,
        }),
        Layout::SetPoint => wanted(device, parts.number(0)),
        Layout::Number(name) => number(name, kind, &parts),
        Layout::Weight => number("", kind, &parts),
        Layout::Whole => quantity(device, kind),
        Layout::AirQuality => json!({
            "Data": format!("{}{}", device.n_value, kind.unit),
            "Quality": graded(&AIR, device.n_value, "Bad"),
        }),
        Layout::Alert => json!({"Data": whole, "Level": device.n_value}),
        Layout::Managed => json!({"Data": value, "Counter": value}),
        Layout::Energy => json!({
            "Data": format!("{}{}", fixed(parts.number(1) / 1000.0, 3), kind.unit),
            "Usage": format!("{value} Watt"),
        }),
        Layout::Custom => custom(device, value),
        Layout::Switch | Layout::Text | Layout::Counter | Layout::Meter | Layout::Gas => {
            json!({"Data": whole})
        }
    };
    object(fields)
}

fn with_unit(value: &str, kind: &Kind) -> String {
    format!("{value}{}", kind.unit)
}

/// Temperature, humidity and air pressure, as far as the layout has them.
fn climate(kind: &Kind, parts: &Parts<'_>) -> Map<String, Value> {
    let (temp, humid, pressure, forecast) = match kind.layout {
        Layout::TempHum => (Some(0), Some(1), None, None),
        Layout::TempBaro => (Some(0), None, Some(1), Some(2)),
        Layout::Baro => (None, None, Some(0), Some(1)),
        _ => (Some(0), Some(1), Some(3), Some(4)),
    };
    let (mut fields, mut data) = (Map::new(), Vec::new());
    if let Some(n) = temp {
        data.push(format!("{} C", parts.text(n)));
        fields.insert("Temp".to_owned(), parts.figure(n));
    }
    if let Some(n) = humid {
        data.push(format!("{} %", parts.text(n)));
        fields.insert("Humidity".to_owned(), parts.figure(n));
        let status = humidity(parts.text(2));
        fields.insert("HumidityStatus".to_owned(), json!(status));
        let dew = dew_point(parts.number(0), parts.number(n));
        fields.insert("DewPoint".to_owned(), json!(fixed(dew, 2)));
    }
    if let Some(n) = pressure {
        data.push(format!("{} hPa", parts.text(n)));
        fields.insert("Barometer".to_owned(), parts.figure(n));
    }
    if let Some(n) = forecast {
        fields.insert("Forecast".to_owned(), parts.figure(n));
        fields.insert(
            "ForecastStr".to_owned(),
            json!(forecast_word(parts.text(n))),
        );
    }
    fields.insert("Data".to_owned(), json!(data.join(", ")));
    fields
}

fn forecast_word(number: &str) -> &'static str {
    let number = number.trim().parse::<usize>().ok();
    let word = number.and_then(|number| FORECASTS.get(number));
    word.copied().unwrap_or("N/A")
}

/// The rain of the day: a gauge counts up for ever. Rates come in hundredths of a millimetre.
fn rain(parts: &Parts<'_>, first: Option<&Figures>) -> Value {
    let total = parts.number(1);
    let [before, ..] = first.copied().unwrap_or_default();
    let today = before.map_or(0.0, |before| (total - before).max(0.0));
    let today = fixed(today, 1);
    json!({"Data": today, "Rain": today, "RainRate": short(parts.number(0) / 100.0)})
}

/// Speeds are stored in tenths of a metre per second.
fn wind(parts: &Parts<'_>, whole: &str) -> Value {
    let speed = |n| fixed(parts.number(n) / 10.0, 1);
    json!({
        "Data": whole, "Direction": parts.figure(0), "DirectionStr": parts.text(1),
        "Speed": speed(2), "Gust": speed(3),
        "Temp": parts.figure(4), "Chill": parts.figure(5),
    })
}

/// The wanted figure with its bounds and step, which are options of the device.
fn wanted(device: &Device, value: f64) -> Value {
    let bounds = Bounds::of(device);
    let value = match bounds.unit.starts_with('°') {
        true => fixed(value, 1),
        false => short(value),
    };
    json!({
        "Data": value, "SetPoint": value, "vunit": bounds.unit,
        "step": bounds.step, "min": bounds.low, "max": bounds.high,
    })
}

fn number(name: &str, kind: &Kind, parts: &Parts<'_>) -> Value {
    let mut fields = object(json!({"Data": with_unit(parts.text(0), kind)}));
    if !name.is_empty() {
        fields.insert(name.to_owned(), parts.figure(0));
    }
    Value::Object(fields)
}

/// Soil moisture and leaf wetness, of which the first has a word as well.
fn quantity(device: &Device, kind: &Kind) -> Value {
    let data = format!("{}{}", device.n_value, kind.unit);
    match kind.unit {
        "" => json!({"Data": data}),
        _ => json!({"Data": data, "Desc": graded_up_to(&SOIL, device.n_value, "dangerously dry")}),
    }
}

fn custom(device: &Device, value: &str) -> Value {
    let custom = device.option("Custom").unwrap_or("");
    let unit = custom.split_once(';').map_or("", |(_, unit)| unit);
    json!({
        "Data": format!("{value} {unit}").trim_end(), "SensorUnit": unit, "SensorType": 1,
    })
}

fn graded(grades: &[(i64, &'static str)], figure: i64, worst: &'static str) -> &'static str {
    let grade = grades.iter().find(|(bound, _)| figure < *bound);
    grade.map_or(worst, |(_, word)| *word)
}

fn graded_up_to(grades: &[(i64, &'static str)], figure: i64, worst: &'static str) -> &'static str {
    let grade = grades.iter().find(|(bound, _)| figure <= *bound);
    grade.map_or(worst, |(_, word)| *word)
}

/// A number as JSON number; 0 for a text that is none.
fn figure(text: &str) -> Value {
    let number: f64 = text.trim().parse().unwrap_or(0.0);
    match text.trim().parse::<i64>() {
        Ok(whole) => json!(whole),
        // A figure that JSON cannot hold, such as NaN, is no figure.
        Err(_) => json!(if number.is_finite() { number } else { 0.0 }),
    }
}

fn humidity(status: &str) -> &'static str {
    match status {
        "1" => "Comfortable",
        "2" => "Dry",
        "3" => "Wet",
        _ => "Normal",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(main: i64, sub: i64, n_value: i64, s_value: &str) -> Map<String, Value> {
        let device = Device {
            device_type: main,
            sub_type: sub,
            n_value,
            s_value: s_value.to_owned(),
            ..Device::default()
        };
        fields(&device, None)
    }

    #[test]
    fn every_layout_has_the_fields_that_clients_read() {
        let rows = [
            (80, 5, 0, "21.5", json!({"Data": "21.5 C", "Temp": 21.5})),
            (
                81,
                1,
                55,
                "1",
                json!({"Data": "Humidity 55 %", "HumidityStatus": "Comfortable"}),
            ),
            (
                82,
                1,
                0,
                "21.5;55;1",
                json!({"Data": "21.5 C, 55 %", "DewPoint": "12.07"}),
            ),
            (
                84,
                1,
                0,
                "21.5;55;1;1013;4",
                json!({"Data": "21.5 C, 55 %, 1013 hPa", "Barometer": 1013,
                    "ForecastStr": "Thunderstorm"}),
            ),
            (
                247,
                1,
                0,
                "20.1;1013.2;2;0",
                json!({"Data": "20.1 C, 1013.2 hPa", "Temp": 20.1, "Barometer": 1013.2,
                    "Forecast": 2, "ForecastStr": "Cloudy"}),
            ),
            (
                243,
                26,
                0,
                "1013.2;9",
                json!({"Data": "1013.2 hPa", "ForecastStr": "N/A"}),
            ),
            (
                85,
                3,
                0,
                "120;15.5",
                json!({"RainRate": "1.2", "Rain": "0.0"}),
            ),
            (
                86,
                4,
                0,
                "182;S;33;65;12.5;10.1",
                json!({"Speed": "3.3", "Gust": "6.5", "Chill": 10.1}),
            ),
            (87, 1, 0, "3.2;0", json!({"Data": "3.2 UVI", "UVI": "3.2"})),
            (93, 1, 0, "75.5", json!({"Data": "75.5 kg"})),
            (
                243,
                3,
                12,
                "",
                json!({"Data": "12 cb", "Desc": "adequately wet"}),
            ),
            (243, 6, 0, "42.5", json!({"Data": "42.5%"})),
            (
                243,
                8,
                0,
                "231.4",
                json!({"Data": "231.4 V", "Voltage": 231.4}),
            ),
            (
                243,
                29,
                0,
                "-12.5;1234567.8",
                json!({"Data": "1234.568 kWh", "Usage": "-12.5 Watt"}),
            ),
            (
                249,
                1,
                850,
                "",
                json!({"Data": "850 ppm", "Quality": "Good"}),
            ),
        ];
        for (main, sub, n_value, s_value, expected) in rows {
            let fields = shown(main, sub, n_value, s_value);
            for (name, value) in object(expected) {
                assert_eq!(fields.get(&name), Some(&value), "{main}/{sub} {name}");
            }
        }
    }

    #[test]
    fn the_rain_of_the_day_is_what_the_gauge_went_up() {
        let gauge = Device {
            device_type: 85,
            sub_type: 3,
            s_value: "120;15.5".to_owned(),
            ..Device::default()
        };
        let first = [Some(12.2), None, None, None, None, None];
        let shown = fields(&gauge, Some(&first));
        assert_eq!(shown.get("Rain"), Some(&json!("3.3")));
    }

    #[test]
    fn a_set_point_shows_its_bounds_and_its_unit() {
        let bare = shown(242, 1, 0, "18");
        assert_eq!(bare.get("SetPoint"), Some(&json!("18.0")));
        assert_eq!(bare.get("vunit"), Some(&json!("°C")));
        assert_eq!((&bare["step"], &bare["min"]), (&json!(0.5), &json!(-200.0)));
        let options = [
            ("ValueUnit", "rpm"),
            ("ValueStep", "10"),
            ("ValueMax", "3000"),
        ];
        let options = options.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let fan = Device {
            device_type: 242,
            sub_type: 1,
            s_value: "1500".to_owned(),
            options: options.into(),
            ..Device::default()
        };
        let fan = fields(&fan, None);
        assert_eq!(
            (&fan["SetPoint"], &fan["step"]),
            (&json!("1500"), &json!(10.0))
        );
        assert_eq!(fan["max"], json!(3000.0));
    }
}
