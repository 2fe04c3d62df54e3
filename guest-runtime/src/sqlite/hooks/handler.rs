//! The handlers of a connection: authorizer, progress and trace.

use std::ffi::{c_char, c_int, c_uint, c_void};
use std::ptr;

use libsqlite3_sys as ffi;
use rustpython_vm::{PyObjectRef, PyResult, function::FuncArgs, vm::thread::try_with_current_vm};

use super::{forget, keep, kept};
use crate::sqlite::interface::{Database, owned};

unsafe extern "C" fn authorize(
    callable: *mut c_void,
    action: c_int,
    a: *const c_char,
    b: *const c_char,
    c: *const c_char,
    d: *const c_char,
) -> c_int {
    // SAFETY: SQLite calls this with the pointer that `set_authorizer` gave it.
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
    // SAFETY: SQLite calls this with the pointer that `set_progress` gave it.
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
    // SAFETY: SQLite calls this with the pointer that `set_trace` gave it, the
    // statement and its text; the expanded text is ours to free.
    let (callable, plain, expanded) = unsafe {
        let expanded = ffi::sqlite3_expanded_sql(stmt.cast());
        let text = (!expanded.is_null()).then(|| owned(expanded));
        ffi::sqlite3_free(expanded.cast());
        (kept(callable), owned(sql.cast()), text)
    };
    try_with_current_vm(|vm| {
        // The callable has reported its exception itself: SQLite does not listen.
        drop(callable.call((plain, expanded), vm));
    });
    0
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
