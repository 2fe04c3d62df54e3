//! Type, sub type and switch type numbers that the hub itself has rules about.
//!
//! Only predicates over numbers (behaviour spec section 3); the names of types for
//! plugins are the Python side's, those for clients are the web API's.

use super::device::Device;

/// Main type of switches made by plugins.
pub const LIGHT_SWITCH: i64 = 244;
/// Main type of coloured lights.
pub const COLOR_SWITCH: i64 = 241;
/// Main type of set points.
pub const SETPOINT: i64 = 242;
/// Main type of most sensors.
pub const GENERAL: i64 = 243;
/// Main type of security devices.
pub const SECURITY: i64 = 32;
/// A radio protocol with 16 dim levels.
const LIGHTING_2: i64 = 17;

/// Sub type of [`GENERAL`] whose readings add up.
pub const COUNTER_INCREMENTAL: i64 = 28;
/// Sub type of [`GENERAL`] with power and energy.
pub const KWH: i64 = 29;
/// Sub type of custom sensors; their options are stored raw, whatever the main type.
pub const CUSTOM: i64 = 31;
/// Sub type of [`GENERAL`] whose history plugins write themselves.
pub const MANAGED_COUNTER: i64 = 33;

/// Switch type of dimmers.
pub const DIMMER: i64 = 7;
/// Switch type of selectors.
pub const SELECTOR: i64 = 18;

/// Whether clients may send it a switch command: lighting, chimes, fans, blinds,
/// security, remotes and the two types that plugins use.
#[must_use]
pub fn is_switch(device: &Device) -> bool {
    matches!(
        device.device_type,
        16..=27 | SECURITY | 33 | 48 | COLOR_SWITCH | LIGHT_SWITCH
    )
}

/// Whether the device's switch type is one of the blinds of spec 8.5.
#[must_use]
pub fn is_blinds(device: &Device) -> bool {
    matches!(device.switch_type, 3 | 13 | 14 | 15 | 21)
}

/// Whether the level of the device can be set: dimmers, selectors, blinds with a position.
#[must_use]
pub fn dims(device: &Device) -> bool {
    matches!(device.switch_type, DIMMER | SELECTOR | 13 | 14 | 15 | 21)
}

/// Blinds whose text value is always the position.
#[must_use]
pub fn is_blinds_percentage(device: &Device) -> bool {
    matches!(device.switch_type, 13 | 21)
}

/// Contacts, smoke detectors and locks: a repeated reading is no event (spec 4.5).
#[must_use]
pub fn reports_changes_only(device: &Device) -> bool {
    matches!(device.switch_type, 2 | 5 | 11 | 19 | 20)
}

/// Number of dim steps of the type, full brightness included.
#[must_use]
pub fn dim_range(device: &Device) -> i64 {
    if device.device_type == LIGHTING_2 {
        15
    } else {
        100
    }
}

/// Whether the numeric value of a switch stands for "on" or "open".
#[must_use]
pub fn is_on(device: &Device) -> bool {
    match device.device_type {
        // 3 is Group Off.
        LIGHT_SWITCH => !matches!(device.n_value, 0 | 3),
        _ => device.n_value != 0,
    }
}
