//! Mail that the hub sends, through the mail server of the configuration.
//!
//! Owns the words of the section `[mail]`, what an address is, and the letters on their
//! way. Who may write to whom, and how often, is decided before.

mod message;
mod smtp;
#[cfg(test)]
mod tests;

use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Deserialize;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use crate::connection::TlsClient;

/// How long a letter may take.
const DEADLINE: Duration = Duration::from_secs(60);

/// Letters on their way at a time.
const ON_THE_WAY: usize = 16;

/// Longest address in bytes, and longest part of it before the `@` (RFC 5321, 4.5.3.1).
const LONGEST: usize = 254;
const LONGEST_LOCAL: usize = 64;

/// Most receivers of a letter.
pub const MOST_RECEIVERS: usize = 20;

/// Longest text of a letter in bytes.
pub const LONGEST_TEXT: usize = 256 << 10;

/// The section `[mail]` of `cordon.toml`.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Name or address of the mail server.
    pub server: String,
    /// Its port.
    #[serde(default = "submission")]
    pub port: u16,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Who sends.
    pub from: Address,
    /// Name to log in with; without one nobody logs in.
    #[serde(default)]
    pub user: Option<String>,
    /// Password of the user.
    #[serde(default)]
    pub password: Option<String>,
    /// Whether the server must have a certificate that the system's roots vouch for.
    #[serde(default = "yes")]
    pub verify: bool,
}

fn submission() -> u16 {
    587
}

fn yes() -> bool {
    true
}

impl std::fmt::Debug for MailConfig {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailConfig")
            .field("server", &self.server)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

impl MailConfig {
    /// Checks what a file says.
    ///
    /// # Errors
    ///
    /// What to change.
    pub fn check(&self) -> Result<(), String> {
        if self.server.trim().is_empty() {
            return Err("`server` under [mail] is empty".to_owned());
        }
        if self.user.is_some() != self.password.is_some() {
            return Err("`user` and `password` under [mail] go together".to_owned());
        }
        Ok(())
    }
}

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// TLS after a first exchange in the clear; nothing is sent when the server has none.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// None: for a server on this machine or network.
    None,
}

/// An address of a mailbox, in ASCII and without comments. It has no `*`, which would look
/// like a pattern in a grant.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Address(String);

impl Address {
    /// As it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What is behind the `@`.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.rsplit_once('@').map_or("", |(_, domain)| domain)
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let fits = text.split_once('@').is_some_and(|(local, domain)| {
            (1..=LONGEST_LOCAL).contains(&local.len())
                && !domain.is_empty()
                && text.len() <= LONGEST
                && plain(local, "!#$%&'+-/=?^_`{|}~.")
                && plain(domain, "-.")
        });
        if fits {
            return Ok(Self(text.to_owned()));
        }
        let shown: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
        Err(format!(
            "`{shown}` is no mail address such as me@example.org"
        ))
    }
}

fn plain(part: &str, marks: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || marks.contains(c);
    part.chars().all(fits)
}

impl TryFrom<String> for Address {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// Whom an instance may write to: an entry of `mail` in its grants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Receiver {
    /// Anybody: `*`.
    Any,
    /// This address.
    One(Address),
}

impl TryFrom<String> for Receiver {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.trim() {
            "*" => Ok(Self::Any),
            text => text.parse().map(Self::One),
        }
    }
}

impl Receiver {
    /// Whether this address is meant; case does not matter.
    #[must_use]
    pub fn means(&self, address: &Address) -> bool {
        match self {
            Self::Any => true,
            Self::One(one) => one.0.eq_ignore_ascii_case(&address.0),
        }
    }
}

/// A letter.
#[derive(Debug, Clone)]
pub struct Letter {
    /// Who gets it.
    pub to: Vec<Address>,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub body: String,
}

/// Why a letter was not sent.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// The connection failed.
    #[error("the connection to the mail server: {0}")]
    Io(#[from] std::io::Error),
    /// The mail server said no.
    #[error("the mail server says to {step}: {reply}")]
    Refused {
        /// What was asked.
        step: &'static str,
        /// Its answer.
        reply: String,
    },
    /// It does not do what the configuration wants.
    #[error("the mail server {0}")]
    Unfit(&'static str),
    /// It took too long.
    #[error("the mail server did not take the letter within {} s", DEADLINE.as_secs())]
    Timeout,
    /// TLS cannot be set up here.
    #[error("{0}")]
    Tls(String),
}

/// Sends letters. Clones share the bounds.
#[derive(Debug, Clone)]
pub struct Mailer {
    inner: Arc<Inner>,
}

struct Inner {
    config: MailConfig,
    /// Made at the first letter: the system's roots take a while to read.
    tls: OnceCell<TlsClient>,
    places: Arc<Semaphore>,
    number: AtomicU64,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.config.fmt(f)
    }
}

impl Mailer {
    /// Sends through this server.
    #[must_use]
    pub fn new(config: MailConfig) -> Self {
        Self {
            inner: Arc::new(Inner {
                config,
                tls: OnceCell::new(),
                places: Arc::new(Semaphore::new(ON_THE_WAY)),
                number: AtomicU64::new(0),
            }),
        }
    }

    /// A place for a letter; `None` while too many are on their way.
    #[must_use]
    pub fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.inner.places).try_acquire_owned().ok()
    }

    /// Hands a letter to the mail server; done when that has taken it.
    ///
    /// # Errors
    ///
    /// [`MailError`]; then nobody got it.
    pub async fn send(&self, letter: &Letter) -> Result<(), MailError> {
        let sending = tokio::time::timeout(DEADLINE, self.deliver(letter));
        sending.await.unwrap_or(Err(MailError::Timeout))
    }

    async fn deliver(&self, letter: &Letter) -> Result<(), MailError> {
        let config = &self.inner.config;
        let tls = match config.security {
            Security::None => None,
            Security::StartTls | Security::Tls => Some(self.tls().await?),
        };
        let number = self.inner.number.fetch_add(1, Ordering::Relaxed);
        let text = message::text(&config.from, letter, &jiff::Zoned::now(), number);
        smtp::deliver(config, tls, &letter.to, &text).await
    }

    async fn tls(&self) -> Result<&TlsClient, MailError> {
        let verify = self.inner.config.verify;
        let made = self.inner.tls.get_or_try_init(|| async move {
            let making = tokio::task::spawn_blocking(move || TlsClient::new(verify)).await;
            match making {
                Ok(made) => made.map_err(|error| MailError::Tls(error.to_string())),
                Err(error) => Err(MailError::Tls(error.to_string())),
            }
        });
        made.await
    }
}
