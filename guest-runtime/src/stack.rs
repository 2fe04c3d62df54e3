//! Shadow stacks of the tasks.
//!
//! LLVM keeps one shadow stack per module and every task of the component needs one of
//! its own. The shims that `cordon-snapshot` puts around exports and blocking imports
//! switch `__stack_pointer`; this module only says where the stacks are. Callbacks run
//! one at a time on the linker's stack, and every Python thread gets a block from the
//! heap. The function that the hub calls between tasks (`cabi_realloc`) runs on a small
//! stack of its own, so that it can never write over the stack of a task that has
//! finished or sleeps.
//!
//! RustPython raises `RecursionError` before a stack ends, and takes every stack for one of 8 MiB
//! that begins where the thread does. A thread's stack is smaller, so [`measured`] has it see a
//! higher stack pointer for the moment in which it works out where the end is.
//!
//! Nothing here may block.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::{Cell, RefCell, UnsafeCell};
use std::hint::black_box;

use crate::single::Single;

/// Bytes of a thread's shadow stack: enough for Python's recursion limit of 1000 frames in whatever
/// way they call each other. Each thread takes so much of the `memory` limit.
const THREAD_STACK: usize = 2 << 20;

/// Bytes of every stack by the assumption of RustPython, which sees nothing but the stack pointer.
const ASSUMED_STACK: usize = 8 << 20;

/// Bytes that a thread leaves free beyond RustPython's own margin of 32 KiB: that has to hold whatever
/// one step of the interpreter takes, and the guard.
const SPARE: usize = 32 << 10;

/// Bytes at the low end that nothing may ever write: checked when the stack is
/// given back.
const GUARD: usize = 4096;

/// The byte that fills a guard zone.
const CANARY: u8 = 0xA5;

/// Bytes of the stack for calls between tasks.
const SCRATCH: usize = 64 << 10;

/// Stacks kept for the next thread; more are given back to the heap.
const KEPT: usize = 4;

#[repr(align(16))]
struct Scratch(#[expect(dead_code, reason = "only its address is used")] [u8; SCRATCH]);

static SCRATCH_STACK: Single<UnsafeCell<Scratch>> = Single(UnsafeCell::new(Scratch([0; SCRATCH])));

/// Bytes by which the stack pointer is shown too high.
static SHOWN_HIGHER: Single<Cell<usize>> = Single(Cell::new(0));

/// The stack pointer as RustPython sees it. The linker puts this function in the place of that of
/// the crate `psm` (`build.rs`).
#[unsafe(no_mangle)]
extern "C" fn __wrap_rust_psm_stack_pointer() -> *mut u8 {
    let here = 0_u8;
    let pointer = black_box(&raw const here).cast_mut();
    pointer.wrapping_add(SHOWN_HIGHER.get())
}

/// Calls `begin`, in which RustPython takes the measure of a thread's stack and then calls the
/// function that it is given. That one calls [`measure_taken`] first of all.
pub fn measured<R>(begin: impl FnOnce() -> R) -> R {
    SHOWN_HIGHER.set(ASSUMED_STACK - THREAD_STACK + SPARE);
    begin()
}

/// Ends the measuring: the stack pointer is shown as it is.
pub fn measure_taken() {
    SHOWN_HIGHER.set(0);
}

static FREE: Single<RefCell<Vec<usize>>> = Single(RefCell::new(Vec::new()));

const LAYOUT: Layout = match Layout::from_size_align(THREAD_STACK, 16) {
    Ok(layout) => layout,
    Err(_) => panic!("not a power of two"),
};

/// Top of the stack for calls between tasks.
#[unsafe(export_name = "cordon-scratch-top")]
extern "C" fn scratch_top() -> usize {
    SCRATCH_STACK.get() as usize + SCRATCH
}

/// Top of a stack for a new thread.
#[unsafe(export_name = "cordon-stack-acquire")]
extern "C" fn acquire() -> usize {
    let kept = FREE.borrow_mut().pop();
    let base = kept.unwrap_or_else(|| {
        // SAFETY: the layout has a size; a null result is checked.
        let base = unsafe { alloc(LAYOUT) };
        assert!(!base.is_null(), "no memory for a thread's stack");
        // SAFETY: the block is at least GUARD bytes long and ours.
        unsafe { base.write_bytes(CANARY, GUARD) };
        base as usize
    });
    base + THREAD_STACK
}

/// Takes back the stack with this top, after its thread has ended.
#[unsafe(export_name = "cordon-stack-release")]
extern "C" fn release(top: usize) {
    let base = (top - THREAD_STACK) as *mut u8;
    // SAFETY: `base` is the block that `acquire` returned for this top.
    let guard = unsafe { std::slice::from_raw_parts(base, GUARD) };
    assert!(
        guard.iter().all(|byte| *byte == CANARY),
        "a thread's stack overflowed"
    );
    let mut free = FREE.borrow_mut();
    if free.len() < KEPT {
        free.push(base as usize);
    } else {
        // SAFETY: allocated with this layout and no longer in use.
        unsafe { dealloc(base, LAYOUT) };
    }
}
