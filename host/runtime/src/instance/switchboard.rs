//! The running instances by their hardware, for whoever has something to tell them.
//!
//! Holds no instance alive: an instance whose handle is gone is not found any more.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, Weak};

use crate::instance::orders::Order;
use crate::instance::remote::Remote;

/// The instances of a hub. Clones share them.
#[derive(Clone, Default)]
pub struct Switchboard {
    instances: Arc<RwLock<Register<Remote>>>,
}

/// The instances of a hub, for a holder that does not keep the switchboard itself alive.
pub(super) struct WeakSwitchboard(Weak<RwLock<Register<Remote>>>);

/// Handles in the order in which they came, and the latest of each number. An event for one of ten
/// thousand instances touches that one alone.
struct Register<T> {
    in_order: Vec<Weak<T>>,
    latest: HashMap<u32, Weak<T>>,
    /// Length of `in_order` at which the dropped ones are taken out.
    full: usize,
}

/// Shortest list of handles from which dropped ones are taken out.
const FEW: usize = 64;

impl<T> Default for Register<T> {
    fn default() -> Self {
        Self {
            in_order: Vec::new(),
            latest: HashMap::new(),
            full: FEW,
        }
    }
}

impl<T> Register<T> {
    /// Takes the place of a former handle with this number, which may still be ending. The
    /// dropped ones go when half of the list may be of them, so that an entry costs the same
    /// however many there are.
    fn add(&mut self, number: u32, handle: &Arc<T>) {
        if self.in_order.len() >= self.full {
            self.in_order.retain(|handle| handle.strong_count() > 0);
            self.latest.retain(|_, handle| handle.strong_count() > 0);
            self.full = self.in_order.len().saturating_mul(2).max(FEW);
        }
        self.in_order.push(Arc::downgrade(handle));
        self.latest.insert(number, Arc::downgrade(handle));
    }

    fn find(&self, number: u32) -> Option<Arc<T>> {
        self.latest.get(&number)?.upgrade()
    }

    fn all(&self) -> Vec<Arc<T>> {
        self.in_order.iter().filter_map(Weak::upgrade).collect()
    }
}

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
    pub fn stop_all(&self) {
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
        instances.add(instance.spec.hardware, instance);
    }

    /// The instance of this hardware: the last one, which took the place of a former one.
    #[must_use]
    pub fn find(&self, hardware: u32) -> Option<Arc<Remote>> {
        let instances = self.instances.read();
        let instances = instances.unwrap_or_else(PoisonError::into_inner);
        instances.find(hardware)
    }

    /// The instances that there are, in the order in which they were added.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Remote>> {
        let instances = self.instances.read();
        let instances = instances.unwrap_or_else(PoisonError::into_inner);
        instances.all()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_new_handle_takes_the_place_of_a_former_one_that_still_ends() {
        let mut register = Register::default();
        let (former, new) = (Arc::new("former"), Arc::new("new"));
        register.add(7, &former);
        register.add(7, &new);
        assert_eq!(register.find(7).as_deref(), Some(&"new"));
        assert_eq!(register.all(), [former, Arc::clone(&new)]);
        drop(new);
        assert_eq!(register.find(7), None);
        assert_eq!(register.find(8), None);
    }

    #[test]
    fn handles_that_were_dropped_take_no_room_for_good() {
        let mut register = Register::default();
        let stays = Arc::new(0);
        register.add(0, &stays);
        for number in 1..10_000 {
            register.add(number, &Arc::new(number));
        }
        assert!(
            register.in_order.len() <= FEW,
            "{}",
            register.in_order.len()
        );
        assert!(register.latest.len() <= FEW, "{}", register.latest.len());
        assert_eq!(register.all(), [stays]);
    }
}
