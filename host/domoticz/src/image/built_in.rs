//! The pictures that clients have themselves, whose names no plugin takes.

use super::ImageError;

/// A picture that clients have themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuiltIn {
    /// Number as devices store it.
    pub number: i64,
    /// Name of the picture.
    pub base: &'static str,
    /// Name for people.
    pub text: &'static str,
}

macro_rules! built_in {
    ($($number:literal $base:literal $text:literal;)+) => {
        /// Pictures that clients have themselves, with Domoticz' numbers. No plugin has sets of
        /// these names.
        pub const BUILT_IN: &[BuiltIn] = &[$(BuiltIn {
            number: $number,
            base: $base,
            text: $text,
        },)+];
    };
}

built_in! {
    0 "Light" "Default";
    1 "WallSocket" "Wall Socket";
    2 "TV" "TV";
    3 "Harddisk" "Harddisk";
    4 "Printer" "Printer";
    5 "Amplifier" "Amplifier";
    6 "Computer" "Computer";
    7 "Fan" "Fan";
    8 "Speaker" "Speaker";
    9 "Generic" "Generic";
    10 "Fireplace" "Fireplace";
    11 "Water" "Water";
    12 "Media" "Media";
    13 "Alarm" "Alarm";
    14 "ChristmasTree" "Christmas Tree";
    15 "Heating" "Heating";
    16 "Cooling" "Cooling";
}

/// More of these pictures, which devices show by their type.
const BY_TYPE: [&str; 6] = ["blinds", "contact", "door", "media", "motion", "smoke"];

/// Refuses the name of a picture that clients have: it would be shown for everybody's devices.
pub(super) fn check_base(base: &str) -> Result<(), ImageError> {
    let mut built_in = BUILT_IN.iter().map(|icon| icon.base).chain(BY_TYPE);
    match built_in.any(|name| name.eq_ignore_ascii_case(base)) {
        true => Err(ImageError::BuiltIn(base.to_owned())),
        false => Ok(()),
    }
}
