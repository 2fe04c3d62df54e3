//! What one life of an instance has open on the machine itself: processes, serial
//! ports, echo requests. All of it ends with the life.

use std::sync::Arc;

use crate::connection::Reach;
use crate::instance::Spec;
use crate::process::Processes;
use crate::serial::SerialPorts;
use cordon_base::plugin_log::PluginLog;

/// See the module.
pub struct Ports {
    /// Programs that were started.
    pub processes: Processes,
    /// Serial ports that are open.
    pub serial: SerialPorts,
    /// Whom it may reach.
    pub reach: Reach,
}

impl Ports {
    /// Nothing is open yet.
    #[must_use]
    pub fn new(spec: &Spec, log: &PluginLog, reach: Reach) -> Self {
        let limits = &spec.limits;
        Self {
            processes: Processes::new(
                Arc::clone(&spec.programs),
                limits,
                log.clone(),
                reach.clone(),
            ),
            serial: SerialPorts::new(limits, reach.clone()),
            reach,
        }
    }
}
