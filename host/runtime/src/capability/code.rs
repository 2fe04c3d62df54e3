//! `code`: compiled code, from the runtime before the plugin's first line.

use crate::abi::cordon::plugin::code;
use crate::instance::state::InstanceState;

impl code::Host for InstanceState {
    fn keep(&mut self, source_hash: String, compiled: Vec<u8>) {
        // Code that runs later is the plugin's: it must not be able to put anything under a hash
        // that another owner's instance will ask for.
        if let Some(compilation) = self.compilation.take() {
            compilation.keep(&source_hash, compiled);
        }
    }

    fn closed(&mut self) {
        self.compilation = None;
    }
}
