//! The state of an instance, and its figures.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::watch;

use crate::abi::exports::cordon::plugin::guest::Outcome;
use crate::capability::files::Quota;
use crate::instance::histogram::Histogram;
use crate::instance::state::Shared;
use cordon_base::notes::{ErrorLine, now, short};

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
    /// Failed too often; waits for the operator, or for a long time.
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

/// Callbacks that are remembered as raising; a plugin may have any number of names.
const RAISING: usize = 32;

/// An exception of the plugin, or the end of a life.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastError {
    /// When, in milliseconds since 1970.
    pub time: u64,
    /// The callback that ran; empty outside of one.
    pub callback: String,
    /// The last line of the traceback, or the reason; a few hundred bytes at most.
    pub text: String,
}

/// Whether the callbacks of a life do their work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// The last call of every callback returned.
    Fine,
    /// A callback raised before the plugin was running.
    RaisedInStart,
    /// The last call of some callback raised.
    Raising,
}

/// The exceptions of a life, and the last error of all.
#[derive(Debug, Default)]
struct Troubles {
    in_start: bool,
    /// Callbacks whose last call raised.
    raising: BTreeSet<String>,
    last: Option<LastError>,
}

/// The parts of the present life whose use is asked for.
#[derive(Default)]
struct Present {
    shared: Weak<Shared>,
    quota: Weak<Quota>,
}

/// Figures of one instance over all its lives.
#[derive(Default)]
pub struct Counters {
    status: watch::Sender<Status>,
    /// Since when, in milliseconds since 1970.
    since: AtomicU64,
    /// When the next life is due, in milliseconds since 1970; 0 for never by itself.
    next_start: AtomicU64,
    /// Lives that began.
    lives: AtomicU64,
    troubles: Mutex<Troubles>,
    /// Whether a callback raises, so that those of healthy plugins take no lock.
    troubled: AtomicBool,
    present: Mutex<Present>,
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

    /// Since when the instance is in its state, in milliseconds since 1970.
    #[must_use]
    pub fn since(&self) -> u64 {
        self.since.load(Ordering::Relaxed)
    }

    /// When the next life begins by itself, in milliseconds since 1970.
    #[must_use]
    pub fn next_start(&self) -> Option<u64> {
        let next = self.next_start.load(Ordering::Relaxed);
        (next != 0).then_some(next)
    }

    /// Lives that began after the first.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.lives.load(Ordering::Relaxed).saturating_sub(1)
    }

    /// Whether the callbacks of the present life do their work, or of the last one.
    #[must_use]
    pub fn health(&self) -> Health {
        let troubles = self.troubles();
        match (troubles.in_start, troubles.raising.is_empty()) {
            (true, _) => Health::RaisedInStart,
            (false, false) => Health::Raising,
            (false, true) => Health::Fine,
        }
    }

    /// The last exception or failure of all lives.
    #[must_use]
    pub fn last_error(&self) -> Option<LastError> {
        self.troubles().last.clone()
    }

    /// Waits until the instance is stopped.
    pub async fn stopped(&self) {
        let mut changes = self.status.subscribe();
        // The sender lives as long as `self`.
        let _ = changes.wait_for(|status| *status == Status::Stopped).await;
    }

    pub(super) fn set(&self, status: Status) {
        self.set_until(status, None);
    }

    /// Sets a state that ends by itself after this long.
    pub(super) fn set_until(&self, status: Status, wait: Option<Duration>) {
        let time = now();
        let next = wait.map_or(0, |wait| {
            let wait = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            time.saturating_add(wait)
        });
        self.next_start.store(next, Ordering::Relaxed);
        if *self.status.borrow() != status || self.since() == 0 {
            self.since.store(time, Ordering::Relaxed);
        }
        self.status.send_replace(status);
    }

    /// Notes that the plugin of a life is about to run.
    pub(super) fn begun(&self) {
        self.lives.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes that a life is made, and which of its parts may be asked for their use. It may have to
    /// wait for its packages or for room, and then it is made once more.
    pub(super) fn born(&self, shared: Weak<Shared>) {
        let mut troubles = self.troubles();
        (troubles.in_start, troubles.raising) = (false, BTreeSet::new());
        self.troubled.store(false, Ordering::Relaxed);
        drop(troubles);
        let quota = Weak::new();
        *self.present() = Present { shared, quota };
    }

    /// Notes the quota of the life's files.
    pub(super) fn measured(&self, quota: Weak<Quota>) {
        self.present().quota = quota;
    }

    /// Threads of the present life, bytes of its files and their number.
    #[must_use]
    pub fn in_use(&self) -> (u64, u64, u64) {
        let present = self.present();
        let (shared, quota) = (present.shared.upgrade(), present.quota.upgrade());
        drop(present);
        let threads = shared.map_or(0, |shared| shared.threads.alive());
        let files = quota.map(|quota| quota.usage());
        let (bytes, files) = files.map_or((0, 0), |usage| (usage.bytes, usage.files));
        (threads, bytes, files)
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

    /// Notes why a life ended, and the callback that ran, or an empty name.
    pub(super) fn broke(&self, callback: &str, reason: &str) {
        let (callback, text) = (short(callback), short(reason));
        let mut troubles = self.troubles();
        // The supervisor tells the same again, with a remedy, and does not know the callback.
        let told = |last: &LastError| {
            callback.is_empty() && !last.text.is_empty() && text.starts_with(&last.text)
        };
        if !troubles.last.as_ref().is_some_and(told) {
            let time = now();
            troubles.last = Some(LastError {
                time,
                callback,
                text,
            });
        }
    }

    /// Notes that a callback raised; `line` is the last error line of the plugin.
    pub(super) fn raised(&self, callback: &str, line: Option<ErrorLine>) {
        let starting = *self.status.borrow() == Status::Starting;
        let text = line.map(|line| line.text);
        let text = text.unwrap_or_else(|| "the plugin raised".to_owned());
        let mut troubles = self.troubles();
        troubles.in_start |= starting;
        if troubles.raising.len() < RAISING {
            troubles.raising.insert(short(callback));
        }
        troubles.last = Some(LastError {
            time: now(),
            callback: short(callback),
            text,
        });
        self.troubled.store(true, Ordering::Relaxed);
    }

    /// Notes that a callback returned after this long.
    pub(super) fn delivered(&self, callback: &str, outcome: Outcome, took: Duration) {
        self.call_time.record(took);
        self.calls.fetch_add(1, Ordering::Relaxed);
        if outcome == Outcome::Raised {
            self.raised.fetch_add(1, Ordering::Relaxed);
        } else if self.troubled.load(Ordering::Relaxed) {
            self.troubles().raising.remove(callback);
        }
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Option<ErrorLine> {
        Some(ErrorLine {
            time: 1,
            text: text.to_owned(),
        })
    }

    #[test]
    fn health_follows_the_last_call_of_each_callback() {
        let counters = Counters::default();
        counters.set(Status::Running);
        assert_eq!(counters.health(), Health::Fine);
        counters.raised("onHeartbeat", line("ValueError: no"));
        counters.raised("onCommand", line("KeyError: 1"));
        let took = Duration::ZERO;
        counters.delivered("onHeartbeat", Outcome::Ok, took);
        assert_eq!(counters.health(), Health::Raising);
        counters.delivered("onCommand", Outcome::Ok, took);
        assert_eq!(counters.health(), Health::Fine);
        let last = counters.last_error();
        let told = last.map(|last| (last.callback, last.text));
        assert_eq!(told, Some(("onCommand".into(), "KeyError: 1".into())));
    }

    #[test]
    fn a_callback_that_raises_in_the_start_counts_for_the_whole_life() {
        let counters = Counters::default();
        counters.born(Weak::new());
        counters.raised("onStart", None);
        counters.started();
        counters.delivered("onStart", Outcome::Ok, Duration::ZERO);
        assert_eq!(counters.health(), Health::RaisedInStart);
        counters.born(Weak::new());
        assert_eq!((counters.health(), counters.restarts()), (Health::Fine, 0));
        counters.begun();
        counters.begun();
        assert_eq!(counters.restarts(), 1);
    }

    #[test]
    fn names_of_callbacks_and_texts_are_bounded() {
        let counters = Counters::default();
        for number in 0..1000 {
            counters.raised(&format!("{number}{}", "x".repeat(10_000)), None);
        }
        let troubles = counters.troubles();
        assert_eq!(troubles.raising.len(), RAISING);
        assert!(troubles.raising.iter().all(|name| name.len() <= 500));
        drop(troubles);
        counters.broke("", &"x".repeat(10_000));
        assert!(counters.last_error().is_some_and(|it| it.text.len() <= 500));
    }

    #[test]
    fn the_supervisor_does_not_take_the_callback_away() {
        let counters = Counters::default();
        counters.broke("onCommand", "limit callback-cpu");
        counters.broke("", "limit callback-cpu");
        assert!(
            counters
                .last_error()
                .is_some_and(|it| it.callback == "onCommand")
        );
        counters.broke("", "another");
        assert!(
            counters
                .last_error()
                .is_some_and(|it| it.callback.is_empty())
        );
    }

    #[test]
    fn the_time_of_a_state_is_that_of_its_beginning() {
        let counters = Counters::default();
        counters.set_until(Status::Starting, Some(Duration::from_secs(60)));
        assert!(
            counters
                .next_start()
                .is_some_and(|next| next >= now() + 59_000)
        );
        let since = counters.since();
        std::thread::sleep(Duration::from_millis(5));
        counters.set(Status::Starting);
        assert_eq!((counters.since(), counters.next_start()), (since, None));
        counters.set(Status::Running);
        assert!(counters.since() > since);
    }
}
