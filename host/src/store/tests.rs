//! Tests of the store through its public functions, on real files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::{Connection, Transaction};
use tempfile::TempDir;

use super::*;
use crate::limits::Limits;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db")).unwrap();
    (folder, store)
}

fn refusal(path: &Path) -> String {
    Store::open(path).unwrap_err().to_string()
}

fn insert(transaction: &Transaction<'_>, key: &str) -> Result<(), StoreError> {
    transaction.execute("INSERT INTO preferences VALUES (?1, '', 0)", [key])?;
    Ok(())
}

async fn keys(store: &Store) -> Vec<String> {
    store
        .read(|connection| {
            let mut statement = connection.prepare("SELECT key FROM preferences ORDER BY key")?;
            let rows = statement.query_map([], |row| row.get(0))?;
            Ok::<_, StoreError>(rows.collect::<Result<_, _>>()?)
        })
        .await
        .unwrap()
}

#[tokio::test]
async fn an_answered_write_is_in_the_file_for_others_to_see() {
    let (folder, store) = open();
    store.write(|t| insert(t, "a")).await.unwrap();
    let other = Connection::open(folder.path().join("cordon.db")).unwrap();
    let count: i64 = other
        .query_row("SELECT count(*) FROM preferences", [], |row| row.get(0))
        .unwrap();
    assert_eq!(count, 1);
    let mode: i64 = store
        .write(|t| Ok::<_, StoreError>(t.pragma_query_value(None, "synchronous", |r| r.get(0))?))
        .await
        .unwrap();
    assert_eq!(mode, 2, "synchronous is not FULL");
}

#[tokio::test]
async fn a_brief_read_is_made_here_or_by_the_thread_and_a_panic_ends_it_alone() {
    let (_folder, store) = open();
    store.write(|t| insert(t, "a")).await.unwrap();
    let thread = || std::thread::current().id();
    let read = |store: &Store| {
        let store = store.clone();
        async move {
            let read = store.read_brief(move |connection| {
                let sql = "SELECT count(*) FROM preferences";
                let count: i64 = connection.query_row(sql, [], |row| row.get(0))?;
                Ok::<_, StoreError>((count, thread()))
            });
            read.await.unwrap()
        }
    };
    assert_eq!(read(&store).await, (1, thread()));
    let panics = store.read_brief(|_| -> Result<(), StoreError> { panic!("on purpose") });
    assert_eq!(panics.await, Err(StoreError::Panicked));
    let writes = store.read_brief(|connection| {
        connection.execute("DELETE FROM preferences", [])?;
        Ok::<_, StoreError>(())
    });
    assert!(writes.await.is_err());
    store.write(|t| insert(t, "b")).await.unwrap();
    assert_eq!(read(&store).await, (2, thread()));
    let database = Arc::clone(&store.database);
    let (holds, held) = std::sync::mpsc::channel();
    let (let_go, released) = std::sync::mpsc::channel::<()>();
    let holder = std::thread::spawn(move || {
        let _connection = database.brief.lock().unwrap();
        holds.send(()).unwrap();
        released.recv().unwrap_err();
    });
    held.recv().unwrap();
    let (count, by) = read(&store).await;
    drop(let_go);
    holder.join().unwrap();
    assert_eq!(count, 2);
    assert_ne!(by, thread());
}

#[tokio::test]
async fn a_reopened_store_has_what_was_written() {
    let (folder, store) = open();
    store.write(|t| insert(t, "a")).await.unwrap();
    drop(store);
    let again = Store::open(&folder.path().join("cordon.db")).unwrap();
    assert_eq!(keys(&again).await, ["a"]);
}

#[tokio::test]
async fn a_failed_operation_leaves_no_trace_and_does_not_disturb_its_group() {
    let (_folder, store) = open();
    // Holds the thread, so that the three below are run as one group.
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let holder = store.write(move |_| {
        let _ = gate.recv();
        Ok::<_, StoreError>(())
    });
    let good = store.write(|t| insert(t, "good"));
    let bad = store.write(|t| {
        insert(t, "bad")?;
        Err::<(), _>(StoreError::Conflict("no".to_owned()))
    });
    let panics = store.write(|t| -> Result<(), StoreError> {
        insert(t, "worse")?;
        panic!("on purpose")
    });
    let let_go = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(release);
    };
    let (_, good, bad, panics, ()) = tokio::join!(holder, good, bad, panics, let_go);
    assert_eq!(good, Ok(()));
    assert_eq!(bad, Err(StoreError::Conflict("no".to_owned())));
    assert_eq!(panics, Err(StoreError::Panicked));
    assert_eq!(keys(&store).await, ["good"]);
}

#[tokio::test]
async fn writes_that_wait_together_share_a_commit() {
    let (folder, store) = open();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let holder = tokio::spawn({
        let store = store.clone();
        async move {
            store
                .write(move |_| Ok::<_, StoreError>(gate.recv().is_ok()))
                .await
        }
    });
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    let done = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (0..100)
        .map(|n| {
            let (store, done) = (store.clone(), Arc::clone(&done));
            tokio::spawn(async move {
                store
                    .write(move |t| insert(t, &format!("{n:03}")))
                    .await
                    .unwrap();
                done.fetch_add(1, Ordering::SeqCst)
            })
        })
        .collect();
    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    assert_eq!(done.load(Ordering::SeqCst), 0);
    let watcher = Connection::open(folder.path().join("cordon.db")).unwrap();
    let watching = std::thread::spawn(move || {
        let mut seen = std::collections::BTreeSet::new();
        while !seen.contains(&100) {
            let sql = "SELECT count(*) FROM preferences";
            seen.insert(
                watcher
                    .query_row(sql, [], |row| row.get::<_, i64>(0))
                    .unwrap(),
            );
        }
        seen
    });
    drop(release);
    holder.await.unwrap().unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    let seen: Vec<i64> = watching.join().unwrap().into_iter().collect();
    assert!(
        seen == [100] || seen == [0, 100],
        "more than one commit: {seen:?}"
    );
}

/// The account of an instance with a log, and its handle.
fn instance(store: &Store, limits: &Limits) -> (Arc<Account>, Store) {
    let account = Account::new(limits);
    let events = crate::log::EventLog::new(crate::log::LogCapacity::default());
    let log = PluginLog::new(events, "HW", limits);
    let handle = store.of(&account, &log);
    (account, handle)
}

/// Holds the writing thread until the sender is dropped. What is queued meanwhile is
/// queued in full.
async fn hold(store: &Store) -> (std::sync::mpsc::Sender<()>, tokio::task::JoinHandle<()>) {
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let (began, begun) = oneshot::channel();
    let store = store.clone();
    let holder = tokio::spawn(async move {
        let held = store.write(move |_| {
            began.send(()).unwrap();
            let _ = gate.recv();
            Ok::<_, StoreError>(())
        });
        held.await.unwrap();
    });
    begun.await.unwrap();
    (release, holder)
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
        let start = crate::account::thread_cpu();
        while crate::account::thread_cpu() - start < Duration::from_millis(20) {}
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
        crate::log::EventLog::new(crate::log::LogCapacity::default()),
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

#[tokio::test]
async fn a_failed_commit_fails_every_operation_of_it() {
    let (_folder, store) = open();
    // A deferred foreign key is checked by the commit, after the operation succeeded.
    let sql = "PRAGMA defer_foreign_keys = ON; INSERT INTO configuration VALUES (77, '{}')";
    let result: Result<(), StoreError> = store.write(|t| Ok(t.execute_batch(sql)?)).await;
    assert!(matches!(result, Err(StoreError::Commit(_))), "{result:?}");
    assert_eq!(store.configuration(77).await, Ok(None));
    store.write(|t| insert(t, "later")).await.unwrap();
    assert_eq!(keys(&store).await, ["later"]);
}

#[tokio::test]
async fn an_operation_that_ends_the_transaction_fails_its_whole_group() {
    let (_folder, store) = open();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let holder = store.write(move |_| Ok::<_, StoreError>(gate.recv().is_ok()));
    let before = store.write(|t| insert(t, "before"));
    // What SQLite does by itself on a full disk.
    let ends = store.write(|t| Ok::<_, StoreError>(t.execute_batch("ROLLBACK")?));
    let after = store.write(|t| insert(t, "after"));
    let let_go = async {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        drop(release);
    };
    let (_, before, ends, after, ()) = tokio::join!(holder, before, ends, after, let_go);
    for result in [before, ends, after] {
        assert!(matches!(result, Err(StoreError::Commit(_))), "{result:?}");
    }
    store.write(|t| insert(t, "later")).await.unwrap();
    assert_eq!(keys(&store).await, ["later"]);
}

#[tokio::test]
async fn the_reading_side_cannot_write() {
    let (_folder, store) = open();
    let result: Result<usize, StoreError> = store
        .read(|c| Ok(c.execute("INSERT INTO preferences VALUES ('x', '', 0)", [])?))
        .await;
    assert!(result.is_err());
    assert!(keys(&store).await.is_empty());
}

#[tokio::test]
async fn a_hardware_name_keeps_its_id_and_its_plugin() {
    let (_folder, store) = open();
    let first = store.hardware_for("Lamp", "LampPlugin").await.unwrap();
    assert_eq!(store.hardware_for("Lamp", "LampPlugin").await, Ok(first));
    let second = store.hardware_for("Other", "LampPlugin").await.unwrap();
    assert_ne!(first, second);
    let refused = store.hardware_for("Lamp", "Else").await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("belongs to plugin `LampPlugin`")
    );
    assert_eq!(store.remove_hardware(second).await, Ok(true));
    let third = store.hardware_for("Third", "LampPlugin").await.unwrap();
    assert!(third > second, "an id was used twice");
    let names: Vec<_> = store
        .hardware()
        .await
        .unwrap()
        .into_iter()
        .map(|h| h.name)
        .collect();
    assert_eq!(names, ["Lamp", "Third"]);
}

#[tokio::test]
async fn a_configuration_is_bounded_and_goes_away_with_its_hardware() {
    let (_folder, store) = open();
    let id = store.hardware_for("HW", "K").await.unwrap();
    assert_eq!(store.configuration(id).await, Ok(None));
    store
        .set_configuration(id, "{\"a\":1}".to_owned(), 100)
        .await
        .unwrap();
    let refused = store.set_configuration(id, "x".repeat(101), 100).await;
    assert_eq!(
        refused,
        Err(crate::limits::Limits::hit("stored-bytes", 101, 100).into())
    );
    assert_eq!(store.configuration(id).await.unwrap().unwrap(), "{\"a\":1}");
    store.remove_hardware(id).await.unwrap();
    assert_eq!(store.configuration(id).await, Ok(None));
}

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cordon.db");
    drop(Store::open(&path).unwrap());
    Connection::open(&path)
        .unwrap()
        .pragma_update(None, "user_version", 99)
        .unwrap();
    let text = refusal(&path);
    assert!(
        text.contains("newer version of cordon (schema 99, this one knows "),
        "{text}"
    );
    let kept: i64 = Connection::open(&path)
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(kept, 99);
}

#[test]
fn files_that_are_damaged_or_not_ours_are_refused_in_plain_words() {
    let folder = tempfile::tempdir().unwrap();
    let text_file = folder.path().join("text.db");
    std::fs::write(
        &text_file,
        "not a database at all, but long enough to be read ".repeat(50),
    )
    .unwrap();
    assert!(refusal(&text_file).contains("restore a backup, or move the file away"));

    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(refusal(&foreign).contains("database of another program"));

    let missing = folder.path().join("no/such/folder/cordon.db");
    assert!(refusal(&missing).contains("its folder must exist and be writable"));
}

#[test]
fn a_database_with_a_broken_page_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cordon.db");
    let connection = file::open(&path).unwrap();
    for n in 0..500 {
        let row = (format!("key{n:04}"), "t".repeat(200), n);
        connection
            .execute("INSERT INTO preferences VALUES (?1, ?2, ?3)", row)
            .unwrap();
    }
    // Closing the last connection moves the log into the file.
    connection.close().unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xA5);
    std::fs::write(&path, bytes).unwrap();
    assert!(
        refusal(&path).contains("is damaged or no database"),
        "{}",
        refusal(&path)
    );
}

/// Copies the database with its log, as a crash at this moment would leave them.
fn crash(folder: &Path, into: &Path) {
    std::fs::create_dir(into).unwrap();
    for name in ["cordon.db", "cordon.db-wal", "cordon.db-run"] {
        std::fs::copy(folder.join(name), into.join(name)).unwrap();
    }
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// The names and bytes of what is in a folder.
fn contents(folder: &Path) -> std::collections::BTreeMap<std::ffi::OsString, Vec<u8>> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name(), std::fs::read(entry.path()).unwrap())
        })
        // The index of the log says nothing that is not in the log.
        .filter(|(name, _)| !name.to_string_lossy().ends_with("-shm"))
        .collect()
}

/// Refused with this text, and nothing changed.
fn refused_untouched(folder: &Path, texts: &[&str]) {
    let before = contents(folder);
    let text = refusal(&folder.join("cordon.db"));
    for expected in texts {
        assert!(text.contains(expected), "{text}");
    }
    assert!(
        contents(folder) == before,
        "the refusal changed something: {text}"
    );
}

async fn fill(store: &Store, prefix: &'static str, count: usize) {
    let filled = store.write(move |t| {
        for n in 0..count {
            let row = (format!("{prefix}{n:04}"), "x".repeat(100), 0);
            t.execute("INSERT INTO preferences VALUES (?1, ?2, ?3)", row)?;
        }
        Ok::<_, StoreError>(())
    });
    filled.await.unwrap();
}

#[tokio::test]
async fn a_closed_store_is_one_whole_file_and_takes_nothing_more() {
    let (folder, store) = open();
    fill(&store, "a", 100).await;
    assert!(size(&folder.path().join("cordon.db-wal")) > 0);
    let other = store.clone();
    store.close().await;
    for name in ["cordon.db-wal", "cordon.db-shm"] {
        assert!(!folder.path().join(name).exists(), "{name}");
    }
    let copy = folder.path().join("copy.db");
    std::fs::copy(folder.path().join("cordon.db"), &copy).unwrap();
    let copy = Connection::open(copy).unwrap();
    let sql = "SELECT count(*) FROM preferences";
    assert_eq!(copy.query_row(sql, [], |row| row.get::<_, i64>(0)), Ok(100));
    let written = other.write(|t| insert(t, "late")).await;
    assert_eq!(written, Err(StoreError::Closed));
    assert_eq!(other.configuration(1).await, Err(StoreError::Closed));
    let brief: Result<(), StoreError> = other.read_brief(|_| Ok(())).await;
    assert_eq!(brief, Err(StoreError::Closed));
    store.close().await;
}

#[tokio::test]
async fn what_waits_when_the_store_is_closed_is_still_done() {
    let (folder, store) = open();
    let (release, holder) = hold(&store).await;
    let late = tokio::spawn({
        let store = store.clone();
        async move { store.write(|t| insert(t, "late")).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(release);
    holder.await.unwrap();
    assert_eq!(late.await.unwrap(), Ok(()));
    closing.await.unwrap();
    let again = Store::open(&folder.path().join("cordon.db")).unwrap();
    assert_eq!(keys(&again).await, ["late"]);
}

#[tokio::test]
async fn a_crash_leaves_a_log_that_is_taken_up() {
    let (folder, store) = open();
    fill(&store, "a", 100).await;
    let crashed = folder.path().join("crashed");
    crash(folder.path(), &crashed);
    assert!(size(&crashed.join("cordon.db-wal")) > 0);
    for _ in 0..2 {
        let again = Store::open(&crashed.join("cordon.db")).unwrap();
        assert_eq!(keys(&again).await.len(), 100);
        again.close().await;
    }
}

#[tokio::test]
async fn an_empty_or_missing_database_beside_a_full_log_is_refused() {
    let (folder, store) = open();
    fill(&store, "a", 100).await;
    let crashed = folder.path().join("crashed");
    crash(folder.path(), &crashed);
    let database = crashed.join("cordon.db");
    std::fs::write(&database, "").unwrap();
    let texts = ["is empty or missing", "cordon.db-wal", "move the log away"];
    refused_untouched(&crashed, &texts);
    std::fs::remove_file(&database).unwrap();
    refused_untouched(&crashed, &texts);
    std::fs::remove_file(crashed.join("cordon.db-wal")).unwrap();
    Store::open(&database).unwrap();
}

#[tokio::test]
async fn a_backup_beside_the_log_of_another_file_is_told_from_damage() {
    let (folder, store) = open();
    fill(&store, "a", 500).await;
    store.close().await;
    let backup = folder.path().join("backup");
    std::fs::copy(folder.path().join("cordon.db"), &backup).unwrap();
    let store = Store::open(&folder.path().join("cordon.db")).unwrap();
    fill(&store, "b", 500).await;
    // These rows are in the file by now, and in no log.
    Connection::open(folder.path().join("cordon.db"))
        .unwrap()
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    fill(&store, "c", 500).await;
    let deleted = store.write(|t| {
        t.execute("DELETE FROM preferences WHERE key < 'a0400'", [])?;
        Ok::<_, StoreError>(())
    });
    deleted.await.unwrap();
    let crashed = folder.path().join("crashed");
    crash(folder.path(), &crashed);
    std::fs::copy(&backup, crashed.join("cordon.db")).unwrap();
    let texts = [
        "is sound",
        "cordon.db-wal",
        "the log of another database",
        "move the log away",
    ];
    refused_untouched(&crashed, &texts);
    // A hub that named no generation, as older ones did not: the two do not fit together.
    let run = crashed.join("cordon.db-run");
    std::fs::remove_file(&run).unwrap();
    refused_untouched(&crashed, &texts);
    std::fs::remove_file(crashed.join("cordon.db-wal")).unwrap();
    let restored = Store::open(&crashed.join("cordon.db")).unwrap();
    assert_eq!(keys(&restored).await.len(), 500);
}

#[tokio::test]
async fn a_small_log_of_another_file_is_known_though_the_two_look_sound() {
    let (folder, store) = open();
    fill(&store, "a", 3).await;
    store.close().await;
    let backup = folder.path().join("backup");
    std::fs::copy(folder.path().join("cordon.db"), &backup).unwrap();
    let store = Store::open(&folder.path().join("cordon.db")).unwrap();
    store.write(|t| insert(t, "b")).await.unwrap();
    let crashed = folder.path().join("crashed");
    crash(folder.path(), &crashed);
    std::fs::copy(&backup, crashed.join("cordon.db")).unwrap();
    refused_untouched(&crashed, &["the log of another database"]);
}

#[tokio::test]
async fn damage_beside_a_log_is_damage() {
    let (folder, store) = open();
    fill(&store, "a", 500).await;
    store.close().await;
    let store = Store::open(&folder.path().join("cordon.db")).unwrap();
    store.write(|t| insert(t, "b")).await.unwrap();
    let crashed = folder.path().join("crashed");
    crash(folder.path(), &crashed);
    let database = crashed.join("cordon.db");
    let mut bytes = std::fs::read(&database).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xA5);
    std::fs::write(&database, bytes).unwrap();
    refused_untouched(&crashed, &["is damaged or no database", "cordon.db-wal"]);
}

#[tokio::test]
async fn nobody_else_reads_the_files() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let (folder, store) = open();
    fill(&store, "a", 10).await;
    let names = [
        "cordon.db",
        "cordon.db-wal",
        "cordon.db-shm",
        "cordon.db-run",
    ];
    for name in names {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
    store.close().await;
    // What an older hub has left.
    let database = folder.path().join("cordon.db");
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o644)).unwrap();
    let again = Store::open(&database).unwrap();
    again.write(|t| insert(t, "b")).await.unwrap();
    for name in names {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
}
