//! One conversation, without its socket.
//!
//! The data that a session holds is bounded by rustls: one handshake message or one record of
//! ciphertext that came in, one record of plaintext that was not read, and [`OUTGOING`] bytes that
//! were not taken. Bytes that do not fit are not accepted, and the plugin offers them again.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::server::{Accepted, Acceptor};
use rustls::{ClientConnection, Connection, ServerConfig};

use super::context::Context;
use super::{NAME, failure};
use crate::abi::cordon::plugin::tls::{Agreement, Failure, Progress, Refusal, Stage};
use cordon_base::account::Charge;
use cordon_reach::legacy_tls::LegacySession;
use cordon_reach::tls_client::{legacy_hint, may_be_old};

/// Ciphertext that waits to be taken, in bytes, before `write` accepts no more.
const OUTGOING: usize = 64 << 10;

/// Plaintext that may wait to be read, in bytes, before `feed` takes no more.
const INCOMING: usize = 16 << 10;

/// Most bytes of one answer.
const ANSWER: usize = 256 << 10;

/// Label of `tls-exporter` channel bindings (RFC 9266).
const EXPORTER: &[u8] = b"EXPORTER-Channel-Binding";

enum Side {
    /// A server that waits for the client's greeting.
    Waiting(Box<Acceptor>),
    /// A server that has the greeting.
    Greeted(Box<Accepted>),
    /// A connection whose hands are shaken, or being shaken.
    Talking(Box<Connection>),
    /// The same with an old device.
    Legacy(Box<LegacySession>),
    /// Over; only an alert may be left to take.
    Over,
}

/// One session.
pub struct Session {
    side: Side,
    context: Arc<Context>,
    pause: bool,
    alert: Vec<u8>,
    failed: Option<Failure>,
    plaintext: usize,
    closed: bool,
    said_goodbye: bool,
    _charge: Charge,
}

impl Session {
    fn new(side: Side, context: Arc<Context>, pause: bool, charge: Charge) -> Self {
        Self {
            side,
            context,
            pause,
            alert: Vec::new(),
            failed: None,
            plaintext: 0,
            closed: false,
            said_goodbye: false,
            _charge: charge,
        }
    }

    /// The client's side; the greeting can be taken at once.
    ///
    /// # Errors
    ///
    /// [`Refusal::Settings`] for a name that is none.
    pub fn client(
        context: Arc<Context>,
        name: Option<&str>,
        charge: Charge,
    ) -> Result<Self, Refusal> {
        let mut config = Arc::clone(&context.client);
        let name = match name {
            // The name is not repeated: a plugin chooses its length.
            Some(name) if name.len() > NAME => {
                let text = format!("a server name has at most {NAME} bytes");
                return Err(Refusal::Settings(text));
            }
            Some(name) => ServerName::try_from(name.to_owned())
                .map_err(|_| Refusal::Settings(format!("{name:?} is no server name")))?,
            None => {
                // An address is never told to the server, and nothing compares it.
                Arc::make_mut(&mut config).enable_sni = false;
                ServerName::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
            }
        };
        let connection = ClientConnection::new(config, name)
            .map_err(|error| Refusal::Settings(error.to_string()))?;
        Ok(Self::new(
            talking(connection.into()),
            context,
            false,
            charge,
        ))
    }

    /// The client's side of a session with an old device.
    ///
    /// # Errors
    ///
    /// [`Refusal::Settings`] for a name that is none.
    pub fn legacy(
        context: Arc<Context>,
        name: Option<&str>,
        charge: Charge,
    ) -> Result<Self, Refusal> {
        if name.is_some_and(|name| name.len() > NAME) {
            let text = format!("a server name has at most {NAME} bytes");
            return Err(Refusal::Settings(text));
        }
        let session = LegacySession::new(name);
        let session = session.map_err(|failure| Refusal::Settings(failure.to_string()))?;
        let side = Side::Legacy(Box::new(session));
        Ok(Self::new(side, context, false, charge))
    }

    /// The server's side.
    #[must_use]
    pub fn server(context: Arc<Context>, pause: bool, charge: Charge) -> Self {
        Self::new(Side::Waiting(Box::default()), context, pause, charge)
    }

    fn fail(&mut self, error: &rustls::Error) -> Failure {
        let mut failure = failure::from_rustls(error);
        let shaking = matches!(&self.side, Side::Talking(it) if it.is_handshaking());
        let client =
            matches!(&self.side, Side::Talking(it) if matches!(**it, Connection::Client(_)));
        if let Failure::Protocol((_, text)) = &mut failure
            && shaking
            && client
            && !self.context.verifies
            && may_be_old(error)
        {
            *text = format!("{text}; {}", legacy_hint("HOST", &self.context.origin));
        }
        self.failed = Some(failure.clone());
        failure
    }

    /// Offers bytes of the peer.
    ///
    /// # Errors
    ///
    /// [`Failure`], from then on always the same.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Result<Progress, Failure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        let offered = bytes.len();
        self.greeting(&mut bytes)?;
        self.records(&mut bytes)?;
        self.legacy_records(&mut bytes)?;
        let taken = offered.saturating_sub(bytes.len());
        Ok(Progress {
            taken: u32::try_from(taken).unwrap_or(u32::MAX),
            stage: self.stage(),
            plaintext: u32::try_from(self.plaintext).unwrap_or(u32::MAX),
        })
    }

    /// Reads the client's greeting, as far as it is there.
    fn greeting(&mut self, bytes: &mut &[u8]) -> Result<(), Failure> {
        let Side::Waiting(acceptor) = &mut self.side else {
            return Ok(());
        };
        loop {
            match acceptor.accept() {
                Ok(Some(accepted)) => {
                    self.side = Side::Greeted(Box::new(accepted));
                    if self.pause {
                        return Ok(());
                    }
                    return self.choose(Arc::clone(&self.context));
                }
                Ok(None) if bytes.is_empty() => return Ok(()),
                Ok(None) => {
                    if acceptor.read_tls(bytes).is_err() {
                        let error = rustls::Error::PeerSentOversizedRecord;
                        return Err(self.fail(&error));
                    }
                }
                Err((error, mut alert)) => {
                    // Into memory, which takes everything.
                    let _ = alert.write_all(&mut self.alert);
                    self.side = Side::Over;
                    return Err(self.fail(&error));
                }
            }
        }
    }

    /// Lets a server go on with this context; nothing in any other stage.
    ///
    /// # Errors
    ///
    /// [`Failure`]: the greeting does not fit the context.
    pub fn choose(&mut self, context: Arc<Context>) -> Result<(), Failure> {
        let accepted = match std::mem::replace(&mut self.side, Side::Over) {
            Side::Greeted(accepted) => accepted,
            other => {
                self.side = other;
                return Ok(());
            }
        };
        let config = config_for(&accepted, &context.server);
        self.context = context;
        match accepted.into_connection(config) {
            Ok(connection) => {
                self.side = talking(connection.into());
                Ok(())
            }
            Err((error, mut alert)) => {
                let _ = alert.write_all(&mut self.alert);
                Err(self.fail(&error))
            }
        }
    }

    /// Works on records, as far as they are there and there is room for their content.
    fn records(&mut self, bytes: &mut &[u8]) -> Result<(), Failure> {
        let Side::Talking(connection) = &mut self.side else {
            return Ok(());
        };
        loop {
            match connection.process_new_packets() {
                Ok(state) => {
                    self.plaintext = state.plaintext_bytes_to_read();
                    self.closed = state.peer_has_closed();
                }
                Err(error) => return Err(self.fail(&error)),
            }
            if self.closed {
                // Bytes that come after the end are nobody's.
                *bytes = &[];
            }
            // An empty read would tell rustls that the peer is gone.
            if bytes.is_empty() || self.plaintext >= INCOMING {
                return Ok(());
            }
            if !matches!(connection.read_tls(bytes), Ok(count) if count > 0) {
                return Ok(());
            }
        }
    }

    /// Works on records of an old device, as far as they are there and there is room.
    fn legacy_records(&mut self, bytes: &mut &[u8]) -> Result<(), Failure> {
        let Side::Legacy(session) = &mut self.side else {
            return Ok(());
        };
        while !bytes.is_empty() {
            match session.feed(bytes) {
                Ok(0) => break,
                Ok(taken) => *bytes = bytes.get(taken..).unwrap_or_default(),
                Err(failure) => {
                    let failure = failure::protocol(&failure.reason, &failure.text);
                    self.failed = Some(failure.clone());
                    return Err(failure);
                }
            }
        }
        self.plaintext = session.waiting();
        self.closed = session.is_closed();
        Ok(())
    }

    fn stage(&self) -> Stage {
        match &self.side {
            Side::Legacy(session) if !session.is_open() => Stage::Handshake,
            Side::Legacy(_) if !self.closed => Stage::Open,
            Side::Waiting(_) => Stage::Handshake,
            Side::Greeted(_) => Stage::Greeted,
            Side::Talking(connection) if connection.is_handshaking() => Stage::Handshake,
            Side::Talking(_) if !self.closed => Stage::Open,
            Side::Talking(_) | Side::Legacy(_) | Side::Over => Stage::Closed,
        }
    }

    /// Takes bytes for the peer.
    pub fn take(&mut self, most: u32) -> Vec<u8> {
        let room = usize::try_from(most).unwrap_or(usize::MAX).min(ANSWER);
        let count = room.min(self.alert.len());
        let mut out = Bounded {
            bytes: self.alert.drain(..count).collect(),
            room: room.saturating_sub(count),
        };
        if let Side::Legacy(session) = &mut self.side {
            return session.take(out.room);
        }
        if let Side::Talking(connection) = &mut self.side {
            while out.room > 0 && connection.wants_write() {
                if !matches!(connection.write_tls(&mut out), Ok(count) if count > 0) {
                    break;
                }
            }
        }
        out.bytes
    }

    /// Takes plaintext of the peer.
    pub fn read(&mut self, most: u32) -> Vec<u8> {
        if let Side::Legacy(session) = &mut self.side {
            let read = session.read(usize::try_from(most).unwrap_or(usize::MAX));
            self.plaintext = session.waiting();
            self.closed = session.is_closed();
            return read;
        }
        let Side::Talking(connection) = &mut self.side else {
            return Vec::new();
        };
        let room = usize::try_from(most).unwrap_or(usize::MAX);
        let mut bytes = vec![0; room.min(self.plaintext)];
        let mut filled = 0;
        let mut reader = connection.reader();
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match reader.read(rest) {
                Ok(count) if count > 0 => filled = filled.saturating_add(count),
                _ => break,
            }
        }
        bytes.truncate(filled);
        self.plaintext = self.plaintext.saturating_sub(filled);
        bytes
    }

    /// Encrypts plaintext; answers how many bytes were accepted.
    pub fn write(&mut self, bytes: &[u8]) -> u32 {
        match &mut self.side {
            Side::Talking(connection)
                if !connection.is_handshaking() && !self.said_goodbye && self.failed.is_none() =>
            {
                let accepted = connection.writer().write(bytes).unwrap_or(0);
                u32::try_from(accepted).unwrap_or(u32::MAX)
            }
            Side::Legacy(session) => {
                let accepted = session.write(bytes).unwrap_or(0);
                u32::try_from(accepted).unwrap_or(u32::MAX)
            }
            _ => 0,
        }
    }

    /// Tells the peer that no more comes.
    pub fn say_goodbye(&mut self) {
        if let Side::Legacy(session) = &mut self.side {
            session.say_goodbye();
        }
        if let Side::Talking(connection) = &mut self.side
            && !self.said_goodbye
        {
            connection.send_close_notify();
            self.said_goodbye = true;
        }
    }

    /// The name in the greeting.
    #[must_use]
    pub fn greeted_name(&self) -> Option<String> {
        match &self.side {
            Side::Greeted(accepted) => accepted.client_hello().server_name().map(str::to_owned),
            _ => None,
        }
    }

    /// Ends a greeted session with this alert.
    pub fn refuse(&mut self, alert: u8) {
        if matches!(self.side, Side::Greeted(_)) {
            // An alert in the clear: record of version 1.2, two bytes, fatal.
            self.alert.extend([21, 3, 3, 0, 2, 2, alert]);
            self.side = Side::Over;
            self.failed = Some(failure::protocol("CALLBACK_FAILED", "callback failed"));
        }
    }

    /// The result of the handshake.
    #[must_use]
    pub fn agreed(&self) -> Option<Agreement> {
        if let Side::Legacy(session) = &self.side {
            let agreed = session.agreed()?;
            return Some(Agreement {
                version: agreed.version,
                suite: agreed.suite,
                alpn: None,
                chain: agreed.chain,
            });
        }
        let Side::Talking(connection) = &self.side else {
            return None;
        };
        if connection.is_handshaking() {
            return None;
        }
        let chain = connection.peer_certificates().unwrap_or_default();
        Some(Agreement {
            version: connection.protocol_version()?.into(),
            suite: connection.negotiated_cipher_suite()?.suite().into(),
            alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
            chain: chain
                .iter()
                .map(|der: &CertificateDer<'_>| der.to_vec())
                .collect(),
        })
    }

    /// Key material for channel bindings.
    #[must_use]
    pub fn exported(&self) -> Option<Vec<u8>> {
        if let Side::Legacy(session) = &self.side {
            return session.exported(std::str::from_utf8(EXPORTER).ok()?);
        }
        let Side::Talking(connection) = &self.side else {
            return None;
        };
        let material = connection.export_keying_material([0_u8; 32], EXPORTER, Some(&[]));
        material.ok().map(Vec::from)
    }
}

fn talking(mut connection: Connection) -> Side {
    connection.set_buffer_limit(Some(OUTGOING));
    Side::Talking(Box::new(connection))
}

/// The context's settings, without application protocols when the client offers
/// none of them: OpenSSL goes on without, rustls would give up.
fn config_for(accepted: &Accepted, config: &Arc<ServerConfig>) -> Arc<ServerConfig> {
    let mut config = Arc::clone(config);
    let hello = accepted.client_hello();
    let common = match hello.alpn() {
        Some(mut offered) => {
            offered.any(|name| config.alpn_protocols.iter().any(|own| own == name))
        }
        None => true,
    };
    if !common {
        Arc::make_mut(&mut config).alpn_protocols.clear();
    }
    config
}

/// A buffer that takes no more than its room.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = bytes.len().min(self.room);
        self.bytes.extend(bytes.iter().take(count));
        self.room = self.room.saturating_sub(count);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
