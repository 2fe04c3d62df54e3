//! Finds out which blocks of the heap a start writes to and reads.
//!
//! The module is initialised with every store and load instrumented. Then a start is
//! rehearsed, and the addresses that it touches are looked up among the blocks that were
//! allocated before. The guest's `heap` module explains the purpose.

use std::collections::{BTreeMap, BTreeSet};

use walrus::ir::{self, Instr, StoreKind};
use walrus::{
    ConstExpr, FunctionBuilder, FunctionId, FunctionKind, GlobalId, LocalFunction, LocalId, Module,
    ValType,
};
use wasmtime::error::Context;
use wasmtime::{Caller, Result, Val, ensure};

use crate::initialise::{self, Seed, State};
use crate::shims::{blocks, redirect};

/// Where the instrumented module's own imports come from.
const TRACE: &str = "cordon-trace";

/// The imports that are told of allocations, stores and loads.
const ALLOCATED: &str = "allocated";
const WROTE: &str = "wrote";
const READ: &str = "read";

/// The exported global that is not zero while accesses are looked at.
const RECORDING: &str = "cordon-recording";

/// Every block begins at a multiple of this many bytes.
const GRAIN: u32 = 8;

/// Largest block in bytes that is placed: a start writes only to parts of larger ones.
const LARGEST: u32 = 2048;

/// Where the part of the region begins in the number of a block, as the guest has it.
const PART_SHIFT: u32 = 30;

/// A block of the heap; `size` is 0 for none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Block {
    size: u32,
    /// Number among the blocks of this size, in the order of allocation.
    number: u32,
}

/// Takes an address and a length that the instrumented guest tells of.
type Teller = fn(&mut Trace, u32, u32);

/// The allocations and accesses of the instrumented guest.
#[derive(Default)]
pub struct Trace {
    /// Number of the latest block of each size.
    numbers: BTreeMap<u32, u32>,
    /// Number of the latest block of each size when the initialisation was at its end.
    initial: BTreeMap<u32, u32>,
    /// The latest block that begins at each grain.
    blocks: Vec<Block>,
    /// The blocks of the initialisation that were written to.
    written: BTreeSet<Block>,
    /// The ones that were read.
    read: BTreeSet<Block>,
}

impl Trace {
    fn allocated(&mut self, start: u32, size: u32) {
        let number = self.numbers.entry(size).or_default();
        *number = number.wrapping_add(1);
        let block = Block {
            size,
            number: *number,
        };
        let first = grain(start);
        let last = grain(start.saturating_add(size.max(1) - 1));
        if self.blocks.len() <= last {
            self.blocks.resize(last + 1, Block::default());
        }
        if let Some(grains) = self.blocks.get_mut(first..=last) {
            grains.fill(Block::default());
            if let Some(grain) = grains.first_mut() {
                *grain = block;
            }
        }
    }

    fn wrote(&mut self, start: u32, length: u32) {
        let blocks: Vec<_> = self.initial_blocks(start, length).collect();
        self.written.extend(blocks);
    }

    fn read(&mut self, start: u32, length: u32) {
        let blocks: Vec<_> = self.initial_blocks(start, length).collect();
        self.read.extend(blocks);
    }

    /// The blocks of the initialisation in a part of the memory.
    fn initial_blocks(&self, start: u32, length: u32) -> impl Iterator<Item = Block> {
        let grains = grain(start)..=grain(start.saturating_add(length.max(1) - 1));
        grains
            .filter_map(|grain| self.block_around(grain))
            .filter(|block| {
                let last = self.initial.get(&block.size);
                last.is_some_and(|last| block.number <= *last)
            })
    }

    /// The block of a size to be placed that a grain belongs to.
    fn block_around(&self, grain: usize) -> Option<Block> {
        let reach = (LARGEST / GRAIN) as usize;
        let before = self.blocks.get(grain.saturating_sub(reach)..=grain)?;
        let (distance, block) = before
            .iter()
            .rev()
            .enumerate()
            .find(|(_, it)| it.size != 0)?;
        let end = block.size.div_ceil(GRAIN) as usize;
        (distance < end && block.size <= LARGEST).then_some(*block)
    }
}

fn grain(address: u32) -> usize {
    (address / GRAIN) as usize
}

/// The sizes and numbers of the blocks that starts touch, ascending, as the guest takes
/// them. A rehearsed start tells those of every start, the exercise of plugins' work
/// those of many.
pub async fn hot_blocks(module: &[u8], sources: &[u8], seed: &Seed) -> Result<Vec<u8>> {
    let engine = initialise::engine()?;
    let module = wasmtime::Module::new(&engine, instrument(module)?)?;
    let mut linker = initialise::linker(&engine)?;
    let tellers: [(_, Teller); 3] = [
        (ALLOCATED, Trace::allocated),
        (WROTE, Trace::wrote),
        (READ, Trace::read),
    ];
    for (name, tell) in tellers {
        linker.func_wrap(
            TRACE,
            name,
            move |mut caller: Caller<'_, State>, start, length| {
                tell(&mut caller.data_mut().trace, start, length);
            },
        )?;
    }
    linker.define_unknown_imports_as_traps(&module)?;
    let mut store = initialise::store(&engine, seed);
    let instance = linker.instantiate_async(&mut store, &module).await?;
    initialise::hand_over(&mut store, &instance, "cordon-sources", sources, 1).await?;
    let init = instance.get_typed_func::<(), ()>(&mut store, initialise::INIT)?;
    init.call_async(&mut store, ()).await?;
    let trace = &mut store.data_mut().trace;
    trace.initial.clone_from(&trace.numbers);
    let recording = instance.get_global(&mut store, RECORDING);
    let recording = recording.context("the instrumented module has no switch")?;
    recording.set(&mut store, Val::I32(1))?;
    let rehearse = instance.get_typed_func::<(), ()>(&mut store, "cordon-rehearse")?;
    rehearse.call_async(&mut store, ()).await?;
    let always = store.data().trace.written.clone();
    let always_read = store.data().trace.read.clone();
    ensure!(!always.is_empty(), "the rehearsed start wrote to no block");
    let exercise = instance.get_typed_func::<(), ()>(&mut store, "cordon-exercise")?;
    exercise.call_async(&mut store, ()).await?;
    let Trace { written, read, .. } = &store.data().trace;
    println!("hot: {} blocks written, {} read", written.len(), read.len());
    Ok(written
        .union(read)
        .flat_map(|block| {
            let part = [&always, written, &always_read, read]
                .iter()
                .position(|part| part.contains(block));
            let part = part.and_then(|part| u32::try_from(part).ok()).unwrap_or(0);
            let number = block.number | part << PART_SHIFT;
            [block.size.to_le_bytes(), number.to_le_bytes()]
        })
        .flatten()
        .collect())
}

/// The module, changed so that it tells [`Trace`] of its stores, loads and allocations.
fn instrument(module: &[u8]) -> Result<Vec<u8>> {
    let mut module = Module::from_buffer(module).map_err(wasmtime::Error::from_anyhow)?;
    let told = module.exports.get_func("cordon-allocated");
    let told = told.map_err(wasmtime::Error::from_anyhow)?;
    let pair = module.types.add(&[ValType::I32, ValType::I32], &[]);
    let (allocated, _) = module.add_import_func(TRACE, ALLOCATED, pair);
    redirect(&mut module, told, allocated);
    let recording = module.globals.add_local(
        ValType::I32,
        true,
        false,
        ConstExpr::Value(ir::Value::I32(0)),
    );
    module.exports.add(RECORDING, recording);
    let functions: Vec<_> = module.funcs.iter_local().map(|(id, _)| id).collect();
    let probes = Probes {
        wrote: probe(&mut module, WROTE, recording),
        read: probe(&mut module, READ, recording),
    };
    for id in functions {
        let scratch = Scratch::new(&mut module);
        if let FunctionKind::Local(function) = &mut module.funcs.get_mut(id).kind {
            put_probes(function, &probes, &scratch);
        }
    }
    Ok(module.emit_wasm())
}

/// The functions that are called before stores and loads.
struct Probes {
    wrote: FunctionId,
    read: FunctionId,
}

/// A function that tells of an access, when accesses are looked at.
fn probe(module: &mut Module, name: &str, recording: GlobalId) -> FunctionId {
    let pair = module.types.add(&[ValType::I32, ValType::I32], &[]);
    let (tell, _) = module.add_import_func(TRACE, name, pair);
    let (start, length) = (
        module.locals.add(ValType::I32),
        module.locals.add(ValType::I32),
    );
    let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32, ValType::I32], &[]);
    builder.func_body().global_get(recording).if_else(
        None,
        |body| {
            body.local_get(start).local_get(length).call(tell);
        },
        |_| {},
    );
    builder.finish(vec![start, length], &mut module.funcs)
}

/// Locals to keep the operands of a store in.
struct Scratch {
    start: LocalId,
    length: LocalId,
    int: LocalId,
    long: LocalId,
    float: LocalId,
    double: LocalId,
    vector: LocalId,
}

impl Scratch {
    fn new(module: &mut Module) -> Self {
        let mut local = |ty| module.locals.add(ty);
        Self {
            start: local(ValType::I32),
            length: local(ValType::I32),
            int: local(ValType::I32),
            long: local(ValType::I64),
            float: local(ValType::F32),
            double: local(ValType::F64),
            vector: local(ValType::V128),
        }
    }

    /// Where the value of such a store fits.
    fn value(&self, kind: StoreKind) -> LocalId {
        match kind {
            StoreKind::I32 { .. } | StoreKind::I32_8 { .. } | StoreKind::I32_16 { .. } => self.int,
            StoreKind::F32 => self.float,
            StoreKind::F64 => self.double,
            StoreKind::V128 => self.vector,
            _ => self.long,
        }
    }
}

/// Puts a call of a probe before every store and load of a function.
fn put_probes(function: &mut LocalFunction, probes: &Probes, scratch: &Scratch) {
    for block in blocks(function) {
        let block = function.block_mut(block);
        let mut probed = Vec::with_capacity(block.instrs.len());
        for (instruction, place) in block.instrs.drain(..) {
            for added in before(&instruction, probes, scratch) {
                probed.push((added, place));
            }
            probed.push((instruction, place));
        }
        block.instrs = probed;
    }
}

/// The instructions that report an access, when the instruction is one: they take its
/// operands from the stack and put them back.
fn before(instruction: &Instr, probes: &Probes, scratch: &Scratch) -> Vec<Instr> {
    let set = |local| Instr::LocalSet(ir::LocalSet { local });
    let get = |local| Instr::LocalGet(ir::LocalGet { local });
    let number = |value: i32| {
        Instr::Const(ir::Const {
            value: ir::Value::I32(value),
        })
    };
    let add = Instr::Binop(ir::Binop {
        op: ir::BinaryOp::I32Add,
    });
    let tell = |func| Instr::Call(ir::Call { func });
    match instruction {
        Instr::Store(store) => {
            let value = scratch.value(store.kind);
            let offset = u32::try_from(store.arg.offset).unwrap_or_default();
            vec![
                set(value),
                set(scratch.start),
                get(scratch.start),
                number(offset.cast_signed()),
                add,
                number(store.kind.width().cast_signed()),
                tell(probes.wrote),
                get(scratch.start),
                get(value),
            ]
        }
        Instr::Load(load) => {
            let offset = u32::try_from(load.arg.offset).unwrap_or_default();
            vec![
                set(scratch.start),
                get(scratch.start),
                number(offset.cast_signed()),
                add,
                number(load.kind.width().cast_signed()),
                tell(probes.read),
                get(scratch.start),
            ]
        }
        Instr::MemoryCopy(_) | Instr::MemoryFill(_) => vec![
            set(scratch.length),
            set(scratch.int),
            set(scratch.start),
            get(scratch.start),
            get(scratch.length),
            tell(probes.wrote),
            get(scratch.start),
            get(scratch.int),
            get(scratch.length),
        ],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A trace whose initialisation has allocated these blocks.
    fn trace(blocks: &[(u32, u32)]) -> Trace {
        let mut trace = Trace::default();
        for (start, size) in blocks {
            trace.allocated(*start, *size);
        }
        trace.initial.clone_from(&trace.numbers);
        trace
    }

    fn written(trace: &Trace) -> Vec<(u32, u32)> {
        trace
            .written
            .iter()
            .map(|it| (it.size, it.number))
            .collect()
    }

    #[test]
    fn a_write_belongs_to_the_block_around_it() {
        let mut trace = trace(&[(64, 24), (96, 24), (128, 100)]);
        trace.wrote(96 + 20, 4);
        trace.wrote(128 + 96, 4);
        trace.wrote(128 + 104, 4);
        assert_eq!(written(&trace), [(24, 2), (100, 1)]);
    }

    #[test]
    fn a_write_across_two_blocks_belongs_to_both() {
        let mut trace = trace(&[(64, 16), (80, 16)]);
        trace.wrote(76, 8);
        assert_eq!(written(&trace), [(16, 1), (16, 2)]);
    }

    #[test]
    fn a_place_belongs_to_its_latest_block() {
        let mut trace = trace(&[(64, 16), (80, 16), (64, 32)]);
        trace.wrote(80, 4);
        assert_eq!(written(&trace), [(32, 1)]);
        // A block from after the initialisation is in no snapshot.
        trace.allocated(64, 16);
        trace.wrote(64, 4);
        assert_eq!(written(&trace), [(32, 1)]);
    }

    #[test]
    fn large_blocks_stay_where_they_are() {
        let mut trace = trace(&[(64, LARGEST + 1), (8192, LARGEST)]);
        trace.wrote(64, 4);
        trace.wrote(8192 + LARGEST - 1, 1);
        assert_eq!(written(&trace), [(LARGEST, 1)]);
    }
}
