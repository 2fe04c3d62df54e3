//! Bytes on their way to a peer, bounded whether the peer reads or not.
//!
//! Owns the queue between `Send`, which never waits, and the writer, which does.
//! Messages are joined: a stream knows no boundaries, and a queue of one-byte
//! messages would cost more than its bytes.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::context::lock;
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_protocol::BUFFER_LIMIT;

/// How long a closing connection may take to write the messages from before: the reference writes
/// before it returns from `Send`, so a plugin may disconnect right after it. A peer that does not
/// read cannot hold the connection longer.
const LINGER: Duration = Duration::from_secs(2);

/// How long saying goodbye may take (FIN, or TLS close_notify).
const GOODBYE: Duration = Duration::from_millis(200);

pub(super) struct Outbox {
    account: Arc<Account>,
    queue: Mutex<Queue>,
    wake: Notify,
    closed: CancellationToken,
    limit: usize,
}

#[derive(Default)]
struct Queue {
    pending: Vec<u8>,
    /// Bytes that the writer has taken and not written yet.
    writing: usize,
    charge: Option<Charge>,
}

/// A growing vector may hold so many times its bytes.
const GROWTH: u64 = 2;

impl Outbox {
    pub(super) fn new(limit: usize, account: Arc<Account>) -> Self {
        Self {
            account,
            queue: Mutex::default(),
            wake: Notify::new(),
            closed: CancellationToken::new(),
            limit,
        }
    }

    /// Queues the bytes, all or none.
    pub(super) fn push(&self, bytes: &[u8]) -> Result<(), LimitHit> {
        let mut queue = lock(&self.queue);
        let waiting = queue.pending.len().saturating_add(queue.writing);
        let used = waiting.saturating_add(bytes.len());
        if used > self.limit {
            return Err(LimitHit {
                which: BUFFER_LIMIT,
                used: used as u64,
                limit: self.limit as u64,
            });
        }
        let cost = (bytes.len() as u64).saturating_mul(GROWTH);
        match &mut queue.charge {
            Some(charge) => charge.grow(cost)?,
            none => *none = Some(self.account.charge(cost)?),
        }
        queue.pending.extend_from_slice(bytes);
        drop(queue);
        self.wake.notify_one();
        Ok(())
    }

    /// Lets the writer end when it has written the queued bytes.
    pub(super) fn close(&self) {
        self.closed.cancel();
    }

    /// Writes until closed, then for [`LINGER`] at most, and says goodbye.
    ///
    /// # Errors
    ///
    /// The first failure to write. Bytes that are queued later are dropped: the end of the
    /// connection is the reader's to find.
    pub(super) async fn write_to(
        &self,
        writer: &mut (impl AsyncWrite + Unpin),
    ) -> std::io::Result<()> {
        let linger = async {
            self.closed.cancelled().await;
            tokio::time::sleep(LINGER).await;
        };
        let result = tokio::select! {
            result = self.write_all(writer) => result,
            () = linger => Ok(()),
        };
        let goodbye = tokio::time::timeout(GOODBYE, writer.shutdown());
        // The peer may have gone first.
        let _ = goodbye.await;
        result
    }

    async fn write_all(&self, writer: &mut (impl AsyncWrite + Unpin)) -> std::io::Result<()> {
        let mut result = Ok(());
        while let Some(bytes) = self.next().await {
            if result.is_ok() {
                result = write(writer, &bytes).await;
            }
            drop(bytes);
            let mut queue = lock(&self.queue);
            queue.writing = 0;
            let left = (queue.pending.len() as u64).saturating_mul(GROWTH);
            if let Some(charge) = &mut queue.charge {
                charge.shrink_to(left);
            }
        }
        result
    }

    /// The next bytes to write; none when closed and empty.
    async fn next(&self) -> Option<Vec<u8>> {
        loop {
            {
                let mut queue = lock(&self.queue);
                if !queue.pending.is_empty() {
                    queue.writing = queue.pending.len();
                    return Some(std::mem::take(&mut queue.pending));
                }
            }
            if self.closed.is_cancelled() {
                return None;
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = self.closed.cancelled() => {}
            }
        }
    }
}

async fn write(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> std::io::Result<()> {
    writer.write_all(bytes).await?;
    writer.flush().await
}
