//! The state that all tasks of one instance's connections share.
//!
//! Owns the table of links, the count of slots, and the ways to log and to emit
//! events. Locks are held for a look-up, never across a wait.

use std::collections::HashMap;
use std::future::Future;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use socket2::SockRef;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::link::Link;
use super::pace::Pace;
use super::paced::{Debt, Paced};
use super::udp::Senders;
use super::{
    ConnectionEvent, ConnectionId, ConnectionLimits, FIRST_CHILD, LogLevel, LogOrigin, LogSink,
};
use cordon_base::account::Charge;
use cordon_base::descriptors::Permit;
use cordon_base::error::LimitHit;
use cordon_protocol::Credentials;
use cordon_reach::Reach;
use cordon_reach::tls_client::TlsClient;

/// Bytes of a buffer of the system with which a connection is still of use.
const LEAST_BUFFER: usize = 64 << 10;

/// Memory of the hub for a connection, without the messages that wait in it: its task, a read, a
/// state.
const LINK: u64 = 16 << 10;

pub(super) type Links = Arc<Mutex<HashMap<ConnectionId, Arc<Link>>>>;

/// Locks a mutex whose data no panic can leave half-changed.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets the system hold no more for a connection than may wait in one: left to itself it
/// takes all that a peer sends faster than the plugin reads, many times as much.
pub(super) fn bound_buffers(stream: &TcpStream, limits: &ConnectionLimits) {
    // The system doubles the size that it is told, for its own book-keeping.
    let size = (limits.buffer() / 2).max(LEAST_BUFFER);
    let socket = SockRef::from(stream);
    let bound = socket
        .set_recv_buffer_size(size)
        .and_then(|()| socket.set_send_buffer_size(size));
    if let Err(error) = bound {
        tracing::debug!(%error, "the buffers of a connection are the system's choice");
    }
}

pub(super) struct Context {
    pub(super) reach: Reach,
    pub(super) limits: ConnectionLimits,
    pub(super) credentials: Credentials,
    pub(super) tls: Arc<TlsClient>,
    pub(super) links: Links,
    pub(super) pace: Pace,
    /// The senders of datagrams who may be answered.
    pub(super) senders: Senders,
    pub(super) tasks: TaskTracker,
    /// Ends all tasks where they stand, without events.
    pub(super) kill: CancellationToken,
    pub(super) stopping: AtomicBool,
    debt: Debt,
    log: LogSink,
    events: mpsc::Sender<ConnectionEvent>,
    slots: Arc<AtomicU32>,
    next_child: AtomicU32,
}

/// One of the instance's `connections`, given back when the last holder drops it.
pub(super) struct Slot {
    used: Arc<AtomicU32>,
    _descriptor: Permit,
    _charge: Charge,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.used.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Context {
    pub(super) fn new(
        reach: Reach,
        limits: ConnectionLimits,
        credentials: Credentials,
        tls: Arc<TlsClient>,
        debt: Debt,
        log: LogSink,
        events: mpsc::Sender<ConnectionEvent>,
    ) -> Self {
        Self {
            reach,
            limits,
            credentials,
            tls,
            links: Links::default(),
            pace: Pace::default(),
            senders: Senders::default(),
            tasks: TaskTracker::new(),
            kill: CancellationToken::new(),
            stopping: AtomicBool::new(false),
            debt,
            log,
            events,
            slots: Arc::default(),
            next_child: AtomicU32::new(FIRST_CHILD),
        }
    }

    /// Makes a task run at the instance's cost and pace.
    pub(super) fn paced<F: Future>(&self, task: F) -> Paced<F> {
        Paced::new(
            task,
            Arc::clone(&self.reach.account),
            Arc::clone(&self.debt),
        )
    }

    /// Runs a connection's task until it ends or the instance is dropped.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let kill = self.kill.clone();
        let task = self.paced(task);
        self.tasks.spawn(async move {
            kill.run_until_cancelled(task).await;
        });
    }

    /// A limit that was hit, with its remedy.
    pub(super) fn over(&self, hit: &LimitHit) -> String {
        self.reach.network.origin().limit(hit)
    }

    /// Takes a slot of the `connections` limit.
    pub(super) fn take_slot(&self) -> Result<Arc<Slot>, LimitHit> {
        let limit = self.limits.connections;
        let charge = self.reach.account.charge(LINK)?;
        let descriptor = self.reach.descriptors.take(1)?;
        self.slots
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |used| {
                (used < limit).then_some(used.saturating_add(1))
            })
            .map(|_| {
                Arc::new(Slot {
                    used: Arc::clone(&self.slots),
                    _descriptor: descriptor,
                    _charge: charge,
                })
            })
            .map_err(|used| LimitHit {
                which: "connections",
                used: u64::from(used).saturating_add(1),
                limit: u64::from(limit),
            })
    }

    /// The next id for an accepted client; none when all have been used.
    pub(super) fn next_child(&self) -> Option<ConnectionId> {
        let next = |id: u32| id.checked_add(1);
        self.next_child
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, next)
            .ok()
    }

    pub(super) fn link(&self, id: ConnectionId) -> Option<Arc<Link>> {
        lock(&self.links).get(&id).cloned()
    }

    pub(super) fn insert(&self, link: &Arc<Link>) {
        lock(&self.links).insert(link.id, Arc::clone(link));
        // A client may be accepted just after the shutdown closed all others.
        if self.is_stopping() {
            link.close();
        }
    }

    /// Emits the last event of a link, if there is one, and forgets it.
    ///
    /// The slot is free before the plugin can know, so that a connection that the plugin then opens
    /// fits; the table changes after, so that no successor's event overtakes.
    pub(super) async fn finish(&self, link: &Arc<Link>, last: impl Into<Option<ConnectionEvent>>) {
        let last = last.into();
        let permit = match &last {
            Some(_) => self.room().await,
            None => None,
        };
        link.free_slot();
        if let (Some(permit), Some(last)) = (permit, last) {
            permit.send(last);
        }
        let mut links = lock(&self.links);
        if links
            .get(&link.id)
            .is_some_and(|now| Arc::ptr_eq(now, link))
        {
            links.remove(&link.id);
        }
        drop(links);
        link.done.cancel();
    }

    /// Waits until the actor has room. Nobody listens any more when the instance
    /// is gone, and then nobody needs the event either.
    pub(super) async fn emit(&self, event: ConnectionEvent) {
        // The receiver is dropped together with the instance.
        let _ = self.events.send(event).await;
    }

    /// Waits for room for one event.
    pub(super) async fn room(&self) -> Option<mpsc::Permit<'_, ConnectionEvent>> {
        self.events.reserve().await.ok()
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Acquire)
    }

    pub(super) fn normal(&self, text: String) {
        (self.log)(LogLevel::Normal, LogOrigin::Hardware, text);
    }

    pub(super) fn error(&self, text: String) {
        (self.log)(LogLevel::Error, LogOrigin::Hardware, text);
    }

    /// An error of the hub's side, without the hardware's name (spec 10).
    pub(super) fn core_error(&self, text: String) {
        (self.log)(LogLevel::Error, LogOrigin::Core, text);
    }
}
