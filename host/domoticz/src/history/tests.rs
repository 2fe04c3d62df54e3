//! Tests of the history over a real store, with times chosen by the test.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};

use super::super::device::{Change, DeviceLimits, NewDevice, ValueUpdate};
use super::super::table::DeviceTable;
use super::*;

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 1000,
    stored_bytes: 1 << 20,
    text: 64 << 10,
};

struct House {
    _folder: tempfile::TempDir,
    devices: DeviceTable,
    history: History,
    hardware: u32,
}

async fn house() -> House {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), &[crate::SCHEMA]).unwrap();
    let hardware = store.hardware_for("HW", "K").await.unwrap();
    House {
        _folder: folder,
        devices: DeviceTable::new(store.clone()),
        history: History::new(store),
        hardware,
    }
}

impl House {
    async fn add(&self, device_type: i64, sub_type: i64, options: &[(&str, &str)]) -> i64 {
        let unit = u32::try_from(self.devices.all().await.unwrap().len()).unwrap() + 1;
        let options = options.iter();
        let device = NewDevice {
            unit,
            device_type,
            sub_type,
            used: 1,
            options: options
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            ..NewDevice::default()
        };
        let made = self.devices.create(self.hardware, device, PLENTY).await;
        made.unwrap().id
    }

    async fn set(&self, id: i64, n_value: i64, s_value: &str) {
        let change = Change {
            value: Some(ValueUpdate {
                n_value,
                s_value: s_value.to_owned(),
                ..ValueUpdate::default()
            }),
            ..Change::default()
        };
        let updated = self.devices.update(self.hardware, id, change, PLENTY).await;
        updated.unwrap();
    }

    async fn rows(&self, id: i64) -> Vec<Moment> {
        self.history.short(id, 0, i64::MAX).await.unwrap()
    }

    async fn days(&self, id: i64) -> Vec<(Date, Day)> {
        let (from, until) = (jiff::civil::date(1970, 1, 1), jiff::civil::date(2199, 1, 1));
        self.history.daily(id, from, until).await.unwrap()
    }
}

fn at(zoned: &Zoned) -> Timestamp {
    zoned.timestamp()
}

#[tokio::test]
async fn a_shown_device_has_a_row_every_five_minutes_while_it_is_heard_of() {
    let house = house().await;
    let temp = house.add(80, 5, &[]).await;
    let quiet = house.add(80, 5, &[("DisableLogAutoUpdate", "true")]).await;
    house.set(temp, 0, "19.5").await;
    let now = Timestamp::now();
    house.history.tick(now, 60).await.unwrap();
    // Two ticks in one period of five minutes make one row; an hour and more later there is none.
    house.history.tick(now, 60).await.unwrap();
    house.history.tick(now + 2.hours(), 60).await.unwrap();
    let rows = house.rows(temp).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].figures[0], Some(19.5));
    assert_eq!(rows[0].time % 300, 0);
    assert!(house.rows(quiet).await.is_empty());
}

#[tokio::test]
async fn a_day_that_is_over_has_its_figures() {
    let house = house().await;
    let temp = house.add(80, 5, &[]).await;
    let meter = house.add(243, 29, &[]).await;
    let noon = Zoned::now().start_of_day().unwrap() + 12.hours();
    for (hours, celsius, energy) in [
        (0, "10", "0;1000"),
        (2, "20", "0;1500"),
        (4, "15", "0;1600"),
    ] {
        house.set(temp, 0, celsius).await;
        house.set(meter, 0, energy).await;
        house
            .history
            .tick(at(&(&noon + hours.hours())), i64::MAX)
            .await
            .unwrap();
    }
    assert!(house.days(temp).await.is_empty(), "the day is not over");
    house.set(meter, 0, "0;1700").await;
    let midnight = noon.start_of_day().unwrap() + 1.days();
    house.history.tick(at(&midnight), i64::MAX).await.unwrap();
    let (date, day) = house.days(temp).await[0];
    assert_eq!(date, noon.date());
    assert_eq!(day.0[..3], [Some(10.0), Some(20.0), Some(15.0)]);
    // The row of midnight counts the use in the last minutes of the day.
    assert_eq!(
        house.days(meter).await[0].1.0[..2],
        [Some(700.0), Some(1600.0)]
    );
    // A hub that was off for two days makes the missing rows.
    assert_eq!(house.days(temp).await.len(), 1);
    house
        .history
        .tick(at(&(&midnight + 2.days())), i64::MAX)
        .await
        .unwrap();
    let dates: Vec<_> = house
        .days(temp)
        .await
        .iter()
        .map(|(date, _)| *date)
        .collect();
    assert_eq!(dates, [noon.date(), midnight.date()]);
}

#[tokio::test]
async fn managed_counters_are_written_by_their_plugin_alone() {
    let house = house().await;
    let counter = house
        .add(243, 33, &[("DisableLogAutoUpdate", "true")])
        .await;
    house.set(counter, 0, "5").await;
    house.set(counter, 0, "1000;25;2024-05-01").await;
    house.set(counter, 0, "1000;26;2024-05-01").await;
    house.set(counter, 0, "1001;3;2024-05-02 10:00:00").await;
    let present = house.devices.find(counter).await.unwrap().device.s_value;
    assert_eq!(present, "5");
    let days = house.days(counter).await;
    assert_eq!(days.len(), 1);
    assert_eq!(days[0].1.0[..2], [Some(26.0), Some(1000.0)]);
    let rows = house.rows(counter).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].figures[..2], [Some(1001.0), Some(3.0)]);
    let local = Timestamp::from_second(rows[0].time).unwrap();
    let local = local.to_zoned(TimeZone::system());
    assert_eq!(
        local.strftime("%Y-%m-%d %H:%M:%S").to_string(),
        "2024-05-02 10:00:00"
    );
}

#[tokio::test]
async fn switches_and_texts_have_a_row_per_reading() {
    let house = house().await;
    let (switch, text) = (house.add(244, 73, &[]).await, house.add(243, 19, &[]).await);
    house.set(switch, 1, "100").await;
    house.set(switch, 0, "").await;
    house.set(text, 0, &"x".repeat(LOG_TEXT + 10)).await;
    let log = house.history.log(switch).await.unwrap();
    let values: Vec<_> = log
        .iter()
        .map(|row| (row.n_value, row.s_value.as_str()))
        .collect();
    assert_eq!(values, [(0, ""), (1, "100")]);
    let said = house.history.log(text).await.unwrap();
    assert_eq!(said[0].s_value.len(), LOG_TEXT);
    house.history.clear_log(switch).await.unwrap();
    assert!(house.history.log(switch).await.unwrap().is_empty());
    assert_eq!(house.history.log(text).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_a_device_can_hold_is_bounded_and_its_neighbour_keeps_its_own() {
    let house = house().await;
    let (mad, sane) = (house.add(243, 33, &[]).await, house.add(243, 33, &[]).await);
    let switch = house.add(244, 73, &[]).await;
    house.set(sane, 0, "1;1;2024-05-01 00:00:00").await;
    house.set(sane, 0, "1;1;2024-05-01").await;
    house.set(sane, 0, "1;1;2999-05-01 00:00:00").await;
    house.set(sane, 0, "1;1;2999-05-01").await;
    let first = jiff::civil::date(2000, 1, 1);
    let over = 20_i64;
    let store = house.history.store.clone();
    let figures = [Some(1.0); FIGURES];
    store
        .write(move |transaction| {
            for n in 0..i64::from(SHORT_ROWS) + over {
                rows::put_short(transaction, mad, n, &figures)?;
            }
            for n in 0..i64::from(DAILY_ROWS) + over {
                rows::put_day(transaction, mad, first + n.days(), &Day::counter(1.0, None))?;
            }
            for n in 0..i64::from(LOG_ROWS) + over {
                rows::put_log(transaction, switch, n, (n, "", ""))?;
            }
            Ok::<_, StoreError>(())
        })
        .await
        .unwrap();
    let short = house.rows(mad).await;
    assert_eq!(short.len(), SHORT_ROWS as usize);
    assert_eq!(short[0].time, over, "the oldest went");
    let days = house.days(mad).await;
    assert_eq!(days.len(), DAILY_ROWS as usize);
    assert_eq!(days[0].0, first + over.days());
    assert_eq!(
        house.history.log(switch).await.unwrap().len(),
        LOG_ROWS as usize
    );
    assert_eq!(
        (house.rows(sane).await.len(), house.days(sane).await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn the_history_of_a_removed_device_goes_with_it() {
    let house = house().await;
    let counter = house.add(243, 33, &[]).await;
    house.set(counter, 0, "1;1;2024-05-01").await;
    house.set(counter, 0, "1;1;2024-05-01 00:00:00").await;
    house.devices.delete(house.hardware, counter).await.unwrap();
    assert!(house.days(counter).await.is_empty() && house.rows(counter).await.is_empty());
}
