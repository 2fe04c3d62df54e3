//! Requests to connections that a plugin has made and that wait for its running callback to return
//! (spec 8.1).

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::connection::{ConnectionId, Endpoint, Request};
use cordon_base::account::{Account, Charge};
use cordon_base::error::LimitHit;
use cordon_base::limits::Limits;
use cordon_base::log::Level;
use cordon_base::plugin_log::PluginLog;

/// Cost of a request beside its texts.
const REQUEST: u64 = 512;

/// The requests of one life.
pub struct Requests {
    limits: Limits,
    account: Arc<Account>,
    log: PluginLog,
    waiting: Mutex<VecDeque<Waiting>>,
    /// Rung when a request came while no callback runs.
    came: Notify,
    stopping: AtomicBool,
}

/// A request with its charge.
struct Waiting {
    request: Request,
    _charge: Option<Charge>,
}

/// Why a request was not queued. The plugin's log says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// The instance is being stopped (rule 22).
    Stopping,
    /// Too many requests wait.
    InboxFull,
    /// The request holds more than it may.
    TooLarge,
}

impl Requests {
    /// No requests yet.
    #[must_use]
    pub fn new(limits: &Limits, account: &Arc<Account>, log: &PluginLog) -> Self {
        Self {
            limits: limits.clone(),
            account: Arc::clone(account),
            log: log.clone(),
            waiting: Mutex::default(),
            came: Notify::new(),
            stopping: AtomicBool::new(false),
        }
    }

    /// Queues a request for after the running callback.
    ///
    /// # Errors
    ///
    /// [`Refused`]: the instance stops, a text is too long, or one of the limits `inbox`,
    /// `connection-buffer` and `host-memory` is met.
    pub fn queue(&self, request: Request) -> Result<(), Refused> {
        if let Request::Send { message, .. } = &request {
            let size = u64::try_from(message.size()).unwrap_or(u64::MAX);
            let fits = check("connection-buffer", size, self.limits.connection_buffer);
            fits.map_err(|hit| self.refused(&hit))?;
        }
        if self.stopping.load(Ordering::Relaxed) {
            let line = "the plugin is stopping, the request is ignored";
            // A line of the plugin, within its rate: the plugin may try in a loop.
            self.log.plugin(false, Level::Normal, line);
            return Err(Refused::Stopping);
        }
        if let Some(reason) = request.endpoint().and_then(Endpoint::too_long) {
            self.log.plugin(false, Level::Error, &reason);
            return Err(Refused::TooLarge);
        }
        self.admit(request).map_err(|hit| self.refused(&hit))
    }

    fn refused(&self, hit: &LimitHit) -> Refused {
        self.log.limit(hit);
        match hit.which {
            "inbox" => Refused::InboxFull,
            _ => Refused::TooLarge,
        }
    }

    /// `connection-buffer` is met as well when the request, together with the requests that wait
    /// already, would hold more bytes than the connections may.
    fn admit(&self, request: Request) -> Result<(), LimitHit> {
        let Limits {
            inbox,
            connections,
            connection_buffer,
            ..
        } = self.limits;
        let mut waiting = self.waiting();
        let count = u64::try_from(waiting.len()).unwrap_or(u64::MAX);
        check("inbox", count.saturating_add(1), inbox)?;
        let size = request.size();
        check("connection-buffer", size, connection_buffer)?;
        let held = waiting.iter().map(|it| it.request.size()).sum::<u64>();
        let room = connection_buffer.saturating_mul(connections);
        check("connection-buffer", held.saturating_add(size), room)?;
        let charge = self.account.charge(size.saturating_add(REQUEST))?;
        waiting.push_back(Waiting {
            request,
            _charge: Some(charge),
        });
        drop(waiting);
        self.came.notify_one();
        Ok(())
    }

    /// Queues a release, which must not be refused because it gives something back. A second
    /// release of the same connection adds nothing.
    pub fn release(&self, id: ConnectionId) {
        let mut waiting = self.waiting();
        let mut last = waiting.iter().rev().map(|it| &it.request);
        let last = last.find(|request| request.id() == id);
        if matches!(last, Some(Request::Release { .. })) {
            return;
        }
        waiting.push_back(Waiting {
            request: Request::Release { id },
            _charge: None,
        });
        drop(waiting);
        self.came.notify_one();
    }

    /// Whether a request for this connection waits.
    #[must_use]
    pub fn has_one_for(&self, id: ConnectionId) -> bool {
        self.waiting().iter().any(|it| it.request.id() == id)
    }

    /// The requests that wait, in order.
    pub fn take(&self) -> impl Iterator<Item = Request> {
        let taken = std::mem::take(&mut *self.waiting());
        taken.into_iter().map(|it| it.request)
    }

    /// Waits until a request is queued.
    pub async fn came(&self) {
        self.came.notified().await;
    }

    /// Refuses all requests from here on: the instance is being stopped.
    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(which: &'static str, used: u64, limit: u64) -> Result<(), LimitHit> {
    if used > limit {
        return Err(Limits::hit(which, used, limit));
    }
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use cordon_base::log::{EventLog, LogCapacity};
    use cordon_protocol::Outbound;

    fn requests(limits: Limits) -> (Requests, EventLog) {
        let events = EventLog::new(LogCapacity::default());
        let log = PluginLog::new(events.clone(), "HW", &limits);
        let account = Account::new(&limits);
        (Requests::new(&limits, &account, &log), events)
    }

    fn send(id: ConnectionId, bytes: usize) -> Request {
        Request::Send {
            id,
            endpoint: Endpoint::default(),
            message: Outbound::Bytes(vec![0; bytes]),
            delay_seconds: 0,
        }
    }

    fn told(events: &EventLog, text: &str) -> bool {
        let all = events.tail(None, usize::MAX);
        all.iter().any(|record| record.message().contains(text))
    }

    #[test]
    fn more_requests_than_the_inbox_holds_are_refused_and_told() {
        let (requests, events) = requests(Limits {
            inbox: 2,
            ..Limits::default()
        });
        assert_eq!(requests.queue(send(1, 1)), Ok(()));
        assert_eq!(requests.queue(send(2, 1)), Ok(()));
        assert_eq!(requests.queue(send(3, 1)), Err(Refused::InboxFull));
        assert!(told(&events, "limit inbox"));
        assert!(requests.has_one_for(2) && !requests.has_one_for(3));
        assert_eq!(requests.take().count(), 2);
        assert_eq!(requests.queue(send(3, 1)), Ok(()));
    }

    #[test]
    fn requests_hold_no_more_bytes_than_the_connections_may() {
        let (requests, events) = requests(Limits {
            connections: 2,
            connection_buffer: 1000,
            ..Limits::default()
        });
        assert_eq!(requests.queue(send(1, 1001)), Err(Refused::TooLarge));
        for id in 1..=2 {
            assert_eq!(requests.queue(send(id, 900)), Ok(()));
        }
        assert_eq!(requests.queue(send(3, 900)), Err(Refused::TooLarge));
        assert!(told(&events, "limit connection-buffer"));
    }

    #[test]
    fn a_release_is_queued_once_and_never_refused() {
        let (requests, _) = requests(Limits {
            inbox: 1,
            ..Limits::default()
        });
        requests.queue(send(1, 1)).unwrap();
        requests.release(1);
        requests.release(1);
        assert_eq!(requests.take().count(), 2);
    }

    #[test]
    fn an_instance_that_stops_makes_no_more_requests() {
        let (requests, events) = requests(Limits::default());
        requests.stop();
        assert_eq!(requests.queue(send(1, 1)), Err(Refused::Stopping));
        assert!(told(&events, "the plugin is stopping"));
        assert_eq!(requests.take().count(), 0);
    }
}
