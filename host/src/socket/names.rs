//! Names and addresses: look-ups, how many of them, and what they led to.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::net::lookup_host;
use tokio::sync::Semaphore;

use crate::error::LimitHit;
use crate::grants::normal_name;
use crate::limits::Limits;

/// What `gethostname` answers.
pub(super) const HOST_NAME: &str = "cordon";

/// Longest name of the domain name system.
const NAME_BYTES: usize = 253;

/// More addresses than this are no host but an attempt to keep us busy.
const ADDRESSES: usize = 16;

/// Names whose addresses are remembered, and addresses per name: services with many
/// addresses answer with other ones each time.
const NAMES: usize = 256;
const ADDRESSES_PER_NAME: usize = 64;

/// How long an address stays one of its name.
const KEPT: Duration = Duration::from_secs(3600);

/// Look-ups of one instance at a time. The system's resolver blocks a thread each,
/// which cannot be taken back when the look-up has timed out.
const AT_ONCE: usize = 2;

/// Two rounds of the usual resolver.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Over which the `lookups` limit counts.
const WINDOW: Duration = Duration::from_secs(60);

/// Why a name has no address for the plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupFailure {
    /// There is no such name.
    Unknown,
    /// Not now.
    Again,
    /// The resolver failed.
    Failed,
    /// The sentence with the line that would allow it.
    Denied(String),
}

/// The names of one instance.
pub(super) struct Names {
    permits: Arc<Semaphore>,
    per_minute: u64,
    begun: Mutex<VecDeque<Instant>>,
    known: Mutex<HashMap<String, Vec<(IpAddr, Instant)>>>,
}

impl Names {
    pub(super) fn new(per_minute: u64) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            per_minute,
            begun: Mutex::default(),
            known: Mutex::default(),
        }
    }

    /// The names that led to this address.
    pub(super) fn of(&self, address: IpAddr) -> Vec<String> {
        let address = address.to_canonical();
        let known = lock(&self.known);
        let leads = |(ip, seen): &(IpAddr, Instant)| *ip == address && seen.elapsed() < KEPT;
        let names = known.iter().filter(|(_, ips)| ips.iter().any(leads));
        names.map(|(name, _)| name.clone()).collect()
    }

    /// Counts one look-up.
    pub(super) fn count(&self) -> Result<(), LimitHit> {
        let mut begun = lock(&self.begun);
        while begun.front().is_some_and(|at| at.elapsed() >= WINDOW) {
            begun.pop_front();
        }
        let used = u64::try_from(begun.len()).unwrap_or(u64::MAX);
        if used >= self.per_minute {
            let used = used.saturating_add(1);
            return Err(Limits::hit("lookups", used, self.per_minute));
        }
        begun.push_back(Instant::now());
        Ok(())
    }

    /// The addresses of a name, which are remembered.
    pub(super) async fn resolve(&self, name: &str) -> Result<Vec<IpAddr>, LookupFailure> {
        let name = normal_name(name);
        let addresses = if is_here(&name) {
            vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]
        } else {
            self.ask(name.clone()).await?
        };
        self.remember(name, &addresses);
        Ok(addresses)
    }

    async fn ask(&self, name: String) -> Result<Vec<IpAddr>, LookupFailure> {
        if name.is_empty() || name.len() > NAME_BYTES || name.contains(['\0', ' ', '%']) {
            return Err(LookupFailure::Unknown);
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        // A task of its own, which outlives a timeout: the permit is held for as long
        // as the resolver's thread is busy.
        let lookup = tokio::spawn(async move {
            let _permit = permit;
            let found = lookup_host((name.as_str(), 0)).await?;
            let mut addresses = Vec::new();
            for address in found {
                if !addresses.contains(&address.ip()) {
                    addresses.push(address.ip());
                }
            }
            addresses.truncate(ADDRESSES);
            Ok::<_, std::io::Error>(addresses)
        });
        match tokio::time::timeout(TIMEOUT, lookup).await {
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

    fn remember(&self, name: String, addresses: &[IpAddr]) {
        let mut known = lock(&self.known);
        if known.len() >= NAMES && !known.contains_key(&name) {
            let newest = |ips: &[(IpAddr, Instant)]| ips.iter().map(|(_, seen)| *seen).max();
            let oldest = known.iter().min_by_key(|(_, ips)| newest(ips));
            if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
                known.remove(&oldest);
            }
        }
        let now = Instant::now();
        let kept = known.entry(name).or_default();
        kept.retain(|(ip, seen)| seen.elapsed() < KEPT && !addresses.contains(ip));
        kept.extend(addresses.iter().map(|ip| (ip.to_canonical(), now)));
        let excess = kept.len().saturating_sub(ADDRESSES_PER_NAME);
        kept.drain(..excess);
    }

    /// The name of an address.
    pub(super) async fn reverse(&self, address: IpAddr) -> Result<String, LookupFailure> {
        if address.is_loopback() {
            return Ok("localhost".to_owned());
        }
        let permit = Arc::clone(&self.permits).acquire_owned().await;
        let lookup = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            dns_lookup::lookup_addr(&address)
        });
        match tokio::time::timeout(TIMEOUT, lookup).await {
            // Without a name the resolver gives the address back.
            Ok(Ok(Ok(name))) if name.parse::<IpAddr>().is_err() => Ok(name),
            Ok(Ok(_)) => Err(LookupFailure::Unknown),
            Ok(Err(_)) => Err(LookupFailure::Failed),
            Err(_) => Err(LookupFailure::Again),
        }
    }
}

/// Whether a name is this instance's own machine, which no name server is asked for.
pub(super) fn is_here(name: &str) -> bool {
    let name = normal_name(name);
    name == "localhost" || name == HOST_NAME
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
