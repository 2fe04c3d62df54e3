//! Orders to an instance that must not wait behind its inbox.
//!
//! There is one place for an order, so nothing piles up however often somebody asks. The latest
//! order counts, except that nothing takes back an order to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

/// The one who asks for a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// The operator: the plugin restarts at once, whatever happened before.
    Operator,
    /// The plugin itself: it waits like one that failed.
    Itself,
    /// Another plugin.
    Other,
}

/// An order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Stop, and start again.
    Restart(Asked),
    /// Stop, and wait to be started again.
    Halt,
    /// Stop for good.
    Stop,
}

/// The orders of one instance, which its supervisor alone takes.
#[derive(Debug, Default)]
pub struct Orders {
    latest: Mutex<Option<Order>>,
    given: Notify,
    /// Whether the operator has stopped the instance: nobody else starts it.
    held: AtomicBool,
    /// The order that a life is ending for, or that the operator waits for.
    due: watch::Sender<Option<Order>>,
}

impl Orders {
    /// Stops the instance on behalf of the operator. It waits until the operator has it started.
    pub(super) fn hold(&self) {
        self.held.store(true, Ordering::Relaxed);
        self.give(Order::Halt);
    }

    /// Gives an order. It takes the place of an order that was not taken yet. A restart that
    /// somebody else asks for is none while the operator has the instance stopped.
    pub fn give(&self, order: Order) {
        let mut latest = self.latest();
        match order {
            Order::Restart(Asked::Operator) => self.held.store(false, Ordering::Relaxed),
            Order::Restart(_) if self.held.load(Ordering::Relaxed) => return,
            _ => {}
        }
        if *latest != Some(Order::Stop) {
            *latest = Some(order);
            // A life that is in the middle of a callback has its time for the end from now on.
            if self.is_urgent(order) {
                self.due.send_replace(Some(order));
            }
        }
        drop(latest);
        self.given.notify_one();
    }

    /// The order that was given, if there is one. An order to stop stays.
    #[must_use]
    pub fn take(&self) -> Option<Order> {
        let mut latest = self.latest();
        match *latest {
            Some(Order::Stop) => Some(Order::Stop),
            _ => latest.take(),
        }
    }

    /// Waits for an order.
    pub async fn next(&self) -> Order {
        loop {
            if let Some(order) = self.take() {
                return order;
            }
            self.given.notified().await;
        }
    }

    /// Notes that a life begins. An order that was given before counts for it as well.
    pub(super) fn begin(&self) {
        let latest = self.latest();
        let urgent = latest.filter(|order| self.is_urgent(*order));
        self.due.send_replace(urgent);
    }

    /// Whether the operator waits for what this order is about.
    pub(super) fn is_urgent(&self, order: Order) -> bool {
        match order {
            Order::Restart(Asked::Operator) => true,
            Order::Halt => self.held.load(Ordering::Relaxed),
            Order::Restart(_) | Order::Stop => false,
        }
    }

    /// Notes that the life ends because of this order.
    pub(super) fn obey(&self, order: Order) {
        self.due.send_replace(Some(order));
    }

    /// Waits until a life is to end because of an order.
    pub(super) async fn due(&self) -> Order {
        let mut due = self.due.subscribe();
        let order = due.wait_for(Option::is_some).await.ok();
        // The sender lives as long as `self`, so there is always an order.
        order.and_then(|order| *order).unwrap_or(Order::Stop)
    }

    /// Takes an order that a life did not take, because it was ended where it was.
    pub(super) fn settle(&self, obeyed: Order) -> Order {
        self.take().unwrap_or(obeyed)
    }

    fn latest(&self) -> MutexGuard<'_, Option<Order>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latest_order_counts_and_a_stop_stays() {
        let orders = Orders::default();
        orders.give(Order::Halt);
        orders.give(Order::Restart(Asked::Operator));
        assert_eq!(orders.next().await, Order::Restart(Asked::Operator));
        assert_eq!(orders.take(), None);
        orders.give(Order::Stop);
        orders.give(Order::Restart(Asked::Other));
        assert_eq!(orders.next().await, Order::Stop);
        assert_eq!(orders.next().await, Order::Stop);
    }

    #[test]
    fn nobody_but_the_operator_starts_what_the_operator_has_stopped() {
        let orders = Orders::default();
        orders.hold();
        orders.give(Order::Restart(Asked::Other));
        orders.give(Order::Restart(Asked::Itself));
        assert_eq!(orders.take(), Some(Order::Halt));
        orders.give(Order::Restart(Asked::Operator));
        orders.give(Order::Restart(Asked::Other));
        assert_eq!(orders.take(), Some(Order::Restart(Asked::Other)));
    }

    #[tokio::test]
    async fn an_order_of_the_operator_is_due_at_once_and_others_when_they_are_obeyed() {
        let orders = Orders::default();
        let soon = std::time::Duration::from_millis(20);
        orders.begin();
        orders.give(Order::Restart(Asked::Itself));
        assert!(tokio::time::timeout(soon, orders.due()).await.is_err());
        orders.obey(Order::Restart(Asked::Itself));
        assert_eq!(orders.due().await, Order::Restart(Asked::Itself));
        // A plugin that stops itself in a callback has its time after the callback.
        orders.begin();
        orders.give(Order::Halt);
        assert!(tokio::time::timeout(soon, orders.due()).await.is_err());
        orders.hold();
        orders.begin();
        assert_eq!(orders.due().await, Order::Halt);
        assert_eq!(orders.settle(Order::Stop), Order::Halt);
        orders.begin();
        assert!(tokio::time::timeout(soon, orders.due()).await.is_err());
    }
}
