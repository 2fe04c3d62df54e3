//! Modules that are part of the runtime are found and run in the component.

use crate::support::{Bench, PluginText};

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_sees_no_module_of_the_build_machine() {
    let mut bench = Bench::new();
    let source = "
import sys

def onStart():
    origins = {m.__spec__.origin for m in list(sys.modules.values()) if getattr(m, '__spec__', None)}
    Domoticz.Log('origins ' + ' '.join(sorted(str(o) for o in origins)))
";
    bench
        .start(PluginText {
            name: "Origins",
            source,
            config: "",
        })
        .await;
    let line = bench.line("origins ").await;
    let origins = line.split_once("origins ").expect("a list").1;
    for origin in origins.split(' ') {
        assert!(
            ["None", "built-in", "frozen", "cordon"].contains(&origin)
                || origin.starts_with("/plugin/"),
            "{origin} in {line}"
        );
    }
}
