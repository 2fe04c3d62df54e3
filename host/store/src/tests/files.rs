//! The database file, its log, and who may read them.

use super::*;

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

/// The names and bytes of the files in a folder.
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
    assert_eq!(configuration(&other, 1).await, Err(StoreError::Closed));
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
    let again = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
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
        let again = Store::open(&crashed.join("cordon.db"), SCHEMAS).unwrap();
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
    Store::open(&database, SCHEMAS).unwrap();
}

#[tokio::test]
async fn a_backup_beside_the_log_of_another_file_is_told_from_damage() {
    let (folder, store) = open();
    fill(&store, "a", 500).await;
    store.close().await;
    let backup = folder.path().join("backup");
    std::fs::copy(folder.path().join("cordon.db"), &backup).unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
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
    let restored = Store::open(&crashed.join("cordon.db"), SCHEMAS).unwrap();
    assert_eq!(keys(&restored).await.len(), 500);
}

#[tokio::test]
async fn a_small_log_of_another_file_is_known_though_the_two_look_sound() {
    let (folder, store) = open();
    fill(&store, "a", 3).await;
    store.close().await;
    let backup = folder.path().join("backup");
    std::fs::copy(folder.path().join("cordon.db"), &backup).unwrap();
    let store = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
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
    let store = Store::open(&folder.path().join("cordon.db"), SCHEMAS).unwrap();
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
    // The files that an older hub has left.
    let database = folder.path().join("cordon.db");
    std::fs::set_permissions(&database, std::fs::Permissions::from_mode(0o644)).unwrap();
    let again = Store::open(&database, SCHEMAS).unwrap();
    again.write(|t| insert(t, "b")).await.unwrap();
    for name in names {
        assert_eq!(mode(&folder.path().join(name)), 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_damaged_log_is_told_and_kept_once() {
    let (folder, store) = open();
    assert_eq!(store.spoilt(), None);
    for prefix in ["a", "b", "c"] {
        fill(&store, prefix, 20).await;
    }
    let crashed = folder.path().join("crashed");
    crash(folder.path(), &crashed);
    let log = crashed.join("cordon.db-wal");
    let mut bytes = std::fs::read(&log).unwrap();
    let place = bytes.len() / 2;
    bytes[place] ^= 0xff;
    std::fs::write(&log, &bytes).unwrap();
    let again = Store::open(&crashed.join("cordon.db"), SCHEMAS).unwrap();
    let text = again.spoilt().unwrap().to_owned();
    assert!(text.contains("cordon.db-wal` is damaged"), "{text}");
    assert!(text.contains("newest values may be missing"), "{text}");
    assert!(keys(&again).await.len() < 60);
    let kept = crashed.join("cordon.db-wal-spoilt");
    assert!(std::fs::read(&kept).unwrap() == bytes);
    again.close().await;
    let third = Store::open(&crashed.join("cordon.db"), SCHEMAS).unwrap();
    assert_eq!(third.spoilt(), None);
    assert!(kept.exists());
}
