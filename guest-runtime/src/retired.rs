//! Has the blocks freed that the interpreter has retired.
//!
//! RustPython with threads does not free everything at once: another thread could still look
//! at a value that was replaced in a slot of an object (`__slots__`), or at the frame of a
//! finished generator. Such blocks wait in a queue until every thread has passed a checkpoint
//! between two instructions. On wasm RustPython never looks whether a checkpoint is wanted
//! (`eval_breaker_tripped`), and only a collection of cycles empties the queue; none comes
//! while the number of objects stays the same. A plugin that does one thing again and again
//! would die of the full queue after days.
//!
//! So the queue is emptied at each call of the hub that blocks, and a plugin that computes is
//! made to pass a checkpoint: a thread that is asked to stop is looked at before each
//! instruction, on wasm too. The thread finds that nobody waits for its stop, takes the
//! request back and passes the checkpoint on the way. The thread is asked when enough was
//! allocated that was not free before, which is the case when replaced values are not given
//! back.

use std::cell::{Cell, OnceCell};
use std::sync::atomic::Ordering;

use rustpython_vm::vm::thread::{CurrentFrameSlot, current_thread_slot, with_current_vm};

use crate::classes;
use crate::single::Single;

/// New bytes after which the interpreter is asked: a page of WebAssembly. A checkpoint with
/// nothing to free costs less than to allocate that many.
const STEP: usize = 64 << 10;

struct Requests {
    /// Where the interpreter is asked. All tasks share one thread of RustPython's.
    thread: OnceCell<CurrentFrameSlot>,
    /// Bytes since it was asked last.
    bytes: Cell<usize>,
    /// Whether it is to be asked once more.
    again: Cell<bool>,
}

static REQUESTS: Single<Requests> = Single(Requests {
    thread: OnceCell::new(),
    bytes: Cell::new(0),
    again: Cell::new(false),
});

impl Requests {
    fn ask(&self) {
        if let Some(thread) = self.thread.get() {
            thread.stop_requested.store(true, Ordering::Relaxed);
        }
    }
}

/// Asks from now on: called in the interpreter when an instance starts.
pub fn watch() {
    if let Some(thread) = current_thread_slot() {
        let _ = REQUESTS.thread.set(thread);
    }
    with_current_vm(classes::watch);
}

/// Counts bytes that dlmalloc gave out; none when it got a block back.
///
/// A native function that lets other threads run takes the request back without a
/// checkpoint. When the allocation was part of it, the next one or the next block that is
/// given back asks again.
pub fn allocated(bytes: usize) {
    if REQUESTS.again.replace(false) {
        REQUESTS.ask();
    }
    let sum = REQUESTS.bytes.get().saturating_add(bytes);
    if sum < STEP {
        REQUESTS.bytes.set(sum);
        return;
    }
    REQUESTS.bytes.set(0);
    REQUESTS.again.set(true);
    REQUESTS.ask();
}

/// Passes a checkpoint: called in the interpreter, where a native function could as well
/// let other threads run.
pub fn free() {
    with_current_vm(|vm| {
        // There are no signals that it could raise for.
        drop(vm.check_signals());
        classes::forget_dead(vm);
    });
}

pub(crate) use _cordon_heap::module_def;

#[rustpython_vm::pymodule]
mod _cordon_heap {
    use rustpython_vm::VirtualMachine;

    use crate::classes;
    use crate::given::GIVEN;

    /// Bytes and blocks in use after everything retired was freed; bytes of the memory.
    #[pyfunction]
    fn in_use(vm: &VirtualMachine) -> (usize, usize, usize) {
        super::free();
        classes::sweep(vm);
        let (bytes, blocks) = GIVEN.in_use();
        (bytes, blocks, crate::memory::size())
    }
}
