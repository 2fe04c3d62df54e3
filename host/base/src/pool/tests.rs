use std::sync::mpsc;

use futures_util::future::LocalBoxFuture;

use super::*;

/// Runs until it is released.
fn blocker() -> (impl FnOnce() + Send + 'static, mpsc::Sender<()>) {
    let (go, wait) = mpsc::channel::<()>();
    (
        move || {
            let _ = wait.recv();
        },
        go,
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_account_that_blocks_delays_no_other() {
    let pool = Pool::new("test", 3, 2);
    let (hostile, neighbour) = (Account::of_hub(), Account::of_hub());
    let mut held = Vec::new();
    for _ in 0..100 {
        let (job, go) = blocker();
        let (pool, hostile) = (pool.clone(), Arc::clone(&hostile));
        let waiting = tokio::spawn(async move { pool.run(&hostile, job).await });
        held.push((waiting, go));
    }
    while pool.threads() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(pool.run(&neighbour, || 7).await, Ok(7));
    assert_eq!(pool.threads(), 3);
    // The order in which they were queued is not that in which they were made.
    let (waiting, go): (Vec<_>, Vec<_>) = held.into_iter().unzip();
    drop(go);
    for waiting in waiting {
        assert_eq!(waiting.await.unwrap(), Ok(()));
    }
}

/// One woken thread takes the first of two jobs of one account, and somebody has to come to
/// the other account as well.
#[tokio::test]
async fn an_idle_thread_strands_nobody() {
    for _ in 0..50 {
        let pool = Pool::new("test", 4, 2);
        let (hostile, neighbour) = (Account::of_hub(), Account::of_hub());
        pool.run(&neighbour, || ()).await.unwrap();
        while pool.shared.state().idle == 0 {
            std::thread::yield_now();
        }
        let ((first, go_first), (second, go_second)) = (blocker(), blocker());
        let mut first = Box::pin(pool.run(&hostile, first));
        let mut second = Box::pin(pool.run(&hostile, second));
        assert!(futures_util::poll!(&mut first).is_pending());
        assert!(futures_util::poll!(&mut second).is_pending());
        let quick = tokio::time::timeout(Duration::from_secs(5), pool.run(&neighbour, || 7));
        assert_eq!(quick.await, Ok(Ok(7)));
        drop((go_first, go_second));
        assert_eq!((first.await, second.await), (Ok(()), Ok(())));
    }
}

#[tokio::test]
async fn the_queues_are_served_in_turn() {
    let pool = Pool::new("test", 1, 1);
    let (first, second) = (Account::of_hub(), Account::of_hub());
    let (order, seen) = mpsc::channel();
    let (job, go) = blocker();
    let mut waiting: Vec<LocalBoxFuture<'_, Result<(), PoolError>>> =
        vec![Box::pin(pool.run(&first, job))];
    for (account, name) in [(&first, 'a'), (&first, 'a'), (&first, 'a'), (&second, 'b')] {
        let order = order.clone();
        waiting.push(Box::pin(pool.run(account, move || {
            order.send(name).unwrap();
        })));
    }
    let all = futures_util::future::join_all(waiting);
    let go = async {
        // All jobs stand in the queues when the first one ends.
        tokio::task::yield_now().await;
        drop(go);
    };
    let (done, ()) = futures_util::future::join(all, go).await;
    assert!(done.iter().all(Result::is_ok));
    drop(order);
    let seen: String = seen.iter().collect();
    assert!(seen.starts_with("ab") || seen.starts_with("ba"), "{seen}");
}

#[tokio::test]
async fn a_job_that_nobody_waits_for_is_not_begun() {
    let pool = Pool::new("test", 1, 1);
    let account = Account::of_hub();
    let (job, go) = blocker();
    let (told, begun) = mpsc::channel();
    let held = pool.run(&account, job);
    tokio::pin!(held);
    assert!(futures_util::poll!(&mut held).is_pending());
    {
        let abandoned = pool.run(&account, move || told.send(()).unwrap());
        tokio::pin!(abandoned);
        assert!(futures_util::poll!(abandoned).is_pending());
    }
    drop(go);
    assert_eq!(held.await, Ok(()));
    assert_eq!(pool.run(&account, || ()).await, Ok(()));
    assert!(begun.try_recv().is_err());
}

#[tokio::test]
async fn a_panic_is_told_and_the_thread_goes_on() {
    let pool = Pool::new("test", 1, 1);
    let account = Account::of_hub();
    let panicking = || std::panic::resume_unwind(Box::new(()));
    assert_eq!(
        pool.run::<(), _>(&account, panicking).await,
        Err(PoolError::Panicked)
    );
    assert_eq!(pool.run(&account, || 1).await, Ok(1));
    assert_eq!(pool.threads(), 1);
}

#[tokio::test]
async fn the_time_is_billed() {
    let pool = Pool::new("test", 1, 1);
    let account = Account::of_hub();
    let work = || {
        let start = crate::account::thread_cpu();
        while crate::account::thread_cpu() - start < Duration::from_millis(5) {}
    };
    pool.run(&account, work).await.unwrap();
    assert!(account.billed() >= Duration::from_millis(5));
}

/// Waking a thread for a job costs more than a job that does nothing.
#[tokio::test]
async fn the_way_to_a_job_is_billed_too() {
    let pool = Pool::new("test", 1, 1);
    let account = Account::of_hub();
    for _ in 0..2000 {
        pool.run(&account, || ()).await.unwrap();
    }
    let billed = account.billed();
    assert!(billed > Duration::from_millis(2), "{billed:?}");
}
