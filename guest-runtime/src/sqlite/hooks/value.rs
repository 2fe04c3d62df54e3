//! Values between Python and SQLite: arguments of a call, its answer, and the error in
//! place of one.

use std::ffi::c_int;

use libsqlite3_sys as ffi;
use rustpython_vm::{
    AsObject, PyObjectRef, PyResult, TryFromBorrowedObject, VirtualMachine,
    builtins::{PyBaseExceptionRef, PyFloat, PyInt, PyStr},
    function::ArgBytesLike,
};

use crate::sqlite::interface::{Value, lent};

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

/// The outcome of [`with_value`].
pub enum Lent<R> {
    Used(R),
    /// SQLite has nothing like this object.
    Unsupported,
}

/// Lends a Python object to `f` as one of SQLite's values.
///
/// # Errors
///
/// `OverflowError` for a whole number beyond 64 bits, `UnicodeEncodeError` for half
/// characters, and the error of a buffer that cannot be read.
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
pub(super) unsafe fn arguments(
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
pub(super) unsafe fn answer(
    context: *mut ffi::sqlite3_context,
    result: PyResult,
    vm: &VirtualMachine,
) {
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
pub(super) unsafe fn answer_error(
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
