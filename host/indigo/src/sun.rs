//! When the sun rises and sets where the hub is.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use sunrise::{Coordinates, SolarDay, SolarEvent};

/// How many days ahead a next rise or set is looked for: half a polar year.
const DAYS: usize = 200;

/// The place of the hub.
#[derive(Debug, Clone, Copy)]
pub struct Sun {
    latitude: f64,
    longitude: f64,
}

/// What the sun does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Its upper edge comes over the horizon.
    Rise,
    /// Its upper edge goes below it.
    Set,
}

impl Sun {
    /// The sun over this place, in degrees north and east.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64) -> Self {
        Self {
            latitude,
            longitude,
        }
    }

    /// When it happens on a day; never on some days near the poles.
    #[must_use]
    pub fn on(&self, event: Event, day: Date) -> Option<Zoned> {
        let place = Coordinates::new(self.latitude, self.longitude)?;
        let year = i32::from(day.year());
        let month = u32::try_from(day.month()).ok()?;
        let date = u32::try_from(day.day()).ok()?;
        let day = chrono::NaiveDate::from_ymd_opt(year, month, date)?;
        let event = match event {
            Event::Rise => SolarEvent::Sunrise,
            Event::Set => SolarEvent::Sunset,
        };
        let time = SolarDay::new(place, day).event_time(event)?;
        let time = Timestamp::from_second(time.timestamp()).ok()?;
        Some(time.to_zoned(TimeZone::system()))
    }

    /// When it happens next after this moment.
    #[must_use]
    pub fn next(&self, event: Event, after: &Zoned) -> Option<Zoned> {
        let yesterday = after.date().yesterday().ok()?;
        let mut times = yesterday
            .series(jiff::Span::new().days(1))
            .take(DAYS)
            .filter_map(|day| self.on(event, day));
        times.find(|time| time > after)
    }

    /// Whether it is up.
    #[must_use]
    pub fn is_up(&self, now: &Zoned) -> bool {
        let rise = self.next(Event::Rise, now);
        let set = self.next(Event::Set, now);
        match (rise, set) {
            (Some(rise), Some(set)) => set < rise,
            // In a polar day it sets before it rises again, in a polar night it rises.
            (None, Some(_)) => true,
            _ => false,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use jiff::civil::date;

    /// Greenwich on 21 June 2024: the almanac has 03:43 and 20:21 UTC.
    #[test]
    fn it_rises_and_sets_when_the_almanac_says() {
        let sun = Sun::new(51.48, 0.0);
        let near = |event, wanted: &str| {
            let time = sun.on(event, date(2024, 6, 21)).unwrap();
            let wanted: Timestamp = wanted.parse().unwrap();
            let off = time.timestamp().duration_since(wanted).as_secs().abs();
            assert!(off < 180, "{event:?} is {off} s off");
        };
        near(Event::Rise, "2024-06-21T03:43:00Z");
        near(Event::Set, "2024-06-21T20:21:00Z");
    }

    #[test]
    fn it_is_up_at_noon_and_down_at_midnight() {
        let sun = Sun::new(51.48, 0.0);
        let at = |text: &str| {
            let time: Timestamp = text.parse().unwrap();
            sun.is_up(&time.to_zoned(TimeZone::UTC))
        };
        assert!(at("2024-03-20T12:00:00Z"));
        assert!(!at("2024-03-20T00:00:00Z"));
    }

    #[test]
    fn there_are_days_without_a_rise_near_the_pole() {
        let sun = Sun::new(80.0, 20.0);
        assert!(sun.on(Event::Rise, date(2024, 12, 21)).is_none());
        let winter: Timestamp = "2024-12-21T12:00:00Z".parse().unwrap();
        let winter = winter.to_zoned(TimeZone::UTC);
        assert!(sun.next(Event::Rise, &winter).is_some());
        assert!(!sun.is_up(&winter));
    }
}
