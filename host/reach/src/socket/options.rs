//! Options of sockets: those that plugins set, by the system's own names.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use rustix::net::sockopt;
use socket2::{InterfaceIndexOrAddress, Socket, TcpKeepalive};

use super::entry::Entry;
use super::{EINVAL, ENOPROTOOPT, Failure, Kind};

/// An option; values are the system's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names of the sockets API")]
pub enum OptionName {
    SoReuseaddr,
    SoReuseport,
    SoBroadcast,
    SoKeepalive,
    SoRcvbuf,
    SoSndbuf,
    SoError,
    SoType,
    SoAcceptconn,
    SoOobinline,
    SoLinger,
    TcpNodelay,
    TcpKeepidle,
    TcpKeepintvl,
    TcpKeepcnt,
    TcpUserTimeout,
    TcpQuickack,
    IpTtl,
    IpTos,
    IpMulticastTtl,
    IpMulticastLoop,
    IpMulticastIf,
    Ipv6V6only,
    Ipv6UnicastHops,
    Ipv6MulticastHops,
    Ipv6MulticastLoop,
    Ipv6MulticastIf,
    Ipv6Tclass,
}

/// On which interface a group is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Device {
    /// The system's choice.
    Any,
    /// The interface with this index.
    Index(u32),
    /// The interface with this address.
    Ipv4(Ipv4Addr),
}

fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_secs()).unwrap_or(i32::MAX)
}

fn small<T: TryInto<i32>>(value: T) -> i32 {
    value.try_into().unwrap_or(i32::MAX)
}

fn unsigned<T: TryFrom<i32>>(value: i32) -> Result<T, Failure> {
    T::try_from(value).map_err(|_| Failure::new(EINVAL))
}

/// Reads an option of a socket.
pub(super) fn get(entry: &Entry, name: OptionName) -> Result<i32, Failure> {
    let io: &Socket = &entry.io;
    Ok(match name {
        OptionName::SoReuseaddr => io.reuse_address()?.into(),
        OptionName::SoReuseport => sockopt::socket_reuseport(io)?.into(),
        OptionName::SoBroadcast => io.broadcast()?.into(),
        OptionName::SoKeepalive => io.keepalive()?.into(),
        OptionName::SoRcvbuf => small(io.recv_buffer_size()?),
        OptionName::SoSndbuf => small(io.send_buffer_size()?),
        OptionName::SoError => match io.take_error()? {
            Some(error) => error.raw_os_error().unwrap_or_default(),
            None => 0,
        },
        OptionName::SoType => match entry.kind {
            Kind::Stream => 1,
            Kind::Datagram => 2,
        },
        OptionName::SoAcceptconn => entry.listens().into(),
        OptionName::SoOobinline => io.out_of_band_inline()?.into(),
        OptionName::SoLinger => io.linger()?.map_or(-1, seconds),
        OptionName::TcpNodelay => io.tcp_nodelay()?.into(),
        OptionName::TcpKeepidle => seconds(io.tcp_keepalive_time()?),
        OptionName::TcpKeepintvl => seconds(io.tcp_keepalive_interval()?),
        OptionName::TcpKeepcnt => small(io.tcp_keepalive_retries()?),
        OptionName::TcpUserTimeout => small(sockopt::tcp_user_timeout(io)?),
        OptionName::TcpQuickack => sockopt::tcp_quickack(io)?.into(),
        OptionName::IpTtl => small(io.ttl_v4()?),
        OptionName::IpTos => small(io.tos_v4()?),
        OptionName::IpMulticastTtl => small(io.multicast_ttl_v4()?),
        OptionName::IpMulticastLoop => io.multicast_loop_v4()?.into(),
        OptionName::IpMulticastIf => io.multicast_if_v4()?.to_bits().cast_signed(),
        OptionName::Ipv6V6only => io.only_v6()?.into(),
        OptionName::Ipv6UnicastHops => small(io.unicast_hops_v6()?),
        OptionName::Ipv6MulticastHops => small(io.multicast_hops_v6()?),
        OptionName::Ipv6MulticastLoop => io.multicast_loop_v6()?.into(),
        OptionName::Ipv6MulticastIf => small(io.multicast_if_v6()?),
        OptionName::Ipv6Tclass => small(sockopt::ipv6_tclass(io)?),
    })
}

/// Sets an option of a socket. Sizes of buffers have been bounded by the caller.
pub(super) fn set(entry: &Entry, name: OptionName, value: i32) -> Result<(), Failure> {
    let io: &Socket = &entry.io;
    let on = value != 0;
    match name {
        OptionName::SoReuseaddr => {
            io.set_reuse_address(on)?;
            entry.reach().shared_port |= on;
        }
        OptionName::SoReuseport => {
            sockopt::set_socket_reuseport(io, on)?;
            let mut reach = entry.reach();
            reach.shared_port |= on;
            reach.reuses_port |= on;
        }
        OptionName::SoBroadcast => io.set_broadcast(on)?,
        OptionName::SoKeepalive => io.set_keepalive(on)?,
        OptionName::SoRcvbuf => io.set_recv_buffer_size(unsigned(value)?)?,
        OptionName::SoSndbuf => io.set_send_buffer_size(unsigned(value)?)?,
        OptionName::SoError | OptionName::SoType | OptionName::SoAcceptconn => {
            return Err(Failure::new(ENOPROTOOPT));
        }
        OptionName::SoOobinline => io.set_out_of_band_inline(on)?,
        OptionName::SoLinger => {
            let time = u64::try_from(value).ok().map(Duration::from_secs);
            io.set_linger(time)?;
        }
        OptionName::TcpNodelay => io.set_tcp_nodelay(on)?,
        OptionName::TcpKeepidle => {
            let time = Duration::from_secs(unsigned::<u32>(value)?.into());
            io.set_tcp_keepalive(&TcpKeepalive::new().with_time(time))?;
        }
        OptionName::TcpKeepintvl => {
            sockopt::set_tcp_keepintvl(io, Duration::from_secs(unsigned::<u32>(value)?.into()))?;
        }
        OptionName::TcpKeepcnt => sockopt::set_tcp_keepcnt(io, unsigned(value)?)?,
        OptionName::TcpUserTimeout => sockopt::set_tcp_user_timeout(io, unsigned(value)?)?,
        OptionName::TcpQuickack => sockopt::set_tcp_quickack(io, on)?,
        OptionName::IpTtl => io.set_ttl_v4(unsigned(value)?)?,
        OptionName::IpTos => io.set_tos_v4(unsigned(value)?)?,
        OptionName::IpMulticastTtl => io.set_multicast_ttl_v4(unsigned(value)?)?,
        OptionName::IpMulticastLoop => io.set_multicast_loop_v4(on)?,
        OptionName::IpMulticastIf => {
            io.set_multicast_if_v4(&Ipv4Addr::from_bits(value.cast_unsigned()))?;
        }
        OptionName::Ipv6V6only => io.set_only_v6(on)?,
        OptionName::Ipv6UnicastHops => io.set_unicast_hops_v6(unsigned(value)?)?,
        OptionName::Ipv6MulticastHops => io.set_multicast_hops_v6(unsigned(value)?)?,
        OptionName::Ipv6MulticastLoop => io.set_multicast_loop_v6(on)?,
        OptionName::Ipv6MulticastIf => io.set_multicast_if_v6(unsigned(value)?)?,
        OptionName::Ipv6Tclass => sockopt::set_ipv6_tclass(io, unsigned(value)?)?,
    }
    Ok(())
}

/// Joins or leaves a group.
pub(super) fn membership(
    entry: &Entry,
    group: SocketAddr,
    device: Device,
    join: bool,
) -> Result<(), Failure> {
    let io: &Socket = &entry.io;
    match (group.ip(), device) {
        (IpAddr::V4(group), device) => {
            let device = match device {
                Device::Any => InterfaceIndexOrAddress::Address(Ipv4Addr::UNSPECIFIED),
                Device::Index(index) => InterfaceIndexOrAddress::Index(index),
                Device::Ipv4(address) => InterfaceIndexOrAddress::Address(address),
            };
            if join {
                io.join_multicast_v4_n(&group, &device)?;
            } else {
                io.leave_multicast_v4_n(&group, &device)?;
            }
        }
        (IpAddr::V6(_), Device::Ipv4(_)) => return Err(Failure::new(EINVAL)),
        (IpAddr::V6(group), Device::Any | Device::Index(_)) => {
            let index = match device {
                Device::Index(index) => index,
                Device::Any | Device::Ipv4(_) => 0,
            };
            if join {
                io.join_multicast_v6(&group, index)?;
            } else {
                io.leave_multicast_v6(&group, index)?;
            }
        }
    }
    Ok(())
}
