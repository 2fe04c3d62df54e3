//! SQLite's C interface in safe words: databases, statements, blobs, backups.
//!
//! Nothing here knows Python. The functions that call back into Python are in `hooks`.
//! SQLite is compiled without threads; callers hold the connection's turn (see
//! `sqlite`), because a callback into Python may block and let another task in.
//!
//! Every pointer is kept in a [`Handle`] that is null once the thing is gone, and
//! SQLite is never called with a null where it would not take one.

mod backup;
mod blob;
mod database;
mod statement;

pub use backup::Backup;
pub use blob::{Blob, Place};
pub use database::{Database, Image};
pub use statement::{Statement, finalize_by_id};

use std::cell::Cell;
use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt;
use std::ptr;

use libsqlite3_sys as ffi;

/// A pointer of SQLite's that is null once its object is gone.
pub struct Handle<T>(Cell<*mut T>);

// SAFETY: wasm without shared memory has one thread.
unsafe impl<T> Send for Handle<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Handle<T> {}

impl<T> Handle<T> {
    fn new(pointer: *mut T) -> Self {
        Self(Cell::new(pointer))
    }

    pub(crate) fn get(&self) -> *mut T {
        self.0.get()
    }

    fn take(&self) -> *mut T {
        self.0.replace(ptr::null_mut())
    }

    /// Whether the object of the pointer is gone.
    pub fn is_gone(&self) -> bool {
        self.0.get().is_null()
    }
}

impl<T> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:p}", self.0.get())
    }
}

/// SQLite's answer to a call that did not work: extended result code and text.
pub struct Failure {
    pub code: c_int,
    pub message: String,
}

impl Failure {
    /// A result code with SQLite's own words for it.
    pub fn of_code(code: c_int) -> Self {
        // SAFETY: takes any code; the text is a constant.
        let message = unsafe { owned(ffi::sqlite3_errstr(code)) };
        Self { code, message }
    }
}

/// A copy of a C string; empty for null.
///
/// # Safety
///
/// `text` is null or ends with a zero.
pub(crate) unsafe fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller's promise.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// A slice of memory that SQLite lent; empty for null.
///
/// # Safety
///
/// `data` is null or valid for `length` bytes as long as the slice is used.
pub(crate) unsafe fn lent<'a>(data: *const u8, length: c_int) -> &'a [u8] {
    let length = usize::try_from(length).unwrap_or(0);
    if data.is_null() || length == 0 {
        return &[];
    }
    // SAFETY: the caller's promise.
    unsafe { std::slice::from_raw_parts(data, length) }
}

/// A value of SQLite's five kinds. Text is UTF-8 as far as its writer cared.
pub enum Value<'a> {
    Null,
    Integer(i64),
    Real(f64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

/// Whether the text ends with a whole statement.
pub fn is_complete(sql: &CStr) -> bool {
    // SAFETY: the text ends with zero.
    unsafe { ffi::sqlite3_complete(sql.as_ptr()) != 0 }
}

/// A C string; None when the text has a zero in it.
pub fn c_string(text: &str) -> Option<CString> {
    CString::new(text).ok()
}

/// Frees a box that SQLite keeps for `hooks`.
pub(crate) type Destructor = Option<unsafe extern "C" fn(*mut c_void)>;
