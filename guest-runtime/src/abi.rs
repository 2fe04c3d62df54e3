//! Bindings of `wit/v0.1.0`, generated at compile time.
//!
//! Everything is bound as if it were synchronous: an `async func` import is
//! lowered synchronously, so that the calling task sleeps and others run, and
//! the exports become stackful async ones by a shim that `cordon-snapshot` puts
//! around them.

wit_bindgen::generate!({
    path: "../wit/v0.1.0",
    world: "plugin",
    async: false,
    // The constructors ran before the snapshot. If they ran again, they would list the
    // granted folders at every start.
    disable_run_ctors_once_workaround: true,
    pub_export_macro: true,
    export_macro_name: "export",
    generate_all,
});
