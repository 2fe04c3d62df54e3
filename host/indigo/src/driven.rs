//! Work that leaves the threads which serve callbacks: whose size a plugin chooses.

use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use tokio::runtime::Handle;
use tokio::sync::Notify;

use cordon_base::account::Account;
use cordon_base::pool::{Pool, PoolError};

/// Rings when a future can go on; a ring before anybody waits is kept.
struct Ring(Notify);

impl Wake for Ring {
    fn wake(self: Arc<Self>) {
        self.0.notify_one();
    }
}

/// Carries a future out on the threads of a pool. What it computes is done there, in turn
/// with other accounts and billed; while it waits it has no thread. Dropped, it goes no
/// further.
///
/// # Errors
///
/// [`PoolError`].
pub(super) async fn driven<F>(
    pool: &Pool,
    account: &Arc<Account>,
    future: F,
) -> Result<F::Output, PoolError>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let ring = Arc::new(Ring(Notify::new()));
    let mut future = Box::pin(future);
    loop {
        let waker = Waker::from(Arc::clone(&ring));
        let step = step(pool, account, move || {
            let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
            (future, polled)
        });
        match step.await? {
            (_, Poll::Ready(value)) => return Ok(value),
            (pending, Poll::Pending) => future = pending,
        }
        ring.0.notified().await;
    }
}

/// Does one piece of work on a pool, with the runtime at hand for what it starts.
///
/// # Errors
///
/// [`PoolError`].
pub(super) async fn step<T: Send + 'static>(
    pool: &Pool,
    account: &Arc<Account>,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, PoolError> {
    let runtime = Handle::current();
    let entered = move || {
        let _runtime = runtime.enter();
        work()
    };
    pool.run(account, entered).await
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::time::Duration;

    use super::*;
    use cordon_base::limits::Limits;

    #[tokio::test]
    async fn a_future_computes_on_the_pool_and_waits_without_a_thread() {
        let pool = Pool::new("one", 1, 1);
        let account = Account::new(&Limits::default());
        let here = std::thread::current().id();
        let slow = async move {
            tokio::time::sleep(Duration::from_millis(200)).await;
            std::thread::current().id()
        };
        let quick = async move { std::thread::current().id() };
        let first = driven(&pool, &account, slow);
        let second = driven(&pool, &account, quick);
        // The only thread of the pool is free while the first one sleeps.
        let begun = std::time::Instant::now();
        let (first, (second, took)) = tokio::join!(first, async {
            let thread = second.await.unwrap();
            (thread, begun.elapsed())
        });
        assert!(first.unwrap() != here && second != here);
        assert!(took < Duration::from_millis(150), "{took:?}");
    }
}
