//! Tests of the device table on a real store; rule numbers are the specification's.

use tempfile::TempDir;

use super::super::preferences::Preferences;
use super::*;
use cordon_base::error::LimitHit;
use cordon_store::StoreError;

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 1000,
    stored_bytes: 1 << 20,
    text: 64 << 10,
};

struct Fixture {
    _folder: TempDir,
    store: Store,
    table: DeviceTable,
    hardware: u32,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
    let hardware = store.hardware_for("HW", "K").await.unwrap();
    Fixture {
        _folder: folder,
        table: DeviceTable::new(store.clone()),
        store,
        hardware,
    }
}

impl Fixture {
    async fn create(&self, device: NewDevice) -> Result<Device, DeviceError> {
        self.table.create(self.hardware, device, PLENTY).await
    }

    async fn update(&self, id: i64, change: Change) -> Device {
        self.table
            .update(self.hardware, id, change, PLENTY)
            .await
            .unwrap()
            .after
    }

    async fn set(&self, id: i64, n_value: i64, s_value: &str) -> Device {
        self.update(
            id,
            Change {
                value: Some(reading(n_value, s_value)),
                ..Change::default()
            },
        )
        .await
    }
}

fn new(unit: u32) -> NewDevice {
    NewDevice {
        unit,
        name: "n".to_owned(),
        prefix_name: true,
        device_type: 244,
        sub_type: 73,
        signal_level: 12,
        battery_level: 255,
        used: 1,
        ..NewDevice::default()
    }
}

fn reading(n_value: i64, s_value: &str) -> ValueUpdate {
    ValueUpdate {
        n_value,
        s_value: s_value.to_owned(),
        signal_level: 12,
        battery_level: 255,
    }
}

fn options(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect()
}

#[tokio::test]
async fn a_legacy_device_gets_prefix_default_id_and_time() {
    // Rules 32, 37, 57.
    let f = fixture().await;
    let device = f.create(new(16)).await.unwrap();
    assert_eq!(device.name, "HW - n");
    assert_eq!(device.device_id, format!("{:04X}0010", f.hardware));
    assert_eq!(
        (device.signal_level, device.battery_level, device.n_value),
        (12, 255, 0)
    );
    let time = jiff::civil::DateTime::strptime("%Y-%m-%d %H:%M:%S", &device.last_update);
    assert!(time.is_ok(), "{}", device.last_update);
    assert_eq!(
        f.table.list(f.hardware).await.unwrap().0,
        std::slice::from_ref(&device)
    );
    assert_eq!(
        f.table.get(f.hardware, None, 16).await.unwrap(),
        Some(device)
    );
}

#[tokio::test]
async fn create_is_refused_for_bad_and_existing_units_and_when_not_accepting() {
    // Rules 33, 39, 40.
    let f = fixture().await;
    assert_eq!(f.create(new(0)).await, Err(DeviceError::BadUnit));
    assert_eq!(f.create(new(256)).await, Err(DeviceError::BadUnit));
    f.create(new(1)).await.unwrap();
    let other_id = NewDevice {
        device_id: "other".to_owned(),
        ..new(1)
    };
    assert_eq!(f.create(other_id.clone()).await, Err(DeviceError::Exists));
    let extended = NewDevice {
        prefix_name: false,
        ..other_id
    };
    assert_eq!(f.create(extended.clone()).await.unwrap().name, "n");
    assert_eq!(f.create(extended).await, Err(DeviceError::Exists));
    Preferences::new(f.store.clone())
        .set("AcceptNewHardware", "", 0)
        .await
        .unwrap();
    assert_eq!(f.create(new(2)).await, Err(DeviceError::NotAccepting));
    assert_eq!(f.table.list(f.hardware).await.unwrap().0.len(), 2);
}

#[tokio::test]
async fn options_and_colour_are_stored_in_their_normal_form() {
    // Rules 42, 43, 51, 52, 53.
    let f = fixture().await;
    let given = options(&[("b", "x"), ("a", "y"), ("c", "")]);
    let device = f
        .create(NewDevice {
            options: given,
            ..new(1)
        })
        .await
        .unwrap();
    assert_eq!(device.options, options(&[("a", "y"), ("b", "x")]));
    let custom = NewDevice {
        sub_type: 31,
        options: options(&[("Custom", "1;W"), ("z", "q")]),
        ..new(2)
    };
    assert_eq!(
        f.create(custom).await.unwrap().options,
        options(&[("Custom", "1;W")])
    );
    let cleared = Change {
        options: Some(vec![]),
        ..Change::default()
    };
    assert_eq!(f.update(device.id, cleared).await.options, options(&[]));
    let red = Change {
        color: Some(r#"{"m":3,"r":255,"g":0,"b":0}"#.to_owned()),
        ..Change::default()
    };
    let expected = r#"{"b":0,"cw":0,"g":0,"m":3,"r":255,"t":0,"ww":0}"#;
    assert_eq!(f.update(device.id, red).await.color, expected);
    let junk = Change {
        color: Some("junk".to_owned()),
        ..Change::default()
    };
    assert_eq!(f.update(device.id, junk).await.color, "");
}

/// The store's thread, for which others wait, normalises no colours.
#[tokio::test]
async fn the_written_form_of_a_colour_is_made_before_the_store_is_asked() {
    let f = fixture().await;
    let (given, written) = (
        r#"{"m":3,"r":1}"#,
        r#"{"b":0,"cw":0,"g":0,"m":3,"r":1,"t":0,"ww":0}"#,
    );
    let colored = |unit: u32| NewDevice {
        color: given.to_owned(),
        ..new(unit)
    };
    let device = f.create(colored(1)).await.unwrap();
    assert_eq!(device.color, written);
    let change = Change {
        color: Some(given.to_owned()),
        ..Change::default()
    };
    let edited = f.table.edit(device.id, change.clone()).await.unwrap();
    assert_eq!(edited.device.color, written);
    // The store's own thread has nothing to read.
    let (hardware, second) = (f.hardware, colored(2));
    let as_given = f.table.store.write(move |transaction| {
        let made = insert(transaction, hardware, second, PLENTY)?;
        let row = own(transaction, hardware, made.id)?;
        let changed = apply(transaction, row, &change, None)?;
        Ok::<_, DeviceError>([made.color, changed.device.color])
    });
    assert_eq!(as_given.await.unwrap(), [given, given]);
}

#[tokio::test]
async fn a_reading_follows_the_type_that_the_same_change_gives() {
    let f = fixture().await;
    let device = f.create(new(1)).await.unwrap();
    let change = |n, text| Change {
        device_type: Some(243),
        sub_type: Some(28),
        value: Some(reading(n, text)),
        ..Change::default()
    };
    f.update(device.id, change(0, "5")).await;
    // Rule 54.
    assert_eq!(f.update(device.id, change(0, "5")).await.s_value, "10");
    assert_eq!(f.table.list(f.hardware).await.unwrap().0.len(), 1);
}

#[tokio::test]
async fn what_is_not_given_stays() {
    // Rules 47, 49, 50.
    let f = fixture().await;
    let device = f.create(new(1)).await.unwrap();
    f.set(device.id, 1, "a").await;
    let change = Change {
        name: Some("N".to_owned()),
        battery_level: Some(50),
        ..Change::default()
    };
    let changed = f.update(device.id, change).await;
    assert_eq!((changed.name.as_str(), changed.battery_level), ("N", 50));
    assert_eq!((changed.n_value, changed.s_value.as_str()), (1, "a"));
    let silent = Change {
        silent_value: Some(reading(0, "0;0")),
        ..Change::default()
    };
    assert_eq!(f.update(device.id, silent).await.s_value, "0;0");
}

#[tokio::test]
async fn the_time_of_update_changes_with_touch_and_writes_only() {
    // Rule 57.
    let f = fixture().await;
    let device = f.create(new(1)).await.unwrap();
    let old = async || {
        let sql = "UPDATE devices SET last_update = 1000";
        f.store
            .write(|t| Ok::<_, StoreError>(t.execute(sql, [])?))
            .await
            .unwrap();
        f.table.find(device.id).await.unwrap()
    };
    let before = old().await;
    let timed_out = Change {
        timed_out: Some(1),
        ..Change::default()
    };
    assert_eq!(f.update(device.id, timed_out).await, before.device);
    let same = Change {
        used: Some(1),
        image: Some(0),
        ..Change::default()
    };
    assert_eq!(f.update(device.id, same).await, before.device);
    let touched = f.table.touch(f.hardware, device.id).await.unwrap();
    assert_ne!(touched.last_update, before.device.last_update);
    assert_eq!(
        Device {
            last_update: String::new(),
            ..touched
        },
        Device {
            last_update: String::new(),
            ..before.device.clone()
        }
    );
    old().await;
    assert_ne!(
        f.set(device.id, 0, "").await.last_update,
        before.device.last_update
    );
}

#[tokio::test]
async fn timed_out_is_kept_beside_the_row_until_it_is_removed() {
    // Rule 48.
    let f = fixture().await;
    let device = f.create(new(1)).await.unwrap();
    f.update(
        device.id,
        Change {
            timed_out: Some(1),
            ..Change::default()
        },
    )
    .await;
    f.set(device.id, 0, "b").await;
    assert_eq!(f.table.find(device.id).await.unwrap().timed_out, 1);
    assert_eq!(f.table.all().await.unwrap()[0].timed_out, 1);
    f.table.delete(f.hardware, device.id).await.unwrap();
    assert!(f.table.lock().is_empty());
}

#[tokio::test]
async fn energy_is_computed_from_the_time_between_readings() {
    let f = fixture().await;
    let meter = NewDevice {
        device_type: 243,
        sub_type: 29,
        s_value: "3600;10".to_owned(),
        options: options(&[("EnergyMeterMode", "1")]),
        ..new(1)
    };
    let id = f.create(meter).await.unwrap().id;
    let sql = "UPDATE devices SET last_update = last_update - 2000";
    f.store
        .write(|t| Ok::<_, StoreError>(t.execute(sql, [])?))
        .await
        .unwrap();
    let s_value = f.set(id, 0, "5;0").await.s_value;
    let energy: f64 = s_value.strip_prefix("5;").unwrap().parse().unwrap();
    assert!((12.0..60.0).contains(&energy), "{s_value}");
}

#[tokio::test]
async fn a_plugin_cannot_reach_the_rows_of_another_hardware() {
    let f = fixture().await;
    let other = f.store.hardware_for("Other", "K").await.unwrap();
    let device = f.create(new(1)).await.unwrap();
    assert!(f.table.list(other).await.unwrap().0.is_empty());
    assert_eq!(f.table.get(other, None, 1).await, Ok(None));
    let missing = Err(DeviceError::Missing);
    assert_eq!(
        f.table
            .update(other, device.id, Change::default(), PLENTY)
            .await
            .map(|updated| updated.after),
        missing
    );
    assert_eq!(f.table.touch(other, device.id).await, missing);
    assert_eq!(
        f.table.delete(other, device.id).await,
        Err(DeviceError::Missing)
    );
    f.table.delete(f.hardware, device.id).await.unwrap();
    assert_eq!(
        f.table.delete(f.hardware, device.id).await,
        Err(DeviceError::Missing)
    );
    let again = f.create(new(1)).await.unwrap();
    assert!(again.id > device.id, "a row id was used twice");
}

#[tokio::test]
async fn limits_stop_a_flood_and_leave_the_store_as_it_was() {
    let f = fixture().await;
    let limits = DeviceLimits {
        devices: 2,
        stored_bytes: 456,
        text: 1000,
    };
    let create = |unit| f.table.create(f.hardware, new(unit), limits);
    let id = create(1).await.unwrap().id;
    create(2).await.unwrap();
    let hit = LimitHit {
        which: "devices",
        used: 3,
        limit: 2,
    };
    assert_eq!(create(3).await, Err(DeviceError::Limit(hit)));

    let grow = |length: usize| {
        let value = Some(reading(0, &"x".repeat(length)));
        f.table.update(
            f.hardware,
            id,
            Change {
                value,
                ..Change::default()
            },
            limits,
        )
    };
    assert_eq!(grow(100).await.unwrap().after.s_value.len(), 100);
    let refused = grow(300).await.unwrap_err();
    let DeviceError::Limit(hit) = refused else {
        panic!("{refused}")
    };
    // Two rows of 128 bytes with an id of 8 and a name of 6 bytes each.
    assert_eq!((hit.which, hit.used, hit.limit), ("stored-bytes", 584, 456));
    assert_eq!(f.table.find(id).await.unwrap().device.s_value.len(), 100);
    let tight = DeviceLimits {
        devices: 2,
        stored_bytes: 10,
        text: 1000,
    };
    let shrink = Change {
        value: Some(reading(0, "y")),
        ..Change::default()
    };
    assert!(f.table.update(f.hardware, id, shrink, tight).await.is_ok());
}

#[tokio::test]
async fn a_text_that_is_too_long_is_refused_wherever_it_stands() {
    let f = fixture().await;
    let limits = DeviceLimits {
        text: 100,
        ..PLENTY
    };
    let long = || "x".repeat(101);
    let refused = |result: Result<Device, DeviceError>, used| {
        let hit = LimitHit {
            which: "device-text",
            used,
            limit: 100,
        };
        assert_eq!(result, Err(DeviceError::Limit(hit)));
    };
    let texts: [fn(&mut NewDevice, String); 6] = [
        |row, text| row.name = text,
        |row, text| row.device_id = text,
        |row, text| row.s_value = text,
        |row, text| row.description = text,
        |row, text| row.color = text,
        |row, text| row.options = vec![(text, String::new())],
    ];
    for (n, set) in texts.iter().enumerate() {
        let mut row = new(1);
        set(&mut row, long());
        let used = if n == 5 { 165 } else { 101 };
        refused(f.table.create(f.hardware, row, limits).await, used);
    }
    let before = f.create(new(1)).await.unwrap();
    let value = || Some(reading(0, &long()));
    let pairs = (0..50).map(|_| ("k".to_owned(), String::new()));
    let changes = [
        Change {
            value: value(),
            ..Change::default()
        },
        Change {
            silent_value: value(),
            ..Change::default()
        },
        Change {
            name: Some(long()),
            ..Change::default()
        },
        Change {
            description: Some(long()),
            ..Change::default()
        },
        Change {
            color: Some(long()),
            ..Change::default()
        },
        Change {
            options: Some(pairs.collect()),
            ..Change::default()
        },
    ];
    for change in changes {
        let used = if change.options.is_some() { 3250 } else { 101 };
        let changed = f.table.update(f.hardware, before.id, change, limits).await;
        refused(changed.map(|it| it.after), used);
    }
    assert_eq!(f.table.find(before.id).await.unwrap().device, before);
}

#[tokio::test]
async fn many_rows_are_listed_as_few_are() {
    let f = fixture().await;
    for unit in 1..=70 {
        f.create(new(unit)).await.unwrap();
        let listed = f.table.list(f.hardware).await.unwrap().0;
        assert_eq!(listed.len(), unit as usize);
    }
    let account = cordon_base::account::Account::new(&cordon_base::limits::Limits {
        host_memory: 5000,
        ..Default::default()
    });
    let events = cordon_base::log::EventLog::new(Default::default());
    let log = cordon_base::plugin_log::PluginLog::new(events, "HW", &Default::default());
    let table = f.table.through(&f.store.of(&account, &log));
    let Err(DeviceError::Limit(hit)) = table.list(f.hardware).await else {
        panic!("there is room for it");
    };
    assert_eq!(hit.which, "host-memory");
    assert_eq!(account.used(), 0);
}

#[tokio::test]
async fn changes_from_outside_name_the_event_for_the_plugin() {
    let f = fixture().await;
    let Notice { device, event, .. } = f.table.add(f.hardware, new(7), PLENTY).await.unwrap();
    let (id, device_id, unit) = (device.id, device.device_id.clone(), 7);
    assert_eq!(
        event,
        HubEvent::DeviceAdded {
            device_id: device_id.clone(),
            unit
        }
    );
    let modified = HubEvent::DeviceModified {
        device_id: device_id.clone(),
        unit,
    };
    let value = Reading {
        n_value: Some(1),
        battery_level: Some(300),
        ..Reading::default()
    };
    let notice = f.table.read_in(id, value).await.unwrap();
    assert_eq!(
        (notice.event, notice.hardware),
        (modified.clone(), f.hardware)
    );
    assert_eq!(
        (notice.device.n_value, notice.device.battery_level),
        (1, 44)
    );
    // Rules 162 and 161.
    let notice = f.table.rename(id, "it's".to_owned()).await.unwrap();
    assert_eq!(
        (notice.event, notice.device.name.as_str()),
        (modified.clone(), "it's")
    );
    let notice = f.table.set_used(id, false).await.unwrap();
    assert_eq!((notice.event, notice.device.used), (modified, 0));
    let notice = f.table.remove(id).await.unwrap();
    assert_eq!(notice.event, HubEvent::DeviceRemoved { device_id, unit });
    assert_eq!(f.table.remove(id).await, Err(DeviceError::Missing));
    assert_eq!(
        f.table.read_in(id, Reading::default()).await,
        Err(DeviceError::Missing)
    );
}

/// SQLite would choose its plan anew for each value that is bound.
#[tokio::test]
async fn what_selects_devices_is_compiled_once() {
    let fixture = fixture().await;
    fixture.create(new(1)).await.unwrap();
    let read = fixture.store.read(|connection| {
        let condition = "hardware_id = ?1";
        for hardware in [1, 2, 1] {
            row::select(connection, condition, [hardware])?;
        }
        let statement = connection.prepare_cached(&row::statement(condition))?;
        Ok::<_, StoreError>(statement.get_status(rusqlite::StatementStatus::RePrepare))
    });
    assert_eq!(read.await.unwrap(), 0);
}
