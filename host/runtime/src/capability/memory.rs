//! `memory`: makes the pages that every start writes to the instance's own, at once.

use rustix::mm::{Advice, madvise};
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, WasmList};

use crate::abi::cordon::plugin::memory;
use crate::engine::hot_pages::{PAGE, Part};
use crate::instance::state::InstanceState;

/// Largest part, in bytes: the runtime may show these whatever `call-bytes` says.
pub const PART: usize = 1 << 20;

/// Most parts that an instance may show while pages are learned.
const PARTS: usize = 256;

/// Pages between two hot ones that are taken along: less than a call costs.
const GAP: usize = 1;

/// Puts a definition that looks at the memory in place before the one that gets a copy
/// of it.
///
/// # Errors
///
/// A fault of ours: a name of the interface that cannot be defined.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = linker
        .instance("cordon:plugin/memory@0.1.0")
        .and_then(|mut interface| {
            interface.func_wrap(
                "prepare",
                |mut store: StoreContextMut<'_, InstanceState>,
                 (offset, part): (u32, WasmList<u8>)| {
                    prepare(&mut store, offset, &part);
                    Ok(())
                },
            )
        });
    linker.allow_shadowing(false);
    added
}

impl memory::Host for InstanceState {
    /// Never called: see [`add_to_linker`].
    fn prepare(&mut self, _offset: u32, _part: Vec<u8>) {}
}

fn prepare(store: &mut StoreContextMut<'_, InstanceState>, offset: u32, bytes: &WasmList<u8>) {
    if bytes.len() == 0 {
        let limit = store.data().shared.limits.call_bytes;
        store.set_hostcall_fuel(usize::try_from(limit).unwrap_or(usize::MAX));
        return;
    }
    let bytes = bytes.as_le_slice(&*store);
    // Whole pages only; the guest shows parts that begin with one.
    let skipped = bytes.as_ptr().align_offset(PAGE);
    let Some(bytes) = bytes.get(skipped..) else {
        return;
    };
    let Ok(offset) = usize::try_from(offset) else {
        return;
    };
    let part = Part {
        first: offset.saturating_add(skipped) / PAGE,
        address: bytes.as_ptr().addr() / PAGE,
        pages: bytes.len() / PAGE,
    };
    let hot = std::sync::Arc::clone(&store.data().hot_pages);
    if let Some(pages) = hot.known() {
        populate(bytes, part, pages);
    }
    if hot.learns() {
        let parts = &mut store.data_mut().parts;
        if parts.len() < PARTS {
            parts.push(part);
        }
    }
}

/// Asks for the hot pages of a part in as few calls as they take.
fn populate(bytes: &[u8], part: Part, pages: &[usize]) {
    let from = pages.partition_point(|page| *page < part.first);
    let to = pages.partition_point(|page| *page < part.first.saturating_add(part.pages));
    let hot = pages.get(from..to).unwrap_or_default();
    for run in hot.chunk_by(|page, next| next.saturating_sub(*page) <= GAP + 1) {
        let (Some(first), Some(last)) = (run.first(), run.last()) else {
            continue;
        };
        let start = first.saturating_sub(part.first).saturating_mul(PAGE);
        let end = last
            .saturating_sub(part.first)
            .saturating_add(1)
            .saturating_mul(PAGE);
        let Some(range) = bytes.get(start..end) else {
            continue;
        };
        // SAFETY: the range lies in memory that wasmtime has just checked to be this
        // instance's, which does not run meanwhile; populating changes nothing that it
        // holds. A kernel that cannot (before 5.14) refuses, and the pages fault later.
        let _ = unsafe {
            madvise(
                range.as_ptr().cast_mut().cast(),
                range.len(),
                Advice::LinuxPopulateWrite,
            )
        };
    }
}
