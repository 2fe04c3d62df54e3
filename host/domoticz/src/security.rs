//! The status of the house, which says whether it is guarded, and the devices that show it.
//!
//! The status is the hub's: clients set it, with the code where there is one. The report of a
//! plugin's panel counts if the plugin has the grant `security`.
//!
//! This module has only numbers and words. Who is told of a change is decided in `house`.

use super::device::Device;
use super::kind;

/// The preference that holds the status as a number, as in Domoticz.
pub const PREFERENCE: &str = "SecStatus";

/// Sub type of [`kind::SECURITY`] that the panel of a hub has.
pub(super) const PANEL: i64 = 131;

/// The status of the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Security {
    /// Nothing is guarded.
    #[default]
    Disarmed,
    /// Guarded with people inside.
    ArmedHome,
    /// Guarded with nobody inside.
    ArmedAway,
}

impl Security {
    /// The number of clients and of `onSecurityEvent`: 0, 1 or 2 (spec 8.3).
    #[must_use]
    pub fn level(self) -> u32 {
        match self {
            Self::Disarmed => 0,
            Self::ArmedHome => 1,
            Self::ArmedAway => 2,
        }
    }

    /// The status with this number, if there is one.
    #[must_use]
    pub fn from_level(level: i64) -> Option<Self> {
        match level {
            0 => Some(Self::Disarmed),
            1 => Some(Self::ArmedHome),
            2 => Some(Self::ArmedAway),
            _ => None,
        }
    }

    /// The words of `onSecurityEvent`.
    #[must_use]
    pub fn description(self) -> &'static str {
        match self {
            Self::Disarmed => "Disarmed",
            Self::ArmedHome => "Armed Home",
            Self::ArmedAway => "Armed Away",
        }
    }

    /// The status that the numeric value of a panel reports (spec 4.3, Update 3b); `None` for
    /// values about something else, such as a panic button.
    #[must_use]
    pub fn from_panel(n_value: i64) -> Option<Self> {
        match n_value {
            11 | 12 => Some(Self::ArmedHome),
            9 | 10 => Some(Self::ArmedAway),
            13 | 0 | 1 | 128 | 129 => Some(Self::Disarmed),
            _ => None,
        }
    }

    /// The status that a new reading of a device reports, if the device is a panel that is shown
    /// and the status is news.
    #[must_use]
    pub fn reported(before: &Device, after: &Device) -> Option<Self> {
        let is_panel = after.device_type == kind::SECURITY && after.sub_type == PANEL;
        let news = after.used != 0 && before.n_value != after.n_value;
        (is_panel && news)
            .then(|| Self::from_panel(after.n_value))
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_panel_that_is_shown_reports_and_only_news() {
        let panel = |n_value| Device {
            device_type: kind::SECURITY,
            sub_type: PANEL,
            n_value,
            used: 1,
            ..Device::default()
        };
        let armed = Some(Security::ArmedAway);
        assert_eq!(Security::reported(&panel(0), &panel(9)), armed);
        assert_eq!(Security::reported(&panel(9), &panel(9)), None);
        assert_eq!(Security::reported(&panel(0), &panel(6)), None);
        let hidden = Device {
            used: 0,
            ..panel(9)
        };
        assert_eq!(Security::reported(&panel(0), &hidden), None);
        let sensor = Device {
            sub_type: 1,
            ..panel(9)
        };
        assert_eq!(Security::reported(&panel(0), &sensor), None);
    }

    #[test]
    fn numbers_and_words_are_those_of_the_callback() {
        let all = [Security::Disarmed, Security::ArmedHome, Security::ArmedAway];
        for (level, status) in (0_i64..).zip(all) {
            assert_eq!(Security::from_level(level), Some(status));
            assert_eq!(i64::from(status.level()), level);
        }
        assert_eq!(Security::from_level(3), None);
        assert_eq!(Security::ArmedAway.description(), "Armed Away");
    }

    #[test]
    fn a_panel_says_how_the_house_is_guarded() {
        let said = [(11, 1), (12, 1), (9, 2), (10, 2), (13, 0), (0, 0), (129, 0)];
        for (n_value, level) in said {
            assert_eq!(
                Security::from_panel(n_value).map(Security::level),
                Some(level)
            );
        }
        assert_eq!(Security::from_panel(6), None);
    }
}
