//! Lists of freed small blocks, by size, for the next allocations.
//!
//! The interpreter allocates and frees small blocks with every call and every number, and
//! dlmalloc looks at a block's neighbours each time. Here a freed block becomes the first
//! of the list of its size, and the next allocation of that size takes it from there.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr::{self, NonNull};

use crate::given::GIVEN;
use crate::single::Single;

/// Steps in which dlmalloc's blocks grow, in bytes, and their alignment.
const STEP: usize = 8;

/// Bytes of each of its blocks that dlmalloc takes for itself.
const HEADER: usize = 4;

/// Largest block in bytes that is kept.
const LARGEST: usize = 512;

/// Smallest block in bytes for which all kept blocks are given back.
const LARGE: usize = 1 << 20;

/// Classes of blocks with the same room, by [`class`].
const CLASSES: usize = class(LARGEST) + 1;

/// Most that is kept of a class, in steps: 32 KiB.
const MOST: usize = (32 << 10) / STEP;

/// The content of a freed block: dlmalloc's smallest has 12 bytes.
struct Freed {
    next: *mut Freed,
    /// Blocks in the list from this one on.
    count: usize,
}

/// The lists.
pub struct FreedBlocks {
    first: [Cell<*mut Freed>; CLASSES],
    /// Most that is kept of a class, in steps; nothing before an instance starts.
    most: Cell<usize>,
}

pub static FREED: Single<FreedBlocks> = Single(FreedBlocks {
    first: [const { Cell::new(ptr::null_mut()) }; CLASSES],
    most: Cell::new(0),
});

/// Bytes that dlmalloc takes for a block of this size.
pub const fn room(size: usize) -> usize {
    class(size) * STEP
}

/// Blocks of one class have the same room, in steps.
const fn class(size: usize) -> usize {
    (size + HEADER).div_ceil(STEP)
}

impl FreedBlocks {
    /// Keeps freed blocks from now on: called when an instance starts. Blocks that are
    /// freed before the snapshot are scattered over it, and would be handed out first.
    pub fn open(&self) {
        self.most.set(MOST);
    }

    /// Whether blocks of this size are kept.
    pub fn keeps(size: usize) -> bool {
        size <= LARGEST
    }

    /// Whether a block of one size has the room for the other.
    pub fn alike(size: usize, other: usize) -> bool {
        class(size) == class(other)
    }

    /// Bytes and blocks that are kept.
    pub fn kept(&self) -> (usize, usize) {
        let (mut bytes, mut blocks) = (0, 0);
        for (class, list) in self.first.iter().enumerate() {
            // SAFETY: null, or put there by `give`.
            let count = unsafe { list.get().as_ref() }.map_or(0, |first| first.count);
            bytes += count * class * STEP;
            blocks += count;
        }
        (bytes, blocks)
    }

    /// A block that fits, if there is one.
    pub fn take(&self, layout: Layout) -> Option<NonNull<u8>> {
        let list = self.list(layout)?;
        let first = NonNull::new(list.get())?;
        // SAFETY: `give` put the blocks of a list there.
        list.set(unsafe { first.as_ref() }.next);
        Some(first.cast())
    }

    /// Takes a block that is freed; false when it is not kept.
    ///
    /// # Safety
    ///
    /// The block is dlmalloc's, was allocated with this size and alignment, and nobody
    /// uses it any more.
    pub unsafe fn give(&self, block: *mut u8, layout: Layout) -> bool {
        let Some(list) = self.list(layout) else {
            return false;
        };
        let next = list.get();
        // SAFETY: null, or put there by this function.
        let count = unsafe { next.as_ref() }.map_or(0, |next| next.count);
        if count * class(layout.size()) >= self.most.get() {
            return false;
        }
        let freed = Freed {
            next,
            count: count + 1,
        };
        let block = block.cast::<Freed>();
        // SAFETY: nobody else uses the block, which has the room and is aligned to eight.
        unsafe { block.write(freed) };
        list.set(block);
        true
    }

    /// Gives all that is kept back to dlmalloc, when the next block is a large one: each
    /// small one would keep two halves of free memory apart, and a thread's stack would fit
    /// into neither.
    pub fn make_room(&self, size: usize) {
        if size < LARGE {
            return;
        }
        for (class, list) in self.first.iter().enumerate() {
            let mut next = list.replace(ptr::null_mut());
            while let Some(block) = NonNull::new(next) {
                // SAFETY: `give` put the blocks of a list there. They are dlmalloc's, and
                // all blocks of the class have this room.
                unsafe {
                    next = block.as_ref().next;
                    let room = Layout::from_size_align_unchecked(class * STEP - HEADER, STEP);
                    GIVEN.dealloc(block.as_ptr().cast(), room);
                }
            }
        }
    }

    fn list(&self, layout: Layout) -> Option<&Cell<*mut Freed>> {
        let list = self.first.get(class(layout.size()));
        list.filter(|_| layout.align() <= STEP)
    }
}
