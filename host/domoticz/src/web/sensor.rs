//! The fields of sensors in the API: `Data` in words and the figures it is made of.
//!
//! The layouts of text values are those of behaviour spec section 3.

use serde_json::{Map, Value, json};

use super::devices::object;
use super::figure::fixed;
use crate::{Device, kind};

/// Figures of the longest layout.
const PARTS: usize = 6;

/// The fields of a device that is no switch.
pub(super) fn fields(device: &Device) -> Map<String, Value> {
    let parts: Vec<&str> = device.s_value.split(';').take(PARTS).collect();
    let part = |n: usize| parts.get(n).copied().unwrap_or("");
    let value = part(0);
    let whole = device.s_value.as_str();
    let fields = match device.device_type {
        80 => json!({"Data": format!("{value} C"), "Temp": figure(value)}),
        81 => json!({
            "Data": format!("Humidity {} %", device.n_value), "Humidity": device.n_value,
            "HumidityStatus": humidity(value),
        }),
        82 | 84 => climate(&part, device.device_type == 84),
        85 => json!({"Data": whole, "RainRate": value, "Rain": part(1)}),
        86 => wind(&part, whole),
        87 => json!({"Data": format!("{value} UVI"), "UVI": value}),
        89 => json!({"Data": format!("{value} A, {} A, {} A", part(1), part(2))}),
        kind::SETPOINT => json!({"Data": value, "SetPoint": value}),
        kind::GENERAL => general(device, &part),
        246 => json!({"Data": format!("{value} Lux")}),
        248 => json!({"Data": format!("{value} Watt")}),
        249 => json!({"Data": format!("{} ppm", device.n_value)}),
        _ => json!({"Data": whole}),
    };
    object(fields)
}

fn climate<'a>(part: &impl Fn(usize) -> &'a str, barometer: bool) -> Value {
    let (temp, humid) = (part(0), part(1));
    let mut fields = json!({
        "Data": format!("{temp} C, {humid} %"), "Temp": figure(temp),
        "Humidity": figure(humid), "HumidityStatus": humidity(part(2)),
    });
    if barometer && let Value::Object(fields) = &mut fields {
        let pressure = part(3);
        let data = format!("{temp} C, {humid} %, {pressure} hPa");
        fields.insert("Data".to_owned(), json!(data));
        fields.insert("Barometer".to_owned(), figure(pressure));
        fields.insert("Forecast".to_owned(), figure(part(4)));
    }
    fields
}

/// Speeds are stored in tenths of a metre per second.
fn wind<'a>(part: &impl Fn(usize) -> &'a str, whole: &str) -> Value {
    let speed = |n| part(n).parse::<f64>().map_or(0.0, |tenths| tenths / 10.0);
    json!({
        "Data": whole, "Direction": figure(part(0)), "DirectionStr": part(1),
        "Speed": fixed(speed(2), 1), "Gust": fixed(speed(3), 1),
        "Temp": figure(part(4)), "Chill": figure(part(5)),
    })
}

fn general<'a>(device: &'a Device, part: &impl Fn(usize) -> &'a str) -> Value {
    let value = part(0);
    let whole = device.s_value.as_str();
    match device.sub_type {
        1 => json!({"Data": format!("{value} km"), "Visibility": figure(value)}),
        2 => json!({"Data": format!("{value} Watt/m2"), "Radiation": figure(value)}),
        3 => json!({"Data": format!("{} cb", device.n_value)}),
        4 => json!({"Data": device.n_value.to_string()}),
        6 => json!({"Data": format!("{value}%")}),
        7 => json!({"Data": format!("{value} RPM")}),
        8 => json!({"Data": format!("{value} V"), "Voltage": figure(value)}),
        9 => json!({"Data": format!("{value} Bar"), "Pressure": figure(value)}),
        22 => json!({"Data": whole, "Level": device.n_value}),
        23 => json!({"Data": format!("{value} A"), "Current": figure(value)}),
        24 => json!({"Data": format!("{value} dB")}),
        26 => json!({
            "Data": format!("{value} hPa"), "Barometer": figure(value), "Forecast": figure(part(1)),
        }),
        27 => json!({"Data": format!("{value} cm")}),
        kind::COUNTER_INCREMENTAL | kind::MANAGED_COUNTER => json!({
            "Data": value, "Counter": value,
        }),
        kind::KWH => {
            let energy = part(1).parse::<f64>().unwrap_or(0.0) / 1000.0;
            json!({"Data": format!("{} kWh", fixed(energy, 3)), "Usage": format!("{value} Watt")})
        }
        30 => json!({"Data": format!("{value} l/min")}),
        kind::CUSTOM => {
            let custom = device.option("Custom").unwrap_or("");
            let unit = custom.split_once(';').map_or("", |(_, unit)| unit);
            json!({"Data": format!("{value} {unit}").trim_end(), "SensorUnit": unit})
        }
        _ => json!({"Data": whole}),
    }
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
