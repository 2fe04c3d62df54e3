//! `connections`: queues requests, which the instance's loop carries out.

use crate::abi::cordon::plugin::connections as abi;
use crate::instance::state::InstanceState;
use cordon_base::limits::Limits;
use cordon_base::log::Level;
use cordon_domoticz::connection::{Endpoint, Request};
use cordon_protocol::Outbound;

impl InstanceState {
    fn queue(&self, request: Request) -> Result<(), abi::Refusal> {
        if self.shared.stopping() {
            let line = "the plugin is stopping, the request is ignored";
            // A line of the plugin, within its rate: the plugin may try in a loop.
            self.shared.log.plugin(false, Level::Normal, line);
            return Err(abi::Refusal::Stopping);
        }
        if let Some(reason) = request.endpoint().and_then(Endpoint::too_long) {
            self.shared.log.plugin(false, Level::Error, &reason);
            return Err(abi::Refusal::TooLarge);
        }
        self.shared.request(request).map_err(|hit| {
            self.shared.log.limit(&hit);
            match hit.which {
                "inbox" => abi::Refusal::InboxFull,
                _ => abi::Refusal::TooLarge,
            }
        })
    }
}

impl abi::Host for InstanceState {
    fn connect(
        &mut self,
        id: abi::ConnectionId,
        endpoint: abi::Endpoint,
        timeout_ms: u32,
    ) -> Result<(), abi::Refusal> {
        let endpoint = endpoint.into();
        self.queue(Request::Connect {
            id,
            endpoint,
            timeout_ms,
        })
    }

    fn listen(
        &mut self,
        id: abi::ConnectionId,
        endpoint: abi::Endpoint,
    ) -> Result<(), abi::Refusal> {
        let endpoint = endpoint.into();
        self.queue(Request::Listen { id, endpoint })
    }

    fn send(
        &mut self,
        id: abi::ConnectionId,
        endpoint: abi::Endpoint,
        message: abi::Outbound,
        delay_seconds: u32,
    ) -> Result<(), abi::Refusal> {
        let message = Outbound::from(message);
        let size = u64::try_from(message.size()).unwrap_or(u64::MAX);
        let limit = self.shared.limits.connection_buffer;
        if size > limit {
            let hit = Limits::hit("connection-buffer", size, limit);
            self.shared.log.limit(&hit);
            return Err(abi::Refusal::TooLarge);
        }
        self.queue(Request::Send {
            id,
            endpoint: endpoint.into(),
            message,
            delay_seconds,
        })
    }

    fn disconnect(&mut self, id: abi::ConnectionId) -> Result<(), abi::Refusal> {
        self.queue(Request::Disconnect { id })
    }

    fn release(&mut self, id: abi::ConnectionId) {
        // Only for a connection that has a transport or may still get one: a plugin that makes and
        // drops Connection objects in a loop queues nothing.
        if self.shared.connections.status(id).is_some() || self.shared.has_request_for(id) {
            self.shared.request_release(id);
        }
    }

    fn status(&mut self, id: abi::ConnectionId) -> Option<abi::State> {
        let state = self.shared.connections.status(id)?;
        Some(abi::State {
            connecting: state.connecting,
            connected: state.connected,
            bytes_transferred: state.bytes_transferred,
            last_seen: state.last_seen,
        })
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
