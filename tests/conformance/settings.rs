//! The preferences of the hub as a plugin sees them.

use crate::stage::{Stage, plugin_text, section};

const PLUGIN: &str = r#"
def onStart():
    texts = all(type(value) is str for value in Settings.values())
    Domoticz.Log("settings %s %s %s %s" % (Settings["Language"], Settings["Port"], Settings["Title"], texts))
    Domoticz.Log("parameter " + Parameters["Language"])
"#;

#[tokio::test(flavor = "multi_thread")]
async fn rule_019_settings_are_texts_and_numbers_where_the_text_is_empty() {
    let mut stage = Stage::new();
    stage.start(&[]).await;
    stage.prefer("Port", "", 5).await;
    stage.prefer("Title", "House", 5).await;
    stage.stop().await;
    let folder = stage.plugin("reader", &plugin_text("Reader", PLUGIN));
    stage
        .start(&[(section("HW", "Reader", ""), folder.clone())])
        .await;
    stage.line("HW: settings en 5 House True").await;
    stage.line("HW: parameter en").await;
    stage.prefer("Language", "nl", 0).await;
    stage.stop().await;
    stage.start(&[(section("HW", "Reader", ""), folder)]).await;
    stage.line("HW: parameter nl").await;
    stage.stop().await;
}
