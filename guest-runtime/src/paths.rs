//! Names of files that need more than the platform has.
//!
//! Python makes any bytes a file's name. Interfaces of components know text only, and
//! to hand them anything else ends the component. So a file whose name is no text does
//! not exist, which is true: no folder of a plugin can hold one. `/dev/null`, sockets
//! and pipes are no files either; `open` has an answer of its own for each.

use std::cell::OnceCell;
use std::ffi::{CStr, c_char, c_int};

use rustpython_vm::{
    PyObject, PyObjectRef, PyResult, VirtualMachine,
    builtins::{PyInt, PyStr},
    function::FuncArgs,
};

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

/// The number that the C library takes for "below none of the granted folders".
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

/// The folder of the null device and of serial ports, which is none of the hub's.
const DEVICES: &[u8] = b"/dev/";

/// The hub's descriptors have numbers from this one on.
const FIRST_DESCRIPTOR: i64 = 10_000;

static OPEN: Single<OnceCell<PyObjectRef>> = Single(OnceCell::new());

/// Whether `_cordon_open` has to open this file: a device, or a descriptor of the hub's.
fn is_special(file: &PyObject, vm: &VirtualMachine) -> bool {
    if let Some(path) = file.downcast_ref::<PyStr>() {
        return path.as_bytes().starts_with(DEVICES);
    }
    let number = file.downcast_ref::<PyInt>();
    let number = number.and_then(|number| number.try_to_primitive::<i64>(vm).ok());
    number.is_some_and(|number| number >= FIRST_DESCRIPTOR)
}

/// Makes `open` know devices and the descriptors of sockets. Called before the snapshot,
/// and before any module of Python's is imported.
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
        if args.args.first().is_some_and(|file| is_special(file, vm)) {
            let special = vm.import("_cordon_open", 0)?;
            return special.get_attr("open", vm)?.call_with_args(args, vm);
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
