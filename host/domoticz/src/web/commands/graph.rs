//! The data that charts are drawn from.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::info::setting;
use super::points::Chart;
use super::spans::{self, Group};
use super::{Answer, Call, Outcome, failed};
use crate::Device;
use crate::history::{Day, Family, Moment};

/// Setting with the days that a chart of the day shows, and the most it can show.
const DAYS: &str = "5MinuteHistoryDays";
const MAX_DAYS: i64 = 7;

/// The part of the history that is wanted.
enum Range {
    /// Five-minute rows of the last days.
    Moments,
    /// The same rows by the hour.
    Hours,
    /// Daily rows, both dates included.
    Days(Date, Date),
    /// All daily rows, by spans that are compared.
    Compared(Group),
}

pub(super) async fn get(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let sensor = call.query.needed("sensor")?.to_owned();
    let range = call.query.needed("range")?.to_owned();
    let chart = Chart::of(&device, &sensor)?;
    let today = Zoned::now().date();
    let answer = Answer::ok(&format!("Graph {sensor} {range}"));
    let answer = ["ValueQuantity", "ValueUnits"]
        .into_iter()
        .fold(answer, |answer, key| {
            answer.with(key, device.option(key).unwrap_or(""))
        });
    let (points, weight) = match parse(call, &range, today)? {
        Range::Moments => {
            let rows = recent(call, &device).await?;
            let weight = size_of_val(rows.as_slice());
            (chart.moments(rows), weight)
        }
        Range::Hours => {
            let rows = recent(call, &device).await?;
            let weight = size_of_val(rows.as_slice());
            (spans::hourly(chart, rows), weight)
        }
        Range::Days(from, until) => {
            let days = days(call, &device, from, until, today).await?;
            let weight = size_of_val(days.as_slice());
            (chart.days(days), weight)
        }
        Range::Compared(group) => {
            let days = days(call, &device, Date::MIN, Date::MAX, today).await?;
            let first = days.first().map_or(today, |(date, _)| *date).year();
            let area = call.query.text("sensorarea").unwrap_or("");
            let rows = spans::compared(&chart, &days, group, area);
            return Ok(answer.with("firstYear", first).with_result(rows));
        }
    };
    Ok(answer.with_each(points, weight))
}

fn parse(call: &Call<'_>, range: &str, today: Date) -> Result<Range, String> {
    let back = |days: i64| today.saturating_sub(days.days());
    let group = call.query.text("groupby");
    if range == "compare" || group.is_some() {
        return Ok(Range::Compared(Group::parse(group.unwrap_or("year"))?));
    }
    if let Some((from, until)) = range.split_once('T') {
        let date = |text: &str| text.parse::<Date>();
        return match (date(from), date(until)) {
            (Ok(from), Ok(until)) => Ok(Range::Days(from, until)),
            _ => Err("a range of dates is YYYY-MM-DDTYYYY-MM-DD".to_owned()),
        };
    }
    let year: Option<i16> = call.query.number("actyear")?;
    let month: Option<i8> = call.query.number("actmonth")?;
    Ok(match (range, year, month) {
        ("day", _, _) => Range::Moments,
        ("hour", _, _) => Range::Hours,
        ("week", _, _) => Range::Days(back(7), today),
        ("month" | "year", Some(year), Some(month)) => {
            let first = Date::new(year, month, 1).map_err(|_| "there is no such month")?;
            Range::Days(first, first.last_of_month())
        }
        ("month", _, _) => Range::Days(back(31), today),
        ("year", Some(year), _) => {
            let first = Date::new(year, 1, 1).map_err(|_| "there is no such year")?;
            Range::Days(first, first.last_of_year())
        }
        ("year", _, _) => Range::Days(back(366), today),
        _ => {
            return Err(
                "`range` is day, hour, week, month, year, compare or two dates joined by T"
                    .to_owned(),
            );
        }
    })
}

/// The five-minute rows that a chart of the day shows.
async fn recent(call: &Call<'_>, device: &Device) -> Result<Vec<Moment>, String> {
    let days = setting(call, DAYS).await?;
    let days: i64 = days.and_then(|text| text.parse().ok()).unwrap_or(1);
    // A managed counter shows all that its plugin wrote, whatever the time.
    let back = match device.option_is_true("DisableLogAutoUpdate") {
        true => i64::MIN,
        false => {
            let days = days.clamp(1, MAX_DAYS);
            Timestamp::now()
                .as_second()
                .saturating_sub(days.saturating_mul(86_400))
        }
    };
    let rows = call.api.history.short(device.id, back, i64::MAX).await;
    rows.map_err(failed)
}

/// The daily rows between two dates, with that of today so far.
async fn days(
    call: &Call<'_>,
    device: &Device,
    from: Date,
    until: Date,
    today: Date,
) -> Result<Vec<(Date, Day)>, String> {
    let days = call.api.history.daily(device.id, from, until).await;
    let mut days = days.map_err(failed)?;
    if until >= today
        && let Some(day) = so_far(call, device, today).await?
    {
        days.retain(|(date, _)| *date != today);
        days.push((today, day));
    }
    Ok(days)
}

/// The figures of the day that is not over.
async fn so_far(call: &Call<'_>, device: &Device, today: Date) -> Result<Option<Day>, String> {
    let (Some(family), Some(from)) = (Family::of(device), midnight(today)) else {
        return Ok(None);
    };
    if device.option_is_true("DisableLogAutoUpdate") {
        return Ok(None);
    }
    let rows = call.api.history.short(device.id, from, i64::MAX).await;
    let figures: Vec<_> = rows
        .map_err(failed)?
        .iter()
        .map(|row| row.figures)
        .collect();
    let now = crate::history::figures(device);
    Ok(Day::from_rows(family, &figures, now.as_ref()))
}

/// The first moment of a local day, in Unix seconds.
pub(in crate::web) fn midnight(date: Date) -> Option<i64> {
    let zoned = date.to_zoned(TimeZone::system()).ok()?;
    Some(zoned.timestamp().as_second())
}

/// Forgets a point, or the days between two dates.
pub(super) async fn forget(call: &Call<'_>) -> Outcome {
    let device = call.device().await?.device;
    let date = |name: &str| {
        let text = call
            .query
            .text(name)
            .map(|text| text.get(..10).unwrap_or(text));
        let date = text.map(str::parse::<Date>).transpose();
        date.map_err(|_| format!("`{name}` must be a date as YYYY-MM-DD"))
    };
    if let (Some(from), Some(until)) = (date("fromdate")?, date("todate")?) {
        let forgotten = call.api.history.forget_days(device.id, from, until).await;
        forgotten.map_err(failed)?;
        return Ok(Answer::ok("DeleteDataPoint"));
    }
    let text = call.query.needed("date")?;
    let moment = text.len() > 10;
    if moment {
        let time: jiff::civil::DateTime = text
            .parse()
            .map_err(|_| "`date` must be YYYY-MM-DD or YYYY-MM-DD HH:MM:SS")?;
        let zoned = time.to_zoned(TimeZone::system()).map_err(failed)?;
        let second = zoned.timestamp().as_second();
        let forgotten = call.api.history.forget_moment(device.id, second).await;
        forgotten.map_err(failed)?;
    } else if let Some(day) = date("date")? {
        let forgotten = call.api.history.forget_days(device.id, day, day).await;
        forgotten.map_err(failed)?;
    }
    Ok(Answer::ok("DeleteDataPoint"))
}
