//! SQLite calling Python: functions, aggregates, collations, and the handlers of a
//! connection.
//!
//! A callable is kept by SQLite in a box of its own and freed by [`forget`]. Before
//! it is called it is cloned, because it may replace itself. The Python side gives
//! callables that report exceptions themselves; what gets here of one is its text.

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::ptr;

use libsqlite3_sys as ffi;
use rustpython_vm::{
    AsObject, PyObjectRef, PyResult, TryFromBorrowedObject, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyFloat, PyInt, PyStr},
    function::{ArgBytesLike, FuncArgs},
    vm::thread::try_with_current_vm,
};

use crate::sqlite_ffi::{Database, Destructor, Failure, Value, lent, owned};

const FREE: Destructor = Some(forget);

fn keep(callable: PyObjectRef) -> *mut c_void {
    Box::into_raw(Box::new(callable)).cast()
}

/// Gives a kept callable back; called by SQLite when it drops one.
unsafe extern "C" fn forget(kept: *mut c_void) {
    if !kept.is_null() {
        // SAFETY: made by `keep` and given back once.
        drop(unsafe { Box::from_raw(kept.cast::<PyObjectRef>()) });
    }
}

/// # Safety
///
/// `kept` was made by `keep` and not given back.
unsafe fn kept(kept: *mut c_void) -> PyObjectRef {
    // SAFETY: the caller's promise.
    unsafe { (*kept.cast::<PyObjectRef>()).clone() }
}

/// A value of SQLite's as Python has it. Text that is no UTF-8 is patched up.
pub fn to_python(value: &Value<'_>, vm: &VirtualMachine) -> PyObjectRef {
    match value {
        Value::Null => vm.ctx.none(),
        Value::Integer(number) => vm.ctx.new_int(*number).into(),
        Value::Real(number) => vm.ctx.new_float(*number).into(),
        Value::Text(text) => vm.ctx.new_str(String::from_utf8_lossy(text)).into(),
        Value::Blob(bytes) => vm.ctx.new_bytes(bytes.to_vec()).into(),
    }
}

/// What became of [`with_value`].
pub enum Lent<R> {
    Used(R),
    /// SQLite has nothing like this object.
    Unsupported,
}

/// Lends a Python object to `f` as one of SQLite's values.
///
/// # Errors
///
/// `OverflowError` for a whole number beyond 64 bits, `UnicodeEncodeError` for
/// half characters, and what a buffer raises that cannot be read.
pub fn with_value<R>(
    object: &PyObjectRef,
    vm: &VirtualMachine,
    f: impl FnOnce(&Value<'_>) -> R,
) -> PyResult<Lent<R>> {
    let used = if vm.is_none(object) {
        f(&Value::Null)
    } else if let Some(number) = object.downcast_ref::<PyInt>() {
        let number = number.try_to_primitive::<i64>(vm).map_err(|_| {
            vm.new_overflow_error("Python int too large to convert to SQLite INTEGER")
        })?;
        f(&Value::Integer(number))
    } else if let Some(number) = object.downcast_ref::<PyFloat>() {
        f(&Value::Real(number.to_f64()))
    } else if let Some(text) = object.downcast_ref::<PyStr>() {
        f(&Value::Text(text.try_as_utf8(vm)?.as_str().as_bytes()))
    } else if object.class().slots.as_buffer.load().is_some() {
        let bytes = ArgBytesLike::try_from_borrowed_object(vm, object)?;
        f(&Value::Blob(&bytes.borrow_buf()))
    } else {
        return Ok(Lent::Unsupported);
    };
    Ok(Lent::Used(used))
}

/// # Safety
///
/// `values` points to `count` values of SQLite's.
unsafe fn arguments(
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
    vm: &VirtualMachine,
) -> Vec<PyObjectRef> {
    let count = usize::try_from(count).unwrap_or(0);
    (0..count)
        .map(|index| {
            // SAFETY: the caller's promise; a value is valid during the call.
            let value = unsafe {
                let value = *values.add(index);
                match ffi::sqlite3_value_type(value) {
                    ffi::SQLITE_INTEGER => Value::Integer(ffi::sqlite3_value_int64(value)),
                    ffi::SQLITE_FLOAT => Value::Real(ffi::sqlite3_value_double(value)),
                    ffi::SQLITE_TEXT => {
                        let text = ffi::sqlite3_value_text(value);
                        Value::Text(lent(text, ffi::sqlite3_value_bytes(value)))
                    }
                    ffi::SQLITE_BLOB => {
                        let bytes = ffi::sqlite3_value_blob(value);
                        Value::Blob(lent(bytes.cast(), ffi::sqlite3_value_bytes(value)))
                    }
                    _ => Value::Null,
                }
            };
            to_python(&value, vm)
        })
        .collect()
}

/// # Safety
///
/// `context` is the one SQLite called with.
unsafe fn answer(context: *mut ffi::sqlite3_context, result: PyResult, vm: &VirtualMachine) {
    let copy = ffi::SQLITE_TRANSIENT();
    let lent = result.and_then(|object| {
        with_value(&object, vm, |value| {
            // SAFETY: slices are copied during the call.
            unsafe {
                match value {
                    Value::Null => ffi::sqlite3_result_null(context),
                    Value::Integer(number) => ffi::sqlite3_result_int64(context, *number),
                    Value::Real(number) => ffi::sqlite3_result_double(context, *number),
                    Value::Text(text) => ffi::sqlite3_result_text64(
                        context,
                        text.as_ptr().cast(),
                        text.len() as u64,
                        copy,
                        ffi::SQLITE_UTF8 as u8,
                    ),
                    Value::Blob(bytes) => {
                        ffi::sqlite3_result_blob64(
                            context,
                            bytes.as_ptr().cast(),
                            bytes.len() as u64,
                            copy,
                        );
                    }
                }
            }
        })
    });
    match lent {
        Ok(Lent::Used(())) => {}
        Ok(Lent::Unsupported) => {
            // SAFETY: as above.
            unsafe { fail(context, "user-defined function raised exception") };
        }
        // SAFETY: as above.
        Err(error) => unsafe { answer_error(context, &error, vm) },
    }
}

/// # Safety
///
/// `context` is the one SQLite called with.
unsafe fn answer_error(
    context: *mut ffi::sqlite3_context,
    error: &PyBaseExceptionRef,
    vm: &VirtualMachine,
) {
    // SAFETY: the caller's promise.
    unsafe {
        if error.fast_isinstance(vm.ctx.exceptions.memory_error) {
            ffi::sqlite3_result_error_nomem(context);
        } else if error.fast_isinstance(vm.ctx.exceptions.overflow_error) {
            ffi::sqlite3_result_error_toobig(context);
        } else {
            let text = error
                .as_object()
                .str(vm)
                .map(|text| text.to_string_lossy().into_owned());
            fail(
                context,
                text.as_deref()
                    .unwrap_or("user-defined function raised exception"),
            );
        }
    }
}

/// # Safety
///
/// `context` is the one SQLite called with.
unsafe fn fail(context: *mut ffi::sqlite3_context, text: &str) {
    let length = c_int::try_from(text.len()).unwrap_or(0);
    // SAFETY: the text is copied during the call.
    unsafe { ffi::sqlite3_result_error(context, text.as_ptr().cast(), length) };
}

unsafe extern "C" fn function(
    context: *mut ffi::sqlite3_context,
    count: c_int,
    values: *mut *mut ffi::sqlite3_value,
) {
    // SAFETY: called by SQLite with what `create_function` gave it.
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
    // SAFETY: called by SQLite with what `create_aggregate` gave it.
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
    // SAFETY: called by SQLite with what `create_aggregate` gave it.
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

unsafe extern "C" fn collate(
    callable: *mut c_void,
    left_len: c_int,
    left: *const c_void,
    right_len: c_int,
    right: *const c_void,
) -> c_int {
    // SAFETY: called by SQLite with what `create_collation` gave it.
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

unsafe extern "C" fn authorize(
    callable: *mut c_void,
    action: c_int,
    a: *const c_char,
    b: *const c_char,
    c: *const c_char,
    d: *const c_char,
) -> c_int {
    // SAFETY: called by SQLite with what `set_authorizer` gave it.
    let callable = unsafe { kept(callable) };
    let verdict = try_with_current_vm(|vm| {
        let mut arguments = vec![vm.ctx.new_int(action).into()];
        for text in [a, b, c, d] {
            // SAFETY: null, or ends with zero.
            arguments.push(match unsafe { text.as_ref() } {
                // SAFETY: as above.
                Some(text) => vm.ctx.new_str(unsafe { owned(text) }).into(),
                None => vm.ctx.none(),
            });
        }
        let verdict: PyResult<c_int> = callable
            .call(FuncArgs::from(arguments), vm)
            .and_then(|verdict| verdict.try_into_value(vm));
        verdict.unwrap_or(ffi::SQLITE_DENY)
    });
    verdict.unwrap_or(ffi::SQLITE_DENY)
}

unsafe extern "C" fn progress(callable: *mut c_void) -> c_int {
    // SAFETY: called by SQLite with what `set_progress` gave it.
    let callable = unsafe { kept(callable) };
    let stop = try_with_current_vm(|vm| {
        callable
            .call((), vm)
            .and_then(|stop| stop.try_to_bool(vm))
            .unwrap_or(true)
    });
    c_int::from(stop.unwrap_or(true))
}

unsafe extern "C" fn trace(
    _what: c_uint,
    callable: *mut c_void,
    stmt: *mut c_void,
    sql: *mut c_void,
) -> c_int {
    // SAFETY: called by SQLite with what `set_trace` gave it, the statement and its
    // text; the expanded text is ours to free.
    let (callable, plain, expanded) = unsafe {
        let expanded = ffi::sqlite3_expanded_sql(stmt.cast());
        let text = (!expanded.is_null()).then(|| owned(expanded));
        ffi::sqlite3_free(expanded.cast());
        (kept(callable), owned(sql.cast()), text)
    };
    try_with_current_vm(|vm| {
        // What it raises it has reported itself: SQLite does not listen.
        drop(callable.call((plain, expanded), vm));
    });
    0
}

/// How a function or aggregate is registered.
pub struct Registration<'a> {
    pub name: &'a CStr,
    pub arguments: c_int,
    /// Same arguments, same result: may be used in indices.
    pub deterministic: bool,
}

/// What is registered.
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

/// Which handler of a connection.
#[derive(Debug, Clone, Copy)]
pub enum Handler {
    Authorizer,
    /// Called after so many steps of SQLite's machine.
    Progress(c_int),
    Trace,
}

/// A callable that a connection calls; SQLite has no destructor for these.
#[derive(Debug, Default)]
pub struct Installed(Option<usize>);

impl Installed {
    /// Puts a callable into the place of this one, or none.
    pub fn replace(
        &mut self,
        database: &Database,
        handler: Handler,
        callable: Option<PyObjectRef>,
    ) {
        let old = self.0.take();
        let kept = callable.map_or(ptr::null_mut(), keep);
        let on = !kept.is_null();
        let db = database.raw();
        // SAFETY: the database is open; the callable lives until it is replaced here
        // or the database is closed.
        unsafe {
            match handler {
                Handler::Authorizer => {
                    ffi::sqlite3_set_authorizer(db, on.then_some(authorize as _), kept);
                }
                Handler::Progress(steps) => {
                    ffi::sqlite3_progress_handler(db, steps, on.then_some(progress as _), kept);
                }
                Handler::Trace => {
                    let mask = if on {
                        ffi::SQLITE_TRACE_STMT as c_uint
                    } else {
                        0
                    };
                    ffi::sqlite3_trace_v2(db, mask, on.then_some(trace as _), kept);
                }
            }
        }
        self.0 = on.then_some(kept as usize);
        Self(old).free();
    }

    /// Frees the callable; the database is closed or calls another one.
    pub fn free(&mut self) {
        if let Some(kept) = self.0.take() {
            // SAFETY: made by `keep`; nothing calls it any more.
            unsafe { forget(kept as *mut c_void) };
        }
    }
}
