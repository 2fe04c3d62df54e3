//! The kinds of history. The table of types says which one a device has.
//!
//! Pure. A family gives the figures of its rows their meaning; the columns themselves have no names
//! (see [`super::sample`] and [`super::day`]).

use super::super::device::Device;
use super::super::kind;

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
        kind::of(device).family
    }

    /// Whether the hub takes a reading of the device every five minutes.
    #[must_use]
    pub fn is_sampled(self) -> bool {
        self != Self::Log
    }
}
