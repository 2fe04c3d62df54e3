//! Tests of things on a real store, with plugins that only listen.

use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::*;
use crate::history;
use crate::{DeviceLimits, HardwareInfo, Level, NewDevice, Plugins, Reading};
use cordon_base::account::Account;
use cordon_store::Store;

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 1000,
    stored_bytes: 1 << 20,
    text: 64 << 10,
};

/// A plugin whose inbox holds two events.
#[derive(Default)]
struct Listener {
    told: Mutex<Vec<HubEvent>>,
}

impl Plugins for Listener {
    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError> {
        let mut told = self.told.lock().unwrap();
        if hardware != 1 {
            return Err(DeliverError::NotRunning);
        }
        if told.len() == 2 {
            return Err(DeliverError::InboxFull);
        }
        told.push(event);
        Ok(())
    }

    fn hardware(&self) -> Vec<HardwareInfo> {
        vec![HardwareInfo {
            id: 1,
            name: "HW".to_owned(),
            key: "K".to_owned(),
            state: "running".to_owned(),
            detail: String::new(),
        }]
    }

    fn account(&self, _: u32) -> Option<Arc<Account>> {
        None
    }
}

struct Fixture {
    _folder: TempDir,
    domoticz: Domoticz,
    listener: Arc<Listener>,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
    for name in ["HW", "Off"] {
        store.hardware_for(name, "K").await.unwrap();
    }
    let listener = Arc::<Listener>::default();
    let plugins = Arc::<Listener>::clone(&listener);
    Fixture {
        _folder: folder,
        domoticz: Domoticz::new(&store, plugins),
        listener,
    }
}

impl Fixture {
    async fn add(&self, hardware: u32, unit: u32, types: (i64, i64, i64)) -> String {
        let device = NewDevice {
            unit,
            name: format!("device {unit}"),
            device_type: types.0,
            sub_type: types.1,
            switch_type: types.2,
            battery_level: 255,
            used: 1,
            ..NewDevice::default()
        };
        let made = self.domoticz.devices.create(hardware, device, PLENTY).await;
        made.unwrap().id.to_string()
    }

    async fn operate(&self, id: &str, operation: Operation) -> Result<(), ThingsError> {
        self.domoticz.operate(Rights::User, id, operation).await
    }
}

const DIMMER: (i64, i64, i64) = (kind::LIGHT_SWITCH, 73, kind::DIMMER);
const TEXT: (i64, i64, i64) = (243, 19, 0);

#[tokio::test]
async fn all_things_are_listed_a_page_at_a_time() {
    let f = fixture().await;
    let mut ids = Vec::new();
    for unit in 1..=70 {
        ids.push(f.add(1, unit, DIMMER).await);
    }
    let (mut listed, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = f.domoticz.list(after.as_deref()).await.unwrap();
        assert!(page.things.len() <= DeviceTable::SHOWN);
        listed.extend(page.things.into_iter().map(|it| it.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(listed, ids);
    assert_eq!(pages, 2);
    let refused = f.domoticz.list(Some("x")).await;
    assert_eq!(refused, Err(ThingsError::Missing));
}

#[tokio::test]
async fn a_thing_has_its_name_its_hardware_and_its_values() {
    let f = fixture().await;
    f.add(1, 1, DIMMER).await;
    let page = f.domoticz.list(None).await.unwrap();
    let thing = &page.things[0];
    assert_eq!(
        (&*thing.name, &*thing.instance, &*thing.kind),
        ("device 1", "HW", "Light/Switch")
    );
    let names: Vec<_> = thing.values.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["on", "level", "number", "text"]);
    assert!(thing.changed.unwrap() > 0);
    assert_eq!(page.next, None);
}

#[tokio::test]
async fn a_wish_goes_to_the_plugin_as_a_command_of_the_api_does() {
    let f = fixture().await;
    let id = f.add(1, 1, DIMMER).await;
    f.operate(&id, Operation::Level(30.4)).await.unwrap();
    let told = f.listener.told.lock().unwrap().pop();
    let Some(HubEvent::Command { command, level, .. }) = told else {
        panic!("{told:?}");
    };
    assert_eq!((&*command, level), ("Set Level", Level::Whole(30)));
    let point = f.add(1, 2, (242, 1, 0)).await;
    f.operate(&point, Operation::Level(20.5)).await.unwrap();
    f.operate(&id, Operation::On).await.unwrap();
    assert_eq!(f.operate(&id, Operation::Off).await, Err(ThingsError::Busy));
}

#[tokio::test]
async fn whoever_may_only_look_operates_nothing() {
    let f = fixture().await;
    let id = f.add(1, 1, DIMMER).await;
    let refused = f.domoticz.operate(Rights::Viewer, &id, Operation::On).await;
    assert_eq!(refused, Err(ThingsError::Forbidden));
    assert!(f.listener.told.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_wish_that_cannot_be_is_refused_with_its_reason() {
    let f = fixture().await;
    let (dimmer, text) = (f.add(1, 1, DIMMER).await, f.add(1, 2, TEXT).await);
    let off = f.add(2, 3, DIMMER).await;
    for (id, operation, reason) in [
        (&*text, Operation::On, "no switch"),
        (&*dimmer, Operation::Level(101.0), "from 0 to 100"),
        (&*dimmer, Operation::Level(f64::NAN), "from 0 to 100"),
        (&*off, Operation::On, "not running"),
        ("999", Operation::On, "no such thing"),
        ("one", Operation::On, "no such thing"),
    ] {
        let refused = f.operate(id, operation).await.unwrap_err().to_string();
        assert!(refused.contains(reason), "{id} {operation:?}: {refused}");
    }
}

#[tokio::test]
async fn a_watcher_hears_of_changed_rows() {
    let f = fixture().await;
    let mut watch = f.domoticz.watch();
    let id = f.add(1, 1, DIMMER).await;
    let news = tokio::time::timeout(Duration::from_secs(5), watch.next());
    assert_eq!(news.await.unwrap(), Some(News::Changed(vec![id])));
}

#[tokio::test]
async fn a_text_has_its_readings_for_history() {
    let f = fixture().await;
    let id = f.add(1, 1, TEXT).await;
    let reading = Reading {
        s_value: Some("hello".to_owned()),
        ..Reading::default()
    };
    let number = id.parse().unwrap();
    f.domoticz.devices.read_in(number, reading).await.unwrap();
    let moments = f.domoticz.history(&id, 0, i64::MAX).await.unwrap();
    let last = moments.last().unwrap();
    assert!(
        last.values
            .contains(&("text".to_owned(), Value::Text("hello".to_owned())))
    );
    let before = f.domoticz.history(&id, 0, 1).await.unwrap();
    assert_eq!(before, []);
}

#[test]
fn no_family_has_more_names_than_columns() {
    for family in [
        Family::Temperature,
        Family::Rain,
        Family::Wind,
        Family::Current,
        Family::Counter,
        Family::Meter,
        Family::Uv,
    ] {
        let columns = columns(family);
        assert!(!columns.is_empty() && columns.len() <= history::FIGURES);
    }
}
