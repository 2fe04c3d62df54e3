//! SQLite calling Python: functions, aggregates, collations, and the handlers of a
//! connection.
//!
//! A callable is kept by SQLite in a box of its own and freed by [`forget`]. Before it
//! is called it is cloned, because it may replace itself. The Python side gives
//! callables that report exceptions themselves; only the text of one gets here.

mod collation;
mod function;
mod handler;
mod value;

pub use collation::collation;
pub use function::{Kind, Registration, register};
pub use handler::{Handler, Installed};
pub use value::{Lent, to_python, with_value};

use std::ffi::c_void;

use rustpython_vm::PyObjectRef;

use super::interface::Destructor;

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
