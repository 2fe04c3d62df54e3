//! Runs tasks of connections at the cost of their instance, and at its pace.
//!
//! Peers make the hub compute: decode, decrypt, inflate. That time is billed like the plugin's own,
//! and a task of an instance that owes time waits as the plugin does. Without that wait a peer
//! could keep the hub busy while the plugin itself rests.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::Sleep;

use cordon_base::account::Account;

/// How long the instance has to pause to get back to its share of computing time.
pub type Debt = Arc<dyn Fn() -> Option<Duration> + Send + Sync>;

/// Longest pause before the debt is looked at again.
const LOOK: Duration = Duration::from_millis(500);

/// A future whose polls are billed, and wait while there is a debt.
pub(super) struct Paced<F> {
    inner: Pin<Box<F>>,
    account: Arc<Account>,
    debt: Debt,
    pause: Option<Pin<Box<Sleep>>>,
}

impl<F> Paced<F> {
    pub(super) fn new(inner: F, account: Arc<Account>, debt: Debt) -> Self {
        Self {
            inner: Box::pin(inner),
            account,
            debt,
            pause: None,
        }
    }
}

impl<F: Future> Future for Paced<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = &mut *self;
        loop {
            if let Some(pause) = &mut this.pause {
                ready!(pause.as_mut().poll(context));
                this.pause = None;
            }
            let Some(debt) = (this.debt)() else {
                break;
            };
            this.pause = Some(Box::pin(tokio::time::sleep(debt.min(LOOK))));
        }
        let inner = this.inner.as_mut();
        this.account.billing(|| inner.poll(context))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Instant;

    use super::*;
    use cordon_base::account::thread_cpu;

    #[tokio::test]
    async fn what_a_task_computes_is_billed() {
        let account = Account::of_hub();
        let work = async {
            let start = thread_cpu();
            while thread_cpu() - start < Duration::from_millis(5) {}
        };
        Paced::new(work, Arc::clone(&account), Arc::new(|| None)).await;
        assert!(account.billed() >= Duration::from_millis(5));
    }

    #[tokio::test]
    async fn a_task_rests_while_its_instance_owes_time() {
        let owes = Arc::new(AtomicBool::new(true));
        let debt: Debt = {
            let owes = Arc::clone(&owes);
            Arc::new(move || {
                owes.load(Ordering::SeqCst)
                    .then_some(Duration::from_millis(5))
            })
        };
        let begun = Instant::now();
        let task = Paced::new(async { begun.elapsed() }, Account::of_hub(), debt);
        let pay = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            owes.store(false, Ordering::SeqCst);
        };
        let (waited, ()) = tokio::join!(task, pay);
        assert!(waited >= Duration::from_millis(50), "{waited:?}");
    }
}
