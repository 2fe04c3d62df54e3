//! Questions about a device that its type numbers answer.
//!
//! [`table`] has a row for each pair of main type and sub type, [`switches`] one for each switch
//! type. The functions here are the questions that the rest of the hub asks of them.

pub mod switches;
pub mod table;

pub use switches::{Levels, Switch};
pub use table::{Kind, Layout, Tab};

use super::device::Device;

/// Main type of switches made by plugins.
pub const LIGHT_SWITCH: i64 = 244;
/// Main type of coloured lights.
pub const COLOR_SWITCH: i64 = 241;
/// Main type of security devices.
pub const SECURITY: i64 = 32;
/// A radio protocol with 16 dim levels.
const LIGHTING_2: i64 = 17;

/// Sub type of custom sensors; their options are stored raw, whatever the main type.
pub const CUSTOM: i64 = 31;
/// Sub type of counters to which each reading is added (spec 4.5).
const COUNTER_INCREMENTAL: i64 = 28;
/// Sub type of weather stations, whose air pressure keeps its decimals when it is calibrated.
pub const WEATHER_STATION: i64 = 16;

/// Switch type of dimmers.
pub const DIMMER: i64 = 7;
/// Switch type of selectors.
pub const SELECTOR: i64 = 18;

/// The row of a device's types.
#[must_use]
pub fn of(device: &Device) -> &'static Kind {
    table::find(device.device_type, device.sub_type)
}

/// The name of a device's main type for clients.
#[must_use]
pub fn main_name(device: &Device) -> &'static str {
    table::main_name(device.device_type)
}

/// The row of a device's switch type.
#[must_use]
pub fn switch(device: &Device) -> &'static Switch {
    switches::find(device.switch_type)
}

/// The layout of the device's reading.
#[must_use]
pub fn layout(device: &Device) -> Layout {
    of(device).layout
}

/// Whether clients may send it a switch command: lighting, chimes, fans, blinds,
/// security, remotes and the two types that plugins use.
#[must_use]
pub fn is_switch(device: &Device) -> bool {
    layout(device) == Layout::Switch
}

/// Whether it is a set point, for which every value from outside is a command.
#[must_use]
pub fn is_set_point(device: &Device) -> bool {
    layout(device) == Layout::SetPoint
}

/// Whether each reading is added to the one before (spec 4.5).
#[must_use]
pub fn adds_readings(device: &Device) -> bool {
    layout(device) == Layout::Counter && device.sub_type == COUNTER_INCREMENTAL
}

/// Whether the device's switch type is one of the blinds of spec 8.5.
#[must_use]
pub fn is_blinds(device: &Device) -> bool {
    switch(device).blinds
}

/// Whether the level of the device can be set: dimmers, selectors, blinds with a position.
#[must_use]
pub fn dims(device: &Device) -> bool {
    switch(device).levels != Levels::None
}

/// Blinds whose text value is always the position.
#[must_use]
pub fn is_blinds_percentage(device: &Device) -> bool {
    matches!(device.switch_type, 13 | 21)
}

/// Contacts, smoke detectors and locks: a repeated reading is no event (spec 4.5).
#[must_use]
pub fn reports_changes_only(device: &Device) -> bool {
    switch(device).changes_only
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

/// The highest level of a device. The levels of a selector have no end but that of an `int`.
#[must_use]
pub fn top_level(device: &Device) -> i64 {
    match switch(device).levels {
        Levels::Choices => i64::from(i32::MAX),
        Levels::None | Levels::Percent => 100,
    }
}

/// The level that so many steps of the type are: a percentage, or the number of a selector's level.
#[must_use]
pub fn level(device: &Device, steps: i64, round: bool) -> i64 {
    if switch(device).levels == Levels::Choices {
        return steps.clamp(0, top_level(device));
    }
    let range = dim_range(device);
    let half = if round { range / 2 } else { 0 };
    (steps.clamp(0, range) * 100 + half) / range
}

/// The steps of the type that a level is, rounded; [`level`] the other way.
#[must_use]
pub fn steps(device: &Device, level: i64, round: bool) -> i64 {
    let level = level.clamp(0, top_level(device));
    if switch(device).levels == Levels::Choices {
        return level;
    }
    let half = if round { 50 } else { 0 };
    (level * dim_range(device) + half) / 100
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_levels_of_a_selector_have_no_end() {
        let of = |device_type, switch_type| Device {
            device_type,
            switch_type,
            ..Device::default()
        };
        let (selector, dimmer, old) = (of(244, SELECTOR), of(244, DIMMER), of(17, DIMMER));
        assert_eq!(level(&selector, 410, true), 410);
        assert_eq!(level(&selector, i64::MAX, true), i64::from(i32::MAX));
        assert_eq!(steps(&selector, 410, true), 410);
        assert_eq!(
            (level(&dimmer, 410, true), level(&dimmer, -1, true)),
            (100, 0)
        );
        assert_eq!((level(&old, 8, true), level(&old, 8, false)), (53, 53));
        assert_eq!((steps(&old, 50, true), steps(&old, 50, false)), (8, 7));
    }
}
