//! `commands`: the commands of an Indigo server, and the announcements of a Domoticz plugin.
//!
//! The rules are the platform's; this module converts and reports limits.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::commands as abi;
use crate::instance::state::{InstanceState, Shared};
use cordon_domoticz::announcement::{Announcer, Refusal};
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
            return announce(&shared, &name, &arguments);
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

fn announce(shared: &Shared, name: &str, arguments: &str) -> Result<String, abi::Failure> {
    let by = Announcer {
        hardware: shared.hardware,
        key: &shared.domoticz.key,
        account: &shared.account,
        timers: shared.limits.timers,
    };
    let announced = shared.domoticz.house.announce(&by, name, arguments);
    announced.map_err(|refusal| {
        let kind = match &refusal {
            Refusal::Unknown(_) => abi::FailureKind::Unsupported,
            Refusal::Invalid(_) => abi::FailureKind::Value,
            Refusal::Limit(hit) => {
                shared.log.limit(hit);
                abi::FailureKind::Limit
            }
        };
        let message = refusal.to_string();
        abi::Failure { kind, message }
    })
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
