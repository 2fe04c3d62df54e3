//! TLS as old devices speak it, by the machine's OpenSSL.
//!
//! An inverter of 2012 knows ciphers with CBC, keys that are sent encrypted with RSA, and TLS 1.0.
//! Nobody can update it, and the library of all other connections rightly has none of this. Only
//! hosts that a grant `legacy-tls` names are spoken to so, and only where certificates are not
//! verified (decision 28).
//!
//! [`LegacySession`] is one conversation without its socket: bytes go in and come out. Its bounds
//! are those of a session of the other library. [`LegacyStream`] is one with its socket.

mod stream;

pub use stream::LegacyStream;

use std::io::{self, Read, Write};
use std::sync::OnceLock;

use openssl::error::ErrorStack;
use openssl::ssl::{
    Error, ErrorCode, ShutdownState, Ssl, SslContext, SslContextBuilder, SslMethod, SslOptions,
    SslSessionCacheMode, SslStream, SslVerifyMode, SslVersion,
};

/// Ciphertext that waits to be taken, in bytes, before no more plaintext is accepted.
const OUTGOING: usize = 64 << 10;

/// Plaintext that may wait to be read, in bytes, before no more ciphertext is taken.
const INCOMING: usize = 16 << 10;

/// Ciphertext that is held at most: two records of the largest size.
const HELD: usize = 40 << 10;

/// Most bytes of plaintext that one record has.
const RECORD: usize = 16 << 10;

/// Certificates of a peer that are told.
const CHAIN: usize = 16;

/// Every cipher that authenticates the server and encrypts, without regard for its strength. Not
/// those with DHE: the server chooses the group, and one of 10,000 bits takes over a second.
const CIPHERS: &str = "ALL:!aNULL:!eNULL:!kDHE:@SECLEVEL=0";

/// Curves and groups; the library's default lacks none of them, but the machine's settings may.
const GROUPS: &str = "X25519:P-256:P-384:P-521";

/// Signatures, from the better to the worse.
const SIGNATURES: &str = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:RSA-PSS+SHA256:RSA-PSS+SHA384:\
                          RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512:ECDSA+SHA1:RSA+SHA1";

/// Why a conversation ended, in OpenSSL's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct LegacyFailure {
    /// Such as `WRONG_VERSION_NUMBER`.
    pub reason: String,
    /// The same for people.
    pub text: String,
}

/// The result of a handshake.
#[derive(Debug, PartialEq, Eq)]
pub struct Agreed {
    /// Number of the version, such as 0x0303 for TLS 1.2.
    pub version: u16,
    /// IANA's number of the cipher suite.
    pub suite: u16,
    /// The server's certificates, its own first.
    pub chain: Vec<Vec<u8>>,
}

/// Both ends of a connection that lies in memory.
#[derive(Debug, Default)]
struct Pipe {
    incoming: Vec<u8>,
    outgoing: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.incoming.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = buffer.len().min(self.incoming.len());
        for (to, from) in buffer.iter_mut().zip(self.incoming.drain(..count)) {
            *to = from;
        }
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Bounded by the records that `LegacySession` lets be made.
        self.outgoing.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The client's side of one conversation, without its socket.
#[derive(Debug)]
pub struct LegacySession {
    stream: SslStream<Pipe>,
    plaintext: Vec<u8>,
    open: bool,
    closed: bool,
    said_goodbye: bool,
    failed: Option<LegacyFailure>,
}

/// Settings of all conversations. Made once, when the first is needed.
fn context() -> Result<&'static SslContext, LegacyFailure> {
    static CONTEXT: OnceLock<Result<SslContext, LegacyFailure>> = OnceLock::new();
    let made = CONTEXT.get_or_init(|| match settings() {
        Ok(settings) => Ok(settings.build()),
        Err(error) => Err(of_stack(&error)),
    });
    made.as_ref().map_err(Clone::clone)
}

fn settings() -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContext::builder(SslMethod::tls_client())?;
    builder.set_verify(SslVerifyMode::NONE);
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_security_level(0);
    builder.set_min_proto_version(Some(SslVersion::TLS1))?;
    builder.set_cipher_list(CIPHERS)?;
    builder.set_groups_list(GROUPS)?;
    builder.set_sigalgs_list(SIGNATURES)?;
    builder.set_options(
        // A server that knows no secure renegotiation gets its connection, and no renegotiation.
        SslOptions::ALLOW_UNSAFE_LEGACY_RENEGOTIATION
            | SslOptions::NO_RENEGOTIATION
            | SslOptions::NO_TICKET,
    );
    Ok(builder)
}

impl LegacySession {
    /// A conversation with a server; the greeting can be taken at once. `name` is told to the server
    /// unless it is an address.
    ///
    /// # Errors
    ///
    /// [`LegacyFailure`] when the library cannot be set up, or the name is none.
    pub fn new(name: Option<&str>) -> Result<Self, LegacyFailure> {
        let make = || {
            let mut ssl = Ssl::new(context()?).map_err(|error| of_stack(&error))?;
            let told = name.filter(|name| name.parse::<std::net::IpAddr>().is_err());
            if let Some(name) = told {
                ssl.set_hostname(name).map_err(|error| of_stack(&error))?;
            }
            SslStream::new(ssl, Pipe::default()).map_err(|error| of_stack(&error))
        };
        let mut session = Self {
            stream: make()?,
            plaintext: Vec::new(),
            open: false,
            closed: false,
            said_goodbye: false,
            failed: None,
        };
        session.advance()?;
        Ok(session)
    }

    /// Bytes of the peer that can be offered now.
    #[must_use]
    pub fn room(&self) -> usize {
        let unsent = self.stream.get_ref().outgoing.len();
        if self.plaintext.len() >= INCOMING || unsent >= HELD || self.is_closed() {
            return 0;
        }
        HELD.saturating_sub(self.stream.get_ref().incoming.len())
    }

    /// Offers bytes of the peer; answers how many were taken, which are no more than
    /// [`Self::room`].
    ///
    /// # Errors
    ///
    /// [`LegacyFailure`], from then on always the same.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<usize, LegacyFailure> {
        if let Some(failure) = &self.failed {
            return Err(failure.clone());
        }
        if self.closed {
            // Bytes that come after the end are nobody's.
            return Ok(bytes.len());
        }
        let taken = bytes.get(..bytes.len().min(self.room())).unwrap_or(bytes);
        self.stream.get_mut().incoming.extend_from_slice(taken);
        let taken = taken.len();
        self.advance()?;
        Ok(taken)
    }

    /// Shakes hands, or reads records, as far as there are bytes and there is room.
    fn advance(&mut self) -> Result<(), LegacyFailure> {
        if !self.open {
            match self.stream.connect() {
                Ok(()) => self.open = true,
                Err(error) if waits(&error) => return Ok(()),
                Err(error) => return Err(self.fail(&error)),
            }
        }
        let mut piece = [0; 4096];
        while !self.closed && self.plaintext.len() < INCOMING {
            match self.stream.ssl_read(&mut piece) {
                Ok(0) => self.closed = true,
                Ok(count) => {
                    let read = piece.get(..count).unwrap_or_default();
                    self.plaintext.extend_from_slice(read);
                }
                Err(error) if waits(&error) => break,
                Err(error) if error.code() == ErrorCode::ZERO_RETURN => self.closed = true,
                Err(error) => return Err(self.fail(&error)),
            }
        }
        Ok(())
    }

    fn fail(&mut self, error: &Error) -> LegacyFailure {
        let failure = match error.ssl_error() {
            Some(stack) => of_stack(stack),
            None => failure("INTERNAL_ERROR", error.to_string()),
        };
        self.failed = Some(failure.clone());
        failure
    }

    /// Whether the handshake is over.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Whether the peer sends no more.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed || self.failed.is_some()
    }

    /// Bytes of plaintext that can be read.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.plaintext.len()
    }

    /// Takes bytes for the peer.
    pub fn take(&mut self, most: usize) -> Vec<u8> {
        let outgoing = &mut self.stream.get_mut().outgoing;
        let count = most.min(outgoing.len());
        outgoing.drain(..count).collect()
    }

    /// Takes plaintext of the peer. There is room then for the records behind it.
    pub fn read(&mut self, most: usize) -> Vec<u8> {
        let count = most.min(self.plaintext.len());
        let taken = self.plaintext.drain(..count).collect();
        if self.open && self.failed.is_none() {
            // The failure of a record behind it is kept for the next call that offers some.
            let _ = self.advance();
        }
        taken
    }

    /// Encrypts plaintext; answers how many bytes were accepted.
    ///
    /// # Errors
    ///
    /// [`LegacyFailure`] when nothing can be sent any more.
    pub fn write(&mut self, bytes: &[u8]) -> Result<usize, LegacyFailure> {
        let full = self.stream.get_ref().outgoing.len() >= OUTGOING;
        if !self.open || full || self.said_goodbye || self.failed.is_some() || bytes.is_empty() {
            return Ok(0);
        }
        let record = bytes.get(..bytes.len().min(RECORD)).unwrap_or(bytes);
        match self.stream.ssl_write(record) {
            Ok(count) => Ok(count),
            Err(error) if waits(&error) => Ok(0),
            Err(error) => Err(self.fail(&error)),
        }
    }

    /// Tells the peer that no more comes.
    pub fn say_goodbye(&mut self) {
        if self.open && !self.said_goodbye {
            self.said_goodbye = true;
            if !self.stream.get_shutdown().contains(ShutdownState::SENT) {
                // Whether the peer answers is of no interest.
                let _ = self.stream.shutdown();
            }
        }
    }

    /// The result of the handshake.
    #[must_use]
    pub fn agreed(&self) -> Option<Agreed> {
        if !self.open {
            return None;
        }
        let ssl = self.stream.ssl();
        let suite = ssl.current_cipher()?.protocol_id();
        let mut chain = Vec::new();
        if let Some(own) = ssl.peer_certificate() {
            chain.extend(own.to_der().ok());
        }
        let others = ssl.peer_cert_chain().into_iter().flatten();
        for other in others.take(CHAIN) {
            let other = other.to_der().ok().filter(|der| !chain.contains(der));
            chain.extend(other);
        }
        Some(Agreed {
            version: version_number(ssl.version_str()),
            suite: u16::from_be_bytes(suite),
            chain,
        })
    }

    /// Key material for channel bindings.
    #[must_use]
    pub fn exported(&self, label: &str) -> Option<Vec<u8>> {
        let mut out = vec![0; 32];
        let ssl = self.stream.ssl();
        let made = ssl.export_keying_material(&mut out, label, Some(&[]));
        made.ok().filter(|()| self.open).map(|()| out)
    }
}

/// Whether the library only wants more bytes.
fn waits(error: &Error) -> bool {
    [ErrorCode::WANT_READ, ErrorCode::WANT_WRITE].contains(&error.code())
}

fn version_number(name: &str) -> u16 {
    match name {
        "TLSv1" => 0x0301,
        "TLSv1.1" => 0x0302,
        "TLSv1.3" => 0x0304,
        _ => 0x0303,
    }
}

fn of_stack(stack: &ErrorStack) -> LegacyFailure {
    let first = stack.errors().first().and_then(|error| error.reason());
    let text = first.unwrap_or("unknown error");
    failure(&text.to_uppercase().replace([' ', '-'], "_"), text)
}

fn failure(reason: &str, text: impl Into<String>) -> LegacyFailure {
    LegacyFailure {
        reason: reason.to_owned(),
        text: text.into(),
    }
}

#[cfg(test)]
#[path = "legacy_tls/tests.rs"]
mod tests;
