//! Waiting until sockets are ready, for one thread or for `select`.
//!
//! What is ready is what poll(2) says of the sockets at this moment; the runtime's
//! poller only wakes. Nothing spins: a wake-up that poll(2) does not confirm is
//! taken back, and where that cannot be done it waits for a moment.

use std::sync::Arc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use rustix::event::{PollFd, PollFlags};
use tokio::io::Interest;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Failure;
use super::entry::Entry;

/// Wake-ups without cause after which a wait pauses between two looks.
const FALSE_ALARMS: u32 = 16;

/// That pause.
const PAUSE: Duration = Duration::from_millis(5);

/// What a socket is waited for, or ready for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Events {
    /// Data, a client, or the end.
    pub readable: bool,
    /// Room in the buffer, or a connect that is over.
    pub writable: bool,
    /// Urgent data.
    pub urgent: bool,
    /// An error waits; only as an answer.
    pub error: bool,
    /// The peer is gone; only as an answer.
    pub hung_up: bool,
    /// There is no such handle; only as an answer.
    pub invalid: bool,
}

impl Events {
    /// Ready for nothing.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::default()
    }

    pub(super) const INVALID: Self = Self {
        readable: false,
        writable: false,
        urgent: false,
        error: false,
        hung_up: false,
        invalid: true,
    };

    fn flags(self) -> PollFlags {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, self.readable);
        flags.set(PollFlags::OUT, self.writable);
        flags.set(PollFlags::PRI, self.urgent);
        flags
    }

    fn of(flags: PollFlags) -> Self {
        Self {
            readable: flags.contains(PollFlags::IN),
            writable: flags.contains(PollFlags::OUT),
            urgent: flags.contains(PollFlags::PRI),
            error: flags.contains(PollFlags::ERR),
            hung_up: flags.contains(PollFlags::HUP),
            invalid: flags.contains(PollFlags::NVAL),
        }
    }

    fn interest(self) -> Interest {
        let mut interest = Interest::ERROR;
        if self.readable || !(self.writable || self.urgent) {
            interest |= Interest::READABLE;
        }
        if self.writable {
            interest |= Interest::WRITABLE;
        }
        if self.urgent {
            interest |= Interest::PRIORITY;
        }
        interest
    }
}

/// One socket that is waited for.
pub(super) struct Waiting {
    pub(super) entry: Arc<Entry>,
    /// Cancelled when the handle is closed.
    pub(super) closed: CancellationToken,
    pub(super) events: Events,
}

impl Waiting {
    /// Waits until this socket is ready, or closed.
    async fn ready(&self) -> Result<(), Failure> {
        tokio::select! {
            () = self.closed.cancelled() => Ok(()),
            ready = self.wake() => ready,
        }
    }

    async fn wake(&self) -> Result<(), Failure> {
        let mut alarms = 0_u32;
        loop {
            let watch = self.entry.watch()?;
            let mut guard = watch.ready(self.events.interest()).await?;
            let now = poll_now(std::slice::from_ref(self))?;
            if now.iter().any(|events| !events.is_empty()) {
                return Ok(());
            }
            guard.clear_ready();
            alarms = alarms.saturating_add(1);
            if alarms > FALSE_ALARMS {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// What each socket is ready for at this moment.
pub(super) fn poll_now(waiting: &[Waiting]) -> Result<Vec<Events>, Failure> {
    let mut fds: Vec<_> = waiting
        .iter()
        .map(|it| PollFd::new(&*it.entry.io, it.events.flags()))
        .collect();
    let at_once = rustix::event::Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    rustix::event::poll(&mut fds, Some(&at_once))?;
    let events = fds.iter().zip(waiting).map(|(fd, it)| {
        if it.closed.is_cancelled() {
            Events::INVALID
        } else {
            Events::of(fd.revents())
        }
    });
    Ok(events.collect())
}

/// Waits until one of them is ready; all are empty when the timeout ran out.
pub(super) async fn poll(
    waiting: &[Waiting],
    timeout: Option<Duration>,
) -> Result<Vec<Events>, Failure> {
    let now = poll_now(waiting)?;
    if timeout == Some(Duration::ZERO) || now.iter().any(|events| !events.is_empty()) {
        return Ok(now);
    }
    // A time beyond what the clock can name is no time limit.
    let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let any = async {
        let mut all: FuturesUnordered<_> = waiting.iter().map(Waiting::ready).collect();
        match all.next().await {
            Some(ready) => ready,
            None => std::future::pending().await,
        }
    };
    match end {
        None => any.await?,
        Some(end) => {
            if let Ok(ready) = tokio::time::timeout_at(end, any).await {
                ready?;
            }
        }
    }
    poll_now(waiting)
}
