//! Messages that wait for their time: `Send(m, Delay=n)` (spec 6.9).
//!
//! Owns the waiting messages in order of their time, bounded in number
//! (`timers`) and in bytes (`connection-buffer`). A message that waits counts as
//! a reference to its connection (spec 5.3), so a release waits for it too.

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use super::context::lock;
use super::{ConnectionId, ConnectionLimits, Endpoint};
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_protocol::{BUFFER_LIMIT, Outbound};

/// The cost of a message that waits, beside its bytes.
const ENTRY: u64 = 512;

/// A message as it was handed to `Send`; encoded when its time has come.
pub(super) struct Delayed {
    pub(super) id: ConnectionId,
    pub(super) endpoint: Endpoint,
    pub(super) message: Outbound,
    /// The charge for the message while it waits.
    pub(super) charge: Option<Charge>,
}

impl Delayed {
    /// Bytes that it holds: the names count, a plugin chooses their length.
    fn size(&self) -> u64 {
        self.endpoint.size().saturating_add(self.message.size()) as u64
    }
}

/// The work that is due: messages in their order, then connections to release.
#[derive(Default)]
pub(super) struct Due {
    pub(super) messages: Vec<Delayed>,
    pub(super) released: Vec<ConnectionId>,
}

#[derive(Default)]
pub(super) struct DelayQueue {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Default)]
struct Waiting {
    // The number keeps the order of messages that are due at the same time.
    by_time: BTreeMap<(Instant, u64), Delayed>,
    next: u64,
    bytes: u64,
    released: HashSet<ConnectionId>,
}

impl DelayQueue {
    /// Lets a message wait.
    pub(super) fn push(
        &self,
        mut delayed: Delayed,
        delay: Duration,
        limits: &ConnectionLimits,
        account: &Arc<Account>,
    ) -> Result<(), LimitHit> {
        let mut waiting = lock(&self.waiting);
        let count = (waiting.by_time.len() as u64).saturating_add(1);
        let bytes = waiting.bytes.saturating_add(delayed.size());
        check("timers", count, u64::from(limits.timers))?;
        check(BUFFER_LIMIT, bytes, limits.buffer_bytes)?;
        delayed.charge = Some(account.charge(delayed.size().saturating_add(ENTRY))?);
        let key = (Instant::now() + delay, waiting.next);
        waiting.next = waiting.next.wrapping_add(1);
        waiting.bytes = bytes;
        waiting.by_time.insert(key, delayed);
        drop(waiting);
        self.wake.notify_one();
        Ok(())
    }

    /// Notes a release for later; false when no message waits for the id.
    pub(super) fn postpone_release(&self, id: ConnectionId) -> bool {
        let mut waiting = lock(&self.waiting);
        let waits = waiting.by_time.values().any(|delayed| delayed.id == id);
        if waits {
            waiting.released.insert(id);
        }
        waits
    }

    /// Waits until a message or release is due and takes it.
    pub(super) async fn due(&self) -> Due {
        loop {
            let first = lock(&self.waiting)
                .by_time
                .first_key_value()
                .map(|(key, _)| key.0);
            match first {
                Some(at) if at <= Instant::now() => return self.take_due(),
                Some(at) => tokio::select! {
                    () = tokio::time::sleep_until(at) => {}
                    () = self.wake.notified() => {}
                },
                None => self.wake.notified().await,
            }
        }
    }

    /// Forgets everything: the instance is stopping.
    pub(super) fn clear(&self) {
        let mut waiting = lock(&self.waiting);
        waiting.by_time.clear();
        waiting.released.clear();
        waiting.bytes = 0;
    }

    fn take_due(&self) -> Due {
        let mut waiting = lock(&self.waiting);
        let later = waiting.by_time.split_off(&(Instant::now(), u64::MAX));
        let now = std::mem::replace(&mut waiting.by_time, later);
        let messages: Vec<Delayed> = now.into_values().collect();
        let bytes = messages.iter().map(Delayed::size).sum();
        waiting.bytes = waiting.bytes.saturating_sub(bytes);
        let mut released = std::mem::take(&mut waiting.released);
        let keep: HashSet<_> = waiting.by_time.values().map(|delayed| delayed.id).collect();
        waiting.released = released.intersection(&keep).copied().collect();
        released.retain(|id| !keep.contains(id));
        Due {
            messages,
            released: released.into_iter().collect(),
        }
    }
}

fn check(which: &'static str, used: u64, limit: u64) -> Result<(), LimitHit> {
    if used > limit {
        return Err(LimitHit { which, used, limit });
    }
    Ok(())
}
