//! `indigo`: the commands of an Indigo server.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::indigo::{self, Failure, FailureKind};
use crate::instance::state::InstanceState;

impl indigo::Host for InstanceState {
    fn reply(&mut self, _json: String) {}
}

impl indigo::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn call(
        _accessor: &Accessor<InstanceState, Self>,
        name: String,
        _arguments: String,
    ) -> Result<String, Failure> {
        Err(Failure {
            kind: FailureKind::Unsupported,
            message: format!("this server has no command '{name}'"),
        })
    }
}
