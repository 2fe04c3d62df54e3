//! What one life of an instance has open on the machine itself: processes, serial
//! ports, echo requests. All of it ends with the life.

use std::sync::Arc;

use crate::icmp::Pinger;
use crate::instance::Spec;
use crate::instance::log::PluginLog;
use crate::process::Processes;
use crate::serial::SerialPorts;

/// See the module.
pub struct Ports {
    /// Programs that were started.
    pub processes: Processes,
    /// Serial ports that are open.
    pub serial: SerialPorts,
    /// Echo requests.
    pub pinger: Arc<Pinger>,
}

impl Ports {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(spec: &Spec, log: &PluginLog, pinger: Arc<Pinger>) -> Self {
        let limits = &spec.limits;
        Self {
            processes: Processes::new(Arc::clone(&spec.programs), limits, log.clone()),
            serial: SerialPorts::new(Arc::clone(&spec.serial), limits),
            pinger,
        }
    }
}
