//! Resources of the machine itself that one life of an instance has open: processes, serial ports,
//! echo requests. All of them are closed when the life ends.

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
    /// The peers that the instance may reach.
    pub reach: Reach,
}

impl Ports {
    /// The ports of a new life: nothing is open yet.
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
