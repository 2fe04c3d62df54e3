//! Makes the one form that plugins get of the colours that clients give.

use serde_json::json;

use super::{Answer, Call, Outcome};
use crate::color::normalise;
use crate::command::{self, Request};
use crate::kind;

pub(super) async fn set(call: &Call<'_>) -> Outcome {
    let query = call.query;
    let hue: Option<f64> = query.number("hue")?;
    let saturation: Option<f64> = query.number("sat")?;
    let color = match (query.text("color"), query.text("hex"), hue) {
        (Some(json), _, _) => Some(normalise(json)).filter(|color| !color.is_empty()),
        (_, Some(hex), _) => from_hex(hex),
        (_, _, Some(hue)) => from_hue(hue, saturation.unwrap_or(100.0)),
        _ => None,
    };
    let color = match query.flag("iswhite") {
        true => Some(white()),
        false => color,
    };
    let color = color.ok_or(
        "give `color` as JSON, `hex` with 6, 8 or 10 digits, `hue` from 0 to 360, or `iswhite`",
    )?;
    let level = query.number::<f64>("brightness")?;
    send(call, &color, level.map(percent)).await?;
    Ok(Answer::ok("SetColBrightnessValue"))
}

pub(super) async fn kelvin(call: &Call<'_>) -> Outcome {
    let kelvin = f64::from(percent(call.query.required("kelvin")?));
    // Whole numbers of 0 to 255: the cast cannot lose anything.
    let warm = (kelvin * 2.55).round() as i64;
    let color = json!({"m": 2, "t": warm, "cw": 255 - warm, "ww": warm});
    send(call, &normalise(&color.to_string()), None).await?;
    Ok(Answer::ok("Set Kelvin Level"))
}

async fn send(call: &Call<'_>, color: &str, level: Option<i32>) -> Result<(), String> {
    let row = call.device().await?;
    if row.device.device_type != kind::COLOR_SWITCH {
        return Err("this device has no colours".to_owned());
    }
    // A light that was never dimmed is at its brightest.
    let last = i32::try_from(row.device.last_level).unwrap_or(100);
    let last = if last > 0 { last } else { 100 };
    let request = Request {
        action: "Set Color",
        level: Some(level.unwrap_or(last)),
        color: Some(color),
    };
    call.deliver(row.hardware, command::switch(&row.device, &request))
}

/// From 0 to 100, so the cast cannot fail whatever the client gave.
fn percent(figure: f64) -> i32 {
    match figure.is_finite() {
        true => figure.round().clamp(0.0, 100.0) as i32,
        false => 0,
    }
}

fn white() -> String {
    normalise(r#"{"m":1,"ww":255,"cw":255}"#)
}

/// Two digits each for red, green, blue; then warm white; then cold white.
fn from_hex(hex: &str) -> Option<String> {
    let hex = hex.trim_start_matches('#');
    if !matches!(hex.len(), 6 | 8 | 10) || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let part = |n: usize| {
        let digits = hex.get(n * 2..n * 2 + 2).unwrap_or("0");
        i64::from_str_radix(digits, 16).unwrap_or(0)
    };
    let (red, green, blue, warm, cold) = (part(0), part(1), part(2), part(3), part(4));
    let mode = if hex.len() == 6 { 3 } else { 4 };
    let color = json!({"m": mode, "r": red, "g": green, "b": blue, "ww": warm, "cw": cold});
    Some(normalise(&color.to_string()))
}

/// A hue in degrees and a saturation in percent, at full brightness, which is the
/// command's level. Without saturation it is white.
fn from_hue(hue: f64, saturation: f64) -> Option<String> {
    if !hue.is_finite() || !saturation.is_finite() {
        return None;
    }
    let saturation = saturation.clamp(0.0, 100.0) / 100.0;
    if saturation == 0.0 {
        return Some(white());
    }
    let sector = hue.rem_euclid(360.0) / 60.0;
    let part = |offset: f64| {
        let place = (offset + sector).rem_euclid(6.0);
        let value = 1.0 - saturation * place.min(4.0 - place).clamp(0.0, 1.0);
        (value * 255.0).round() as i64
    };
    let color = json!({"m": 3, "r": part(5.0), "g": part(3.0), "b": part(1.0)});
    Some(normalise(&color.to_string()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn rgb(r: u8, g: u8, b: u8) -> String {
        normalise(&json!({"m": 3, "r": r, "g": g, "b": b}).to_string())
    }

    #[test]
    fn hexadecimal_digits_are_colours_and_whites() {
        assert_eq!(from_hex("ff0080").unwrap(), rgb(255, 0, 128));
        assert_eq!(from_hex("#00FF00").unwrap(), rgb(0, 255, 0));
        let custom = normalise(r#"{"m":4,"r":1,"g":2,"b":3,"ww":4,"cw":5}"#);
        assert_eq!(from_hex("0102030405").unwrap(), custom);
        for junk in ["", "ff", "gggggg", "ff00801", "é00000"] {
            assert_eq!(from_hex(junk), None, "{junk}");
        }
    }

    #[test]
    fn hues_go_round() {
        let hues = [
            (0.0, rgb(255, 0, 0)),
            (60.0, rgb(255, 255, 0)),
            (120.0, rgb(0, 255, 0)),
            (240.0, rgb(0, 0, 255)),
            (360.0, rgb(255, 0, 0)),
            (-120.0, rgb(0, 0, 255)),
        ];
        for (hue, expected) in hues {
            assert_eq!(from_hue(hue, 100.0).unwrap(), expected, "{hue}");
        }
        assert_eq!(from_hue(0.0, 50.0).unwrap(), rgb(255, 128, 128));
        assert_eq!(from_hue(77.0, 0.0).unwrap(), white());
        assert_eq!(from_hue(f64::NAN, 50.0), None);
    }
}
