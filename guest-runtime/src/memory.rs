//! Shows the hub the memory that this instance has of the snapshot.

use std::alloc::Layout;

use crate::abi::cordon::plugin::memory;

/// Bytes of one part, at most what the contract says.
const PART: usize = 1 << 20;

/// Bytes of a page of WebAssembly.
const PAGE: usize = 1 << 16;

/// Size classes of small blocks, as the allocator has them.
const CLASSES: std::ops::RangeInclusive<u32> = 5..=12;

/// Bytes of a block that are the allocator's own.
const OVERHEAD: usize = 20;

/// Blocks in a row that show that a class has no freed ones left; of large ones half
/// of what the allocator gets at once.
const ROW: usize = 64;

/// Most blocks that are tried of a class.
const TRIES: u32 = 1 << 18;

/// Uses up the freed small blocks, so that what an instance allocates lies side by side.
///
/// Freed blocks are scattered over all that was ever allocated before the snapshot,
/// and the allocator hands them out first: nearly every one would cost an instance a
/// page of its own. Blocks fresh from the end come in ascending order. What is taken
/// here is never given back; no instance touches it.
pub fn use_up_freed_blocks() {
    for class in CLASSES {
        let Ok(layout) = Layout::from_size_align((1 << class) - OVERHEAD, 8) else {
            continue;
        };
        let enough = ROW.min((PAGE >> class) / 2);
        let (mut last, mut row) = (0, 0);
        for _ in 0..TRIES {
            // SAFETY: the layout has a size. The block is leaked on purpose.
            let block = unsafe { std::alloc::alloc(layout) } as usize;
            row = if block == last + (1 << class) {
                row + 1
            } else {
                0
            };
            last = block;
            if row == enough || block == 0 {
                break;
            }
        }
    }
}

/// Shows all of it, so that the hub gets the pages ready that a start writes to.
pub fn show() {
    let end = core::arch::wasm32::memory_size::<0>() * PAGE;
    // The first part would begin at a null pointer; nothing is ever written there.
    for start in (PART..end).step_by(PART) {
        let length = PART.min(end - start);
        // SAFETY: all of it lies in the memory, and the hub reads no byte of it; what
        // other references there are to it is not used meanwhile.
        let part = unsafe { core::slice::from_raw_parts(start as *const u8, length) };
        memory::prepare(u32::try_from(start).unwrap_or(u32::MAX), part);
    }
    memory::prepare(0, &[]);
}
