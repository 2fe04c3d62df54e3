//! `clock`: sleeping.

use std::time::Duration;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::clock;
use crate::instance::state::InstanceState;

impl clock::Host for InstanceState {
    fn cpu_time(&mut self) -> u64 {
        let used = self.meter.used_now();
        u64::try_from(used.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl clock::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn sleep(accessor: &Accessor<InstanceState, Self>, duration_ns: u64) {
        if duration_ns == 0 {
            accessor.with(|mut access| access.get().meter.ring());
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_nanos(duration_ns)).await;
        }
    }
}
