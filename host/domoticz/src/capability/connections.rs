//! `connections`: queues requests, which the instance's loop carries out.

use crate::abi::cordon::plugin::connections as abi;
use crate::connection::{Endpoint, Request};
use crate::requests::Refused;
use crate::state::State;
use cordon_runtime::instance::state::{InstanceState, Shared};

/// An error of the inner kind is the plugin's, of the outer kind ours.
type Answer = wasmtime::Result<Result<(), abi::Refusal>>;

fn queue(shared: &Shared, request: Request) -> Answer {
    let queued = shared.of::<State>()?.requests.queue(request);
    Ok(queued.map_err(|refused| match refused {
        Refused::Stopping => abi::Refusal::Stopping,
        Refused::InboxFull => abi::Refusal::InboxFull,
        Refused::TooLarge => abi::Refusal::TooLarge,
    }))
}

impl abi::Host for InstanceState {
    fn connect(
        &mut self,
        id: abi::ConnectionId,
        endpoint: abi::Endpoint,
        timeout_ms: u32,
    ) -> Answer {
        let endpoint = endpoint.into();
        let request = Request::Connect {
            id,
            endpoint,
            timeout_ms,
        };
        queue(&self.shared, request)
    }

    fn listen(&mut self, id: abi::ConnectionId, endpoint: abi::Endpoint) -> Answer {
        let endpoint = endpoint.into();
        queue(&self.shared, Request::Listen { id, endpoint })
    }

    fn send(
        &mut self,
        id: abi::ConnectionId,
        endpoint: abi::Endpoint,
        message: abi::Outbound,
        delay_seconds: u32,
    ) -> Answer {
        let request = Request::Send {
            id,
            endpoint: endpoint.into(),
            message: message.into(),
            delay_seconds,
        };
        queue(&self.shared, request)
    }

    fn disconnect(&mut self, id: abi::ConnectionId) -> Answer {
        queue(&self.shared, Request::Disconnect { id })
    }

    fn release(&mut self, id: abi::ConnectionId) -> wasmtime::Result<()> {
        let state = self.shared.of::<State>()?;
        // Only for a connection that has a transport or may still get one: a plugin that makes and
        // drops Connection objects in a loop queues nothing.
        if state.connections.status(id).is_some() || state.requests.has_one_for(id) {
            state.requests.release(id);
        }
        Ok(())
    }

    fn status(&mut self, id: abi::ConnectionId) -> wasmtime::Result<Option<abi::State>> {
        let found = self.shared.of::<State>()?.connections.status(id);
        Ok(found.map(|state| abi::State {
            connecting: state.connecting,
            connected: state.connected,
            bytes_transferred: state.bytes_transferred,
            last_seen: state.last_seen,
        }))
    }
}

impl From<abi::Endpoint> for Endpoint {
    fn from(endpoint: abi::Endpoint) -> Self {
        Self {
            name: endpoint.name,
            transport: endpoint.transport,
            protocol: endpoint.protocol,
            address: endpoint.address,
            port: endpoint.port,
            baud: endpoint.baud,
        }
    }
}
