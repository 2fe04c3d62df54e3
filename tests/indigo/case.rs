//! One case: a folder with `case.toml` and the files of a bundle.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::Value;

use crate::http_step::{Client, Feed, Request};
use crate::stage::{FILES, PLUGIN, Stage, bundle};

/// The content of `case.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    /// The point of the case.
    about: String,
    /// Sentences of the plugin reference, or sections of the object model.
    checks: Vec<String>,
    /// The rest of the plugin's section in the configuration.
    #[serde(default)]
    config: toml::Table,
    #[serde(default)]
    steps: Vec<Step>,
    /// Parts of lines, in this order.
    #[serde(default)]
    log: Vec<String>,
    /// Parts of lines that never come.
    #[serde(default)]
    absent: Vec<String>,
}

/// The steps.
#[derive(Deserialize, Debug)]
#[serde(untagged)]
enum Step {
    /// `"stop"` or `"restart"` of the hub.
    Word(String),
    /// A request over HTTP.
    Http(Box<Request>),
    /// Something on a feed.
    Feed(Feed),
    /// Waits for a line.
    Wait {
        wait: String,
        /// Rows of the documents that this step checks.
        #[serde(default)]
        rows: Vec<String>,
    },
    /// A line that comes or came, before or behind others.
    Logged {
        logged: String,
        /// Rows of the documents that this step checks.
        #[serde(default)]
        rows: Vec<String>,
    },
    /// A command that is carried out; `answer` must be in its result.
    Command {
        command: String,
        #[serde(default)]
        rows: Vec<String>,
        #[serde(default)]
        with: Value,
        #[serde(default)]
        answer: Option<Value>,
    },
    /// The same again and again until the answer is so.
    Until {
        until: String,
        #[serde(default)]
        rows: Vec<String>,
        #[serde(default)]
        with: Value,
        answer: Value,
    },
    /// A command that is refused.
    Refused {
        refused: String,
        #[serde(default)]
        with: Value,
        says: String,
    },
}

pub struct Case {
    folder: PathBuf,
    text: Text,
}

impl Case {
    pub fn load(folder: &Path) -> Self {
        let text = std::fs::read_to_string(folder.join("case.toml")).unwrap();
        let text: Text = toml::from_str(&text).unwrap();
        assert!(!text.about.is_empty() && !text.checks.is_empty());
        Self {
            folder: folder.to_owned(),
            text,
        }
    }

    pub async fn run(&self) {
        let mut stage = Stage::new();
        self.start(&mut stage).await;
        let mut client = Client::default();
        for step in &self.text.steps {
            self.step(&mut stage, &mut client, step).await;
        }
        if stage.hub.is_some() {
            for text in &self.text.log {
                if !in_order(&stage.seen, &self.text.log) {
                    // The last lines may be on their way.
                    stage
                        .until(text, async |stage| {
                            stage.drain();
                            in_order(&stage.seen, &self.text.log)
                        })
                        .await;
                }
            }
        }
        stage.stop().await;
        stage.drain();
        assert!(
            in_order(&stage.seen, &self.text.log),
            "these lines, in this order, are not in the log: {:#?}\n{}",
            self.text.log,
            stage.transcript()
        );
        for text in &self.text.absent {
            let found = stage.seen.iter().any(|line| line.contains(text));
            assert!(!found, "{text:?} is in the log:\n{}", stage.transcript());
        }
    }

    /// Starts the plugin, and the second one where there is a folder `other`.
    async fn start(&self, stage: &mut Stage) {
        let other = self.folder.join("other");
        if other.is_dir() {
            let root = make(stage.path(), &other, "Other", "org.example.other");
            stage.start_bundle(&root, "").await;
            stage
                .until("the other plugin", async |stage| {
                    let server = stage.server().await;
                    server
                        .plugin("org.example.other")
                        .is_some_and(|it| it.running())
                })
                .await;
        }
        let root = make(stage.path(), &self.folder, "Case", PLUGIN);
        let config = self.text.config.to_string();
        stage.start_bundle(&root, &config).await;
    }

    async fn step(&self, stage: &mut Stage, client: &mut Client, step: &Step) {
        match step {
            Step::Word(word) if word == "stop" => stage.stop().await,
            Step::Word(word) if word == "restart" => {
                client.leave();
                stage.stop().await;
                stage.open();
                self.start(stage).await;
            }
            Step::Word(word) => panic!("there is no step {word:?}"),
            Step::Http(request) => client.ask(stage, request).await,
            Step::Feed(feed) => client.feed(stage, feed).await,
            Step::Wait { wait, .. } => drop(stage.line(wait).await),
            Step::Logged { logged, .. } => {
                let came = async |stage: &mut Stage| {
                    stage.drain();
                    stage.seen.iter().any(|line| line.contains(logged))
                };
                stage.until(logged, came).await;
            }
            Step::Command {
                command,
                with,
                answer,
                ..
            } => {
                let got = stage.done(command, client.filled(with)).await;
                if let Some(answer) = answer {
                    let answer = client.filled(answer);
                    assert!(
                        holds(&got, &answer),
                        "{command} returned {got:#}, not {answer:#}\n{}",
                        stage.transcript()
                    );
                }
            }
            Step::Until {
                until,
                with,
                answer,
                ..
            } => {
                let (with, answer) = (client.filled(with), client.filled(answer));
                let mut last = Value::Null;
                let end = tokio::time::Instant::now() + crate::support::PATIENCE;
                while tokio::time::Instant::now() < end {
                    last = stage.command(until, with.clone()).await.unwrap_or_default();
                    if holds(&last, &answer) {
                        return;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                }
                panic!(
                    "{until} returns {last:#}, not {answer:#}\n{}",
                    stage.transcript()
                );
            }
            Step::Refused {
                refused,
                with,
                says,
            } => match stage.command(refused, client.filled(with)).await {
                Ok(value) => panic!("{refused} returned {value}"),
                Err(failure) => assert!(
                    failure.message.contains(says),
                    "{refused} said {:?}, not {says:?}",
                    failure.message
                ),
            },
        }
    }
}

fn make(into: &Path, from: &Path, name: &str, id: &str) -> PathBuf {
    let texts: Vec<(&str, String)> = FILES
        .into_iter()
        .filter_map(|file| Some((file, std::fs::read_to_string(from.join(file)).ok()?)))
        .collect();
    let texts: Vec<(&str, &str)> = texts
        .iter()
        .map(|(file, it)| (*file, it.as_str()))
        .collect();
    let root = bundle(into, name, id, &texts);
    for folder in ["Templates", "Resources"] {
        let place = match folder {
            "Templates" => root.join("Contents/Server Plugin/Templates"),
            _ => root.join("Contents").join(folder),
        };
        copy(&from.join(folder), &place);
    }
    root
}

/// Copies a folder of files, if it is there.
fn copy(from: &Path, into: &Path) {
    let Ok(entries) = std::fs::read_dir(from) else {
        return;
    };
    std::fs::create_dir_all(into).unwrap();
    for entry in entries.map(Result::unwrap) {
        let place = into.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &place),
            false => drop(std::fs::copy(entry.path(), place).unwrap()),
        }
    }
}

/// Whether the lines contain these texts, one after the other.
fn in_order(lines: &[String], wanted: &[String]) -> bool {
    let mut lines = lines.iter();
    wanted
        .iter()
        .all(|text| lines.any(|line| line.contains(text)))
}

/// Whether a value has everything that is wanted; objects, those in lists too, may
/// have more.
pub fn holds(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Object(value), Value::Object(wanted)) => wanted
            .iter()
            .all(|(key, wanted)| value.get(key).is_some_and(|value| holds(value, wanted))),
        (Value::Array(value), Value::Array(wanted)) => {
            let mut pairs = value.iter().zip(wanted);
            value.len() == wanted.len() && pairs.all(|(value, wanted)| holds(value, wanted))
        }
        (Value::Number(value), Value::Number(wanted)) => value.as_f64() == wanted.as_f64(),
        (value, wanted) => value == wanted,
    }
}
