//! Tests of the store through its public functions, on real files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rusqlite::{Connection, OptionalExtension, Transaction};
use tempfile::TempDir;

use super::*;
use crate::fixture::SCHEMAS;

mod files;
mod turns;

fn open() -> (TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
    (folder, store)
}

fn refusal(path: &Path) -> String {
    Store::open(path, SCHEMAS).unwrap_err().to_string()
}

fn insert(transaction: &Transaction<'_>, key: &str) -> Result<(), StoreError> {
    transaction.execute("INSERT INTO preferences VALUES (?1, '', 0)", [key])?;
    Ok(())
}

/// Holds the writing thread until the sender is dropped. Operations that are queued meanwhile are
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

async fn configuration(store: &Store, hardware: u32) -> Result<Option<String>, StoreError> {
    let find = move |connection: &Connection| {
        let sql = "SELECT json FROM configuration WHERE hardware_id = ?1";
        let found = connection.query_row(sql, [hardware], |row| row.get(0));
        Ok(found.optional()?)
    };
    store.read(find).await
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
    store.close().await;
    let again = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
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

#[tokio::test]
async fn a_failed_commit_fails_every_operation_of_it() {
    let (_folder, store) = open();
    // A deferred foreign key is checked by the commit, after the operation succeeded.
    let sql = "PRAGMA defer_foreign_keys = ON; INSERT INTO configuration VALUES (77, '{}')";
    let result: Result<(), StoreError> = store.write(|t| Ok(t.execute_batch(sql)?)).await;
    assert!(matches!(result, Err(StoreError::Commit(_))), "{result:?}");
    assert_eq!(configuration(&store, 77).await, Ok(None));
    store.write(|t| insert(t, "later")).await.unwrap();
    assert_eq!(keys(&store).await, ["later"]);
}

#[tokio::test]
async fn an_operation_that_ends_the_transaction_fails_its_whole_group() {
    let (_folder, store) = open();
    let (release, gate) = std::sync::mpsc::channel::<()>();
    let holder = store.write(move |_| Ok::<_, StoreError>(gate.recv().is_ok()));
    let before = store.write(|t| insert(t, "before"));
    // SQLite does so by itself on a full disk.
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

#[test]
fn a_newer_database_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cordon.db");
    drop(Store::open(&path, SCHEMAS).unwrap());
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
    let connection = file::open(&path, SCHEMAS).unwrap().connection;
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
