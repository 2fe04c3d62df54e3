//! Random bytes of the operating system, bounded per call (`random-bytes`).
//!
//! wasmtime bounds them as well, but its error names no limit; so this module looks at the bound
//! first.

use wasmtime::component::{HasData, Linker};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::bindings::random::random;
use wasmtime_wasi::random::WasiRandomCtx;

use crate::instance::state::InstanceState;
use cordon_base::limits::Limits;

struct Random;

impl HasData for Random {
    type Data<'a> = RandomView<'a>;
}

/// The generator of one instance with its bound.
pub struct RandomView<'a> {
    limit: u64,
    generator: &'a mut WasiRandomCtx,
}

/// Puts the bound before `wasi:random/random`, which must be linked already.
///
/// # Errors
///
/// A fault of ours: a name of the interface that cannot be defined.
pub fn add_to_linker(linker: &mut Linker<InstanceState>) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let added = random::add_to_linker::<InstanceState, Random>(linker, |state| RandomView {
        limit: state.shared.limits.random_bytes,
        generator: state.ctx().ctx.random(),
    });
    linker.allow_shadowing(false);
    added
}

impl random::Host for RandomView<'_> {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        if len > self.limit {
            return Err(Limits::hit("random-bytes", len, self.limit).into());
        }
        random::Host::get_random_bytes(self.generator, len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        random::Host::get_random_u64(self.generator)
    }
}
