//! Tasks: the main one that runs callbacks, and one per Python thread.
//!
//! A switch happens only inside [`blocking`]. Around it the interpreter's
//! per-thread state (which RustPython keeps in thread locals, of which wasm has
//! one set) is taken out and put back, so that each task finds its own.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use rustpython_vm::{
    PyObjectRef, PyResult, VirtualMachine,
    vm::thread::{
        ThreadedVirtualMachine, get_current_frame, restore_current_thread, save_current_thread,
        set_current_frame_nosave,
    },
};

use crate::abi::cordon::plugin::threads;
use crate::retired;
use crate::single::Single;
use crate::stack;

/// `threading.get_ident()` of the task that runs callbacks.
pub const MAIN: u32 = 1;

type Pending = HashMap<u32, (ThreadedVirtualMachine, PyObjectRef)>;

struct Tasks {
    /// Which task runs now.
    current: Cell<u32>,
    /// The last id given out.
    last: Cell<u32>,
    /// Threads that were announced and do not run yet.
    pending: RefCell<Option<Pending>>,
}

static TASKS: Single<Tasks> = Single(Tasks {
    current: Cell::new(MAIN),
    last: Cell::new(MAIN),
    pending: RefCell::new(None),
});

/// The id of the running task.
pub fn current() -> u32 {
    TASKS.current.get()
}

/// Marks the main task as running: first thing in an export that runs Python.
pub fn enter_main() {
    TASKS.current.set(MAIN);
    let _ = set_current_frame_nosave(std::ptr::null());
}

/// Runs a blocking import with the interpreter's state of this task put aside.
///
/// Everything that may switch tasks goes through here. `f` must not touch
/// Python.
pub fn blocking<R>(f: impl FnOnce() -> R) -> R {
    let id = TASKS.current.get();
    let frame = get_current_frame();
    let state = save_current_thread();
    let result = f();
    restore_current_thread(state);
    let _ = set_current_frame_nosave(frame);
    TASKS.current.set(id);
    retired::free();
    result
}

/// Parks the running task; false when the timeout ran out first.
pub fn park(timeout_ns: Option<u64>) -> bool {
    let id = current();
    blocking(|| threads::park(id, timeout_ns))
}

/// Announces a thread that will call `callable` without arguments.
///
/// # Errors
///
/// `RuntimeError` with CPython's text when the hub's `threads` limit is hit.
pub fn spawn(callable: PyObjectRef, vm: &VirtualMachine) -> PyResult<u32> {
    let id = TASKS.last.get() + 1;
    TASKS.last.set(id);
    // Before the borrow: it allocates, and a collection may run Python that lets others run.
    let thread = (vm.new_thread(), callable);
    TASKS
        .pending
        .borrow_mut()
        .get_or_insert_default()
        .insert(id, thread);
    if threads::spawn(id).is_err() {
        let refused = take(id);
        drop(refused);
        return Err(vm.new_runtime_error("can't start new thread"));
    }
    Ok(id)
}

fn take(id: u32) -> Option<(ThreadedVirtualMachine, PyObjectRef)> {
    TASKS.pending.borrow_mut().as_mut()?.remove(&id)
}

/// Runs an announced thread to its end, on the task it was started for.
///
/// The callable is `_cordon_thread`'s own wrapper, which handles the exceptions of the
/// thread; an exception that passes the wrapper is a fault of the runtime.
pub fn run_thread(id: u32) {
    TASKS.current.set(id);
    let _ = set_current_frame_nosave(std::ptr::null());
    let Some((thread, callable)) = take(id) else {
        return;
    };
    let work = |vm: &VirtualMachine| {
        stack::measure_taken();
        if let Err(error) = callable.call((), vm) {
            let mut text = String::new();
            let _ = vm.write_exception(&mut text, &error);
            crate::hub::write_log(crate::hub::LEVEL_ERROR, crate::hub::ORIGIN_CORE, &text);
        }
        drop(callable);
    };
    stack::measured(|| thread.run(work));
}
