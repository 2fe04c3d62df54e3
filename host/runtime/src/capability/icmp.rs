//! `icmp`: echo requests.

use std::time::Duration;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::icmp::{self as abi, EchoError, Reply};
use crate::instance::state::InstanceState;
use cordon_base::log::Level;
use cordon_reach::icmp::{self, Request};
use cordon_reach::names::NAME_BYTES;

impl abi::Host for InstanceState {}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn echo(
        accessor: &Accessor<InstanceState, Self>,
        host: String,
        timeout_ms: u32,
        size: u32,
        ttl: Option<u8>,
    ) -> Result<Reply, EchoError> {
        let shared = accessor.with(|mut access| access.get().shared.clone());
        // The name is held until the answer comes, and no host has so long a name.
        if host.len() > NAME_BYTES {
            return Err(EchoError::NoSuchHost);
        }
        let request = Request {
            host,
            timeout: Duration::from_millis(u64::from(timeout_ms)),
            size: usize::try_from(size).unwrap_or(usize::MAX),
            ttl,
        };
        let answered = shared.ports.reach.pinger.echo(&request).await;
        let reply = answered.map_err(|error| match error {
            icmp::EchoError::Denied(denied) => {
                let text = denied.to_string();
                shared.log.plugin(true, Level::Error, &text);
                EchoError::Denied(text)
            }
            icmp::EchoError::Limit(hit) => {
                shared.log.limit(&hit);
                EchoError::TooMany
            }
            icmp::EchoError::NoSuchHost => EchoError::NoSuchHost,
            icmp::EchoError::TimedOut => EchoError::TimedOut,
            icmp::EchoError::Unavailable(text) => EchoError::Unavailable(text),
            icmp::EchoError::Failed(error) => EchoError::Failed(error.raw_os_error().unwrap_or(5)),
        })?;
        Ok(Reply {
            address: reply.address.to_string(),
            round_trip_ns: u64::try_from(reply.round_trip.as_nanos()).unwrap_or(u64::MAX),
            size: u32::try_from(reply.size).unwrap_or(u32::MAX),
        })
    }
}
