//! A copy of the database for a backup, made while a hub may be using it.
//!
//! The copy is one moment of the database: the changes in its log are in it, and those that come
//! meanwhile are not. The original and its log stay as they are.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::file;
use super::schema::{self, Schema};
use cordon_base::error::EngineError;
use cordon_base::private;

/// Writes a whole copy of the database `path` to the new file `target`, which needs no log beside
/// it, where these crates have its tables. Returns the number of its schema.
///
/// # Errors
/// [`EngineError::Store`] with the remedy when the database is damaged, is not ours, is of a newer
/// version or has the log of another beside it, and when there is no room for the copy.
pub fn copy(path: &Path, target: &Path, schemas: &[Schema]) -> Result<i64, EngineError> {
    let explain = |error: rusqlite::Error| file::refused(path, &error);
    let connection = file::open_untouched(path)?;
    schema::check_owner(path, &connection, schemas)?;
    let name = target
        .to_str()
        .ok_or_else(|| EngineError::Store(format!("`{}` is no name in UTF-8", target.display())))?;
    connection
        .execute("VACUUM INTO ?1", [name])
        .map_err(explain)?;
    private::file(target);
    inspect(target, schemas)
}

/// Whether a file is a sound database of this program or of an older version, with nothing changed.
/// Returns the number of its schema.
///
/// # Errors
/// [`EngineError::Store`] as [`copy`].
pub fn inspect(path: &Path, schemas: &[Schema]) -> Result<i64, EngineError> {
    let explain = |error: rusqlite::Error| file::refused(path, &error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    file::check_sound(path, &connection)?;
    schema::check_owner(path, &connection, schemas)?;
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    version.map_err(explain)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use crate::fixture::SCHEMAS;
    use crate::{Store, StoreError};

    async fn note(store: &Store, key: &str) {
        let key = key.to_owned();
        let written = store.write(move |transaction| {
            transaction.execute("INSERT INTO preferences VALUES (?1, '', 0)", [key])?;
            Ok::<_, StoreError>(())
        });
        written.await.unwrap();
    }

    fn notes(path: &Path) -> i64 {
        let connection = Connection::open(path).unwrap();
        let count = connection.query_row("SELECT count(*) FROM preferences", [], |row| row.get(0));
        count.unwrap()
    }

    #[tokio::test]
    async fn a_copy_has_what_is_only_in_the_log_and_can_be_opened() {
        let folder = tempfile::tempdir().unwrap();
        let (path, target) = (folder.path().join("cordon.db"), folder.path().join("copy"));
        let store = Store::open(&path, SCHEMAS).unwrap();
        note(&store, "one").await;
        let before = std::fs::read(&path).unwrap();
        let version = copy(&path, &target, SCHEMAS).unwrap();
        assert!(version > 0);
        assert_eq!(std::fs::read(&path).unwrap(), before);
        // The hub goes on, and so does its log.
        note(&store, "two").await;
        store.close().await;
        assert_eq!(notes(&path), 2);
        assert_eq!(notes(&target), 1);
        assert_eq!(inspect(&target, SCHEMAS).unwrap(), version);
        Store::open(&target, SCHEMAS).unwrap().close().await;
    }

    #[tokio::test]
    async fn a_store_that_nobody_uses_is_copied_with_its_log_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("cordon.db");
        let store = Store::open(&live, SCHEMAS).unwrap();
        note(&store, "one").await;
        // As after a power cut: database and log, and no hub.
        let cut = folder.path().join("cut.db");
        for end in ["", "-wal"] {
            let at = |path: &Path| format!("{}{end}", path.display());
            std::fs::copy(at(&live), at(&cut)).unwrap();
        }
        let log = folder.path().join("cut.db-wal");
        let logged = std::fs::metadata(&log).unwrap().len();
        assert!(logged > 0);
        copy(&cut, &folder.path().join("copy"), SCHEMAS).unwrap();
        assert_eq!(notes(&folder.path().join("copy")), 1);
        assert_eq!(std::fs::metadata(&log).unwrap().len(), logged);
    }

    #[test]
    fn a_database_of_others_and_a_damaged_one_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.db");
        let target = folder.path().join("copy");
        std::fs::write(
            &path,
            "no database at all, and long enough to be looked at".repeat(40),
        )
        .unwrap();
        let refused = copy(&path, &target, SCHEMAS).unwrap_err().to_string();
        assert!(refused.contains("is damaged or no database"), "{refused}");
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path)
            .and_then(|other| other.execute_batch("CREATE TABLE t (x); PRAGMA user_version = 7"))
            .unwrap();
        let refused = copy(&path, &target, SCHEMAS).unwrap_err().to_string();
        assert!(refused.contains("of another program"), "{refused}");
        assert!(!target.exists());
        let missing = copy(&folder.path().join("none.db"), &target, SCHEMAS).unwrap_err();
        assert!(missing.to_string().contains("none.db"), "{missing}");
        assert!(!folder.path().join("none.db").exists());
    }
}
