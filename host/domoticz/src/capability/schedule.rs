//! `schedule`: the heartbeat.

use crate::abi::cordon::plugin::schedule;
use crate::state::State;
use cordon_runtime::instance::state::InstanceState;

impl schedule::Host for InstanceState {
    fn heartbeat(&mut self) -> wasmtime::Result<u32> {
        Ok(self.shared.of::<State>()?.heartbeat.seconds())
    }

    fn set_heartbeat(&mut self, seconds: u32) -> wasmtime::Result<()> {
        self.shared.of::<State>()?.heartbeat.set(seconds);
        Ok(())
    }
}
