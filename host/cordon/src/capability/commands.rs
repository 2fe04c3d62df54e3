//! `commands`: the commands of an Indigo server.
//!
//! The rules are the platform's; this module converts and reports limits.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::commands as abi;
use crate::instance::state::InstanceState;
use cordon_indigo::{Failure, FailureKind};

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
        let Some(link) = &shared.indigo else {
            return Err(abi::Failure {
                kind: abi::FailureKind::Unsupported,
                message: "only an Indigo plugin has a server".to_owned(),
            });
        };
        let done = link.server.command_of(&link.plugin, name, arguments).await;
        done.map_err(|failure| {
            if let Some(hit) = &failure.limit {
                shared.log.limit(hit);
            }
            failure.into()
        })
    }
}

impl From<Failure> for abi::Failure {
    fn from(failure: Failure) -> Self {
        let kind = match failure.kind {
            FailureKind::Value => abi::FailureKind::Value,
            FailureKind::Key => abi::FailureKind::Key,
            FailureKind::Index => abi::FailureKind::Index,
            FailureKind::Plugin => abi::FailureKind::Plugin,
            FailureKind::Type => abi::FailureKind::Type,
            FailureKind::Timeout => abi::FailureKind::Timeout,
            FailureKind::Unsupported => abi::FailureKind::Unsupported,
            FailureKind::Limit => abi::FailureKind::Limit,
            FailureKind::Busy | FailureKind::Other => abi::FailureKind::Other,
        };
        Self {
            kind,
            message: failure.message,
        }
    }
}
