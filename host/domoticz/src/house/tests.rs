//! Tests of who is told of which event, on a real store with plugins that only listen.

use std::sync::Mutex;

use tempfile::TempDir;

use super::super::rule::Rule;
use super::super::{DeliverError, DeviceLimits, HardwareInfo, NewDevice, Reading};
use super::*;
use cordon_base::account::Account;

const PLENTY: DeviceLimits = DeviceLimits {
    devices: 1000,
    stored_bytes: 1 << 20,
    text: 64 << 10,
};

#[derive(Default)]
struct Listeners {
    told: Mutex<Vec<(u32, HubEvent)>>,
}

impl Plugins for Listeners {
    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError> {
        self.told.lock().unwrap().push((hardware, event));
        Ok(())
    }

    fn hardware(&self) -> Vec<HardwareInfo> {
        [1, 2]
            .map(|id| HardwareInfo {
                id,
                name: format!("HW{id}"),
                key: "K".to_owned(),
                state: "running".to_owned(),
                detail: String::new(),
            })
            .to_vec()
    }

    fn account(&self, _: u32) -> Option<Arc<Account>> {
        None
    }
}

struct Fixture {
    _folder: TempDir,
    devices: DeviceTable,
    listeners: Arc<Listeners>,
    house: House,
}

async fn fixture() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), &[crate::SCHEMA]).unwrap();
    for name in ["HW1", "HW2"] {
        store.hardware_for(name, "K").await.unwrap();
    }
    let devices = DeviceTable::new(store.clone());
    let listeners = Arc::<Listeners>::default();
    let plugins = Arc::<Listeners>::clone(&listeners);
    Fixture {
        _folder: folder,
        house: House::new(&store, devices.clone(), plugins),
        devices,
        listeners,
    }
}

impl Fixture {
    async fn add(&self, hardware: u32, unit: u32, main: i64, sub: i64) -> Device {
        let device = NewDevice {
            unit,
            name: format!("device {unit}"),
            device_type: main,
            sub_type: sub,
            used: 1,
            ..NewDevice::default()
        };
        self.devices.create(hardware, device, PLENTY).await.unwrap()
    }

    /// Stores a reading from outside and tells all who have to know. Returns the events they heard.
    async fn read_in(&self, id: i64, n_value: i64) -> Vec<(u32, HubEvent)> {
        let reading = Reading {
            n_value: Some(n_value),
            ..Reading::default()
        };
        let notice = self.devices.read_in(id, reading).await.unwrap();
        self.house.tell(notice).await;
        std::mem::take(&mut *self.listeners.told.lock().unwrap())
    }
}

#[tokio::test]
async fn rule_163_the_first_panel_of_each_plugin_hears_of_the_house() {
    let f = fixture().await;
    assert_eq!(f.house.security().await.unwrap(), Security::Disarmed);
    f.house.set_security(Security::ArmedHome).await.unwrap();
    assert!(
        f.listeners.told.lock().unwrap().is_empty(),
        "nobody has a panel"
    );
    f.add(1, 7, 32, 131).await;
    f.add(1, 8, 32, 131).await;
    f.add(2, 1, 32, 131).await;
    f.house.set_security(Security::ArmedHome).await.unwrap();
    f.house.set_security(Security::ArmedAway).await.unwrap();
    let told = std::mem::take(&mut *f.listeners.told.lock().unwrap());
    let away = |hardware, unit| HubEvent::Security {
        device_id: format!("{hardware:04X}{unit:04X}"),
        unit,
        status: Security::ArmedAway,
    };
    assert_eq!(told, [(1, away(1, 7)), (2, away(2, 1))]);
    assert_eq!(f.house.security().await.unwrap(), Security::ArmedAway);
}

#[tokio::test]
async fn no_reading_of_a_device_changes_the_status() {
    let f = fixture().await;
    let panel = f.add(1, 7, 32, 131).await;
    f.house.set_security(Security::ArmedAway).await.unwrap();
    for n_value in [11, 9, 13, 0] {
        // From a client, who would need the code, and from the plugin itself.
        f.read_in(panel.id, n_value).await;
        let before = Device {
            n_value: 99,
            used: 1,
            ..panel.clone()
        };
        let after = Device {
            n_value,
            ..before.clone()
        };
        f.house.changed(&before, &after).await;
        assert_eq!(f.house.security().await.unwrap(), Security::ArmedAway);
    }
}

#[tokio::test]
async fn rule_164_a_switch_that_goes_on_notifies_who_is_named() {
    let f = fixture().await;
    let lamp = f.add(1, 1, 244, 73).await;
    let rule = Rule {
        device: lamp.id,
        params: "S".to_owned(),
        systems: "Kodi".to_owned(),
        ..Rule::default()
    };
    f.house.rules().save(rule).await.unwrap();
    f.house.notifiers().register(2, "Kodi");
    f.house.notifiers().register(1, "Other");
    let told = f.read_in(lamp.id, 1).await;
    let Some((2, HubEvent::Notification(notification))) = told.get(1) else {
        unreachable!("{told:?}");
    };
    assert_eq!(notification.status, "On");
    assert_eq!(
        (notification.priority, notification.sound.as_str()),
        (0, "")
    );
    assert_eq!(notification.subject, notification.text);
    assert_eq!(f.read_in(lamp.id, 1).await.len(), 1, "it was on already");
    assert_eq!(f.read_in(lamp.id, 0).await.len(), 1);
    let message = Notification::message("s", "t", 2, "");
    assert_eq!(f.house.notify(&message, ""), 2);
}

#[tokio::test]
async fn a_busy_device_does_not_fill_the_inboxes_of_others() {
    let f = fixture().await;
    let lamp = f.add(1, 1, 244, 73).await;
    let rule = Rule {
        device: lamp.id,
        params: "S".to_owned(),
        send_always: true,
        ..Rule::default()
    };
    f.house.rules().save(rule).await.unwrap();
    f.house.notifiers().register(2, "Kodi");
    let mut notified = 0;
    for _ in 0..30 {
        let told = f.read_in(lamp.id, 1).await;
        notified += told.iter().filter(|(hardware, _)| *hardware == 2).count();
    }
    assert_eq!(notified, 10);
}

#[tokio::test]
async fn rule_020_new_preferences_reach_every_plugin() {
    let f = fixture().await;
    let changed = [("Language".to_owned(), "nl".to_owned(), 0)];
    f.house.set_preferences(&changed).await.unwrap();
    let told = f.listeners.told.lock().unwrap();
    let hardware: Vec<_> = told.iter().map(|(hardware, _)| *hardware).collect();
    assert_eq!(hardware, [1, 2]);
    let HubEvent::Settings(settings) = &told[0].1 else {
        unreachable!("{told:?}");
    };
    assert!(settings.contains(&("Language".to_owned(), "nl".to_owned())));
}
