//! `log`: writes to the plugin's own log.

use crate::abi::cordon::plugin::log;
use crate::instance::state::InstanceState;
use cordon_base::log::Level;

impl log::Host for InstanceState {
    fn write(&mut self, level: log::Level, origin: log::Origin, text: String) {
        let level = match level {
            log::Level::Normal => Level::Normal,
            log::Level::Status => Level::Status,
            log::Level::Error => Level::Error,
            log::Level::Debug => Level::Debug,
        };
        let core = origin == log::Origin::Core;
        self.shared.log.plugin(core, level, &text);
    }
}
