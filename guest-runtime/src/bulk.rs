//! Copies and fills of a few bytes.
//!
//! The interpreter moves a handful of bytes all the time: the arguments of a call, the
//! elements of a list, the letters of a name. LLVM makes one instruction of each, and
//! wasmtime makes a call into the host of that instruction when the length is not a
//! small constant. The snapshot tool puts calls of these functions in its place. They
//! move a short block with a few loads and stores, and use the instruction for a longer
//! one.

use core::arch::wasm32::{u8x16_splat, u64x2_extract_lane, v128, v128_load, v128_store};
use core::ptr;

/// Copies bytes, as `memory.copy`. The parts may overlap: a short block is read as a
/// whole before any of it is written.
///
/// # Safety
///
/// Both parts lie in the memory.
#[unsafe(export_name = "cordon-copy")]
#[target_feature(enable = "simd128")]
unsafe extern "C" fn copy(to: *mut u8, from: *const u8, count: usize) {
    // SAFETY: each access lies in the parts, of which the caller says that they lie in
    // the memory.
    unsafe {
        match count {
            0 => {}
            1..4 => {
                let (middle, last) = (count / 2, count - 1);
                let bytes = (*from, *from.add(middle), *from.add(last));
                *to = bytes.0;
                *to.add(middle) = bytes.1;
                *to.add(last) = bytes.2;
            }
            4..8 => ends::<u32>(to, from, count),
            8..16 => ends::<u64>(to, from, count),
            16..=32 => {
                let last = count - 16;
                let (a, b) = (load(from), load(from.add(last)));
                store(to, a);
                store(to.add(last), b);
            }
            33..=64 => {
                let last = count - 16;
                let (a, b) = (load(from), load(from.add(16)));
                let (c, d) = (load(from.add(last - 16)), load(from.add(last)));
                store(to, a);
                store(to.add(16), b);
                store(to.add(last - 16), c);
                store(to.add(last), d);
            }
            _ => ptr::copy(from, to, count),
        }
    }
}

/// Sets bytes to a value, as `memory.fill`.
///
/// # Safety
///
/// The part lies in the memory.
#[unsafe(export_name = "cordon-fill")]
#[target_feature(enable = "simd128")]
unsafe extern "C" fn fill(to: *mut u8, value: i32, count: usize) {
    // The instruction, too, looks at the lowest byte only.
    let byte = value.cast_unsigned() as u8;
    let bytes = u8x16_splat(byte);
    let long = u64x2_extract_lane::<0>(bytes);
    // SAFETY: as in `copy`.
    unsafe {
        match count {
            0 => {}
            1..4 => {
                *to = byte;
                *to.add(count / 2) = byte;
                *to.add(count - 1) = byte;
            }
            4..8 => {
                let word = long as u32;
                to.cast::<u32>().write_unaligned(word);
                to.add(count - 4).cast::<u32>().write_unaligned(word);
            }
            8..16 => {
                to.cast::<u64>().write_unaligned(long);
                to.add(count - 8).cast::<u64>().write_unaligned(long);
            }
            16..=32 => {
                store(to, bytes);
                store(to.add(count - 16), bytes);
            }
            33..=64 => {
                store(to, bytes);
                store(to.add(16), bytes);
                store(to.add(count - 32), bytes);
                store(to.add(count - 16), bytes);
            }
            _ => ptr::write_bytes(to, byte, count),
        }
    }
}

/// Copies the first and the last bytes that fit a number, which together are all.
///
/// # Safety
///
/// As of [`copy`]; `count` is between the size of the number and twice that.
unsafe fn ends<T: Copy>(to: *mut u8, from: *const u8, count: usize) {
    let last = count - size_of::<T>();
    // SAFETY: the caller's promise.
    unsafe {
        let first = from.cast::<T>().read_unaligned();
        let end = from.add(last).cast::<T>().read_unaligned();
        to.cast::<T>().write_unaligned(first);
        to.add(last).cast::<T>().write_unaligned(end);
    }
}

#[target_feature(enable = "simd128")]
unsafe fn load(from: *const u8) -> v128 {
    // SAFETY: the caller's promise; no alignment is asked for.
    unsafe { v128_load(from.cast()) }
}

#[target_feature(enable = "simd128")]
unsafe fn store(to: *mut u8, bytes: v128) {
    // SAFETY: as above.
    unsafe { v128_store(to.cast(), bytes) }
}
