//! Mail that the hub sends, through the mail server of the configuration.
//!
//! Holds the words of the section `[mail]`, the form of an address, and the letters on their way.
//! Who may write to whom, and how often, is decided before.

mod delivery;
mod message;
#[cfg(test)]
mod tests;
mod wire;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use serde::Deserialize;
use tokio::sync::{OnceCell, OwnedSemaphorePermit, Semaphore};

use cordon_base::account::Account;
use cordon_base::grants::mailbox::Address;
use cordon_base::pool::Pool;
use delivery::Tls;

/// How long a letter may take, and the goodbye after it.
const DEADLINE: Duration = Duration::from_secs(60);
const GOODBYE: Duration = Duration::from_secs(5);

/// Letters on their way at a time.
const ON_THE_WAY: usize = 16;

/// Letters of one plugin on their way at a time.
const EACH: usize = 4;

/// Most receivers of a letter.
pub const MOST_RECEIVERS: usize = 20;

/// Longest text of a letter in bytes.
pub const LONGEST_TEXT: usize = 256 << 10;

/// The section `[mail]` of `cordon.toml`.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Name or address of the mail server.
    pub server: String,
    /// The server's port.
    #[serde(default = "submission")]
    pub port: u16,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// The sender of all letters.
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
    /// Checks the section of a file.
    ///
    /// # Errors
    ///
    /// The line to change.
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

/// A letter.
#[derive(Debug, Clone)]
pub struct Letter {
    /// The receivers.
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
    /// The connection failed later, or TLS did.
    #[error("the connection to the mail server: {0}")]
    Connection(String),
    /// The letter cannot be written.
    #[error("{0}")]
    Letter(String),
    /// The mail server said no.
    #[error("the mail server says to {step}: {reply}")]
    Refused {
        /// The step that was refused.
        step: &'static str,
        /// The server's answer.
        reply: String,
    },
    /// The server does not do as the configuration wants.
    #[error("the mail server {0}")]
    Unfit(&'static str),
    /// The exchange took too long.
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
    tls: OnceCell<Tls>,
    places: Arc<Semaphore>,
    /// Places by sender.
    senders: Mutex<HashMap<u64, usize>>,
    number: AtomicU64,
}

impl Inner {
    fn senders(&self) -> MutexGuard<'_, HashMap<u64, usize>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the letters on their way, given back when this is dropped.
#[derive(Debug)]
pub struct Place {
    mailer: Mailer,
    sender: Option<u64>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(sender) = self.sender else {
            return;
        };
        let mut senders = self.mailer.inner.senders();
        if let Some(held) = senders.get_mut(&sender) {
            *held = held.saturating_sub(1);
            if *held == 0 {
                senders.remove(&sender);
            }
        }
    }
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
                senders: Mutex::default(),
                number: AtomicU64::new(0),
            }),
        }
    }

    /// A place for a letter; `None` while too many are on their way, of all or of this
    /// sender: with a slow server one plugin must not keep the others from writing. The
    /// operator's own letters have no sender.
    #[must_use]
    pub fn place(&self, sender: Option<u64>) -> Option<Place> {
        let permit = Arc::clone(&self.inner.places).try_acquire_owned().ok()?;
        if let Some(sender) = sender {
            let mut senders = self.inner.senders();
            let held = senders.entry(sender).or_default();
            if *held >= EACH {
                return None;
            }
            *held += 1;
        }
        Some(Place {
            mailer: self.clone(),
            sender,
            _permit: permit,
        })
    }

    /// Hands a letter to the mail server; done when that has taken it. `files` reads the
    /// system's roots, once.
    ///
    /// # Errors
    ///
    /// [`MailError`]; then nobody got it.
    pub async fn send(&self, letter: &Letter, files: &Pool) -> Result<(), MailError> {
        // Caught, because the library's way to read a server's offers can panic.
        let delivery = AssertUnwindSafe(self.deliver(letter, files)).catch_unwind();
        let outcome = tokio::time::timeout(DEADLINE, delivery).await;
        let mut talk = match outcome {
            Ok(Ok(delivered)) => delivered?,
            Ok(Err(_)) => return Err(MailError::Unfit("says what cannot be read")),
            Err(_) => return Err(MailError::Timeout),
        };
        // The server has the letter; whether it says goodbye does not matter.
        let _ = tokio::time::timeout(GOODBYE, talk.quit()).await;
        Ok(())
    }

    async fn deliver(
        &self,
        letter: &Letter,
        files: &Pool,
    ) -> Result<AsyncSmtpConnection, MailError> {
        let config = &self.inner.config;
        let tls = self.tls(files).await?;
        let number = self.inner.number.fetch_add(1, Ordering::Relaxed);
        let message = message::bytes(&config.from, letter, number).map_err(MailError::Letter)?;
        delivery::deliver(config, tls, &letter.to, &message).await
    }

    async fn tls(&self, files: &Pool) -> Result<&Tls, MailError> {
        let config = self.inner.config.clone();
        let made = self.inner.tls.get_or_try_init(|| async move {
            let making = files
                .run(&Account::of_hub(), move || Tls::new(&config))
                .await;
            making.map_err(|error| MailError::Tls(error.to_string()))?
        });
        made.await
    }
}
