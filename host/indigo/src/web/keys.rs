//! API keys: who may use the Indigo API, and how much of it.
//!
//! The original asks its maker's cloud about keys. Here they are in `cordon.toml`. A key that goes
//! into the address of a plugin's page can be read by that page, so a key can be bound to the
//! plugins whose pages it opens.

use axum::http::{HeaderMap, Uri, header};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::parts;
use cordon_web::access::Rights;
use cordon_web::compare::same;

/// Shortest key in bytes, so that keys cannot be guessed.
const SHORTEST: usize = 16;
/// Longest key in bytes.
const LONGEST: usize = 512;
/// Most keys.
const MOST: usize = 1000;

/// The section `[indigo-api]` of `cordon.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct IndigoApiConfig {
    /// Whether a key is asked for. `false` is allowed on a loopback listener only, and lets in all
    /// who need no password.
    pub authentication: bool,
    /// The keys. Without one nobody is let in.
    pub keys: Vec<KeyConfig>,
    /// Plugins whose pages may act in the name of the hub's own pages. The pages of all
    /// others are kept apart from the hub and from each other by the browser.
    pub same_origin_pages: Vec<String>,
}

impl Default for IndigoApiConfig {
    fn default() -> Self {
        Self {
            authentication: true,
            keys: Vec::new(),
            same_origin_pages: Vec::new(),
        }
    }
}

/// One `[[indigo-api.keys]]` section.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyConfig {
    /// Name of the key's user, for the operator.
    pub name: String,
    /// The secret.
    pub key: String,
    /// Ids of the plugins whose pages the key opens. Without any it opens everything.
    #[serde(default)]
    pub plugins: Vec<String>,
    /// Rights of the key, as a user has them.
    #[serde(default)]
    pub rights: Rights,
}

impl std::fmt::Debug for KeyConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyConfig")
            .field("name", &self.name)
            .field("plugins", &self.plugins)
            .field("rights", &self.rights)
            .finish_non_exhaustive()
    }
}

impl IndigoApiConfig {
    /// Checks the section of a file.
    ///
    /// # Errors
    /// The change that is needed. Never shows a key.
    pub fn check(&self, loopback: bool) -> Result<(), String> {
        if !self.authentication && !loopback {
            return Err(
                "`authentication = false` under [indigo-api] needs `listen` under [hub] to be a \
                 loopback address"
                    .to_owned(),
            );
        }
        if self.keys.len() > MOST {
            return Err(format!("more than {MOST} [[indigo-api.keys]] sections"));
        }
        for (index, key) in self.keys.iter().enumerate() {
            if !(SHORTEST..=LONGEST).contains(&key.key.len()) {
                return Err(format!(
                    "the key `{}` under [[indigo-api.keys]] has {} characters; give it {SHORTEST} \
                     to {LONGEST}",
                    key.name,
                    key.key.len()
                ));
            }
            let before = self.keys.iter().take(index);
            if before.clone().any(|other| other.key == key.key) {
                return Err(format!(
                    "the key `{}` under [[indigo-api.keys]] is that of another section; \
                     give each its own",
                    key.name
                ));
            }
        }
        Ok(())
    }
}

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted<'a> {
    /// See the objects and the plugins.
    Look,
    /// Give commands.
    Operate,
    /// Change the setup of the house: add, change and remove objects.
    Configure,
    /// See pages of this plugin.
    Pages(&'a str),
    /// See files that belong to pages of this plugin.
    Files(&'a str),
}

impl Wanted<'_> {
    /// The rights that a user must have for the purpose. A page may do whatever its plugin does.
    pub(super) fn rights(self) -> Rights {
        match self {
            Self::Look | Self::Files(_) => Rights::Viewer,
            Self::Operate | Self::Pages(_) => Rights::User,
            Self::Configure => Rights::Admin,
        }
    }
}

/// The verdict on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The request has a key for its purpose, with these rights.
    Allowed(Rights),
    /// No key is asked for. The caller still has to keep out other web sites, and users who would
    /// need a password.
    Open,
    /// The request has no key, or one that is not known.
    NoKey,
    /// The key is for something else.
    WrongKey,
}

/// The keys, kept as digests only.
#[derive(Debug, Clone, Default)]
pub(super) struct ApiKeys {
    authentication: bool,
    keys: Vec<Known>,
}

#[derive(Debug, Clone)]
struct Known {
    /// Name of the key's user.
    name: String,
    digest: [u8; 32],
    plugins: Vec<String>,
    rights: Rights,
}

impl ApiKeys {
    pub(super) fn new(config: &IndigoApiConfig) -> Self {
        let known = |key: &KeyConfig| Known {
            name: key.name.clone(),
            digest: digest(&key.key),
            plugins: key.plugins.clone(),
            rights: key.rights,
        };
        Self {
            authentication: config.authentication,
            keys: config.keys.iter().map(known).collect(),
        }
    }

    /// Judges a request.
    pub(super) fn judge(&self, headers: &HeaderMap, uri: &Uri, wanted: Wanted<'_>) -> Verdict {
        let presented = presented(headers, uri);
        let Some(presented) = presented.filter(|key| key.len() <= LONGEST) else {
            return if self.authentication {
                Verdict::NoKey
            } else {
                Verdict::Open
            };
        };
        let presented = digest(&presented);
        // Every key is compared whole, so that the time tells nothing.
        let mut verdict = Verdict::NoKey;
        for key in &self.keys {
            if same(&key.digest, &presented) {
                let covers = match wanted {
                    _ if key.rights < wanted.rights() => false,
                    _ if key.plugins.is_empty() => true,
                    Wanted::Look | Wanted::Operate | Wanted::Configure => false,
                    Wanted::Pages(plugin) | Wanted::Files(plugin) => {
                        key.plugins.iter().any(|known| known == plugin)
                    }
                };
                verdict = if covers {
                    Verdict::Allowed(key.rights)
                } else {
                    Verdict::WrongKey
                };
            }
        }
        verdict
    }
}

/// Whether a request has a key, known or not.
pub(super) fn has_key(headers: &HeaderMap, uri: &Uri) -> bool {
    presented(headers, uri).is_some()
}

impl ApiKeys {
    /// The name of the user whose key a request has.
    pub(super) fn holder(&self, headers: &HeaderMap, uri: &Uri) -> Option<&str> {
        let presented = presented(headers, uri).filter(|key| key.len() <= LONGEST)?;
        let presented = digest(&presented);
        // Every key is compared, so that the time tells nothing.
        let mut found = None;
        for key in &self.keys {
            if same(&key.digest, &presented) {
                found = Some(key.name.as_str());
            }
        }
        found
    }
}

/// The key of a request: the one in its header, or else the one in its address.
fn presented(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    let value = headers.get(header::AUTHORIZATION);
    if let Some(value) = value.and_then(|value| value.to_str().ok())
        && let Some((scheme, key)) = value.trim().split_once(' ')
        && scheme.eq_ignore_ascii_case("bearer")
    {
        return Some(key.trim().to_owned());
    }
    let pairs = parts::query_pairs(uri).ok()?;
    let mut keys = pairs.into_iter().filter(|(name, _)| is_key_name(name));
    keys.next().map(|(_, key)| key)
}

/// Names under which an address may have a key: the documented one, and the one that
/// older texts of the original use.
pub(super) fn is_key_name(name: &str) -> bool {
    matches!(name, "api-key" | "api_key")
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(authentication: bool) -> IndigoApiConfig {
        let key = |name: &str, key: &str, plugins: &[&str]| KeyConfig {
            name: name.to_owned(),
            key: key.to_owned(),
            plugins: plugins.iter().map(|it| (*it).to_owned()).collect(),
            rights: match name {
                "eye" => Rights::Viewer,
                "hand" => Rights::User,
                _ => Rights::Admin,
            },
        };
        IndigoApiConfig {
            authentication,
            keys: vec![
                key("all", "a-long-key-of-all", &[]),
                key("some", "a-long-key-of-some", &["com.a", "com.b"]),
                key("eye", "a-long-key-to-look", &[]),
                key("hand", "a-long-key-to-touch", &[]),
            ],
            same_origin_pages: Vec::new(),
        }
    }

    fn judge(
        config: &IndigoApiConfig,
        bearer: Option<&str>,
        uri: &str,
        wanted: Wanted<'_>,
    ) -> Verdict {
        let mut headers = HeaderMap::new();
        if let Some(value) = bearer {
            headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        }
        ApiKeys::new(config).judge(&headers, &uri.parse().unwrap(), wanted)
    }

    #[test]
    fn a_key_opens_what_it_is_for() {
        let config = config(true);
        let cases = [
            (
                Some("Bearer a-long-key-of-all"),
                "/",
                Wanted::Operate,
                Verdict::Allowed(Rights::Admin),
            ),
            (
                Some("bearer  a-long-key-of-all"),
                "/",
                Wanted::Pages("com.c"),
                Verdict::Allowed(Rights::Admin),
            ),
            (
                None,
                "/?x=1&api-key=a-long-key-of-all",
                Wanted::Operate,
                Verdict::Allowed(Rights::Admin),
            ),
            (
                None,
                "/?api_key=a%2Dlong-key-of-all",
                Wanted::Operate,
                Verdict::Allowed(Rights::Admin),
            ),
            (
                Some("Bearer a-long-key-of-some"),
                "/",
                Wanted::Pages("com.b"),
                Verdict::Allowed(Rights::Admin),
            ),
            (
                Some("Bearer a-long-key-of-some"),
                "/",
                Wanted::Pages("com.c"),
                Verdict::WrongKey,
            ),
            (
                Some("Bearer a-long-key-of-some"),
                "/",
                Wanted::Operate,
                Verdict::WrongKey,
            ),
            (None, "/", Wanted::Operate, Verdict::NoKey),
            (
                Some("Bearer wrong"),
                "/?api-key=a-long-key-of-all",
                Wanted::Operate,
                Verdict::NoKey,
            ),
            (
                Some("Basic a-long-key-of-all"),
                "/",
                Wanted::Operate,
                Verdict::NoKey,
            ),
            (Some("Bearer "), "/", Wanted::Operate, Verdict::NoKey),
            (None, "/?api-key=", Wanted::Operate, Verdict::NoKey),
        ];
        for (bearer, uri, wanted, expected) in cases {
            assert_eq!(
                judge(&config, bearer, uri, wanted),
                expected,
                "{bearer:?} {uri}"
            );
        }
    }

    #[test]
    fn a_key_does_what_its_rights_are_for() {
        let all = [
            Wanted::Look,
            Wanted::Operate,
            Wanted::Pages("com.a"),
            Wanted::Configure,
        ];
        for (key, allowed) in [("to-look", 1), ("to-touch", 3), ("of-all", 4)] {
            let bearer = format!("Bearer a-long-key-{key}");
            for (index, wanted) in all.into_iter().enumerate() {
                let verdict = judge(&config(true), Some(&bearer), "/", wanted);
                let is_allowed = matches!(verdict, Verdict::Allowed(_));
                assert_eq!(is_allowed, index < allowed, "{key} {wanted:?}");
            }
        }
    }

    #[test]
    fn without_authentication_only_a_wrong_key_is_refused() {
        let config = config(false);
        assert_eq!(judge(&config, None, "/", Wanted::Operate), Verdict::Open);
        let wrong = judge(&config, Some("Bearer wrong"), "/", Wanted::Operate);
        assert_eq!(wrong, Verdict::NoKey);
    }

    #[test]
    fn an_empty_section_lets_nobody_in() {
        let config = IndigoApiConfig::default();
        assert_eq!(judge(&config, None, "/", Wanted::Operate), Verdict::NoKey);
        let some = judge(&config, Some("Bearer x"), "/", Wanted::Pages("com.a"));
        assert_eq!(some, Verdict::NoKey);
    }

    #[test]
    fn careless_sections_are_refused_and_keys_not_shown() {
        let mut bad = config(true);
        bad.keys[0].key = "short".to_owned();
        let text = bad.check(true).unwrap_err();
        assert!(
            text.contains("key `all`") && !text.contains("short"),
            "{text}"
        );
        let mut bad = config(true);
        bad.keys[1].key = bad.keys[0].key.clone();
        assert!(bad.check(true).unwrap_err().contains("another section"));
        assert!(config(false).check(false).unwrap_err().contains("loopback"));
        assert!(config(false).check(true).is_ok() && config(true).check(false).is_ok());
        assert!(!format!("{:?}", config(true)).contains("a-long-key"));
    }
}
