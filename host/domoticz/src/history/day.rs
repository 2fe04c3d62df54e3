//! The daily figures of a device, made of its five-minute rows.
//!
//! Pure. Columns by family (low, high and mean of the day where nothing else stands):
//!
//! | family | columns |
//! |---|---|
//! | temperature | °C low, high, mean; chill low, high; means of humidity, hPa, dew point |
//! | rain | mm of the day; highest mm/h |
//! | wind | mean direction; speed low, high; gust low, high; °C low, high, mean; chill low, high |
//! | UV | highest |
//! | current | low and high of each of the three |
//! | counter | use of the day; counter at its end |
//! | meter | use 1, use 2, return 1, return 2, two unused; the four counters at its end |
//! | others | low, high, mean |

use super::family::Family;
use super::sample::Figures;

/// Columns of a daily row.
pub const DAY_FIGURES: usize = 12;

/// One daily row without its date.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Day(pub [Option<f64>; DAY_FIGURES]);

impl Day {
    /// Use of the day, and the counter at its end where it is known.
    #[must_use]
    pub fn counter(used: f64, counter: Option<f64>) -> Self {
        Self::of(&[Some(used), counter])
    }

    /// The six values and four counters of a smart meter.
    #[must_use]
    pub fn meter(values: Figures, counters: [Option<f64>; 4]) -> Self {
        let columns: Vec<_> = values.into_iter().chain(counters).collect();
        Self::of(&columns)
    }

    /// A column, by number from 0.
    #[must_use]
    pub fn get(&self, column: usize) -> Option<f64> {
        self.0.get(column).copied().flatten()
    }

    fn of(columns: &[Option<f64>]) -> Self {
        let mut day = Self::default();
        for (place, figure) in day.0.iter_mut().zip(columns) {
            *place = *figure;
        }
        day
    }

    /// The figures of one day from its rows in the order of time. `next` is the first
    /// row of the next day, up to which a counter belongs to this one.
    ///
    /// `None` when there is no row.
    #[must_use]
    pub fn from_rows(family: Family, rows: &[Figures], next: Option<&Figures>) -> Option<Self> {
        if rows.is_empty() {
            return None;
        }
        let low = |n| column(rows, n).reduce(f64::min);
        let high = |n| column(rows, n).reduce(f64::max);
        let mean = |n| mean(column(rows, n));
        let used = |n| used(column(rows, n).chain(next.and_then(|row| at(row, n))));
        let last = |n| column(rows, n).last();
        Some(match family {
            Family::Log => return None,
            Family::Temperature => Self::of(&[
                low(0),
                high(0),
                mean(0),
                low(1),
                high(1),
                mean(2),
                mean(3),
                mean(4),
            ]),
            Family::Rain => Self::of(&[used(0), high(1)]),
            Family::Wind => Self::of(&[
                bearing(column(rows, 0)),
                low(1),
                high(1),
                low(2),
                high(2),
                low(3),
                high(3),
                mean(3),
                low(4),
                high(4),
            ]),
            Family::Uv => Self::of(&[high(0)]),
            Family::Current => Self::of(&[low(0), high(0), low(1), high(1), low(2), high(2)]),
            Family::Counter => Self::of(&[used(0), last(0)]),
            Family::Meter => Self::of(&[
                used(0),
                used(1),
                used(2),
                used(3),
                None,
                None,
                last(0),
                last(1),
                last(2),
                last(3),
            ]),
            Family::Percentage
            | Family::Fan
            | Family::Level
            | Family::Lux
            | Family::Usage
            | Family::AirQuality => Self::of(&[low(0), high(0), mean(0)]),
        })
    }
}

fn at(row: &Figures, n: usize) -> Option<f64> {
    row.get(n).copied().flatten()
}

fn column(rows: &[Figures], n: usize) -> impl Iterator<Item = f64> {
    rows.iter().filter_map(move |row| at(row, n))
}

fn mean(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = figures.fold((0.0, 0_u32), |(sum, count), figure| {
        (sum + figure, count.saturating_add(1))
    });
    let mean = sum / f64::from(count);
    mean.is_finite().then_some(mean)
}

/// The mean of directions in degrees: that of the vectors, since the mean of 350 and 10
/// is 0 and not 180.
fn bearing(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let (mut x, mut y, mut any) = (0.0, 0.0, false);
    for degrees in figures {
        let (sin, cos) = degrees.to_radians().sin_cos();
        (x, y, any) = (x + cos, y + sin, true);
    }
    let degrees = y.atan2(x).to_degrees().rem_euclid(360.0);
    (any && degrees.is_finite()).then_some(degrees)
}

/// The sum of a counter's steps up. A step back is a counter that was set anew, and takes nothing
/// away.
pub(super) fn used(figures: impl Iterator<Item = f64>) -> Option<f64> {
    let mut before: Option<f64> = None;
    let mut sum = 0.0;
    for figure in figures {
        if let Some(before) = before {
            sum += (figure - before).max(0.0);
        }
        before = Some(figure);
    }
    before.map(|_| sum).filter(|sum| sum.is_finite())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn rows(figures: &[f64]) -> Vec<Figures> {
        let row = |figure: &f64| [Some(*figure), None, None, None, None, None];
        figures.iter().map(row).collect()
    }

    #[test]
    fn a_level_has_low_high_and_mean() {
        let day = Day::from_rows(Family::Percentage, &rows(&[1.0, 5.0, 3.0]), None).unwrap();
        assert_eq!(day.0[..4], [Some(1.0), Some(5.0), Some(3.0), None]);
        assert_eq!(Day::from_rows(Family::Percentage, &[], None), None);
    }

    #[test]
    fn a_counter_counts_to_the_first_row_of_the_next_day_and_survives_a_reset() {
        let next = rows(&[130.0]);
        let day = Day::from_rows(Family::Counter, &rows(&[100.0, 120.0]), next.first());
        assert_eq!(day.unwrap().0[..2], [Some(30.0), Some(120.0)]);
        let reset = Day::from_rows(Family::Counter, &rows(&[100.0, 120.0, 0.0, 5.0]), None);
        assert_eq!(reset.unwrap().get(0), Some(25.0));
    }

    #[test]
    fn the_mean_of_north_west_and_north_east_is_north() {
        let degrees = bearing([350.0, 10.0].into_iter()).unwrap();
        assert!(!(0.001..=359.999).contains(&degrees), "{degrees}");
        assert_eq!(bearing([].into_iter()), None);
    }

    proptest::proptest! {
        #[test]
        fn no_figures_make_anything_but_finite_ones(figures: Vec<f64>) {
            let finite: Vec<_> = figures.into_iter().filter(|figure| figure.is_finite()).collect();
            for family in [Family::Temperature, Family::Wind, Family::Counter, Family::Meter] {
                if let Some(day) = Day::from_rows(family, &rows(&finite), None) {
                    proptest::prop_assert!(day.0.iter().flatten().all(|figure| figure.is_finite()));
                }
            }
        }
    }
}
