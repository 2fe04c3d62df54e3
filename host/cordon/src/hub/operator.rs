//! The hub behind the operator's API.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::Hub;
use super::changes::Configuration;
use super::command::{command, failed, refused};
use super::configured::{Entry, Section};
use super::manager::Manager;
use super::progress::Progress;
use super::report::{of_entry, of_hardware, of_remote, resident};
use super::starter::Starter;
use crate::config::Config;
use cordon_base::grants::Grants;
use cordon_base::notes::now;
use cordon_control::names;
use cordon_control::operator::{Action, Answer, Operator, OperatorError};
use cordon_control::report::{Changes, HubReport, InstanceReport, Problem, Source};

/// How long a reading of the configuration waits for the first one to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// The hub, for its operator. It works beside the start of the hub and until its end.
pub struct HubOperator {
    inner: Arc<Inner>,
}

struct Inner {
    starter: Starter,
    manager: Option<Manager>,
    progress: Progress,
    commands: TaskTracker,
    configuration: Option<Configuration>,
    started: u64,
}

impl Hub {
    /// The hub for its operator, with the configuration that it was started with, and its file. To
    /// be called after [`Hub::prepare`] and [`Hub::indigo`].
    #[must_use]
    pub fn operator(&self, configuration: Option<(&Path, Config)>) -> HubOperator {
        let configuration = configuration.map(|(path, first)| Configuration::new(path, first));
        let inner = Inner {
            starter: self.starter(),
            manager: self.manager.clone(),
            progress: self.progress.clone(),
            commands: self.commands.clone(),
            configuration,
            started: now(),
        };
        HubOperator {
            inner: Arc::new(inner),
        }
    }
}

impl HubOperator {
    /// Carries a command to its end, even if nobody waits for it any more.
    fn finish<'a, T, W>(&'a self, work: W) -> Answer<'a, T>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, OperatorError>> + Send + 'static,
    {
        if self.inner.progress.is_stopping() {
            return Box::pin(async { Err(refused("the hub is being stopped")) });
        }
        let task = self.inner.commands.spawn(work);
        Box::pin(async move { task.await.unwrap_or_else(|error| Err(failed(error))) })
    }
}

impl Operator for HubOperator {
    fn hub(&self) -> HubReport {
        let inner = &self.inner;
        let file = inner.configuration.as_ref();
        let problems = inner.starter.problems.all().into_iter();
        HubReport {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            started: inner.started,
            configuration: file.map(|it| it.path().display().to_string()),
            loading: inner.progress.is_loading(),
            resident: resident(),
            problems: problems
                .map(|(name, reason)| Problem { name, reason })
                .collect(),
        }
    }

    fn instances(&self) -> BoxFuture<'_, Vec<InstanceReport>> {
        Box::pin(self.inner.instances())
    }

    fn act<'a>(&'a self, name: &'a str, action: Action) -> Answer<'a, ()> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        self.finish(async move { inner.act(&name, action).await })
    }

    fn grants<'a>(&'a self, name: &'a str) -> Answer<'a, Value> {
        Box::pin(self.inner.grants(name))
    }

    fn set_grants<'a>(&'a self, name: &'a str, grants: Value) -> Answer<'a, ()> {
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        self.finish(async move { inner.set_grants(&name, grants).await })
    }

    fn reload(&self) -> Answer<'_, Changes> {
        let inner = Arc::clone(&self.inner);
        self.finish(async move { inner.reload().await })
    }
}

impl Inner {
    async fn instances(&self) -> Vec<InstanceReport> {
        let entries = self.starter.configured.all();
        let mut reports: Vec<_> = entries.iter().map(of_entry).collect();
        let Some(manager) = &self.manager else {
            return reports;
        };
        // The store's fault is in the log; the instances of the configuration are here anyway.
        let managed = manager.operated().await.unwrap_or_default();
        let problems = self.starter.problems.all();
        let own = managed.iter().map(|(hardware, handle)| match handle {
            Some(handle) => of_remote(&handle.remote(), Source::Api),
            None => {
                let problem = problems.iter().find(|(name, _)| *name == hardware.name);
                of_hardware(hardware, problem.map(|(_, reason)| reason.as_str()))
            }
        });
        reports.extend(own);
        reports
    }

    async fn act(&self, name: &str, action: Action) -> Result<(), OperatorError> {
        let configured = &self.starter.configured;
        if let Some(found) = configured.find(name) {
            let _turn = configured.turns().take(found.label.clone()).await;
            // It may have changed while the turn was waited for.
            let Some(entry) = configured.labelled(&found.label) else {
                return Err(self.missing(name).await);
            };
            return self.act_on(&entry, action).await;
        }
        let acted = match &self.manager {
            Some(manager) => manager.act(name, action).await,
            None => None,
        };
        match acted {
            Some(acted) => acted,
            None => Err(self.missing(name).await),
        }
    }

    async fn act_on(&self, entry: &Entry, action: Action) -> Result<(), OperatorError> {
        let store = &self.starter.hardware.domoticz.store;
        let grace = self.starter.hardware.maker.services.grace;
        match (entry.handle(), &entry.section) {
            (Some(handle), Some(section)) if action == Action::Reload => {
                let id = handle.remote().spec.hardware;
                // An instance that was stopped starts, as with a restart.
                let stopped = store.decisions(id).await.map_err(failed)?.stopped;
                store.decide_stopped(id, false).await.map_err(failed)?;
                let renewed = self.starter.renew(entry, section).await;
                if renewed.is_err() && stopped {
                    store.decide_stopped(id, true).await.map_err(failed)?;
                }
                renewed.map_err(refused)
            }
            (Some(_), None) if action == Action::Reload => Err(refused(
                "this instance was not made from a section, so there is nothing to read again",
            )),
            (Some(handle), _) => command(store, &handle.remote(), action, grace).await,
            (None, Some(section)) if action != Action::Stop => {
                self.starter.renew(entry, section).await.map_err(refused)
            }
            (None, _) => Err(refused(format!(
                "`{}` does not run: {}",
                entry.name(),
                of_entry(entry).reason
            ))),
        }
    }

    async fn grants(&self, name: &str) -> Result<Value, OperatorError> {
        let found = self.starter.configured.find(name);
        let grants = match (found, &self.manager) {
            (Some(entry), _) => Some(match entry.section {
                Some(Section::Hardware(section)) => section.instance.grants.clone(),
                Some(Section::Indigo(section)) => section.instance.grants.clone(),
                None => Grants::default(),
            }),
            (None, Some(manager)) => manager.grants(name).await?,
            (None, None) => None,
        };
        match grants {
            Some(grants) => serde_json::to_value(grants).map_err(failed),
            None => Err(self.missing(name).await),
        }
    }

    async fn set_grants(&self, name: &str, grants: Value) -> Result<(), OperatorError> {
        if let Some(entry) = self.starter.configured.find(name) {
            let file = self.configuration.as_ref().map(|it| it.path().display());
            let file = file.map_or_else(|| "the configuration".to_owned(), |it| it.to_string());
            let table = match entry.section {
                Some(Section::Indigo(_)) => "indigo",
                _ => "hardware",
            };
            return Err(refused(format!(
                "the grants of `{name}` stand in {file}: change [{table}.grants] of the \
                 [[{table}]] section called `{}`, and then `cordon reload`",
                entry.label
            )));
        }
        let grants: Grants = serde_json::from_value(grants).map_err(refused)?;
        let set = match &self.manager {
            Some(manager) => manager.set_grants(name, &grants).await?,
            None => false,
        };
        match set {
            true => Ok(()),
            false => Err(self.missing(name).await),
        }
    }

    async fn reload(&self) -> Result<Changes, OperatorError> {
        let configuration = self.configuration.as_ref();
        let configuration = configuration
            .ok_or_else(|| refused("this hub was started without a configuration file"))?;
        if timeout(PATIENCE, self.progress.wait()).await.is_err() {
            return Err(refused("the hub is still starting; try again in a moment"));
        }
        configuration.follow(&self.starter).await
    }

    async fn missing(&self, name: &str) -> OperatorError {
        let reports = self.instances().await;
        names::missing(name, reports.iter().map(|it| it.name.as_str()))
    }
}
