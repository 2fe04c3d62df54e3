//! TLS for sockets that plugins drive themselves: contexts and sessions by id.
//!
//! Owns what the `tls` interface works on in one instance. A session has no
//! socket: bytes go in and come out through the interface, so nothing here blocks
//! and nothing here can reach a peer. Ids are given out once and never again.
//!
//! [`trust`] decides about certificates, [`context`] holds settings, [`session`]
//! is one conversation, [`failure`] names what went wrong as OpenSSL does.

pub mod context;
pub mod failure;
pub mod identity;
pub mod session;
pub mod trust;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::abi::cordon::plugin::tls::{Failure, Identity, Refusal, Settings};
use crate::error::LimitHit;
use crate::grants::KeyGrant;
use crate::limits::Limits;

use context::Context;
use identity::KeyFiles;
use session::Session;

/// The contexts and sessions of one instance.
pub struct Tls {
    keys: Vec<KeyGrant>,
    handles: u64,
    bytes: u64,
    held: Arc<AtomicU64>,
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
}

impl Drop for Weight {
    fn drop(&mut self) {
        self.held.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

impl Tls {
    /// Nothing yet; `keys` are those that the operator granted.
    #[must_use]
    pub fn new(limits: &Limits, keys: Vec<KeyGrant>) -> Self {
        Self {
            keys,
            handles: limits.tls_handles,
            bytes: limits.tls_bytes,
            held: Arc::default(),
            contexts: HashMap::new(),
            sessions: HashMap::new(),
            last: 0,
        }
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

    fn weigh(&self, bytes: u64) -> Result<Weight, NotMade> {
        let held = self.held.load(Ordering::Relaxed).saturating_add(bytes);
        if held > self.bytes {
            return Err(NotMade::Limit(Limits::hit("tls-bytes", held, self.bytes)));
        }
        self.held.store(held, Ordering::Relaxed);
        Ok(Weight {
            bytes,
            held: Arc::clone(&self.held),
        })
    }

    /// Makes a context.
    ///
    /// # Errors
    ///
    /// [`NotMade`], with nothing kept.
    pub fn open_context(&mut self, settings: Settings) -> Result<u32, NotMade> {
        let id = self.next_id()?;
        let weight = self.weigh(size(&settings))?;
        let files = match &settings.identity {
            Identity::Granted(name) => Some(self.granted(name)?),
            Identity::None | Identity::Given(_) => None,
        };
        let context = Context::new(&settings, files, weight)?;
        self.contexts.insert(id, Arc::new(context));
        Ok(id)
    }

    fn granted(&self, name: &str) -> Result<KeyFiles, Refusal> {
        let grant = self.keys.iter().find(|grant| {
            grant.name == name || grant.certificate.as_os_str() == std::ffi::OsStr::new(name)
        });
        match grant {
            Some(grant) => KeyFiles::read(grant),
            None => Err(Refusal::NotGranted(identity::denied(name).to_string())),
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
        let session = Session::client(self.context(context)?, name)?;
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
        let session = Session::server(self.context(context)?, pause);
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

/// Bytes of certificates, keys and lists.
fn size(settings: &Settings) -> u64 {
    let lists = settings.roots.iter().chain(&settings.alpn);
    let mut bytes = lists.map(Vec::len).fold(0, usize::saturating_add);
    if let Identity::Given(pair) = &settings.identity {
        bytes = bytes.saturating_add(pair.key.len());
        bytes = pair
            .chain
            .iter()
            .map(Vec::len)
            .fold(bytes, usize::saturating_add);
    }
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
