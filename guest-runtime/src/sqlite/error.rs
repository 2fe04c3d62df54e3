//! Exceptions of `sqlite3`. Their classes are Python's, so a function of the Python
//! half makes them.

use std::cell::RefCell;
use std::ffi::c_int;

use rustpython_vm::{
    PyObjectRef, VirtualMachine,
    builtins::{PyBaseException, PyBaseExceptionRef},
};

use super::interface::Failure;
use crate::single::Single;

/// `make(code or name of an exception class, text)` in `_cordon_sqlite_errors`.
pub(super) static MAKE_ERROR: Single<RefCell<Option<PyObjectRef>>> = Single(RefCell::new(None));

/// An exception of the Python half.
fn raise(kind: PyObjectRef, text: String, vm: &VirtualMachine) -> PyBaseExceptionRef {
    let Some(make) = MAKE_ERROR.borrow().clone() else {
        return vm.new_runtime_error(text);
    };
    match make
        .call((kind, text), vm)
        .map(PyObjectRef::downcast::<PyBaseException>)
    {
        Ok(Ok(error)) => error,
        Ok(Err(_)) => vm.new_type_error("no exception was made"),
        Err(error) => error,
    }
}

pub(super) fn failed(failure: Failure, vm: &VirtualMachine) -> PyBaseExceptionRef {
    raise(vm.ctx.new_int(failure.code).into(), failure.message, vm)
}

pub(super) fn failed_with(code: c_int, vm: &VirtualMachine) -> PyBaseExceptionRef {
    failed(Failure::of_code(code), vm)
}

/// An exception of the class with this name, for objections of the module itself.
pub(super) fn refused(
    class: &str,
    text: impl Into<String>,
    vm: &VirtualMachine,
) -> PyBaseExceptionRef {
    raise(vm.ctx.new_str(class).into(), text.into(), vm)
}
