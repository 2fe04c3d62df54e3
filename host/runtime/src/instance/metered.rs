//! The future of a life, timed on behalf of its meter, and ended when a callback takes too
//! long, whatever it waits for.
//!
//! The end comes from outside of wasmtime: a host function that holds the store while it waits
//! would keep any timer inside from being polled.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;
use tokio::time::{Instant, Sleep};

use crate::instance::meter::Meter;
use cordon_base::error::LimitHit;

/// Times every poll of a future. Its output is the future's, or the limit that ended it.
pub struct Metered<F> {
    inner: Pin<Box<F>>,
    meter: Arc<Meter>,
    bell: Arc<Bell>,
    waker: Waker,
    /// Whether it was polled yet.
    begun: bool,
    /// When the last poll ended, in nanoseconds of the meter.
    polled: u64,
    look: Pin<Box<Sleep>>,
    /// When `look` ends, if somebody waits for it.
    armed: Option<Instant>,
}

/// Wakes the inner future; the meter knows then since when it could go on.
struct Bell {
    outer: AtomicWaker,
    meter: Arc<Meter>,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.meter.ring();
        self.outer.wake();
    }
}

impl<F: Future> Metered<F> {
    /// Times `future` from now on. To be made within the runtime.
    pub fn new(meter: Arc<Meter>, future: F) -> Self {
        let bell = Arc::new(Bell {
            outer: AtomicWaker::new(),
            meter: Arc::clone(&meter),
        });
        Self {
            inner: Box::pin(future),
            meter,
            waker: Waker::from(Arc::clone(&bell)),
            bell,
            begun: false,
            polled: 0,
            look: Box::pin(tokio::time::sleep(std::time::Duration::ZERO)),
            armed: None,
        }
    }

    /// Polls the future, if it was woken.
    fn go_on(&mut self) -> Poll<F::Output> {
        if !self.meter.answer(self.polled) && self.begun {
            return Poll::Pending;
        }
        self.begun = true;
        let polling = self.meter.poll();
        let polled = self
            .inner
            .as_mut()
            .poll(&mut Context::from_waker(&self.waker));
        drop(polling);
        self.polled = self.meter.elapsed();
        polled
    }

    /// Checks the instance while it waits, now and when it is time to check again.
    fn watch(&mut self, context: &mut Context<'_>) -> Poll<LimitHit> {
        loop {
            let wait = match self.meter.look(self.polled) {
                Ok(Some(wait)) => wait,
                Ok(None) => return Poll::Pending,
                Err(hit) => return Poll::Ready(hit),
            };
            let at = Instant::now() + wait;
            // A timer that ends too soon does no harm and saves a change for every callback.
            if self.armed.is_none_or(|armed| at < armed) {
                self.look.as_mut().reset(at);
                self.armed = Some(at);
            }
            if self.look.as_mut().poll(context).is_pending() {
                return Poll::Pending;
            }
            self.armed = None;
        }
    }
}

impl<F: Future> Future for Metered<F> {
    type Output = Result<F::Output, LimitHit>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        this.bell.outer.register(context.waker());
        if let Poll::Ready(output) = this.go_on() {
            return Poll::Ready(Ok(output));
        }
        this.watch(context).map(Err)
    }
}

impl<F> Drop for Metered<F> {
    fn drop(&mut self) {
        self.meter.leave_callback();
        self.meter.give_place();
        self.meter.set_memory(0);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;
    use cordon_base::account::Account;
    use cordon_base::limits::Limits;

    fn meter(wall: u64) -> Arc<Meter> {
        let limits = Limits {
            callback_wall: wall,
            ..Limits::default()
        };
        Meter::new(&limits, Account::new(&limits))
    }

    #[tokio::test]
    async fn a_callback_that_waits_for_nothing_is_ended() {
        let meter = meter(50);
        let never = async {
            meter.enter_callback();
            std::future::pending::<()>().await;
        };
        let hit = Metered::new(Arc::clone(&meter), never).await.unwrap_err();
        assert_eq!((hit.which, hit.limit), ("callback-wall", 50));
    }

    #[tokio::test]
    async fn callbacks_one_after_the_other_have_the_time_each() {
        let meter = meter(1000);
        let many = async {
            for _ in 0..60 {
                // As the loop of a life does in every poll.
                meter.attend();
                meter.enter_callback();
                tokio::time::sleep(Duration::from_millis(20)).await;
                meter.leave_callback();
            }
        };
        Metered::new(Arc::clone(&meter), many).await.unwrap();
    }

    /// The runtime has one thread, and others use it up.
    #[tokio::test]
    async fn waiting_for_a_core_ends_no_callback() {
        let meter = meter(300);
        let busy = tokio::spawn(async {
            for _ in 0..60 {
                std::thread::sleep(Duration::from_millis(10));
                tokio::task::yield_now().await;
            }
        });
        let polite = async {
            meter.enter_callback();
            for _ in 0..50 {
                meter.ring();
                tokio::task::yield_now().await;
            }
        };
        let begun = std::time::Instant::now();
        Metered::new(Arc::clone(&meter), polite).await.unwrap();
        assert!(begun.elapsed() > Duration::from_millis(300));
        busy.await.unwrap();
    }
}
