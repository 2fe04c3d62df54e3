//! Points of charts over spans of time: hours of the last days, and the months, quarters and years
//! that are compared with one another.
//!
//! Pure. An amount that adds up is summed over a span; every other figure is its mean.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde_json::{Value, json};

use super::super::figure::fixed;
use super::points::{Chart, Points, at_once, dated, local, with_figures};
use crate::history::{Day, FIGURES, Family, Figures, Moment};

/// The spans that are compared (`groupby`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    /// Whole years.
    Year,
    /// The same quarter of each year.
    Quarter,
    /// The same month of each year.
    Month,
}

impl Group {
    /// The group of this name.
    ///
    /// # Errors
    /// The sentence about another name.
    pub(super) fn parse(name: &str) -> Result<Self, String> {
        match name {
            "year" => Ok(Self::Year),
            "quarter" => Ok(Self::Quarter),
            "month" => Ok(Self::Month),
            _ => Err("`groupby` is year, quarter or month".to_owned()),
        }
    }

    /// The span of a date within its year; clients put these side by side.
    fn category(self, date: Date) -> String {
        match self {
            Self::Year => date.year().to_string(),
            Self::Quarter => format!("Q{}", (date.month() - 1) / 3 + 1),
            Self::Month => format!("{:02}", date.month()),
        }
    }
}

/// The direction of energy that is compared (`sensorarea`): used, unless it is one of these.
const RETURNED: [&str; 3] = ["return", "returned", "delivery"];

/// Points of the hours that these five-minute rows are in.
pub(super) fn hourly(chart: Chart, rows: Vec<Moment>) -> Points {
    match chart.family {
        Family::Counter if !chart.managed => at_once(move || chart.hours(&rows)),
        Family::Meter if chart.sensor == "counter" => at_once(move || meter_hours(&chart, &rows)),
        Family::Rain if chart.sensor == "rain" => at_once(move || rain_hours(&rows)),
        _ => Box::new(means(&rows).into_iter().filter_map(move |(hour, row)| {
            let mut point = dated(hour);
            chart.moment(&mut point, &row, None);
            with_figures(point)
        })),
    }
}

fn hour(row: &Moment) -> String {
    local(row.time, "%Y-%m-%d %H:00")
}

/// The mean of the rows of each hour, in the order of time.
fn means(rows: &[Moment]) -> Vec<(String, Moment)> {
    let mut hours: Vec<(String, i64, [Mean; FIGURES])> = Vec::new();
    for row in rows {
        let hour = hour(row);
        if hours.last().is_none_or(|(last, _, _)| *last != hour) {
            hours.push((hour, row.time, Default::default()));
        }
        if let Some((_, _, means)) = hours.last_mut() {
            for (mean, figure) in means.iter_mut().zip(row.figures) {
                mean.add(figure);
            }
        }
    }
    let mean = |(hour, time, means): (String, i64, [Mean; FIGURES])| {
        let figures: Figures = means.map(|mean| mean.get());
        (hour, Moment { time, figures })
    };
    hours.into_iter().map(mean).collect()
}

/// The steps up of the first four figures in each hour, in the order of time.
fn steps(rows: &[Moment]) -> Vec<(String, [f64; 4])> {
    let mut hours: Vec<(String, [f64; 4])> = Vec::new();
    for (before, row) in rows.iter().zip(rows.iter().skip(1)) {
        let hour = hour(row);
        if hours.last().is_none_or(|(last, _)| *last != hour) {
            hours.push((hour, [0.0; 4]));
        }
        let Some((_, sums)) = hours.last_mut() else {
            continue;
        };
        for ((sum, was), is) in sums.iter_mut().zip(before.figures).zip(row.figures) {
            *sum += is.zip(was).map_or(0.0, |(is, was)| (is - was).max(0.0));
        }
    }
    hours
}

/// The energy of each hour in both tariffs of both directions.
fn meter_hours(chart: &Chart, rows: &[Moment]) -> Vec<Value> {
    let point = |(hour, sums): (String, [f64; 4])| {
        let [used1, used2, back1, back2] =
            sums.map(|sum| fixed(sum / chart.divider, chart.decimals));
        json!({"d": hour, "v": used1, "v2": used2, "r1": back1, "r2": back2})
    };
    steps(rows).into_iter().map(point).collect()
}

/// The rain of each hour.
fn rain_hours(rows: &[Moment]) -> Vec<Value> {
    let point = |(hour, [rain, ..]): (String, [f64; 4])| json!({"d": hour, "mm": fixed(rain, 1)});
    steps(rows).into_iter().map(point).collect()
}

#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    fn add(&mut self, figure: Option<f64>) {
        if let Some(figure) = figure {
            self.sum += figure;
            self.count = self.count.saturating_add(1);
        }
    }

    fn get(self) -> Option<f64> {
        let mean = self.sum / f64::from(self.count);
        mean.is_finite().then_some(mean)
    }
}

/// Points that compare spans: the year `y`, the span within it `c`, the figure `s`, and in `t`
/// whether it went up or down since the same span of the year before.
pub(super) fn compared(
    chart: &Chart,
    days: &[(Date, Day)],
    group: Group,
    area: &str,
) -> Vec<Value> {
    let mut spans: BTreeMap<(i16, String), Mean> = BTreeMap::new();
    for (date, day) in days {
        let span = (date.year(), group.category(*date));
        spans.entry(span).or_default().add(of_day(chart, day, area));
    }
    let adds_up = matches!(chart.family, Family::Counter | Family::Meter | Family::Rain);
    let figure = |mean: &Mean| match adds_up {
        true => (mean.count > 0).then_some(mean.sum),
        false => mean.get(),
    };
    let point = |((year, span), mean): (&(i16, String), &Mean)| {
        let now = figure(mean)?;
        let same = match group {
            Group::Year => (year - 1).to_string(),
            Group::Quarter | Group::Month => span.clone(),
        };
        let before = spans.get(&(year - 1, same)).and_then(figure);
        let trend = match before {
            Some(before) if now > before => "up",
            Some(before) if now < before => "down",
            Some(_) => "equal",
            None => "",
        };
        let decimals = if adds_up { chart.decimals.max(1) } else { 2 };
        let shown = fixed(now / chart.divider, decimals);
        Some(json!({"y": year.to_string(), "c": span, "s": shown, "t": trend}))
    };
    spans.iter().filter_map(point).collect()
}

/// The figure of a day that is compared.
fn of_day(chart: &Chart, day: &Day, area: &str) -> Option<f64> {
    let both = |a, b| match (day.get(a), day.get(b)) {
        (None, None) => None,
        (a, b) => Some(a.unwrap_or(0.0) + b.unwrap_or(0.0)),
    };
    match chart.family {
        Family::Meter if RETURNED.contains(&area) => both(2, 3),
        Family::Meter => both(0, 1),
        Family::Counter | Family::Rain | Family::Uv => day.get(0),
        Family::Wind => day.get(2),
        Family::Current => day.get(1),
        Family::Temperature
        | Family::Percentage
        | Family::Fan
        | Family::Level
        | Family::Lux
        | Family::Usage
        | Family::AirQuality => day.get(2),
        Family::Log => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::*;
    use crate::Device;

    fn chart(device_type: i64, sub_type: i64, sensor: &str) -> Chart {
        let device = Device {
            device_type,
            sub_type,
            ..Device::default()
        };
        Chart::of(&device, sensor).unwrap()
    }

    fn moments(figures: &[[f64; 4]]) -> Vec<Moment> {
        let row = |(n, [a, b, c, d]): (i64, &[f64; 4])| Moment {
            time: n * 1800,
            figures: [Some(*a), Some(*b), Some(*c), Some(*d), None, None],
        };
        (0..).zip(figures).map(row).collect()
    }

    #[test]
    fn an_hour_has_the_mean_of_its_readings_and_the_sum_of_its_amounts() {
        let rows = moments(&[[20.0; 4], [21.0; 4], [23.0; 4]]);
        let points: Vec<_> = hourly(chart(80, 5, "temp"), rows).collect();
        assert_eq!(
            (&points[0]["te"], &points[1]["te"]),
            (&json!(20.5), &json!(23.0))
        );
        let rows = moments(&[
            [1000.0, 0.0, 0.0, 0.0],
            [1500.0, 100.0, 0.0, 0.0],
            [1500.0, 100.0, 250.0, 50.0],
        ]);
        let points: Vec<_> = hourly(chart(250, 1, "counter"), rows).collect();
        assert_eq!(
            (&points[0]["v"], &points[0]["v2"]),
            (&json!("0.500"), &json!("0.100"))
        );
        assert_eq!(
            (&points[1]["r1"], &points[1]["r2"]),
            (&json!("0.250"), &json!("0.050"))
        );
        let rows = moments(&[[10.0; 4], [10.5; 4], [12.0; 4]]);
        let points: Vec<_> = hourly(chart(85, 3, "rain"), rows).collect();
        assert_eq!(
            (&points[0]["mm"], &points[1]["mm"]),
            (&json!("0.5"), &json!("1.5"))
        );
        let rows = moments(&[[1000.0, 0.0, 0.0, 0.0], [1500.0, 0.0, 0.0, 0.0]]);
        let points: Vec<_> = hourly(chart(243, 29, "counter"), rows).collect();
        assert_eq!(points[0]["v"], "0.500");
    }

    fn day(date: &str, figures: &[f64]) -> (Date, Day) {
        let mut day = Day::default();
        for (place, figure) in day.0.iter_mut().zip(figures) {
            *place = Some(*figure);
        }
        (date.parse().unwrap(), day)
    }

    #[test]
    fn spans_are_compared_with_those_of_the_year_before() {
        let days = [
            day("2023-01-01", &[1000.0, 500.0, 200.0, 0.0]),
            day("2023-05-01", &[4000.0]),
            day("2024-01-01", &[3000.0, 0.0, 100.0, 0.0]),
            day("2024-01-02", &[500.0]),
        ];
        let meter = || chart(250, 1, "counter");
        let years = compared(&meter(), &days, Group::Year, "usage");
        let expected = json!([
            {"y": "2023", "c": "2023", "s": "5.500", "t": ""},
            {"y": "2024", "c": "2024", "s": "3.500", "t": "down"},
        ]);
        assert_eq!(Value::from(years), expected);
        let months = compared(&meter(), &days, Group::Month, "usage");
        assert_eq!(
            months[2],
            json!({"y": "2024", "c": "01", "s": "3.500", "t": "up"})
        );
        let quarters = compared(&meter(), &days, Group::Quarter, "return");
        assert_eq!(
            quarters[0],
            json!({"y": "2023", "c": "Q1", "s": "0.200", "t": ""})
        );
        let warm = [
            day("2023-01-01", &[0.0, 9.0, 4.0]),
            day("2023-01-02", &[0.0, 9.0, 6.0]),
        ];
        let means = compared(&chart(80, 5, "temp"), &warm, Group::Year, "");
        assert_eq!(means[0]["s"], "5.00");
        assert!(Group::parse("decade").is_err());
    }
}
