//! Every switch type that the hub knows, with its names and rules.

/// Whether and how the level of a switch can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Levels {
    /// It is on or off.
    None,
    /// A share of full brightness, or of the way down.
    Percent,
    /// A number of the level: 0, 10, 20 and on without an end.
    Choices,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch {
    /// Switch type.
    pub number: i64,
    /// Name for clients.
    pub name: &'static str,
    /// Icon family for clients (`TypeImg`); empty for that of the main type.
    pub icon: &'static str,
    /// Words for the two states, "on" first.
    pub states: [&'static str; 2],
    /// Levels that can be set.
    pub levels: Levels,
    /// Blinds of spec 8.5.
    pub blinds: bool,
    /// A repeated reading is no event (spec 4.5).
    pub changes_only: bool,
}

macro_rules! switches {
    ($($number:literal $name:literal $icon:literal $on:literal $off:literal
        $levels:ident $blinds:literal $changes_only:literal;)+) => {
        /// All rows.
        pub const SWITCHES: &[Switch] = &[$(Switch {
            number: $number,
            name: $name,
            icon: $icon,
            states: [$on, $off],
            levels: Levels::$levels,
            blinds: $blinds,
            changes_only: $changes_only,
        },)+];
    };
}

switches! {
    // Number, name, icon, words for on and off, levels, blinds, changes only.
    0 "On/Off" "" "On" "Off" None false false;
    1 "Doorbell" "doorbell" "On" "Off" None false false;
    2 "Contact" "contact" "Open" "Closed" None false true;
    3 "Blinds" "blinds" "Open" "Closed" None true false;
    4 "X10 Siren" "siren" "On" "Off" None false false;
    5 "Smoke Detector" "smoke" "Panic" "Normal" None false true;
    7 "Dimmer" "dimmer" "On" "Off" Percent false false;
    8 "Motion Sensor" "motion" "On" "Off" None false false;
    9 "Push On Button" "push" "On" "Off" None false false;
    10 "Push Off Button" "pushoff" "On" "Off" None false false;
    11 "Door Contact" "door" "Open" "Closed" None false true;
    12 "Dusk Sensor" "uv" "On" "Off" None false false;
    13 "Blinds Percentage" "blinds" "Open" "Closed" Percent true false;
    14 "Venetian Blinds US" "blinds" "Open" "Closed" Percent true false;
    15 "Venetian Blinds EU" "blinds" "Open" "Closed" Percent true false;
    17 "Media Player" "Media" "On" "Off" None false false;
    18 "Selector" "" "On" "Off" Choices false false;
    19 "Door Lock" "door" "Locked" "Unlocked" None false true;
    20 "Door Lock Inverted" "door" "Unlocked" "Locked" None false true;
    21 "Blinds % + Stop" "blinds" "Open" "Closed" Percent true false;
    22 "Blinds + Stop" "blinds" "Open" "Closed" None true false;
}

/// A switch type that the hub does not know: it is on or off.
pub const UNKNOWN: Switch = Switch {
    number: -1,
    name: "Unknown",
    icon: "",
    states: ["On", "Off"],
    levels: Levels::None,
    blinds: false,
    changes_only: false,
};

/// The row of a switch type.
#[must_use]
pub fn find(number: i64) -> &'static Switch {
    let found = SWITCHES.iter().find(|switch| switch.number == number);
    found.unwrap_or(&UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switch_types_are_found_by_their_number() {
        for switch in SWITCHES {
            assert_eq!(find(switch.number), switch, "no number stands twice");
        }
        assert_eq!(find(6).states, ["On", "Off"]);
    }
}
