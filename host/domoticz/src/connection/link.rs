//! One transport's life: from a request to connect to the last event.
//!
//! Owns the state that Python may ask for at any time, the codec and the outbox.
//! A connection that connects again gets a new link. Never does I/O.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use super::context::{Context, Slot, lock};
use super::outbox::Outbox;
use super::{ConnectionId, Credit, Endpoint, PRODUCT, State};
use cordon_base::account::{Account, Charge};
use cordon_protocol::{Codec, CodecError, Credentials, Decoded, Inbound, Outbound};

/// Stations of a link, which never goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
#[repr(u8)]
pub(super) enum Phase {
    /// Resolving, connecting, shaking hands.
    Connecting = 0,
    /// A TCP listener, which Domoticz calls "connecting" (rule 93).
    Listening = 1,
    /// Data may flow.
    Open = 2,
    /// The end of the link has begun; Connected() is false from here on (rule 88).
    Closing = 3,
    /// The link has no transport any more; events may be under way.
    Closed = 4,
}

/// The way that a message of the plugin takes.
pub(super) enum Sending {
    /// The message is written to a stream, by way of the outbox.
    Stream,
    /// The message is refused: a listener for datagrams does not send (rule 98).
    Refused,
    /// The message is the payload of an echo request.
    Echoes(mpsc::Sender<Vec<u8>>),
}

pub(super) struct Link {
    pub(super) id: ConnectionId,
    pub(super) name: String,
    pub(super) outbox: Outbox,
    pub(super) sending: Sending,
    /// Asks the task to close in order, with all events.
    pub(super) cancel: CancellationToken,
    /// Set when the last event is out.
    pub(super) done: CancellationToken,
    /// The `done` of the link with the same id that this one replaces.
    pub(super) waits_for: Option<CancellationToken>,
    slot: Mutex<Option<Arc<Slot>>>,
    phase: AtomicU8,
    bytes: AtomicU64,
    /// Whether the peer has sent anything.
    heard: AtomicBool,
    /// Seconds since 1970; 0 when nothing has happened yet (spec 5.2).
    last_seen: AtomicI64,
    codec: Mutex<Codec>,
    account: Arc<Account>,
    /// The charge for incomplete messages in the codec.
    held: Mutex<Option<Charge>>,
    /// Bytes of delivered messages that the plugin has not taken yet.
    inbound: Arc<Semaphore>,
    inbound_bound: u32,
}

impl Link {
    pub(super) fn new(
        id: ConnectionId,
        endpoint: &Endpoint,
        phase: Phase,
        context: &Context,
        slot: Arc<Slot>,
        waits_for: Option<CancellationToken>,
    ) -> Self {
        let (limits, account) = (&context.limits, &context.reach.account);
        let inbound_bound = u32::try_from(limits.buffer_bytes)
            .unwrap_or(u32::MAX)
            .clamp(1, 1 << 28);
        let link = Self {
            id,
            name: endpoint.name.clone(),
            outbox: Outbox::new(limits.buffer(), Arc::clone(account)),
            sending: Sending::Stream,
            cancel: CancellationToken::new(),
            done: CancellationToken::new(),
            waits_for,
            slot: Mutex::new(Some(slot)),
            phase: AtomicU8::new(phase as u8),
            bytes: AtomicU64::new(0),
            heard: AtomicBool::new(false),
            last_seen: AtomicI64::new(0),
            codec: Mutex::new(Codec::new(&endpoint.protocol, limits.buffer())),
            account: Arc::clone(account),
            held: Mutex::default(),
            inbound: Arc::new(Semaphore::new(
                usize::try_from(inbound_bound).unwrap_or(usize::MAX),
            )),
            inbound_bound,
        };
        if phase == Phase::Open {
            link.seen();
        }
        link
    }

    fn phase(&self) -> u8 {
        self.phase.load(Ordering::Acquire)
    }

    pub(super) fn is(&self, phase: Phase) -> bool {
        self.phase() == phase as u8
    }

    /// Whether there is something that a disconnect could end.
    pub(super) fn is_live(&self) -> bool {
        self.phase() < Phase::Closing as u8
    }

    /// Moves on; false when the link is further already.
    pub(super) fn advance(&self, phase: Phase) -> bool {
        self.phase.fetch_max(phase as u8, Ordering::AcqRel) < phase as u8
    }

    /// Asks the task to end the link; messages from before are still written.
    pub(super) fn close(&self) {
        self.advance(Phase::Closing);
        self.cancel.cancel();
    }

    /// The slot for a link that replaces this one, unless it is free already.
    pub(super) fn slot(&self) -> Option<Arc<Slot>> {
        lock(&self.slot).clone()
    }

    pub(super) fn free_slot(&self) {
        lock(&self.slot).take();
    }

    /// Notes a connect or a read.
    pub(super) fn seen(&self) {
        let now = jiff::Timestamp::now().as_second();
        self.last_seen.store(now, Ordering::Relaxed);
    }

    pub(super) fn count(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// The state that Python sees; nothing when there is no transport (spec 5.2).
    pub(super) fn state(&self) -> Option<State> {
        let phase = self.phase();
        if phase == Phase::Closed as u8 {
            return None;
        }
        Some(State {
            connecting: phase < Phase::Open as u8,
            connected: phase == Phase::Open as u8,
            bytes_transferred: self.bytes.load(Ordering::Relaxed),
            last_seen: local_text(self.last_seen.load(Ordering::Relaxed)),
        })
    }

    /// Hands a read to the protocol. The bytes that the protocol holds on to are charged.
    pub(super) fn feed(&self, bytes: &[u8], out: &mut Decoded) -> Result<(), CodecError> {
        self.seen();
        self.heard.store(true, Ordering::Relaxed);
        self.count(bytes.len());
        let mut codec = lock(&self.codec);
        codec.feed(bytes, out)?;
        let held = codec.held() as u64;
        drop(codec);
        let mut charge = lock(&self.held);
        let charge = match &mut *charge {
            Some(charge) => charge,
            none => none.insert(self.account.charge(0)?),
        };
        charge.grow(held.saturating_sub(charge.bytes()))?;
        charge.shrink_to(held);
        Ok(())
    }

    pub(super) fn has_heard(&self) -> bool {
        self.heard.load(Ordering::Relaxed)
    }

    pub(super) fn leftovers(&self, out: &mut Decoded) {
        lock(&self.codec).close(out);
    }

    pub(super) fn encode(
        &self,
        message: &Outbound,
        credentials: &Credentials,
    ) -> Result<Vec<u8>, String> {
        lock(&self.codec).encode(message, credentials, PRODUCT)
    }

    /// Waits until the plugin has taken enough of the messages before this one.
    pub(super) async fn credit(&self, message: &Inbound) -> Credit {
        let size = u32::try_from(message.size()).unwrap_or(u32::MAX);
        let permits = size.clamp(1, self.inbound_bound);
        let permit = Arc::clone(&self.inbound).acquire_many_owned(permits).await;
        Credit {
            _permit: permit.ok(),
            _charge: None,
        }
    }
}

fn local_text(seconds: i64) -> String {
    let zone = jiff::tz::TimeZone::system();
    let time = jiff::Timestamp::from_second(seconds).unwrap_or_default();
    time.to_zoned(zone)
        .strftime("%Y-%m-%d %H:%M:%S")
        .to_string()
}
