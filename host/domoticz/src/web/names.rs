//! Names of types, switch types and states in the API, as clients know them.
//!
//! Tables only. The numbers are those of behaviour spec section 3.

use crate::{Device, kind};

/// Name of the main type.
pub(crate) fn main(device: &Device) -> &'static str {
    match device.device_type {
        16 => "Lighting 1",
        17 => "Lighting 2",
        20 => "Lighting 5",
        22 => "Chime",
        23 => "Fan",
        26 => "RFY",
        kind::SECURITY => "Security",
        80 => "Temp",
        81 => "Humidity",
        82 => "Temp + Humidity",
        84 => "Temp + Humidity + Baro",
        85 => "Rain",
        86 => "Wind",
        87 => "UV",
        89 => "Current",
        93 => "Weight",
        113 => "RFXMeter",
        kind::COLOR_SWITCH => "Color Switch",
        kind::SETPOINT => "Setpoint",
        kind::GENERAL => "General",
        kind::LIGHT_SWITCH => "Light/Switch",
        246 => "Lux",
        247 => "Temp + Baro",
        248 => "Usage",
        249 => "Air Quality",
        250 | 251 => "P1 Smart Meter",
        _ => "Unknown",
    }
}

/// Name of the sub type.
pub(super) fn sub(device: &Device) -> &'static str {
    match (device.device_type, device.sub_type) {
        (kind::GENERAL, sub) => general(sub),
        (kind::COLOR_SWITCH, sub) => color(sub),
        (kind::LIGHT_SWITCH, 62) => "Selector Switch",
        (kind::LIGHT_SWITCH, _) => "Switch",
        (kind::SETPOINT, _) => "SetPoint",
        (kind::SECURITY, 131) => "Security Panel",
        (80, 5) => "LaCrosse TX3",
        (81, 1) => "LaCrosse TX3",
        (82, 1) => "THGN122/123/132, THGR122/228/238/268",
        (84, 1) => "THB1 - BTHR918, BTHGN129",
        (85, 3) => "TFA",
        (86, 1) => "WTGR800",
        (86, 4) => "TFA",
        (87, 1) => "UVN128,UV138",
        (89, 1) => "CM113, Electrisave",
        (246, _) => "Lux",
        (248, _) => "Electric",
        (249, _) => "Voltcraft CO-20",
        (250, _) => "Energy",
        (251, _) => "Gas",
        _ => "Unknown",
    }
}

fn general(sub_type: i64) -> &'static str {
    match sub_type {
        1 => "Visibility",
        2 => "Solar Radiation",
        3 => "Soil Moisture",
        4 => "Leaf Wetness",
        6 => "Percentage",
        7 => "Fan",
        8 => "Voltage",
        9 => "Pressure",
        19 => "Text",
        22 => "Alert",
        23 => "Current",
        24 => "Sound Level",
        26 => "Barometer",
        27 => "Distance",
        kind::COUNTER_INCREMENTAL => "Counter Incremental",
        kind::KWH => "kWh",
        30 => "Waterflow",
        kind::CUSTOM => "Custom Sensor",
        kind::MANAGED_COUNTER => "Managed Counter",
        _ => "Unknown",
    }
}

fn color(sub_type: i64) -> &'static str {
    match sub_type {
        1 => "RGBW",
        2 => "RGB",
        3 => "White",
        4 => "RGBWW",
        6 => "RGBWZ",
        7 => "RGBWWZ",
        8 => "WW",
        _ => "Unknown",
    }
}

/// Name of the switch type.
pub(super) fn switch_type(device: &Device) -> &'static str {
    match device.switch_type {
        0 => "On/Off",
        1 => "Doorbell",
        2 => "Contact",
        3 => "Blinds",
        4 => "X10 Siren",
        5 => "Smoke Detector",
        7 => "Dimmer",
        8 => "Motion Sensor",
        9 => "Push On Button",
        10 => "Push Off Button",
        11 => "Door Contact",
        12 => "Dusk Sensor",
        13 => "Blinds Percentage",
        14 => "Venetian Blinds US",
        15 => "Venetian Blinds EU",
        17 => "Media Player",
        18 => "Selector",
        19 => "Door Lock",
        20 => "Door Lock Inverted",
        21 => "Blinds % + Stop",
        _ => "Unknown",
    }
}

/// The state of a switch in words.
pub(super) fn status(device: &Device, level: i64) -> String {
    let on = kind::is_on(device);
    let either = |yes: &str, no: &str| (if on { yes } else { no }).to_owned();
    let sets_level = match device.device_type {
        kind::COLOR_SWITCH => device.n_value == 15,
        _ => device.n_value == 2,
    };
    match (device.switch_type, device.n_value) {
        _ if sets_level => format!("Set Level: {level} %"),
        (3 | 13 | 14 | 15 | 21, 17) => "Stopped".to_owned(),
        (3 | 13 | 14 | 15 | 21 | 2 | 11, _) => either("Open", "Closed"),
        (5, _) => either("Panic", "Normal"),
        (19, _) => either("Locked", "Unlocked"),
        (20, _) => either("Unlocked", "Locked"),
        (_, 3) if device.device_type == kind::LIGHT_SWITCH => "Group Off".to_owned(),
        (_, 4) if device.device_type == kind::LIGHT_SWITCH => "Group On".to_owned(),
        (_, 10) if device.device_type == kind::COLOR_SWITCH => "Set Color".to_owned(),
        (_, 14) if device.device_type == kind::COLOR_SWITCH => "Set To White".to_owned(),
        _ => either("On", "Off"),
    }
}

/// Icon family of a device.
pub(super) fn type_image(device: &Device) -> &'static str {
    match (device.device_type, device.sub_type) {
        _ if kind::is_blinds(device) => "blinds",
        _ if device.switch_type == kind::DIMMER && kind::is_switch(device) => "dimmer",
        (kind::SECURITY, _) => "security",
        (80 | 82 | 84 | 247, _) => "temperature",
        (81, _) => "humidity",
        (85, _) => "rain",
        (86, _) => "wind",
        (87, _) => "uv",
        (89, _) | (248, _) | (kind::GENERAL, 23) => "current",
        (246, _) => "lux",
        (249, _) => "air",
        (250 | 251 | 113, _) | (kind::GENERAL, 28 | 29 | 33) => "counter",
        (kind::SETPOINT, _) => "override_mini",
        (kind::GENERAL, 19) => "text",
        (kind::GENERAL, 22) => "Alert",
        (kind::GENERAL, 26) => "gauge",
        (kind::GENERAL, kind::CUSTOM) => "Custom",
        (kind::GENERAL, _) => "hardware",
        _ => "lightbulb",
    }
}

/// Icon of a switch.
pub(super) fn switch_image(device: &Device) -> &'static str {
    match device.switch_type {
        2 => "contact",
        5 => "smoke",
        8 => "motion",
        11 | 19 | 20 => "door",
        17 => "Media",
        _ if kind::is_blinds(device) => "blinds",
        _ => "Light",
    }
}

/// Whether the device is listed under temperatures.
pub(super) fn is_temperature(device: &Device) -> bool {
    matches!(device.device_type, 80..=84 | 247)
}

/// Whether the device is listed under weather.
pub(super) fn is_weather(device: &Device) -> bool {
    let general = device.device_type == kind::GENERAL && matches!(device.sub_type, 1 | 2 | 26);
    matches!(device.device_type, 84..=87) || general
}
