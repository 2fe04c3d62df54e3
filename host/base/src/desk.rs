//! What one owner may have waiting in the store, and how much it may write.
//!
//! Belongs to the account of an instance and so outlives its lives: a plugin that is
//! restarted finds its bucket as it left it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::LimitHit;
use crate::limits::Limits;

/// Operations of one owner that may wait; further callers wait for room.
const PLACES: usize = 64;

/// The same for the hub, whose callers are many.
const HUB_PLACES: usize = 1024;

/// The limit on what is written.
const LIMIT: &str = "write-bytes-per-minute";

const MINUTE: Duration = Duration::from_secs(60);

/// The places and the bucket of one owner.
#[derive(Debug)]
pub struct Desk {
    places: Arc<Semaphore>,
    /// Bytes that may be written in a minute; `None` for the hub.
    per_minute: Option<u64>,
    bucket: Mutex<Bucket>,
}

/// Bytes that were written and not yet earned back.
#[derive(Debug)]
struct Bucket {
    level: u64,
    /// When the level was right.
    at: Instant,
    /// When the owner was last told that it is slowed down.
    told: Option<Instant>,
}

/// How long a write has to wait.
#[derive(Debug, PartialEq, Eq)]
pub struct Pause {
    /// The time to wait.
    pub time: Duration,
    /// What to tell, once a minute.
    pub hit: Option<LimitHit>,
}

impl Desk {
    /// The desk of an instance with these limits.
    #[must_use]
    pub fn new(limits: &Limits) -> Self {
        Self::with(PLACES, Some(limits.write_bytes))
    }

    /// The desk of the hub, which may write what it has to.
    #[must_use]
    pub fn of_hub() -> Self {
        Self::with(HUB_PLACES, None)
    }

    fn with(places: usize, per_minute: Option<u64>) -> Self {
        Self {
            places: Arc::new(Semaphore::new(places)),
            per_minute,
            bucket: Mutex::new(Bucket {
                level: 0,
                at: Instant::now(),
                told: None,
            }),
        }
    }

    /// A place in the queue, held until the operation is answered.
    pub async fn place(&self) -> Option<OwnedSemaphorePermit> {
        // The semaphore is never closed.
        Arc::clone(&self.places).acquire_owned().await.ok()
    }

    /// How long the next write has to wait; `None` while the bucket has room. It is a
    /// debt that is waited for: what an operation writes is known when it has written.
    pub fn pause(&self, now: Instant) -> Option<Pause> {
        let limit = self.per_minute?;
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.drain(now, limit);
        let over = bucket.level.checked_sub(limit).filter(|over| *over > 0)?;
        let time = Duration::from_secs_f64(MINUTE.as_secs_f64() * over as f64 / limit as f64);
        let tell = bucket
            .told
            .is_none_or(|told| now.saturating_duration_since(told) >= MINUTE);
        let hit = tell.then(|| {
            bucket.told = Some(now);
            Limits::hit(LIMIT, bucket.level, limit)
        });
        // A moment more, so that rounding does not make a pause of nothing.
        let time = time.saturating_add(Duration::from_millis(1));
        Some(Pause { time, hit })
    }

    /// Counts what was written.
    pub fn wrote(&self, bytes: u64, now: Instant) {
        let Some(limit) = self.per_minute else {
            return;
        };
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.drain(now, limit);
        bucket.level = bucket.level.saturating_add(bytes);
    }
}

impl Bucket {
    fn drain(&mut self, now: Instant, per_minute: u64) {
        let passed = now.saturating_duration_since(self.at);
        let earned = u128::from(per_minute).saturating_mul(passed.as_nanos()) / MINUTE.as_nanos();
        // Short of a byte the time goes on counting.
        if earned > 0 {
            let earned = u64::try_from(earned).unwrap_or(u64::MAX);
            self.level = self.level.saturating_sub(earned);
            self.at = now;
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn desk(per_minute: u64) -> Desk {
        Desk::new(&Limits {
            write_bytes: per_minute,
            ..Limits::default()
        })
    }

    #[test]
    fn a_minutes_worth_is_free_and_more_is_waited_for() {
        let desk = desk(6000);
        let now = Instant::now();
        desk.wrote(6000, now);
        assert_eq!(desk.pause(now), None);
        desk.wrote(1000, now);
        let pause = desk.pause(now).unwrap();
        assert_eq!(pause.time.as_secs(), 10);
        let hit = pause.hit.unwrap();
        assert_eq!((hit.which, hit.used, hit.limit), (LIMIT, 7000, 6000));
        // Told once a minute, however often it is asked.
        assert_eq!(desk.pause(now).unwrap().hit, None);
        assert_eq!(desk.pause(now + Duration::from_secs(10)), None);
    }

    #[test]
    fn rest_earns_a_minutes_worth_and_no_more() {
        let desk = desk(6000);
        let now = Instant::now();
        desk.wrote(1, now);
        let later = now + Duration::from_secs(3600);
        desk.wrote(6001, later);
        assert!(desk.pause(later).is_some());
    }

    #[test]
    fn asking_often_loses_no_credit() {
        let desk = desk(60);
        let mut now = Instant::now();
        desk.wrote(70, now);
        for _ in 0..100 {
            now += Duration::from_millis(101);
            let _ = desk.pause(now);
        }
        assert_eq!(desk.pause(now), None);
    }

    #[test]
    fn the_hub_is_not_slowed() {
        let desk = Desk::of_hub();
        desk.wrote(u64::MAX, Instant::now());
        assert_eq!(desk.pause(Instant::now()), None);
    }
}
