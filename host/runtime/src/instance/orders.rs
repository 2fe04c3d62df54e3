//! Orders to an instance that must not wait behind its inbox.
//!
//! There is one place for an order, so nothing piles up however often somebody asks. The latest
//! order counts, except that nothing takes back an order to stop.

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
    /// The order that a life is ending for.
    obeyed: watch::Sender<Option<Order>>,
}

impl Orders {
    /// Gives an order. It takes the place of an order that was not taken yet.
    pub fn give(&self, order: Order) {
        let mut latest = self.latest();
        if *latest != Some(Order::Stop) {
            *latest = Some(order);
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

    /// Notes that a life begins.
    pub(super) fn begin(&self) {
        self.obeyed.send_replace(None);
    }

    /// Notes that the life ends because of this order.
    pub(super) fn obey(&self, order: Order) {
        self.obeyed.send_replace(Some(order));
    }

    /// Waits until a life ends because of an order.
    pub(super) async fn obeyed(&self) -> Order {
        let mut obeyed = self.obeyed.subscribe();
        let order = obeyed.wait_for(Option::is_some).await.ok();
        // The sender lives as long as `self`, so there is always an order.
        order.and_then(|order| *order).unwrap_or(Order::Stop)
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
}
