//! One socket of the system, and what is known of it.
//!
//! Owns the registration with the runtime's poller. That is made at the first wait
//! and dropped at a new `connect`: a stream that is registered before it connects
//! is reported as hung up, and the poller keeps that for good.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};
use tokio::io::unix::AsyncFd;

use super::{Failure, Kind};
use cordon_base::descriptors::Permit;

/// Clients of a listener of this instance's own that have not been accepted yet.
const EXPECTED: usize = 32;

/// The registration with the poller.
pub(super) type Watch = AsyncFd<Arc<Socket>>;

/// A socket; several handles may stand for one.
pub(super) struct Entry {
    pub(super) io: Arc<Socket>,
    pub(super) kind: Kind,
    pub(super) v6: bool,
    pub(super) paired: bool,
    watch: Mutex<Option<Arc<Watch>>>,
    reach: Mutex<Reach>,
    _descriptor: Permit,
}

/// What was decided about a socket, and what follows from what it did.
#[derive(Default)]
pub(super) struct Reach {
    /// Anybody may reach it: its port is granted.
    pub(super) open: bool,
    /// Its port may be another program's as well.
    pub(super) shared_port: bool,
    /// Streams of other programs may listen at its port as well.
    pub(super) reuses_port: bool,
    /// It was told to listen.
    pub(super) listening: bool,
    /// The target or sender that was allowed last.
    pub(super) allowed: Option<SocketAddr>,
    /// It has sent to a group or to a broadcast address: answers come from anybody.
    pub(super) asked_all: bool,
    /// Own clients of a listener that it has not accepted yet, and whether they have been
    /// closed since.
    expected: Vec<(SocketAddr, bool)>,
}

impl Reach {
    /// Whether one more own client may be on its way to this listener.
    pub(super) fn has_room(&self) -> bool {
        self.expected.len() < EXPECTED
    }

    /// An own client that is on its way to this listener.
    pub(super) fn expect(&mut self, client: SocketAddr) {
        self.expected.push((client, false));
    }

    /// How many of those that are expected have been closed.
    pub(super) fn left(&self) -> usize {
        self.expected.iter().filter(|(_, closed)| *closed).count()
    }

    /// An own client is closed; whether it is expected here.
    pub(super) fn leaves(&mut self, client: SocketAddr) -> bool {
        let found = self.expected.iter_mut().find(|(it, _)| *it == client);
        found.map(|(_, closed)| *closed = true).is_some()
    }

    /// Whether this client was expected; once.
    pub(super) fn meets(&mut self, client: SocketAddr) -> bool {
        let found = self.expected.iter().position(|(it, _)| *it == client);
        found.map(|at| self.expected.swap_remove(at)).is_some()
    }
}

impl Entry {
    /// A new socket with buffers of at most `buffer` bytes in each direction.
    pub(super) fn new(
        v6: bool,
        kind: Kind,
        buffer: u64,
        descriptor: Permit,
    ) -> Result<Self, Failure> {
        let domain = if v6 { Domain::IPV6 } else { Domain::IPV4 };
        let (kind_of, protocol) = match kind {
            Kind::Stream => (Type::STREAM, Protocol::TCP),
            Kind::Datagram => (Type::DGRAM, Protocol::UDP),
        };
        let io = Socket::new(domain, kind_of.nonblocking(), Some(protocol))?;
        let entry = Self::of(io, v6, kind, false, descriptor);
        entry.bound_buffers(buffer)?;
        Ok(entry)
    }

    /// Two sockets that are connected to each other.
    pub(super) fn pair(
        kind: Kind,
        buffer: u64,
        descriptors: (Permit, Permit),
    ) -> Result<(Self, Self), Failure> {
        let kind_of = match kind {
            Kind::Stream => Type::STREAM,
            Kind::Datagram => Type::DGRAM,
        };
        let (one, two) = Socket::pair(Domain::UNIX, kind_of.nonblocking(), None)?;
        let pair = (
            Self::of(one, false, kind, true, descriptors.0),
            Self::of(two, false, kind, true, descriptors.1),
        );
        pair.0.bound_buffers(buffer)?;
        pair.1.bound_buffers(buffer)?;
        Ok(pair)
    }

    /// A client that was accepted.
    pub(super) fn accepted(io: Socket, v6: bool, descriptor: Permit) -> Self {
        Self::of(io, v6, Kind::Stream, false, descriptor)
    }

    fn of(io: Socket, v6: bool, kind: Kind, paired: bool, descriptor: Permit) -> Self {
        Self {
            io: Arc::new(io),
            kind,
            v6,
            paired,
            watch: Mutex::default(),
            reach: Mutex::default(),
            _descriptor: descriptor,
        }
    }

    /// Whether clients can connect at this moment: it does not listen any more once it was
    /// shut down.
    pub(super) fn listens(&self) -> bool {
        rustix::net::sockopt::socket_acceptconn(&*self.io).unwrap_or(false)
    }

    /// Left alone, the system lets a stream's buffers grow to several MiB.
    fn bound_buffers(&self, limit: u64) -> io::Result<()> {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // The system doubles what it is told, for its own book-keeping.
        let asked = (limit / 2).max(1);
        self.io.set_recv_buffer_size(asked)?;
        self.io.set_send_buffer_size(asked)
    }

    pub(super) fn reach(&self) -> MutexGuard<'_, Reach> {
        self.reach.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The registration, made if there is none.
    pub(super) fn watch(&self) -> io::Result<Arc<Watch>> {
        let mut watch = self.lock_watch();
        if let Some(watch) = &*watch {
            return Ok(Arc::clone(watch));
        }
        let interest = tokio::io::Interest::READABLE
            | tokio::io::Interest::WRITABLE
            | tokio::io::Interest::PRIORITY;
        // SAFETY: the socket is owned by the registration through its `Arc` and is
        // never closed or exchanged while that lives.
        let made = unsafe { AsyncFd::register_with_interest(Arc::clone(&self.io), interest) };
        let made = Arc::new(made.map_err(io::Error::from)?);
        *watch = Some(Arc::clone(&made));
        Ok(made)
    }

    /// Makes the next wait register anew.
    pub(super) fn forget_watch(&self) {
        self.lock_watch().take();
    }

    fn lock_watch(&self) -> MutexGuard<'_, Option<Arc<Watch>>> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its own address; nothing for a pair.
    pub(super) fn local(&self) -> Result<Option<SocketAddr>, Failure> {
        Ok(self.io.local_addr()?.as_socket())
    }

    /// Its peer's address; nothing for a pair.
    pub(super) fn peer(&self) -> Result<Option<SocketAddr>, Failure> {
        Ok(self.io.peer_addr()?.as_socket())
    }

    /// Its own address if it has one.
    pub(super) fn bound(&self) -> Option<SocketAddr> {
        let local = self.io.local_addr().ok()?.as_socket()?;
        (local.port() != 0).then_some(local)
    }

    pub(super) fn bind(&self, address: SocketAddr) -> Result<(), Failure> {
        Ok(self.io.bind(&SockAddr::from(address))?)
    }
}
