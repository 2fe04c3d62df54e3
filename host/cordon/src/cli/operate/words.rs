//! Reports in words: times, sizes, states, tables.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use cordon_base::log::one_line;
use cordon_control::report::{Health, Source, State};

const SECOND: u64 = 1000;
const MINUTE: u64 = 60 * SECOND;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// The present, in milliseconds since 1970.
pub(super) fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// A moment in local time.
pub(super) fn moment(time: u64) -> String {
    let time = i64::try_from(time).unwrap_or(i64::MAX);
    match Timestamp::from_millisecond(time) {
        Ok(time) => {
            let time = time.to_zoned(TimeZone::system());
            time.strftime("%Y-%m-%d %H:%M:%S").to_string()
        }
        Err(_) => "-".to_owned(),
    }
}

/// A length of time in its two largest units.
pub(super) fn span(milliseconds: u64) -> String {
    let units = |large: u64, name: &str, small: u64, other: &str| {
        let count = milliseconds / large;
        match milliseconds % large / small {
            0 => format!("{count} {name}"),
            rest => format!("{count} {name} {rest} {other}"),
        }
    };
    match milliseconds {
        DAY.. => units(DAY, "d", HOUR, "h"),
        HOUR.. => units(HOUR, "h", MINUTE, "min"),
        MINUTE.. => units(MINUTE, "min", SECOND, "s"),
        SECOND.. => format!("{} s", milliseconds / SECOND),
        _ => format!("{milliseconds} ms"),
    }
}

/// The time from one moment to a later one.
pub(super) fn from_to(from: u64, to: u64) -> String {
    span(to.saturating_sub(from))
}

/// A number of bytes.
pub(super) fn bytes(count: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = UNITS.iter().find(|(size, _)| count >= *size);
    let Some((size, name)) = unit else {
        return format!("{count} B");
    };
    let tenths = u128::from(count) * 10 / u128::from(*size);
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// An amount of a limit.
pub(super) fn amount(count: u64, unit: &str) -> String {
    match unit {
        "bytes" => bytes(count),
        "milliseconds" => span(count),
        unit => format!("{count} {}", shown(unit)),
    }
}

/// Computing time as a share of one core, in percent with one digit.
pub(super) fn share(computed: u64, passed: u64) -> String {
    let tenths = u128::from(computed) * 1000 / u128::from(passed.max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}

/// So many of something.
pub(super) fn count(number: u64, one: &str, many: &str) -> String {
    let word = if number == 1 { one } else { many };
    format!("{number} {word}")
}

/// A text of somebody else as one line in which everything shows.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match one_line(text) {
        line if line.contains('\t') => Cow::Owned(line.replace('\t', "\\t")),
        line => line,
    }
}

/// The same, cut to so many characters.
pub(super) fn short(text: &str, most: usize) -> String {
    let text = shown(text);
    if text.chars().count() <= most {
        return text.into_owned();
    }
    let kept = text.chars().take(most.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// The word for a state.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Starting => "starting",
        State::Running => "running",
        State::Restarting => "restarting",
        State::Parked => "parked",
        State::Stopped => "stopped",
        State::Unloaded => "unloaded",
    }
}

/// A sentence about the health of an instance.
pub(super) fn health(health: Health) -> &'static str {
    match health {
        Health::Fine => "its callbacks return",
        Health::RaisedInStart => "the callback that starts it raised; the rest may not work",
        Health::Raising => "the last callback of some kind raised",
    }
}

/// Where an instance comes from.
pub(super) fn source(source: Source) -> &'static str {
    match source {
        Source::Configuration => "from the configuration",
        Source::Api => "added through an API",
    }
}

/// A table whose last column is as long as it likes. Columns of numbers stand to the right.
pub(super) fn table<const N: usize>(heads: [(&str, bool); N], rows: &[[String; N]]) -> String {
    let mut widths = heads.map(|(head, _)| head.chars().count());
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    let mut add = |cells: &[String; N]| {
        let mut line = String::new();
        for ((cell, width), (_, right)) in cells.iter().zip(widths).zip(heads) {
            if !line.is_empty() {
                line.push_str("  ");
            }
            line.push_str(&match right {
                true => format!("{cell:>width$}"),
                false => format!("{cell:<width$}"),
            });
        }
        text.push_str(line.trim_end());
        text.push('\n');
    };
    add(&heads.map(|(head, _)| head.to_owned()));
    rows.iter().for_each(add);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_short() {
        for (time, expected) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (45 * SECOND, "45 s"),
            (2 * MINUTE, "2 min"),
            (2 * MINUTE + 3 * SECOND, "2 min 3 s"),
            (3 * HOUR + 20 * MINUTE, "3 h 20 min"),
            (DAY + HOUR + MINUTE, "1 d 1 h"),
        ] {
            assert_eq!(span(time), expected);
        }
        for (size, expected) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1536, "1.5 KiB"),
            (13 << 20, "13.0 MiB"),
            (u64::MAX, "17179869183.9 GiB"),
        ] {
            assert_eq!(bytes(size), expected);
        }
        assert_eq!(share(125, 1000), "12.5");
        assert_eq!(share(u64::MAX, 0), "1844674407370955161500.0");
        assert_eq!(amount(16, "threads"), "16 threads");
        assert_eq!(from_to(5, 3), "0 ms");
        assert_eq!(moment(u64::MAX), "-");
    }

    #[test]
    fn nothing_of_a_name_drives_the_terminal() {
        assert_eq!(shown("a\x1b[2J\tb\nc\u{202e}"), "a\\x1b[2J\\tb\\nc\\u202e");
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }

    #[test]
    fn a_table_has_straight_columns() {
        let rows = [
            ["a".to_owned(), "1".to_owned(), "x y z".to_owned()],
            ["long".to_owned(), "100".to_owned(), String::new()],
        ];
        let table = table([("N", false), ("C", true), ("LAST", false)], &rows);
        assert_eq!(table, "N       C  LAST\na       1  x y z\nlong  100\n");
    }
}
