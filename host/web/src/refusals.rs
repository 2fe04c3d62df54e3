//! Tells the operator of refused logins, within a rate for each address.
//!
//! Anybody can send wrong passwords, so each address has a few lines and then one now and then; the
//! lines that are left out are counted and their number is told. The log bounds the lines about all
//! addresses together.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use crate::access::Refusal;
use crate::places::network_of;
use cordon_base::log::{EventLog, Level};

/// Lines of one address that may follow each other: one for each wrong password that it may send,
/// and one that says that it is locked out.
const BURST: u32 = crate::throttle::FAILURES + 1;
/// The time after which an address may cause another line.
const PERIOD: Duration = Duration::from_secs(20);
/// How often lines that were left out are told.
const REMINDER: Duration = Duration::from_secs(60);
/// Addresses that are remembered.
const ADDRESSES: usize = 256;
/// Longest name of a user that is shown, in characters.
const NAME: usize = 64;

/// The way in which somebody has tried to log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// A password in the header of a request.
    Basic,
    /// A password in the address of a request.
    Address,
    /// An answer to a challenge.
    Digest,
    /// The code of the house's security panel.
    Code,
    /// A key of the Indigo API.
    Key,
}

impl Way {
    fn words(self) -> &'static str {
        match self {
            Self::Basic => "HTTP Basic",
            Self::Address => "a password in the address",
            Self::Digest => "HTTP Digest",
            Self::Code => "security code",
            Self::Key => "API key",
        }
    }
}

/// The lines about refused logins; without a log there are none.
#[derive(Default)]
pub(crate) struct Refusals {
    log: Option<EventLog>,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    addresses: HashMap<IpAddr, Pace>,
    /// Lines about addresses that are no longer remembered.
    others: u64,
    /// Whether a task tells of the lines that were left out.
    reminded: bool,
}

/// The lines that an address may cause now.
struct Pace {
    left: u32,
    filled: Instant,
    left_out: u64,
}

impl Pace {
    fn new(now: Instant) -> Self {
        Self {
            left: BURST,
            filled: now,
            left_out: 0,
        }
    }

    /// Whether there may be another line; if not it is counted.
    fn take(&mut self, now: Instant) -> bool {
        let periods = now.duration_since(self.filled).as_secs() / PERIOD.as_secs().max(1);
        if periods > 0 {
            let more = u32::try_from(periods).unwrap_or(u32::MAX);
            self.left = self.left.saturating_add(more).min(BURST);
            self.filled = now;
        }
        match self.left.checked_sub(1) {
            Some(left) => {
                self.left = left;
                true
            }
            None => {
                self.left_out = self.left_out.saturating_add(1);
                false
            }
        }
    }
}

impl Told {
    /// Whether there may be a line about this address.
    fn take(&mut self, address: IpAddr, now: Instant) -> bool {
        if self.addresses.len() >= ADDRESSES && !self.addresses.contains_key(&address) {
            let oldest = self.addresses.iter().min_by_key(|(_, pace)| pace.filled);
            if let Some(oldest) = oldest.map(|(address, _)| *address)
                && let Some(pace) = self.addresses.remove(&oldest)
            {
                self.others = self.others.saturating_add(pace.left_out);
            }
        }
        let pace = self.addresses.entry(address);
        pace.or_insert_with(|| Pace::new(now)).take(now)
    }
}

impl Refusals {
    pub(crate) fn new(log: EventLog) -> Self {
        Self {
            log: Some(log),
            told: Mutex::default(),
        }
    }

    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells of a refused login. The name is the one that was given, whoever it is.
    pub(crate) fn tell(
        self: &Arc<Self>,
        address: IpAddr,
        way: Way,
        name: Option<&str>,
        reason: &str,
    ) {
        let Some(log) = &self.log else {
            return;
        };
        if !self.told().take(network_of(address), Instant::now()) {
            self.remind_later();
            return;
        }
        let user = name.map(|name| format!(" of user {}", shown(name)));
        let user = user.unwrap_or_default();
        let address = address.to_canonical();
        let way = way.words();
        let text = format!("login{user} from {address} refused ({way}): {reason}");
        // The log counts the lines that are too many for all addresses together.
        let _ = log.record_stranger(Level::Warning, &text);
    }

    /// Sees to it that lines that were left out are told, whatever happens next.
    fn remind_later(self: &Arc<Self>) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        if !std::mem::replace(&mut self.told().reminded, true) {
            runtime.spawn(remind(Arc::downgrade(self)));
        }
    }

    /// Tells the numbers of the lines that were left out; `false` when there were none.
    fn tell_left_out(&self) -> bool {
        let left_out: Vec<_> = {
            let mut told = self.told();
            let others = std::mem::take(&mut told.others);
            let addresses = told.addresses.iter_mut();
            let left_out = addresses.map(|(address, pace)| {
                let count = std::mem::take(&mut pace.left_out);
                (address.to_string(), count)
            });
            let left_out = left_out.chain([("other addresses".to_owned(), others)]);
            let left_out: Vec<_> = left_out.filter(|(_, count)| *count > 0).collect();
            told.reminded = !left_out.is_empty();
            left_out
        };
        for (address, count) in &left_out {
            let text = format!("{count} more logins from {address} refused");
            if let Some(log) = &self.log {
                let _ = log.record_stranger(Level::Warning, &text);
            }
        }
        !left_out.is_empty()
    }
}

/// Tells of the lines that were left out, until there are none.
async fn remind(refusals: Weak<Refusals>) {
    loop {
        tokio::time::sleep(REMINDER).await;
        let Some(refusals) = refusals.upgrade() else {
            return;
        };
        if !refusals.tell_left_out() {
            return;
        }
    }
}

/// A name in quotes, with an end and without anything invisible.
fn shown(name: &str) -> String {
    let is_long = name.chars().nth(NAME).is_some();
    let name: String = name.chars().take(NAME).collect();
    let rest = if is_long { "..." } else { "" };
    format!("{name:?}{rest}")
}

/// The reason for a refusal, for the operator; `None` for one that is part of logging in.
pub(crate) fn reason(refusal: Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Wrong => Some("the user or the password is wrong"),
        Refusal::TooMany => Some("locked out for a minute after too many wrong passwords"),
        Refusal::Missing | Refusal::Stale => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests {
    use cordon_base::log::LogCapacity;

    use super::*;

    fn refusals() -> (EventLog, Arc<Refusals>) {
        let log = EventLog::new(LogCapacity::default());
        (log.clone(), Arc::new(Refusals::new(log)))
    }

    fn texts(log: &EventLog) -> Vec<String> {
        let lines = log.tail(None, usize::MAX);
        lines.iter().map(|it| it.message()).collect()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_has_an_end_and_cannot_forge_a_line() {
        let (log, refusals) = refusals();
        let name = "ann\" from 10.0.0.1\n2026-01-01  Status: ready\u{202e}\u{1b}[2J";
        refusals.tell(address("::ffff:192.0.2.9"), Way::Basic, Some(name), "no");
        refusals.tell(address("192.0.2.9"), Way::Key, None, "no");
        refusals.tell(
            address("192.0.2.9"),
            Way::Code,
            Some(&"é".repeat(500)),
            "no",
        );
        let lines = texts(&log);
        assert_eq!(
            lines[0],
            "Warning: login of user \"ann\\\" from 10.0.0.1\\n2026-01-01  Status: ready\\u{202e}\
             \\u{1b}[2J\" from 192.0.2.9 refused (HTTP Basic): no"
        );
        assert_eq!(
            lines[1],
            "Warning: login from 192.0.2.9 refused (API key): no"
        );
        assert!(
            lines[2].contains(&format!("\"{}\"... from", "é".repeat(NAME))),
            "{lines:?}"
        );
    }

    #[test]
    fn an_address_causes_a_few_lines_and_the_rest_is_counted() {
        let (log, refusals) = refusals();
        for _ in 0..1000 {
            refusals.tell(address("2001:db8::1"), Way::Basic, Some("a"), "no");
            refusals.tell(address("2001:db8::2"), Way::Basic, Some("a"), "no");
        }
        refusals.tell(address("192.0.2.1"), Way::Basic, Some("b"), "no");
        let lines = texts(&log);
        assert_eq!(
            lines.len(),
            usize::try_from(BURST).unwrap() + 1,
            "{lines:?}"
        );
        assert!(refusals.tell_left_out());
        let expected = format!(
            "Warning: {} more logins from 2001:db8:: refused",
            2000 - BURST
        );
        assert_eq!(texts(&log).pop().unwrap(), expected);
        assert!(!refusals.tell_left_out());
    }

    #[test]
    fn an_address_causes_another_line_after_a_while() {
        let start = Instant::now();
        let mut pace = Pace::new(start);
        let mut passed = 0;
        for second in 0..600 {
            passed += u32::from(pace.take(start + Duration::from_secs(second)));
        }
        assert!((30..=BURST + 30).contains(&passed), "{passed}");
        assert_eq!(u64::from(passed) + pace.left_out, 600);
    }

    #[test]
    fn addresses_without_end_take_bounded_room_and_lose_no_count() {
        let (log, refusals) = refusals();
        for _ in 0..20 {
            refusals.tell(address("192.0.2.1"), Way::Basic, None, "no");
        }
        for number in 0..5000_u32 {
            let address = IpAddr::V4((0x0a00_0000 + number).into());
            refusals.tell(address, Way::Basic, None, "no");
        }
        assert!(refusals.told().addresses.len() <= ADDRESSES);
        // The log has a bound for all of them together.
        assert!(texts(&log).len() < 400, "{}", texts(&log).len());
        assert_eq!(refusals.told().others, u64::from(20 - BURST));
    }
}
