//! One module of tests in its instances, a case at a time.

use std::collections::{BTreeMap, VecDeque};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use cordon::hub::Hub;
use cordon_base::log::{EventLog, LogCapacity};
use cordon_domoticz::config::HardwareSection;
use cordon_domoticz::{Deliver, HubEvent, Level, definition};
use cordon_runtime::engine::Engine;
use cordon_runtime::instance::counters::Status;
use cordon_runtime::instance::remote::Remote;
use serde::Deserialize;

use crate::Outcome;
use crate::expectations::Expectations;
use crate::outcome::{CaseOutcome, Kind, ModuleOutcome, WHOLE_MODULE};

/// Milliseconds that a case may take on a machine with other work. The hub itself
/// ends the instance then, as it does with any plugin.
const CASE_WALL: u64 = 60_000;

/// Limits that the tests need and no plugin gets: they are many programs in one.
const CONFIG: &str = "
[limits]
memory = 1073741824
threads = 256
callback-cpu = 600000
cpu-share = 400
connections = 4096
log-lines-per-second = 10000
data-bytes = 4294967296
data-files = 100000
handles = 4096
call-bytes = 268435456
random-bytes = 67108864
[grants]
network = [\"*:*\", \"127.0.0.0/8:*\", \"127.0.0.1:*\", \"[::1]:*\", \"localhost:*\"]
listen = [0, \"1-65535\"]
";

/// The guest's line for each order.
#[derive(Deserialize)]
struct Answer {
    order: String,
    outcome: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    cases: Vec<String>,
}

/// Why there is no answer.
struct Lost {
    kind: Kind,
    reason: String,
}

/// Runs the cases of a module whose names hold `pattern`.
pub async fn run(
    engine: &Engine,
    scratch: &Path,
    lane: usize,
    module: &str,
    pattern: &str,
    expectations: &Expectations,
) -> Outcome<ModuleOutcome> {
    let begun = Instant::now();
    let mut cases = BTreeMap::new();
    let mut waiting: Option<VecDeque<String>> = None;
    // A new instance as often as a case takes one down.
    while waiting.as_ref().is_none_or(|waiting| !waiting.is_empty()) {
        let mut guest = Guest::start(engine, scratch, lane).await?;
        let loaded = guest.order(&format!("load {module}")).await?;
        let failure = match loaded {
            Ok(answer) if answer.outcome == "loaded" => {
                let wanted = answer
                    .cases
                    .into_iter()
                    .filter(|name| name.contains(pattern));
                waiting.get_or_insert_with(|| wanted.collect());
                None
            }
            Ok(answer) => Some(CaseOutcome {
                kind: Kind::from_word(&answer.outcome).unwrap_or(Kind::Failed),
                text: answer.text,
            }),
            Err(lost) => Some(lost.into()),
        };
        if let Some(failure) = failure {
            cases.insert(WHOLE_MODULE.to_owned(), failure);
            guest.hub.stop().await;
            break;
        }
        let names = waiting.get_or_insert_default();
        let mut alive = true;
        while let Some(name) = names.pop_front() {
            if expectations.is_not_run(module, &name) {
                let text = expectations.reason(module, &name).unwrap_or_default();
                let kind = Kind::NotRun;
                cases.insert(name, CaseOutcome { kind, text });
                continue;
            }
            let outcome = match guest.order(&format!("run {name}")).await? {
                Ok(answer) => CaseOutcome {
                    kind: Kind::from_word(&answer.outcome).unwrap_or(Kind::Failed),
                    text: answer.text,
                },
                Err(lost) => {
                    alive = false;
                    println!("  {module}.{name} {}", lost.kind.word());
                    lost.into()
                }
            };
            cases.insert(name, outcome);
            if !alive {
                break;
            }
        }
        if alive {
            // Lines of the last fixtures belong to no case; the log has them.
            let _ = guest.order("finish").await?;
        }
        guest.hub.stop().await;
    }
    Ok(ModuleOutcome {
        module: module.to_owned(),
        cases,
        partial: !pattern.is_empty(),
        took: begun.elapsed(),
    })
}

impl From<Lost> for CaseOutcome {
    fn from(lost: Lost) -> Self {
        Self {
            kind: lost.kind,
            text: lost.reason,
        }
    }
}

/// A running instance.
struct Guest {
    hub: Hub,
    remote: Remote,
    events: EventLog,
    results: PathBuf,
    /// How much of the results has been read.
    read: u64,
    data: PathBuf,
}

impl Guest {
    async fn start(engine: &Engine, scratch: &Path, lane: usize) -> Outcome<Self> {
        let data = scratch.join(format!("hub-{lane}"));
        if data.exists() {
            std::fs::remove_dir_all(&data)?;
        }
        let events = EventLog::new(LogCapacity::default());
        let mut hub = Hub::open(engine.clone(), events.clone(), &data, Vec::new())?;
        let found = definition::read_folder(&scratch.join("plugin"))
            .map_err(|problem| problem.to_string())?;
        let plugin = found
            .first()
            .ok_or("the runner's plugin has no definition")?;
        let section = format!(
            "name = \"Tests\"\nplugin = {:?}\n{}",
            plugin.key,
            CONFIG.replace(
                "[limits]",
                &format!("[limits]\ncallback-wall = {CASE_WALL}")
            )
        );
        let section: HardwareSection = toml::from_str(&section)?;
        hub.start(&section, plugin).await?;
        let remote = hub.instances().last().ok_or("no instance")?.remote();
        let folder = remote.spec.folders.data.clone();
        let guest = Self {
            hub,
            results: folder.join("results.jsonl"),
            remote,
            events,
            read: 0,
            data,
        };
        match guest.remote.counters.settled().await {
            Status::Running => Ok(guest),
            other => Err(format!("the runner is {other:?}: {}", guest.tail()).into()),
        }
    }

    /// Sends an order and waits for its outcome.
    async fn order(&mut self, order: &str) -> Outcome<Result<Answer, Lost>> {
        let counters = self.remote.counters.clone();
        let calls = counters.calls.load(Ordering::Relaxed);
        let event = HubEvent::Command {
            device_id: "00000001".to_owned(),
            unit: 1,
            command: order.to_owned(),
            level: Level::Whole(0),
            color: String::new(),
        };
        if self.remote.deliver(event).is_err() {
            return Ok(Err(self.lost()));
        }
        let mut pause = Duration::from_micros(200);
        loop {
            if counters.calls.load(Ordering::Relaxed) > calls
                && let Some(answer) = self.answer(order)?
            {
                return Ok(Ok(answer));
            }
            if counters.status() != Status::Running {
                return Ok(Err(self.lost()));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_millis(20));
        }
    }

    /// The guest's next line, if it answers this order.
    fn answer(&mut self, order: &str) -> Outcome<Option<Answer>> {
        let mut text = String::new();
        let Ok(mut file) = std::fs::File::open(&self.results) else {
            return Ok(None);
        };
        file.seek(SeekFrom::Start(self.read))?;
        file.read_to_string(&mut text)?;
        if !text.ends_with('\n') {
            return Ok(None);
        }
        self.read += u64::try_from(text.len())?;
        let mut answer = None;
        for line in text.lines() {
            let line: Answer = serde_json::from_str(line)?;
            if line.order == order {
                answer = Some(line);
            }
        }
        Ok(answer)
    }

    /// Why the instance is gone.
    fn lost(&self) -> Lost {
        let status = self.remote.counters.status();
        let reason = status.reason().to_owned();
        let hung = reason.contains("callback-wall");
        Lost {
            kind: if hung { Kind::Hung } else { Kind::Died },
            reason: format!("{}\n{reason}", self.tail()),
        }
    }

    /// The last lines of the log.
    fn tail(&self) -> String {
        let lines = self.events.tail(None, 12);
        let lines: Vec<_> = lines.iter().map(|line| line.message()).collect();
        lines.join("\n")
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // The next instance starts with an empty data folder either way.
        let _ = std::fs::remove_dir_all(&self.data);
    }
}
