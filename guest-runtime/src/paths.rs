//! Names of files that are no UTF-8.
//!
//! Python makes any bytes a file's name. Interfaces of components know text only,
//! and to hand them anything else ends the component. So such a file does not
//! exist, which is true: no folder of a plugin can hold one.

use std::ffi::{CStr, c_char, c_int};

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
