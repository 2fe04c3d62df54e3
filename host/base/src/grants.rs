//! Permissions that the operator gives an instance beyond its own parameters: `[grants]`.
//!
//! Holds the words of the configuration and nothing else; `egress` decides with them. A word that
//! is not understood is an error at start, never ignored.
//!
//! ```toml
//! [grants]
//! network = ["192.168.1.20:80", "device.lan:1883", "192.168.1.0/24:8000-8010", "[fd00::5]:*", "*:443"]
//! listen = [8080, "9000-9010"]
//! keys = [{ name = "web", certificate = "/etc/tls/web.pem", key = "/etc/tls/web.key" }]
//! icmp = ["192.168.1.0/24", "device.lan"]
//! exec = ["/usr/bin/uptime", { program = "/usr/bin/curl", env = ["SSL_CERT_FILE"] }]
//! serial = ["/dev/serial/by-id/usb-device-if00"]
//! mail = ["me@example.org"]
//! security = true
//! ```

pub mod exec;
pub mod mailbox;
mod path;
mod words;

pub use exec::ExecGrant;
pub use path::GrantedPath;

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;

use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use crate::error::EngineError;
use mailbox::Receiver;

/// The `[grants]` table of one instance; empty grants allow nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grants {
    /// Targets of outgoing connections and datagrams.
    pub network: Vec<NetworkGrant>,
    /// Ports on which the instance may listen.
    pub listen: Vec<Ports>,
    /// Hosts to which the instance may send echo requests.
    pub icmp: Vec<HostPattern>,
    /// Programs that the hub may run for the instance, with any arguments.
    pub exec: Vec<ExecGrant>,
    /// Serial ports that the instance may open.
    pub serial: Vec<GrantedPath>,
    /// To whom an Indigo plugin may send mail through the hub: addresses, or `*`.
    pub mail: Vec<Receiver>,
    /// Whether security panels of a Domoticz plugin arm and disarm the house.
    pub security: bool,
    /// Certificates whose private keys the instance may use and never sees.
    pub keys: Vec<KeyGrant>,
    /// Devices with which TLS may use algorithms that are broken by now, as long as certificates are
    /// not verified.
    pub legacy_tls: Vec<HostPattern>,
}

impl Grants {
    /// The keys of the table that grant something.
    #[must_use]
    pub fn granted(&self) -> Vec<&'static str> {
        let Self {
            network,
            listen,
            icmp,
            exec,
            serial,
            mail,
            security,
            keys,
            legacy_tls,
        } = self;
        let keys = [
            ("network", !network.is_empty()),
            ("listen", !listen.is_empty()),
            ("icmp", !icmp.is_empty()),
            ("exec", !exec.is_empty()),
            ("serial", !serial.is_empty()),
            ("mail", !mail.is_empty()),
            ("security", *security),
            ("keys", !keys.is_empty()),
            ("legacy-tls", !legacy_tls.is_empty()),
        ];
        let granted = keys.into_iter().filter(|(_, given)| *given);
        granted.map(|(key, _)| key).collect()
    }
}

/// One entry of `keys`: module `ssl` may show this certificate, as
/// `load_cert_chain("grant:NAME")`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KeyGrant {
    /// The plugin's name for the certificate.
    pub name: String,
    /// PEM file with the certificate and those that lead to its root.
    pub certificate: PathBuf,
    /// PEM file with the private key, not encrypted.
    pub key: PathBuf,
}

/// `HOST:PORTS`: one entry of `network`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetworkGrant {
    /// Which hosts.
    pub host: HostPattern,
    /// Which of their ports.
    pub ports: Ports,
}

/// The host part of a network grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostPattern {
    /// `*`: any host, but for the addresses that must be named.
    Any,
    /// A name as the plugin writes it, in lower case, without a final dot.
    Name(String),
    /// One address; the only way to name a special one.
    Address(IpAddr),
    /// A network such as `192.168.1.0/24`.
    Network {
        /// First address of the network.
        base: IpAddr,
        /// Bits that must agree.
        bits: u8,
    },
}

/// A port, a range of ports, or all: `80`, `8000-8010`, `*`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    first: u16,
    last: u16,
}

impl Ports {
    /// Every port: `*`.
    pub const ALL: Self = Self {
        first: 0,
        last: u16::MAX,
    };

    /// One port.
    pub fn one(port: u16) -> Self {
        Self {
            first: port,
            last: port,
        }
    }

    /// Whether `port` is one of them.
    pub fn contains(self, port: u16) -> bool {
        (self.first..=self.last).contains(&port)
    }

    /// Whether `port` is the only one, so that the operator meant exactly it.
    pub fn is_exactly(self, port: u16) -> bool {
        self == Self::one(port)
    }
}

impl HostPattern {
    /// Whether the pattern is this very address.
    pub fn is_exactly(&self, address: IpAddr) -> bool {
        matches!(self, Self::Address(named) if *named == address)
    }

    /// Whether a connection to `host`, which is at `address`, is meant.
    pub fn contains(&self, host: &str, address: IpAddr) -> bool {
        match self {
            Self::Any => true,
            Self::Name(name) => *name == normal_name(host),
            Self::Address(named) => *named == address,
            Self::Network { base, bits } => same_network(*base, address, *bits),
        }
    }
}

/// Host names compare without case and without the dot of the root.
pub fn normal_name(host: &str) -> String {
    host.trim().trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a name is made of the characters of host names, so that it can stand in a grant.
/// Everything else is written as an address.
pub fn is_name(host: &str) -> bool {
    let fits = (1..=253).contains(&host.len());
    let letters = host
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'));
    // `10.0.0` or `1.2.3.4.5` is a mistyped address, not a name.
    let named = host.bytes().any(|byte| byte.is_ascii_alphabetic());
    fits && letters && named && !host.starts_with('.')
}

/// The bits of an address, from the highest, in 128.
fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()) << 96,
        IpAddr::V6(address) => address.to_bits(),
    }
}

fn same_network(base: IpAddr, address: IpAddr, bits: u8) -> bool {
    let mask = u128::MAX
        .checked_shl(128_u32.saturating_sub(u32::from(bits)))
        .unwrap_or(0);
    base.is_ipv4() == address.is_ipv4() && bits_of(base) & mask == bits_of(address) & mask
}

impl FromStr for NetworkGrant {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        let (host, ports) = text.rsplit_once(':').ok_or_else(|| network_error(text))?;
        Ok(Self {
            host: parse_host(host).ok_or_else(|| network_error(text))?,
            ports: parse_ports(ports).ok_or_else(|| network_error(text))?,
        })
    }
}

impl FromStr for Ports {
    type Err = EngineError;

    fn from_str(text: &str) -> Result<Self, EngineError> {
        // Nobody means to listen on every port.
        match parse_ports(text) {
            Some(ports) if ports != Self::ALL => Ok(ports),
            _ => Err(listen_error(text)),
        }
    }
}

fn network_error(text: &str) -> EngineError {
    EngineError::Config(format!(
        "network grant {text:?} is not understood; write HOST:PORT, where HOST is a name, an address, \
         a network such as 192.168.1.0/24 or *, IPv6 in brackets, and PORT is a number, a range such \
         as 8000-8010 or *"
    ))
}

fn icmp_error(text: &str) -> EngineError {
    EngineError::Config(format!(
        "icmp grant {text:?} is not understood; write a name, an address, a network such as \
         192.168.1.0/24 or *"
    ))
}

fn listen_error(text: &str) -> EngineError {
    EngineError::Config(format!(
        "listen grant {text:?} is not understood; write a port such as 8080 or a range such as \"9000-9010\""
    ))
}

impl FromStr for HostPattern {
    type Err = EngineError;

    /// As in a network grant; without a port IPv6 needs no brackets.
    fn from_str(text: &str) -> Result<Self, EngineError> {
        let bracketed = if text.contains(':') && !text.starts_with('[') {
            format!("[{text}]")
        } else {
            text.to_owned()
        };
        parse_host(&bracketed).ok_or_else(|| icmp_error(text))
    }
}

fn parse_host(text: &str) -> Option<HostPattern> {
    if text == "*" {
        return Some(HostPattern::Any);
    }
    let bracketed = text
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let inner = bracketed.unwrap_or(text);
    let (address, bits) = match inner.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (inner, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else {
        let name = normal_name(inner);
        let plain = bits.is_none() && bracketed.is_none() && is_name(&name);
        return plain.then_some(HostPattern::Name(name));
    };
    // `fd00::5:80` would be ambiguous without brackets.
    if address.is_ipv6() != bracketed.is_some() {
        return None;
    }
    network(address, bits)
}

fn network(address: IpAddr, bits: Option<&str>) -> Option<HostPattern> {
    let width = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse::<u8>().ok().filter(|&bits| bits <= width)?,
        None => width,
    };
    Some(if bits == width {
        HostPattern::Address(address.to_canonical())
    } else {
        HostPattern::Network {
            base: address,
            bits,
        }
    })
}

fn parse_ports(text: &str) -> Option<Ports> {
    if text == "*" {
        return Some(Ports::ALL);
    }
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let ports = Ports {
        first: parse_port(first)?,
        last: parse_port(last)?,
    };
    (ports.first <= ports.last).then_some(ports)
}

/// A port of digits only, as a plugin or an operator types it.
pub fn parse_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| digits)
}

impl<'de> Deserialize<'de> for NetworkGrant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for HostPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PortsVisitor)
    }
}

struct PortsVisitor;

impl Visitor<'_> for PortsVisitor {
    type Value = Ports;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a port such as 8080 or a range such as \"9000-9010\"")
    }

    fn visit_i64<E: de::Error>(self, port: i64) -> Result<Ports, E> {
        u16::try_from(port)
            .map(Ports::one)
            .map_err(|_| E::custom(listen_error(&port.to_string())))
    }

    fn visit_u64<E: de::Error>(self, port: u64) -> Result<Ports, E> {
        u16::try_from(port)
            .map(Ports::one)
            .map_err(|_| E::custom(listen_error(&port.to_string())))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Ports, E> {
        text.parse().map_err(E::custom)
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

    fn contains(grant: &str, host: &str, address: &str, port: u16) -> bool {
        let grant: NetworkGrant = grant.parse().unwrap();
        grant.host.contains(host, address.parse().unwrap()) && grant.ports.contains(port)
    }

    #[test]
    fn the_table_is_read_from_toml() {
        let grants: Grants = toml::from_str(
            "network = [\"10.0.0.5:*\", \"[fd00::/8]:80\"]\nlisten = [8080, \"9000-9010\"]",
        )
        .unwrap();
        assert_eq!(grants.network[0].ports, Ports::ALL);
        assert!(grants.listen[0].is_exactly(8080));
        assert!(grants.listen[1].contains(9010) && !grants.listen[1].contains(9011));
        assert_eq!(toml::from_str::<Grants>("").unwrap(), Grants::default());
    }

    #[test]
    fn it_refuses_an_unknown_grant() {
        let error = toml::from_str::<Grants>("netwrok = []").unwrap_err();
        assert!(error.to_string().contains("netwrok"), "{error}");
    }

    #[test]
    fn it_refuses_a_grant_that_it_does_not_understand_and_says_what_it_expects() {
        let wrong = [
            "",
            "device.lan",
            "device.lan:",
            ":80",
            "device.lan:http",
            "device.lan:90-80",
            "device.lan:65536",
            "device.lan:+80",
            "10.0.0.0/33:80",
            "10.0.0.0/x:80",
            "10.0.0:80",
            "fd00::5:80",
            "[10.0.0.1]:80",
            "[name]:80",
            "a b:80",
            "*.lan:80",
            "name/24:80",
        ];
        for text in wrong {
            let error = text.parse::<NetworkGrant>().expect_err(text).to_string();
            assert!(error.contains(&format!("{text:?}")), "{error}");
            assert!(error.contains("HOST:PORT"), "{error}");
        }
        let error = toml::from_str::<Grants>("network = [\"nonsense\"]").unwrap_err();
        assert!(error.to_string().contains("nonsense"), "{error}");
    }

    #[test]
    fn it_refuses_a_listen_grant_that_is_no_port() {
        for text in [
            "listen = [\"*\"]",
            "listen = [70000]",
            "listen = [-1]",
            "listen = [\"x\"]",
        ] {
            let error = toml::from_str::<Grants>(text).expect_err(text).to_string();
            assert!(error.contains("9000-9010"), "{error}");
        }
    }

    #[test]
    fn a_network_contains_its_addresses_only() {
        assert!(contains("192.168.1.0/24:80", "x", "192.168.1.255", 80));
        assert!(!contains("192.168.1.0/24:80", "x", "192.168.2.0", 80));
        assert!(!contains("192.168.1.0/24:80", "x", "192.168.1.1", 81));
        assert!(contains("[fd00::/8]:*", "x", "fd12::1", 5));
        assert!(!contains("[fd00::/8]:*", "x", "fe00::1", 5));
        assert!(contains("0.0.0.0/0:*", "x", "8.8.8.8", 5));
        assert!(!contains("0.0.0.0/0:*", "x", "2001:db8::1", 5));
    }

    #[test]
    fn a_name_is_compared_as_the_plugin_wrote_it() {
        assert!(contains("Device.LAN:80", "device.lan.", "10.1.1.1", 80));
        assert!(!contains("device.lan:80", "other.lan", "10.1.1.1", 80));
    }

    #[test]
    fn a_full_prefix_names_one_address() {
        let grant: NetworkGrant = "127.0.0.1/32:80".parse().unwrap();
        assert!(grant.host.is_exactly("127.0.0.1".parse().unwrap()));
    }
}
