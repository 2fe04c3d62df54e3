//! Grants written back in the words in which they are read: for the operator's API, and for the
//! store.

use std::fmt;
use std::net::IpAddr;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use super::mailbox::Receiver;
use super::{ExecGrant, GrantedPath, HostPattern, NetworkGrant, Ports};

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            _ if *self == Self::ALL => f.write_str("*"),
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

impl fmt::Display for HostPattern {
    /// Addresses of version 6 have no brackets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => f.write_str("*"),
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
            Self::Network { base, bits } => write!(f, "{base}/{bits}"),
        }
    }
}

impl fmt::Display for NetworkGrant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let v6 = match &self.host {
            HostPattern::Address(address) => address.is_ipv6(),
            HostPattern::Network { base, .. } => matches!(base, IpAddr::V6(_)),
            HostPattern::Any | HostPattern::Name(_) => false,
        };
        match v6 {
            true => write!(f, "[{}]:{}", self.host, self.ports),
            false => write!(f, "{}:{}", self.host, self.ports),
        }
    }
}

impl Serialize for NetworkGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for HostPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Ports {
    /// One port is a number.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_exactly(self.first) {
            true => serializer.serialize_u16(self.first),
            false => serializer.collect_str(self),
        }
    }
}

impl Serialize for GrantedPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.path().serialize(serializer)
    }
}

impl Serialize for ExecGrant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.env.is_empty() {
            return self.program.serialize(serializer);
        }
        let mut table = serializer.serialize_struct("ExecGrant", 2)?;
        table.serialize_field("program", &self.program)?;
        table.serialize_field("env", &self.env)?;
        table.end()
    }
}

impl Serialize for Receiver {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(match self {
            Self::Any => "*",
            Self::One(address) => address.as_str(),
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::Grants;

    /// Every word of the grants, in every form.
    const ALL: &str = r#"
network = ["192.168.1.20:80", "device.lan:1883", "192.168.1.0/24:8000-8010", "[fd00::5]:*",
           "[fd00::/8]:443", "*:443", "*:*", "10.0.0.1:0"]
listen = [8080, "9000-9010", "7"]
keys = [{ name = "web", certificate = "/etc/tls/web.pem", key = "/etc/tls/web.key" }]
icmp = ["192.168.1.0/24", "device.lan", "fd00::5", "fd00::/8", "*"]
exec = ["/usr/bin/uptime", { program = "/usr/bin/curl", env = ["SSL_CERT_FILE"] }]
serial = ["/dev/serial/by-id/usb-device-if00"]
mail = ["me@example.org", "*"]
security = true
legacy-tls = ["192.168.1.7", "old.lan"]
"#;

    #[test]
    fn what_is_written_is_read_as_the_same_grants() {
        let grants: Grants = toml::from_str(ALL).unwrap();
        let written = toml::to_string(&grants).unwrap();
        assert_eq!(toml::from_str::<Grants>(&written).unwrap(), grants);
        assert!(written.contains("192.168.1.0/24:8000-8010"), "{written}");
        assert!(written.contains("legacy-tls"), "{written}");
        let none = toml::to_string(&Grants::default()).unwrap();
        assert_eq!(toml::from_str::<Grants>(&none).unwrap(), Grants::default());
    }
}
