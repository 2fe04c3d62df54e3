//! The running instances by their hardware, for whoever has something to tell them.
//!
//! Holds no instance alive: one whose handle is gone is not found any more.

use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::instance::orders::Order;
use crate::instance::remote::Remote;
use crate::platform::domoticz::{DeliverError, HardwareInfo, HubEvent, Plugins};
use cordon_base::account::Account;

/// The instances of a hub. Clones share them.
#[derive(Clone, Default)]
pub struct Switchboard {
    instances: Arc<RwLock<Vec<Weak<Remote>>>>,
}

/// The same without keeping the switchboard itself.
pub(super) struct WeakSwitchboard(Weak<RwLock<Vec<Weak<Remote>>>>);

impl WeakSwitchboard {
    pub(super) fn upgrade(&self) -> Option<Switchboard> {
        let instances = self.0.upgrade()?;
        Some(Switchboard { instances })
    }
}

impl Switchboard {
    pub(super) fn downgrade(&self) -> WeakSwitchboard {
        WeakSwitchboard(Arc::downgrade(&self.instances))
    }

    /// Tells all instances to stop, and waits for none.
    pub(crate) fn stop_all(&self) {
        for instance in self.all() {
            instance.orders.give(Order::Stop);
        }
    }

    /// Adds an instance; it leaves when its handle is dropped.
    pub(crate) fn add(&self, instance: &Arc<Remote>) {
        let mut instances = self
            .instances
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        instances.retain(|instance| instance.strong_count() > 0);
        instances.push(Arc::downgrade(instance));
    }

    /// The instance of this hardware: the last one, which took the place of a former one.
    fn find(&self, hardware: u32) -> Option<Arc<Remote>> {
        let mut instances = self.all().into_iter();
        instances.rfind(|instance| instance.spec.hardware == hardware)
    }

    /// The instances that there are, in the order in which they were added.
    pub(super) fn all(&self) -> Vec<Arc<Remote>> {
        let instances = self.instances.read();
        let instances = instances.unwrap_or_else(PoisonError::into_inner);
        instances.iter().filter_map(Weak::upgrade).collect()
    }
}

impl Plugins for Switchboard {
    fn deliver(&self, hardware: u32, event: HubEvent) -> Result<(), DeliverError> {
        let found = self.find(hardware);
        found.ok_or(DeliverError::NoSuchHardware)?.deliver(event)
    }

    fn account(&self, hardware: u32) -> Option<Arc<Account>> {
        let found = self.find(hardware);
        found.map(|instance| Arc::clone(&instance.spec.account))
    }

    fn hardware(&self) -> Vec<HardwareInfo> {
        let info = |instance: &Arc<Remote>| {
            let status = instance.counters.status();
            HardwareInfo {
                id: instance.spec.hardware,
                name: instance.spec.name.clone(),
                key: instance.spec.key.clone(),
                state: status.word().to_owned(),
                detail: status.reason().to_owned(),
            }
        };
        self.all().iter().map(info).collect()
    }
}
