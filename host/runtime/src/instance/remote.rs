//! The side of an instance that others see and send to.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::sync::mpsc;

use crate::framework::Event;
use crate::instance::Spec;
use crate::instance::counters::{Counters, Status};
use crate::instance::meter::Meter;
use crate::instance::orders::{Order, Orders};
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;

/// A running actor as others see it. Cheap to clone.
#[derive(Clone)]
pub struct Remote {
    /// The parts that the instance was made from.
    pub spec: Arc<Spec>,
    /// Figures of the instance.
    pub counters: Arc<Counters>,
    pub(super) inbox: mpsc::Sender<Event>,
    /// Orders, which do not wait behind the events.
    pub(super) orders: Arc<Orders>,
    pub(super) meter: Arc<Meter>,
}

/// Why an event did not reach a plugin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QueueError {
    /// The instance is stopped, parked, or waits for its restart.
    #[error("the plugin is not running")]
    NotRunning,
    /// The instance is behind: its `inbox` limit is used up.
    #[error("the plugin is busy and its inbox is full")]
    Full,
}

impl Remote {
    /// Whether events are taken: the instance runs, or is being started and gets them afterwards.
    #[must_use]
    pub fn accepts(&self) -> bool {
        matches!(self.counters.status(), Status::Starting | Status::Running)
    }

    /// Computing time of all lives.
    #[must_use]
    pub fn computed(&self) -> std::time::Duration {
        self.meter.used()
    }

    /// The component's memory now, in bytes; 0 when no life is on.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.meter.memory()
    }

    /// How many events there is room for.
    #[must_use]
    pub fn room(&self) -> u64 {
        u64::try_from(self.inbox.capacity()).unwrap_or(u64::MAX)
    }

    /// Queues an event for the plugin. The framework has charged for it, and gives the charge
    /// along in the event.
    ///
    /// # Errors
    ///
    /// [`QueueError`]; the event is lost then.
    pub fn queue(&self, event: Event) -> Result<(), QueueError> {
        if !self.accepts() {
            return Err(QueueError::NotRunning);
        }
        self.inbox.try_send(event).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                let limit = self.spec.limits.inbox;
                self.refuse(&Limits::hit("inbox", limit.saturating_add(1), limit));
                QueueError::Full
            }
            mpsc::error::TrySendError::Closed(_) => QueueError::NotRunning,
        })
    }

    /// Counts an event that is refused because of this limit, and tells of it in the plugin's log.
    pub fn refuse(&self, hit: &LimitHit) {
        self.counters.refused.fetch_add(1, Ordering::Relaxed);
        self.spec.log.limit(hit);
    }

    /// Stops the instance on behalf of the operator: it waits until the operator has it started.
    pub fn hold(&self) {
        self.orders.hold();
    }

    /// Gives an order, which does not wait behind the events.
    pub fn order(&self, order: Order) {
        self.orders.give(order);
    }
}
