//! Runs one Python file in native RustPython: `cordon-bench-rustpython FILE`.
//!
//! The interpreter is put together as in the guest, without the hub's modules.

use std::process::ExitCode;

use rustpython_vm::{self as vm, AsObject, Interpreter};

fn main() -> ExitCode {
    let Some(file) = std::env::args().nth(1) else {
        eprintln!("usage: cordon-bench-rustpython FILE");
        return ExitCode::FAILURE;
    };
    let source = match std::fs::read_to_string(&file) {
        Ok(source) => source,
        Err(error) => {
            eprintln!("cannot read {file}: {error}");
            return ExitCode::FAILURE;
        }
    };
    let code = interpreter().run(|vm| {
        let scope = vm.new_scope_with_main()?;
        vm.run_string(scope, &source, &file)?;
        let stdout = vm.sys_module.get_attr("stdout", vm)?;
        vm.call_method(stdout.as_object(), "flush", ()).map(drop)
    });
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn interpreter() -> Interpreter {
    let mut settings = vm::Settings::default();
    settings.write_bytecode = false;
    settings.user_site_directory = false;
    settings.import_site = false;
    let builder = Interpreter::builder(settings);
    let natives = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    builder
        .add_native_modules(&natives)
        .add_frozen_modules(rustpython_pylib::FROZEN_STDLIB)
        .init_hook(|vm| {
            if let Some(state) = vm::common::rc::PyRc::get_mut(&mut vm.state) {
                state.config.paths.stdlib_dir = Some(rustpython_pylib::LIB_PATH.to_owned());
            }
        })
        .build()
}
