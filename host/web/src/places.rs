//! Places for connections: so many in all and of one address; decides which connection has to go.
//!
//! A newcomer who finds all places of their address taken gets the place of another connection of
//! the address; when all places are taken, one of the address with the most. So a crowd takes
//! places from itself. A connection that was let in is no stranger's any more, and no such
//! connection goes while there are strangers. The stranger who came first goes first, so that a
//! newcomer has time to ask. A request that was sent is not lost by that: a connection with
//! something to read goes only if a stranger had an answer over it before. A request that was
//! received whole is never given up before its answer is sent.

use std::cmp::Reverse;
use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use cordon_base::grants::HostPattern;

/// The part of the places that there are beyond the total, one for an address that has none.
const RESERVE: usize = 16;

/// Most newcomers who wait for a place at a time.
const LINE: usize = 128;

/// The state of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The connection waits for its client: there was nothing to read.
    Waiting,
    /// The connection reads, and the request is not yet whole.
    Reading,
    /// A request was received whole, and its answer is not yet sent.
    Working,
    /// The connection no longer speaks HTTP.
    Upgraded,
}

/// All places of a listener.
pub(super) struct Places {
    total: usize,
    each: usize,
    /// Addresses that connections of many clients come from: proxies.
    many: Vec<HostPattern>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    next: u64,
    places: HashMap<u64, Entry>,
    /// Newcomers for whom there was no place, in the order in which they came.
    line: VecDeque<(u64, IpAddr, CancellationToken)>,
}

struct Entry {
    owner: IpAddr,
    phase: Phase,
    /// The connection waited for the next request before the last answer was sent.
    dry: bool,
    /// Somebody was let in over the connection.
    known: bool,
    /// The connection had an answer.
    answered: bool,
    /// When the connection came; for a known one, when it had its last answer.
    since: Instant,
    socket: Weak<TcpStream>,
    given_up: CancellationToken,
    /// The present request of the connection is the last one.
    last: CancellationToken,
}

/// A connection that needs a place.
pub(super) struct Newcomer {
    /// The address that the connection comes from.
    pub peer: IpAddr,
    /// When the connection came.
    pub came: Instant,
    /// The socket, for as long as it is served.
    pub socket: Weak<TcpStream>,
}

/// One place, until this is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    /// An answer was made and is not yet sent.
    ending: AtomicBool,
    /// The present answer goes on for as long as it is read.
    endless: AtomicBool,
    given_up: CancellationToken,
    /// The present request of the connection is the last one.
    last: CancellationToken,
}

/// Somebody's turn in the line for a place, until this is dropped.
pub(super) struct Turn {
    places: Arc<Places>,
    number: u64,
    sent_away: CancellationToken,
}

impl Places {
    /// `total` places, of which one address may have `each`; `many` are proxies, which
    /// may have all.
    pub(super) fn new(total: usize, each: usize, many: Vec<HostPattern>) -> Arc<Self> {
        Arc::new(Self {
            total,
            each,
            many,
            held: Mutex::default(),
        })
    }

    /// Takes a place for a connection, if need be that of another one.
    pub(super) fn take(self: &Arc<Self>, newcomer: &Newcomer) -> Option<Arc<Place>> {
        let owner = network_of(newcomer.peer);
        let address = newcomer.peer.to_canonical();
        let is_many = self.many.iter().any(|it| it.contains("", address));
        let mut held = self.held();
        if !is_many && held.count(owner) >= self.each {
            held.give_up(Some(owner))?;
        } else if held.places.len() >= self.total && held.give_up(None).is_none() {
            // All of them work. A newcomer without any place need not wait for the others' end.
            let reserve = self.total / RESERVE;
            let fits = held.places.len() < self.total.saturating_add(reserve);
            if !fits || held.count(owner) > 0 {
                return None;
            }
        }
        let number = held.number();
        let (given_up, last) = (CancellationToken::new(), CancellationToken::new());
        let entry = Entry {
            owner,
            phase: Phase::Waiting,
            dry: false,
            known: false,
            answered: false,
            since: newcomer.came,
            socket: Weak::clone(&newcomer.socket),
            given_up: given_up.clone(),
            last: last.clone(),
        };
        held.places.insert(number, entry);
        Some(Arc::new(Place {
            places: Arc::clone(self),
            number,
            ending: AtomicBool::new(false),
            endless: AtomicBool::new(false),
            given_up,
            last,
        }))
    }

    /// A turn for a connection that got no place. When the line is full, the first one
    /// goes of the address that has the most in it.
    pub(super) fn line_up(self: &Arc<Self>, newcomer: &Newcomer) -> Turn {
        let mut held = self.held();
        if held.line.len() >= LINE {
            held.shorten_line();
        }
        let number = held.number();
        let sent_away = CancellationToken::new();
        let owner = network_of(newcomer.peer);
        held.line.push_back((number, owner, sent_away.clone()));
        Turn {
            places: Arc::clone(self),
            number,
            sent_away,
        }
    }

    /// Gives up the connection that can be spared best; false when there is none.
    pub(super) fn make_room(&self) -> bool {
        self.held().give_up(None).is_some()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        number
    }

    fn count(&self, owner: IpAddr) -> usize {
        let all = self.places.values();
        all.filter(|entry| entry.owner == owner).count()
    }

    /// Gives up the place that can be spared best, of this owner or of all. Where there is
    /// none, strangers who are at work get no further request.
    fn give_up(&mut self, owner: Option<IpAddr>) -> Option<()> {
        let Some(number) = self.spare(owner) else {
            for entry in self.places.values() {
                let in_question = owner.is_none_or(|owner| entry.owner == owner);
                if in_question && !entry.known && entry.phase == Phase::Working {
                    entry.last.cancel();
                }
            }
            return None;
        };
        let entry = self.places.remove(&number)?;
        entry.given_up.cancel();
        Some(())
    }

    fn spare(&self, owner: Option<IpAddr>) -> Option<u64> {
        let in_question = |it: &&Entry| owner.is_none_or(|owner| it.owner == owner);
        // The address that has the most of a kind loses of that kind first.
        let mut crowds: HashMap<(IpAddr, bool), usize> = HashMap::new();
        for entry in self.places.values().filter(in_question) {
            let crowd = crowds.entry((entry.owner, entry.known)).or_default();
            *crowd = crowd.saturating_add(1);
        }
        let best = |known: bool, may_go: &dyn Fn(&Entry) -> bool| {
            let all = self.places.iter();
            let all = all.filter(|(_, it)| in_question(it) && it.known == known && !it.is_busy());
            let rank = |it: &Entry| Reverse(crowds.get(&(it.owner, known)).copied());
            let mut all: Vec<_> = all
                .map(|(number, it)| (rank(it), it.since, *number, it))
                .collect();
            all.sort_by_key(|(rank, since, number, _)| (*rank, *since, *number));
            let mut all = all.into_iter();
            all.find_map(|(_, _, number, it)| may_go(it).then_some(number))
        };
        let silent = best(false, &Entry::is_silent);
        if let Some(stranger) = silent.or_else(|| best(false, &|it| it.answered)) {
            return Some(stranger);
        }
        // Requests of strangers will soon be over.
        let mut entries = self.places.values().filter(in_question);
        if entries.any(|it| !it.known) {
            return None;
        }
        best(true, &Entry::is_silent)
    }

    /// Sends the first one away of the address with the most in the line.
    fn shorten_line(&mut self) {
        let mut counts: HashMap<IpAddr, usize> = HashMap::new();
        for (_, owner, _) in &self.line {
            let count = counts.entry(*owner).or_default();
            *count = count.saturating_add(1);
        }
        let crowd = counts.into_iter().max_by_key(|(_, count)| *count);
        let first = crowd.and_then(|(crowd, _)| self.line.iter().position(|it| it.1 == crowd));
        if let Some((_, _, sent_away)) = first.and_then(|first| self.line.remove(first)) {
            sent_away.cancel();
        }
    }
}

impl Entry {
    /// Whether the connection has work that is never given up.
    fn is_busy(&self) -> bool {
        matches!(self.phase, Phase::Working | Phase::Upgraded)
    }

    /// Whether the connection waits for a client that has sent nothing more.
    fn is_silent(&self) -> bool {
        let unread = || {
            let socket = self.socket.upgrade();
            socket.and_then(|socket| rustix::io::ioctl_fionread(&*socket).ok())
        };
        self.phase == Phase::Waiting && unread().unwrap_or(0) == 0
    }
}

impl Turn {
    /// Ends when somebody else needs the turn.
    pub(super) async fn sent_away(&self) {
        self.sent_away.cancelled().await;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut held = self.places.held();
        held.line.retain(|(number, ..)| *number != self.number);
    }
}

impl Place {
    /// Says that it is about to read; `false` when the place is somebody else's.
    pub(super) fn reads(&self) -> bool {
        let mut held = self.places.held();
        let entry = held.places.get_mut(&self.number);
        entry.is_some_and(|entry| {
            entry.dry = false;
            if entry.phase == Phase::Waiting {
                entry.phase = Phase::Reading;
            }
            true
        })
    }

    /// Says that there is nothing to read at present. The time of waiting is counted from before,
    /// whatever came in the meantime.
    pub(super) fn is_dry(&self) {
        self.change(|entry| match entry.phase {
            Phase::Reading => entry.phase = Phase::Waiting,
            _ => entry.dry = true,
        });
    }

    /// Says that a request was received whole.
    pub(super) fn works(&self) {
        self.ending.store(false, Ordering::Relaxed);
        self.endless.store(false, Ordering::Relaxed);
        self.change(|entry| entry.phase = Phase::Working);
    }

    /// Says that the answer goes on for as long as it is read.
    pub(super) fn has_no_end(&self) {
        self.endless.store(true, Ordering::Relaxed);
    }

    /// Whether the answer goes on for as long as it is read.
    pub(super) fn is_endless(&self) -> bool {
        self.endless.load(Ordering::Relaxed)
    }

    /// Says that somebody was let in: by a password, which shows at once who they are, or without
    /// one; then only a whole request shows it.
    pub(super) fn lets_in(&self, by_password: bool) {
        self.change(|entry| entry.known |= by_password || entry.phase == Phase::Working);
    }

    /// Says that an answer was made, of which the end may still have to be sent.
    pub(super) fn ends(&self) {
        self.ending.store(true, Ordering::Relaxed);
        self.change(|entry| entry.dry = false);
    }

    /// Says that all was sent that was made: an answer, if there was one.
    pub(super) fn is_flushed(&self) {
        if !self.ending.swap(false, Ordering::Relaxed) {
            return;
        }
        self.change(|entry| {
            entry.answered = true;
            if entry.known {
                entry.since = Instant::now();
            }
            if entry.phase == Phase::Working {
                entry.phase = match entry.dry {
                    true => Phase::Waiting,
                    false => Phase::Reading,
                };
            }
        });
    }

    /// Says that the connection no longer speaks HTTP.
    pub(super) fn is_upgraded(&self) {
        self.change(|entry| entry.phase = Phase::Upgraded);
    }

    /// Ends when the present request has to be the last one.
    pub(super) async fn has_last(&self) {
        self.last.cancelled().await;
    }

    /// Ends when somebody else got the place.
    pub(super) async fn given_up(&self) {
        self.given_up.cancelled().await;
    }

    fn change(&self, change: impl FnOnce(&mut Entry)) {
        if let Some(entry) = self.places.held().places.get_mut(&self.number) {
            change(entry);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.places.held().places.remove(&self.number);
    }
}

/// The address under which a peer is counted. A peer in IPv6 has a whole network.
pub fn network_of(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6((u128::from(address) & (u128::MAX << 64)).into()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
mod tests;
