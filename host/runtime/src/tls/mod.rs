//! TLS for sockets that plugins drive themselves: contexts and sessions by id.
//!
//! Holds the contexts and sessions of the `tls` interface in one instance. A session has no socket:
//! bytes go in and come out through the interface, so nothing here blocks and nothing here can
//! reach a peer. Ids are given out once and never again.
//!
//! [`trust`] decides about certificates, [`context`] holds settings, [`session`] is one
//! conversation, [`failure`] names a failure as OpenSSL does.

pub mod context;
pub mod failure;
pub mod identity;
pub mod session;
pub mod trust;

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi::cordon::plugin::tls::{Failure, Identity, Refusal, Settings};
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_base::grants::{HostPattern, KeyGrant};
use cordon_base::hint::Origin;
use cordon_base::limits::Limits;
use cordon_reach::tls_client::SESSION;

use context::Context;
use identity::KeyFiles;
use session::Session;

/// Bytes that a context holds beside its certificates and lists: settings of both roles.
const CONTEXT: u64 = 16 << 10;

/// Cost of a certificate or a name beside its bytes.
const ITEM: u64 = 256;

/// How often the bytes of a certificate are held: as given, as a pattern for comparing, and as its
/// parts.
const COPIES: u64 = 3;

/// Most entries of the lists of a context.
const SUITES: usize = 64;
const PROTOCOLS: usize = 32;
const ROOTS: usize = 1024;
const CHAIN: usize = 16;

/// Most bytes of a certificate: what a peer can show at most. Taking one apart costs many
/// times its bytes.
const CERTIFICATE: usize = 64 << 10;

/// Longest name of an application protocol, of a server, and of a grant, in bytes.
const NAME: usize = 255;

/// The contexts and sessions of one instance.
pub struct Tls {
    keys: Vec<KeyGrant>,
    /// Devices that may be spoken to as old ones are.
    legacy: Vec<HostPattern>,
    origin: Origin,
    handles: u64,
    bytes: u64,
    held: Arc<AtomicU64>,
    account: Arc<Account>,
    contexts: HashMap<u32, Arc<Context>>,
    sessions: HashMap<u32, Session>,
    last: u32,
}

/// Why something was not made.
#[derive(Debug)]
pub enum NotMade {
    /// For the plugin's log and the plugin.
    Limit(LimitHit),
    /// For the plugin.
    Refused(Refusal),
}

impl From<Refusal> for NotMade {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Bytes that count against `tls-bytes` until this is dropped, which is when the
/// last session made from a context is gone.
#[derive(Debug)]
pub struct Weight {
    bytes: u64,
    held: Arc<AtomicU64>,
    /// The charge for the hub's memory that is made of them.
    _charge: Charge,
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Tls {
    /// No contexts and sessions yet; `keys` are those that the operator granted.
    #[must_use]
    pub fn new(limits: &Limits, keys: Vec<KeyGrant>, account: Arc<Account>) -> Self {
        Self {
            keys,
            legacy: Vec::new(),
            origin: Origin::default(),
            handles: limits.tls_handles,
            bytes: limits.tls_bytes,
            held: Arc::default(),
            account,
            contexts: HashMap::new(),
            sessions: HashMap::new(),
            last: 0,
        }
    }

    /// The same for an instance that comes from there.
    #[must_use]
    pub fn with_origin(mut self, origin: &Origin) -> Self {
        self.origin = origin.clone();
        self
    }

    /// Lets sessions with these devices speak the TLS of old ones, where they do not verify.
    pub fn allow_legacy(&mut self, hosts: &[HostPattern]) {
        self.legacy = hosts.to_vec();
    }

    /// Whether a session that names its server so may be one of old devices. A session has no socket
    /// and so no address: one without a name belongs to a plugin whose devices are granted.
    fn is_legacy(&self, name: Option<&str>) -> bool {
        let Some(name) = name else {
            return !self.legacy.is_empty();
        };
        let address = name.parse().unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        self.legacy
            .iter()
            .any(|pattern| pattern.contains(name, address))
    }

    fn next_id(&mut self) -> Result<u32, NotMade> {
        let open = self.contexts.len().saturating_add(self.sessions.len());
        let wanted = u64::try_from(open).unwrap_or(u64::MAX).saturating_add(1);
        if wanted > self.handles {
            let hit = Limits::hit("tls-handles", wanted, self.handles);
            return Err(NotMade::Limit(hit));
        }
        let Some(id) = self.last.checked_add(1) else {
            // After four thousand million of them; the instance has to be restarted.
            return Err(NotMade::Refused(Refusal::TooMany));
        };
        self.last = id;
        Ok(id)
    }

    fn weigh(&self, size: Size) -> Result<Weight, NotMade> {
        let bytes = size.bytes;
        let held = self.held.load(Ordering::Relaxed).saturating_add(bytes);
        if held > self.bytes {
            return Err(NotMade::Limit(Limits::hit("tls-bytes", held, self.bytes)));
        }
        let charge = self.account.charge(size.built());
        let charge = charge.map_err(NotMade::Limit)?;
        self.held.store(held, Ordering::Relaxed);
        Ok(Weight {
            bytes,
            held: Arc::clone(&self.held),
            _charge: charge,
        })
    }

    /// Makes a context.
    ///
    /// # Errors
    ///
    /// [`NotMade`], with nothing kept.
    pub fn open_context(&mut self, settings: Settings) -> Result<u32, NotMade> {
        let id = self.next_id()?;
        let mut settings = settings;
        if !settings.tls12 && !settings.tls13 && !self.legacy.is_empty() {
            // Older versions only: those are for the sessions with old devices to find.
            settings.tls12 = true;
        }
        within_bounds(&settings)?;
        let weight = self.weigh(Size::of(&settings))?;
        let files = match &settings.identity {
            Identity::Granted(name) => Some(self.granted(name)?),
            Identity::None | Identity::Given(_) => None,
        };
        let mut context = Context::new(&settings, files, weight)?;
        context.origin = self.origin.clone();
        self.contexts.insert(id, Arc::new(context));
        Ok(id)
    }

    fn granted(&self, name: &str) -> Result<KeyFiles, Refusal> {
        let grant = self.keys.iter().find(|grant| {
            grant.name == name || grant.certificate.as_os_str() == std::ffi::OsStr::new(name)
        });
        match grant {
            Some(grant) => KeyFiles::read(grant),
            None => Err(Refusal::NotGranted(
                identity::denied(name, &self.origin).to_string(),
            )),
        }
    }

    /// Gives a context up.
    pub fn close_context(&mut self, id: u32) {
        self.contexts.remove(&id);
    }

    /// Gives a session up.
    pub fn close_session(&mut self, id: u32) {
        self.sessions.remove(&id);
    }

    fn context(&self, id: u32) -> Result<Arc<Context>, Refusal> {
        let context = self.contexts.get(&id).map(Arc::clone);
        context.ok_or_else(|| Refusal::Settings("there is no such context".to_owned()))
    }

    /// Makes the client's side of a session.
    ///
    /// # Errors
    ///
    /// [`NotMade`], with nothing kept.
    pub fn open_client(&mut self, context: u32, name: Option<&str>) -> Result<u32, NotMade> {
        let id = self.next_id()?;
        let charge = self.account.charge(SESSION).map_err(NotMade::Limit)?;
        let context = self.context(context)?;
        let legacy = !context.verifies && self.is_legacy(name);
        let session = if legacy {
            Session::legacy(context, name, charge)?
        } else {
            Session::client(context, name, charge)?
        };
        self.sessions.insert(id, session);
        Ok(id)
    }

    /// Makes the server's side of a session.
    ///
    /// # Errors
    ///
    /// [`NotMade`], with nothing kept.
    pub fn open_server(&mut self, context: u32, pause: bool) -> Result<u32, NotMade> {
        let id = self.next_id()?;
        let charge = self.account.charge(SESSION).map_err(NotMade::Limit)?;
        let session = Session::server(self.context(context)?, pause, charge);
        self.sessions.insert(id, session);
        Ok(id)
    }

    /// Lets a server go on after the client's greeting.
    ///
    /// # Errors
    ///
    /// [`Failure`]: the handshake cannot go on with this context.
    pub fn choose(&mut self, session: u32, context: u32) -> Result<(), Failure> {
        let missing = || failure::protocol("INTERNAL_ERROR", "there is no such context");
        let context = self.contexts.get(&context).ok_or_else(missing)?;
        match self.sessions.get_mut(&session) {
            Some(session) => session.choose(Arc::clone(context)),
            None => Err(failure::protocol(
                "INTERNAL_ERROR",
                "there is no such session",
            )),
        }
    }

    /// The session with this id.
    pub fn session(&mut self, id: u32) -> Option<&mut Session> {
        self.sessions.get_mut(&id)
    }
}

/// Refuses settings that no program needs, before anything is made of them.
fn within_bounds(settings: &Settings) -> Result<(), Refusal> {
    for (count, most, what) in [
        (settings.suites.len(), SUITES, "cipher suites"),
        (settings.alpn.len(), PROTOCOLS, "application protocols"),
        (settings.roots.len(), ROOTS, "trusted certificates"),
        (chain(settings).len(), CHAIN, "certificates in a chain"),
    ] {
        if count > most {
            let text = format!("{count} {what} are more than the {most} that a context may have");
            return Err(Refusal::Settings(text));
        }
    }
    if certificates(settings).any(|der| der.len() > CERTIFICATE) {
        let text = format!("a certificate has at most {CERTIFICATE} bytes");
        return Err(Refusal::Settings(text));
    }
    let long = |name: &Vec<u8>| name.is_empty() || name.len() > NAME;
    if settings.alpn.iter().any(long) {
        let text = format!("an application protocol has a name of 1 to {NAME} bytes");
        return Err(Refusal::Settings(text));
    }
    match &settings.identity {
        Identity::Granted(name) if name.len() > NAME => {
            let text = format!("the name of a key grant has at most {NAME} bytes");
            Err(Refusal::Settings(text))
        }
        _ => Ok(()),
    }
}

/// The certificates that this side shows of itself, where the plugin brings them.
fn chain(settings: &Settings) -> &[Vec<u8>] {
    match &settings.identity {
        Identity::Given(pair) => &pair.chain,
        Identity::None | Identity::Granted(_) => &[],
    }
}

fn certificates(settings: &Settings) -> impl Iterator<Item = &Vec<u8>> {
    settings.roots.iter().chain(chain(settings))
}

/// The size of the settings of a context: certificates, keys and lists.
struct Size {
    bytes: u64,
    items: u64,
}

impl Size {
    fn of(settings: &Settings) -> Self {
        let key = match &settings.identity {
            Identity::Given(pair) => Some(&pair.key),
            Identity::None | Identity::Granted(_) => None,
        };
        let all = certificates(settings).chain(&settings.alpn).chain(key);
        let mut size = Self { bytes: 0, items: 0 };
        for item in all {
            let length = u64::try_from(item.len()).unwrap_or(u64::MAX);
            size.bytes = size.bytes.saturating_add(length);
            size.items = size.items.saturating_add(1);
        }
        size
    }

    /// Bytes of the hub's memory for the context that is made of them.
    fn built(&self) -> u64 {
        let copies = self.bytes.saturating_mul(COPIES);
        let items = self.items.saturating_mul(ITEM);
        copies.saturating_add(items).saturating_add(CONTEXT)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::abi::cordon::plugin::tls::Verify;

    fn settings() -> Settings {
        Settings {
            tls12: true,
            tls13: true,
            suites: Vec::new(),
            verify: Verify::None,
            check_hostname: false,
            common_name: false,
            system_roots: false,
            roots: Vec::new(),
            identity: Identity::None,
            alpn: Vec::new(),
        }
    }

    fn tls(host_memory: u64) -> (Tls, Arc<Account>) {
        let limits = Limits {
            host_memory,
            ..Limits::default()
        };
        let account = Account::new(&limits);
        (Tls::new(&limits, Vec::new(), Arc::clone(&account)), account)
    }

    fn refused(made: Result<u32, NotMade>) -> String {
        match made {
            Err(NotMade::Refused(Refusal::Settings(text))) => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn lists_longer_than_any_program_needs_are_refused() {
        let (mut tls, account) = tls(64 << 20);
        for (told, long) in [
            (
                "cipher suites",
                Settings {
                    suites: vec![0x1301; 65],
                    ..settings()
                },
            ),
            (
                "application protocols",
                Settings {
                    alpn: vec![b"h2".to_vec(); 33],
                    ..settings()
                },
            ),
            (
                "1 to 255 bytes",
                Settings {
                    alpn: vec![vec![b'x'; 256]],
                    ..settings()
                },
            ),
            (
                "1 to 255 bytes",
                Settings {
                    alpn: vec![Vec::new()],
                    ..settings()
                },
            ),
            (
                "trusted certificates",
                Settings {
                    roots: vec![vec![1]; 1025],
                    ..settings()
                },
            ),
        ] {
            let text = refused(tls.open_context(long));
            assert!(text.contains(told), "{told}: {text}");
        }
        let context = tls.open_context(settings()).unwrap();
        let long = "a".repeat(1 << 20);
        let text = refused(tls.open_client(context, Some(&long)));
        assert!(text.len() < 300, "{} bytes", text.len());
        assert_eq!(account.used(), CONTEXT);
    }

    #[test]
    fn what_is_made_is_paid_for_until_the_last_session_is_gone() {
        let (mut tls, account) = tls(64 << 20);
        let context = tls.open_context(settings()).unwrap();
        let session = tls.open_client(context, Some("a.example")).unwrap();
        assert_eq!(account.used(), CONTEXT + SESSION);
        tls.close_context(context);
        assert_eq!(account.used(), CONTEXT + SESSION);
        tls.close_session(session);
        assert_eq!(account.used(), 0);
    }

    #[test]
    fn the_account_bounds_contexts_and_sessions() {
        let (mut tls, account) = tls(SESSION + CONTEXT * 2);
        let context = tls.open_context(settings()).unwrap();
        assert!(tls.open_server(context, false).is_ok());
        for made in [
            tls.open_server(context, true),
            tls.open_client(context, None),
        ] {
            assert!(matches!(made, Err(NotMade::Limit(hit)) if hit.which == "host-memory"));
        }
        assert!(tls.open_context(settings()).is_ok());
        let over = tls.open_context(settings());
        assert!(matches!(over, Err(NotMade::Limit(hit)) if hit.which == "host-memory"));
        assert!(account.peak() <= SESSION + CONTEXT * 2);
    }

    #[test]
    fn a_suite_that_is_named_often_counts_once() {
        let (mut tls, _) = tls(64 << 20);
        let suites = vec![0x1301; 64];
        let context = tls
            .open_context(Settings {
                suites,
                ..settings()
            })
            .unwrap();
        let context = tls.context(context).unwrap();
        assert_eq!(context.client.crypto_provider().cipher_suites.len(), 1);
    }
}
