//! History that a plugin writes itself: managed counters, option `AddDBLogEntry`.
//!
//! Pure. A text value of 3 parts (`counter;use;date`), or of 7 or 11 for smart meters
//! (six values, four counters, date), whose last part is a date goes to the daily
//! rows, and with a time of day to the five-minute rows (behaviour spec 4.5).

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::super::device::Device;
use super::super::kind::{self, Layout};
use super::super::value::leading_number;
use super::day::Day;
use super::family::Family;
use super::sample::Figures;
use super::tick::midnight;

/// A row that a plugin dates itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// A five-minute row.
    Moment {
        /// Unix time in seconds.
        time: i64,
        /// The row's figures, in the columns of [`super::sample`].
        figures: Figures,
    },
    /// A daily row.
    Day {
        /// The day.
        date: Date,
        /// The row's figures, in the columns of [`super::day`].
        day: Day,
    },
}

impl Entry {
    /// Unix time in seconds: of a day, its beginning.
    #[must_use]
    pub fn time(&self) -> i64 {
        match self {
            Self::Moment { time, .. } => *time,
            Self::Day { date, .. } => midnight(*date).unwrap_or(i64::MAX),
        }
    }
}

/// Whether a text value of this device is for the history and not for its row.
#[must_use]
pub fn is_entry(device: &Device, s_value: &str) -> bool {
    let managed = kind::layout(device) == Layout::Managed;
    (managed || device.option_is_true("AddDBLogEntry")) && dated(s_value).is_some()
}

/// The row that a text value asks for; `None` when it is no entry, or when the device
/// keeps no history in which it could stand.
#[must_use]
pub fn parse(device: &Device, s_value: &str) -> Option<Entry> {
    if !is_entry(device, s_value) {
        return None;
    }
    let (parts, when) = dated(s_value)?;
    let figure = |n: usize| {
        let text = parts.get(n).map_or("", |text| text.trim());
        // A counter of -1 stands for "not known".
        (!text.is_empty() && text != "-1").then(|| leading_number(text))
    };
    let family = Family::of(device)?;
    let six = || std::array::from_fn(figure);
    Some(match (family, when, parts.len()) {
        (Family::Counter, When::Moment(time), 2) => Entry::Moment {
            time,
            figures: [figure(0), figure(1), None, None, None, None],
        },
        (Family::Counter, When::Day(date), 2) => Entry::Day {
            date,
            day: Day::counter(figure(1).unwrap_or(0.0), figure(0)),
        },
        (Family::Meter, When::Moment(time), 6) => Entry::Moment {
            time,
            figures: six(),
        },
        (Family::Meter, When::Day(date), 6 | 10) => Entry::Day {
            date,
            day: Day::meter(six(), std::array::from_fn(|n| figure(n + 6))),
        },
        _ => return None,
    })
}

enum When {
    Moment(i64),
    Day(Date),
}

/// The parts before the date, and the date.
fn dated(s_value: &str) -> Option<(Vec<&str>, When)> {
    // Counted first: a text of a megabyte of semicolons is not taken apart.
    if !matches!(
        s_value.bytes().filter(|byte| *byte == b';').count(),
        2 | 6 | 10
    ) {
        return None;
    }
    let (rest, last) = s_value.rsplit_once(';')?;
    let last = last.trim();
    let when = match last.len() {
        10 => When::Day(last.parse().ok()?),
        _ => {
            let local: DateTime = last.parse().ok()?;
            let zoned = local.to_zoned(TimeZone::system()).ok()?;
            When::Moment(zoned.timestamp().as_second())
        }
    };
    Some((rest.split(';').collect(), when))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use super::*;

    fn device(device_type: i64, sub_type: i64) -> Device {
        Device {
            device_type,
            sub_type,
            options: vec![("AddDBLogEntry".to_owned(), "true".to_owned())],
            ..Device::default()
        }
    }

    #[test]
    fn a_date_makes_a_daily_row_and_a_time_a_five_minute_row() {
        let counter = Device {
            options: Vec::new(),
            ..device(243, 33)
        };
        let date = jiff::civil::date(2024, 5, 1);
        assert_eq!(
            parse(&counter, "1000;25;2024-05-01"),
            Some(Entry::Day {
                date,
                day: Day::counter(25.0, Some(1000.0))
            })
        );
        let Some(Entry::Moment { time, figures }) = parse(&counter, "-1;3;2024-05-01 10:05:00")
        else {
            panic!("no entry");
        };
        let at = date.at(10, 5, 0, 0).to_zoned(TimeZone::system()).unwrap();
        assert_eq!(time, at.timestamp().as_second());
        assert_eq!(figures, [None, Some(3.0), None, None, None, None]);
    }

    #[test]
    fn smart_meters_have_seven_or_eleven_parts() {
        let meter = device(250, 1);
        let six = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some);
        assert_eq!(
            parse(&meter, "1;2;3;4;5;6;7;8;9;10;2024-05-01"),
            Some(Entry::Day {
                date: jiff::civil::date(2024, 5, 1),
                day: Day::meter(six, [7.0, 8.0, 9.0, 10.0].map(Some)),
            })
        );
        assert!(matches!(
            parse(&meter, "1;2;3;4;5;6;2024-05-01 00:00:00"),
            Some(Entry::Moment { figures, .. }) if figures == six
        ));
    }

    #[test]
    fn what_is_no_entry_is_a_reading() {
        let counter = device(243, 33);
        for text in [
            "5",
            "5;1;x",
            "5;2024-05-01",
            "5;1;2;2024-05-01",
            "5;1;2024-13-01",
            ";;",
        ] {
            assert!(!is_entry(&counter, text), "{text}");
        }
        let plain = Device {
            options: Vec::new(),
            ..device(243, 29)
        };
        assert!(!is_entry(&plain, "5;1;2024-05-01"));
        // Kept from the row, but no history of a text has columns for it.
        let text = device(243, 19);
        assert!(is_entry(&text, "5;1;2024-05-01") && parse(&text, "5;1;2024-05-01").is_none());
    }

    proptest::proptest! {
        #[test]
        fn a_row_of_any_text_has_finite_figures(
            text in ".*|[0-9;.:T -]*|([0-9.e]{1,9};){2,10}2024-05-01( 10:00:00)?",
        ) {
            for device in [device(243, 33), device(250, 1)] {
                let figures = match parse(&device, &text) {
                    Some(Entry::Moment { figures, .. }) => figures.to_vec(),
                    Some(Entry::Day { day, .. }) => day.0.to_vec(),
                    None => continue,
                };
                proptest::prop_assert!(is_entry(&device, &text));
                let finite = figures.iter().flatten().all(|figure| figure.is_finite());
                proptest::prop_assert!(finite, "{:?}", figures);
            }
        }
    }
}
