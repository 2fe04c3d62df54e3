//! `notifier`: taking notifications.

use crate::abi::cordon::plugin::notifier;
use crate::instance::state::InstanceState;
use cordon_base::log::Level;

impl notifier::Host for InstanceState {
    fn register(&mut self, name: String) {
        let shared = &self.shared;
        let notifiers = shared.domoticz.house.notifiers();
        if !notifiers.register(shared.hardware, &name) {
            let text = "another hardware takes the notifications for this name; call \
                        Domoticz.Notifier with another one";
            shared.log.hub(Level::Error, text);
        }
    }
}
