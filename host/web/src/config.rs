//! The section `[web]` of `cordon.toml`.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use serde::Deserialize;

use crate::access::Rights;
use cordon_base::grants::{HostPattern, is_name};

/// The `[web]` section: who may use the HTTP API.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebConfig {
    /// Who has a password.
    pub users: Vec<WebUser>,
    /// Addresses and networks that need none, such as `192.168.1.0/24`; this machine by
    /// default.
    #[serde(deserialize_with = "networks")]
    pub networks: Vec<HostPattern>,
    /// Proxies whose `X-Forwarded-For` is believed.
    #[serde(deserialize_with = "networks")]
    pub proxies: Vec<HostPattern>,
    /// Names under which browsers may use the hub, beside its addresses, `localhost` and
    /// the machine's own name.
    pub names: Vec<String>,
    /// Other sites whose pages may use the API with all rights of whoever looks at them, such as
    /// `http://192.168.1.5:8082`; none by default.
    pub origins: Vec<String>,
    /// Where pages of plugins are served; on the port after the API's by default.
    pub pages: Option<SocketAddr>,
    /// Where browsers find them, when that is another address, such as behind a proxy.
    #[serde(rename = "pages-url")]
    pub pages_url: Option<String>,
    /// Whether hardware can be added through the API, by admins.
    #[serde(rename = "add-hardware")]
    pub add_hardware: bool,
}

/// One entry of `users`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebUser {
    /// Name to log in with.
    pub name: String,
    /// Password.
    pub password: String,
    /// The rights of the user.
    #[serde(default)]
    pub rights: Rights,
}

impl std::fmt::Debug for WebUser {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebUser")
            .field("name", &self.name)
            .field("rights", &self.rights)
            .finish_non_exhaustive()
    }
}

impl Default for WebConfig {
    fn default() -> Self {
        Self {
            users: Vec::new(),
            networks: vec![
                HostPattern::Network {
                    base: Ipv4Addr::new(127, 0, 0, 0).into(),
                    bits: 8,
                },
                HostPattern::Address(Ipv6Addr::LOCALHOST.into()),
            ],
            proxies: Vec::new(),
            names: Vec::new(),
            origins: Vec::new(),
            pages: None,
            pages_url: None,
            add_hardware: true,
        }
    }
}

impl WebConfig {
    /// Checks the section of a file.
    ///
    /// # Errors
    ///
    /// Words that say what to change.
    pub fn check(&self) -> Result<(), String> {
        // An origin of its own has another port or, behind a proxy, another name.
        if let Some(url) = self.pages_url.as_ref().filter(|url| !is_origin(url)) {
            return Err(format!(
                "`{url}` is no origin; give `pages-url` under [web] the form \
                 https://pages.example.org"
            ));
        }
        if let Some(site) = self.origins.iter().find(|site| !is_origin(site)) {
            return Err(format!(
                "`{site}` is no origin; give `origins` under [web] the form \
                 http://192.168.1.5:8082, one for each site and without a path"
            ));
        }
        if let Some(name) = self.names.iter().find(|name| !is_name(name)) {
            return Err(format!(
                "`{name}` is no name; `names` under [web] are those such as hub.example.org, \
                 without a port"
            ));
        }
        Ok(())
    }
}

/// Whether a text is a scheme with a host, as browsers send it; a slash may be at its end.
fn is_origin(url: &str) -> bool {
    let rest = url.strip_prefix("http://").or(url.strip_prefix("https://"));
    let host = rest.map(|rest| rest.strip_suffix('/').unwrap_or(rest));
    let host = host.unwrap_or_default();
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b".-:[]".contains(&b);
    !host.is_empty() && host.bytes().all(allowed)
}

fn networks<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<HostPattern>, D::Error> {
    let texts = Vec::<String>::deserialize(deserializer)?;
    let pattern = |text: &String| {
        match text.parse() {
            Ok(pattern @ (HostPattern::Address(_) | HostPattern::Network { .. })) => Ok(pattern),
            // A name says nothing of who asks.
            Ok(HostPattern::Any | HostPattern::Name(_)) | Err(_) => Err(serde::de::Error::custom(
                format!("`{text}` is no address and no network such as 192.168.1.0/24"),
            )),
        }
    };
    texts.iter().map(pattern).collect()
}
