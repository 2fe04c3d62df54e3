//! The side of an instance that others see and send to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::mpsc;

use crate::instance::Spec;
use crate::instance::counters::{Counters, Status};
use crate::instance::meter::Meter;
use crate::instance::orders::{Order, Orders};
use crate::instance::run::Command;
use cordon_base::limits::Limits;
use cordon_base::plugin_log::PluginLog;
use cordon_domoticz::{DeliverError, HubEvent};
use cordon_indigo::plugin::{Asked, Waiting};
use cordon_indigo::{Call, CallError, Port};

/// A running actor as others see it. Cheap to clone.
#[derive(Clone)]
pub struct Remote {
    /// The parts that the instance was made from.
    pub spec: Arc<Spec>,
    /// Figures of the instance.
    pub counters: Arc<Counters>,
    pub(super) log: PluginLog,
    pub(super) commands: mpsc::Sender<Command>,
    /// Orders, which do not wait behind the commands.
    pub(super) orders: Arc<Orders>,
    pub(super) meter: Arc<Meter>,
    /// Bytes of the calls that wait.
    pub(super) waiting: Arc<AtomicU64>,
}

impl Remote {
    /// Queues an event for the plugin; one that is being started gets it afterwards.
    ///
    /// # Errors
    ///
    /// [`DeliverError`] when the plugin is not running or its inbox is full.
    pub fn deliver(&self, event: HubEvent) -> Result<(), DeliverError> {
        if !matches!(self.counters.status(), Status::Starting | Status::Running) {
            return Err(DeliverError::NotRunning);
        }
        let charge = self.spec.account.charge(event.size()).map_err(|hit| {
            self.counters.refused.fetch_add(1, Ordering::Relaxed);
            self.log.limit(&hit);
            DeliverError::InboxFull
        })?;
        self.commands
            .try_send(Command::Deliver(event, charge))
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => {
                    self.counters.refused.fetch_add(1, Ordering::Relaxed);
                    let limit = self.spec.limits.inbox;
                    self.log
                        .limit(&Limits::hit("inbox", limit.saturating_add(1), limit));
                    DeliverError::InboxFull
                }
                mpsc::error::TrySendError::Closed(_) => DeliverError::NotRunning,
            })
    }
}

impl Port for Remote {
    /// Bytes are counted here, because one change goes to many plugins and each may be
    /// slow.
    fn queue(&self, mut call: Call) -> Result<(), CallError> {
        let plugin = || self.spec.key.clone();
        if !matches!(self.counters.status(), Status::Running | Status::Starting) {
            return Err(CallError::NotRunning(plugin()));
        }
        let bytes = u64::try_from(call.arguments.len()).unwrap_or(u64::MAX);
        let limit = self.spec.limits.inbox_bytes;
        match Waiting::take(&self.waiting, bytes, limit) {
            Ok(waiting) => call.waiting = Some(waiting),
            Err(used) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                self.log.limit(&Limits::hit("inbox-bytes", used, limit));
                return Err(CallError::Busy(plugin()));
            }
        }
        match self.spec.account.charge(bytes) {
            Ok(charge) => call.charge = Some(charge),
            Err(hit) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                self.log.limit(&hit);
                return Err(CallError::Busy(plugin()));
            }
        }
        let sent = self.commands.try_send(Command::Call(call));
        sent.map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                self.counters.refused.fetch_add(1, Ordering::Relaxed);
                let limit = self.spec.limits.inbox;
                let hit = Limits::hit("inbox", limit.saturating_add(1), limit);
                self.log.limit(&hit);
                CallError::Busy(plugin())
            }
            mpsc::error::TrySendError::Closed(_) => CallError::NotRunning(plugin()),
        })
    }

    fn room(&self) -> u64 {
        match self.counters.status() {
            Status::Running | Status::Starting => {
                u64::try_from(self.commands.capacity()).unwrap_or(u64::MAX)
            }
            _ => u64::MAX,
        }
    }

    fn running(&self) -> bool {
        self.counters.status() == Status::Running
    }

    fn restart(&self, asked: Asked) {
        self.orders.give(Order::Restart(asked));
    }

    fn halt(&self) {
        self.orders.give(Order::Halt);
    }

    fn status(&self) -> (String, String) {
        let status = self.counters.status();
        (status.word().to_owned(), status.reason().to_owned())
    }
}
