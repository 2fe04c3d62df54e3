//! Functions, aggregates and window functions of SQL that are Python's.

use std::ffi::{CStr, c_int, c_void};
use std::ptr;

use libsqlite3_sys as ffi;
use rustpython_vm::{PyObjectRef, function::FuncArgs, vm::thread::try_with_current_vm};

use super::value::{answer, answer_error, arguments};
use super::{FREE, forget, keep, kept};
use crate::sqlite::interface::{Database, Failure};

unsafe extern "C" fn function(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite calls this with the pointer that `create_function` gave it.
    unsafe {
        let callable = kept(ffi::sqlite3_user_data(context));
        try_with_current_vm(|vm| {
            let arguments = arguments(count, values, vm);
            let result = callable.call(FuncArgs::from(arguments), vm);
            answer(context, result, vm);
        });
    }
}

/// Where SQLite keeps the state of one run of an aggregate; null before the first
/// row, when `make` is false.
///
/// # Safety
///
/// `context` is the one SQLite called with.
unsafe fn state(context: *mut ffi::sqlite3_context, make: bool) -> *mut *mut c_void {
    let size = if make { size_of::<*mut c_void>() } else { 0 };
    // SAFETY: the caller's promise; the block is zeroed by SQLite.
    unsafe { ffi::sqlite3_aggregate_context(context, c_int::try_from(size).unwrap_or(0)) }.cast()
}

/// Calls a method of the aggregate's state with a row's values.
///
/// # Safety
///
/// As for SQLite's own callbacks.
unsafe fn feed(
    context: *mut ffi::sqlite3_context,
    method: &str,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite calls this with the pointer that `create_aggregate` gave it.
    unsafe {
        let place = state(context, true);
        if place.is_null() {
            return ffi::sqlite3_result_error_nomem(context);
        }
        let make = kept(ffi::sqlite3_user_data(context));
        try_with_current_vm(|vm| {
            if (*place).is_null() {
                match make.call((), vm) {
                    Ok(state) => *place = keep(state),
                    Err(error) => return answer_error(context, &error, vm),
                }
            }
            let arguments = arguments(count, values, vm);
            let state = kept(*place);
            if let Err(error) = vm.call_method(&state, method, FuncArgs::from(arguments)) {
                answer_error(context, &error, vm);
            }
        });
    }
}

unsafe extern "C" fn step(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite's own arguments.
    unsafe { feed(context, "step", count, values) };
}

unsafe extern "C" fn inverse(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: SQLite's own arguments.
    unsafe { feed(context, "inverse", count, values) };
}

unsafe extern "C" fn value(context: *mut ffi::sqlite3_context) {
    // SAFETY: SQLite's own argument.
    unsafe { ask(context, "value") };
}

unsafe extern "C" fn finalize(context: *mut ffi::sqlite3_context) {
    // SAFETY: SQLite's own argument; the state is given back once and not used again.
    unsafe {
        ask(context, "finalize");
        let place = state(context, false);
        if !place.is_null() {
            forget((*place).cast());
            *place = ptr::null_mut();
        }
    }
}

/// # Safety
///
/// As for SQLite's own callbacks.
unsafe fn ask(context: *mut ffi::sqlite3_context, method: &str) {
    // SAFETY: SQLite calls this with the pointer that `create_aggregate` gave it.
    unsafe {
        let place = state(context, false);
        // No row came, or the state could not be made: NULL, or the error of then.
        if place.is_null() || (*place).is_null() {
            return;
        }
        let state = kept(*place);
        try_with_current_vm(|vm| answer(context, vm.call_method(&state, method, ()), vm));
    }
}

/// How a function or aggregate is registered.
pub struct Registration<'a> {
    pub name: &'a CStr,
    pub arguments: c_int,
    /// Same arguments, same result: may be used in indices.
    pub deterministic: bool,
}

/// The kind of callable that is registered.
pub enum Kind {
    /// Called with the arguments.
    Function,
    /// Makes an object with `step` and `finalize`.
    Aggregate,
    /// Makes an object with `inverse` and `value` as well.
    Window,
}

/// Registers a callable, or takes it away.
///
/// # Errors
///
/// SQLite's, such as a number of arguments that it does not allow.
pub fn register(
    database: &Database,
    how: &Registration<'_>,
    kind: Kind,
    callable: Option<PyObjectRef>,
) -> Result<(), Failure> {
    let db = database.raw();
    let flags = ffi::SQLITE_UTF8
        | if how.deterministic {
            ffi::SQLITE_DETERMINISTIC
        } else {
            0
        };
    let name = how.name.as_ptr();
    // SAFETY: the database is open; the callable is SQLite's from here on, also when
    // it fails, and comes back through `forget`.
    let code = unsafe {
        match (callable, kind) {
            (None, Kind::Window) => ffi::sqlite3_create_window_function(
                db,
                name,
                how.arguments,
                flags,
                ptr::null_mut(),
                None,
                None,
                None,
                None,
                None,
            ),
            (None, _) => ffi::sqlite3_create_function_v2(
                db,
                name,
                how.arguments,
                flags,
                ptr::null_mut(),
                None,
                None,
                None,
                None,
            ),
            (Some(callable), Kind::Function) => ffi::sqlite3_create_function_v2(
                db,
                name,
                how.arguments,
                flags,
                keep(callable),
                Some(function),
                None,
                None,
                FREE,
            ),
            (Some(callable), Kind::Aggregate) => ffi::sqlite3_create_function_v2(
                db,
                name,
                how.arguments,
                flags,
                keep(callable),
                None,
                Some(step),
                Some(finalize),
                FREE,
            ),
            (Some(callable), Kind::Window) => ffi::sqlite3_create_window_function(
                db,
                name,
                how.arguments,
                flags,
                keep(callable),
                Some(step),
                Some(finalize),
                Some(value),
                Some(inverse),
                FREE,
            ),
        }
    };
    database.check(code)
}
