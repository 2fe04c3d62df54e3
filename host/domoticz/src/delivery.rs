//! Events on their way to a running plugin.

use std::sync::Arc;

use crate::event::{DeliverError, HardwareInfo, HubEvent, Plugins};
use cordon_base::account::{Account, Charge};
use cordon_runtime::instance::remote::{QueueError, Remote};
use cordon_runtime::instance::switchboard::Switchboard;

/// An event in an inbox; the charge for it is held until the plugin has it.
pub(crate) struct Delivery {
    pub(crate) event: HubEvent,
    pub(crate) charge: Charge,
}

/// Sends events to a plugin.
pub trait Deliver {
    /// Queues an event for the plugin; one that is being started gets it afterwards.
    ///
    /// # Errors
    ///
    /// [`DeliverError`] when the plugin is not running or its inbox is full.
    fn deliver(&self, event: HubEvent) -> Result<(), DeliverError>;
}

impl Deliver for Remote {
    fn deliver(&self, event: HubEvent) -> Result<(), DeliverError> {
        if !self.accepts() {
            return Err(DeliverError::NotRunning);
        }
        let charge = self.spec.account.charge(event.size()).map_err(|hit| {
            self.refuse(&hit);
            DeliverError::InboxFull
        })?;
        self.queue(Box::new(Delivery { event, charge }))
            .map_err(|error| match error {
                QueueError::NotRunning => DeliverError::NotRunning,
                QueueError::Full => DeliverError::InboxFull,
            })
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
