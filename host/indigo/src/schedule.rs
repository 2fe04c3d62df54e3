//! Schedules: when one is due next.

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Span, Zoned};
use serde::{Deserialize, Serialize};

use super::object::Object;
use super::sun::{Event, Sun};

/// How many days ahead a next time is looked for: two years, for 29 February.
const DAYS: usize = 1500;

/// What of a schedule has no attribute of its own in the object model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Timing {
    /// Days of the week, 1 is Monday, for `DaysOfWeek`.
    pub weekdays: Vec<i8>,
    /// Days of the month, for `DaysOfMonth`.
    pub days: Vec<i8>,
    /// From one day to the next, in days, for `EveryDay`; in months, for
    /// `DaysOfMonthInterval`. 0 counts as 1.
    pub interval: i32,
    /// Seconds, for `Countdown`.
    pub countdown: f64,
    /// Whether the countdown begins anew.
    pub repeat: bool,
}

/// The attributes that the times of a schedule follow from.
const TIMES: [&str; 8] = [
    "enabled",
    "dateType",
    "timeType",
    "absoluteDate",
    "absoluteTime",
    "absoluteDateTime",
    "sunDelta",
    "randomizeBy",
];

/// Whether two versions of a schedule are due at the same times.
#[must_use]
pub fn has_same_times(one: &Object, other: &Object) -> bool {
    let same = |key: &&str| one.fields.get(*key) == other.fields.get(*key);
    one.hidden.timing == other.hidden.timing && TIMES.iter().all(same)
}

/// When a schedule is due next after this moment.
#[must_use]
pub fn next(schedule: &Object, sun: &Sun, after: &Zoned) -> Option<Zoned> {
    if !schedule.flag("enabled") {
        return None;
    }
    let none = Timing::default();
    let timing = schedule.hidden.timing.as_ref().unwrap_or(&none);
    if schedule.text("timeType") == "Countdown" {
        let wait = SignedDuration::try_from_secs_f64(timing.countdown).ok()?;
        // A second at least: a schedule must not keep the hub busy.
        return after
            .checked_add(wait.max(SignedDuration::from_secs(1)))
            .ok();
    }
    // Read once, not for each day.
    let start = absolute(schedule);
    // One day alone may be further away than the others are looked for.
    let (first, days) = match schedule.text("dateType") {
        "Absolute" => (start?.date(), 1),
        "DaysOfWeek" if timing.weekdays.is_empty() => return None,
        "DaysOfMonth" | "DaysOfMonthInterval" if timing.days.is_empty() => return None,
        _ => (after.date().yesterday().ok()?, DAYS),
    };
    let mut times = first
        .series(Span::new().days(1))
        .take(days)
        .filter(|day| falls_on(schedule, timing, start, *day))
        .filter_map(|day| on(schedule, sun, start, day, after));
    times.find(|time| time > after)
}

fn falls_on(schedule: &Object, timing: &Timing, start: Option<DateTime>, day: Date) -> bool {
    let start = start.map(DateTime::date);
    let months = |from: Date| {
        i32::from(day.year() - from.year()) * 12 + i32::from(day.month() - from.month())
    };
    match schedule.text("dateType") {
        "Absolute" => start == Some(day),
        "DaysOfWeek" => timing
            .weekdays
            .contains(&day.weekday().to_monday_one_offset()),
        "DaysOfMonth" => timing.days.contains(&day.day()),
        "DaysOfMonthInterval" => {
            let step = timing.interval.max(1);
            let from = start.unwrap_or(day);
            timing.days.contains(&day.day()) && months(from).rem_euclid(step) == 0
        }
        _ => {
            let step = timing.interval.max(1);
            let passed = start.and_then(|from| from.until(day).ok());
            passed.is_none_or(|passed| passed.get_days().rem_euclid(step) == 0)
        }
    }
}

fn on(
    schedule: &Object,
    sun: &Sun,
    start: Option<DateTime>,
    day: Date,
    after: &Zoned,
) -> Option<Zoned> {
    let delta = SignedDuration::from_secs(schedule.number("sunDelta").clamp(-86_400, 86_400));
    let time = match schedule.text("timeType") {
        "Sunrise" => sun.on(Event::Rise, day)?.checked_add(delta).ok()?,
        "Sunset" => sun.on(Event::Set, day)?.checked_add(delta).ok()?,
        _ => {
            let time = start.map_or(Time::midnight(), DateTime::time);
            day.to_datetime(time)
                .to_zoned(after.time_zone().clone())
                .ok()?
        }
    };
    let most = schedule
        .number("randomizeBy")
        .clamp(0, 720)
        .saturating_mul(60);
    time.checked_add(SignedDuration::from_secs(spread(schedule.id, day, most)))
        .ok()
}

/// A number from `-most` to `most` that is another one every day and the same all day:
/// what was announced as the next time must still hold when it comes.
fn spread(id: i64, day: Date, most: i64) -> i64 {
    if most <= 0 {
        return 0;
    }
    let seed = id.wrapping_mul(1_000_003) ^ i64::from(day.day_of_year()).wrapping_mul(7_919_777);
    let mixed = seed.wrapping_mul(6_364_136_223_846_793_005).rotate_left(29);
    let span = most.saturating_mul(2).saturating_add(1);
    mixed.rem_euclid(span).saturating_sub(most)
}

/// Day and time of the attributes; the time alone has a day that means nothing.
fn absolute(schedule: &Object) -> Option<DateTime> {
    let read = |key: &str| schedule.text(key).parse::<DateTime>().ok();
    if let Some(whole) = read("absoluteDateTime") {
        return Some(whole);
    }
    match (read("absoluteDate"), read("absoluteTime")) {
        (Some(day), Some(time)) => Some(day.date().to_datetime(time.time())),
        (Some(day), None) => Some(day),
        (None, time) => time,
    }
}

/// Whether a schedule that was due is over.
#[must_use]
pub fn is_over(schedule: &Object) -> bool {
    let repeats = schedule.hidden.timing.as_ref().is_some_and(|it| it.repeat);
    match schedule.text("timeType") {
        "Countdown" => !repeats,
        _ => schedule.text("dateType") == "Absolute",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::object::Hidden;
    use crate::table::Collection;
    use serde_json::{Value, json};

    fn due(fields: Value, timing: Value, after: &str) -> Option<String> {
        let mut schedule = Object {
            id: 7,
            table: Collection::Schedules.objects(),
            fields: fields.as_object().unwrap().clone(),
            hidden: Hidden::default(),
        };
        schedule.set("enabled", true);
        schedule.hidden.timing = Some(serde_json::from_value(timing).unwrap());
        let after: Zoned = format!("{after}[UTC]").parse().unwrap();
        let next = next(&schedule, &Sun::new(51.48, 0.0), &after)?;
        let next = next.with_time_zone(jiff::tz::TimeZone::UTC);
        Some(next.strftime("%Y-%m-%dT%H:%M").to_string())
    }

    #[test]
    fn a_time_of_every_day() {
        let fields = json!({"timeType": "Absolute", "dateType": "EveryDay",
            "absoluteTime": "2000-01-01T07:30:00"});
        let next = |after| due(fields.clone(), json!({}), after);
        assert_eq!(
            next("2024-05-01T07:29:00+00:00").as_deref(),
            Some("2024-05-01T07:30")
        );
        assert_eq!(
            next("2024-05-01T07:30:00+00:00").as_deref(),
            Some("2024-05-02T07:30")
        );
    }

    #[test]
    fn some_days_of_the_week_or_month() {
        let fields = json!({"dateType": "DaysOfWeek", "absoluteTime": "2000-01-01T08:00:00"});
        // 1 May 2024 is a Wednesday.
        let next = due(
            fields,
            json!({"weekdays": [1, 6]}),
            "2024-05-01T00:00:00+00:00",
        );
        assert_eq!(next.as_deref(), Some("2024-05-04T08:00"));
        let fields = json!({"dateType": "DaysOfMonth", "absoluteTime": "2000-01-01T08:00:00"});
        let next = due(fields, json!({"days": [31]}), "2024-06-01T00:00:00+00:00");
        assert_eq!(next.as_deref(), Some("2024-07-31T08:00"));
    }

    #[test]
    fn a_day_that_is_over_never_comes_again() {
        let fields = json!({"dateType": "Absolute", "absoluteDateTime": "2024-05-01T08:00:00"});
        let next = |after| due(fields.clone(), json!({}), after);
        assert_eq!(
            next("2024-04-01T00:00:00+00:00").as_deref(),
            Some("2024-05-01T08:00")
        );
        assert_eq!(next("2024-05-01T08:00:00+00:00"), None);
    }

    #[test]
    fn an_offset_from_sunset() {
        let fields = json!({"timeType": "Sunset", "dateType": "EveryDay", "sunDelta": -1800});
        let next = due(fields, json!({}), "2024-06-21T12:00:00+00:00").unwrap();
        assert!(next.starts_with("2024-06-21T19:5"), "{next}");
    }

    #[test]
    fn a_countdown_counts_from_now() {
        let fields = json!({"timeType": "Countdown"});
        let next = |timing| due(fields.clone(), timing, "2024-05-01T08:00:00+00:00");
        assert_eq!(
            next(json!({"countdown": 600.0})).as_deref(),
            Some("2024-05-01T08:10")
        );
        assert_eq!(next(json!({"countdown": 1e300})), None);
    }

    #[test]
    fn one_day_alone_may_be_far_away() {
        let fields = json!({"dateType": "Absolute", "timeType": "Absolute",
            "absoluteDateTime": "2099-05-01T10:20:00"});
        let next = |after| due(fields.clone(), json!({}), after);
        assert_eq!(
            next("2024-05-01T00:00:00+00:00").as_deref(),
            Some("2099-05-01T10:20")
        );
        assert_eq!(next("2099-05-01T10:20:00+00:00"), None);
    }

    #[test]
    fn a_random_offset_is_the_same_all_day() {
        let fields = json!({"dateType": "EveryDay", "absoluteTime": "2000-01-01T08:00:00",
            "randomizeBy": 60});
        let next = |after| due(fields.clone(), json!({}), after).unwrap();
        let first = next("2024-05-01T00:00:00+00:00");
        assert_eq!(first, next("2024-05-01T07:00:00+00:00"));
        assert!(first.as_str() >= "2024-05-01T07:00" && first.as_str() <= "2024-05-01T09:00");
    }
}
