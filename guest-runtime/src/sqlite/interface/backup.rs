//! A copy of a database that SQLite makes page by page.

use std::ffi::{CStr, c_int};

use libsqlite3_sys as ffi;

use super::{Database, Failure, Handle};

/// A copy from one database to another under way.
#[derive(Debug)]
pub struct Backup {
    handle: Handle<ffi::sqlite3_backup>,
}

impl Backup {
    /// # Errors
    ///
    /// The target's error, such as a name it does not know.
    pub fn open(target: &Database, source: &Database, schema: &CStr) -> Result<Self, Failure> {
        // SAFETY: both are open, the names end with zero.
        let pointer = unsafe {
            ffi::sqlite3_backup_init(
                target.raw(),
                c"main".as_ptr(),
                source.raw(),
                schema.as_ptr(),
            )
        };
        if pointer.is_null() {
            return Err(target.failure());
        }
        Ok(Self {
            handle: Handle::new(pointer),
        })
    }

    pub fn step(&self, pages: c_int) -> c_int {
        // SAFETY: not finished (the caller looked).
        unsafe { ffi::sqlite3_backup_step(self.handle.get(), pages) }
    }

    /// Pages that remain, and pages in all, as of the last step.
    pub fn progress(&self) -> (c_int, c_int) {
        let backup = self.handle.get();
        // SAFETY: not finished.
        unsafe {
            (
                ffi::sqlite3_backup_remaining(backup),
                ffi::sqlite3_backup_pagecount(backup),
            )
        }
    }

    pub fn finish(&self) -> c_int {
        // SAFETY: a null is allowed.
        unsafe { ffi::sqlite3_backup_finish(self.handle.take()) }
    }

    pub fn is_finished(&self) -> bool {
        self.handle.is_gone()
    }
}
