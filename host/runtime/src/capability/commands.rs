//! `commands`: the commands of the server of the instance's framework.
//!
//! The commands are the framework's; this module converts and reports limits.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::commands as abi;
use crate::instance::state::InstanceState;

impl abi::Host for InstanceState {
    fn reply(&mut self, json: String) {
        // The reply before this one is given back first.
        self.reply = None;
        let bytes = u64::try_from(json.len()).unwrap_or(u64::MAX);
        match self.shared.account.charge(bytes) {
            Ok(charge) => self.reply = Some((json, charge)),
            Err(hit) => self.shared.log.limit(&hit),
        }
    }
}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn call(
        accessor: &Accessor<InstanceState, Self>,
        name: String,
        arguments: String,
    ) -> Result<String, abi::Failure> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        let done = shared.framework.command(&shared, name, arguments).await;
        done.map_err(|failure| {
            let mut message = failure.message;
            if let Some(hit) = &failure.limit {
                shared.log.limit(hit);
                message = message.replace(&hit.to_string(), &shared.log.origin().limit(hit));
            }
            abi::Failure {
                kind: failure.kind,
                message,
            }
        })
    }
}
