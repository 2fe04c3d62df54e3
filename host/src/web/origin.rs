//! Keeps other sites' pages from using a browser that can reach the hub.

use std::net::IpAddr;

use axum::http::HeaderMap;

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Refuses what a browser says comes from a page of another site; with `local_only` also
/// what is addressed to another name than this machine's own.
pub(super) fn check(headers: &HeaderMap, local_only: bool) -> Result<(), String> {
    let host = text(headers, "host").unwrap_or("");
    if text(headers, "sec-fetch-site").is_some_and(|site| site == "cross-site") {
        return Err("requests from other web sites are refused".to_owned());
    }
    let own = |origin: &str| {
        origin
            .split_once("://")
            .is_some_and(|(_, from)| from == host)
    };
    if text(headers, "origin").is_some_and(|origin| !own(origin)) {
        return Err("requests from pages of another origin are refused".to_owned());
    }
    check_local(headers, local_only)
}

/// Refuses, with `local_only`, what is addressed to another name than this machine's own.
pub(super) fn check_local(headers: &HeaderMap, local_only: bool) -> Result<(), String> {
    if local_only && !is_local(text(headers, "host").unwrap_or("")) {
        return Err("use the address 127.0.0.1 or the name localhost".to_owned());
    }
    Ok(())
}

/// Refuses names that anybody can have, for clients that need no password: a page could
/// have its own name lead here, and the browser would take the hub for the page's site.
pub(super) fn check_host(headers: &HeaderMap) -> Result<(), String> {
    let name = name_of(text(headers, "host").unwrap_or("")).to_ascii_lowercase();
    let private = [
        ".local",
        ".lan",
        ".home",
        ".home.arpa",
        ".internal",
        ".localdomain",
    ];
    let known = name.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || private.iter().any(|ending| name.ends_with(ending));
    match known {
        true => Ok(()),
        false => Err(format!(
            "log in to use the name `{name}`, or use the hub's address instead"
        )),
    }
}

/// The name or address in a `Host` header, without port and brackets.
fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']')
}

/// Whether a `Host` header names the loopback interface. HTTP/1.0 has none.
fn is_local(host: &str) -> bool {
    let name = name_of(host);
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    name.is_empty() || name.eq_ignore_ascii_case("localhost") || loopback
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_this_machine_are_known() {
        let own = [
            "localhost",
            "LOCALHOST:80",
            "127.0.0.1:8080",
            "[::1]:8080",
            "",
        ];
        for host in own {
            assert!(is_local(host), "{host}");
        }
        assert!(!is_local("localhost.evil.example") && !is_local("192.168.1.2:80"));
    }

    #[test]
    fn without_a_password_only_private_names_are_taken() {
        let named = |host: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("host", host.parse().unwrap());
            check_host(&headers).is_ok()
        };
        assert!(
            named("192.168.1.2:8080")
                && named("[fd00::2]:80")
                && named("hub")
                && named("hub.lan:80")
        );
        assert!(!named("evil.example") && !named("evil.example:8080"));
    }
}
