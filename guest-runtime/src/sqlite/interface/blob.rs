//! A value of a table that SQLite has open for reading and writing.

use std::ffi::{CStr, c_int};
use std::ptr;

use libsqlite3_sys as ffi;

use super::{Database, Failure, Handle};

/// One value of a table, opened for reading and writing in place.
#[derive(Debug)]
pub struct Blob {
    handle: Handle<ffi::sqlite3_blob>,
}

/// Where a blob is.
pub struct Place<'a> {
    pub schema: &'a CStr,
    pub table: &'a CStr,
    pub column: &'a CStr,
    pub row: i64,
}

impl Blob {
    /// # Errors
    ///
    /// No such row, column or table, or a value that is neither text nor blob.
    pub fn open(database: &Database, place: &Place<'_>, writable: bool) -> Result<Self, Failure> {
        let mut pointer = ptr::null_mut();
        // SAFETY: open, and the names end with zero.
        let code = unsafe {
            ffi::sqlite3_blob_open(
                database.raw(),
                place.schema.as_ptr(),
                place.table.as_ptr(),
                place.column.as_ptr(),
                place.row,
                c_int::from(writable),
                &raw mut pointer,
            )
        };
        database.check(code)?;
        Ok(Self {
            handle: Handle::new(pointer),
        })
    }

    pub fn length(&self) -> c_int {
        // SAFETY: a null gives 0.
        unsafe { ffi::sqlite3_blob_bytes(self.handle.get()) }
    }

    pub fn read(&self, into: &mut [u8], offset: c_int) -> c_int {
        let length = c_int::try_from(into.len()).unwrap_or(c_int::MAX);
        // SAFETY: the slice is that long; a null gives SQLITE_MISUSE.
        unsafe {
            ffi::sqlite3_blob_read(self.handle.get(), into.as_mut_ptr().cast(), length, offset)
        }
    }

    pub fn write(&self, bytes: &[u8], offset: c_int) -> c_int {
        let length = c_int::try_from(bytes.len()).unwrap_or(c_int::MAX);
        // SAFETY: the slice is that long; a null gives SQLITE_MISUSE.
        unsafe { ffi::sqlite3_blob_write(self.handle.get(), bytes.as_ptr().cast(), length, offset) }
    }

    pub fn close(&self) {
        // SAFETY: a null is allowed.
        unsafe { ffi::sqlite3_blob_close(self.handle.take()) };
    }
}
