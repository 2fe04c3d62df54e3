//! `schedule`: the heartbeat.

use crate::abi::cordon::plugin::schedule;
use crate::instance::state::InstanceState;

impl schedule::Host for InstanceState {
    fn heartbeat(&mut self) -> u32 {
        self.shared.heartbeat()
    }

    fn set_heartbeat(&mut self, seconds: u32) {
        self.shared.set_heartbeat(seconds);
    }
}
