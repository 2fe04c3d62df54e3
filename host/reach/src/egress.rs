//! Whether an instance may reach a target: deny by default, then explain.
//!
//! Decides on the address that a name resolved to, at the moment of connecting, and the caller
//! connects to exactly that address: a name that changes its answer in between (DNS rebinding)
//! gains nothing. Never resolves or connects itself. The rules, from the strongest down:
//!
//! | target | allowed by |
//! |---|---|
//! | the hub's own listeners | that address and port in a grant |
//! | the instance's own Address on its own Port | what the operator typed |
//! | loopback, link-local, metadata, unspecified | that address in a grant |
//! | anything else | any grant that contains it |
//!
//! A *name*, typed or granted, never stands for an address that must be named:
//! whoever answers the name would choose. `localhost` is the exception.

mod echo;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};

use cordon_base::error::Denied;
use cordon_base::grants::{Grants, HostPattern, NetworkGrant, is_name, normal_name, parse_port};
use cordon_base::hint::Origin;

/// Ports that an Address without a Port stands for.
const DEFAULT_PORTS: [u16; 2] = [80, 443];

/// The Address and Port parameters as the operator typed them.
///
/// Defaults of a plugin's definition must not be put here unseen: they are the
/// plugin author's words, not the operator's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnTarget {
    /// Name, address or URL; several may be separated by commas, semicolons or
    /// white space. May be empty.
    pub address: String,
    /// Port as text; empty and `0` mean that none was typed.
    pub port: String,
}

/// The policy of one instance.
#[derive(Debug, Clone)]
pub struct NetworkPolicy {
    own_hosts: Vec<OwnHost>,
    own_port: Option<u16>,
    grants: Grants,
    hub_listeners: Vec<SocketAddr>,
    origin: Origin,
}

#[derive(Debug, Clone)]
struct OwnHost {
    /// In lower case; an address as well.
    name: String,
    address: Option<IpAddr>,
    /// Ports typed inside the Address, as in `http://device:8080/`.
    ports: Vec<u16>,
}

/// Why an address is not covered by a grant for all or for a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Special {
    Loopback,
    LinkLocal,
    Metadata,
    Unspecified,
}

impl NetworkPolicy {
    /// Makes the policy from the operator's words.
    ///
    /// `hub_listeners` are the addresses on which the hub itself listens; an
    /// unspecified address stands for every address of this machine.
    pub fn new(own: &OwnTarget, grants: Grants, hub_listeners: Vec<SocketAddr>) -> Self {
        let separators = |c: char| c.is_whitespace() || matches!(c, ',' | ';');
        let typed = own.address.split(separators).filter_map(own_host);
        Self {
            own_hosts: typed.collect(),
            own_port: parse_port(own.port.trim()).filter(|&port| port != 0),
            grants,
            hub_listeners,
            origin: Origin::default(),
        }
    }

    /// The policy of an instance that comes from there.
    #[must_use]
    pub fn with_origin(mut self, origin: &Origin) -> Self {
        self.origin = origin.clone();
        self
    }

    /// Where the instance comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Whether a connection to `addr` is allowed, to which `host` resolved.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check(&self, host: &str, addr: SocketAddr) -> Result<(), Denied> {
        let ip = canonical(addr.ip());
        let port = addr.port();
        let special = special(ip);
        // Before anything else: a name of the operator's own can be led to the hub by
        // whoever answers it, and an Address that is typed is meant for a device.
        let hub = self.is_hub_listener(addr);
        if !hub && self.is_own(host, ip, port, special) {
            return Ok(());
        }
        let granted = self.grants.network.iter().any(|grant| {
            if hub {
                grant.host.is_exactly(ip) && grant.ports.is_exactly(port)
            } else if special.is_some() {
                let localhost = special == Some(Special::Loopback) && is_localhost(host);
                (grant.host.is_exactly(ip) || localhost && names_localhost(grant))
                    && grant.ports.contains(port)
            } else {
                grant.host.contains(host, ip) && grant.ports.contains(port)
            }
        });
        if granted {
            return Ok(());
        }
        let (what, grant) = denied(host, ip, port, special, hub);
        Err(Denied::new(what, grant, &self.origin))
    }

    /// Whether TLS with `host`, which is at `address`, may be that of old devices.
    #[must_use]
    pub fn legacy_tls(&self, host: &str, address: IpAddr) -> bool {
        let address = canonical(address);
        let mut granted = self.grants.legacy_tls.iter();
        granted.any(|pattern| pattern.contains(host, address))
    }

    /// The hosts with which TLS may be that of old devices.
    #[must_use]
    pub fn legacy_hosts(&self) -> &[HostPattern] {
        &self.grants.legacy_tls
    }

    /// Whether the instance may listen on `port`; 0 is any free port. Its own Port needs no
    /// grant unless a device's Address stands beside it.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check_listen(&self, port: u16) -> Result<(), Denied> {
        let hub = self.hub_listeners.iter().any(|hub| hub.port() == port);
        let granted = self.grants.listen.iter().any(|ports| {
            // A range never means the hub's port or the port that is any.
            if hub || port == 0 {
                ports.is_exactly(port)
            } else {
                ports.contains(port)
            }
        });
        if granted || (self.own_port == Some(port) && !hub && self.listens_on_own()) {
            return Ok(());
        }
        let what = match (port, hub) {
            (0, _) => "listening on any free port (port 0)".to_owned(),
            (_, true) => format!("listening on port {port}, which the hub itself uses"),
            (_, false) => format!("listening on port {port}"),
        };
        let grant = format!("listen = [{port}]");
        Err(Denied::new(what, grant, &self.origin))
    }

    /// Whether a group may be joined or an address asked about, on whatever port;
    /// `port` is the one that a refusal names, 0 for any.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check_group(&self, ip: IpAddr, port: u16) -> Result<(), Denied> {
        let ip = canonical(ip);
        let grants = &self.grants.network;
        let own = self.own_hosts.iter().any(|own| own.address == Some(ip));
        if own || grants.iter().any(|grant| grant.host.contains("", ip)) {
            return Ok(());
        }
        let host = match ip {
            IpAddr::V4(ip) => ip.to_string(),
            IpAddr::V6(ip) => format!("[{ip}]"),
        };
        let ports = if port == 0 {
            "*".to_owned()
        } else {
            port.to_string()
        };
        let what = if ip.is_multicast() {
            "joining group"
        } else {
            "asking about"
        };
        let grant = format!("network = [\"{host}:{ports}\"]");
        Err(Denied::new(format!("{what} {ip}"), grant, &self.origin))
    }

    /// Whether a name may be resolved: whether some grant could cover its addresses. A look-up is a
    /// message to whoever answers for the name.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check_name(&self, host: &str, port: Option<u16>) -> Result<(), Denied> {
        let name = normal_name(host);
        let own = self.own_hosts.iter().any(|own| own.name == name);
        let granted = self.grants.network.iter().any(|grant| match &grant.host {
            HostPattern::Any | HostPattern::Network { .. } => true,
            HostPattern::Name(granted) => *granted == name,
            HostPattern::Address(_) => false,
        });
        if own || granted {
            return Ok(());
        }
        let (what, grant) = denied_name(&name, port);
        Err(Denied::new(what, grant, &self.origin))
    }

    /// Whether a name may be resolved for a connection to this port: a grant for another port does
    /// not count.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check_target_name(&self, host: &str, port: u16) -> Result<(), Denied> {
        let name = normal_name(host);
        let own = self.own_hosts.iter().any(|own| own.name == name);
        let granted = self.grants.network.iter().any(|grant| {
            let host = match &grant.host {
                HostPattern::Any | HostPattern::Network { .. } => true,
                HostPattern::Name(granted) => *granted == name,
                HostPattern::Address(_) => false,
            };
            host && grant.ports.contains(port)
        });
        if own || granted {
            return Ok(());
        }
        let (what, grant) = denied_name(&name, Some(port));
        Err(Denied::new(what, grant, &self.origin))
    }

    /// Whether the operator typed this target into the parameters.
    fn is_own(&self, host: &str, ip: IpAddr, port: u16, special: Option<Special>) -> bool {
        self.own_hosts
            .iter()
            .any(|own| own.is(host, ip, special) && self.is_own_port(own, port))
    }

    /// Whether the operator typed this host, for messages that have no ports.
    fn is_own_host(&self, host: &str, ip: IpAddr, special: Option<Special>) -> bool {
        self.own_hosts.iter().any(|own| own.is(host, ip, special))
    }

    /// Whether the own Port is for listening: not beside the Address of a device, whose
    /// port it is then.
    fn listens_on_own(&self) -> bool {
        let here = |own: &OwnHost| match own.address {
            Some(address) => is_of_this_machine(SocketAddr::new(address, 0)),
            None => is_localhost(&own.name),
        };
        self.own_hosts.iter().all(here)
    }

    fn is_own_port(&self, own: &OwnHost, port: u16) -> bool {
        match self.own_port {
            _ if own.ports.contains(&port) => true,
            Some(own_port) => own_port == port,
            None => own.ports.is_empty() && DEFAULT_PORTS.contains(&port),
        }
    }

    fn is_hub_listener(&self, addr: SocketAddr) -> bool {
        let ip = canonical(addr.ip());
        self.hub_listeners.iter().any(|hub| {
            let bound = canonical(hub.ip());
            hub.port() == addr.port()
                && (bound == ip || (bound.is_unspecified() && is_of_this_machine(addr)))
        })
    }
}

impl OwnHost {
    /// Whether `host`, which is at `ip`, is the one that was typed.
    fn is(&self, host: &str, ip: IpAddr, special: Option<Special>) -> bool {
        match (self.address, special) {
            (Some(address), _) => address == ip,
            (None, None) => self.name == normal_name(host),
            (None, Some(Special::Loopback)) => is_localhost(&self.name),
            (None, Some(_)) => false,
        }
    }
}

fn names_localhost(grant: &NetworkGrant) -> bool {
    matches!(&grant.host, HostPattern::Name(name) if is_localhost(name))
}

fn is_localhost(host: &str) -> bool {
    normal_name(host) == "localhost"
}

/// Takes host and port out of the text that an operator types as an address.
fn own_host(typed: &str) -> Option<OwnHost> {
    let (scheme, rest) = match typed.split_once("://") {
        Some((scheme, rest)) => (Some(scheme), rest),
        None => (None, typed),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host_port = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let (host, port) = split_port(host_port);
    let mut ports: Vec<u16> = port.and_then(parse_port).into_iter().collect();
    if ports.is_empty() {
        match scheme {
            Some("http" | "ws") => ports.push(80),
            Some("https" | "wss") => ports.push(443),
            _ => {}
        }
    }
    let name = normal_name(host);
    (!name.is_empty()).then(|| OwnHost {
        address: name.parse().ok().map(canonical),
        name,
        ports,
    })
}

fn split_port(text: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    // More than one colon is an IPv6 address without brackets.
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, Some(port)),
        _ => (text, None),
    }
}

/// The address that is really meant: IPv4 inside IPv6 counts as IPv4.
fn canonical(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => match v6.segments() {
            // 64:ff9b::/96 leads to the IPv4 address at its end (RFC 6052).
            [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                IpAddr::V4(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
            }
            _ => ip.to_canonical(),
        },
        IpAddr::V4(_) => ip,
    }
}

/// Metadata services outside of link-local: AWS over IPv6, Alibaba, Azure, Oracle.
const METADATA: [IpAddr; 4] = [
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x254)),
    IpAddr::V4(Ipv4Addr::new(100, 100, 100, 200)),
    IpAddr::V4(Ipv4Addr::new(168, 63, 129, 16)),
    IpAddr::V4(Ipv4Addr::new(192, 0, 0, 192)),
];

fn special(ip: IpAddr) -> Option<Special> {
    let link_local = match ip {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    // All of 0.0.0.0/8 is "this network", and Linux takes 0.0.0.0 for loopback.
    let this_network = matches!(ip, IpAddr::V4(v4) if matches!(v4.octets(), [0, ..]));
    if ip == IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)) || METADATA.contains(&ip) {
        Some(Special::Metadata)
    } else if ip.is_loopback() {
        Some(Special::Loopback)
    } else if link_local {
        Some(Special::LinkLocal)
    } else if ip.is_unspecified() || this_network {
        Some(Special::Unspecified)
    } else {
        None
    }
}

/// The thing that is refused, and the line of the grants that allows it.
fn denied_name(name: &str, port: Option<u16>) -> (String, String) {
    let port = port.filter(|port| *port != 0);
    let port = port.map_or_else(|| "*".to_owned(), |port| port.to_string());
    // Foreign text stays out of a line that an operator may copy.
    if is_name(name) {
        (
            format!("resolving {name}"),
            format!("network = [\"{name}:{port}\"]"),
        )
    } else {
        (
            "resolving a name".to_owned(),
            format!("network = [\"*:{port}\"]"),
        )
    }
}

/// Only an address of this machine can be bound to. When the system cannot tell, it is
/// one.
fn is_of_this_machine(addr: SocketAddr) -> bool {
    let ip = canonical(addr.ip());
    let to = match (ip, addr) {
        // A link-local address is one only together with its link.
        (IpAddr::V6(ip), SocketAddr::V6(given)) => {
            SocketAddr::V6(SocketAddrV6::new(ip, 0, 0, given.scope_id()))
        }
        _ => SocketAddr::new(ip, 0),
    };
    let elsewhere = |error: io::Error| error.kind() == io::ErrorKind::AddrNotAvailable;
    ip.is_loopback() || ip.is_unspecified() || !UdpSocket::bind(to).is_err_and(elsewhere)
}

/// The thing that is refused, and the line of the grants that allows it.
fn denied(
    host: &str,
    ip: IpAddr,
    port: u16,
    special: Option<Special>,
    hub: bool,
) -> (String, String) {
    let target = SocketAddr::new(ip, port);
    let name = normal_name(host);
    let named = is_name(&name) && name.parse::<IpAddr>().is_err();
    let via = if named {
        format!(" ({name})")
    } else {
        String::new()
    };
    let why = match special {
        _ if hub => ", which is the hub itself",
        Some(Special::Loopback) => ", which is this machine",
        Some(Special::LinkLocal) => ", which is link-local",
        Some(Special::Metadata) => ", which is a cloud metadata service",
        Some(Special::Unspecified) => ", which is no address of a host",
        None => "",
    };
    // Where a name would not do, the grant has to name the address.
    let grant = if named && special.is_none() && !hub {
        format!("network = [\"{name}:{port}\"]")
    } else {
        format!("network = [\"{target}\"]")
    };
    (format!("connection to {target}{via}{why}"), grant)
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests;
