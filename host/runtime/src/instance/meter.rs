//! How much computing time an instance has used, and when that is too much.
//!
//! Every poll of the instance's future is timed with the thread's CPU clock
//! ([`Metered`](super::metered::Metered)); while compiled code runs, the epoch callback examines
//! the figure once per tick and ends or slows the instance. Host functions count like the plugin's
//! own time, because they run on its behalf, and so does the time that other threads bill to its
//! account. One meter serves all lives of an instance, so a restart gains nothing.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::{Store, UpdateDeadline};

use crate::instance::share::Share;
use crate::instance::starts::Place;
use crate::instance::state::InstanceState;
use cordon_base::account::{Account, thread_cpu};
use cordon_base::error::{InstanceFailure, LimitHit};
use cordon_base::limits::Limits;
use cordon_base::standstill;

/// How often a plugin that computes without end is told of its share.
const SHARE_TOLD_EVERY: Duration = Duration::from_secs(60);

/// Computing time after which a start that is still not over gives its place to the next.
const PLACE_CPU: Duration = Duration::from_secs(5);

/// Time without anything to compute after which such a start gives its place to the next.
const PLACE_IDLE: Duration = Duration::from_millis(250);

/// Computing time of one instance. Shared by its future, its epoch callback and
/// whoever shows figures. Moments are nanoseconds after `started`.
#[derive(Debug)]
pub struct Meter {
    started: Instant,
    /// Standstills of the hub before that.
    stood_before: Duration,
    /// The account to which other threads bill their work for the instance.
    account: Arc<Account>,
    /// Time that was billed before this meter was made.
    billed_before: Duration,
    /// Nanoseconds used in polls that have ended.
    used: AtomicU64,
    /// Thread CPU clock at the start of the running poll, in nanoseconds.
    poll_started: AtomicU64,
    /// When the running poll began; 0 when none runs.
    poll_began: AtomicU64,
    /// Since when the instance can go on; 0 when it waits.
    rung: AtomicU64,
    /// Nanoseconds in which the instance could have gone on and had no core.
    delayed: AtomicU64,
    /// Computing time when this life began.
    life_started: AtomicU64,
    /// Computing time at the start of the running callback; meaningful while one runs.
    callback_started: AtomicU64,
    /// When the running callback began, on the instance's own clock.
    callback_began: AtomicU64,
    /// Name of the running callback; empty between callbacks.
    callback: Mutex<String>,
    in_callback: AtomicBool,
    /// Whether the running poll has come to the instance's loop.
    attended: AtomicBool,
    /// Since when, on the instance's own clock, no poll has come to the loop: something holds the
    /// component, and nothing can be delivered. 0 when the last poll has.
    held_since: AtomicU64,
    callback_limit: Duration,
    wall_limit: Duration,
    stop_limit: Duration,
    /// Whether the plugin is being stopped: somebody waits for each of its callbacks.
    is_stopping: AtomicBool,
    share_percent: u64,
    share: Mutex<Share>,
    /// When the share was last told of; 0 for never.
    share_told: AtomicU64,
    /// Until when the hub makes it pause.
    resting_until: AtomicU64,
    /// The component's memory in bytes; 0 between two lives.
    memory: AtomicU64,
    /// Whether there is a place in `place`.
    starting: AtomicBool,
    place: Mutex<Option<Place>>,
}

impl Meter {
    /// The meter of a new instance.
    #[must_use]
    pub fn new(limits: &Limits, account: Arc<Account>) -> Arc<Self> {
        Arc::new(Self {
            started: Instant::now(),
            stood_before: standstill::sum(),
            billed_before: account.billed(),
            account,
            used: AtomicU64::new(0),
            poll_started: AtomicU64::new(0),
            poll_began: AtomicU64::new(0),
            rung: AtomicU64::new(0),
            delayed: AtomicU64::new(0),
            life_started: AtomicU64::new(0),
            callback_started: AtomicU64::new(0),
            callback_began: AtomicU64::new(0),
            callback: Mutex::default(),
            in_callback: AtomicBool::new(false),
            attended: AtomicBool::new(false),
            held_since: AtomicU64::new(0),
            callback_limit: Duration::from_millis(limits.callback_cpu),
            wall_limit: Duration::from_millis(limits.callback_wall),
            stop_limit: Duration::from_millis(limits.stop_wall),
            is_stopping: AtomicBool::new(false),
            share_percent: limits.cpu_share,
            share: Mutex::new(Share::new(limits.cpu_share)),
            share_told: AtomicU64::new(0),
            resting_until: AtomicU64::new(0),
            memory: AtomicU64::new(0),
            starting: AtomicBool::new(false),
            place: Mutex::new(None),
        })
    }

    /// The component's memory now, in bytes.
    #[must_use]
    pub fn memory(&self) -> u64 {
        self.memory.load(Ordering::Relaxed)
    }

    pub(super) fn set_memory(&self, bytes: u64) {
        self.memory.store(bytes, Ordering::Relaxed);
    }

    /// Begins a life that has this place among the starts.
    pub(super) fn begin(&self, place: Place) {
        self.leave_callback();
        self.name_callback("");
        self.is_stopping.store(false, Ordering::Relaxed);
        self.held_since.store(0, Ordering::Relaxed);
        let used = nanoseconds(self.used());
        self.life_started.store(used, Ordering::Relaxed);
        *self.place() = Some(place);
        self.starting.store(true, Ordering::Relaxed);
    }

    /// Notes that the start or the life is over: the place is for the next.
    pub(super) fn give_place(&self) {
        if self.starting.swap(false, Ordering::Relaxed) {
            *self.place() = None;
        }
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Computing time so far, the running poll included when called from within it.
    fn now(&self) -> u64 {
        nanoseconds(self.used().saturating_add(self.running()))
    }

    /// Computing time of the running poll. To be called from within it.
    fn running(&self) -> Duration {
        let started = Duration::from_nanos(self.poll_started.load(Ordering::Relaxed));
        thread_cpu().saturating_sub(started)
    }

    /// Computing time of this life so far. To be called within the instance's future.
    #[must_use]
    pub fn used_now(&self) -> Duration {
        let before = self.life_started.load(Ordering::Relaxed);
        Duration::from_nanos(self.now().saturating_sub(before))
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
        self.callback_began.store(self.own_now(), Ordering::Relaxed);
        self.in_callback.store(true, Ordering::Relaxed);
    }

    /// Marks the end of a callback.
    pub fn leave_callback(&self) {
        self.in_callback.store(false, Ordering::Relaxed);
    }

    /// Notes the name of the callback that begins, or with an empty one that it has ended. A callback
    /// that is cut off keeps its name until the next life.
    pub(super) fn name_callback(&self, name: &str) {
        let mut callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
        callback.clear();
        callback.push_str(name);
    }

    /// The callback that runs, or that was cut off.
    pub(super) fn callback(&self) -> String {
        let callback = self.callback.lock();
        callback.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The failure of a life that was cut off for this limit.
    pub(super) fn late(&self, hit: LimitHit) -> InstanceFailure {
        let callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
        match callback.is_empty() {
            true => hit.into(),
            false => InstanceFailure::Late {
                hit,
                callback: callback.clone(),
            },
        }
    }

    /// From now on callbacks of this life are held to `stop-wall`.
    pub(super) fn stopping(&self) {
        self.is_stopping.store(true, Ordering::Relaxed);
    }

    /// The limit on the time of a callback, by name and value.
    fn wall(&self) -> (&'static str, Duration) {
        let stops = self.is_stopping.load(Ordering::Relaxed);
        match stops && self.stop_limit < self.wall_limit {
            true => ("stop-wall", self.stop_limit),
            false => ("callback-wall", self.wall_limit),
        }
    }

    /// Notes that the instance's loop is being polled.
    pub(super) fn attend(&self) {
        self.attended.store(true, Ordering::Relaxed);
    }

    /// The limit that the running callback is over, for work in the middle of a long call.
    /// To be called within the instance's future.
    ///
    /// # Errors
    ///
    /// `callback-cpu` or `callback-wall`; the caller passes it on as a trap.
    pub fn ask(&self) -> Result<(), LimitHit> {
        let hit = self.callback_hit(self.now(), self.own_now());
        hit.map_or(Ok(()), Err)
    }

    /// Nanoseconds since `started` in which the hub did not stand still.
    pub(super) fn elapsed(&self) -> u64 {
        let stood = standstill::sum().saturating_sub(self.stood_before);
        nanoseconds(self.started.elapsed().saturating_sub(stood))
    }

    /// The instance's own clock, which stands still while it waits for a core. In a poll it
    /// goes with the computing time.
    fn own_now(&self) -> u64 {
        let now = match self.poll_began.load(Ordering::Relaxed) {
            0 => self.elapsed(),
            began => began.saturating_add(nanoseconds(self.running())),
        };
        now.saturating_sub(self.delayed.load(Ordering::Relaxed))
    }

    /// Notes that the instance can go on from now on. A task that lets others go first calls this
    /// itself, because the runtime wakes it only when they have gone.
    pub fn ring(&self) {
        let now = self.elapsed().max(1);
        // The first ring counts.
        let _ = self
            .rung
            .compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst);
    }

    /// Whether there was a ring since the last time. The time since then, or since the last
    /// poll ended at `polled`, was spent on waiting for a core.
    pub(super) fn answer(&self, polled: u64) -> bool {
        let rung = self.rung.swap(0, Ordering::SeqCst);
        if rung == 0 {
            return false;
        }
        self.delay(self.elapsed().saturating_sub(rung.max(polled)));
        true
    }

    /// Counts time in which the instance could have gone on.
    fn delay(&self, time: u64) {
        self.delayed.fetch_add(time, Ordering::Relaxed);
    }

    /// Counts a pause that the hub makes the instance take from now on. Pauses of several threads
    /// at the same time are one.
    fn rest(&self, pause: Duration) {
        let now = self.elapsed();
        let end = now.saturating_add(nanoseconds(pause));
        let before = self.resting_until.fetch_max(end, Ordering::Relaxed);
        self.delay(end.saturating_sub(before.max(now)));
    }

    /// For how long the running poll has been running.
    #[must_use]
    pub fn polled_since(&self) -> Option<u64> {
        match self.poll_began.load(Ordering::Relaxed) {
            0 => None,
            began => Some(began),
        }
    }

    /// The limit on the running callback, if it is over one.
    ///
    /// The time on the wall is checked here too: while compiled code runs, nobody else checks it.
    fn callback_hit(&self, used: u64, own: u64) -> Option<LimitHit> {
        if !self.in_callback.load(Ordering::Relaxed) {
            return None;
        }
        let since = |now: u64, start: &AtomicU64| {
            Duration::from_nanos(now.saturating_sub(start.load(Ordering::Relaxed)))
        };
        let used = since(used, &self.callback_started);
        let waited = since(own, &self.callback_began);
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let hit = |name, used: Duration, limit: Duration| {
            (used >= limit).then(|| Limits::hit(name, milliseconds(used), milliseconds(limit)))
        };
        let (wall, within) = self.wall();
        hit("callback-cpu", used, self.callback_limit).or_else(|| hit(wall, waited, within))
    }

    /// Checks an instance whose last poll ended at `polled`: when to check again, if there is
    /// anything to check. Gives its place among the starts to the next when it waits or has had its
    /// time.
    ///
    /// # Errors
    ///
    /// The limit that the running callback is over.
    pub(super) fn look(&self, polled: u64) -> Result<Option<Duration>, LimitHit> {
        let (used, own) = (nanoseconds(self.used()), self.own_now());
        if let Some(hit) = self.callback_hit(used, own) {
            return Err(hit);
        }
        let left = |since: u64| {
            let waited = Duration::from_nanos(own.saturating_sub(since));
            self.wall().1.saturating_sub(waited)
        };
        let callback = self.in_callback.load(Ordering::Relaxed);
        let callback = callback.then(|| left(self.callback_began.load(Ordering::Relaxed)));
        let held = match self.held_since.load(Ordering::Relaxed) {
            0 => None,
            since => Some(left(since)),
        };
        if held == Some(Duration::ZERO) {
            let (wall, within) = self.wall();
            let limit = u64::try_from(within.as_millis()).unwrap_or(u64::MAX);
            return Err(Limits::hit(wall, limit, limit));
        }
        let idle = self.place_idle(used, polled);
        Ok(callback.into_iter().chain(held).chain(idle).min())
    }

    /// How long until the place is given up for want of work.
    fn place_idle(&self, used: u64, polled: u64) -> Option<Duration> {
        if !self.starting.load(Ordering::Relaxed) {
            return None;
        }
        let since = used.saturating_sub(self.life_started.load(Ordering::Relaxed));
        let idle = Duration::from_nanos(self.elapsed().saturating_sub(polled));
        if since >= nanoseconds(PLACE_CPU) || idle >= PLACE_IDLE {
            self.give_place();
            return None;
        }
        Some(PLACE_IDLE.saturating_sub(idle))
    }

    /// Marks the start of a poll until the value is dropped.
    pub(super) fn poll(&self) -> Polling<'_> {
        let (cpu, wall) = (thread_cpu(), self.elapsed().max(1));
        self.poll_started.store(nanoseconds(cpu), Ordering::Relaxed);
        self.poll_began.store(wall, Ordering::Relaxed);
        self.attended.store(false, Ordering::Relaxed);
        Polling {
            meter: self,
            cpu,
            wall,
        }
    }

    fn share(&self) -> MutexGuard<'_, Share> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long the instance has to pause to get back to its share. The running poll is not counted
    /// yet.
    #[must_use]
    pub fn debt(&self) -> Option<Duration> {
        let (elapsed, used) = (self.elapsed(), nanoseconds(self.used()));
        self.share().debt(elapsed, used)
    }

    /// The hit to tell of an instance that is over its share, when it is time to.
    fn share_hit(&self, used: u64) -> Option<LimitHit> {
        let elapsed = self.elapsed();
        let told = self.share_told.load(Ordering::Relaxed);
        if told != 0 && elapsed.saturating_sub(told) < nanoseconds(SHARE_TOLD_EVERY) {
            return None;
        }
        self.share_told.store(elapsed.max(1), Ordering::Relaxed);
        let percent = self.share().percent_used(elapsed, used);
        Some(Limits::hit("cpu-share", percent, self.share_percent))
    }

    /// Puts the epoch callback into the store. The deadline is one tick away from every check, so a
    /// deadline is noticed at most one tick late.
    pub fn attach(self: &Arc<Self>, store: &mut Store<InstanceState>) {
        let meter = Arc::clone(self);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |store| {
            let used = meter.now();
            if let Some(hit) = meter.callback_hit(used, meter.own_now()) {
                return Err(hit.into());
            }
            let debt = meter.share().debt(meter.elapsed(), used);
            let Some(pause) = debt else {
                return Ok(UpdateDeadline::Yield(1));
            };
            if let Some(hit) = meter.share_hit(used) {
                store.data().shared.log.limit(&hit);
            }
            meter.rest(pause);
            let pause = tokio::time::sleep(pause);
            Ok(UpdateDeadline::YieldCustom(1, Box::pin(pause)))
        });
    }
}

/// A poll that is running.
pub(super) struct Polling<'a> {
    meter: &'a Meter,
    cpu: Duration,
    wall: u64,
}

impl Drop for Polling<'_> {
    /// The poll ends too when it panics.
    fn drop(&mut self) {
        let cpu = nanoseconds(thread_cpu().saturating_sub(self.cpu));
        let wall = self.meter.elapsed().saturating_sub(self.wall);
        self.meter.used.fetch_add(cpu, Ordering::Relaxed);
        self.meter.delay(wall.saturating_sub(cpu));
        self.meter.poll_began.store(0, Ordering::Relaxed);
        if self.meter.attended.load(Ordering::Relaxed) {
            self.meter.held_since.store(0, Ordering::Relaxed);
        } else if self.meter.held_since.load(Ordering::Relaxed) == 0 {
            let own = self.meter.own_now().max(1);
            self.meter.held_since.store(own, Ordering::Relaxed);
        }
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter() -> Arc<Meter> {
        let limits = Limits {
            callback_cpu: 1000,
            callback_wall: 50,
            ..Limits::default()
        };
        Meter::new(&limits, Account::new(&limits))
    }

    #[test]
    fn time_without_a_core_is_not_the_callbacks() {
        let meter = meter();
        drop(meter.poll());
        meter.enter_callback();
        std::thread::sleep(Duration::from_millis(80));
        let hit = meter.look(0).err();
        assert_eq!(hit.map(|hit| hit.which), Some("callback-wall"));
        meter.delay(nanoseconds(Duration::from_millis(60)));
        assert!(meter.look(0).is_ok());
    }

    #[test]
    fn a_poll_counts_with_its_computing_time() {
        let meter = meter();
        let polling = meter.poll();
        meter.enter_callback();
        // The thread exists and does not run, like one that has no core.
        std::thread::sleep(Duration::from_millis(80));
        assert!(meter.ask().is_ok());
        drop(polling);
        assert!(meter.look(0).is_ok());
        assert_eq!(meter.polled_since(), None);
    }

    #[test]
    fn a_component_that_is_held_is_over_the_limit_without_a_callback() {
        let meter = meter();
        let attended = meter.poll();
        meter.attend();
        drop(attended);
        std::thread::sleep(Duration::from_millis(80));
        assert_eq!(meter.look(0), Ok(None));
        drop(meter.poll());
        assert!(meter.look(0).is_ok_and(|look| look.is_some()));
        std::thread::sleep(Duration::from_millis(80));
        drop(meter.poll());
        let hit = meter.look(0).err();
        assert_eq!(hit.map(|hit| hit.which), Some("callback-wall"));
    }

    #[test]
    fn a_pause_of_the_hub_is_not_the_callbacks_and_counts_once() {
        let meter = meter();
        drop(meter.poll());
        meter.enter_callback();
        for _ in 0..10 {
            meter.rest(Duration::from_millis(70));
        }
        std::thread::sleep(Duration::from_millis(80));
        assert!(meter.look(0).is_ok());
        std::thread::sleep(Duration::from_millis(80));
        let hit = meter.look(0).err();
        assert_eq!(hit.map(|hit| hit.which), Some("callback-wall"));
    }

    #[test]
    fn billed_time_counts_for_the_callback() {
        let meter = meter();
        drop(meter.poll());
        meter.enter_callback();
        meter.account.bill(Duration::from_secs(2));
        let hit = meter.look(0).err();
        assert_eq!(hit.map(|hit| hit.which), Some("callback-cpu"));
    }
}
