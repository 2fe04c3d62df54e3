//! Whether an instance may send an echo request: the rules for connections, without ports.

use std::net::IpAddr;

use super::{NetworkPolicy, Special, canonical, is_localhost, special};
use cordon_base::error::Denied;
use cordon_base::grants::{HostPattern, is_name, normal_name};

impl NetworkPolicy {
    /// Whether an echo request to `ip` is allowed, to which `host` resolved.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check_echo(&self, host: &str, ip: IpAddr) -> Result<(), Denied> {
        let ip = canonical(ip);
        let special = special(ip);
        let granted = self.grants.icmp.iter().any(|pattern| match special {
            None => pattern.contains(host, ip),
            Some(kind) => pattern.is_exactly(ip) || names_localhost(kind, pattern, host),
        });
        if granted || self.is_own_host(host, ip, special) {
            return Ok(());
        }
        let name = normal_name(host);
        let by_name = special.is_none() && is_name(&name);
        let grant = if by_name { name } else { ip.to_string() };
        let what = format!("echo request to {ip}");
        let grant = format!("icmp = [\"{grant}\"]");
        Err(Denied::new(what, grant, &self.origin))
    }
}

impl NetworkPolicy {
    /// Whether a name may be resolved for an echo request: whether some grant could cover its
    /// addresses.
    ///
    /// # Errors
    ///
    /// The denial with the line of the configuration that would allow it.
    pub fn check_echo_name(&self, host: &str) -> Result<(), Denied> {
        let name = normal_name(host);
        let own = self.own_hosts.iter().any(|own| own.name == name);
        let granted = self.grants.icmp.iter().any(|pattern| match pattern {
            HostPattern::Any | HostPattern::Network { .. } => true,
            HostPattern::Name(granted) => *granted == name,
            HostPattern::Address(_) => false,
        });
        if own || granted {
            return Ok(());
        }
        // Foreign text stays out of a line that an operator may copy.
        let (what, grant) = if is_name(&name) {
            (format!("resolving {name}"), name)
        } else {
            ("resolving a name".to_owned(), "*".to_owned())
        };
        let grant = format!("icmp = [\"{grant}\"]");
        Err(Denied::new(what, grant, &self.origin))
    }
}

fn names_localhost(kind: Special, pattern: &HostPattern, host: &str) -> bool {
    let named = matches!(pattern, HostPattern::Name(name) if is_localhost(name));
    kind == Special::Loopback && named && is_localhost(host)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::super::OwnTarget;
    use super::*;

    fn check(address: &str, grants: &str, host: &str, ip: &str) -> Result<(), String> {
        let own = OwnTarget {
            address: address.to_owned(),
            port: "1".to_owned(),
        };
        let policy = NetworkPolicy::new(&own, toml::from_str(grants).unwrap(), Vec::new());
        let checked = policy.check_echo(host, ip.parse().unwrap());
        checked.map_err(|denied| denied.grant)
    }

    #[test]
    fn the_own_address_needs_no_grant() {
        assert_eq!(check("10.0.0.5", "", "10.0.0.5", "10.0.0.5"), Ok(()));
        assert_eq!(check("device.lan", "", "Device.lan", "10.0.0.5"), Ok(()));
        assert_eq!(check("127.0.0.1", "", "localhost", "127.0.0.1"), Ok(()));
    }

    #[test]
    fn others_need_one_and_are_told_which() {
        let denied = check("10.0.0.5", "", "device.lan", "10.0.0.6");
        assert_eq!(denied, Err("icmp = [\"device.lan\"]".to_owned()));
        let grants = "icmp = [\"10.0.0.0/24\", \"fd00::1\"]";
        assert_eq!(check("", grants, "x.lan", "10.0.0.6"), Ok(()));
        assert_eq!(check("", grants, "fd00::1", "fd00::1"), Ok(()));
        assert!(check("", grants, "x.lan", "10.0.1.6").is_err());
    }

    #[test]
    fn a_name_or_a_star_is_none_for_an_address_that_must_be_named() {
        let grants = "icmp = [\"*\", \"device.lan\"]";
        let denied = check("device.lan", grants, "device.lan", "127.0.0.1");
        assert_eq!(denied, Err("icmp = [\"127.0.0.1\"]".to_owned()));
        assert!(check("", grants, "169.254.169.254", "169.254.169.254").is_err());
        assert_eq!(
            check("", "icmp = [\"localhost\"]", "localhost", "::1"),
            Ok(())
        );
    }
}
