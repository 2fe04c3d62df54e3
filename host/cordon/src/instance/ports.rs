//! What one life of an instance has open on the machine itself: processes, serial
//! ports, echo requests. All of it ends with the life.

use std::sync::Arc;

use crate::instance::Spec;
use cordon_base::plugin_log::PluginLog;
use cordon_reach::Reach;
use cordon_reach::process::Processes;
use cordon_reach::serial::SerialPorts;

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
