//! The Python files of `guest-runtime/python`, as the snapshot tool hands them over.
//!
//! They are not compiled into the module: the tool writes them into memory
//! before it calls `cordon-init`, so a change of Python needs no link step. They
//! become importable through a finder of their own and are part of the snapshot.

use std::cell::Cell;

use crate::single::Single;
use rustpython_vm::{PyResult, VirtualMachine};

/// Address and length of the bundle in memory.
static BUNDLE: Single<Cell<(usize, usize)>> = Single(Cell::new((0, 0)));

/// Room for `length` bytes of sources: a sequence of name length, name, source
/// length, source, with lengths as four little-endian bytes.
#[unsafe(export_name = "cordon-sources")]
extern "C" fn room(length: usize) -> *mut u8 {
    let block = Box::leak(vec![0_u8; length].into_boxed_slice());
    BUNDLE.set((block.as_ptr() as usize, length));
    block.as_mut_ptr()
}

fn take_block<'a>(rest: &mut &'a [u8]) -> Option<&'a str> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let (block, after) = after.split_at_checked(length)?;
    *rest = after;
    std::str::from_utf8(block).ok()
}

/// Makes the bundled modules importable.
///
/// # Errors
///
/// Whatever Python raises while the finder is set up.
pub fn install(vm: &VirtualMachine) -> PyResult<()> {
    let (start, length) = BUNDLE.get();
    // SAFETY: set by `room` to a leaked block of this length.
    let mut rest = unsafe { std::slice::from_raw_parts(start as *const u8, length) };
    let sources = vm.ctx.new_dict();
    while !rest.is_empty() {
        let (Some(name), Some(source)) = (take_block(&mut rest), take_block(&mut rest)) else {
            return Err(vm.new_value_error("the bundle of Python sources is damaged"));
        };
        sources.set_item(name, vm.ctx.new_str(source).into(), vm)?;
    }
    let scope = vm.new_scope_with_builtins();
    scope.globals.set_item("sources", sources.into(), vm)?;
    vm.run_string(scope, FINDER, "<cordon finder>").map(drop)
}

/// Finds bundled modules before anything else looks for them.
///
/// They are compiled here, so that a plugin that imports one pays for running it
/// only. The name of a package ends with a dot in the bundle.
const FINDER: &str = r#"
import marshal
import sys
from _frozen_importlib import ModuleSpec

packages = {name[:-1] for name in sources if name.endswith(".")}
compiled = {
    name.rstrip("."): marshal.dumps(
        compile(source, "<cordon " + name.rstrip(".") + ">", "exec", dont_inherit=True))
    for name, source in sources.items()
}
sources.clear()

class Finder:
    "Finds the modules that are part of the runtime."

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name in compiled and Finder.belongs(name):
            return ModuleSpec(name, Finder, origin="cordon", is_package=name in packages)
        return None

    @staticmethod
    def belongs(name):
        "A plugin's own package of the same name has its own modules."
        parent = sys.modules.get(name.rpartition(".")[0])
        return getattr(parent, "__spec__", None) is None or (
            parent.__spec__.origin in ("cordon", "frozen"))

    @staticmethod
    def create_module(spec):
        return None

    @staticmethod
    def exec_module(module):
        exec(marshal.loads(compiled[module.__name__]), module.__dict__)

sys.meta_path.insert(0, Finder)
"#;
