//! A component of a few lines in place of the guest: no Python, and compiled in no time.
//!
//! It speaks the contract as far as the hub calls it and imports nothing. The test says
//! what it does with an event.

use std::fmt::Write;
use std::path::Path;

use cordon_runtime::engine::artifact::Artifact;
use cordon_runtime::engine::{Engine, EngineOptions};
use wit_component::{ComponentEncoder, StringEncoding};
use wit_parser::abi::{AbiVariant, WasmType};
use wit_parser::{Resolve, WorldItem};

/// Contract and key, as the snapshot tool writes them behind a component.
const STAMP_SECTION: &str = "cordon:stamp";

/// Kinds of events, by their place in the contract's variant `event`.
pub const STARTED: u32 = 0;
pub const COMMAND: u32 = 7;

/// An engine for a guest that runs `code` for each event, with its kind in local `$kind`,
/// and then answers that the callback ran.
pub fn engine(folder: &Path, code: &str) -> Engine {
    let file = folder.join("stub.wasm");
    std::fs::write(&file, component(code)).expect("the stub is written");
    let options = EngineOptions {
        instances: 4,
        ..EngineOptions::default()
    };
    Engine::new(&options, &Artifact::at(file)).expect("the engine takes the stub")
}

fn component(code: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../wit/v0.1.0");
    let (package, _) = resolve.push_dir(&folder).expect("the contract");
    let world = resolve
        .select_world(&[package], Some("plugin"))
        .expect("a world");
    let mut module = wat::parse_str(text(&resolve, world, code)).expect("a module");
    wit_component::embed_component_metadata(
        &mut module,
        &resolve,
        world,
        StringEncoding::UTF8,
        false,
    )
    .expect("metadata");
    let mut component = ComponentEncoder::default()
        .validate(true)
        .module(&module)
        .expect("a module of the world")
        .encode()
        .expect("a component");
    let name = &resolve.packages[package].name;
    let content = format!("{name}\nstub\n");
    let size = 1 + STAMP_SECTION.len() + content.len();
    let short = |length: usize| u8::try_from(length).expect("one byte of a length");
    assert!(size < 128, "a length of one byte");
    component.extend([0, short(size), short(STAMP_SECTION.len())]);
    component.extend(STAMP_SECTION.bytes());
    component.extend(content.bytes());
    component
}

/// The module: memory for arguments, and each export with the signature that the contract
/// gives it.
fn text(resolve: &Resolve, world: wit_parser::WorldId, code: &str) -> String {
    let mut text = String::from(
        r#"(module
          (memory (export "memory") 16)
          (global $next (mut i32) (i32.const 1024))
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (local $at i32)
            (local.set $at (i32.and (i32.add (global.get $next) (i32.const 7)) (i32.const -8)))
            (global.set $next (i32.add (local.get $at) (local.get 3)))
            (local.get $at))"#,
    );
    for (key, item) in &resolve.worlds[world].exports {
        let WorldItem::Interface { id, .. } = item else {
            continue;
        };
        let interface = resolve.name_world_key(key);
        for function in resolve.interfaces[*id].functions.values() {
            let signature = resolve.wasm_signature(AbiVariant::GuestExport, function);
            let name = &function.name;
            write!(text, "\n(func (export \"{interface}#{name}\")").expect("a String");
            for parameter in &signature.params {
                write!(text, " (param {})", word(*parameter)).expect("a String");
            }
            for result in &signature.results {
                write!(text, " (result {})", word(*result)).expect("a String");
            }
            text.push_str(" (local $kind i32)");
            if name == "deliver" {
                let kind = if signature.indirect_params {
                    "(i32.load8_u (local.get 0))"
                } else {
                    "(local.get 0)"
                };
                write!(text, "(local.set $kind {kind}) {code}").expect("a String");
            }
            for _ in &signature.results {
                text.push_str(" (i32.const 0)");
            }
            text.push(')');
        }
    }
    text.push(')');
    text
}

fn word(kind: WasmType) -> &'static str {
    match kind {
        WasmType::I64 | WasmType::PointerOrI64 => "i64",
        WasmType::F32 => "f32",
        WasmType::F64 => "f64",
        WasmType::I32 | WasmType::Pointer | WasmType::Length => "i32",
    }
}

/// Code that does something for events of one kind.
pub fn at(kind: u32, code: &str) -> String {
    format!("(if (i32.eq (local.get $kind) (i32.const {kind})) (then {code}))")
}

/// Code that computes for about `rounds` thousands of additions.
pub fn compute(thousands: u32) -> String {
    let rounds = thousands * 1000;
    format!(
        "(local.set $kind (i32.const {rounds})) (loop $again \
         (local.set $kind (i32.sub (local.get $kind) (i32.const 1))) \
         (br_if $again (local.get $kind)))"
    )
}
