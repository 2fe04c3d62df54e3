//! `sockets`: puts `cordon_reach::socket` into the words of the contract.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::sync::Arc;
use std::time::Duration;

use wasmtime::component::{Accessor, HasSelf};

use crate::abi::cordon::plugin::sockets as abi;
use crate::instance::state::InstanceState;
use cordon_reach::names::LookupFailure;
use cordon_reach::socket::{
    Datagram, Description, Device, Direction, Events, Failure, Kind, MessageFlags, OptionName,
    Sockets,
};

type Result<T> = std::result::Result<T, abi::Failure>;

/// Most interfaces that a plugin is told of.
const INTERFACES: usize = 64;

fn done<T>(result: std::result::Result<T, Failure>) -> Result<T> {
    result.map_err(|failure| abi::Failure {
        number: failure.number,
        text: failure.text,
    })
}

impl abi::Host for InstanceState {
    fn create(&mut self, family: abi::Family, kind: abi::Kind) -> Result<abi::Handle> {
        done(
            self.sockets
                .create(family == abi::Family::Ipv6, kind.into()),
        )
    }

    fn pair(&mut self, kind: abi::Kind) -> Result<(abi::Handle, abi::Handle)> {
        done(self.sockets.pair(kind.into()))
    }

    fn duplicate(&mut self, socket: abi::Handle) -> Result<abi::Handle> {
        done(self.sockets.duplicate(socket))
    }

    fn close(&mut self, socket: abi::Handle) -> bool {
        self.sockets.close(socket)
    }

    fn describe(&mut self, socket: abi::Handle) -> Result<abi::Description> {
        done(self.sockets.describe(socket).map(Into::into))
    }

    fn bind(&mut self, socket: abi::Handle, address: abi::Address) -> Result<()> {
        done(self.sockets.bind(socket, address.into()))
    }

    fn listen(&mut self, socket: abi::Handle, backlog: u32) -> Result<()> {
        done(self.sockets.listen(socket, backlog))
    }

    fn accept(&mut self, socket: abi::Handle) -> Result<(abi::Handle, abi::Address)> {
        let accepted = self.sockets.accept(socket);
        done(accepted.map(|(client, peer)| (client, peer.into())))
    }

    fn connect(&mut self, socket: abi::Handle, address: abi::Address) -> Result<()> {
        done(self.sockets.connect(socket, address.into()))
    }

    fn send(
        &mut self,
        socket: abi::Handle,
        data: Vec<u8>,
        flags: abi::MessageFlags,
    ) -> Result<u32> {
        done(self.sockets.send(socket, &data, flags.into()))
    }

    fn send_to(
        &mut self,
        socket: abi::Handle,
        data: Vec<u8>,
        target: abi::Address,
        flags: abi::MessageFlags,
    ) -> Result<u32> {
        done(
            self.sockets
                .send_to(socket, &data, target.into(), flags.into()),
        )
    }

    fn receive(
        &mut self,
        socket: abi::Handle,
        size: u32,
        flags: abi::MessageFlags,
    ) -> Result<Vec<u8>> {
        done(self.sockets.receive(socket, size, flags.into()))
    }

    fn receive_from(
        &mut self,
        socket: abi::Handle,
        size: u32,
        flags: abi::MessageFlags,
    ) -> Result<abi::Datagram> {
        let received = self.sockets.receive_from(socket, size, flags.into());
        done(received.map(Into::into))
    }

    fn shutdown(&mut self, socket: abi::Handle, direction: abi::Direction) -> Result<()> {
        let direction = match direction {
            abi::Direction::Receive => Direction::Read,
            abi::Direction::Send => Direction::Write,
            abi::Direction::Both => Direction::Both,
        };
        done(self.sockets.shutdown(socket, direction))
    }

    fn local_address(&mut self, socket: abi::Handle) -> Result<Option<abi::Address>> {
        let address = self.sockets.local_address(socket);
        done(address.map(|address| address.map(Into::into)))
    }

    fn peer_address(&mut self, socket: abi::Handle) -> Result<Option<abi::Address>> {
        let address = self.sockets.peer_address(socket);
        done(address.map(|address| address.map(Into::into)))
    }

    fn get_option(&mut self, socket: abi::Handle, name: abi::OptionName) -> Result<i32> {
        done(self.sockets.get_option(socket, name.into()))
    }

    fn set_option(&mut self, socket: abi::Handle, name: abi::OptionName, value: i32) -> Result<()> {
        done(self.sockets.set_option(socket, name.into(), value))
    }

    fn membership(
        &mut self,
        socket: abi::Handle,
        group: abi::Address,
        device: abi::Device,
        join: bool,
    ) -> Result<()> {
        let device = match device {
            abi::Device::Any => Device::Any,
            abi::Device::Index(index) => Device::Index(index),
            abi::Device::Ipv4(address) => Device::Ipv4(Ipv4Addr::from_bits(address)),
        };
        done(self.sockets.membership(socket, group.into(), device, join))
    }

    fn host_name(&mut self) -> String {
        self.sockets.host_name().to_owned()
    }

    fn interfaces(&mut self) -> Vec<(u32, String)> {
        interfaces()
    }
}

fn sockets(accessor: &Accessor<InstanceState, HasSelf<InstanceState>>) -> Arc<Sockets> {
    accessor.with(|mut access| Arc::clone(&access.get().sockets))
}

impl abi::HostWithStore<InstanceState> for HasSelf<InstanceState> {
    async fn wait(
        accessor: &Accessor<InstanceState, Self>,
        socket: abi::Handle,
        interest: abi::Interest,
        timeout_ns: Option<u64>,
    ) -> Result<bool> {
        let timeout = timeout_ns.map(Duration::from_nanos);
        done(
            sockets(accessor)
                .wait(socket, interest.into(), timeout)
                .await,
        )
    }

    async fn poll(
        accessor: &Accessor<InstanceState, Self>,
        waiting: Vec<abi::Waiting>,
        timeout_ns: Option<u64>,
    ) -> Result<Vec<abi::Ready>> {
        let timeout = timeout_ns.map(Duration::from_nanos);
        let entries: Vec<_> = waiting
            .into_iter()
            .map(|it| (it.socket, it.interest.into()))
            .collect();
        let ready = done(sockets(accessor).poll(&entries, timeout).await)?;
        let ready = ready.into_iter().map(|(socket, events)| abi::Ready {
            socket,
            readiness: events.into(),
        });
        Ok(ready.collect())
    }

    async fn resolve(
        accessor: &Accessor<InstanceState, Self>,
        name: String,
        port: Option<u16>,
    ) -> std::result::Result<Vec<abi::Address>, abi::LookupFailure> {
        let addresses = sockets(accessor).resolve(&name, port).await?;
        let addresses = addresses
            .into_iter()
            .map(|ip| SocketAddr::new(ip, 0).into());
        Ok(addresses.collect())
    }

    async fn reverse(
        accessor: &Accessor<InstanceState, Self>,
        address: abi::Address,
    ) -> std::result::Result<String, abi::LookupFailure> {
        let address = SocketAddr::from(address);
        Ok(sockets(accessor).reverse(address.ip()).await?)
    }
}

/// Index and name of every interface, from the kernel's own listing.
fn interfaces() -> Vec<(u32, String)> {
    let Ok(entries) = std::fs::read_dir("/sys/class/net") else {
        return Vec::new();
    };
    let mut found: Vec<_> = entries
        .filter_map(|entry| {
            let entry = entry.ok()?;
            let index = std::fs::read_to_string(entry.path().join("ifindex")).ok()?;
            Some((
                index.trim().parse().ok()?,
                entry.file_name().into_string().ok()?,
            ))
        })
        .take(INTERFACES)
        .collect();
    found.sort_unstable();
    found
}

impl From<LookupFailure> for abi::LookupFailure {
    fn from(failure: LookupFailure) -> Self {
        match failure {
            LookupFailure::Unknown => Self::Unknown,
            LookupFailure::Again => Self::Again,
            LookupFailure::Failed => Self::Failed,
            LookupFailure::Limit(_) => Self::Again,
            LookupFailure::Denied(denied) => Self::Denied(denied.to_string()),
        }
    }
}

impl From<abi::Kind> for Kind {
    fn from(kind: abi::Kind) -> Self {
        match kind {
            abi::Kind::Stream => Self::Stream,
            abi::Kind::Datagram => Self::Datagram,
        }
    }
}

impl From<abi::Address> for SocketAddr {
    fn from(address: abi::Address) -> Self {
        let abi::Address {
            family,
            high,
            low,
            port,
            flow,
            scope,
        } = address;
        match family {
            abi::Family::Ipv4 => {
                // The four lowest bytes are the address.
                let bits = u32::try_from(low & u64::from(u32::MAX)).unwrap_or_default();
                Self::V4(SocketAddrV4::new(Ipv4Addr::from_bits(bits), port))
            }
            abi::Family::Ipv6 => {
                let ip = Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low));
                Self::V6(SocketAddrV6::new(ip, port, flow, scope))
            }
        }
    }
}

impl From<SocketAddr> for abi::Address {
    fn from(address: SocketAddr) -> Self {
        let (family, bits) = match address.ip() {
            IpAddr::V4(ip) => (abi::Family::Ipv4, u128::from(ip.to_bits())),
            IpAddr::V6(ip) => (abi::Family::Ipv6, ip.to_bits()),
        };
        let (flow, scope) = match address {
            SocketAddr::V4(_) => (0, 0),
            SocketAddr::V6(address) => (address.flowinfo(), address.scope_id()),
        };
        let low = bits & u128::from(u64::MAX);
        Self {
            family,
            high: u64::try_from(bits >> 64).unwrap_or_default(),
            low: u64::try_from(low).unwrap_or_default(),
            port: address.port(),
            flow,
            scope,
        }
    }
}

impl From<Description> for abi::Description {
    fn from(description: Description) -> Self {
        Self {
            family: if description.v6 {
                abi::Family::Ipv6
            } else {
                abi::Family::Ipv4
            },
            kind: match description.kind {
                Kind::Stream => abi::Kind::Stream,
                Kind::Datagram => abi::Kind::Datagram,
            },
            listening: description.listening,
            paired: description.paired,
        }
    }
}

impl From<Datagram> for abi::Datagram {
    fn from(datagram: Datagram) -> Self {
        Self {
            data: datagram.data,
            length: datagram.length,
            source: datagram.source.map(Into::into),
        }
    }
}

impl From<abi::MessageFlags> for MessageFlags {
    fn from(flags: abi::MessageFlags) -> Self {
        Self {
            peek: flags.contains(abi::MessageFlags::PEEK),
            out_of_band: flags.contains(abi::MessageFlags::OUT_OF_BAND),
            more: flags.contains(abi::MessageFlags::MORE),
        }
    }
}

impl From<abi::Interest> for Events {
    fn from(interest: abi::Interest) -> Self {
        Self {
            readable: interest.contains(abi::Interest::READABLE),
            writable: interest.contains(abi::Interest::WRITABLE),
            urgent: interest.contains(abi::Interest::URGENT),
            ..Self::default()
        }
    }
}

impl From<Events> for abi::Readiness {
    fn from(events: Events) -> Self {
        let all = [
            (events.readable, Self::READABLE),
            (events.writable, Self::WRITABLE),
            (events.urgent, Self::URGENT),
            (events.error, Self::ERROR),
            (events.hung_up, Self::HUNG_UP),
            (events.invalid, Self::INVALID),
        ];
        let set = all.into_iter().filter(|(set, _)| *set);
        set.fold(Self::empty(), |flags, (_, flag)| flags | flag)
    }
}

impl From<abi::OptionName> for OptionName {
    fn from(name: abi::OptionName) -> Self {
        use abi::OptionName as N;
        match name {
            N::SoReuseaddr => Self::SoReuseaddr,
            N::SoReuseport => Self::SoReuseport,
            N::SoBroadcast => Self::SoBroadcast,
            N::SoKeepalive => Self::SoKeepalive,
            N::SoRcvbuf => Self::SoRcvbuf,
            N::SoSndbuf => Self::SoSndbuf,
            N::SoError => Self::SoError,
            N::SoType => Self::SoType,
            N::SoAcceptconn => Self::SoAcceptconn,
            N::SoOobinline => Self::SoOobinline,
            N::SoLinger => Self::SoLinger,
            N::TcpNodelay => Self::TcpNodelay,
            N::TcpKeepidle => Self::TcpKeepidle,
            N::TcpKeepintvl => Self::TcpKeepintvl,
            N::TcpKeepcnt => Self::TcpKeepcnt,
            N::TcpUserTimeout => Self::TcpUserTimeout,
            N::TcpQuickack => Self::TcpQuickack,
            N::IpTtl => Self::IpTtl,
            N::IpTos => Self::IpTos,
            N::IpMulticastTtl => Self::IpMulticastTtl,
            N::IpMulticastLoop => Self::IpMulticastLoop,
            N::IpMulticastIf => Self::IpMulticastIf,
            N::Ipv6V6only => Self::Ipv6V6only,
            N::Ipv6UnicastHops => Self::Ipv6UnicastHops,
            N::Ipv6MulticastHops => Self::Ipv6MulticastHops,
            N::Ipv6MulticastLoop => Self::Ipv6MulticastLoop,
            N::Ipv6MulticastIf => Self::Ipv6MulticastIf,
            N::Ipv6Tclass => Self::Ipv6Tclass,
        }
    }
}
