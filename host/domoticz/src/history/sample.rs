//! The figures of a device at one moment, for the five-minute log.
//!
//! Pure. Texts come from plugins and clients; whatever they hold is a finite figure
//! or none. Columns by family:
//!
//! | family | 1 | 2 | 3 | 4 | 5 | 6 |
//! |---|---|---|---|---|---|---|
//! | temperature | °C | chill | humidity | hPa | dew point | |
//! | rain | mm in all | mm/h | | | | |
//! | wind | degrees | m/s | gust m/s | °C | chill | |
//! | current | A | A | A | | | |
//! | counter | in all | power or use | | | | |
//! | meter | use 1 | use 2 | return 1 | return 2 | W used | W returned |
//! | others | value | | | | | |

use super::super::device::Device;
use super::super::kind;
use super::super::value::leading_number;
use kind::Layout;

/// Columns of a five-minute row.
pub const FIGURES: usize = 6;

/// One five-minute row without its time.
pub type Figures = [Option<f64>; FIGURES];

/// The figures that a device shows now; `None` when it has none.
#[must_use]
pub fn figures(device: &Device) -> Option<Figures> {
    // No layout has more: a text of a megabyte of semicolons is not taken apart.
    let parts: Vec<&str> = device.s_value.split(';').take(FIGURES).collect();
    let part = |n: usize| {
        let text = parts.get(n).map_or("", |text| text.trim());
        (!text.is_empty()).then(|| leading_number(text))
    };
    let kind = kind::of(device);
    kind.family?;
    let whole = || Some(whole(device.n_value));
    let tenth = |n: usize| part(n).map(|tenths: f64| tenths / 10.0);
    Some(match kind.layout {
        Layout::Switch | Layout::Text | Layout::Alert => return None,
        Layout::Temperature | Layout::SetPoint => climate(part(0), None, None),
        Layout::Humidity => climate(None, whole(), None),
        Layout::TempHum => climate(part(0), part(1), None),
        Layout::TempHumBaro => climate(part(0), part(1), part(3)),
        Layout::TempBaro => climate(part(0), None, part(1)),
        Layout::Baro => climate(None, None, part(0)),
        Layout::Rain => {
            let rate = part(0).map(|hundredths: f64| hundredths / 100.0);
            [part(1), rate, None, None, None, None]
        }
        Layout::Wind => [part(0), tenth(2), tenth(3), part(4), part(5), None],
        Layout::Currents => [part(0), part(1), part(2), None, None, None],
        Layout::Meter => std::array::from_fn(part),
        Layout::Energy => [part(1), part(0), None, None, None, None],
        Layout::Whole | Layout::AirQuality => [whole(), None, None, None, None, None],
        Layout::Uv
        | Layout::Number(_)
        | Layout::Weight
        | Layout::Counter
        | Layout::Managed
        | Layout::Gas
        | Layout::Custom => {
            // Without a text the numeric value is the reading.
            [part(0).or_else(whole), None, None, None, None, None]
        }
    })
}

/// The columns of a temperature, a humidity and an air pressure, as far as they are known.
fn climate(celsius: Option<f64>, humidity: Option<f64>, pressure: Option<f64>) -> Figures {
    let both = celsius.zip(humidity);
    let dew = both.map(|(celsius, humidity)| dew_point(celsius, humidity));
    [celsius, None, humidity, pressure, dew, None]
}

/// The dew point in °C by the Magnus formula, for a relative humidity in percent.
#[must_use]
pub fn dew_point(celsius: f64, humidity: f64) -> f64 {
    const A: f64 = 17.27;
    const B: f64 = 237.7;
    let relative = humidity.clamp(1.0, 100.0) / 100.0;
    let celsius = celsius.clamp(-200.0, 1000.0);
    let gamma = (A * celsius) / (B + celsius) + relative.ln();
    let dew = (B * gamma) / (A - gamma);
    if dew.is_finite() { dew } else { celsius }
}

/// A number of the table as a figure; beyond 2^53 the last digits are lost.
fn whole(number: i64) -> f64 {
    number as f64
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn device(device_type: i64, sub_type: i64, n_value: i64, s_value: &str) -> Device {
        Device {
            device_type,
            sub_type,
            n_value,
            s_value: s_value.to_owned(),
            ..Device::default()
        }
    }

    fn read(device_type: i64, sub_type: i64, n_value: i64, s_value: &str) -> Vec<f64> {
        let row = figures(&device(device_type, sub_type, n_value, s_value)).unwrap();
        row.iter().map(|figure| figure.unwrap_or(-1.0)).collect()
    }

    #[test]
    fn figures_are_where_the_family_has_them() {
        let none = -1.0;
        assert_eq!(read(80, 5, 0, "19.5"), [19.5, none, none, none, none, none]);
        assert_eq!(read(81, 1, 55, "1"), [none, none, 55.0, none, none, none]);
        let climate = read(84, 1, 0, "20.0;50;1;1010;1");
        assert_eq!((climate[0], climate[2], climate[3]), (20.0, 50.0, 1010.0));
        assert!((climate[4] - 9.25).abs() < 0.1, "{climate:?}");
        assert_eq!(read(243, 26, 0, "1021.34;0")[3], 1021.34);
        assert_eq!(read(85, 3, 0, "120;15.3")[..2], [15.3, 1.2]);
        assert_eq!(read(247, 1, 0, "20.1;1013.2;2;0")[3], 1013.2);
        assert_eq!(
            read(86, 1, 0, "90;E;52;71;12.5;11")[..5],
            [90.0, 5.2, 7.1, 12.5, 11.0]
        );
        assert_eq!(read(243, 29, 0, "230;12345.6")[..2], [12345.6, 230.0]);
        assert_eq!(
            read(250, 1, 0, "1;2;3;4;5;6"),
            [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        );
        assert_eq!(read(249, 1, 800, "")[0], 800.0);
        assert_eq!(read(243, 3, 17, "")[0], 17.0);
        assert_eq!(read(243, 31, 0, "7.5")[0], 7.5);
        assert_eq!(read(243, 6, 44, "")[0], 44.0);
        assert!(figures(&device(244, 73, 1, "On")).is_none());
        assert!(figures(&device(243, 19, 0, "text")).is_none());
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_anything_but_finite_figures(
            text in ".*|[0-9;.e+-]*", n: i64, main in 78_i64..255, sub in 0_i64..40,
        ) {
            if let Some(row) = figures(&device(main, sub, n, &text)) {
                let finite = row.iter().flatten().all(|figure| figure.is_finite());
                proptest::prop_assert!(finite, "{:?}", row);
            }
        }
    }
}
