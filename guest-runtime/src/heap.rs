//! The heap: dlmalloc, and a region for the blocks that starts write to and read.
//!
//! All instances share the pages of the snapshot until they write to them, and the
//! interpreter writes to much of the memory that it uses: reference counts, locks, caches.
//! Blocks that a start writes to lie all over the heap, in the order in which the modules
//! were imported; each would cost an instance a page. So the snapshot tool runs the
//! initialisation twice. The first run shows which blocks a rehearsed start writes to or
//! reads, by their numbers in the order of allocation. In the second run these blocks come
//! to lie side by side. The tool decides which blocks are hot, this module where each of
//! them lies.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::hint::black_box;

use crate::freed::{FREED, FreedBlocks};
use crate::given::GIVEN;
use crate::single::Single;

/// Bytes of a page of WebAssembly.
const PAGE: usize = 1 << 16;

/// Alignment of every block.
const ALIGNMENT: usize = 8;

/// Largest block in bytes that is placed; the snapshot tool knows the same number.
const LARGEST: usize = 2048;

/// Memory that is free when an instance starts: more than most plugins ever use.
const ROOM: Layout = Layout::new::<[u64; 1 << 17]>();

/// A block that belongs into the region.
#[derive(Clone, Copy)]
#[repr(C)]
struct Hot {
    /// Its size in bytes.
    size: u32,
    /// Its number among the blocks of this size in the order of allocation, from one;
    /// the two highest bits say in which part of the region it belongs.
    ///
    /// Blocks are numbered by size, because tables that hash addresses grow sooner or
    /// later when the addresses differ. In one count they would make all numbers after
    /// them wrong.
    number: u32,
}

/// Parts of the region: the blocks that every start writes to, that many starts write
/// to, that every start reads, that many starts read.
const PARTS: usize = 4;

/// Where the part begins in the number of a block.
const PART_SHIFT: u32 = 30;

impl Hot {
    fn number(&self) -> u32 {
        self.number & ((1 << PART_SHIFT) - 1)
    }

    fn part(&self) -> usize {
        (self.number >> PART_SHIFT) as usize
    }

    /// The bytes it takes in the region.
    fn room(&self) -> usize {
        (self.size as usize).next_multiple_of(ALIGNMENT)
    }
}

/// Blocks of one size.
#[derive(Clone, Copy)]
struct OfSize {
    /// Number of the latest one.
    number: u32,
    /// The blocks still to come for the region, by number.
    hot: &'static [Hot],
}

/// The knowledge about the heap while the interpreter is initialised.
struct State {
    /// The blocks by size, while they are numbered: from the begin of the initialisation
    /// to its end.
    sizes: Cell<Option<&'static [Cell<OfSize>]>>,
    /// The list of the snapshot tool.
    hot: Cell<&'static [Hot]>,
    /// Begin and end of the region.
    region: Cell<(usize, usize)>,
    /// Where the next block of each part goes.
    free: [Cell<usize>; PARTS],
}

static STATE: Single<State> = Single(State {
    sizes: Cell::new(None),
    hot: Cell::new(&[]),
    region: Cell::new((0, 0)),
    free: [const { Cell::new(0) }; PARTS],
});

#[global_allocator]
static HEAP: Heap = Heap;

struct Heap;

// SAFETY: blocks come from dlmalloc, or from the region: never twice, with the size and
// alignment that was asked for. Blocks of the region are not dlmalloc's and never go
// back to it.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        if let Some(block) = FREED.take(layout) {
            return block.as_ptr();
        }
        FREED.make_room(layout.size());
        if let Some(sizes) = STATE.sizes.get() {
            let block = numbered(sizes, layout);
            allocated(block, layout.size());
            return block;
        }
        // SAFETY: as ours.
        unsafe { GIVEN.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // The blocks of the region live as long as the instance; nearly none of them is
        // ever given back.
        // SAFETY: a block of dlmalloc's, as the caller describes it.
        if !in_region(block) && !unsafe { FREED.give(block, layout) } {
            // SAFETY: as ours.
            unsafe { GIVEN.dealloc(block, layout) }
        }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if STATE.sizes.get().is_some() || FreedBlocks::keeps(layout.size()) {
            // SAFETY: as ours.
            let block = unsafe { self.alloc(layout) };
            if !block.is_null() {
                // SAFETY: a block of this size.
                unsafe { block.write_bytes(0, layout.size()) };
            }
            return block;
        }
        FREED.make_room(layout.size());
        // SAFETY: as ours.
        unsafe { GIVEN.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if STATE.sizes.get().is_none() && !in_region(block) {
            if FreedBlocks::alike(layout.size(), size) {
                return block;
            }
            if !FreedBlocks::keeps(layout.size()) && !FreedBlocks::keeps(size) {
                FREED.make_room(size);
                // SAFETY: as ours.
                return unsafe { GIVEN.realloc(block, layout, size) };
            }
        }
        // A block that has grown is another one, with a number of its own.
        // SAFETY: the caller promises that the size fits the alignment.
        let grown = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        // SAFETY: as ours; both blocks have the bytes that are copied.
        unsafe {
            let new = self.alloc(grown);
            if !new.is_null() {
                new.copy_from_nonoverlapping(block, layout.size().min(size));
                self.dealloc(block, layout);
            }
            new
        }
    }
}

fn in_region(block: *const u8) -> bool {
    let (start, end) = STATE.region.get();
    (start..end).contains(&block.addr())
}

/// The next block, in the region when the list says so.
fn numbered(sizes: &[Cell<OfSize>], layout: Layout) -> *mut u8 {
    let hot = sizes.get(layout.size()).and_then(next_of_size);
    let hot = hot.filter(|_| layout.align() <= ALIGNMENT);
    if let Some((hot, free)) = hot.and_then(|hot| Some((hot, STATE.free.get(hot.part())?))) {
        let start = free.get();
        free.set(start + hot.room());
        return start as *mut u8;
    }
    // SAFETY: the caller's layout.
    unsafe { GIVEN.alloc(layout) }
}

/// Numbers the next block of a size; that of the list, when it is in it.
fn next_of_size(size: &Cell<OfSize>) -> Option<Hot> {
    let OfSize { number, hot } = size.get();
    let number = number.wrapping_add(1);
    let next = hot.split_first();
    let next = next.filter(|(first, _)| first.number() == number);
    size.set(OfSize {
        number,
        hot: next.map_or(hot, |(_, rest)| rest),
    });
    next.map(|(first, _)| *first)
}

/// Tells the snapshot tool of a block: it puts a function of its own in place of this
/// one where it wants to know.
#[unsafe(export_name = "cordon-allocated")]
#[inline(never)]
extern "C" fn allocated(block: *const u8, size: usize) {
    black_box((block, size));
}

/// Room for a list of hot blocks, ascending by size and number: pairs of both, in four
/// little-endian bytes each, as [`Hot`] has them.
#[unsafe(export_name = "cordon-hot-blocks")]
extern "C" fn room(count: usize) -> *mut u8 {
    let blank = Hot { size: 0, number: 0 };
    let list = Box::leak(vec![blank; count].into_boxed_slice());
    let start = list.as_mut_ptr().cast();
    STATE.hot.set(list);
    start
}

/// Numbers blocks from now on, and places those of the list in a region of their own.
pub fn begin_numbering() {
    let hot = STATE.hot.take();
    let of_size = |size| {
        let from = hot.partition_point(|block| (block.size as usize) < size);
        let to = hot.partition_point(|block| block.size as usize <= size);
        let hot = hot.get(from..to).unwrap_or_default();
        Cell::new(OfSize { number: 0, hot })
    };
    let sizes: Vec<_> = (0..=LARGEST).map(of_size).collect();
    let sizes = Box::leak(sizes.into_boxed_slice());
    let bytes: usize = hot.iter().map(Hot::room).sum();
    if bytes > 0 {
        let before = core::arch::wasm32::memory_grow::<0>(bytes.div_ceil(PAGE));
        assert_ne!(before, usize::MAX, "there is no room for the hot blocks");
        let mut start = before * PAGE;
        STATE.region.set((start, start + bytes));
        for (part, free) in STATE.free.iter().enumerate() {
            free.set(start);
            let blocks = hot.iter().filter(|block| block.part() == part);
            start += blocks.map(Hot::room).sum::<usize>();
        }
    }
    STATE.sizes.set(Some(sizes));
}

/// Ends the numbering and uses up the freed blocks, so that the blocks of an instance
/// lie side by side.
///
/// Freed blocks are scattered over all that was ever allocated before the snapshot, and
/// the allocator hands them out first: nearly every one would cost an instance a page of
/// its own. The smallest blocks fit everywhere, and when the memory has to grow for one,
/// no freed block is left. The blocks taken here are never given back, and no instance
/// touches them. The memory for the instances' own blocks is there already, because
/// growing is a call of the hub and of its system.
pub fn end_numbering() {
    STATE.sizes.set(None);
    let before = core::arch::wasm32::memory_size::<0>();
    while core::arch::wasm32::memory_size::<0>() == before {
        // SAFETY: the layout has a size. The block is leaked on purpose.
        let block = unsafe { std::alloc::alloc(Layout::new::<u64>()) };
        // Else the compiler would leave the unused block out.
        if black_box(block).is_null() {
            return;
        }
    }
    // SAFETY: the layout has a size; the block is freed as it was allocated.
    unsafe {
        let block = black_box(std::alloc::alloc(ROOM));
        if !block.is_null() {
            std::alloc::dealloc(block, ROOM);
        }
    }
}
