//! Puts calls of the guest's own functions in place of copies and fills of memory.
//!
//! wasmtime calls into the host for each copy or fill that has no small constant
//! length. The guest's module `bulk` has functions that do short ones without such a
//! call.

use walrus::ir::{self, Instr};
use walrus::{FunctionId, LocalFunction, Module};

use crate::shims::{blocks, exported};

/// The exports of the guest with these functions.
pub const COPY: &str = "cordon-copy";
pub const FILL: &str = "cordon-fill";

/// Longest copy, in bytes, that wasmtime 48 expands in place when its length is constant.
const EXPANDED: i32 = 128;

/// Replaces the instructions everywhere but in the two functions.
pub fn replace(module: &mut Module) -> anyhow::Result<()> {
    let copy = exported(module, COPY)?;
    let fill = exported(module, FILL)?;
    for (id, function) in module.funcs.iter_local_mut() {
        if id != copy && id != fill {
            replace_in(function, copy, fill);
        }
    }
    Ok(())
}

fn replace_in(function: &mut LocalFunction, copy: FunctionId, fill: FunctionId) {
    for block in blocks(function) {
        // The number that the instruction before has pushed: the length, when it is a constant.
        let mut constant = None;
        for (instruction, _) in &mut function.block_mut(block).instrs {
            let replaced = match instruction {
                Instr::MemoryCopy(_) if !constant.is_some_and(expanded) => Some(copy),
                Instr::MemoryFill(_) => Some(fill),
                _ => None,
            };
            constant = match instruction {
                Instr::Const(ir::Const {
                    value: ir::Value::I32(value),
                }) => Some(*value),
                _ => None,
            };
            if let Some(func) = replaced {
                *instruction = Instr::Call(ir::Call { func });
            }
        }
    }
}

fn expanded(length: i32) -> bool {
    (0..=EXPANDED).contains(&length)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
mod tests {
    use walrus::{FunctionBuilder, FunctionKind, MemoryId, ModuleConfig, ValType};

    use super::*;

    /// A function of three numbers whose only work is this instruction; the last operand is
    /// a constant or its last parameter.
    fn function(module: &mut Module, length: Option<i32>, work: impl Into<Instr>) -> FunctionId {
        let parameters = [(); 3].map(|()| module.locals.add(ValType::I32));
        let [to, from, count] = parameters;
        let mut builder = FunctionBuilder::new(&mut module.types, &[ValType::I32; 3], &[]);
        let mut body = builder.func_body();
        body.local_get(to).local_get(from);
        match length {
            Some(length) => body.i32_const(length),
            None => body.local_get(count),
        };
        body.instr(work);
        builder.finish(parameters.to_vec(), &mut module.funcs)
    }

    fn copying(memory: MemoryId) -> ir::MemoryCopy {
        ir::MemoryCopy {
            src: memory,
            dst: memory,
        }
    }

    /// The function that this one calls; none when it still has its own instruction.
    fn calls(module: &Module, id: FunctionId) -> Option<FunctionId> {
        let FunctionKind::Local(function) = &module.funcs.get(id).kind else {
            panic!("an import");
        };
        let block = function.block(function.entry_block());
        let (last, _) = block.instrs.last().unwrap();
        match last {
            Instr::Call(call) => Some(call.func),
            Instr::MemoryCopy(_) | Instr::MemoryFill(_) => None,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn all_but_short_constant_copies_become_calls() {
        let mut module = Module::with_config(ModuleConfig::new());
        let memory = module.memories.add_local(false, false, 1, None, None);
        let copy = function(&mut module, None, copying(memory));
        let fill = function(&mut module, None, ir::MemoryFill { memory });
        module.exports.add(COPY, copy);
        module.exports.add(FILL, fill);
        let cases = [
            (None, Some(copy)),
            (Some(EXPANDED), None),
            (Some(EXPANDED + 1), Some(copy)),
            (Some(-1), Some(copy)),
        ];
        let copies = cases.map(|(length, _)| function(&mut module, length, copying(memory)));
        let fills = [None, Some(8)].map(|it| function(&mut module, it, ir::MemoryFill { memory }));
        replace(&mut module).unwrap();
        for (id, (length, expected)) in copies.into_iter().zip(cases) {
            assert_eq!(calls(&module, id), expected, "{length:?}");
        }
        for id in fills {
            assert_eq!(calls(&module, id), Some(fill));
        }
        // These would call themselves for ever.
        assert_eq!(calls(&module, copy), None);
        assert_eq!(calls(&module, fill), None);
    }

    #[test]
    fn a_guest_without_the_functions_is_refused() {
        let mut module = Module::with_config(ModuleConfig::new());
        let refused = replace(&mut module).unwrap_err().to_string();
        assert_eq!(refused, "the module does not export cordon-copy");
    }
}
