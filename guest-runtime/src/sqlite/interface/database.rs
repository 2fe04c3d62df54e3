//! An open database of SQLite's, which compiles statements and tells errors.

use std::ffi::{CStr, c_int, c_uint};
use std::mem::ManuallyDrop;
use std::ptr;

use libsqlite3_sys as ffi;

use super::{Failure, Handle, Statement, owned};

unsafe extern "C" {
    /// Closes a database once the last blob or backup of it is closed. The bindings
    /// have only the form that refuses.
    fn sqlite3_close_v2(database: *mut ffi::sqlite3) -> c_int;
}

/// An open database.
#[derive(Debug)]
pub struct Database {
    handle: Handle<ffi::sqlite3>,
}

impl Database {
    /// Opens the file, or the memory, that `name` stands for.
    ///
    /// # Errors
    ///
    /// Whatever SQLite says; the half-open database is closed.
    pub fn open(name: &CStr, flags: c_int) -> Result<Self, Failure> {
        let mut pointer = ptr::null_mut();
        // SAFETY: all pointers are valid for the call.
        let code =
            unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &raw mut pointer, flags, ptr::null()) };
        if pointer.is_null() {
            return Err(Failure::of_code(ffi::SQLITE_NOMEM));
        }
        let database = Self {
            handle: Handle::new(pointer),
        };
        if code != ffi::SQLITE_OK {
            let failure = database.failure();
            database.close();
            return Err(failure);
        }
        // SAFETY: open. Codes of every call are the extended ones from here on.
        unsafe { ffi::sqlite3_extended_result_codes(pointer, 1) };
        Ok(database)
    }

    pub(crate) fn raw(&self) -> *mut ffi::sqlite3 {
        self.handle.get()
    }

    pub fn is_closed(&self) -> bool {
        self.handle.is_gone()
    }

    /// Closes the database. Blobs and backups that are open keep the parts that they
    /// need until they are closed themselves.
    pub fn close(&self) -> c_int {
        // SAFETY: a null is allowed; statements were finalized by the caller.
        unsafe { sqlite3_close_v2(self.handle.take()) }
    }

    /// The error of the last call.
    pub fn failure(&self) -> Failure {
        // SAFETY: SQLite takes a null here and says "out of memory" then.
        unsafe {
            Failure {
                code: ffi::sqlite3_extended_errcode(self.raw()),
                message: owned(ffi::sqlite3_errmsg(self.raw())),
            }
        }
    }

    /// Ok for `SQLITE_OK`, else the error of the last call.
    pub fn check(&self, code: c_int) -> Result<(), Failure> {
        match code {
            ffi::SQLITE_OK => Ok(()),
            _ => Err(match self.failure() {
                // Refused before the database was looked at.
                Failure {
                    code: ffi::SQLITE_OK,
                    ..
                } => Failure::of_code(code),
                failure => failure,
            }),
        }
    }

    /// Compiles the first statement of `sql` from byte `start` on. None when only a
    /// remark is left. The number is where the next statement begins.
    ///
    /// # Errors
    ///
    /// The compiler's, with its text.
    pub fn prepare(&self, sql: &CStr, start: usize) -> Result<(Option<Statement>, usize), Failure> {
        let first = sql.as_ptr();
        let mut pointer = ptr::null_mut();
        let mut tail = ptr::null();
        // Kept for long: statements live in the connection's cache.
        let flags = ffi::SQLITE_PREPARE_PERSISTENT as c_uint;
        // SAFETY: the database is open (the caller looked); the text ends with zero, and
        // `start` is kept before it.
        let code = unsafe {
            let text = first.add(start.min(sql.count_bytes()));
            ffi::sqlite3_prepare_v3(self.raw(), text, -1, flags, &raw mut pointer, &raw mut tail)
        };
        self.check(code)?;
        let end = (tail as usize).saturating_sub(first as usize);
        let statement = (!pointer.is_null()).then(|| Statement {
            handle: Handle::new(pointer),
        });
        Ok((statement, end))
    }

    /// Rows that the last statement changed.
    pub fn changes(&self) -> i64 {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_changes64(self.raw()) }
    }

    pub fn total_changes(&self) -> i64 {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_total_changes64(self.raw()) }
    }

    pub fn last_insert_rowid(&self) -> i64 {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.raw()) }
    }

    /// Whether no transaction is open.
    pub fn autocommit(&self) -> bool {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_get_autocommit(self.raw()) != 0 }
    }

    /// Makes whatever runs now fail with `SQLITE_INTERRUPT`.
    pub fn interrupt(&self) {
        if !self.is_closed() {
            // SAFETY: the database is open; allowed while a statement runs.
            unsafe { ffi::sqlite3_interrupt(self.raw()) };
        }
    }

    pub fn busy_timeout(&self, milliseconds: c_int) {
        // SAFETY: the database is open.
        unsafe { ffi::sqlite3_busy_timeout(self.raw(), milliseconds) };
    }

    /// Sets a limit and returns its value before; a negative value only asks.
    pub fn limit(&self, which: c_int, value: c_int) -> c_int {
        // SAFETY: the database is open; an unknown limit gives -1.
        unsafe { ffi::sqlite3_limit(self.raw(), which, value) }
    }

    /// Sets a switch of the connection, or asks for it with a negative value.
    ///
    /// # Errors
    ///
    /// A switch that SQLite does not know.
    pub fn switch(&self, which: c_int, value: c_int) -> Result<bool, Failure> {
        let mut state: c_int = 0;
        // SAFETY: the switches that the caller lets through take these two.
        let code = unsafe { ffi::sqlite3_db_config(self.raw(), which, value, &raw mut state) };
        self.check(code).map(|()| state != 0)
    }

    /// The whole database as a file would hold it; None when there is no memory.
    pub fn serialize(&self, schema: &CStr) -> Option<Vec<u8>> {
        let mut length = 0_i64;
        // SAFETY: open, and the name ends with zero.
        let data =
            unsafe { ffi::sqlite3_serialize(self.raw(), schema.as_ptr(), &raw mut length, 0) };
        if data.is_null() {
            return None;
        }
        let length = usize::try_from(length).unwrap_or(0);
        // SAFETY: SQLite allocated that many bytes for us.
        let bytes = unsafe { std::slice::from_raw_parts(data, length) }.to_vec();
        // SAFETY: ours to free.
        unsafe { ffi::sqlite3_free(data.cast()) };
        Some(bytes)
    }

    /// Puts a database from memory into the place of `schema`.
    ///
    /// # Errors
    ///
    /// No memory, or a database that is in use.
    pub fn deserialize(&self, schema: &CStr, image: Image) -> Result<(), Failure> {
        let flags = ffi::SQLITE_DESERIALIZE_FREEONCLOSE | ffi::SQLITE_DESERIALIZE_RESIZEABLE;
        let size = image.length as i64;
        let image = ManuallyDrop::new(image);
        // SAFETY: the block is SQLite's from here on, also when it fails.
        let code = unsafe {
            ffi::sqlite3_deserialize(
                self.raw(),
                schema.as_ptr(),
                image.bytes,
                size,
                size,
                flags as c_uint,
            )
        };
        self.check(code)
    }
}

/// The bytes of a database, in a block of SQLite's own.
pub struct Image {
    bytes: *mut u8,
    length: usize,
}

impl Image {
    /// A copy of these bytes.
    ///
    /// # Errors
    ///
    /// No memory.
    pub fn of(bytes: &[u8]) -> Result<Self, Failure> {
        let length = bytes.len();
        // SAFETY: a null result is checked.
        let copy: *mut u8 = unsafe { ffi::sqlite3_malloc64(length.max(1) as u64) }.cast();
        if copy.is_null() {
            return Err(Failure::of_code(ffi::SQLITE_NOMEM));
        }
        // SAFETY: the block is that long and new.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), copy, length) };
        Ok(Self {
            bytes: copy,
            length,
        })
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: SQLite's block, which nobody else has.
        unsafe { ffi::sqlite3_free(self.bytes.cast()) };
    }
}
