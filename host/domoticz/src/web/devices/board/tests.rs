//! Tests that the board equals a new one, whatever happened to the devices.

use std::collections::HashMap;

use jiff::ToSpan;
use serde_json::Value;
use tempfile::TempDir;

use super::super::listing::Listing;
use super::*;
use crate::favorites::Favorites;
use crate::history::History;
use crate::{Change, DeviceLimits, NewDevice, Reading, ValueUpdate};
use cordon_base::pool::Pools;
use cordon_store::Store;
use cordon_web::rows::{self, Framed, PIECE, Pieces};

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 100_000,
    stored_bytes: 64 << 20,
    text: 1 << 20,
};

/// Types of every kind that is shown in a way of its own: main type, sub type, switch type.
const TYPES: &[(i64, i64, i64)] = &[
    (16, 0, 0),
    (17, 0, 7),
    (20, 0, 1),
    (22, 0, 0),
    (23, 0, 0),
    (26, 0, 3),
    (32, 131, 0),
    (80, 5, 0),
    (81, 1, 0),
    (82, 1, 0),
    (84, 1, 0),
    (85, 3, 0),
    (86, 1, 0),
    (86, 4, 0),
    (87, 1, 0),
    (89, 1, 0),
    (93, 1, 0),
    (113, 0, 0),
    (113, 0, 1),
    (113, 0, 3),
    (113, 0, 5),
    (241, 1, 7),
    (241, 2, 7),
    (242, 1, 0),
    (243, 1, 0),
    (243, 2, 0),
    (243, 3, 0),
    (243, 4, 0),
    (243, 6, 0),
    (243, 7, 0),
    (243, 8, 0),
    (243, 9, 0),
    (243, 19, 0),
    (243, 22, 0),
    (243, 23, 0),
    (243, 24, 0),
    (243, 26, 0),
    (243, 27, 0),
    (243, 28, 0),
    (243, 28, 3),
    (243, 29, 0),
    (243, 29, 4),
    (243, 30, 0),
    (243, 31, 0),
    (243, 33, 0),
    (243, 33, 2),
    (244, 62, 18),
    (244, 73, 0),
    (244, 73, 2),
    (244, 73, 3),
    (244, 73, 5),
    (244, 73, 7),
    (244, 73, 13),
    (244, 73, 17),
    (244, 73, 19),
    (244, 73, 20),
    (244, 73, 21),
    (246, 1, 0),
    (247, 1, 0),
    (248, 1, 0),
    (249, 1, 0),
    (250, 1, 0),
    (251, 2, 0),
    (999, 9, 9),
];

const READINGS: &[&str] = &[
    "",
    "0",
    "1",
    "40",
    "19.6",
    "19.6;50;1",
    "20;50;1;1010;1",
    "90;E;52;71;12;11",
    "230;12345.6",
    "1;2;3;4;5;6",
    "text with \"quotes\" and \u{1}",
    "5;1;2024-05-01",
    "nan",
    "-3;;;;;;;;;;;",
];

struct Fixture {
    _folder: TempDir,
    store: Store,
    devices: DeviceTable,
    history: History,
    favorites: Favorites,
    board: Board,
    hardware: [u32; 2],
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("db"), &[crate::SCHEMA]).unwrap();
    let one = store.hardware_for("One", "K").await.unwrap();
    let two = store.hardware_for("Two", "K").await.unwrap();
    let devices = DeviceTable::new(store.clone());
    Fixture {
        _folder: folder,
        history: History::new(store.clone()),
        favorites: Favorites::new(store.clone()),
        board: Board::new(devices.clone(), Pools::default().commands),
        store,
        devices,
        hardware: [one, two],
    }
}

/// Numbers that look like chance and are equal in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(end).unwrap()).unwrap()
    }

    fn of<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn number(&mut self) -> i64 {
        *self.of(&[0, 1, 2, 3, 10, 14, 15, 17, 100, 255, -1])
    }
}

impl Fixture {
    async fn add(&self, hardware: usize, unit: u32, name: &str, types: (i64, i64, i64)) -> i64 {
        let device = NewDevice {
            unit,
            device_id: format!("d{unit}"),
            name: name.to_owned(),
            device_type: types.0,
            sub_type: types.1,
            switch_type: types.2,
            used: 1,
            ..NewDevice::default()
        };
        let made = self.devices.create(self.hardware[hardware], device, PLENTY);
        made.await.unwrap().id
    }

    /// Does one of all the things that can happen to a device. The device may be gone already.
    async fn happens(&self, chance: &mut Chance, ids: &mut Vec<i64>) {
        let id = *chance.of(ids);
        let hardware = *chance.of(&self.hardware);
        let reading = ValueUpdate {
            n_value: chance.number(),
            s_value: (*chance.of(READINGS)).to_owned(),
            signal_level: chance.number(),
            battery_level: chance.number(),
        };
        let change = match chance.below(19) {
            0..4 => Change {
                value: Some(reading),
                ..Change::default()
            },
            4 => Change {
                silent_value: Some(reading),
                ..Change::default()
            },
            5 => {
                let name = (*chance.of(&["a", "B", "$hidden", "Ümlaut", ""])).to_owned();
                Change {
                    name: Some(name),
                    ..Change::default()
                }
            }
            6 => {
                let (main, sub, switch) = *chance.of(TYPES);
                Change {
                    device_type: Some(main),
                    sub_type: Some(sub),
                    switch_type: Some(switch),
                    ..Change::default()
                }
            }
            7 => Change {
                timed_out: Some(chance.number()),
                ..Change::default()
            },
            8 => Change {
                used: Some(chance.number() & 1),
                ..Change::default()
            },
            9 => {
                let key = *chance.of(&["Custom", "LevelNames", "AddDBLogEntry", "ValueUnits"]);
                let options = vec![(key.to_owned(), "true;x".to_owned())];
                Change {
                    options: Some(options),
                    color: Some("{\"m\":3,\"r\":9}".to_owned()),
                    image: Some(chance.number()),
                    description: Some("words".to_owned()),
                    ..Change::default()
                }
            }
            10 => {
                let _ = self.devices.touch(hardware, id).await;
                return;
            }
            11 => {
                let _ = self.favorites.set(id, chance.below(2) == 0).await;
                return;
            }
            12 => {
                let reading = Reading {
                    n_value: Some(chance.number()),
                    ..Reading::default()
                };
                let _ = self.devices.read_in(id, reading).await;
                return;
            }
            13 => {
                self.history.tick(Timestamp::now(), 60).await.unwrap();
                return;
            }
            14 => {
                let second = Timestamp::now().as_second();
                let moment = second - second.rem_euclid(300);
                self.history.forget_moment(id, moment).await.unwrap();
                return;
            }
            15 => {
                self.devices.forget_timed_out(hardware);
                return;
            }
            16 => {
                let _ = self.devices.remove(id).await;
                return;
            }
            17 => {
                let unit = u32::try_from(ids.len()).unwrap() + 1;
                let types = *chance.of(TYPES);
                ids.push(self.add(chance.below(2), unit, "new", types).await);
                return;
            }
            _ => {
                let _ = self
                    .devices
                    .edit(
                        id,
                        Change {
                            value: Some(reading),
                            ..Change::default()
                        },
                    )
                    .await;
                return;
            }
        };
        for hardware in self.hardware {
            let _ = self
                .devices
                .update(hardware, id, change.clone(), PLENTY)
                .await;
        }
    }

    /// Asserts that the board shows the content of the tables.
    async fn is_true(&self, what: &str) {
        let kept = told(&self.board).await;
        assert_eq!(
            kept,
            told(&Board::new(self.devices.clone(), Pools::default().commands)).await,
            "{what}"
        );
        // Each row alone reads as it stands in the board.
        for (id, json) in &kept.0 {
            let alone = Board::new(self.devices.clone(), Pools::default().commands)
                .one(*id)
                .await
                .unwrap();
            assert_eq!(
                &*alone.unwrap().texts.as_ref().unwrap().json,
                json,
                "{what}"
            );
            let known = self.board.one(*id).await.unwrap().unwrap();
            assert_eq!(&*known.texts.as_ref().unwrap().json, json, "{what}");
        }
    }
}

/// All texts by id, and the ids by name.
async fn told(board: &Board) -> (Vec<(i64, String)>, Vec<i64>, Vec<i64>) {
    let rows = board.all().await.unwrap();
    let text = |entry: &Arc<Entry>| {
        let texts = entry.texts.as_ref().unwrap();
        let json: Value = serde_json::from_str(&texts.json).unwrap();
        assert_eq!(json["idx"], entry.id.to_string());
        assert_eq!(json["Name"], &*texts.name);
        (entry.id, texts.json.to_string())
    };
    let ids = |entries: &[Arc<Entry>]| entries.iter().map(|entry| entry.id).collect();
    (
        rows.by_id().iter().map(text).collect(),
        ids(rows.by_name()),
        ids(&rows.by_update()),
    )
}

#[tokio::test]
async fn the_board_is_what_a_new_one_would_be_after_every_change() {
    let f = fixture().await;
    let mut ids = Vec::new();
    for (unit, types) in (1..).zip(TYPES) {
        ids.push(
            f.add(
                usize::from(unit % 2 == 0),
                unit,
                &format!("d{unit}"),
                *types,
            )
            .await,
        );
    }
    f.is_true("the beginning").await;
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for step in 0..400 {
        f.happens(&mut chance, &mut ids).await;
        f.is_true(&format!("step {step}")).await;
    }
    f.store.remove_hardware(f.hardware[0]).await.unwrap();
    f.is_true("without one hardware").await;
    assert!(!f.board.all().await.unwrap().by_id().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answered_change_is_shown_while_others_write() {
    let f = fixture().await;
    let mut ids = Vec::new();
    for unit in 1..=8 {
        ids.push(f.add(0, unit, "d", (243, 19, 0)).await);
    }
    let writers = ids.into_iter().map(|id| {
        let (devices, board, hardware) = (f.devices.clone(), f.board.clone(), f.hardware[0]);
        tokio::spawn(async move {
            for n in 0..60 {
                let value = Some(ValueUpdate {
                    s_value: format!("{id}-{n}"),
                    ..ValueUpdate::default()
                });
                let change = Change {
                    value,
                    ..Change::default()
                };
                devices.update(hardware, id, change, PLENTY).await.unwrap();
                let shown = format!("\"Data\":\"{id}-{n}\"");
                let alone = board.one(id).await.unwrap().unwrap();
                assert!(alone.texts.as_ref().unwrap().json.contains(&shown));
                let rows = board.all().await.unwrap();
                let entry = rows.find(id).unwrap();
                assert!(entry.texts.as_ref().unwrap().json.contains(&shown));
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
}

#[tokio::test]
async fn one_row_is_read_however_many_there_are() {
    let f = fixture().await;
    let mut ids = Vec::new();
    for unit in 1..=250 {
        ids.push(f.add(0, unit, "d", (244, 73, 0)).await);
    }
    let read = async |id: Option<i64>| {
        let before = f.devices.rows_read();
        match id {
            Some(id) => drop(f.board.one(id).await.unwrap().unwrap()),
            None => drop(f.board.all().await.unwrap()),
        }
        f.devices.rows_read() - before
    };
    assert_eq!(read(Some(ids[7])).await, 1, "before there is a list");
    assert_eq!(read(None).await, 250);
    assert_eq!(read(Some(ids[7])).await, 0);
    assert_eq!(read(None).await, 0);
    f.devices.touch(f.hardware[0], ids[7]).await.unwrap();
    assert_eq!(read(Some(ids[8])).await, 0, "another one was changed");
    assert_eq!(read(Some(ids[7])).await, 1);
    assert_eq!(read(None).await, 1);
    assert_eq!(read(None).await, 0);
    assert!(f.board.one(999_999).await.unwrap().is_none());
}

#[tokio::test]
async fn a_new_day_changes_what_counters_show() {
    let f = fixture().await;
    let id = f.add(0, 1, "counter", (243, 29, 0)).await;
    let value = |s_value: &str| Change {
        value: Some(ValueUpdate {
            s_value: s_value.to_owned(),
            ..ValueUpdate::default()
        }),
        ..Change::default()
    };
    f.devices
        .update(f.hardware[0], id, value("0;1000"), PLENTY)
        .await
        .unwrap();
    f.history.tick(Timestamp::now(), 60).await.unwrap();
    f.devices
        .update(f.hardware[0], id, value("0;3000"), PLENTY)
        .await
        .unwrap();
    let today = async || {
        let rows = f.board.all().await.unwrap();
        let json: Value =
            serde_json::from_str(&rows.by_id()[0].texts.as_ref().unwrap().json).unwrap();
        json["CounterToday"].as_str().unwrap().to_owned()
    };
    assert_eq!(today().await, "2.000 kWh");
    // Rows as they would be if the list had been made yesterday.
    let mut rows = Rows {
        moment: f.devices.changes().since(0).moment,
        day: super::today() - 86_400,
        by_id: Vec::new(),
        by_name: Vec::new(),
    };
    let tomorrow = Zoned::now().date().saturating_add(1.day());
    let (shown, _) = f
        .devices
        .shown(vec![id], midnight(tomorrow).unwrap())
        .await
        .unwrap();
    rows.by_id.push(Arc::new(Entry::of(&shown[0], true)));
    *f.board.lock() = Arc::new(rows);
    assert_eq!(today().await, "2.000 kWh");
}

/// The bytes of an answer with these rows.
async fn listed(board: &Board) -> (Option<usize>, String) {
    let rows = board.all().await.unwrap();
    let hardware = HashMap::from([(1, "{\"HardwareName\":\"One\"}".to_owned())]);
    let listing = Listing::new(board.clone(), rows.by_name().to_vec(), hardware);
    let length = listing.length();
    let pieces = Framed::result("{\"status\":\"OK\"}".to_owned(), Box::new(listing));
    let pieces = rows::whole(pieces).await;
    (length, pieces.concat())
}

#[tokio::test]
async fn rows_that_are_not_kept_are_listed_all_the_same() {
    let f = fixture().await;
    for unit in 1..=200 {
        f.add(
            usize::from(unit > 170),
            unit,
            &format!("{unit} {}", "x".repeat(500)),
            (243, 19, 0),
        )
        .await;
    }
    let long = f.add(0, 201, &"ß".repeat(100_000), (243, 19, 0)).await;
    let (length, whole) = listed(&f.board).await;
    assert_eq!(length, None, "the long one is not kept");
    let json: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(json["result"].as_array().unwrap().len(), 201);
    let nothing_kept = Board::keeping(f.devices.clone(), Pools::default().commands, 0);
    assert_eq!(listed(&nothing_kept).await, (None, whole.clone()));
    let half_kept = Board::keeping(f.devices.clone(), Pools::default().commands, 800_000);
    assert_eq!(listed(&half_kept).await, (None, whole));
    let mut kept = [0_usize; 2];
    for entry in half_kept.all().await.unwrap().by_id() {
        kept[usize::from(entry.hardware == f.hardware[1])] += entry.bytes();
    }
    // The first hardware has its part, and the second all that it has.
    assert!((90_000..=100_000).contains(&kept[0]), "{kept:?}");
    assert!(kept[1] > 30 * 1000 && kept[1] < 90_000, "{kept:?}");
    f.devices.remove(long).await.unwrap();
    let (length, whole) = listed(&f.board).await;
    assert!(whole.len() > 2 * PIECE);
    assert_eq!(
        length.unwrap() + "{\"status\":\"OK\",\"result\":[]}".len(),
        whole.len()
    );
    let json: Value = serde_json::from_str(&whole).unwrap();
    let names = |unknown: &str| {
        let rows = json["result"].as_array().unwrap().iter();
        rows.filter(|row| row["HardwareName"] == unknown).count()
    };
    assert_eq!((names("One"), names("Unknown?")), (170, 30));
}
