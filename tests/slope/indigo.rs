//! Indigo plugins.

use cordon_indigo::config::IndigoSection;

use crate::support::Bench;
use crate::support::bundle::bundle;
use crate::{LIMITS, MEASURE, count, judge, patience};

const DEVICES: &str = r#"<?xml version="1.0"?>
<Devices>
  <Device type="relay" id="relay"><Name>Relay</Name></Device>
  <Device type="custom" id="meter"><Name>Meter</Name>
    <States>
      <State id="power"><ValueType>Number</ValueType><TriggerLabel>Power</TriggerLabel><ControlPageLabel>Power</ControlPageLabel></State>
      <State id="text"><ValueType>String</ValueType><TriggerLabel>Text</TriggerLabel><ControlPageLabel>Text</ControlPageLabel></State>
    </States>
    <UiDisplayStateId>power</UiDisplayStateId>
  </Device>
</Devices>"#;

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_actions_of_an_indigo_plugin() {
    let source = include_str!("indigo.py");
    let mut bench = Bench::new();
    let code = format!("import indigo\n{MEASURE}\nCOUNT = {}\n{source}", count());
    let files = [("plugin.py", code.as_str()), ("Devices.xml", DEVICES)];
    let root = bundle(&bench.data_folder(), "Slope", "org.example.slope", &files);
    let text = format!(
        "bundle = {:?}\nlimits = {{ {LIMITS} }}",
        root.display().to_string()
    );
    let section: IndigoSection = toml::from_str(&text).unwrap();
    bench.hub.start_indigo(&section).await.unwrap();
    bench.line_within("slope: all ", patience()).await;
    judge(&bench.seen_lines(), source, 0);
}
