//! The fields of counters in the API beside their value: the day's use, and its form for people.

use serde_json::{Map, Value, json};

use super::commands::divider;
use super::figure::fixed;
use crate::Device;
use crate::history::{Figures, figures};
use crate::kind::{self, Layout};

/// Switch type of a gas meter.
const GAS: i64 = 1;

/// The fields of a counter that showed `first` at the beginning of the day.
pub(super) fn fields(device: &Device, first: Option<&Figures>) -> Map<String, Value> {
    let layout = kind::layout(device);
    let sums: [&[usize]; 2] = match layout {
        Layout::Counter | Layout::Managed | Layout::Energy | Layout::Gas => [&[0], &[]],
        // Two tariffs of each direction.
        Layout::Meter => [&[0, 1], &[2, 3]],
        _ => return Map::new(),
    };
    let now = figures(device).unwrap_or_default();
    let [used, returned] = sums.map(|columns| Sum::of(columns, &now, first));
    let shown = Shown::of(device);
    let mut fields = Map::new();
    let mut put = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    put("CounterToday", json!(shown.with_unit(used.today)));
    put("Divider", json!(shown.divider));
    // A meter's and a gas meter's reading stand without a unit.
    let counter = match layout {
        Layout::Meter | Layout::Gas => shown.bare(used.total),
        _ => shown.with_unit(used.total),
    };
    match layout {
        Layout::Counter | Layout::Gas => put("Data", json!(counter)),
        Layout::Energy => {
            let mode = device.option("EnergyMeterMode").unwrap_or("0");
            put("EnergyMeterMode", json!(mode))
        }
        _ => None,
    };
    put("Counter", json!(counter));
    if layout == Layout::Gas {
        put("SwitchTypeVal", json!(GAS));
    }
    if layout == Layout::Meter {
        let [.., power, powered] = now;
        let watts = |power: Option<f64>| json!(format!("{} Watt", fixed(power.unwrap_or(0.0), 0)));
        put("CounterDeliv", json!(shown.bare(returned.total)));
        put("CounterDelivToday", json!(shown.with_unit(returned.today)));
        put("Usage", watts(power));
        put("UsageDeliv", watts(powered));
    }
    for option in ["ValueQuantity", "ValueUnits"] {
        put(option, json!(device.option(option).unwrap_or("")));
    }
    fields
}

/// The sum of some columns of a counter, in all and of today.
struct Sum {
    total: f64,
    today: f64,
}

impl Sum {
    fn of(columns: &[usize], now: &Figures, first: Option<&Figures>) -> Self {
        let at = |figures: &Figures, n: usize| figures.get(n).copied().flatten().unwrap_or(0.0);
        let sum = |figures: &Figures| columns.iter().map(|n| at(figures, *n)).sum::<f64>();
        let total = sum(now);
        let today = first.map_or(0.0, |first| (total - sum(first)).max(0.0));
        Self { total, today }
    }
}

/// The form of a counter's figures.
struct Shown<'a> {
    divider: f64,
    decimals: usize,
    unit: &'a str,
}

impl<'a> Shown<'a> {
    fn of(device: &'a Device) -> Self {
        let (divider, decimals) = divider(device);
        Self {
            divider,
            decimals,
            unit: unit(device),
        }
    }

    fn bare(&self, figure: f64) -> String {
        fixed(figure / self.divider, self.decimals)
    }

    fn with_unit(&self, figure: f64) -> String {
        let text = format!("{} {}", self.bare(figure), self.unit);
        text.trim_end().to_owned()
    }
}

fn unit(device: &Device) -> &str {
    match (kind::layout(device), device.switch_type) {
        (Layout::Meter | Layout::Energy, _) => "kWh",
        (Layout::Gas, _) | (_, 1 | 2) => "m3",
        (_, 0 | 4) => "kWh",
        (_, 5) => "min",
        _ => device.option("ValueUnits").unwrap_or(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(given: &[f64]) -> Figures {
        let mut figures = Figures::default();
        for (figure, given) in figures.iter_mut().zip(given) {
            *figure = Some(*given);
        }
        figures
    }

    #[test]
    fn a_smart_meter_has_both_tariffs_of_both_directions() {
        let meter = Device {
            device_type: 250,
            sub_type: 1,
            s_value: "123456;234567;1000;2000;321;0".to_owned(),
            ..Device::default()
        };
        let shown = fields(
            &meter,
            Some(&first(&[123_000.0, 234_000.0, 1000.0, 1500.0])),
        );
        for (name, value) in [
            ("Counter", "358.023"),
            ("CounterDeliv", "3.000"),
            ("CounterToday", "1.023 kWh"),
            ("CounterDelivToday", "0.500 kWh"),
            ("Usage", "321 Watt"),
            ("UsageDeliv", "0 Watt"),
        ] {
            assert_eq!(shown.get(name), Some(&json!(value)), "{name}");
        }
        let gas = Device {
            device_type: 251,
            sub_type: 2,
            s_value: "1669907".to_owned(),
            ..Device::default()
        };
        let shown = fields(&gas, None);
        assert_eq!(
            (&shown["Counter"], &shown["Data"]),
            (&json!("1669.907"), &json!("1669.907"))
        );
        assert_eq!(
            (&shown["CounterToday"], &shown["SwitchTypeVal"]),
            (&json!("0.000 m3"), &json!(1))
        );
    }

    #[test]
    fn a_counter_has_what_it_counted_today() {
        let meter = Device {
            device_type: 243,
            sub_type: 29,
            s_value: "230;2500".to_owned(),
            ..Device::default()
        };
        let shown = fields(&meter, Some(&first(&[1000.0])));
        assert_eq!(shown.get("CounterToday"), Some(&json!("1.500 kWh")));
        assert_eq!(shown.get("Counter"), Some(&json!("2.500 kWh")));
        let pieces = Device {
            sub_type: 28,
            switch_type: 3,
            s_value: "7".to_owned(),
            options: vec![("ValueUnits".to_owned(), "eggs".to_owned())],
            ..meter
        };
        assert_eq!(
            fields(&pieces, None).get("CounterToday"),
            Some(&json!("0 eggs"))
        );
        assert_eq!(fields(&pieces, None).get("Counter"), Some(&json!("7 eggs")));
        assert!(fields(&Device::default(), None).is_empty());
    }
}
