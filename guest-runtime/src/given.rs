//! Counts the memory that dlmalloc has given out.
//!
//! The blocks in the lists of freed ones belong to nobody and are taken off again. Counting
//! here costs the common case nothing, which is a block from one of these lists.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;

use crate::freed::{self, FREED};
use crate::retired;
use crate::single::Single;
use dlmalloc::GlobalDlmalloc;

/// dlmalloc with the sums of its blocks.
pub struct Given {
    /// Bytes, with those that dlmalloc takes for itself.
    bytes: Cell<usize>,
    blocks: Cell<usize>,
}

pub static GIVEN: Single<Given> = Single(Given {
    bytes: Cell::new(0),
    blocks: Cell::new(0),
});

impl Given {
    /// Bytes and blocks that are in use now.
    pub fn in_use(&self) -> (usize, usize) {
        let (bytes, blocks) = FREED.kept();
        (
            self.bytes.get().wrapping_sub(bytes),
            self.blocks.get().wrapping_sub(blocks),
        )
    }

    fn add(&self, block: *const u8, size: usize) {
        if block.is_null() {
            return;
        }
        let room = freed::room(size);
        self.bytes.set(self.bytes.get().wrapping_add(room));
        self.blocks.set(self.blocks.get().wrapping_add(1));
        retired::allocated(room);
    }

    fn remove(&self, size: usize) {
        let room = freed::room(size);
        self.bytes.set(self.bytes.get().wrapping_sub(room));
        self.blocks.set(self.blocks.get().wrapping_sub(1));
        retired::allocated(0);
    }
}

// SAFETY: every block is dlmalloc's.
unsafe impl GlobalAlloc for Given {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as ours.
        let block = unsafe { GlobalDlmalloc.alloc(layout) };
        self.add(block, layout.size());
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.remove(layout.size());
        // SAFETY: as ours.
        unsafe { GlobalDlmalloc.dealloc(block, layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as ours.
        let block = unsafe { GlobalDlmalloc.alloc_zeroed(layout) };
        self.add(block, layout.size());
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as ours.
        let moved = unsafe { GlobalDlmalloc.realloc(block, layout, size) };
        if !moved.is_null() {
            self.remove(layout.size());
            self.add(moved, size);
        }
        moved
    }
}
