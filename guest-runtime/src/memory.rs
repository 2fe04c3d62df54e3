//! Shows the hub the memory that an instance has of the snapshot.

use crate::abi::cordon::plugin::memory;

/// Bytes of one part; the contract allows no more.
const PART: usize = 1 << 20;

/// Bytes of a page of WebAssembly.
const PAGE: usize = 1 << 16;

/// Bytes of the memory.
pub fn size() -> usize {
    core::arch::wasm32::memory_size::<0>() * PAGE
}

/// Shows all of the memory, so that the hub gets the pages ready that a start writes to.
pub fn show() {
    let end = size();
    // The first part would begin at a null pointer; nothing is ever written there.
    for start in (PART..end).step_by(PART) {
        let length = PART.min(end - start);
        // SAFETY: all of it lies in the memory, and the hub reads no byte of it; other
        // references to it are not used meanwhile.
        let part = unsafe { core::slice::from_raw_parts(start as *const u8, length) };
        memory::prepare(u32::try_from(start).unwrap_or(u32::MAX), part);
    }
    memory::prepare(0, &[]);
}
