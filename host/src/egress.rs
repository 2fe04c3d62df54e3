//! Whether an instance may reach a target: deny by default, then explain.
//!
//! Decides on the address that a name resolved to, at the moment of connecting,
//! and the caller connects to exactly that address: a name that changes its
//! answer in between (DNS rebinding) gains nothing. Never resolves or connects
//! itself. What is decided, from the strongest rule down:
//!
//! | target | allowed by |
//! |---|---|
//! | the instance's own Address on its own Port | what the operator typed |
//! | loopback, link-local, metadata, unspecified | that address in a grant |
//! | the hub's own listeners | that address and port in a grant |
//! | anything else | any grant that contains it |
//!
//! A *name*, typed or granted, never stands for an address that must be named:
//! whoever answers the name would choose. `localhost` is the exception.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};

use crate::error::Denied;
use crate::grants::{Grants, HostPattern, is_name, normal_name, parse_port};

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
    /// Makes the policy from what the operator wrote.
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
        }
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
        if self.is_own(host, ip, port, special) {
            return Ok(());
        }
        let hub = self.is_hub_listener(ip, port);
        let granted = self.grants.network.iter().any(|grant| {
            if hub {
                grant.host.is_exactly(ip) && grant.ports.is_exactly(port)
            } else if special.is_some() {
                let localhost = special == Some(Special::Loopback) && is_localhost(host);
                (grant.host.is_exactly(ip) || localhost && grant.names_localhost())
                    && grant.ports.contains(port)
            } else {
                grant.host.contains(host, ip) && grant.ports.contains(port)
            }
        });
        if granted {
            return Ok(());
        }
        Err(denied(host, ip, port, special, hub))
    }

    /// Whether the instance may listen on `port`; 0 is any free port.
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
        if granted || (self.own_port == Some(port) && !hub) {
            return Ok(());
        }
        let what = match (port, hub) {
            (0, _) => "listening on any free port (port 0)".to_owned(),
            (_, true) => format!("listening on port {port}, which the hub itself uses"),
            (_, false) => format!("listening on port {port}"),
        };
        Err(Denied {
            what,
            grant: format!("listen = [{port}]"),
        })
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
        Err(Denied {
            what: format!("{what} {ip}"),
            grant: format!("network = [\"{host}:{ports}\"]"),
        })
    }

    /// Whether a name may be resolved: whether some grant could cover what it leads
    /// to. A look-up is a message to whoever answers for the name.
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
        let port = port.filter(|port| *port != 0);
        let port = port.map_or_else(|| "*".to_owned(), |port| port.to_string());
        // Foreign text stays out of what an operator may copy.
        let (what, grant) = if is_name(&name) {
            (
                format!("resolving {name}"),
                format!("network = [\"{name}:{port}\"]"),
            )
        } else {
            (
                "resolving a name".to_owned(),
                format!("network = [\"*:{port}\"]"),
            )
        };
        Err(Denied { what, grant })
    }

    /// Whether the operator typed this target into the parameters.
    fn is_own(&self, host: &str, ip: IpAddr, port: u16, special: Option<Special>) -> bool {
        let name = normal_name(host);
        self.own_hosts.iter().any(|own| {
            let same = match (own.address, special) {
                (Some(address), _) => address == ip,
                (None, None) => own.name == name,
                (None, Some(Special::Loopback)) => is_localhost(&own.name),
                (None, Some(_)) => false,
            };
            same && self.is_own_port(own, port)
        })
    }

    fn is_own_port(&self, own: &OwnHost, port: u16) -> bool {
        match self.own_port {
            _ if own.ports.contains(&port) => true,
            Some(own_port) => own_port == port,
            None => own.ports.is_empty() && DEFAULT_PORTS.contains(&port),
        }
    }

    fn is_hub_listener(&self, ip: IpAddr, port: u16) -> bool {
        self.hub_listeners.iter().any(|hub| {
            let bound = canonical(hub.ip());
            hub.port() == port
                && (bound == ip || (bound.is_unspecified() && is_of_this_machine(ip)))
        })
    }
}

impl crate::grants::NetworkGrant {
    fn names_localhost(&self) -> bool {
        matches!(&self.host, crate::grants::HostPattern::Name(name) if is_localhost(name))
    }
}

fn is_localhost(host: &str) -> bool {
    normal_name(host) == "localhost"
}

/// Takes host and port out of what an operator types as an address.
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

/// The address that is really meant: IPv4 inside IPv6 is IPv4.
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

/// Only an address of this machine can be bound to.
fn is_of_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || ip.is_unspecified() || UdpSocket::bind((ip, 0)).is_ok()
}

fn denied(host: &str, ip: IpAddr, port: u16, special: Option<Special>, hub: bool) -> Denied {
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
    Denied {
        what: format!("connection to {target}{via}{why}"),
        grant,
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]
mod tests {
    use super::*;

    fn policy(address: &str, port: &str, grants: &str, hub: &[&str]) -> NetworkPolicy {
        let own = OwnTarget {
            address: address.to_owned(),
            port: port.to_owned(),
        };
        let hub = hub.iter().map(|addr| addr.parse().unwrap()).collect();
        NetworkPolicy::new(&own, toml::from_str(grants).unwrap(), hub)
    }

    fn check(policy: &NetworkPolicy, host: &str, addr: &str) -> Result<(), String> {
        let checked = policy.check(host, addr.parse().unwrap());
        checked.map_err(|denied| denied.grant)
    }

    const EVERYTHING: &str = "network = [\"*:*\", \"0.0.0.0/0:*\", \"[::/0]:*\"]";

    #[test]
    fn the_own_address_and_port_need_no_grant() {
        let typed = policy("192.168.1.9", "8080", "", &[]);
        assert_eq!(check(&typed, "192.168.1.9", "192.168.1.9:8080"), Ok(()));
        assert_eq!(check(&typed, "device.lan", "192.168.1.9:8080"), Ok(()));
        let named = policy("Device.lan", "80", "", &[]);
        assert_eq!(check(&named, "device.LAN", "10.0.0.7:80"), Ok(()));
        let here = policy("127.0.0.1", "8080", "", &["0.0.0.0:8080"]);
        assert_eq!(check(&here, "localhost", "127.0.0.1:8080"), Ok(()));
        let localhost = policy("localhost", "81", "", &[]);
        assert_eq!(check(&localhost, "localhost", "[::1]:81"), Ok(()));
    }

    #[test]
    fn an_own_address_without_port_means_the_web_ports() {
        for port in ["", "0"] {
            let typed = policy("192.168.1.9", port, "", &[]);
            assert_eq!(check(&typed, "", "192.168.1.9:80"), Ok(()));
            assert_eq!(check(&typed, "", "192.168.1.9:443"), Ok(()));
            assert!(check(&typed, "", "192.168.1.9:22").is_err());
        }
    }

    #[test]
    fn an_own_address_may_be_a_url_or_a_list() {
        let typed = policy(
            "http://user@device.lan:8123/api, 10.0.0.2; [fd00::1]:90",
            "",
            "",
            &[],
        );
        assert_eq!(check(&typed, "device.lan", "10.0.0.1:8123"), Ok(()));
        assert_eq!(check(&typed, "10.0.0.2", "10.0.0.2:80"), Ok(()));
        assert_eq!(check(&typed, "fd00::1", "[fd00::1]:90"), Ok(()));
        assert!(check(&typed, "device.lan", "10.0.0.1:80").is_err());
    }

    #[test]
    fn it_refuses_another_port_of_the_own_address() {
        let typed = policy("192.168.1.9", "80", "", &[]);
        let line = "network = [\"192.168.1.9:443\"]".to_owned();
        assert_eq!(check(&typed, "192.168.1.9", "192.168.1.9:443"), Err(line));
    }

    #[test]
    fn it_refuses_a_target_that_nobody_named() {
        let none = policy("", "", "", &[]);
        assert_eq!(
            check(&none, "Device.lan", "10.0.0.7:80"),
            Err("network = [\"device.lan:80\"]".to_owned())
        );
        assert_eq!(
            check(&none, "fd00::5", "[fd00::5]:80"),
            Err("network = [\"[fd00::5]:80\"]".to_owned())
        );
    }

    #[test]
    fn the_line_of_a_refusal_allows_what_was_refused() {
        let hub = ["127.0.0.1:8080"];
        let targets = [
            ("device.lan", "10.0.0.7:80"),
            ("x", "127.0.0.1:8080"),
            ("x", "[::1]:80"),
            ("localhost", "127.0.0.1:5"),
            ("x", "[::ffff:127.0.0.1]:80"),
            ("bad\"name\n", "10.0.0.7:80"),
            ("x", "169.254.169.254:80"),
            ("x", "[fe80::1]:80"),
        ];
        for (host, addr) in targets {
            let line = check(&policy("", "", "", &hub), host, addr).unwrap_err();
            assert_eq!(
                check(&policy("", "", &line, &hub), host, addr),
                Ok(()),
                "{line}"
            );
        }
        let line = policy("", "", "", &[]).check_listen(81).unwrap_err().grant;
        assert_eq!(policy("", "", &line, &[]).check_listen(81), Ok(()));
    }

    #[test]
    fn it_refuses_loopback_under_a_wildcard() {
        let wide = policy("", "", EVERYTHING, &[]);
        for addr in [
            "127.0.0.1:80",
            "127.9.9.9:80",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert!(check(&wide, "x", addr).is_err(), "{addr}");
        }
        assert_eq!(check(&wide, "x", "10.0.0.1:80"), Ok(()));
    }

    #[test]
    fn it_refuses_link_local_and_metadata_under_a_wildcard() {
        let wide = policy("", "", EVERYTHING, &[]);
        let addrs = [
            "169.254.1.1:80",
            "169.254.169.254:80",
            "[fe80::1]:80",
            "[fd00:ec2::254]:80",
            "100.100.100.200:80",
            "168.63.129.16:80",
            "192.0.0.192:80",
            "[64:ff9b::a9fe:a9fe]:80",
        ];
        for addr in addrs {
            assert!(check(&wide, "x", addr).is_err(), "{addr}");
        }
    }

    #[test]
    fn it_refuses_the_unspecified_address_under_a_wildcard() {
        let wide = policy("", "", EVERYTHING, &[]);
        for addr in ["0.0.0.0:80", "0.1.2.3:80", "[::]:80"] {
            assert!(check(&wide, "x", addr).is_err(), "{addr}");
        }
    }

    #[test]
    fn it_refuses_a_granted_name_that_resolves_to_this_machine() {
        let named = policy("own.lan", "80", "network = [\"device.lan:80\"]", &[]);
        for host in ["device.lan", "own.lan"] {
            assert_eq!(check(&named, host, "10.0.0.1:80"), Ok(()));
            let line = "network = [\"127.0.0.1:80\"]".to_owned();
            assert_eq!(check(&named, host, "127.0.0.1:80"), Err(line));
            assert!(check(&named, host, "169.254.169.254:80").is_err());
        }
    }

    #[test]
    fn it_refuses_a_name_called_localhost_that_leads_elsewhere() {
        let named = policy("", "", "network = [\"localhost:80\"]", &[]);
        assert_eq!(check(&named, "localhost", "127.0.0.1:80"), Ok(()));
        assert!(check(&named, "localhost", "169.254.169.254:80").is_err());
        assert!(check(&named, "evil.lan", "127.0.0.1:80").is_err());
    }

    #[test]
    fn it_refuses_the_hubs_listeners_unless_named_with_their_port() {
        let hub = ["0.0.0.0:8080", "10.1.1.1:9090"];
        for grants in [
            EVERYTHING,
            "network = [\"127.0.0.1:*\", \"10.1.1.1:9000-9100\"]",
        ] {
            let wide = policy("", "", grants, &hub);
            assert!(check(&wide, "x", "127.0.0.1:8080").is_err());
            assert!(check(&wide, "x", "10.1.1.1:9090").is_err());
        }
        let named = policy("", "", "network = [\"127.0.0.1:8080\"]", &hub);
        assert_eq!(check(&named, "x", "127.0.0.1:8080"), Ok(()));
        // The port elsewhere is somebody else's.
        assert_eq!(
            check(&policy("", "", EVERYTHING, &hub), "x", "192.0.2.1:8080"),
            Ok(())
        );
    }

    #[test]
    fn it_refuses_to_listen_on_a_port_that_nobody_named() {
        let own = policy(
            "",
            "8085",
            "listen = [8080, \"9000-9010\"]",
            &["0.0.0.0:9001"],
        );
        for port in [8080, 8085, 9000, 9010] {
            assert_eq!(own.check_listen(port), Ok(()), "{port}");
        }
        for port in [0, 80, 9001, 9011] {
            let denied = own.check_listen(port).unwrap_err();
            assert_eq!(denied.grant, format!("listen = [{port}]"));
        }
    }

    #[test]
    fn it_refuses_with_a_sentence_that_names_the_target_and_no_foreign_text() {
        let none = policy("", "", "", &[]);
        let denied = none
            .check("a\"]\nb", "10.0.0.7:80".parse().unwrap())
            .unwrap_err();
        assert_eq!(denied.what, "connection to 10.0.0.7:80");
        let denied = none.check("metadata.lan", "169.254.169.254:80".parse().unwrap());
        assert_eq!(
            denied.unwrap_err().what,
            "connection to 169.254.169.254:80 (metadata.lan), which is a cloud metadata service"
        );
    }
}
