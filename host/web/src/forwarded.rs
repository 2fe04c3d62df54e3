//! Where a request comes from, also behind proxies that the operator trusts.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

use cordon_base::grants::HostPattern;

/// Headers by which proxies say that they passed a request on.
const PASSED_ON: [&str; 3] = ["forwarded", "x-forwarded-for", "x-real-ip"];

/// Who sent a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Client {
    /// Their address; that of the proxy where it did not say.
    pub address: IpAddr,
    /// Whether it is surely theirs, so that networks may count.
    pub certain: bool,
}

impl Client {
    /// The client of a connection from `peer`. Of `X-Forwarded-For` the last address
    /// counts that is no proxy's: what stands before it came from the client.
    pub(super) fn new(peer: IpAddr, headers: &HeaderMap, proxies: &[HostPattern]) -> Self {
        let address = peer.to_canonical();
        let is_proxy = |address| proxies.iter().any(|proxy| proxy.contains("", address));
        if !is_proxy(address) {
            let certain = !PASSED_ON.iter().any(|name| headers.contains_key(*name));
            return Self { address, certain };
        }
        let unknown = Self {
            address,
            certain: false,
        };
        let lines = headers.get_all("x-forwarded-for").iter().rev();
        for line in lines {
            let Ok(line) = line.to_str() else {
                return unknown;
            };
            for hop in line.rsplit(',') {
                match address_of(hop.trim()) {
                    Some(hop) if is_proxy(hop) => {}
                    Some(address) => {
                        return Self {
                            address,
                            certain: true,
                        };
                    }
                    None => return unknown,
                }
            }
        }
        unknown
    }
}

/// An address, perhaps with a port.
fn address_of(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let address = bare.unwrap_or(hop).parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(hop.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> (String, bool) {
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append("x-forwarded-for", line.parse().unwrap());
        }
        let proxies = ["10.0.0.1", "10.1.0.0/16"].map(|it| it.parse().unwrap());
        let client = Client::new(peer.parse().unwrap(), &headers, &proxies);
        (client.address.to_string(), client.certain)
    }

    #[test]
    fn a_proxy_is_believed_and_nobody_else() {
        for (peer, forwarded, address, certain) in [
            ("192.168.1.9", &[][..], "192.168.1.9", true),
            ("::ffff:192.168.1.9", &[], "192.168.1.9", true),
            ("192.168.1.9", &["10.2.3.4"], "192.168.1.9", false),
            ("10.0.0.1", &["192.168.1.5"], "192.168.1.5", true),
            ("10.0.0.1", &["192.168.1.5:4711"], "192.168.1.5", true),
            ("10.0.0.1", &["[fd00::5]:4711"], "fd00::5", true),
            ("10.0.0.1", &["[fd00::5]"], "fd00::5", true),
            // The client's own word stands first, and counts for nothing.
            ("10.0.0.1", &["127.0.0.1, 203.0.113.9"], "203.0.113.9", true),
            (
                "10.0.0.1",
                &["127.0.0.1", "203.0.113.9"],
                "203.0.113.9",
                true,
            ),
            ("10.0.0.1", &["203.0.113.9, 10.1.2.3"], "203.0.113.9", true),
            // A proxy that does not say who asked, or says something else.
            ("10.0.0.1", &[], "10.0.0.1", false),
            ("10.0.0.1", &["10.1.2.3"], "10.0.0.1", false),
            ("10.0.0.1", &["127.0.0.1, unknown"], "10.0.0.1", false),
            ("10.0.0.1", &["127.0.0.1,"], "10.0.0.1", false),
        ] {
            let expected = (address.to_owned(), certain);
            assert_eq!(client(peer, forwarded), expected, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn other_headers_make_an_address_uncertain() {
        for name in PASSED_ON {
            let mut headers = HeaderMap::new();
            headers.insert(name, "127.0.0.1".parse().unwrap());
            let peer = "127.0.0.1".parse().unwrap();
            assert!(!Client::new(peer, &headers, &[]).certain, "{name}");
        }
    }
}
