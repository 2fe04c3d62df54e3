//! The effect of a new reading on a row (behaviour spec 4.5).
//!
//! Pure: the caller supplies the time that passed and writes the row. Texts come
//! from plugins and clients, so nothing here may fail or overflow.

use super::device::{Device, ValueUpdate};
use super::{history, kind};

/// Applies a reading `elapsed_s` seconds after the last update of the row. Returns whether the
/// reading is news: a contact's repeated reading and an entry for the history are none.
pub(super) fn apply(device: &mut Device, reading: &ValueUpdate, elapsed_s: f64) -> bool {
    let (n_value, s_value) = match special(device, reading, elapsed_s) {
        Special::None => (reading.n_value, reading.s_value.clone()),
        Special::Values(n_value, s_value) => (n_value, s_value),
        Special::Ignored => return false,
    };
    let same = n_value == device.n_value && s_value == device.s_value;
    if same && kind::reports_changes_only(device) {
        return false;
    }
    device.n_value = n_value;
    device.s_value = s_value;
    device.signal_level = eight_bits(reading.signal_level);
    device.battery_level = eight_bits(reading.battery_level);
    follow_level(device);
    true
}

/// Writes the values as they are.
pub(super) fn apply_silently(device: &mut Device, reading: &ValueUpdate) {
    device.n_value = reading.n_value;
    device.s_value.clone_from(&reading.s_value);
    device.signal_level = eight_bits(reading.signal_level);
    device.battery_level = eight_bits(reading.battery_level);
}

/// Signal and battery levels have eight bits in the original's table.
pub(super) fn eight_bits(number: i64) -> i64 {
    number & 0xff
}

enum Special {
    None,
    Values(i64, String),
    /// The reading is for the history only.
    Ignored,
}

fn special(device: &Device, reading: &ValueUpdate, elapsed_s: f64) -> Special {
    if kind::adds_readings(device) {
        let n_value = device.n_value.saturating_add(reading.n_value);
        return Special::Values(n_value, add(&device.s_value, &reading.s_value));
    }
    let computed = device.option("EnergyMeterMode") == Some("1");
    if kind::layout(device) == kind::Layout::Energy && computed {
        let s_value = energy(&device.s_value, &reading.s_value, elapsed_s);
        return Special::Values(reading.n_value, s_value);
    }
    if history::is_entry(device, &reading.s_value) {
        return Special::Ignored;
    }
    Special::None
}

/// The sum of two figures, in whole numbers where both are.
fn add(stored: &str, added: &str) -> String {
    if let (Ok(stored), Ok(added)) = (integer(stored), integer(added)) {
        return stored.saturating_add(added).to_string();
    }
    let sum = leading_number(stored) + leading_number(added);
    // Six decimals hide the noise of binary fractions, as a C++ stream does.
    let text = format!("{sum:.6}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn integer(text: &str) -> Result<i64, std::num::ParseIntError> {
    match text.trim() {
        "" => Ok(0),
        text => text.parse(),
    }
}

/// `power;energy`, the energy (Wh) from the power (W) of the time before.
fn energy(stored: &str, given: &str, elapsed_s: f64) -> String {
    let (power_before, energy_before) = stored.split_once(';').unwrap_or((stored, ""));
    let hours = elapsed_s.max(0.0) / 3600.0;
    let energy = leading_number(energy_before) + leading_number(power_before) * hours;
    let power = given.split(';').next().unwrap_or("");
    format!("{power};{energy:.4}")
}

/// The number at the start of a text, 0 if there is none; always finite.
pub(super) fn leading_number(text: &str) -> f64 {
    let text = text.trim_start();
    let numeric = |c: char| !(c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E'));
    let mut candidate = text.split(numeric).next().unwrap_or("");
    // At most 32 characters of a figure count, so a hostile text costs nothing.
    candidate = candidate.get(..32).unwrap_or(candidate);
    while !candidate.is_empty() {
        match candidate.parse::<f64>() {
            Ok(number) if number.is_finite() => return number,
            _ => candidate = candidate.get(..candidate.len() - 1).unwrap_or(""),
        }
    }
    0.0
}

/// Keeps the last dim level of a shown switch.
fn follow_level(device: &mut Device) {
    if device.used == 0 || !kind::is_switch(device) {
        return;
    }
    let Ok(steps) = device.s_value.trim().parse::<i64>() else {
        return;
    };
    let says_level = kind::is_on(device) && !matches!(steps, 0 | 255);
    if says_level || kind::is_blinds_percentage(device) {
        device.last_level = kind::level(device, steps, true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(device_type: i64, sub_type: i64, switch_type: i64, s_value: &str) -> Device {
        Device {
            device_type,
            sub_type,
            switch_type,
            s_value: s_value.to_owned(),
            used: 1,
            ..Device::default()
        }
    }

    fn reading(n_value: i64, s_value: &str) -> ValueUpdate {
        ValueUpdate {
            n_value,
            s_value: s_value.to_owned(),
            signal_level: 300,
            battery_level: -1,
        }
    }

    fn after(mut device: Device, n_value: i64, s_value: &str, elapsed: f64) -> Device {
        apply(&mut device, &reading(n_value, s_value), elapsed);
        device
    }

    #[test]
    fn incremental_counters_add_up() {
        // Rule 54.
        let once = after(device(243, 28, 0, ""), 2, "5", 1.0);
        let twice = after(once, 3, "5", 1.0);
        assert_eq!((twice.n_value, twice.s_value.as_str()), (5, "10"));
        assert_eq!(after(twice, i64::MAX, "0.5", 1.0).s_value, "10.5");
        assert_eq!(
            after(device(243, 28, 0, "0.1"), 0, "0.2", 1.0).s_value,
            "0.3"
        );
        assert_eq!(after(device(243, 28, 0, "7"), 0, "junk", 1.0).s_value, "7");
        let full = i64::MAX.to_string();
        assert_eq!(
            after(device(243, 28, 0, &full), 0, &full, 1.0).s_value,
            full
        );
    }

    #[test]
    fn energy_is_computed_from_the_power_before_when_asked() {
        let mut meter = device(243, 29, 0, "100;50");
        assert_eq!(after(meter.clone(), 0, "200;7", 1800.0).s_value, "200;7");
        meter
            .options
            .push(("EnergyMeterMode".to_owned(), "1".to_owned()));
        assert_eq!(
            after(meter.clone(), 0, "200;7", 1800.0).s_value,
            "200;100.0000"
        );
        assert_eq!(after(meter, 0, "200", -5.0).s_value, "200;50.0000");
    }

    #[test]
    fn history_entries_leave_the_present_value_alone() {
        let counter = device(243, 33, 0, "1");
        assert_eq!(
            after(counter.clone(), 0, "5;1;2024-05-01", 1.0).s_value,
            "1"
        );
        assert_eq!(
            after(counter.clone(), 0, "5;1;2024-05-01 10:00:00", 1.0).s_value,
            "1"
        );
        assert_eq!(after(counter.clone(), 0, "5;1;x", 1.0).s_value, "5;1;x");
        assert_eq!(
            after(counter, 0, "5;2024-05-01", 1.0).s_value,
            "5;2024-05-01"
        );
        let mut text = device(243, 19, 0, "1");
        assert_eq!(
            after(text.clone(), 0, "5;1;2024-05-01", 1.0).s_value,
            "5;1;2024-05-01"
        );
        text.options
            .push(("AddDBLogEntry".to_owned(), "true".to_owned()));
        assert_eq!(after(text, 0, "5;1;2024-05-01", 1.0).s_value, "1");
    }

    #[test]
    fn contacts_take_nothing_from_a_repeated_reading() {
        let contact = after(device(244, 73, 2, "x"), 0, "x", 1.0);
        assert_eq!(contact.signal_level, 0);
        assert_eq!(after(contact, 1, "x", 1.0).signal_level, 300 & 0xff);
    }

    #[test]
    fn signal_and_battery_have_eight_bits() {
        let row = after(device(243, 19, 0, ""), 0, "x", 1.0);
        assert_eq!((row.signal_level, row.battery_level), (44, 255));
    }

    #[test]
    fn the_last_level_follows_a_shown_switch_that_is_on() {
        assert_eq!(after(device(244, 73, 7, ""), 2, "40", 1.0).last_level, 40);
        assert_eq!(after(device(244, 73, 7, ""), 0, "40", 1.0).last_level, 0);
        assert_eq!(after(device(244, 73, 7, ""), 2, "255", 1.0).last_level, 0);
        assert_eq!(after(device(244, 73, 7, ""), 2, "999", 1.0).last_level, 100);
        assert_eq!(after(device(244, 73, 13, ""), 0, "30", 1.0).last_level, 30);
        assert_eq!(after(device(17, 0, 7, ""), 2, "15", 1.0).last_level, 100);
        let selector = device(244, 62, kind::SELECTOR, "");
        assert_eq!(after(selector, 2, "410", 1.0).last_level, 410);
        assert_eq!(after(device(243, 6, 0, ""), 2, "40", 1.0).last_level, 0);
        let hidden = Device {
            used: 0,
            ..device(244, 73, 7, "")
        };
        assert_eq!(after(hidden, 2, "40", 1.0).last_level, 0);
    }

    #[test]
    fn the_number_at_the_start_of_a_text_is_found() {
        let cases = [
            ("12.5 W", 12.5),
            ("-3;4", -3.0),
            ("", 0.0),
            ("e", 0.0),
            ("1e", 1.0),
            ("nan", 0.0),
        ];
        for (text, number) in cases {
            assert_eq!(leading_number(text), number, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_a_reading_fail(stored: String, given in ".*|[0-9;.e+-]*", n: i64, e: f64) {
            let new = |sub_type, mode: &str| {
                let mut row = device(243, sub_type, 0, &stored);
                row.options.push(("EnergyMeterMode".to_owned(), mode.to_owned()));
                after(row, n, &given, e).s_value
            };
            let is_number = |text: &str| text.parse::<f64>().is_ok();
            let sum = new(28, "");
            proptest::prop_assert!(is_number(&sum), "{}", sum);
            let computed = new(29, "1");
            let energy = computed.split_once(';').map(|(_, energy)| is_number(energy));
            proptest::prop_assert_eq!(energy, Some(true), "{}", computed);
            for kept in [new(33, ""), new(6, "")] {
                proptest::prop_assert!(kept == given || kept == stored, "{}", kept);
            }
            let blinds = after(device(244, 73, 13, &stored), n, &given, e);
            proptest::prop_assert_eq!(blinds.s_value, given);
        }
    }
}
