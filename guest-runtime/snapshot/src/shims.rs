//! Fits every task with a shadow stack of its own.
//!
//! LLVM keeps the stack pointer in one global. Around each import that may switch tasks
//! a shim saves it and puts it back; each export gets a shim that first points it at
//! the task's stack, hands the result to `task.return`, and last points it at the stack
//! for calls between tasks (the guest's `stack` module says where they all are). The
//! snapshot tool does this because Rust has no stable way to reach that global.

use anyhow::Context;
use walrus::ir::{self, InstrSeqId};
use walrus::{
    ExportItem, FunctionBuilder, FunctionId, GlobalId, GlobalKind, ImportKind, LocalFunction,
    LocalId, Module, ValType,
};

use crate::bulk::{self, COPY, FILL};

/// An import by module and name.
pub struct Import {
    /// Module part of the core import.
    pub module: String,
    /// Name part of the core import.
    pub name: String,
}

/// An export that runs Python.
pub struct Export {
    /// Name of the core export as bound in Rust.
    pub name: String,
    /// Import that takes the result.
    pub task_return: Import,
    /// Whether every call gets a stack of its own from the heap; the others run
    /// one at a time on the linker's.
    pub own_stack: bool,
}

/// Exports that only the snapshot tool calls.
const INTERNAL: [&str; 11] = [
    "cordon-allocated",
    COPY,
    "cordon-exercise",
    FILL,
    "cordon-hot-blocks",
    "cordon-init",
    "cordon-rehearse",
    "cordon-sources",
    "cordon-scratch-top",
    "cordon-stack-acquire",
    "cordon-stack-release",
];

/// Rewrites the module.
pub fn fit(module: &[u8], blocking: &[Import], exports: &[Export]) -> anyhow::Result<Vec<u8>> {
    let mut module = Module::from_buffer(module)?;
    bulk::replace(&mut module)?;
    let stacks = Stacks::find(&module)?;
    for import in blocking {
        save_around(&mut module, &stacks, import)?;
    }
    for export in exports {
        wrap_export(&mut module, &stacks, export)?;
    }
    for name in INTERNAL {
        module.exports.remove(name).ok();
    }
    Ok(module.emit_wasm())
}

struct Stacks {
    pointer: GlobalId,
    main_top: i32,
    scratch_top: FunctionId,
    acquire: FunctionId,
    release: FunctionId,
}

impl Stacks {
    fn find(module: &Module) -> anyhow::Result<Self> {
        // wasm-ld always puts __stack_pointer first.
        let pointer = module
            .globals
            .iter()
            .find(|global| global.mutable && global.ty == ValType::I32)
            .context("the module has no stack pointer")?;
        let GlobalKind::Local(walrus::ConstExpr::Value(ir::Value::I32(main_top))) = pointer.kind
        else {
            anyhow::bail!("the stack pointer has no constant start");
        };
        anyhow::ensure!(
            main_top > 0 && main_top % 16 == 0,
            "the first mutable global is no stack pointer"
        );
        Ok(Self {
            pointer: pointer.id(),
            main_top,
            scratch_top: exported(module, "cordon-scratch-top")?,
            acquire: exported(module, "cordon-stack-acquire")?,
            release: exported(module, "cordon-stack-release")?,
        })
    }
}

/// The function of an export.
pub fn exported(module: &Module, name: &str) -> anyhow::Result<FunctionId> {
    module
        .exports
        .get_func(name)
        .map_err(|_| anyhow::anyhow!("the module does not export {name}"))
}

/// The import's function, or `None` when the module never calls it.
fn imported(module: &Module, import: &Import) -> Option<FunctionId> {
    let id = module.imports.find(&import.module, &import.name)?;
    match module.imports.get(id).kind {
        ImportKind::Function(function) => Some(function),
        _ => None,
    }
}

fn signature(module: &Module, function: FunctionId) -> (Vec<ValType>, Vec<ValType>) {
    let ty = module.types.get(module.funcs.get(function).ty());
    (ty.params().to_vec(), ty.results().to_vec())
}

/// Redirects every call of a blocking import to a shim that keeps the stack pointer.
fn save_around(module: &mut Module, stacks: &Stacks, import: &Import) -> anyhow::Result<()> {
    let Some(target) = imported(module, import) else {
        return Ok(());
    };
    let (params, results) = signature(module, target);
    let arguments: Vec<LocalId> = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let saved = module.locals.add(ValType::I32);
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    let mut body = builder.func_body();
    body.global_get(stacks.pointer).local_set(saved);
    for argument in &arguments {
        body.local_get(*argument);
    }
    body.call(target)
        .local_get(saved)
        .global_set(stacks.pointer);
    let shim = builder.finish(arguments, &mut module.funcs);
    redirect(module, target, shim);
    Ok(())
}

struct Redirect {
    from: FunctionId,
    to: FunctionId,
}

impl ir::VisitorMut for Redirect {
    fn visit_function_id_mut(&mut self, function: &mut FunctionId) {
        if *function == self.from {
            *function = self.to;
        }
    }
}

/// Replaces calls of one function by calls of another, everywhere but in that other.
pub fn redirect(module: &mut Module, from: FunctionId, to: FunctionId) {
    let mut visitor = Redirect { from, to };
    for (id, function) in module.funcs.iter_local_mut() {
        if id != to {
            let entry = function.entry_block();
            ir::dfs_pre_order_mut(&mut visitor, function, entry);
        }
    }
}

/// Every block of a function.
struct Blocks(Vec<InstrSeqId>);

impl<'instr> ir::Visitor<'instr> for Blocks {
    fn start_instr_seq(&mut self, block: &'instr ir::InstrSeq) {
        self.0.push(block.id());
    }
}

/// The blocks of a function, each before those within it.
pub fn blocks(function: &LocalFunction) -> Vec<InstrSeqId> {
    let mut blocks = Blocks(Vec::new());
    ir::dfs_in_order(&mut blocks, function, function.entry_block());
    blocks.0
}

/// Replaces a synchronous export by a stackful asynchronous one.
fn wrap_export(module: &mut Module, stacks: &Stacks, export: &Export) -> anyhow::Result<()> {
    let target = exported(module, &export.name)?;
    let (params, results) = signature(module, target);
    let return_type = module.types.add(&results, &[]);
    let Import { module: from, name } = &export.task_return;
    let (task_return, _) = module.add_import_func(from, name, return_type);
    let arguments: Vec<LocalId> = params.iter().map(|ty| module.locals.add(*ty)).collect();
    let top = module.locals.add(ValType::I32);
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &[]);
    let mut body = builder.func_body();
    if export.own_stack {
        body.call(stacks.acquire);
    } else {
        body.i32_const(stacks.main_top);
    }
    body.local_tee(top).global_set(stacks.pointer);
    for argument in &arguments {
        body.local_get(*argument);
    }
    body.call(target)
        .call(task_return)
        .call(stacks.scratch_top)
        .global_set(stacks.pointer);
    if export.own_stack {
        body.local_get(top).call(stacks.release);
    }
    let shim = builder.finish(arguments, &mut module.funcs);
    let old = module
        .exports
        .iter()
        .find(|candidate| candidate.name == export.name)
        .map(|candidate| candidate.id())
        .context("an export vanished")?;
    module.exports.delete(old);
    module.exports.add(
        &format!("[async-lift-stackful]{}", export.name),
        ExportItem::Function(shim),
    );
    Ok(())
}
