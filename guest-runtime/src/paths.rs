//! Names of files that need more than the platform has.
//!
//! Python makes any bytes a file's name. Interfaces of components know text only,
//! and to hand them anything else ends the component. So such a file does not
//! exist, which is true: no folder of a plugin can hold one.
//! And `/dev/null` is something that `open` makes.

use std::cell::OnceCell;
use std::ffi::{CStr, c_char, c_int};

use rustpython_vm::{PyObjectRef, PyResult, VirtualMachine, builtins::PyStr, function::FuncArgs};

use crate::single::Single;

unsafe extern "C" {
    fn __real___wasilibc_find_relpath(
        path: *const c_char,
        prefix: *mut *const c_char,
        relative: *mut *mut c_char,
        length: usize,
    ) -> c_int;

    fn __real___wasilibc_find_relpath_alloc(
        path: *const c_char,
        prefix: *mut *const c_char,
        relative: *mut *mut c_char,
        length: *mut usize,
        can_grow: c_int,
    ) -> c_int;
}

/// What the C library takes for "below none of the granted folders".
const NOWHERE: c_int = -1;

fn is_text(path: *const c_char) -> bool {
    // SAFETY: the C library's functions are called with strings that end in a zero.
    unsafe { CStr::from_ptr(path) }.to_str().is_ok()
}

/// Stands before wasi-libc's function of this name: see `build.rs`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap___wasilibc_find_relpath(
    path: *const c_char,
    prefix: *mut *const c_char,
    relative: *mut *mut c_char,
    length: usize,
) -> c_int {
    if !is_text(path) {
        return NOWHERE;
    }
    // SAFETY: the caller's own arguments.
    unsafe { __real___wasilibc_find_relpath(path, prefix, relative, length) }
}

/// Stands before wasi-libc's function of this name: see `build.rs`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __wrap___wasilibc_find_relpath_alloc(
    path: *const c_char,
    prefix: *mut *const c_char,
    relative: *mut *mut c_char,
    length: *mut usize,
    can_grow: c_int,
) -> c_int {
    if !is_text(path) {
        return NOWHERE;
    }
    // SAFETY: the caller's own arguments.
    unsafe { __real___wasilibc_find_relpath_alloc(path, prefix, relative, length, can_grow) }
}

/// Where programs put what they do not want.
const NULL: &str = "/dev/null";

static OPEN: Single<OnceCell<PyObjectRef>> = Single(OnceCell::new());

/// Makes `open` know the null device. Before the snapshot, and before any module of
/// Python's is imported.
///
/// # Errors
///
/// When the interpreter has no `open`.
pub fn install(vm: &VirtualMachine) -> PyResult<()> {
    let io = vm.import("_io", 0)?;
    let own = io.get_attr("open", vm)?;
    if OPEN.set(own).is_err() {
        return Err(vm.new_runtime_error("open is set up once"));
    }
    let open = vm.new_function("open", |args: FuncArgs, vm: &VirtualMachine| -> PyResult {
        let file = args
            .args
            .first()
            .and_then(|file| file.downcast_ref::<PyStr>());
        if file.is_some_and(|file| file.as_bytes() == NULL.as_bytes()) {
            let null = vm.import("_cordon_null", 0)?;
            return null.get_attr("open", vm)?.call_with_args(args, vm);
        }
        match OPEN.get() {
            Some(own) => own.call_with_args(args, vm),
            None => Ok(vm.ctx.none()),
        }
    });
    let open: PyObjectRef = open.into();
    io.set_attr("open", open.clone(), vm)?;
    vm.builtins.set_attr("open", open, vm)
}
