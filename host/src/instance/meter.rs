//! How much computing time an instance has used, and when that is too much.
//!
//! Every poll of the instance's future is timed with the thread's CPU clock;
//! while compiled code runs, the epoch callback looks at the figure once per tick
//! and ends or slows the instance. Host functions count like the plugin's own
//! time, because they run on its behalf.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use crate::account::{Account, thread_cpu};
use crate::error::LimitHit;
use crate::instance::state::InstanceState;
use crate::limits::Limits;

/// Time over which the share is averaged: a burst of this long at full speed times
/// the share is free.
const SHARE_WINDOW: Duration = Duration::from_secs(10);

/// How often a plugin that computes without end is told of its share.
const SHARE_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Computing time of one instance. Shared by its future, its epoch callback and
/// whoever shows figures.
#[derive(Debug)]
pub struct Meter {
    started: Instant,
    /// Other threads bill what they do for the instance to it.
    account: Arc<Account>,
    /// What was billed before this meter was made.
    billed_before: Duration,
    /// Nanoseconds used in polls that have ended.
    used: AtomicU64,
    /// Thread CPU clock at the start of the running poll, in nanoseconds.
    poll_started: AtomicU64,
    /// `used` at the start of the running callback; meaningful while one runs.
    callback_started: AtomicU64,
    /// When it began, in nanoseconds after `started`.
    callback_began: AtomicU64,
    in_callback: AtomicBool,
    callback_limit: Duration,
    wall_limit: Duration,
    share_percent: u64,
    /// When the share was last told of, in nanoseconds after `started`; 0 for never.
    share_told: AtomicU64,
    /// Share tokens in nanoseconds: how far `used` may be ahead of the share.
    burst: u64,
}

impl Meter {
    /// A meter that starts now.
    #[must_use]
    pub fn new(limits: &Limits, account: Arc<Account>) -> Arc<Self> {
        let window = u64::try_from(SHARE_WINDOW.as_nanos()).unwrap_or(u64::MAX);
        Arc::new(Self {
            started: Instant::now(),
            billed_before: account.billed(),
            account,
            used: AtomicU64::new(0),
            poll_started: AtomicU64::new(0),
            callback_started: AtomicU64::new(0),
            callback_began: AtomicU64::new(0),
            in_callback: AtomicBool::new(false),
            callback_limit: Duration::from_millis(limits.callback_cpu),
            wall_limit: Duration::from_millis(limits.callback_wall),
            share_percent: limits.cpu_share,
            share_told: AtomicU64::new(0),
            burst: window / 100 * limits.cpu_share,
        })
    }

    /// Computing time so far, the running poll included when called from within it.
    fn now(&self) -> u64 {
        let started = Duration::from_nanos(self.poll_started.load(Ordering::Relaxed));
        let running = thread_cpu().saturating_sub(started);
        nanoseconds(self.used().saturating_add(running))
    }

    /// Computing time so far. To be called within the instance's future.
    #[must_use]
    pub fn used_now(&self) -> Duration {
        Duration::from_nanos(self.now())
    }

    /// Computing time of all polls that have ended, and of other threads on its behalf.
    #[must_use]
    pub fn used(&self) -> Duration {
        let billed = self.account.billed().saturating_sub(self.billed_before);
        Duration::from_nanos(self.used.load(Ordering::Relaxed)).saturating_add(billed)
    }

    /// Marks the start of a callback. To be called within the instance's future.
    pub fn enter_callback(&self) {
        self.callback_started.store(self.now(), Ordering::Relaxed);
        self.callback_began.store(self.elapsed(), Ordering::Relaxed);
        self.in_callback.store(true, Ordering::Relaxed);
    }

    /// Marks its end.
    pub fn leave_callback(&self) {
        self.in_callback.store(false, Ordering::Relaxed);
    }

    /// Nanoseconds since the meter was made.
    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    /// The limit on the running callback, if it is over one.
    ///
    /// The time on the wall is looked at here too: while compiled code runs, the
    /// timer of the call is not polled.
    fn callback_hit(&self, now: u64) -> Option<LimitHit> {
        if !self.in_callback.load(Ordering::Relaxed) {
            return None;
        }
        let since = |now: u64, start: &AtomicU64| {
            Duration::from_nanos(now.saturating_sub(start.load(Ordering::Relaxed)))
        };
        let used = since(now, &self.callback_started);
        let waited = since(self.elapsed(), &self.callback_began);
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let hit = |name, used: Duration, limit: Duration| {
            (used >= limit).then(|| Limits::hit(name, milliseconds(used), milliseconds(limit)))
        };
        hit("callback-cpu", used, self.callback_limit)
            .or_else(|| hit("callback-wall", waited, self.wall_limit))
    }

    /// How long the instance has to pause to get back to its share.
    fn debt(&self, now: u64) -> Option<Duration> {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let earned = (elapsed / 100).saturating_mul(self.share_percent);
        let allowed = earned.saturating_add(self.burst);
        let over = now.checked_sub(allowed).filter(|over| *over > 0)?;
        Some(Duration::from_nanos(
            (over / self.share_percent).saturating_mul(100),
        ))
    }

    /// What to tell of an instance that is over its share, when it is time to.
    fn share_hit(&self, now: u64) -> Option<LimitHit> {
        let elapsed = u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX);
        let told = self.share_told.load(Ordering::Relaxed);
        let period = u64::try_from(SHARE_TOLD_EVERY.as_nanos()).unwrap_or(u64::MAX);
        if told != 0 && elapsed.saturating_sub(told) < period {
            return None;
        }
        self.share_told.store(elapsed.max(1), Ordering::Relaxed);
        let used = now / (elapsed / 100).max(1);
        Some(Limits::hit("cpu-share", used, self.share_percent))
    }

    /// Puts the epoch callback into the store. The deadline is one tick away from
    /// every look, so a deadline is noticed at most one tick late.
    pub fn attach(self: &Arc<Self>, store: &mut Store<InstanceState>) {
        let meter = Arc::clone(self);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |store| {
            let now = meter.now();
            if let Some(hit) = meter.callback_hit(now) {
                return Err(hit.into());
            }
            let Some(pause) = meter.debt(now) else {
                return Ok(UpdateDeadline::Yield(1));
            };
            if let Some(hit) = meter.share_hit(now) {
                store.data().shared.log.limit(&hit);
            }
            let pause = tokio::time::sleep(pause);
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(pause)))
        });
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Times every poll of a future on behalf of a meter.
pub struct Metered<F> {
    inner: Pin<Box<F>>,
    meter: Arc<Meter>,
}

impl<F: Future> Metered<F> {
    /// Times `future` from now on.
    pub fn new(meter: Arc<Meter>, future: F) -> Self {
        Self {
            inner: Box::pin(future),
            meter,
        }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let start = thread_cpu();
        let meter = &self.meter;
        meter
            .poll_started
            .store(nanoseconds(start), Ordering::Relaxed);
        let polled = self.inner.as_mut().poll(context);
        let spent = nanoseconds(thread_cpu().saturating_sub(start));
        self.meter.used.fetch_add(spent, Ordering::Relaxed);
        polled
    }
}
