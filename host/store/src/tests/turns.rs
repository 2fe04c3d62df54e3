//! Owners are served in turn, billed, and slowed down when they write too much.

use super::*;
use cordon_base::limits::Limits;

/// The account of an instance with a log, and its handle.
fn instance(store: &Store, limits: &Limits) -> (Arc<Account>, Store) {
    let account = Account::new(limits);
    let events = cordon_base::log::EventLog::new(cordon_base::log::LogCapacity::default());
    let log = PluginLog::new(events, "HW", limits);
    let handle = store.of(&account, &log);
    (account, handle)
}

#[tokio::test]
async fn one_who_asks_much_delays_another_by_one_operation_and_never_takes_its_place() {
    let (_folder, store) = open();
    let limits = Limits::default();
    let (_, greedy) = instance(&store, &limits);
    let (_, modest) = instance(&store, &limits);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (release, holder) = hold(&store).await;
    let ask = |handle: &Store, name: &'static str| {
        let (handle, order) = (handle.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let written = handle.write(move |_| {
                order.lock().unwrap().push(name);
                Ok::<_, StoreError>(())
            });
            written.await.unwrap();
        })
    };
    let mut asked: Vec<_> = (0..1000).map(|_| ask(&greedy, "greedy")).collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    asked.push(ask(&modest, "modest"));
    asked.push(ask(&store, "hub"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(release);
    holder.await.unwrap();
    for task in asked {
        task.await.unwrap();
    }
    let order = order.lock().unwrap();
    assert_eq!(order[..3], ["greedy", "modest", "hub"]);
    assert_eq!(order.len(), 1002);
}

#[tokio::test]
async fn a_group_ends_at_its_bytes() {
    let (folder, store) = open();
    let (_, greedy) = instance(&store, &Limits::default());
    let (release, holder) = hold(&store).await;
    let tasks: Vec<_> = (0..8)
        .map(|n| {
            let greedy = greedy.clone();
            let path = folder.path().join("cordon.db");
            tokio::spawn(async move {
                let written = greedy.write(move |t| {
                    t.wrote(600 << 10);
                    insert(t, &format!("{n}"))?;
                    // What others see while this operation runs.
                    let seen = Connection::open(path)?;
                    let sql = "SELECT count(*) FROM preferences";
                    let seen: i64 = seen.query_row(sql, [], |row| row.get(0))?;
                    Ok::<_, StoreError>(seen)
                });
                written.await.unwrap()
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(release);
    holder.await.unwrap();
    let mut seen = Vec::new();
    for task in tasks {
        seen.push(task.await.unwrap());
    }
    // Never more than two of them, of 600 KiB each, before a commit.
    for (before, committed) in seen.iter().enumerate() {
        let before = i64::try_from(before).unwrap();
        assert!(before - committed <= 1, "{seen:?}");
    }
}

#[tokio::test]
async fn reads_are_served_in_turn_and_see_what_their_caller_was_told() {
    let (_folder, store) = open();
    let limits = Limits::default();
    let (_, greedy) = instance(&store, &limits);
    let (_, modest) = instance(&store, &limits);
    let order = Arc::new(Mutex::new(Vec::new()));
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let (began, begun) = oneshot::channel();
    let ask = |handle: &Store, name: &'static str| {
        let (handle, order) = (handle.clone(), Arc::clone(&order));
        tokio::spawn(async move {
            let read = handle.read(move |connection| {
                order.lock().unwrap().push(name);
                let sql = "SELECT count(*) FROM preferences";
                Ok::<_, StoreError>(connection.query_row(sql, [], |row| row.get::<_, i64>(0))?)
            });
            read.await.unwrap()
        })
    };
    let holder = tokio::spawn({
        let store = store.clone();
        async move {
            let held = store.read(move |_| {
                began.send(()).unwrap();
                let _ = gate.recv();
                Ok::<_, StoreError>(())
            });
            held.await.unwrap();
        }
    });
    begun.await.unwrap();
    let mut asked: Vec<_> = (0..60).map(|_| ask(&greedy, "greedy")).collect();
    tokio::time::sleep(Duration::from_millis(50)).await;
    asked.push(ask(&modest, "modest"));
    tokio::time::sleep(Duration::from_millis(50)).await;
    store.write(|t| insert(t, "a")).await.unwrap();
    drop(release);
    holder.await.unwrap();
    for task in asked {
        assert_eq!(task.await.unwrap(), 1);
    }
    assert_eq!(order.lock().unwrap()[..2], ["greedy", "modest"]);
}

#[tokio::test]
async fn what_the_threads_do_is_billed_to_who_asked() {
    let (_folder, store) = open();
    let limits = Limits::default();
    let (busy, first) = instance(&store, &limits);
    let (idle, second) = instance(&store, &limits);
    let work = || {
        let start = cordon_base::account::thread_cpu();
        while cordon_base::account::thread_cpu() - start < Duration::from_millis(20) {}
    };
    let written = first.write(move |_| {
        work();
        Ok::<_, StoreError>(())
    });
    written.await.unwrap();
    let read = first.read(move |_| {
        work();
        Ok::<_, StoreError>(())
    });
    read.await.unwrap();
    second.write(|t| insert(t, "a")).await.unwrap();
    // The reading thread answers before it has billed.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(
        busy.billed() >= Duration::from_millis(40),
        "{:?}",
        busy.billed()
    );
    assert!(
        idle.billed() < Duration::from_millis(20),
        "{:?}",
        idle.billed()
    );
    assert!(idle.billed() > Duration::ZERO);
}

#[tokio::test]
async fn who_has_written_too_much_waits_and_nobody_else_does() {
    let (_folder, store) = open();
    let limits = Limits {
        write_bytes: 60_000,
        ..Limits::default()
    };
    let (account, greedy) = instance(&store, &limits);
    let (_, modest) = instance(&store, &limits);
    let write = |handle: &Store, bytes: u64| {
        let handle = handle.clone();
        async move {
            let written = handle.write(move |t| {
                t.wrote(bytes);
                Ok::<_, StoreError>(())
            });
            written.await.unwrap();
        }
    };
    write(&greedy, 70_000).await;
    let begun = Instant::now();
    // Another life of the instance has the same account.
    let log = PluginLog::new(
        cordon_base::log::EventLog::new(cordon_base::log::LogCapacity::default()),
        "HW",
        &limits,
    );
    let again = store.of(&account, &log);
    let waits = tokio::spawn(write(&again, 1));
    write(&modest, 1).await;
    write(&store, 1 << 30).await;
    assert!(!waits.is_finished());
    waits.abort();
    assert!(begun.elapsed() < Duration::from_secs(5));
    let pause = account.desk().pause(Instant::now()).unwrap();
    assert!(pause.time > Duration::from_secs(4) && pause.time < Duration::from_secs(11));
}
