//! Set points: the bounds, the step and the unit that a plugin gives one as options.

use super::device::Device;

/// The unit, bounds and step of a set point; those of a temperature where no option says more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<'a> {
    /// Unit of the figure.
    pub unit: &'a str,
    /// Least figure.
    pub low: f64,
    /// Greatest figure.
    pub high: f64,
    /// Difference between two figures that people choose from.
    pub step: f64,
}

impl<'a> Bounds<'a> {
    /// The bounds of a device. An option that is no finite number counts as not given.
    #[must_use]
    pub fn of(device: &'a Device) -> Self {
        let number = |key, default| {
            let given = device.option(key).and_then(|text| text.trim().parse().ok());
            given
                .filter(|number: &f64| number.is_finite())
                .unwrap_or(default)
        };
        Self {
            unit: device.option("ValueUnit").unwrap_or("°C"),
            low: number("ValueMin", -200.0),
            high: number("ValueMax", 200.0),
            step: number("ValueStep", 0.5),
        }
    }
}
