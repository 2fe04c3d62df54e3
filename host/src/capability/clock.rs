//! `clock`: sleeping.

use std::time::Duration;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::clock;
use crate::instance::state::InstanceState;

impl clock::Host for InstanceState {}

impl clock::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn sleep(_: &Accessor<InstanceState, Self>, duration_ns: u64) {
        if duration_ns == 0 {
            tokio::task::yield_now().await;
        } else {
            tokio::time::sleep(Duration::from_nanos(duration_ns)).await;
        }
    }
}
