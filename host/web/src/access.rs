//! Who may use the API: users with passwords, and networks that need none.
//!
//! As in Domoticz: HTTP Basic, or the parameters `username` and `password`, each in base64
//! (the password as it is, or its MD5 in hexadecimal digits); no sessions. As in Indigo:
//! HTTP Digest. Wrong passwords are counted per address and slow it down to a few a
//! minute, and the log tells of them; passwords are compared in constant time. Without
//! configuration only this machine may, without a password.

use std::net::IpAddr;
use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode, header};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use md5::Md5;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::compare::same;
use crate::config::WebConfig;
use crate::config::WebUser;
use crate::digest::{Challenges, Response, Secret};
use crate::forwarded::Client;
use crate::query::Query;
use crate::refusals::{Refusals, Way, reason};
use crate::throttle::Throttle;
use cordon_base::grants::HostPattern;
use cordon_base::log::EventLog;

/// The actions that a user may take; each includes the one before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Rights {
    /// Look.
    Viewer,
    /// Switch.
    User,
    /// Change devices, settings and hardware.
    #[default]
    Admin,
}

impl Rights {
    /// The number that clients know.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Viewer => 0,
            Self::User => 1,
            Self::Admin => 2,
        }
    }
}

/// The user or network that a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name of the user; empty for a network that needs no password.
    pub name: String,
    /// The rights of this user.
    pub rights: Rights,
}

impl Caller {
    /// Whether the caller needed no password.
    pub fn is_local(&self) -> bool {
        self.name.is_empty()
    }
}

/// Why a request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There was no user and password.
    Missing,
    /// The user or the password was wrong.
    Wrong,
    /// Too many wrong passwords came from this address.
    TooMany,
    /// User and password were right, and the challenge that they answer is no longer good.
    Stale,
}

impl Refusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::Wrong | Self::Stale => StatusCode::UNAUTHORIZED,
            Self::TooMany => StatusCode::TOO_MANY_REQUESTS,
        }
    }

    /// The sentence for whoever asks.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Missing => {
                "log in, or have this address put under `networks` in section [web] of cordon.toml"
            }
            Self::Wrong => "the user or the password is wrong",
            Self::TooMany => "too many wrong passwords came from this address; wait a minute",
            Self::Stale => "answer the challenge of this answer",
        }
    }
}

type Hash = [u8; 32];

struct Account {
    name: String,
    rights: Rights,
    /// Hashes of the password, and of its MD5 in hexadecimal digits.
    hashes: [Hash; 2],
    digest: Secret,
}

impl Account {
    fn caller(&self) -> Caller {
        Caller {
            name: self.name.clone(),
            rights: self.rights,
        }
    }
}

/// The users and networks of the configuration. Clones share the counts.
#[derive(Clone)]
pub struct Access {
    accounts: Arc<[Account]>,
    networks: Arc<[HostPattern]>,
    proxies: Arc<[HostPattern]>,
    throttle: Arc<Throttle>,
    /// Wrong passwords in addresses are counted apart: any web page can have a browser ask for an
    /// address, and would lock out whoever sits before it. No page can send a header with a password.
    in_addresses: Arc<Throttle>,
    challenges: Arc<Challenges>,
    refusals: Arc<Refusals>,
}

impl Access {
    /// The access that a configuration gives. `realm` is the name of the place that the passwords
    /// are for, as clients are told.
    #[must_use]
    pub fn new(config: &WebConfig, realm: &str) -> Self {
        let realm = Arc::from(realm);
        let account = |user: &WebUser| Account {
            name: user.name.clone(),
            rights: user.rights,
            hashes: [hash(&user.password), hash(&md5_hex(&user.password))],
            digest: Secret::new(&user.name, &realm, &user.password),
        };
        Self {
            accounts: config.users.iter().map(account).collect(),
            networks: config.networks.clone().into(),
            proxies: config.proxies.clone().into(),
            throttle: Arc::default(),
            in_addresses: Arc::default(),
            challenges: Arc::new(Challenges::new(Arc::clone(&realm))),
            refusals: Arc::default(),
        }
    }

    /// Tells of refused logins in this log.
    #[must_use]
    pub fn with_log(mut self, log: EventLog) -> Self {
        self.refusals = Arc::new(Refusals::new(log));
        self
    }

    /// Whether there are users.
    pub fn has_users(&self) -> bool {
        !self.accounts.is_empty()
    }

    /// The names of the users with their rights, in the order of the configuration.
    pub fn users(&self) -> impl Iterator<Item = (&str, Rights)> {
        let accounts = self.accounts.iter();
        accounts.map(|account| (account.name.as_str(), account.rights))
    }

    /// Where a request over a connection from `peer` comes from.
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        Client::new(peer, headers, &self.proxies)
    }

    /// Finds out who a request comes from. There is no `query` where a user and a password in it
    /// are not the caller's.
    pub fn admit(
        &self,
        client: Client,
        headers: &HeaderMap,
        query: Option<&Query>,
    ) -> Result<Caller, Refusal> {
        // A password is right or wrong where there are users. Clients that send one
        // everywhere are not guessing.
        let of_users = |(name, password): (String, String), throttle: &Throttle, way: Way| {
            self.log_in(throttle, client.address, way, &name, &password)
        };
        let (header, query) = match self.has_users() {
            true => (in_header(headers), query.and_then(in_query)),
            false => (None, None),
        };
        match (header, query) {
            (Some(given), _) => of_users(given, &self.throttle, Way::Basic),
            (None, Some(given)) => of_users(given, &self.in_addresses, Way::Address),
            (None, None) if self.needs_none(client) => Ok(local()),
            (None, None) => {
                self.tell_without_users(client, headers);
                Err(Refusal::Missing)
            }
        }
    }

    /// Tells of a login to a hub that has no users.
    fn tell_without_users(&self, client: Client, headers: &HeaderMap) {
        if let Some((name, _)) = in_header(headers).filter(|_| !self.has_users()) {
            let reason = "there are no `users` under [web]";
            self.refusals
                .tell(client.address, Way::Basic, Some(&name), reason);
        }
    }

    /// Tells of a request with a key that lets nobody in; `is_known` when it is for something else.
    pub fn refuse_key(&self, peer: IpAddr, is_known: bool) {
        let reason = match is_known {
            true => "the key is for something else",
            false => "there is no such key",
        };
        self.refusals.tell(peer, Way::Key, None, reason);
    }

    /// The outcome of an attempt, of which the log tells when it was refused.
    fn told<T>(
        &self,
        peer: IpAddr,
        way: Way,
        name: Option<&str>,
        outcome: Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        if let Err(refusal) = &outcome
            && let Some(reason) = reason(*refusal)
        {
            self.refusals.tell(peer, way, name, reason);
        }
        outcome
    }

    /// The user of a header `Authorization`, whose text after the word `Basic` is given.
    pub fn basic(&self, peer: IpAddr, coded: &str) -> Result<Caller, Refusal> {
        let (name, password) = name_and_password(coded).ok_or(Refusal::Missing)?;
        self.log_in(&self.throttle, peer, Way::Basic, &name, &password)
    }

    /// The user of a header `Authorization`, whose text after the word `Digest` is given, in a
    /// request of this method for this target.
    pub fn digest(
        &self,
        peer: IpAddr,
        text: &str,
        method: &str,
        target: &str,
    ) -> Result<Caller, Refusal> {
        let response = Response::parse(text).ok_or(Refusal::Missing)?;
        let name = response.user();
        let caller = self.throttle.attempt(peer, || {
            let account = self.accounts.iter().find(|it| it.name == name)?;
            let proved = response.proves(&account.digest, method, target);
            proved.then(|| account.caller())
        });
        let caller = self.told(peer, Way::Digest, Some(name), caller)?;
        match self.challenges.take(&response) {
            true => Ok(caller),
            false => Err(Refusal::Stale),
        }
    }

    /// The headers that ask for a user and a password; none without users.
    pub fn challenges(&self, refusal: Refusal) -> Vec<String> {
        if !self.has_users() {
            return Vec::new();
        }
        let mut asked = Vec::from(self.challenges.ask(refusal == Refusal::Stale));
        let realm = self.challenges.realm();
        asked.push(format!("Basic realm=\"{realm}\", charset=\"UTF-8\""));
        asked
    }

    /// The user of this name and password; `password` may also be its MD5.
    fn log_in(
        &self,
        throttle: &Throttle,
        peer: IpAddr,
        way: Way,
        name: &str,
        password: &str,
    ) -> Result<Caller, Refusal> {
        let caller = throttle.attempt(peer, || {
            // Every account is looked at, so that the time tells nothing of the names.
            let [given, again] = forms(name);
            let passwords = forms(password);
            let mut found = None;
            for account in self.accounts.iter() {
                let own = hash(&account.name);
                let named = same(&own, &given) | same(&own, &again);
                let [plain, md5] = &account.hashes;
                let right = passwords
                    .iter()
                    .fold(false, |right, it| right | same(plain, it) | same(md5, it));
                if named & right {
                    found = Some(account.caller());
                }
            }
            found
        });
        self.told(peer, way, Some(name), caller)
    }

    /// Whether a code is the right one; a wrong one counts as a wrong password.
    pub fn compare(&self, peer: IpAddr, given: &str, code: &str) -> Result<(), Refusal> {
        let compared = self
            .throttle
            .attempt(peer, || same(&hash(given), &hash(code)).then_some(()));
        self.told(peer, Way::Code, None, compared)
    }

    /// Whether a request comes from a network that needs no password. One that a proxy
    /// passed on without saying for whom does not: its address is the proxy's.
    pub fn needs_none(&self, client: Client) -> bool {
        let mut networks = self.networks.iter();
        client.certain && networks.any(|network| network.contains("", client.address))
    }
}

/// The hashes of a text as it is and, where it is base64 itself, of what that stands for: some
/// clients encode twice.
fn forms(text: &str) -> [Hash; 2] {
    let once = hash(text);
    [once, decode(text).map_or(once, |text| hash(&text))]
}

fn local() -> Caller {
    Caller {
        name: String::new(),
        rights: Rights::Admin,
    }
}

fn in_header(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get(header::AUTHORIZATION);
    let given = header.and_then(|value| value.to_str().ok());
    given.and_then(basic)
}

fn basic(header: &str) -> Option<(String, String)> {
    let (scheme, coded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    name_and_password(coded)
}

/// Name and password as `Basic` has them.
fn name_and_password(coded: &str) -> Option<(String, String)> {
    let text = decode(coded)?;
    let (name, password) = text.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

fn in_query(query: &Query) -> Option<(String, String)> {
    Some((
        decode(query.text("username")?)?,
        decoded_password(query.text("password")?)?,
    ))
}

/// A password as a parameter has it: in base64, or as an MD5.
fn decoded_password(text: &str) -> Option<String> {
    let is_md5 = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    match is_md5 {
        true => Some(text.to_ascii_lowercase()),
        false => decode(text),
    }
}

/// Text in base64. A form may have made blanks of the plus signs, and a client may have put the
/// signs of base64 into percent codes before its library did so again.
pub fn decode(text: &str) -> Option<String> {
    let text = text.trim().replace(' ', "+");
    let text =
        [("%3d", "="), ("%2b", "+"), ("%2f", "/")]
            .iter()
            .fold(text, |text, (code, sign)| {
                text.replace(code, sign)
                    .replace(&code.to_ascii_uppercase(), sign)
            });
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    String::from_utf8(bytes).ok()
}

/// The MD5 of a text in lower-case hexadecimal digits.
pub fn md5_hex(text: &str) -> String {
    let digest = Md5::digest(text.as_bytes());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn hash(text: &str) -> Hash {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
