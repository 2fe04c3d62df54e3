//! A third framework: only files of its own, and no change of the hub.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    dead_code,
    reason = "tests"
)]

mod framework;
#[path = "../support/mod.rs"]
mod support;

use std::sync::Arc;
use std::time::Duration;

use cordon::hub::Draft;
use cordon_base::account::Account;
use cordon_base::folders::PLUGINS_FOLDER;
use cordon_base::plugin_log::PluginLog;
use cordon_reach::egress::OwnTarget;
use cordon_runtime::instance::remote::Remote;
use cordon_runtime::section::{InstanceSection, PluginFolder};
use cordon_runtime::things::{News, Operation, Things, ThingsError, Value};
use cordon_web::access::Rights;

use framework::Toy;
use support::{Bench, PluginText};

/// The Python side of the framework, as it lies in the folder of each of its plugins.
const API: &str = include_str!("cordon_framework_toy.py");

const PLUGIN: &str = include_str!("plugin.py");

async fn start(bench: &mut Bench, toy: &Toy, plugin: &str) -> Remote {
    let folder = bench.plugin_folder("Toy");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("cordon_framework_toy.py"), API).unwrap();
    std::fs::write(folder.join("plugin.py"), plugin).unwrap();
    let section = InstanceSection::default();
    let id = bench.hub.id_of("Toy", "toy").await.unwrap();
    let hub = &mut bench.hub;
    let draft = Draft {
        id,
        name: "Toy".to_owned(),
        key: "toy".to_owned(),
        folders: hub.folders(id, PluginFolder::ReadOnly, &folder, PLUGINS_FOLDER),
        log: PluginLog::new(bench.events.clone(), "Toy", &section.limits),
        account: Account::new(&section.limits),
        parameters: Vec::new(),
        own: OwnTarget::default(),
        serial: Arc::default(),
        framework: Arc::new(toy.clone()),
    };
    let remote = hub.start_instance(&section, draft).unwrap();
    toy.attach(remote.clone());
    remote
}

/// The state of the lamp, by way of the trait that serves every framework.
async fn lamp(things: &dyn Things) -> Option<Value> {
    let page = things.list(None).await.unwrap();
    let lamp = page.things.into_iter().find(|thing| thing.name == "lamp")?;
    lamp.values.into_iter().next().map(|(_, value)| value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_framework_logs_keeps_a_device_and_gets_heartbeats_and_commands() {
    let mut bench = Bench::new();
    let toy = Toy::new();
    let things: &dyn Things = &toy;
    let mut watch = things.watch();
    let remote = start(&mut bench, &toy, PLUGIN).await;
    bench.line("Toy: the lamp is there").await;
    bench.line("Toy: tick").await;
    assert_eq!(lamp(things).await, Some(Value::Truth(false)));
    things
        .operate(Rights::User, "lamp", Operation::Toggle)
        .await
        .unwrap();
    bench.line("Toy: the lamp is on").await;
    assert_eq!(lamp(things).await, Some(Value::Truth(true)));
    let news = tokio::time::timeout(Duration::from_secs(5), watch.next());
    let changed = News::Changed(vec!["lamp".to_owned()]);
    assert_eq!(news.await.unwrap(), Some(changed));
    bench.hub.stop().await;
    bench.line("Toy: goodbye").await;
    assert_eq!(*toy.lives.lock().unwrap(), 1);
    let gone = things.operate(Rights::User, "lamp", Operation::On).await;
    assert_eq!(gone, Err(ThingsError::NotRunning));
    drop(remote);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_may_only_look_switches_nothing() {
    let mut bench = Bench::new();
    let toy = Toy::new();
    start(&mut bench, &toy, PLUGIN).await;
    bench.line("Toy: the lamp is there").await;
    let refused = toy.operate(Rights::Viewer, "lamp", Operation::On).await;
    assert_eq!(refused, Err(ThingsError::Forbidden));
}

/// The interfaces of another framework do not exist for the plugin: calling one ends it alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_of_another_frameworks_interface_ends_the_instance() {
    let mut bench = Bench::new();
    let toy = Toy::new();
    start(&mut bench, &toy, "import _cordon\n_cordon.devices_list()\n").await;
    bench
        .line("devices@0.1.0#list belongs to plugins of another framework")
        .await;
    bench
        .start(PluginText {
            name: "Other",
            source: "def onStart(): Domoticz.Log('well')\n",
            config: "",
        })
        .await;
    bench.line("Other: well").await;
}

/// A page that is written once lists the things of all frameworks.
#[tokio::test(flavor = "multi_thread")]
async fn things_of_two_frameworks_are_listed_alike() {
    let mut bench = Bench::new();
    let toy = Toy::new();
    start(&mut bench, &toy, PLUGIN).await;
    bench.line("Toy: the lamp is there").await;
    let source = "def onStart():\n    Domoticz.Device('Plug', 1, TypeName='Switch', Used=1).Create()\n    \
                  Domoticz.Log('made')\n";
    bench
        .start(PluginText {
            name: "HW",
            source,
            config: "",
        })
        .await;
    bench.line("HW: made").await;
    let mut frameworks = bench.hub.things();
    frameworks.insert(0, Arc::new(toy.clone()));
    let mut listed = Vec::new();
    for things in frameworks {
        for thing in things.list(None).await.unwrap().things {
            listed.push((things.framework(), thing.instance, thing.name));
        }
    }
    let expected = [("toy", "Toy", "lamp"), ("domoticz", "HW", "HW - Plug")];
    let expected = expected
        .map(|(framework, instance, name)| (framework, instance.to_owned(), name.to_owned()));
    assert_eq!(listed, expected);
}
