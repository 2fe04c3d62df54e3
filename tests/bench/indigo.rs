//! The usual work of an Indigo plugin: states that become rows of the database, changes
//! that a hundred other plugins hear of, and the start of a bundle.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_indigo::Caller;
use cordon_indigo::config::IndigoSection;
use cordon_runtime::engine::Engine;
use cordon_runtime::instance::counters::Status;
use serde_json::{Value, json};

use crate::Outcome;
use crate::native::{self, Process};
use crate::report::Report;
use crate::rig::{Rig, Scratch, UNLIMITED, program};
use crate::sample::Samples;
use crate::twins::{Pair, text};

const SECTION: &str = "indigo";
const PATIENCE: Duration = Duration::from_secs(300);

/// Figures of each arm.
const ROUNDS: usize = 7;

/// States that are written for one figure.
const UPDATES: usize = 500;

/// Plugins that have subscribed, and changes of one figure.
const SUBSCRIBERS: usize = 100;
const CHANGES: usize = 100;

/// Starts per arm. The first of each arm warms caches and is not counted.
const STARTS: usize = 31;

/// Methods of the long plugin; each has six lines.
const METHODS: usize = 90;

/// So much may wait for a plugin that none of the changes is lost. It ends the table of limits.
const INBOX: &str = "inbox = 65536\ninbox-bytes = 268435456\n";

const WRITER: &str = "org.example.writer";

const ACTIONS: &str = "<Actions>\
    <Action id=\"update\"><Name>Update</Name><CallbackMethod>update</CallbackMethod></Action>\
    <Action id=\"device\"><Name>Device</Name><CallbackMethod>device</CallbackMethod></Action>\
    <Action id=\"variable\"><Name>Variable</Name><CallbackMethod>variable</CallbackMethod></Action>\
    </Actions>\n";

const DEVICES: &str = "<Devices><Device type=\"custom\" id=\"meter\"><Name>Meter</Name><States>\
    <State id=\"power\"><ValueType>Number</ValueType><TriggerLabel>Power</TriggerLabel>\
    <ControlPageLabel>Power</ControlPageLabel></State></States>\
    <UiDisplayStateId>power</UiDisplayStateId></Device></Devices>\n";

/// Measures all three.
pub async fn measure(report: &mut Report, engine: &Engine) -> Outcome<()> {
    let bundles = Scratch::new("bundles")?;
    updates(report, engine, bundles.path()).await?;
    changes(report, engine, bundles.path()).await?;
    let starts = [
        ("an empty bundle", "Empty", 0),
        ("a bundle of 550 lines", "Long", METHODS),
    ];
    for (what, name, methods) in starts {
        start(report, engine, bundles.path(), (what, name), methods).await?;
    }
    report.note(
        SECTION,
        "start: the hub reads the bundle, starts the instance and runs startup; python3 imports the same standard \
         modules and the same plugin.py over a base class that does nothing; both find compiled code of an \
         earlier start",
    );
    Ok(())
}

/// `updateStateOnServer` one by one, against `update` in sqlite3.
async fn updates(report: &mut Report, engine: &Engine, folder: &Path) -> Outcome<()> {
    let mut rig = Rig::new(engine, "states")?;
    begin(&mut rig, &writer(folder)?).await?;
    let file = program("indigo_storing.py");
    let mut process = Process::start(&native::python()?, &[text(&file)?])?;
    let mut pair = Pair::default();
    for round in 0..=ROUNDS {
        let ours = act(&mut rig, "update", UPDATES).await?;
        let ours = ours.as_f64().ok_or("the plugin returned no time")?;
        let found = command(&mut rig, "devices.get", json!({ "id": "meter" })).await?;
        let stored = found
            .pointer("/states/power")
            .and_then(Value::as_f64)
            .ok_or_else(|| format!("the device has no state: {found}"))?;
        if stored != last_value(UPDATES) {
            return Err(format!("the device's state is {stored}").into());
        }
        let order = json!([folder, UPDATES]).to_string();
        let theirs: (f64, f64) = serde_json::from_str(&process.ask(&order)?)?;
        if theirs.1 != stored {
            return Err(format!("CPython's database has {}", theirs.1).into());
        }
        if round > 0 {
            pair.ours.push(ours);
            pair.theirs.push(theirs.0);
        }
    }
    let what = "a state on disk (updateStateOnServer)";
    pair.report(report, SECTION, what, "us");
    pair.rate(report, SECTION, what, 1e6, "states/s");
    report.note(
        SECTION,
        "states: CPython runs sqlite3 alone (WAL, synchronous FULL, a transaction for each value) in the same \
         file system; the hub writes the whole object and tells who follows it",
    );
    rig.hub.stop().await;
    Ok(())
}

/// The value that both programs write last.
fn last_value(count: usize) -> f64 {
    (count - 1) as f64 / 4.0
}

/// From the order to change until the last of the subscribers has heard the last change.
async fn changes(report: &mut Report, engine: &Engine, folder: &Path) -> Outcome<()> {
    let mut rig = Rig::new(engine, "changes")?;
    begin(&mut rig, &writer(folder)?).await?;
    let source = std::fs::read_to_string(program("indigo_subscriber.py"))?;
    for n in 0..SUBSCRIBERS {
        let root = bundle(folder, &format!("Subscriber{n}"), &source)?;
        begin(&mut rig, &root).await?;
    }
    let kinds = ["variable", "device"];
    let mut times = [Samples::default(), Samples::default()];
    let mut writing = times.clone();
    for round in 0..=ROUNDS {
        for ((kind, times), writing) in kinds.iter().zip(&mut times).zip(&mut writing) {
            let begun = Instant::now();
            act(&mut rig, kind, CHANGES).await?;
            let written = begun.elapsed();
            for _ in 0..SUBSCRIBERS {
                let heard = rig.answer("HEARD ", PATIENCE).await?;
                if heard != format!("{kind} {CHANGES}") {
                    return Err(format!("{heard}, not {CHANGES} of {kind}").into());
                }
            }
            if round > 0 {
                let each = 1e3 / CHANGES as f64;
                times.push(begun.elapsed().as_secs_f64() * each);
                writing.push(written.as_secs_f64() * each);
            }
        }
    }
    for ((kind, times), writing) in kinds.iter().zip(&times).zip(&writing) {
        let name = format!("a change of a {kind} until {SUBSCRIBERS} plugins have heard it");
        report.arm(SECTION, &name, "ms", times);
        let name =
            format!("a change of a {kind} until its plugin goes on, {SUBSCRIBERS} listening");
        report.arm(SECTION, &name, "ms", writing);
        let rate = 1e3 / times.median();
        report.note(
            SECTION,
            format!(
                "{kind}Updated, {SUBSCRIBERS} subscribers: {rate:.0} changes/s, {:.0} callbacks/s",
                rate * SUBSCRIBERS as f64
            ),
        );
    }
    rig.hub.stop().await;
    Ok(())
}

/// From `start_indigo` until the instance runs, against a process.
async fn start(
    report: &mut Report,
    engine: &Engine,
    folder: &Path,
    (what, name): (&str, &str),
    methods: usize,
) -> Outcome<()> {
    let source = plugin_of(methods);
    let root = bundle(folder, name, &source)?;
    // A folder of its own: Python keeps its compiled form beside the source.
    let copy = folder.join(format!("{name}-native"));
    std::fs::create_dir_all(&copy)?;
    std::fs::write(copy.join("plugin.py"), &source)?;
    let script = program("native_indigo.py");
    let python = native::python()?;
    let modules = native::preloaded()?.join(",");
    let data = folder.join(format!("{name}-data"));
    let mut pair = Pair::default();
    for round in 0..STARTS {
        let ours = instance(engine, &data, &root).await?;
        let begun = Instant::now();
        let mut process = Process::start(&python, &[text(&script)?, &modules, text(&copy)?])?;
        process.line()?;
        let theirs = begun.elapsed();
        if round > 0 {
            pair.ours.push_time(ours);
            pair.theirs.push_time(theirs);
        }
    }
    pair.report(report, SECTION, &format!("start of {what}"), "ms");
    Ok(())
}

/// One start in a hub of its own, because a hub starts a bundle once. All have the same data.
async fn instance(engine: &Engine, data: &Path, root: &Path) -> Outcome<Duration> {
    let events = EventLog::new(LogCapacity::default());
    let mut hub = Hub::open(engine.clone(), events.clone(), data, Vec::new())?;
    // The server is there when the first of its plugins starts.
    hub.indigo().await?;
    let section = section(root)?;
    let begun = Instant::now();
    hub.start_indigo(&section).await?;
    let remote = hub.instances().last().ok_or("no instance")?.remote();
    let status = remote.counters.settled().await;
    let time = begun.elapsed();
    hub.stop().await;
    if status == Status::Running {
        return Ok(time);
    }
    let lines = events.tail(None, 10);
    let lines: Vec<_> = lines.iter().map(|line| line.message()).collect();
    Err(format!("the bundle is {status:?}; its log: {}", lines.join(" | ")).into())
}

/// A plugin with so many methods of six lines.
fn plugin_of(methods: usize) -> String {
    let mut source = String::from(
        "class Plugin(indigo.PluginBase):\n    def startup(self):\n        self.values = {}\n\n",
    );
    for n in 0..methods {
        source += &format!(
            "    def reading_{n}(self, dev, value):\n        if value is None or value < {n}:\n            \
             return None\n        self.values[dev, \"reading {n}\"] = round(value * 1.{n}, 2)\n        \
             return {{\"key\": \"reading{n}\", \"value\": value, \"uiValue\": \"%d W\" % value}}\n\n"
        );
    }
    source
}

/// The bundle of the plugin that changes things.
fn writer(folder: &Path) -> Outcome<PathBuf> {
    let source = std::fs::read_to_string(program("indigo_writer.py"))?;
    let root = bundle(folder, "Writer", &source)?;
    std::fs::write(root.join("Contents/Server Plugin/Actions.xml"), ACTIONS)?;
    std::fs::write(root.join("Contents/Server Plugin/Devices.xml"), DEVICES)?;
    Ok(root)
}

/// Writes a bundle; its id comes from its name.
fn bundle(folder: &Path, name: &str, source: &str) -> Outcome<PathBuf> {
    let root = folder.join(format!("{name}.indigoPlugin"));
    let code = root.join("Contents/Server Plugin");
    std::fs::create_dir_all(&code)?;
    let id = format!("org.example.{}", name.to_lowercase());
    let list = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<plist version=\"1.0\"><dict>\
         <key>CFBundleIdentifier</key><string>{id}</string>\
         <key>CFBundleDisplayName</key><string>{name}</string>\
         <key>PluginVersion</key><string>1.0.0</string>\
         <key>CFBundleVersion</key><string>1.0.0</string>\
         <key>ServerApiVersion</key><string>3.0</string>\
         <key>CFBundleURLTypes</key><array><dict><key>CFBundleURLName</key>\
         <string>http://example.org/help</string></dict></array></dict></plist>\n"
    );
    std::fs::write(root.join("Contents/Info.plist"), list)?;
    std::fs::write(code.join("plugin.py"), source)?;
    Ok(root)
}

fn section(root: &Path) -> Outcome<IndigoSection> {
    let text = format!("bundle = {root:?}\n{UNLIMITED}{INBOX}");
    Ok(toml::from_str(&text)?)
}

/// Starts a bundle and waits for the end of its `startup`.
async fn begin(rig: &mut Rig, root: &Path) -> Outcome<()> {
    rig.hub.start_indigo(&section(root)?).await?;
    let remote = rig.hub.instances().last().ok_or("no instance")?.remote();
    match remote.counters.settled().await {
        Status::Running => Ok(()),
        other => Err(format!("{} is {other:?}; the log: {}", root.display(), rig.tail()).into()),
    }
}

/// Has the writer do something so often; returns the result of its method.
async fn act(rig: &mut Rig, action: &str, count: usize) -> Outcome<Value> {
    let asked = json!({ "pluginId": WRITER, "actionTypeId": action, "props": { "count": count } });
    command(rig, "server.pluginExecuteAction", asked).await
}

async fn command(rig: &mut Rig, name: &str, arguments: Value) -> Outcome<Value> {
    let server = rig.hub.indigo().await?;
    let caller = Caller::Operator("api-http");
    let done = server.command(&caller, name, arguments).await;
    done.map_err(|failure| format!("{name}: {failure}; the log: {}", rig.tail()).into())
}
