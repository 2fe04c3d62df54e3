//! When the sun rises and sets where the hub is.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use sunrise::{Coordinates, DawnType, SolarDay, SolarEvent};

use super::info::{place, setting};
use super::{Answer, Call, Outcome};

pub(super) async fn rise_set(call: &Call<'_>) -> Outcome {
    let location = setting(call, "Location").await?.unwrap_or_default();
    let (latitude, longitude) = place(call.api, &location);
    let degrees = |text: &str| {
        text.parse::<f64>()
            .ok()
            .filter(|degrees| degrees.is_finite())
    };
    let (latitude, longitude) = (degrees(&latitude), degrees(&longitude));
    let known = latitude.zip(longitude).filter(|place| *place != (0.0, 0.0));
    let (latitude, longitude) =
        known.ok_or("the place of the hub is not known; set Latitude and Longitude")?;
    let now = Zoned::now();
    let day = Sun::at(latitude, longitude, now.date()).ok_or("there is no such place")?;
    let (rise, set) = (day.time(SolarEvent::Sunrise), day.time(SolarEvent::Sunset));
    // Half-way between the two; clients want a text where the sun stays up or down.
    let noon = rise.zip(set).map(|(rise, set)| rise.midpoint(set));
    let length = rise
        .zip(set)
        .map_or(0, |(rise, set)| set.saturating_sub(rise) / 60);
    let dawn = |kind| clock(day.time(SolarEvent::Dawn(kind)));
    let dusk = |kind| clock(day.time(SolarEvent::Dusk(kind)));
    Ok(Answer::ok("getSunRiseSet")
        .with("ServerTime", now.strftime("%Y-%m-%d %H:%M:%S").to_string())
        .with("Sunrise", clock(rise))
        .with("Sunset", clock(set))
        .with("SunAtSouth", clock(noon))
        .with("CivTwilightStart", dawn(DawnType::Civil))
        .with("CivTwilightEnd", dusk(DawnType::Civil))
        .with("NautTwilightStart", dawn(DawnType::Nautical))
        .with("NautTwilightEnd", dusk(DawnType::Nautical))
        .with("AstrTwilightStart", dawn(DawnType::Astronomical))
        .with("AstrTwilightEnd", dusk(DawnType::Astronomical))
        .with(
            "DayLength",
            format!("{:02}:{:02}", length / 60, length % 60),
        ))
}

/// The sun over one place on one day.
struct Sun(SolarDay);

impl Sun {
    fn at(latitude: f64, longitude: f64, date: Date) -> Option<Self> {
        let place = Coordinates::new(latitude, longitude)?;
        let date = date.to_string().parse().ok()?;
        Some(Self(SolarDay::new(place, date)))
    }

    /// In Unix seconds; `None` where it does not happen on this day.
    fn time(&self, event: SolarEvent) -> Option<i64> {
        self.0.event_time(event).map(|time| time.timestamp())
    }
}

/// The local time of day; midnight for an event that does not happen.
fn clock(second: Option<i64>) -> String {
    let time = second.and_then(|second| Timestamp::from_second(second).ok());
    time.map_or_else(
        || "00:00".to_owned(),
        |time| {
            time.to_zoned(TimeZone::system())
                .strftime("%H:%M")
                .to_string()
        },
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_sun_over_amsterdam_in_summer_and_over_the_pole() {
        let date = jiff::civil::date(2024, 6, 21);
        let day = Sun::at(52.37, 4.9, date).unwrap();
        let rise = Timestamp::from_second(day.time(SolarEvent::Sunrise).unwrap()).unwrap();
        let text = rise.to_string();
        assert!(text.starts_with("2024-06-21T03:1"), "{text}");
        let pole = Sun::at(89.0, 0.0, date).unwrap();
        assert_eq!(clock(pole.time(SolarEvent::Sunset)), "00:00");
        assert!(Sun::at(91.0, 0.0, date).is_none());
    }
}
