//! Steps of a case over HTTP and over a feed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::case::holds;
use crate::site::{Got, KEY, Site};
use crate::stage::{PLUGIN, Stage};
use crate::support::PATIENCE;

/// A request and its answer.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// `METHOD PATH`. `{NAME}` is a value that an earlier step kept.
    http: String,
    /// A body as JSON.
    #[serde(default)]
    body: Option<Value>,
    /// A body as a form.
    #[serde(default)]
    form: Option<String>,
    /// A body as plain text.
    #[serde(default)]
    text: Option<String>,
    /// Further headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Whether the key goes along.
    #[serde(default = "yes")]
    key: bool,
    #[serde(default = "ok")]
    status: u16,
    /// Content type of the answer.
    #[serde(default)]
    kind: Option<String>,
    /// The content of the answer, which is JSON or a text.
    #[serde(default)]
    answer: Option<Value>,
    /// The content of the fields of a dialog, by their ids.
    #[serde(default)]
    fields: Map<String, Value>,
    /// A part of the body as text.
    #[serde(default)]
    says: Option<String>,
    /// Values of the answer that are kept, by name: a JSON pointer to each.
    #[serde(default)]
    keep: BTreeMap<String, String>,
    /// Asked again until it is answered so.
    #[serde(default)]
    retry: bool,
    /// Rows of the documents that this step checks.
    #[serde(default)]
    rows: Vec<String>,
}

/// A message to a feed, and the feed's messages.
#[derive(Deserialize, Debug)]
#[serde(deny_unknown_fields)]
pub struct Feed {
    feed: String,
    #[serde(default)]
    send: Option<Value>,
    /// Parts of one of the next messages.
    #[serde(default)]
    receive: Option<Value>,
    #[serde(default)]
    rows: Vec<String>,
}

fn yes() -> bool {
    true
}

fn ok() -> u16 {
    200
}

/// The client of a case: the API, and the kept values.
#[derive(Default)]
pub struct Client {
    site: Option<Site>,
    kept: Map<String, Value>,
}

impl Client {
    /// Forgets the API, because the hub is another one.
    pub fn leave(&mut self) {
        self.site = None;
    }

    async fn site(&mut self, stage: &mut Stage) -> &mut Site {
        if self.site.is_none() {
            self.site = Some(Site::open(stage).await);
            let server = stage.server().await;
            let running = || server.plugin(PLUGIN).is_some_and(|it| it.running());
            stage.until("the plugin", async |_| running()).await;
        }
        self.site.as_mut().unwrap()
    }

    pub async fn ask(&mut self, stage: &mut Stage, step: &Request) {
        self.site(stage).await;
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let got = self.once(step).await;
            let wrong = self.wrong(step, &got);
            if let Some(wrong) = wrong {
                if step.retry && tokio::time::Instant::now() < end {
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                }
                let value = got.value();
                let log = stage.transcript();
                panic!("{}: {wrong}\n{} {value:#}\n{log}", step.http, got.status);
            }
            for (name, pointer) in &step.keep {
                let value = got.value();
                let found = value.pointer(pointer);
                let found = found.unwrap_or_else(|| panic!("no {pointer} in {value:#}"));
                self.kept.insert(name.clone(), found.clone());
            }
            return;
        }
    }

    async fn once(&self, step: &Request) -> Got {
        let (method, path) = step.http.split_once(' ').expect("METHOD PATH");
        let mut headers: Vec<(String, String)> = step.headers.clone().into_iter().collect();
        if step.key {
            headers.push(("Authorization".to_owned(), format!("Bearer {KEY}")));
        }
        let kind = |kind: &str| ("Content-Type".to_owned(), kind.to_owned());
        let mut body = None;
        if let Some(form) = &step.form {
            headers.push(kind("application/x-www-form-urlencoded"));
            body = Some(form.clone());
        } else if let Some(text) = &step.text {
            headers.push(kind("text/plain"));
            body = Some(text.clone());
        } else if let Some(given) = &step.body {
            headers.push(kind("application/json"));
            body = Some(self.filled(given).to_string());
        } else if matches!(method, "POST" | "PUT") {
            body = Some(String::new());
        }
        let path = match self.filled(&path.into()) {
            Value::String(path) => path,
            other => other.to_string(),
        };
        let site = self.site.as_ref().unwrap();
        site.send(method, &path, &headers, body).await
    }

    /// The fault of an answer.
    fn wrong(&self, step: &Request, got: &Got) -> Option<String> {
        if got.status != step.status {
            return Some(format!("the status is not {}", step.status));
        }
        if let Some(kind) = step.kind.as_ref().filter(|kind| **kind != got.kind) {
            return Some(format!("the type is {}, not {kind}", got.kind));
        }
        let value = got.value();
        let wanted = step.answer.as_ref().map(|wanted| self.filled(wanted));
        if let Some(wanted) = wanted.filter(|wanted| !holds(&value, wanted)) {
            return Some(format!("the answer has no {wanted:#}"));
        }
        let empty = Vec::new();
        let fields = value["fields"].as_array().unwrap_or(&empty);
        for (id, wanted) in &step.fields {
            let wanted = self.filled(wanted);
            let found = fields.iter().find(|field| field["id"] == *id);
            if !found.is_some_and(|found| holds(found, &wanted)) {
                return Some(format!("field {id} is {found:#?}, not {wanted:#}"));
            }
        }
        let says = step.says.as_ref().filter(|text| !got.body.contains(*text));
        says.map(|text| format!("it does not say {text:?}"))
    }

    pub async fn feed(&mut self, stage: &mut Stage, step: &Feed) {
        let send = step.send.as_ref().map(|message| self.filled(message));
        let receive = step.receive.as_ref().map(|wanted| self.filled(wanted));
        let site = self.site(stage).await;
        site.tell(&step.feed, send.as_ref()).await;
        if let Some(wanted) = receive {
            site.hear(&step.feed, |message| holds(message, &wanted))
                .await;
        }
    }

    /// A value with the kept values in the places of the names.
    pub fn filled(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => {
                let whole = text.strip_prefix('{').and_then(|it| it.strip_suffix('}'));
                if let Some(kept) = whole.and_then(|name| self.kept.get(name)) {
                    return kept.clone();
                }
                let mut text = text.clone();
                for (name, kept) in &self.kept {
                    let shown = kept
                        .as_str()
                        .map_or_else(|| kept.to_string(), str::to_owned);
                    text = text.replace(&format!("{{{name}}}"), &shown);
                }
                text.into()
            }
            Value::Array(items) => items.iter().map(|item| self.filled(item)).collect(),
            Value::Object(map) => {
                let pairs = map
                    .iter()
                    .map(|(key, value)| (key.clone(), self.filled(value)));
                Value::Object(pairs.collect())
            }
            other => other.clone(),
        }
    }
}
