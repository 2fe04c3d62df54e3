//! Bindings of the interfaces of `wit/v0.1.0` that are Domoticz' alone, generated at compile time.
#![allow(
    missing_docs,
    clippy::all,
    clippy::restriction,
    reason = "generated from documented WIT"
)]

wasmtime::component::bindgen!({
    path: "../../wit/v0.1.0",
    interfaces: "
        import cordon:plugin/configuration@0.1.0;
        import cordon:plugin/connections@0.1.0;
        import cordon:plugin/devices@0.1.0;
        import cordon:plugin/images@0.1.0;
        import cordon:plugin/notifier@0.1.0;
        import cordon:plugin/schedule@0.1.0;

        export cordon:plugin/domoticz@0.1.0;
    ",
    with: {
        // An event ends as every call of the component does.
        "cordon:plugin/guest@0.1.0": cordon_runtime::abi::exports::cordon::plugin::guest,
    },
    // The data of an instance is found by its type, and an instance of another framework has
    // none of this type.
    imports: { default: trappable },
});
