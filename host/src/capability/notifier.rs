//! `notifier`: taking notifications.

use crate::abi::cordon::plugin::notifier;
use crate::instance::state::InstanceState;

/// Longest name in bytes; names are shown in lists.
const MAX_NAME: usize = 100;

impl notifier::Host for InstanceState {
    fn register(&mut self, name: String) {
        let end = name.floor_char_boundary(MAX_NAME.min(name.len()));
        let name = name.get(..end).unwrap_or_default();
        let shared = &self.shared;
        shared
            .domoticz
            .house
            .notifiers()
            .register(shared.hardware, name);
    }
}
