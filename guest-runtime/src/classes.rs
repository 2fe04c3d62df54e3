//! Takes classes that are gone out of the lists of their bases.
//!
//! A class has a list of weak references to its subclasses. RustPython takes the dead ones out when
//! somebody asks for `__subclasses__`, and otherwise never: each class that a plugin makes and
//! forgets would leave its reference. To go through all lists writes to pages that instances share
//! otherwise, so it is done seldom.

use std::cell::Cell;
use std::collections::HashSet;

use rustpython_vm::{
    AsObject, VirtualMachine,
    builtins::{PyType, PyTypeRef},
};

use crate::single::Single;

/// Objects in cycles that are collected between two sweeps. A class refers to itself, so it dies
/// in a collection, and some objects die with it.
const GARBAGE: usize = 20_000;

/// The objects that had been collected at the last sweep.
static SWEPT: Single<Cell<usize>> = Single(Cell::new(0));

fn collected(vm: &VirtualMachine) -> usize {
    let generations = vm.state.gc.generations.iter();
    generations.map(|it| it.stats().collected).sum()
}

/// Counts from now on: called when an instance starts.
pub fn watch(vm: &VirtualMachine) {
    SWEPT.set(collected(vm));
}

/// Sweeps if enough was collected since the last time. Called where a native function could let
/// other threads run.
pub fn forget_dead(vm: &VirtualMachine) {
    let collected = collected(vm);
    if collected.wrapping_sub(SWEPT.get()) >= GARBAGE {
        SWEPT.set(collected);
        sweep(vm);
    }
}

/// Goes through the lists of all classes. One that is in use stays as it is.
pub fn sweep(vm: &VirtualMachine) {
    let mut left: Vec<PyTypeRef> = vec![vm.ctx.types.object_type.to_owned()];
    // A class with several bases is in several lists.
    let mut met = HashSet::new();
    while let Some(class) = left.pop() {
        let Some(mut subclasses) = class.subclasses.try_write() else {
            continue;
        };
        subclasses.retain(|subclass| {
            let Some(subclass) = subclass.upgrade() else {
                return false;
            };
            if met.insert(subclass.get_id())
                && let Ok(subclass) = subclass.downcast::<PyType>()
            {
                left.push(subclass);
            }
            true
        });
    }
}
