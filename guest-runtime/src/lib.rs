//! The component that holds one plugin: RustPython, its standard library frozen,
//! and the Python side of the frameworks.
//!
//! This crate owns the exports of `wit/`'s world and the one interpreter behind them.
//! It never decides what a plugin may do: whatever leaves the component goes through an
//! import that the hub answers.
//!
//! The module is linked as a WASI preview1 reactor, initialised and snapshotted by
//! `cordon-snapshot`, and fitted with shims around its exports and blocking imports
//! (see `stack`). [`cordon_init`] runs once per build of the guest, everything else
//! once per instance.

mod abi;
mod asymmetric;
mod bulk;
mod classes;
mod convert;
mod crypto;
mod errno;
mod freed;
mod given;
mod heap;
mod hub;
mod icmp;
mod lock;
mod memory;
mod messages;
mod oserror;
mod paths;
mod processes;
mod queue;
mod retired;
mod select;
mod serial;
mod single;
mod socket;
mod sources;
mod sqlite;
mod stack;
mod task;
mod tls;
mod zone;

use std::cell::OnceCell;

use abi::exports::cordon::plugin::domoticz::{self, Event};
use abi::exports::cordon::plugin::guest::{Guest, Outcome, Setup};
use freed::FREED;
use single::Single;

use rustpython_vm::{self as vm, AsObject, Interpreter, PyObjectRef, PyResult, VirtualMachine};

/// The interpreter, built before the snapshot and never dropped.
static INTERPRETER: Single<OnceCell<Interpreter>> = Single(OnceCell::new());

/// Module `_cordon_runtime`, whose functions the hub calls.
static RUNTIME: Single<OnceCell<PyObjectRef>> = Single(OnceCell::new());

/// Builds the interpreter and imports the modules that every plugin uses.
///
/// Called by the snapshot tool, before there is a hub: no file, clock or environment
/// may be touched here, because their answers would be in the snapshot of every
/// instance.
#[unsafe(export_name = "cordon-init")]
extern "C" fn cordon_init() {
    heap::begin_numbering();
    let interpreter = INTERPRETER.get_or_init(build_interpreter);
    interpreter.enter(|vm| {
        let booted = oserror::install(vm)
            .and_then(|()| paths::install(vm))
            .and_then(|()| sources::install(vm))
            .and_then(|()| {
                let threads = vm.import("_cordon_thread", 0)?;
                vm.call_method(threads.as_object(), "install", ())?;
                let boot = vm.import("_cordon_boot", 0)?;
                vm.call_method(boot.as_object(), "init", ())?;
                let runtime = vm.import("_cordon_runtime", 0)?;
                RUNTIME.get_or_init(|| runtime);
                Ok(())
            });
        if let Err(error) = booted {
            let mut text = String::new();
            let _ = vm.write_exception(&mut text, &error);
            panic!("the snapshot cannot be taken: {text}");
        }
        // Else every instance would free it at its first call of the hub, all over the image.
        retired::free();
    });
    heap::end_numbering();
    // SAFETY: wasi-libc's own function, made for snapshots. Whatever looked at a
    // path above made it list the granted folders, and there were none.
    unsafe { __wasilibc_reset_preopens() };
    // SAFETY: wasi-libc's variable of this type, which it never frees when it was
    // not set by `chdir`; nothing else runs.
    unsafe { __wasilibc_cwd = WORKING_FOLDER.as_ptr() };
}

/// Rehearses a start once more.
///
/// Called by the snapshot tool after [`cordon_init`], to see which blocks are written to.
#[unsafe(export_name = "cordon-rehearse")]
extern "C" fn cordon_rehearse() {
    heap::begin_numbering();
    call_for_tool("_cordon_rehearsal", "rehearse");
}

/// Does the work that plugins do when they start, for the same purpose.
#[unsafe(export_name = "cordon-exercise")]
extern "C" fn cordon_exercise() {
    call_for_tool("_cordon_exercise", "exercise");
}

fn call_for_tool(module: &'static str, function: &'static str) {
    let interpreter = INTERPRETER.get_or_init(build_interpreter);
    interpreter.enter(|vm| {
        let called = vm
            .import(module, 0)
            .and_then(|module| vm.call_method(module.as_object(), function, ()));
        if let Err(error) = called {
            let mut text = String::new();
            let _ = vm.write_exception(&mut text, &error);
            panic!("{module} failed: {text}");
        }
    });
}

/// Where a relative path leads from: the folder in which a plugin can write.
/// Set before the snapshot, because `chdir` at every start would cost a call.
const WORKING_FOLDER: &std::ffi::CStr = c"/data";

unsafe extern "C" {
    /// Lets wasi-libc list the granted folders anew at the next use of a path.
    fn __wasilibc_reset_preopens();

    /// wasi-libc's working folder.
    static mut __wasilibc_cwd: *const std::ffi::c_char;
}

fn build_interpreter() -> Interpreter {
    let mut settings = vm::Settings::default();
    // The plugin folder is read-only and code is cached by the hub.
    settings.write_bytecode = false;
    settings.user_site_directory = false;
    settings.import_site = false;
    let builder = Interpreter::builder(settings);
    let mut natives = rustpython_stdlib::stdlib_module_defs(&builder.ctx);
    natives.push(hub::module_def(&builder.ctx));
    natives.push(lock::module_def(&builder.ctx));
    natives.push(zone::module_def(&builder.ctx));
    natives.push(sqlite::module_def(&builder.ctx));
    natives.push(select::module_def(&builder.ctx));
    natives.push(socket::module_def(&builder.ctx));
    natives.push(crypto::module_def(&builder.ctx));
    natives.push(asymmetric::module_def(&builder.ctx));
    natives.push(tls::module_def(&builder.ctx));
    natives.push(processes::module_def(&builder.ctx));
    natives.push(serial::module_def(&builder.ctx));
    natives.push(icmp::module_def(&builder.ctx));
    natives.push(queue::module_def(&builder.ctx));
    natives.push(retired::module_def(&builder.ctx));
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

struct Component;

impl Guest for Component {
    fn start(setup: Setup) -> Outcome {
        memory::show();
        FREED.open();
        renew_entropy();
        call_runtime("start", |vm| {
            retired::watch();
            Ok(vec![convert::setup(setup, vm)?])
        })
    }

    fn call(name: String, arguments: String) -> Outcome {
        call_runtime("call", |vm| {
            Ok(vec![
                vm.ctx.new_str(name).into(),
                vm.ctx.new_str(arguments).into(),
            ])
        })
    }

    fn run_thread(id: u32) {
        task::run_thread(id);
    }
}

impl domoticz::Guest for Component {
    fn deliver(event: Event) -> Outcome {
        call_runtime("deliver", |vm| convert::event(event, vm))
    }
}

abi::export!(Component with_types_in abi);

/// Seeds the generator behind Python's `random` anew. Its state is part of the
/// snapshot, and every instance would draw the same numbers.
fn renew_entropy() {
    if rand::rng().reseed().is_err() {
        panic!("the system has no entropy");
    }
}

/// Calls a function of `_cordon_runtime` on the main task.
///
/// A Python exception that gets here is a fault of the runtime's own Python, not
/// of the plugin: the plugin's are handled there. It is reported and counted as
/// raised.
fn call_runtime(
    function: &'static str,
    arguments: impl FnOnce(&VirtualMachine) -> PyResult<Vec<PyObjectRef>>,
) -> Outcome {
    task::enter_main();
    let (Some(interpreter), Some(runtime)) = (INTERPRETER.get(), RUNTIME.get()) else {
        panic!("the component was not initialised: it is no snapshot");
    };
    interpreter.enter(|vm| {
        let result = arguments(vm).and_then(|arguments| {
            let callee = runtime.get_attr(vm.ctx.intern_str(function), vm)?;
            callee.call(arguments, vm)?.try_into_value::<i32>(vm)
        });
        match result {
            Ok(0) => Outcome::Ok,
            Ok(1) => Outcome::NotDefined,
            Ok(_) => Outcome::Raised,
            Err(error) => {
                let mut text = String::new();
                let _ = vm.write_exception(&mut text, &error);
                hub::write_log(hub::LEVEL_ERROR, hub::ORIGIN_CORE, &text);
                Outcome::Raised
            }
        }
    })
}
