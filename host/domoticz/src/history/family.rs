//! Which history a device has, by its type numbers.
//!
//! Pure. A family gives the figures of its rows their meaning; the columns themselves have no names
//! (see [`super::sample`] and [`super::day`]).

use super::super::device::Device;
use super::super::kind;

/// Sub types of [`kind::GENERAL`] that only the history and the charts tell apart.
const PERCENTAGE: i64 = 6;
const FAN: i64 = 7;
const TEXT: i64 = 19;
const ALERT: i64 = 22;
const BAROMETER: i64 = 26;
const WATERFLOW: i64 = 30;

/// A kind of history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Family {
    /// Temperature, chill, humidity, air pressure, dew point, set point.
    Temperature,
    /// Rain that fell.
    Rain,
    /// Direction, speed, gusts, temperature, chill.
    Wind,
    /// Strength of the sun.
    Uv,
    /// Percentages, custom sensors, water flow.
    Percentage,
    /// Turns per minute.
    Fan,
    /// Voltage, pressure, distance and other single figures.
    Level,
    /// Light.
    Lux,
    /// Power alone.
    Usage,
    /// Carbon dioxide.
    AirQuality,
    /// Three currents.
    Current,
    /// Amounts that add up: energy, gas, water, pieces.
    Counter,
    /// A smart meter: two tariffs in both directions, and the power.
    Meter,
    /// Switches and texts: each reading, with its time.
    Log,
}

impl Family {
    /// The family of a device; `None` when no history of it is kept.
    #[must_use]
    pub fn of(device: &Device) -> Option<Self> {
        if kind::is_switch(device) {
            return Some(Self::Log);
        }
        Some(match (device.device_type, device.sub_type) {
            (80..=84 | 247 | kind::SETPOINT, _) | (kind::GENERAL, BAROMETER) => Self::Temperature,
            (85, _) => Self::Rain,
            (86, _) => Self::Wind,
            (87, _) => Self::Uv,
            (89, _) => Self::Current,
            (93, _) => Self::Level,
            (113 | 251, _) => Self::Counter,
            (246, _) => Self::Lux,
            (248, _) => Self::Usage,
            (249, _) => Self::AirQuality,
            (250, _) => Self::Meter,
            (kind::GENERAL, kind::COUNTER_INCREMENTAL | kind::KWH | kind::MANAGED_COUNTER) => {
                Self::Counter
            }
            (kind::GENERAL, PERCENTAGE | WATERFLOW | kind::CUSTOM) => Self::Percentage,
            (kind::GENERAL, FAN) => Self::Fan,
            (kind::GENERAL, TEXT | ALERT) => Self::Log,
            (kind::GENERAL, 1..=4 | 8 | 9 | 23 | 24 | 27) => Self::Level,
            _ => return None,
        })
    }

    /// Whether the hub takes a reading of the device every five minutes.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self != Self::Log
    }
}
