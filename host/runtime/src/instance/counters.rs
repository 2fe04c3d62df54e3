//! The state of an instance, and its figures.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::watch;

use crate::abi::exports::cordon::plugin::guest::Outcome;
use crate::instance::histogram::Histogram;

/// The state of an instance.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Status {
    /// Being started.
    #[default]
    Starting,
    /// Callbacks are being called.
    Running,
    /// Failed; the next start is due after a pause.
    Restarting {
        /// Why it failed.
        reason: String,
    },
    /// Failed too often; waits for the operator.
    Parked {
        /// Why it failed last.
        reason: String,
    },
    /// Told to stop.
    Stopped,
}

impl Status {
    /// One word for lists.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Restarting { .. } => "restarting",
            Self::Parked { .. } => "parked",
            Self::Stopped => "stopped",
        }
    }

    /// The reason that goes with the state, or nothing.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::Restarting { reason } | Self::Parked { reason } => reason,
            _ => "",
        }
    }
}

/// Figures of one instance over all its lives.
#[derive(Debug, Default)]
pub struct Counters {
    status: watch::Sender<Status>,
    /// Callbacks that ran.
    pub calls: AtomicU64,
    /// Callbacks that raised.
    pub raised: AtomicU64,
    /// Lives that failed.
    pub failures: AtomicU64,
    /// Events refused because the inbox was full.
    pub refused: AtomicU64,
    /// How late heartbeats began after they were due.
    pub lateness: Histogram,
    /// How long callbacks took, from the call to its return.
    pub call_time: Histogram,
    /// Whether the engine had no room for the last life.
    no_room: AtomicBool,
}

impl Counters {
    /// The state of the instance.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits until the instance is no longer being started; returns its state.
    pub async fn settled(&self) -> Status {
        let mut changes = self.status.subscribe();
        let settled = changes.wait_for(|status| *status != Status::Starting).await;
        // The sender lives as long as `self`, so there is always an answer.
        settled.map_or(Status::Stopped, |status| status.clone())
    }

    pub(super) fn set(&self, status: Status) {
        self.status.send_replace(status);
    }

    /// Notes that the life is past `onStart`.
    pub fn started(&self) {
        self.no_room.store(false, Ordering::Relaxed);
        self.set(Status::Running);
    }

    /// Notes that the engine had no room for a life; returns whether that is news.
    pub(super) fn no_room(&self) -> bool {
        !self.no_room.swap(true, Ordering::Relaxed)
    }

    /// Notes that a life failed.
    pub fn failed(&self) {
        self.failures.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a callback returned after this long.
    pub fn delivered(&self, outcome: Outcome, took: Duration) {
        self.call_time.record(took);
        self.calls.fetch_add(1, Ordering::Relaxed);
        if outcome == Outcome::Raised {
            self.raised.fetch_add(1, Ordering::Relaxed);
        }
    }
}
