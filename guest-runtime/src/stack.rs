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
//! Nothing here may block.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::{RefCell, UnsafeCell};

use crate::single::Single;

/// Bytes of a thread's shadow stack. RustPython measures its native stack from the
/// point where a thread starts and assumes 8 MiB, so this size makes its
/// `RecursionError` come before the end of the stack. Pages that are never touched cost
/// nothing, but address space counts against the `memory` limit, and the C library
/// rounds a block with its header up to a power of two: a little less than 8 MiB is
/// half as much as 8 MiB.
const THREAD_STACK: usize = (8 << 20) - 256;

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
