//! Names that an instance has looked up: whether it may, how many, and what they led to.
//!
//! A look-up is a message to whoever answers for the name, so a name is looked up only
//! when some grant could cover what it leads to, and each counts, whichever way it came.
//! The system's resolver blocks a thread; it has threads of its own, which serve all
//! instances in turn and of which one instance has few. Owns the names of one instance in
//! all its lives.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::egress::NetworkPolicy;
use cordon_base::account::{Account, Charge};
use cordon_base::error::{Denied, LimitHit};
use cordon_base::grants::normal_name;
use cordon_base::limits::Limits;
use cordon_base::pool::Pool;

/// What `gethostname` answers a plugin.
pub const HOST_NAME: &str = "cordon";

/// Longest name of the domain name system.
pub const NAME_BYTES: usize = 253;

/// More addresses than this are no host but an attempt to keep us busy.
const ADDRESSES: usize = 16;

/// Names whose addresses are remembered, and addresses per name: services with many
/// addresses answer with other ones each time.
const NAMES: usize = 256;
const ADDRESSES_PER_NAME: usize = 64;

/// What a remembered name costs beside its text.
const NAME_COST: usize = 128 + ADDRESSES_PER_NAME * size_of::<(IpAddr, Instant)>();

/// How long an address stays one of its name.
const KEPT: Duration = Duration::from_secs(3600);

/// Two rounds of the usual resolver.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Over which the `lookups` limit counts.
const WINDOW: Duration = Duration::from_secs(60);

/// What an address is wanted for, which says whose grants count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// A socket that the plugin drives itself, on this port if it said so.
    Socket(Option<u16>),
    /// A connection of the framework to this port.
    Connection(u16),
    /// An echo request.
    Echo,
}

/// Why a name has no address for the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupFailure {
    /// There is no such name.
    Unknown,
    /// Not now.
    Again,
    /// The resolver failed.
    Failed,
    /// No grant could cover what the name leads to.
    Denied(Denied),
    /// The `lookups` limit, or `host-memory`.
    Limit(LimitHit),
}

/// The names of one instance.
pub struct Names {
    policy: Arc<NetworkPolicy>,
    pool: Pool,
    account: Arc<Account>,
    per_minute: u64,
    minute: Mutex<Minute>,
    known: Mutex<HashMap<String, Known>>,
}

/// Look-ups since this minute began.
struct Minute {
    begun: Instant,
    count: u64,
}

/// The addresses that a name led to.
struct Known {
    addresses: Vec<(IpAddr, Instant)>,
    _charge: Charge,
}

impl Known {
    fn newest(&self) -> Option<Instant> {
        self.addresses.iter().map(|(_, seen)| *seen).max()
    }
}

impl Names {
    /// No names yet. Look-ups are made in `pool`.
    #[must_use]
    pub fn new(
        policy: Arc<NetworkPolicy>,
        pool: Pool,
        account: Arc<Account>,
        limits: &Limits,
    ) -> Self {
        Self {
            policy,
            pool,
            account,
            per_minute: limits.lookups,
            minute: Mutex::new(Minute {
                begun: Instant::now(),
                count: 0,
            }),
            known: Mutex::default(),
        }
    }

    /// The names that led to this address.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> Vec<String> {
        let address = address.to_canonical();
        let known = lock(&self.known);
        let leads = |(ip, seen): &(IpAddr, Instant)| *ip == address && seen.elapsed() < KEPT;
        let names = known
            .iter()
            .filter(|(_, known)| known.addresses.iter().any(leads));
        names.map(|(name, _)| name.clone()).collect()
    }

    /// The addresses of a name, on port 0; they are remembered.
    ///
    /// # Errors
    ///
    /// [`LookupFailure`]; nobody is asked for a name that is denied.
    pub async fn resolve(
        &self,
        name: &str,
        purpose: Purpose,
    ) -> Result<Vec<SocketAddr>, LookupFailure> {
        // Before anything is made of it: a plugin chooses its length.
        if name.len() > NAME_BYTES {
            return Err(LookupFailure::Unknown);
        }
        let name = normal_name(name);
        let addresses = if is_here(&name) {
            let here = [
                IpAddr::from(Ipv4Addr::LOCALHOST),
                Ipv6Addr::LOCALHOST.into(),
            ];
            here.map(|ip| SocketAddr::new(ip, 0)).to_vec()
        } else {
            self.check(&name, purpose).map_err(LookupFailure::Denied)?;
            if !is_possible(&name) {
                return Err(LookupFailure::Unknown);
            }
            self.count().map_err(LookupFailure::Limit)?;
            self.ask(name.clone()).await?
        };
        let remembered = self.remember(name, addresses.iter().map(SocketAddr::ip));
        remembered.map_err(LookupFailure::Limit)?;
        Ok(addresses)
    }

    fn check(&self, name: &str, purpose: Purpose) -> Result<(), Denied> {
        match purpose {
            Purpose::Socket(port) => self.policy.check_name(name, port),
            Purpose::Connection(port) => self.policy.check_target_name(name, port),
            Purpose::Echo => self.policy.check_echo_name(name),
        }
    }

    /// Counts one look-up.
    fn count(&self) -> Result<(), LimitHit> {
        let mut minute = lock(&self.minute);
        if minute.begun.elapsed() >= WINDOW {
            *minute = Minute {
                begun: Instant::now(),
                count: 0,
            };
        }
        let used = minute.count.saturating_add(1);
        if used > self.per_minute {
            return Err(Limits::hit("lookups", used, self.per_minute));
        }
        minute.count = used;
        Ok(())
    }

    async fn ask(&self, name: String) -> Result<Vec<SocketAddr>, LookupFailure> {
        let asking = self.pool.run(&self.account, move || {
            let mut addresses = Vec::new();
            for address in (name.as_str(), 0).to_socket_addrs()?.take(ADDRESSES * 4) {
                if !addresses.contains(&address) && addresses.len() < ADDRESSES {
                    addresses.push(address);
                }
            }
            Ok::<_, std::io::Error>(addresses)
        });
        // The look-up keeps its place among those of the instance until it ends.
        match tokio::time::timeout(TIMEOUT, asking).await {
            Ok(Ok(Ok(addresses))) if !addresses.is_empty() => Ok(addresses),
            // The only words that the resolver has for a server that does not answer.
            Ok(Ok(Err(error))) if error.to_string().contains("emporary failure") => {
                Err(LookupFailure::Again)
            }
            Ok(Ok(_)) => Err(LookupFailure::Unknown),
            Ok(Err(_)) => Err(LookupFailure::Failed),
            Err(_) => Err(LookupFailure::Again),
        }
    }

    /// Remembers what a name led to.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`.
    pub(crate) fn remember(
        &self,
        name: String,
        addresses: impl Iterator<Item = IpAddr> + Clone,
    ) -> Result<(), LimitHit> {
        let mut known = lock(&self.known);
        if !known.contains_key(&name) {
            if known.len() >= NAMES {
                let oldest = known.iter().min_by_key(|(_, known)| known.newest());
                if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                    known.remove(&oldest);
                }
            }
            let cost = name.len().saturating_add(NAME_COST);
            let charge = self
                .account
                .charge(u64::try_from(cost).unwrap_or(u64::MAX))?;
            let new = Known {
                addresses: Vec::new(),
                _charge: charge,
            };
            known.insert(name.clone(), new);
        }
        if let Some(Known {
            addresses: kept, ..
        }) = known.get_mut(&name)
        {
            let now = Instant::now();
            let same = |ip: &IpAddr| addresses.clone().any(|it| it.to_canonical() == *ip);
            kept.retain(|(ip, seen)| seen.elapsed() < KEPT && !same(ip));
            kept.extend(addresses.clone().map(|ip| (ip.to_canonical(), now)));
            let excess = kept.len().saturating_sub(ADDRESSES_PER_NAME);
            kept.drain(..excess);
        }
        Ok(())
    }

    /// The name of an address.
    ///
    /// # Errors
    ///
    /// [`LookupFailure`].
    pub async fn reverse(&self, address: IpAddr) -> Result<String, LookupFailure> {
        if address.is_loopback() {
            return Ok("localhost".to_owned());
        }
        let checked = self.policy.check_group(address, 0);
        checked.map_err(LookupFailure::Denied)?;
        self.count().map_err(LookupFailure::Limit)?;
        let asking = self
            .pool
            .run(&self.account, move || dns_lookup::lookup_addr(&address));
        match tokio::time::timeout(TIMEOUT, asking).await {
            // Without a name the resolver gives the address back.
            Ok(Ok(Ok(name))) if name.parse::<IpAddr>().is_err() => Ok(name),
            Ok(Ok(_)) => Err(LookupFailure::Unknown),
            Ok(Err(_)) => Err(LookupFailure::Failed),
            Err(_) => Err(LookupFailure::Again),
        }
    }
}

/// Whether a name is this instance's own machine, which no name server is asked for.
fn is_here(name: &str) -> bool {
    name == "localhost" || name == HOST_NAME
}

/// Whether a name can be one. A zone belongs to an address: `fe80::1%eth0`.
fn is_possible(name: &str) -> bool {
    let zone = name.split_once('%');
    let zoned = zone.is_some_and(|(address, _)| address.parse::<Ipv6Addr>().is_ok());
    !name.is_empty() && !name.contains(['\0', ' ']) && (zone.is_none() || zoned)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests;
