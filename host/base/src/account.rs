//! The account of one instance: memory that the hub holds for it, and time that the
//! hub's own threads spend on it.
//!
//! An instance's linear memory is bounded by wasmtime. Everything else that it makes
//! the hub build, answer or keep is charged here first, so a refusal comes before the
//! memory is taken. The account belongs to the instance and outlives its lives: a
//! plugin gains nothing by a restart.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::desk::Desk;
use crate::error::LimitHit;
use crate::limits::Limits;

/// Source of [`Account::id`].
static NEXT_ID: AtomicU64 = AtomicU64::new(1);

/// The memory and the computing time that the hub spends on one instance.
#[derive(Debug)]
pub struct Account {
    id: u64,
    limit: u64,
    used: AtomicU64,
    peak: AtomicU64,
    /// Nanoseconds of computing time on threads that do not poll the instance.
    billed: AtomicU64,
    /// The instance's operations that may wait in the store, and the bytes that it may write.
    desk: Desk,
}

impl Account {
    /// The account of an instance with these limits.
    #[must_use]
    pub fn new(limits: &Limits) -> Arc<Self> {
        Self::with(limits.host_memory, Desk::new(limits))
    }

    /// The account of the hub's own work, which no limit bounds.
    #[must_use]
    pub fn of_hub() -> Arc<Self> {
        Self::with(u64::MAX, Desk::of_hub())
    }

    fn with(limit: u64, desk: Desk) -> Arc<Self> {
        Arc::new(Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            limit,
            used: AtomicU64::new(0),
            peak: AtomicU64::new(0),
            billed: AtomicU64::new(0),
            desk,
        })
    }

    /// A number that no other account of this process has or had.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The instance's operations that may wait in the store, and the bytes that it may write.
    #[must_use]
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Takes `bytes` from the account until the charge is dropped. To be called before
    /// the memory is allocated.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`; then nothing is taken.
    pub fn charge(self: &Arc<Self>, bytes: u64) -> Result<Charge, LimitHit> {
        self.take(bytes)?;
        Ok(Charge {
            account: Arc::clone(self),
            bytes,
        })
    }

    fn take(&self, bytes: u64) -> Result<(), LimitHit> {
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let wanted = used.saturating_add(bytes);
            if wanted > self.limit {
                return Err(Limits::hit("host-memory", wanted, self.limit));
            }
            let taken =
                self.used
                    .compare_exchange_weak(used, wanted, Ordering::Relaxed, Ordering::Relaxed);
            match taken {
                Ok(_) => {
                    self.peak.fetch_max(wanted, Ordering::Relaxed);
                    return Ok(());
                }
                Err(now) => used = now,
            }
        }
    }

    /// Whether more than the half of the account is taken.
    #[must_use]
    pub fn is_half_taken(&self) -> bool {
        self.used() > self.limit / 2
    }

    /// Bytes that are taken now.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The most bytes that were taken at one time.
    #[must_use]
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// Adds computing time that another thread has spent for the instance. It counts for
    /// `cpu-share` and `callback-cpu` as the plugin's own time does.
    pub fn bill(&self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.billed.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    /// All computing time that was billed so far.
    #[must_use]
    pub fn billed(&self) -> Duration {
        Duration::from_nanos(self.billed.load(Ordering::Relaxed))
    }

    /// Does `work` on this thread and bills the computing time that it took.
    ///
    /// Not to be called while the instance is polled: that time is counted already.
    pub fn billing<T>(&self, work: impl FnOnce() -> T) -> T {
        let bill = Bill {
            account: self,
            start: thread_cpu(),
        };
        let done = work();
        drop(bill);
        done
    }
}

/// Bills when it is dropped, so that work that panics is paid for as well.
struct Bill<'a> {
    account: &'a Account,
    start: Duration,
}

impl Drop for Bill<'_> {
    fn drop(&mut self) {
        self.account.bill(thread_cpu().saturating_sub(self.start));
    }
}

/// Bytes taken from an account, given back when this is dropped.
#[derive(Debug)]
pub struct Charge {
    account: Arc<Account>,
    bytes: u64,
}

impl Charge {
    /// Takes `bytes` more.
    ///
    /// # Errors
    ///
    /// The limit `host-memory`; then the charge is as it was.
    pub fn grow(&mut self, bytes: u64) -> Result<(), LimitHit> {
        self.account.take(bytes)?;
        self.bytes = self.bytes.saturating_add(bytes);
        Ok(())
    }

    /// Gives back all but `bytes`; a charge of less stays as it is.
    pub fn shrink_to(&mut self, bytes: u64) {
        let less = self.bytes.saturating_sub(bytes);
        self.account.used.fetch_sub(less, Ordering::Relaxed);
        self.bytes = self.bytes.saturating_sub(less);
    }

    /// The bytes of this charge.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The account that the bytes are taken from.
    #[must_use]
    pub fn account(&self) -> &Arc<Account> {
        &self.account
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.account.used.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Computing time of the calling thread so far.
#[must_use]
pub fn thread_cpu() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn account(bytes: u64) -> Arc<Account> {
        Account::new(&Limits {
            host_memory: bytes,
            ..Limits::default()
        })
    }

    #[test]
    fn a_charge_beyond_the_limit_takes_nothing() {
        let account = account(100);
        let first = account.charge(60).unwrap();
        let hit = account.charge(41).unwrap_err();
        assert_eq!((hit.which, hit.used, hit.limit), ("host-memory", 101, 100));
        assert_eq!(account.used(), 60);
        drop(first);
        assert_eq!((account.used(), account.peak()), (0, 60));
    }

    #[test]
    fn a_charge_grows_and_shrinks() {
        let account = account(100);
        let mut charge = account.charge(10).unwrap();
        charge.grow(80).unwrap();
        assert!(charge.grow(11).is_err());
        assert_eq!((charge.bytes(), account.used()), (90, 90));
        charge.shrink_to(30);
        charge.shrink_to(50);
        assert_eq!((charge.bytes(), account.used()), (30, 30));
    }

    #[test]
    fn work_that_panics_is_billed() {
        let account = account(1);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            account.billing(|| {
                let start = thread_cpu();
                while thread_cpu().saturating_sub(start) < Duration::from_millis(5) {}
                std::panic::resume_unwind(Box::new(()));
            });
        }));
        assert!(outcome.is_err());
        assert!(account.billed() >= Duration::from_millis(5));
    }
}
