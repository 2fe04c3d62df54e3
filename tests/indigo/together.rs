//! Plugins of both kinds in one hub.

use crate::stage::bundle;
use crate::support::{Bench, PluginText};

#[tokio::test(flavor = "multi_thread")]
async fn a_domoticz_and_an_indigo_plugin_run_in_one_hub() {
    let mut bench = Bench::new();
    let domoticz = PluginText {
        name: "Theirs",
        source: "
def onStart():
    try:
        import indigo
        Domoticz.Log('sees indigo')
    except ImportError:
        Domoticz.Log('up')
",
        config: "",
    };
    bench.start(domoticz).await;
    bench.line("Theirs: up").await;
    let code = "
class Plugin(indigo.PluginBase):
    def startup(self):
        indigo.server.log('up, %d devices' % len(indigo.devices))
";
    let folder = bench.data_folder().join("../bundles");
    let root = bundle(&folder, "Ours", "org.example.ours", &[("plugin.py", code)]);
    let section = toml::from_str(&format!("bundle = {root:?}")).unwrap();
    bench.hub.start_indigo(&section).await.unwrap();
    bench.line("Ours: up, 0 devices").await;
    bench.hub.stop().await;
}
