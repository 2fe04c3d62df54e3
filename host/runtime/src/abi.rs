//! Bindings of the part of `wit/v0.1.0` that is the same for every framework, generated at
//! compile time.
//!
//! The world lists that part. A framework generates the bindings of its own interfaces in its
//! own crate, with the types of these.
#![allow(
    missing_docs,
    clippy::all,
    clippy::restriction,
    reason = "generated from documented WIT"
)]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    inline: "
        package cordon:runtime;

        world plugin {
          import cordon:plugin/log@0.1.0;
          import cordon:plugin/memory@0.1.0;
          import cordon:plugin/threads@0.1.0;
          import cordon:plugin/clock@0.1.0;
          import cordon:plugin/code@0.1.0;
          import cordon:plugin/storage@0.1.0;
          import cordon:plugin/sockets@0.1.0;
          import cordon:plugin/tls@0.1.0;
          import cordon:plugin/processes@0.1.0;
          import cordon:plugin/serial@0.1.0;
          import cordon:plugin/icmp@0.1.0;
          import cordon:plugin/commands@0.1.0;

          export cordon:plugin/guest@0.1.0;
        }
    ",
    world: "plugin",
    imports: {
        // A component calls this function without being able to wait, and the function looks at
        // folders.
        "cordon:plugin/processes.find": async,
    },
});
