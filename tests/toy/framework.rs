//! The hub's side of a framework of a few lines.
//!
//! Nothing below `host/cordon` knows it: it implements the two traits of the seam, and its things
//! are listed as those of the other frameworks are.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use cordon_base::error::EngineError;
use cordon_runtime::framework::{
    Birth, CommandFailure, Data, Event, FailureKind, Framework, Lifecycle, Step,
};
use cordon_runtime::instance::guest::Guest;
use cordon_runtime::instance::remote::{QueueError, Remote};
use cordon_runtime::instance::state::Shared;
use cordon_runtime::things::{
    Answer, Moment, News, Operation, Page, Thing, Things, ThingsError, Value, Watch,
};
use cordon_web::access::Rights;
use futures_util::future::BoxFuture;
use serde_json::json;
use tokio::sync::watch;

/// Most devices of a plugin, so that none fills the hub.
const DEVICES: usize = 10;

/// The devices of an instance, by name, and whether each is on.
#[derive(Clone)]
pub struct Toy {
    devices: watch::Sender<BTreeMap<String, bool>>,
    remote: Arc<OnceLock<Remote>>,
    /// The changes that the last life was told of, for the test.
    pub lives: Arc<Mutex<usize>>,
}

/// A wish of a user on its way to the plugin.
struct Switch {
    name: String,
    on: bool,
}

impl Toy {
    pub fn new() -> Self {
        Self {
            devices: watch::Sender::default(),
            remote: Arc::default(),
            lives: Arc::default(),
        }
    }

    /// Says which instance this is.
    pub fn attach(&self, remote: Remote) {
        assert!(self.remote.set(remote).is_ok(), "it is one instance");
    }

    fn keep(&self, arguments: &str) -> Result<String, CommandFailure> {
        let failed = |kind, message: &str| CommandFailure {
            kind,
            message: message.to_owned(),
            limit: None,
        };
        let wrong = || failed(FailureKind::Value, "a device has a name and is on or off");
        let given: serde_json::Value = serde_json::from_str(arguments).map_err(|_| wrong())?;
        let name = given["name"].as_str().ok_or_else(wrong)?;
        let on = given["on"].as_bool().ok_or_else(wrong)?;
        let kept = self.devices.send_if_modified(|devices| {
            let fits = devices.len() < DEVICES || devices.contains_key(name);
            if fits {
                devices.insert(name.to_owned(), on);
            }
            fits
        });
        match kept {
            true => Ok("null".to_owned()),
            false => Err(failed(FailureKind::Limit, "there are ten devices already")),
        }
    }
}

impl Framework for Toy {
    fn name(&self) -> &'static str {
        "toy"
    }

    fn live<'a>(
        &'a self,
        _birth: Birth<'a>,
    ) -> BoxFuture<'a, Result<Box<dyn Lifecycle>, EngineError>> {
        *self.lives.lock().unwrap() += 1;
        Box::pin(async { Ok(Box::new(ToyLife) as Box<dyn Lifecycle>) })
    }

    fn command(
        &self,
        _shared: &Arc<Shared>,
        name: String,
        arguments: String,
    ) -> BoxFuture<'static, Result<String, CommandFailure>> {
        let toy = self.clone();
        Box::pin(async move {
            match &*name {
                "keep" => toy.keep(&arguments),
                other => Err(CommandFailure {
                    kind: FailureKind::Unsupported,
                    message: format!("there is no command {other}"),
                    limit: None,
                }),
            }
        })
    }
}

struct ToyLife;

impl Lifecycle for ToyLife {
    fn data(&self) -> Data {
        Arc::new(())
    }

    fn begin<'a>(&'a mut self, _guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async { Ok(()) })
    }

    fn deliver<'a>(&'a mut self, guest: &'a mut Guest<'_>, event: Event) -> Step<'a> {
        Box::pin(async move {
            let Ok(switch) = event.downcast::<Switch>() else {
                return Ok(());
            };
            let arguments = json!({ "name": switch.name, "on": switch.on }).to_string();
            guest.function("switch", &arguments).await.map(drop)
        })
    }

    fn interval(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn beat<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async move { guest.function("heartbeat", "{}").await.map(drop) })
    }

    fn end<'a>(&'a mut self, guest: &'a mut Guest<'_>) -> Step<'a> {
        Box::pin(async move { guest.function("leave", "{}").await.map(drop) })
    }
}

impl Things for Toy {
    fn framework(&self) -> &'static str {
        "toy"
    }

    fn list<'a>(&'a self, after: Option<&'a str>) -> Answer<'a, Page> {
        Box::pin(async move {
            let devices = self.devices.borrow();
            let wanted = devices
                .iter()
                .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
            let thing = |(name, on): (&String, &bool)| Thing {
                id: name.clone(),
                name: name.clone(),
                instance: "Toy".to_owned(),
                kind: "switch".to_owned(),
                values: vec![("on".to_owned(), Value::Truth(*on))],
                changed: None,
            };
            Ok(Page {
                things: wanted.map(thing).collect(),
                next: None,
            })
        })
    }

    fn watch(&self) -> Box<dyn Watch> {
        Box::new(Watcher(self.devices.subscribe()))
    }

    fn operate<'a>(&'a self, rights: Rights, id: &'a str, operation: Operation) -> Answer<'a, ()> {
        Box::pin(async move {
            if rights < Rights::User {
                return Err(ThingsError::Forbidden);
            }
            let is_on = self.devices.borrow().get(id).copied();
            let is_on = is_on.ok_or(ThingsError::Missing)?;
            let on = match operation {
                Operation::On => true,
                Operation::Off => false,
                Operation::Toggle => !is_on,
                Operation::Level(_) => {
                    return Err(ThingsError::Refused("a switch has no level".to_owned()));
                }
            };
            let name = id.to_owned();
            let remote = self.remote.get().ok_or(ThingsError::NotRunning)?;
            let queued = remote.queue(Box::new(Switch { name, on }));
            queued.map_err(|error| match error {
                QueueError::Full => ThingsError::Busy,
                QueueError::NotRunning => ThingsError::NotRunning,
            })
        })
    }

    fn history<'a>(&'a self, _id: &'a str, _from: i64, _until: i64) -> Answer<'a, Vec<Moment>> {
        Box::pin(async { Err(ThingsError::NoHistory) })
    }
}

struct Watcher(watch::Receiver<BTreeMap<String, bool>>);

impl Watch for Watcher {
    fn next(&mut self) -> BoxFuture<'_, Option<News>> {
        Box::pin(async move {
            self.0.changed().await.ok()?;
            Some(News::Changed(self.0.borrow().keys().cloned().collect()))
        })
    }
}
