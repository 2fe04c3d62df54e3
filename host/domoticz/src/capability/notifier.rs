//! `notifier`: makes the plugin a target of notifications.

use crate::abi::cordon::plugin::notifier;
use crate::state::State;
use cordon_base::log::Level;
use cordon_runtime::instance::state::InstanceState;

impl notifier::Host for InstanceState {
    fn register(&mut self, name: String) -> wasmtime::Result<()> {
        let shared = &self.shared;
        let state = shared.of::<State>()?;
        if !state.house.notifiers().register(shared.hardware, &name) {
            let text = "another hardware takes the notifications for this name; call \
                        Domoticz.Notifier with another one";
            shared.log.hub(Level::Error, text);
        }
        Ok(())
    }
}
