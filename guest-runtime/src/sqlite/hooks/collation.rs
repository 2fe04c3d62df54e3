//! Orders of texts that are Python's.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use libsqlite3_sys as ffi;
use rustpython_vm::{PyObjectRef, PyResult, vm::thread::try_with_current_vm};

use super::value::to_python;
use super::{FREE, forget, keep, kept};
use crate::sqlite::interface::{Database, Failure, Value, lent};

unsafe extern "C" fn collate(
    callable: *mut c_void,
    left_len: c_int,
    left: *const c_void,
    right_len: c_int,
    right: *const c_void,
) -> c_int {
    // SAFETY: SQLite calls this with the pointer that `create_collation` gave it.
    let (callable, left, right) = unsafe {
        (
            kept(callable),
            lent(left.cast(), left_len),
            lent(right.cast(), right_len),
        )
    };
    let order = try_with_current_vm(|vm| {
        let left = to_python(&Value::Text(left), vm);
        let right = to_python(&Value::Text(right), vm);
        let order: PyResult<i64> = callable
            .call((left, right), vm)
            .and_then(|o| o.try_into_value(vm));
        order.unwrap_or(0).signum()
    });
    order
        .and_then(|order| c_int::try_from(order).ok())
        .unwrap_or(0)
}

/// Registers an order of texts, or takes it away.
///
/// # Errors
///
/// SQLite's; the order is in use, for one.
pub fn collation(
    database: &Database,
    name: &CStr,
    callable: Option<PyObjectRef>,
) -> Result<(), Failure> {
    let (kept, compare, free) = match callable {
        Some(callable) => (keep(callable), Some(collate as _), FREE),
        None => (ptr::null_mut(), None, None),
    };
    // SAFETY: the database is open. Unlike a function's, the callable stays ours
    // when it fails.
    let code = unsafe {
        ffi::sqlite3_create_collation_v2(
            database.raw(),
            name.as_ptr(),
            ffi::SQLITE_UTF8,
            kept,
            compare,
            free,
        )
    };
    if code != ffi::SQLITE_OK {
        // SAFETY: made above, and SQLite did not take it.
        unsafe { forget(kept) };
    }
    database.check(code)
}
