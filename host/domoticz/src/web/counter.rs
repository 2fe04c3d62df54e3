//! The fields of counters in the API beside their value: the day's use, and its form for people.

use serde_json::{Map, Value, json};

use super::commands::divider;
use super::devices::object;
use super::figure::fixed;
use crate::history::{adds_up, figures};
use crate::{Device, kind};

/// The fields of a counter that showed `first` at the beginning of the day.
pub(super) fn fields(device: &Device, first: Option<f64>) -> Map<String, Value> {
    if !adds_up(device) {
        return Map::new();
    }
    let now = figures(device).unwrap_or_default();
    let [first_column, ..] = now;
    let total = first_column.unwrap_or(0.0);
    let today = first.map_or(0.0, |first| (total - first).max(0.0));
    let (divider, decimals) = divider(device);
    let unit = unit(device);
    let shown = |figure: f64| {
        let text = format!("{} {unit}", fixed(figure / divider, decimals));
        text.trim_end().to_owned()
    };
    let mut fields = object(json!({
        "Counter": shown(total), "CounterToday": shown(today), "Divider": divider,
    }));
    let kwh = device.device_type == kind::GENERAL && device.sub_type == kind::KWH;
    if !kwh {
        fields.insert("SwitchTypeVal".to_owned(), json!(device.switch_type));
    }
    if let (250, [_, _, r1, r2, used, returned]) = (device.device_type, now) {
        let sum = |a: Option<f64>, b: Option<f64>| a.unwrap_or(0.0) + b.unwrap_or(0.0);
        let [u1, u2, ..] = now;
        fields.insert("Counter".to_owned(), json!(shown(sum(u1, u2))));
        fields.insert("CounterDeliv".to_owned(), json!(shown(sum(r1, r2))));
        let watts = |power: Option<f64>| json!(format!("{} Watt", fixed(power.unwrap_or(0.0), 0)));
        fields.insert("Usage".to_owned(), watts(used));
        fields.insert("UsageDeliv".to_owned(), watts(returned));
    }
    for option in ["ValueQuantity", "ValueUnits"] {
        let text = device.option(option).unwrap_or("");
        fields.insert(option.to_owned(), json!(text));
    }
    fields
}

fn unit(device: &Device) -> &str {
    match (device.device_type, device.sub_type, device.switch_type) {
        (250, _, _) | (kind::GENERAL, kind::KWH, _) => "kWh",
        (251, _, _) | (_, _, 1 | 2) => "m3",
        (_, _, 0 | 4) => "kWh",
        (_, _, 5) => "min",
        _ => device.option("ValueUnits").unwrap_or(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_has_what_it_counted_today() {
        let meter = Device {
            device_type: 243,
            sub_type: 29,
            s_value: "230;2500".to_owned(),
            ..Device::default()
        };
        let shown = fields(&meter, Some(1000.0));
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
