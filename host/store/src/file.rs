//! The database file: how it is opened, refused and closed.
//!
//! A refusal changes nothing: neither the file nor the write-ahead log beside it. A log
//! that belongs to another database file, as after a backup was copied over this one,
//! is told from damage. Every opening writes a new generation into the database and
//! into a small file beside it (`-run`), so that a log whose database was exchanged is
//! known even when the two look sound together.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension};

use super::schema::{self, Schema};
use super::spoilt;
use cordon_base::error::EngineError;
use cordon_base::{private, system};

/// How long to wait for another program that has the file locked, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// The log is cut to this size when all of it is in the database.
const LOG_BYTES: i64 = 4 << 20;

/// Generations that the file beside the database may name: one, and another while
/// an opening is on its way.
const GENERATIONS: usize = 2;

/// Stands for the generation of a database that no hub with generations has opened.
const NO_GENERATION: &str = "-";

/// A file that was opened for writing.
pub(super) struct Opened {
    pub(super) connection: Connection,
    /// A text for the operator about a log whose newest changes are lost.
    pub(super) spoilt: Option<String>,
}

/// Opens the file for writing and brings it to the present schema.
///
/// # Errors
/// [`EngineError::Store`] with the remedy; then nothing was changed.
pub(super) fn open(path: &Path, schemas: &[Schema]) -> Result<Opened, EngineError> {
    open_writer(path, schemas).map_err(|error| with_room(path, error))
}

fn open_writer(path: &Path, schemas: &[Schema]) -> Result<Opened, EngineError> {
    let explain = |error: rusqlite::Error| refused(path, &error);
    check_log(path)?;
    create(path)?;
    let mut connection = Connection::open(path).map_err(explain)?;
    settings(&connection).map_err(explain)?;
    keep_log(&connection, true).map_err(explain)?;
    schema::check_owner(path, &connection, schemas)?;
    check_sound(path, &connection)?;
    let spoilt = spoilt::keep(&beside(path, "-wal"));
    durable(&connection).map_err(explain)?;
    schema::migrate(&mut connection, schemas).map_err(explain)?;
    begin_generation(path, &connection)?;
    keep_log(&connection, false).map_err(explain)?;
    for file in [path.to_owned(), beside(path, "-wal"), beside(path, "-shm")] {
        private::file(&file);
    }
    Ok(Opened { connection, spoilt })
}

/// Opens a second connection that cannot change anything.
pub(super) fn open_reader(path: &Path) -> Result<Connection, EngineError> {
    reader(path).map_err(|error| with_room(path, error))
}

fn reader(path: &Path) -> Result<Connection, EngineError> {
    let explain = |error: rusqlite::Error| refused(path, &error);
    // Not SQLITE_OPEN_READ_ONLY: the reader has to be able to recover the WAL.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    settings(&connection).map_err(explain)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(explain)?;
    Ok(connection)
}

/// Opens a connection that finds the file and its log as they are and leaves them so, for a copy.
pub(super) fn open_untouched(path: &Path) -> Result<Connection, EngineError> {
    let explain = |error: rusqlite::Error| refused(path, &error);
    check_log(path)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(explain)?;
    settings(&connection).map_err(explain)?;
    keep_log(&connection, true).map_err(explain)?;
    Ok(connection)
}

/// Closes the writing connection: all of the log goes into the database file, so that
/// a copy of that file alone is whole.
pub(super) fn close(connection: Connection) {
    if let Err(error) = checkpoint(&connection) {
        tracing::error!(%error, "the write-ahead log could not be brought into the database");
    }
    if let Err((_, error)) = connection.close() {
        tracing::error!(%error, "the database could not be closed");
    }
}

/// The settings of all connections. Without the second one SQLite compiles some statements anew
/// with each value that is bound to them: 100 µs for a plugin's devices.
fn settings(connection: &Connection) -> Result<(), rusqlite::Error> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(())
}

/// Whether closing the connection leaves the log as it is.
fn keep_log(connection: &Connection, keep: bool) -> Result<(), rusqlite::Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, keep)?;
    Ok(())
}

/// Refuses a log beside a database that cannot be its own. SQLite would remove the one
/// beside an empty file, and mix the other into the database.
fn check_log(path: &Path) -> Result<(), EngineError> {
    let log = beside(path, "-wal");
    let logged = length(&log);
    if logged == 0 {
        return Ok(());
    }
    if length(path) == 0 {
        return Err(EngineError::Store(format!(
            "`{}` is empty or missing, and beside it is `{}` with {logged} bytes of changes; put the \
             database back that the log belongs to, or move the log away to start with an empty one",
            path.display(),
            log.display()
        )));
    }
    let Some(generations) = generations(path) else {
        return Ok(());
    };
    match alone(path).and_then(|connection| generation(&connection)) {
        Ok(found) if !generations.contains(&found) => Err(foreign_log(path)),
        // A file that cannot be read is left to the next check.
        _ => Ok(()),
    }
}

/// Makes the file if there is none, for nobody else to read; the log gets its mode.
fn create(path: &Path) -> Result<(), EngineError> {
    std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(private::FILE)
        .open(path)
        .map(drop)
        .map_err(|error| unusable(path, &error))
}

fn durable(connection: &Connection) -> Result<(), rusqlite::Error> {
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    if mode != "wal" {
        // Network file systems without shared memory end here.
        return Err(rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CANTOPEN),
            Some("its file system cannot hold a write-ahead log; use a local one".to_owned()),
        ));
    }
    // FULL: a commit is answered after its fsync, not after the next one.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update_and_check(None, "journal_size_limit", LOG_BYTES, |_| Ok(()))?;
    connection.pragma_update(None, "foreign_keys", true)
}

pub(super) fn check_sound(path: &Path, connection: &Connection) -> Result<(), EngineError> {
    let verdict = verdict(connection).map_err(|error| refused(path, &error))?;
    match verdict.as_str() {
        "ok" => Ok(()),
        _ => Err(damaged(path, &verdict)),
    }
}

/// `ok`, or the first fault.
fn verdict(connection: &Connection) -> Result<String, rusqlite::Error> {
    connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
}

/// Brings all of the log into the database and cuts it to nothing. Answers whether that was
/// possible: another program may be reading.
fn checkpoint(connection: &Connection) -> Result<bool, rusqlite::Error> {
    let busy: i64 =
        connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(busy == 0)
}

/// Marks the database and the log that starts here. The file beside the database
/// names both generations for as long as either may be in the database.
fn begin_generation(path: &Path, connection: &Connection) -> Result<(), EngineError> {
    let explain = |error: rusqlite::Error| refused(path, &error);
    let before = generation(connection).map_err(explain)?;
    let now = jiff::Timestamp::now().as_nanosecond();
    let new = format!("{now:x}-{:x}", std::process::id());
    name_generations(path, &[before, new.clone()])?;
    let sql = "INSERT INTO run (id, generation) VALUES (1, ?1)
               ON CONFLICT (id) DO UPDATE SET generation = excluded.generation";
    connection.execute(sql, [&new]).map_err(explain)?;
    if checkpoint(connection).map_err(explain)? {
        name_generations(path, &[new])?;
    }
    Ok(())
}

/// The generation that a database has; [`NO_GENERATION`] for one that has none yet.
fn generation(connection: &Connection) -> Result<String, rusqlite::Error> {
    let sql = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'run'";
    if !connection.prepare(sql)?.exists([])? {
        return Ok(NO_GENERATION.to_owned());
    }
    let sql = "SELECT generation FROM run WHERE id = 1";
    let found = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(found.unwrap_or_else(|| NO_GENERATION.to_owned()))
}

/// The generations that the database of this log may have; `None` when nobody says.
fn generations(path: &Path) -> Option<Vec<String>> {
    let text = std::fs::read_to_string(beside(path, "-run")).ok()?;
    let named: Vec<_> = text.lines().take(GENERATIONS).map(str::to_owned).collect();
    (!named.is_empty()).then_some(named)
}

fn name_generations(path: &Path, generations: &[String]) -> Result<(), EngineError> {
    let target = beside(path, "-run");
    let new = beside(path, "-run.new");
    let write = || {
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(private::FILE)
            .open(&new)?;
        file.write_all(generations.join("\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &target)
    };
    write().map_err(|error| EngineError::io(format!("cannot write {}", target.display()), error))
}

/// The database file as it is without the log, for reading.
fn alone(path: &Path) -> Result<Connection, rusqlite::Error> {
    let mut uri = OsString::from("file:");
    for byte in path.as_os_str().as_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' => {
                uri.push(char::from(*byte).to_string());
            }
            _ => uri.push(format!("%{byte:02X}")),
        }
    }
    uri.push("?immutable=1");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(Path::new(&uri), flags)
}

/// The path with this at its end.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Bytes of a file, 0 if there is none.
fn length(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |found| found.len())
}

/// The reason as it is, or a full disk: without room for the index of the log SQLite takes the file
/// for locked or damaged.
fn with_room(path: &Path, error: EngineError) -> EngineError {
    let folder = path.parent().filter(|folder| *folder != Path::new(""));
    match system::is_disk_full(folder.unwrap_or(Path::new("."))) {
        true => disk_full(path, &error),
        false => error,
    }
}

fn disk_full(path: &Path, error: &EngineError) -> EngineError {
    EngineError::Store(format!(
        "the disk is full on which `{}` lies, so the database cannot be opened; make room on it and \
         start again. That is likely to be all; without it the reason would be: {error}",
        path.display()
    ))
}

/// Why SQLite could not use the file.
pub(super) fn refused(path: &Path, error: &rusqlite::Error) -> EngineError {
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
            damaged(path, &error.to_string())
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => EngineError::Store(format!(
            "`{}` is in use by another program; stop it first ({error})",
            path.display()
        )),
        _ => unusable(path, error),
    }
}

fn unusable(path: &Path, error: &dyn std::fmt::Display) -> EngineError {
    EngineError::Store(format!(
        "cannot use `{}`: {error}; its folder must exist and be writable",
        path.display()
    ))
}

/// A database that is sound without its log is not damaged: the log is another's.
fn damaged(path: &Path, reason: &str) -> EngineError {
    let log = beside(path, "-wal");
    if length(&log) == 0 {
        return EngineError::Store(format!(
            "`{}` is damaged or no database ({reason}); restore a backup, or move the file away to \
             start with an empty one",
            path.display()
        ));
    }
    let sound = alone(path).and_then(|connection| verdict(&connection));
    if sound.is_ok_and(|verdict| verdict == "ok") {
        return foreign_log(path);
    }
    EngineError::Store(format!(
        "`{}` with its log `{}` is damaged or no database ({reason}); restore a backup and move the \
         log away, or move both away to start with an empty one",
        path.display(),
        log.display()
    ))
}

fn foreign_log(path: &Path) -> EngineError {
    EngineError::Store(format!(
        "`{}` is sound, but `{}` beside it is the log of another database file, such as the one \
         that this was copied over; move the log away to start with `{}` as it is, or put back \
         the file that the log belongs to",
        path.display(),
        beside(path, "-wal").display(),
        path.display()
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_before_what_sqlite_takes_it_for() {
        let path = Path::new("/srv/data/cordon.db");
        let locked = rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_BUSY),
            Some("database is locked".to_owned()),
        );
        let error = refused(path, &locked);
        let text = disk_full(path, &error).to_string();
        assert!(
            text.contains("the disk is full on which `/srv/data/cordon.db`"),
            "{text}"
        );
        assert!(
            text.contains("make room") && text.contains("is locked"),
            "{text}"
        );
        // With room the reason is as it was.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cordon.db");
        let error = refused(&path, &locked);
        assert_eq!(
            with_room(&path, error).to_string(),
            refused(&path, &locked).to_string()
        );
    }
}
