//! Serial ports for plugins.
//!
//! [`SerialPolicy`] says which ports an instance has, [`Port`] is an open one, and
//! [`SerialPorts`] owns those that one instance has opened by itself. A connection
//! of the framework that speaks over a serial port needs the first two only.

pub mod list;
pub mod policy;
pub mod port;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::Reach;
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;

pub use list::PortInfo;
pub use policy::SerialPolicy;
pub use port::close_apart;
pub use port::{Flow, Parity, Port, PortError, Settings};

/// The ports that one instance has opened.
pub struct SerialPorts {
    reach: Reach,
    limit: u64,
    open: Mutex<Open>,
}

#[derive(Default)]
struct Open {
    last: u32,
    /// Being opened: they count as well.
    opening: u64,
    by_number: HashMap<u32, Arc<Port>>,
}

/// Why a port was not opened.
#[derive(Debug)]
pub enum OpenRefusal {
    /// The port's or the system's reason.
    Port(PortError),
    /// The limit `serial-ports` or `descriptors`.
    Limit(LimitHit),
}

impl SerialPorts {
    /// No open ports yet.
    #[must_use]
    pub fn new(limits: &Limits, reach: Reach) -> Self {
        Self {
            reach,
            limit: limits.serial_ports,
            open: Mutex::default(),
        }
    }

    /// Ports that the instance may open and that exist.
    #[must_use]
    pub fn list(&self) -> Vec<PortInfo> {
        list::existing(&self.reach.serial)
    }

    /// Opens a port; returns its number.
    ///
    /// # Errors
    ///
    /// [`OpenRefusal`].
    pub async fn open(
        &self,
        path: &str,
        settings: Settings,
        exclusive: bool,
    ) -> Result<u32, OpenRefusal> {
        let _opening = self.count().map_err(OpenRefusal::Limit)?;
        let descriptor = self.reach.descriptors.take(1);
        let descriptor = descriptor.map_err(OpenRefusal::Limit)?;
        let port = Port::open(&self.reach, path, settings, exclusive).await;
        let port = port.map_err(OpenRefusal::Port)?;
        let mut open = self.lock();
        open.last = open.last.saturating_add(1);
        let number = open.last;
        open.by_number
            .insert(number, Arc::new(port.holding(descriptor)));
        Ok(number)
    }

    fn count(&self) -> Result<Opening<'_>, LimitHit> {
        let mut open = self.lock();
        let held = u64::try_from(open.by_number.len()).unwrap_or(u64::MAX);
        let wanted = held.saturating_add(open.opening).saturating_add(1);
        if wanted > self.limit {
            return Err(Limits::hit("serial-ports", wanted, self.limit));
        }
        open.opening = open.opening.saturating_add(1);
        Ok(Opening(self))
    }

    /// An open port.
    ///
    /// # Errors
    ///
    /// [`PortError::Closed`].
    pub fn get(&self, number: u32) -> Result<Arc<Port>, PortError> {
        let port = self.lock().by_number.get(&number).cloned();
        port.ok_or(PortError::Closed)
    }

    /// Closes a port; whoever waits for it is told.
    pub fn close(&self, number: u32) {
        let port = self.lock().by_number.remove(&number);
        if let Some(port) = port {
            port.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A port on its way to being open; given back even when nobody waits any more.
struct Opening<'a>(&'a SerialPorts);

impl Drop for Opening<'_> {
    fn drop(&mut self) {
        let mut open = self.0.lock();
        open.opening = open.opening.saturating_sub(1);
    }
}

impl Drop for SerialPorts {
    fn drop(&mut self) {
        for port in self.lock().by_number.values() {
            port.close();
        }
    }
}
