//! The configuration read again, and hardware that was added through the API, both on a hub with the
//! stub for all plugins.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cordon::config::Config;
use cordon::hub::{Hub, HubOperator};
use cordon_base::log::{EventLog, LogCapacity};
use cordon_control::operator::{Action, Operator, OperatorError};
use cordon_control::report::{InstanceReport, Source, State};
use cordon_runtime::instance::remote::Remote;
use cordon_store::ManagedHardware;
use serde_json::json;

use crate::stub;

/// A hub that serves a configuration.
struct House {
    hub: Hub,
    events: EventLog,
    operator: HubOperator,
    folder: PathBuf,
}

impl House {
    async fn new(folder: &Path, sections: &str) -> Self {
        for key in ["One", "Two"] {
            plugin(folder, key, key);
        }
        write(folder, sections);
        let file = folder.join("cordon.toml");
        let config = Config::load(&file).unwrap();
        let events = EventLog::new(LogCapacity::default());
        let engine = stub::engine(folder, "");
        let mut hub = Hub::open(engine, events.clone(), &config.hub.data, Vec::new()).unwrap();
        hub.set_web(config.web.clone());
        let library = hub.prepare(&config.hub.plugins, 4);
        let loading = hub.announce(&config).await.unwrap();
        let operator = hub.operator(Some((&file, config.clone())));
        assert!(operator.hub().loading);
        let catalogue = library.look().await;
        for section in loading.hardware() {
            let definition = catalogue.find(&section.plugin).unwrap();
            loading.load(&section, Ok(definition)).await;
        }
        hub.manage(&config.hub.plugins, 4).await.unwrap();
        loading.end();
        Self {
            hub,
            events,
            operator,
            folder: folder.to_owned(),
        }
    }

    async fn report(&self, name: &str) -> InstanceReport {
        let reports = self.operator.instances().await;
        let found = reports.iter().find(|it| it.name == name);
        found.unwrap_or_else(|| panic!("{reports:?}")).clone()
    }

    fn remote(&self, name: &str) -> Arc<Remote> {
        let all = self.hub.services().instances.all();
        // A former one that still ends comes before the one that took its place.
        let found = all.into_iter().rfind(|it| it.spec.name == name);
        found.expect("the instance is there")
    }

    async fn running(&self, name: &str) {
        let waited = tokio::time::timeout(crate::PATIENCE, async {
            while self.report(name).await.state != State::Running {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        });
        assert!(waited.await.is_ok(), "{:?}", self.report(name).await);
    }

    fn said(&self, text: &str) -> bool {
        let all = self.events.tail(None, usize::MAX);
        all.iter().any(|record| record.message().contains(text))
    }

    async fn add(&self, name: &str) -> Result<u32, String> {
        let manager = self.hub.api(([127, 0, 0, 1], 1).into()).manager;
        let hardware = ManagedHardware {
            id: 0,
            name: name.to_owned(),
            key: "One".to_owned(),
            enabled: true,
            log_level: 7,
            parameters: std::collections::BTreeMap::new(),
        };
        manager.expect("hardware can be added").save(hardware).await
    }
}

fn plugin(folder: &Path, key: &str, name: &str) {
    let plugin = folder.join("plugins").join(key);
    std::fs::create_dir_all(&plugin).unwrap();
    let text = format!(
        "\"\"\"\n<plugin key=\"{key}\" name=\"{name}\" version=\"1\" author=\"t\"/>\n\"\"\"\n"
    );
    std::fs::write(plugin.join("plugin.py"), text).unwrap();
}

fn write(folder: &Path, sections: &str) {
    let web = "[web]\nadd-hardware = true\n";
    std::fs::write(folder.join("cordon.toml"), format!("{web}{sections}")).unwrap();
}

fn section(name: &str, key: &str, rest: &str) -> String {
    format!("[[hardware]]\nname = \"{name}\"\nplugin = \"{key}\"\n{rest}")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_reading_changes_only_what_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let [n, c, g] = ["N", "C", "G"].map(|name| section(name, "One", ""));
    let mut house = House::new(folder.path(), &[n.clone(), c, g].concat()).await;
    for name in ["N", "C", "G"] {
        house.running(name).await;
    }
    let (neighbour, changed) = (house.remote("N"), house.remote("C"));
    let new = [
        section("F", "Two", ""),
        n.clone(),
        section("C", "One", "[hardware.limits]\nthreads = 3\n"),
        section("X", "Nowhere", ""),
    ];
    write(&house.folder, &new.concat());
    let changes = house.operator.reload().await.unwrap();
    assert_eq!(
        (changes.started, changes.stopped),
        (vec!["F".into()], vec!["G".into()])
    );
    assert_eq!(
        (changes.restarted, changes.unchanged),
        (vec!["C".into()], 1)
    );
    assert_eq!(changes.problems.len(), 1);
    assert_eq!(changes.problems[0].name, "X");
    let names: Vec<_> = house.operator.instances().await;
    let names: Vec<_> = names.iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["F", "N", "C", "X"]);
    house.running("F").await;
    house.running("C").await;
    let unloaded = house.report("X").await;
    assert_eq!((unloaded.state, unloaded.id), (State::Unloaded, 0));
    assert!(unloaded.reason.contains("no plugin with key `Nowhere`"));
    // The neighbour is in its first life, and the changed one is another instance.
    assert!(Arc::ptr_eq(&neighbour, &house.remote("N")));
    assert_eq!(neighbour.counters.restarts(), 0);
    assert!(!Arc::ptr_eq(&changed, &house.remote("C")));
    assert_eq!(house.remote("C").spec.limits.threads, 3);
    // A broken file changes nothing, and its error has the line.
    write(&house.folder, &section("N", "One", "nosuch = 1\n"));
    let refused = house.operator.reload().await.unwrap_err();
    assert!(
        matches!(&refused, OperatorError::Refused(text) if text.contains("line 6")),
        "{refused}"
    );
    assert_eq!(house.operator.instances().await.len(), 4);
    // The plugin of X is there by now; a name that has changed is told.
    plugin(&house.folder, "Nowhere", "Found");
    let new = [section("M", "One", ""), section("X", "Nowhere", "")];
    write(&house.folder, &new.concat());
    let changes = house.operator.reload().await.unwrap();
    assert_eq!(changes.started, ["M", "X"]);
    assert_eq!(changes.stopped.len(), 3);
    assert!(house.said("is gone and `M` is new"));
    house.running("X").await;
    house.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_section_that_is_stopped_stays_so_when_it_changes() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new(folder.path(), &section("A", "One", "")).await;
    house.running("A").await;
    house.operator.act("A", Action::Stop).await.unwrap();
    write(
        &house.folder,
        &section("A", "One", "[hardware.limits]\nthreads = 3\n"),
    );
    let changes = house.operator.reload().await.unwrap();
    assert_eq!(changes.restarted, ["A"]);
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    assert_eq!(house.report("A").await.state, State::Stopped);
    // A section that does not fit leaves the instance as it was.
    write(&house.folder, &section("A", "Nowhere", ""));
    let changes = house.operator.reload().await.unwrap();
    assert!(changes.problems[0].reason.contains("runs on as it was"));
    assert_eq!(house.report("A").await.key, "One");
    house.operator.act("A", Action::Reload).await.unwrap();
    house.running("A").await;
    assert_eq!(
        house.remote("A").counters.failures.load(Ordering::Relaxed),
        0
    );
    house.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hardware_of_the_api_is_commanded_and_granted_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new(folder.path(), &section("A", "One", "")).await;
    let id = house.add("B").await.unwrap();
    house.running("B").await;
    let told = house.report("B").await;
    assert_eq!((told.id, told.source), (id, Source::Api));
    let wanted = json!({ "network": ["192.168.1.9:80"], "exec": ["/bin/true"], "security": true });
    house.operator.set_grants("B", wanted).await.unwrap();
    house.running("B").await;
    let granted = house.operator.grants("B").await.unwrap();
    assert_eq!(granted["network"], json!(["192.168.1.9:80"]));
    assert_eq!(granted["security"], json!(true));
    for (name, grants, said) in [
        ("B", json!({ "netwrok": [] }), "netwrok"),
        ("B", json!({ "network": ["x"] }), "HOST:PORT"),
        ("A", json!({}), "[[hardware]]"),
    ] {
        let refused = house.operator.set_grants(name, grants).await.unwrap_err();
        let OperatorError::Refused(text) = &refused else {
            panic!("{refused:?}");
        };
        assert!(text.contains(said), "{text}");
    }
    let again = house.operator.grants("B").await.unwrap();
    assert_eq!(again, granted);
    house.operator.act("B", Action::Stop).await.unwrap();
    assert_eq!(house.report("B").await.state, State::Stopped);
    // A section of the same name does not take its devices away.
    write(
        &house.folder,
        &[section("A", "One", ""), section("B", "One", "")].concat(),
    );
    let changes = house.operator.reload().await.unwrap();
    assert!(
        changes.problems[0].reason.contains("added through the API"),
        "{changes:?}"
    );
    write(&house.folder, &section("A", "One", ""));
    house.operator.reload().await.unwrap();
    house.hub.stop().await;
    drop(house);
    // Stopped and granted as before, after the hub was started again.
    let mut house = House::new(folder.path(), &section("A", "One", "")).await;
    house.running("A").await;
    assert_eq!(house.report("B").await.state, State::Stopped);
    assert_eq!(house.operator.grants("B").await.unwrap(), granted);
    house.operator.act("B", Action::Reload).await.unwrap();
    house.running("B").await;
    house.hub.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_reads_the_definition_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut house = House::new(folder.path(), &section("A", "One", "")).await;
    house.running("A").await;
    let former = house.remote("A");
    // Broken in between: the former one runs on.
    let file = folder.path().join("plugins/One/plugin.py");
    std::fs::write(&file, "no plugin").unwrap();
    let refused = house.operator.act("A", Action::Reload).await.unwrap_err();
    assert!(
        refused.to_string().contains("no plugin with key `One`"),
        "{refused}"
    );
    assert_eq!(house.report("A").await.state, State::Running);
    assert!(Arc::ptr_eq(&former, &house.remote("A")));
    plugin(folder.path(), "One", "Another name");
    house.operator.act("A", Action::Reload).await.unwrap();
    house.running("A").await;
    assert!(!Arc::ptr_eq(&former, &house.remote("A")));
    house.hub.stop().await;
}
