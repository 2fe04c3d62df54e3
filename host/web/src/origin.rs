//! Keeps web pages of others from using somebody's browser against the hub.
//!
//! A page can make a browser send a request here, and the browser adds its own means: an address in
//! a trusted network, a password that it remembers. On plain HTTP in a local network the browser
//! does not even say that a page made it, so nothing follows from headers that are missing. A page
//! cannot make a browser hide that it is one, cannot forge `Origin` or `Referer`, and cannot add a
//! header of its own to a request for another site. Commands of browsers therefore have to show one
//! of these; clients that are no browsers have nothing to show. `docs/api.md` has the rules.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, Method};

use crate::config::WebConfig;

/// The header by which a client says that no page made its request.
const CLIENT: &str = "x-cordon-client";

/// Headers that browsers send and other clients do not. `Sec-Fetch-Mode` is none of
/// them: Node sends it.
const OF_BROWSERS: [&str; 7] = [
    "origin",
    "referer",
    "sec-ch-ua",
    "sec-fetch-dest",
    "sec-fetch-site",
    "sec-fetch-user",
    "upgrade-insecure-requests",
];

/// Endings of names that nobody can have on the internet.
const PRIVATE: [&str; 6] = [
    ".local",
    ".lan",
    ".home",
    ".home.arpa",
    ".internal",
    ".localdomain",
];

/// How much harm a request could do that somebody else's page made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// None: it shows a page that a link from anywhere may lead to.
    Show,
    /// It reads the hub's data.
    Look,
    /// It changes something.
    Change,
}

/// The names and origins that are the hub's own. Clones share them.
#[derive(Debug, Clone)]
pub struct Origins(Arc<Known>);

#[derive(Debug)]
struct Known {
    /// Whether only this machine can connect.
    local_only: bool,
    /// Names of the configuration, in lower case.
    names: Vec<String>,
    /// Sites of the configuration, in lower case and without ports that go without saying: their
    /// pages may do what the hub's own pages may.
    sites: Vec<String>,
    /// The machine's own name, in lower case; empty when it has none.
    machine: String,
}

impl Origins {
    /// The hub's own names and origins on this listener of the API. A listener on a loopback
    /// address refuses every name but `localhost` and those of the configuration.
    #[must_use]
    pub fn new(config: &WebConfig, listener: SocketAddr) -> Self {
        Self::with(config, listener, None, &config.origins)
    }

    /// The hub's own names and origins on this listener of pages, which browsers may find by
    /// `pages-url`.
    #[must_use]
    pub fn of_pages(config: &WebConfig, listener: SocketAddr) -> Self {
        let url = config.pages_url.as_deref();
        let authority = url.and_then(|url| Some(url.split_once("://")?.1));
        let name = authority.map(|it| name_of(it.trim_end_matches('/')));
        Self::with(config, listener, name, &[])
    }

    fn with(
        config: &WebConfig,
        listener: SocketAddr,
        more: Option<&str>,
        sites: &[String],
    ) -> Self {
        let names = config.names.iter().map(String::as_str).chain(more);
        let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let machine = machine.trim().to_ascii_lowercase();
        Self(Arc::new(Known {
            local_only: listener.ip().is_loopback(),
            names: names.map(str::to_ascii_lowercase).collect(),
            sites: sites.iter().map(|site| plain(site)).collect(),
            machine: machine.split('.').next().unwrap_or_default().to_owned(),
        }))
    }

    /// Refuses a request that somebody else's page may have made.
    pub fn check(&self, headers: &HeaderMap, method: &Method, act: Act) -> Result<(), String> {
        self.check_local(headers)?;
        let listed = self.site(headers).is_some();
        if act != Act::Show && !listed && is_foreign(headers) {
            return Err(
                "requests from pages of another origin are refused; `origins` under [web] in \
                 cordon.toml has those that may"
                    .to_owned(),
            );
        }
        if !is_browser(headers) {
            return Ok(());
        }
        self.check_name(headers)?;
        match act {
            Act::Change if !listed && !consents(headers, method) => Err(
                "a browser may give commands by POST from the hub's own pages only; other \
                 clients say who they are with the header `X-Cordon-Client`, whatever is in it"
                    .to_owned(),
            ),
            Act::Show | Act::Look | Act::Change => Ok(()),
        }
    }

    /// The listed site whose page made the request. A page cannot forge the header that says so.
    pub fn site(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let mut origins = headers.get_all("origin").iter();
        let (Some(origin), None) = (origins.next(), origins.next()) else {
            return None;
        };
        let named = plain(origin.to_str().ok()?);
        self.0.sites.contains(&named).then(|| origin.clone())
    }

    /// Refuses requests addressed to another name than this machine's own, where only this machine
    /// can connect.
    fn check_local(&self, headers: &HeaderMap) -> Result<(), String> {
        let name = host_name(headers);
        let known = !self.0.local_only || is_local(&name) || self.0.names.contains(&name);
        match known {
            true => Ok(()),
            false => Err(
                "use the address 127.0.0.1 or the name localhost, or add the name to `names` \
                 under [web] in cordon.toml"
                    .to_owned(),
            ),
        }
    }

    /// Refuses browsers that use a name which is not the hub's: a page could have its own
    /// name lead here, and the browser would take the hub for the page's site.
    pub fn check_name(&self, headers: &HeaderMap) -> Result<(), String> {
        let name = host_name(headers);
        match self.is_own(&name) {
            true => Ok(()),
            false => Err(format!(
                "`{}` is not known to be a name of this hub; use its address, or add the name to \
                 `names` under [web] in cordon.toml",
                shown(&name)
            )),
        }
    }

    fn is_own(&self, name: &str) -> bool {
        let known = &self.0;
        let of_machine = name
            .strip_prefix(known.machine.as_str())
            .is_some_and(|rest| rest.is_empty() || PRIVATE.contains(&rest));
        is_local(name)
            || name.parse::<IpAddr>().is_ok()
            || known.names.iter().any(|own| own == name)
            || (!known.machine.is_empty() && of_machine)
    }

    /// Refuses names that anybody can have, for clients that need no password.
    pub fn check_host(&self, headers: &HeaderMap) -> Result<(), String> {
        let name = host_name(headers);
        let known = self.is_own(&name)
            || !name.contains('.')
            || PRIVATE.iter().any(|ending| name.ends_with(ending));
        match known {
            true => Ok(()),
            false => Err(format!(
                "log in to use the name `{}`, or use the hub's address instead",
                shown(&name)
            )),
        }
    }
}

/// An origin as browsers write it: in lower case, without the port of its scheme.
fn plain(origin: &str) -> String {
    let origin = origin.trim_end_matches('/').to_ascii_lowercase();
    let port = match origin.starts_with("https:") {
        true => ":443",
        false => ":80",
    };
    match origin.strip_suffix(port) {
        Some(rest) => rest.to_owned(),
        None => origin,
    }
}

/// The path of the page of this hub that a browser says made the request.
pub fn own_referer(headers: &HeaderMap) -> Option<&str> {
    let (_, rest) = text(headers, "referer")?.split_once("://")?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let host = text(headers, "host").filter(|host| !host.is_empty())?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    authority.eq_ignore_ascii_case(host).then_some(path)
}

/// Whether the browser says that a page of this very origin made the request.
pub fn is_same_origin(headers: &HeaderMap) -> bool {
    text(headers, "sec-fetch-site") == Some("same-origin")
}

/// Whether a browser sent the request, as far as headers tell. A page has no say in these headers.
pub fn is_browser(headers: &HeaderMap) -> bool {
    let agent = headers.get("user-agent");
    let agent = agent.map(|value| String::from_utf8_lossy(value.as_bytes()));
    let named = match agent {
        // PowerShell calls itself a browser and says that it is none.
        Some(agent) => {
            (agent.contains("Mozilla/") || agent.contains("Opera/"))
                && !agent.contains("PowerShell/")
        }
        // A proxy in between may have taken the name away.
        None => headers.contains_key("accept-language"),
    };
    named || OF_BROWSERS.iter().any(|name| headers.contains_key(*name))
}

/// Whether the browser says that a page of another origin made the request.
fn is_foreign(headers: &HeaderMap) -> bool {
    let site = text(headers, "sec-fetch-site");
    let elsewhere = site.is_some_and(|site| site != "same-origin" && site != "none");
    let host = text(headers, "host").unwrap_or("");
    let own = |origin: &str| {
        let from = origin.split_once("://").map(|(_, from)| from);
        from.is_some_and(|from| from.eq_ignore_ascii_case(host))
    };
    let mut origins = headers.get_all("origin").iter();
    elsewhere || origins.any(|origin| !origin.to_str().is_ok_and(own))
}

/// Whether a page of the hub's own, or a program, made the request, which is known not to be
/// foreign.
fn consents(headers: &HeaderMap, method: &Method) -> bool {
    let posted = !method.is_safe() && headers.contains_key("origin");
    let named = text(headers, CLIENT).is_some_and(|name| !name.trim().is_empty());
    // WebViews of Android fill in names of their own here.
    let scripted = text(headers, "x-requested-with") == Some("XMLHttpRequest");
    posted || named || scripted
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// The name or address of the header `Host`, in lower case, without port and brackets.
/// HTTP/1.0 has none.
fn host_name(headers: &HeaderMap) -> String {
    name_of(text(headers, "host").unwrap_or("")).to_ascii_lowercase()
}

/// A name that can stand in an answer: other characters are left out, so an answer repeats nothing
/// that is no name.
fn shown(name: &str) -> String {
    name.chars()
        .filter(|c| c.is_ascii_alphanumeric() || ".-_:".contains(*c))
        .take(100)
        .collect()
}

/// The name or address in a `Host` header, without port and brackets.
pub fn name_of(host: &str) -> &str {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    name.trim_start_matches('[').trim_end_matches(']')
}

/// Whether a name leads to the loopback interface whoever is asked about it.
fn is_local(name: &str) -> bool {
    let loopback = name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    name.is_empty() || name == "localhost" || loopback
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
