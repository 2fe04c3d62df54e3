//! Bindings of `wit/v0.1.0`, generated at compile time.
#![allow(
    missing_docs,
    clippy::all,
    clippy::restriction,
    reason = "generated from documented WIT"
)]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    world: "plugin",
    imports: {
        // A component calls it without being able to wait, and it looks at folders.
        "cordon:plugin/processes.find": async,
    },
});
