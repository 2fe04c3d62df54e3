//! `threads`: Python threads as tasks of the component.

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::threads::{self, SpawnError};
use crate::instance::state::InstanceState;
use crate::instance::threads::SpawnRefusal;

impl threads::Host for InstanceState {
    fn spawn(&mut self, id: u32) -> Result<(), SpawnError> {
        self.shared
            .threads
            .spawn(id)
            .map_err(|refusal| match refusal {
                SpawnRefusal::Stopping => SpawnError::Stopping,
                SpawnRefusal::NoStack => {
                    self.shared.log.out_of_stacks();
                    SpawnError::TooMany
                }
                SpawnRefusal::Limit(hit) => {
                    self.shared.log.limit(&hit);
                    SpawnError::TooMany
                }
            })
    }

    fn unpark(&mut self, id: u32) {
        self.shared.threads.unpark(id);
    }
}

impl threads::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn park(
        accessor: &Accessor<InstanceState, Self>,
        id: u32,
        timeout_ns: Option<u64>,
    ) -> bool {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        shared.threads.park(id, timeout_ns).await
    }

    async fn yield_now(accessor: &Accessor<InstanceState, Self>) {
        accessor.with(|mut access| access.get().meter.ring());
        tokio::task::yield_now().await;
    }
}
