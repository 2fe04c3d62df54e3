//! ICMP echo requests for plugins.
//!
//! [`Pinger`] owns what one instance may send: whom the policy allows, how many
//! per second and at once. [`packet`] is the format, [`socket`] one exchange.

pub mod packet;
pub mod socket;

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::egress::NetworkPolicy;
use crate::names::{LookupFailure, Names, Purpose};
use cordon_base::descriptors::{Permit, Share};
use cordon_base::error::{Denied, LimitHit};
use cordon_base::limits::Limits;

/// Longest wait for an answer.
pub const LONGEST: Duration = Duration::from_secs(60);

/// Most payload bytes: fits into one frame.
pub const PAYLOAD: usize = 1400;

/// Time over which requests per second are averaged.
const WINDOW: f64 = 10.0;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name or address.
    pub host: String,
    /// Time for the answer; [`LONGEST`] at most.
    pub timeout: Duration,
    /// Payload bytes; [`PAYLOAD`] at most.
    pub size: usize,
    /// Hops.
    pub ttl: Option<u8>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// Who answered.
    pub address: IpAddr,
    /// From request to answer.
    pub round_trip: Duration,
    /// Payload bytes that came back.
    pub size: usize,
}

/// An answer as it was on the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The IP packet: a reply, or that the host cannot be reached.
    pub packet: Vec<u8>,
    /// From request to answer.
    pub round_trip: Duration,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum EchoError {
    /// No grant allows it.
    Denied(Denied),
    /// The name has no address.
    NoSuchHost,
    /// Nothing came in time.
    TimedOut,
    /// The limit `echoes`, `lookups` or another.
    Limit(LimitHit),
    /// The system gives the hub no ICMP socket; the text says what to do.
    Unavailable(String),
    /// The system's answer.
    Failed(io::Error),
}

/// The requests of one instance, in all its lives.
pub struct Pinger {
    policy: Arc<NetworkPolicy>,
    names: Arc<Names>,
    descriptors: Share,
    limit: u64,
    waiting: Arc<Semaphore>,
    budget: Mutex<Budget>,
}

/// Requests that may be sent now, refilled with time.
struct Budget {
    left: f64,
    filled: Instant,
}

impl Pinger {
    /// A pinger that has sent nothing.
    #[must_use]
    pub fn new(
        policy: Arc<NetworkPolicy>,
        limits: &Limits,
        names: Arc<Names>,
        descriptors: Share,
    ) -> Self {
        let permits = usize::try_from(limits.echoes).unwrap_or(usize::MAX);
        Self {
            policy,
            names,
            descriptors,
            limit: limits.echoes,
            waiting: Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS))),
            budget: Mutex::new(Budget {
                left: per_window(limits.echoes),
                filled: Instant::now(),
            }),
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    ///
    /// [`EchoError`].
    pub async fn echo(&self, request: &Request) -> Result<Reply, EchoError> {
        let _waiting = self.admit()?;
        let address = self.resolve(&request.host).await?;
        // On the address, so that a name cannot lead elsewhere than it was checked.
        self.policy
            .check_echo(&request.host, address)
            .map_err(EchoError::Denied)?;
        socket::exchange(address, request).await
    }

    /// Sends a request with this payload, cut to [`PAYLOAD`] bytes, to an address
    /// that `host` resolved to, and waits for what comes back for it.
    ///
    /// # Errors
    ///
    /// [`EchoError`].
    pub async fn probe(
        &self,
        host: &str,
        address: Ipv4Addr,
        payload: &[u8],
        sequence: u16,
        timeout: Duration,
    ) -> Result<Answer, EchoError> {
        let _waiting = self.admit()?;
        let checked = self.policy.check_echo(host, address.into());
        checked.map_err(EchoError::Denied)?;
        let payload = payload.get(..PAYLOAD).unwrap_or(payload);
        socket::probe(address, payload, sequence, timeout).await
    }

    /// Takes one of the requests that the limit allows.
    fn admit(&self) -> Result<(SemaphorePermit<'_>, Permit), EchoError> {
        let over = || {
            EchoError::Limit(Limits::hit(
                "echoes",
                self.limit.saturating_add(1),
                self.limit,
            ))
        };
        let waiting = self.waiting.try_acquire().map_err(|_| over())?;
        let permit = self.descriptors.take(1).map_err(EchoError::Limit)?;
        if !self.take() {
            return Err(over());
        }
        Ok((waiting, permit))
    }

    /// The address of a host, if it may be asked for.
    async fn resolve(&self, host: &str) -> Result<IpAddr, EchoError> {
        let host = host.trim();
        if let Ok(address) = host.parse() {
            return Ok(address);
        }
        let addresses = self.names.resolve(host, Purpose::Echo).await;
        let addresses = addresses.map_err(|failure| match failure {
            LookupFailure::Denied(denied) => EchoError::Denied(denied),
            LookupFailure::Limit(hit) => EchoError::Limit(hit),
            LookupFailure::Unknown | LookupFailure::Again | LookupFailure::Failed => {
                EchoError::NoSuchHost
            }
        })?;
        // As `ping` does where both are there: what is reached in most houses.
        let mut found = addresses.iter().map(|address| address.ip());
        let v4 = found.clone().find(IpAddr::is_ipv4);
        v4.or(found.next()).ok_or(EchoError::NoSuchHost)
    }

    fn take(&self) -> bool {
        let mut budget = self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let earned =
            now.duration_since(budget.filled).as_secs_f64() * per_window(self.limit) / WINDOW;
        budget.left = (budget.left + earned).min(per_window(self.limit));
        budget.filled = now;
        if budget.left < 1.0 {
            return false;
        }
        budget.left -= 1.0;
        true
    }
}

#[allow(
    clippy::cast_precision_loss,
    reason = "limits are far below what a double counts exactly"
)]
fn per_window(limit: u64) -> f64 {
    limit as f64 * WINDOW
}
