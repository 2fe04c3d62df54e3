//! Keeps one instance alive: starts it, restarts it with back-off, parks it.
//!
//! A failure drops the component. The next life starts after a pause that doubles with
//! every failure in a row; after as many as the `restarts` limit allows the instance is
//! parked with the reason on show. It is tried again after a long pause, which doubles too,
//! or when the operator says so. A panic of the hub while it runs an instance is a failure
//! like any other, of that instance alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::code_cache::CodeCache;
use crate::compiled::{self, CompiledPackages, Sought};
use crate::engine::Engine;
use crate::framework::{Event, Framework};
use crate::instance::Spec;
use crate::instance::backoff::{Backoff, scattered};
use crate::instance::counters::{Counters, Status};
use crate::instance::fault::{End, caught};
use crate::instance::meter::Meter;
use crate::instance::orders::{Asked, Order, Orders};
use crate::instance::remote::Remote;
use crate::instance::run::Ending;
use crate::instance::setup::{self, Looking};
use crate::instance::starts::{Place, Starts};
use crate::instance::switchboard::Switchboard;
use cordon_base::descriptors::Descriptors;
use cordon_base::error::{EngineError, InstanceFailure};
use cordon_base::fingerprint;
use cordon_base::hint::Origin;
use cordon_base::limits::Limits;
use cordon_base::log::{EventLog, Level};
use cordon_base::pool::Pools;
use cordon_reach::Reach;

/// How long an instance that was ended may take to be gone.
const LAST: Duration = Duration::from_secs(1);

/// How long an instance waits for its packages to be compiled, which is done for all instances that
/// have the same.
const COMPILED_WITHIN: Duration = Duration::from_secs(30);

/// How long an instance waits when the engine has no room for it.
const NO_ROOM: Duration = Duration::from_secs(2);

/// The services of the hub that every instance uses.
#[derive(Clone)]
pub struct Services {
    /// The engine.
    pub engine: Engine,
    /// The event log.
    pub events: EventLog,
    /// Compiled code of plugins.
    pub code: CodeCache,
    /// Compiled packages, unless each instance compiles them for itself.
    pub compiled: Option<CompiledPackages>,
    /// The framework of the component that compiles packages.
    pub compiler: Arc<dyn Framework>,
    /// The threads that serve all instances in turn.
    pub pools: Pools,
    /// Open files of the hub, for all instances.
    pub descriptors: Descriptors,
    /// The running instances.
    pub instances: Switchboard,
    /// The turns of instances that want to start.
    pub starts: Starts,
    /// How long plugins have to stop.
    pub grace: Duration,
    /// How long an instance is parked before it is tried again; zero for ever.
    pub parked: Duration,
}

/// A running actor.
pub struct Handle {
    remote: Arc<Remote>,
    /// Its task, until somebody has waited for its end.
    task: tokio::sync::Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    /// The side of the instance that others see and send to.
    #[must_use]
    pub fn remote(&self) -> Remote {
        Remote::clone(&self.remote)
    }

    /// Stops the plugin as its author expects it (`onStop` last) and waits for it: as long as
    /// `within` and a second more. After that the instance is ended where it is. The handle can do
    /// nothing more with it.
    pub async fn stop(&self, within: Duration) {
        let remote = &self.remote;
        remote.orders.give(Order::Stop);
        // Whoever comes second waits for the same end.
        let mut held = self.task.lock().await;
        let Some(mut task) = held.take() else {
            return;
        };
        match timeout(within, &mut task).await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => {
                tracing::error!(name = remote.spec.name, %error, "an instance's actor failed");
            }
            Err(_) => {
                let seconds = within.as_secs_f64().round();
                let line = format!("the plugin did not stop within {seconds} s and is ended");
                remote.spec.log.hub(Level::Error, &line);
                task.abort();
                if timeout(LAST, &mut task).await.is_err() {
                    let line = "the hub is in the middle of a step for the plugin that does not \
                                end; it is left to itself";
                    remote.spec.log.hub(Level::Error, line);
                }
            }
        }
        remote.counters.set(Status::Stopped);
    }
}

/// Starts the actor of an instance.
#[must_use]
pub fn start(services: Services, spec: Spec) -> Handle {
    begin(services, spec, Begin::Alive)
}

/// Starts the actor of an instance that is stopped until it is told to start.
#[must_use]
pub fn start_stopped(services: Services, spec: Spec) -> Handle {
    begin(services, spec, Begin::Stopped)
}

/// How an actor begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begin {
    Alive,
    Stopped,
}

fn begin(services: Services, spec: Spec, how: Begin) -> Handle {
    let spec = Arc::new(spec);
    let counters = Arc::<Counters>::default();
    let orders = Arc::<Orders>::default();
    let capacity = usize::try_from(spec.limits.inbox).unwrap_or(usize::MAX);
    let (inbox, receiver) = mpsc::channel(capacity.max(1));
    let instances = services.instances.clone();
    let meter = Meter::new(&spec.limits, Arc::clone(&spec.account));
    let reach = Reach::new(
        Arc::clone(&spec.network),
        Arc::clone(&spec.serial),
        Arc::clone(&spec.account),
        &spec.limits,
        &services.pools,
        &services.descriptors,
    );
    let supervisor = Supervisor {
        reach,
        spec: Arc::clone(&spec),
        counters: Arc::clone(&counters),
        orders: Arc::clone(&orders),
        meter: Arc::clone(&meter),
        services,
    };
    let stopped = how == Begin::Stopped;
    if stopped {
        supervisor.orders.hold();
    }
    supervisor.counters.set(match stopped {
        true => Status::Stopped,
        false => Status::Starting,
    });
    // At once: all the rest can be done beside it.
    let place = match stopped {
        true => None,
        false => supervisor.services.starts.free(false),
    };
    let first = place.map(|place| (place, supervisor.look(true)));
    let task = tokio::spawn(supervisor.watch(receiver, first, stopped));
    let remote = Arc::new(Remote {
        spec,
        counters,
        inbox,
        orders,
        meter,
    });
    instances.add(&remote);
    Handle {
        remote,
        task: tokio::sync::Mutex::new(Some(task)),
    }
}

/// The parts of an instance that outlive its lives.
pub(super) struct Supervisor {
    pub(super) services: Services,
    pub(super) spec: Arc<Spec>,
    pub(super) counters: Arc<Counters>,
    pub(super) orders: Arc<Orders>,
    pub(super) meter: Arc<Meter>,
    pub(super) reach: Reach,
}

/// The place among the starts and the task that examines the folders, with which a life begins.
type Begun = (Place, Looking);

impl Supervisor {
    /// Supervises, whatever happens: a panic between two lives is told of, and the next one
    /// begins.
    async fn watch(
        self,
        mut inbox: mpsc::Receiver<Event>,
        mut first: Option<Begun>,
        stopped: bool,
    ) {
        let _end = End(Arc::clone(&self.counters));
        let mut backoff = Backoff::default();
        if stopped && self.rest(&mut inbox, Status::Stopped).await.is_none() {
            return self.counters.set(Status::Stopped);
        }
        loop {
            let run = self.run(&mut inbox, &mut first, &mut backoff);
            let Err(fault) = caught(run).await else {
                break;
            };
            let going_on = self.fail(&mut inbox, &mut backoff, fault);
            match caught(going_on).await {
                Ok(true) => {}
                Ok(false) => break,
                // Nothing is left that could be done for this instance; `End` parks it.
                Err(_) => return,
            }
        }
        self.counters.set(Status::Stopped);
    }

    async fn run(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        first: &mut Option<Begun>,
        backoff: &mut Backoff,
    ) {
        // Whether packages that are not compiled yet are waited for.
        let mut patient = true;
        loop {
            self.counters.set(Status::Starting);
            let begun = match first.take() {
                Some(begun) => Some(begun),
                None => self.turn(inbox, backoff, patient).await,
            };
            let Some((place, looking)) = begun else {
                return;
            };
            let born = Instant::now();
            self.orders.begin();
            let lived = tokio::select! {
                lived = caught(self.live(inbox, place, looking)) => lived,
                ending = self.overdue() => Ok(Ok(ending)),
            };
            if let Ok(Ok(Ending::Unprepared(packages))) = lived {
                self.meter.give_place();
                if !self.prepare(inbox, packages).await {
                    return;
                }
                // Once: packages that could not be compiled are no reason not to start.
                patient = false;
                continue;
            }
            patient = true;
            backoff.lived(born.elapsed());
            let goes_on = match lived {
                Ok(Ok(ending)) => self.after(inbox, backoff, ending).await,
                Ok(Err(EngineError::NoRoom)) => self.wait_for_room(inbox).await,
                Ok(Err(error)) => self.fail(inbox, backoff, error.to_string()).await,
                Err(fault) => self.fail(inbox, backoff, fault).await,
            };
            if !goes_on {
                return;
            }
        }
    }

    /// Examines the folders for the next life. With `patient` the result may be packages that are
    /// to be compiled first.
    fn look(&self, patient: bool) -> Looking {
        let services = &self.services;
        let compiled = services.compiled.as_ref().map(|it| (it, patient));
        let (files, share) = (&services.pools.files, &self.reach.descriptors);
        setup::look(
            &self.spec,
            &services.code,
            compiled,
            &self.spec.log,
            files,
            share,
        )
    }

    /// Has the packages compiled, or waits while somebody else has; false when told to stop
    /// meanwhile.
    async fn prepare(&self, inbox: &mut mpsc::Receiver<Event>, packages: Sought) -> bool {
        let mut end = match packages {
            Sought::Found(_) | Sought::Never => return true,
            Sought::UnderWay(end) => end,
            Sought::Missing(set) => {
                let line = "the plugin's packages are compiled, once for all that have the same";
                self.spec.log.hub(Level::Status, line);
                let end = set.end();
                let tls = Arc::clone(&self.spec.tls);
                tokio::spawn(compiled::compile(self.services.clone(), tls, set));
                end
            }
        };
        tokio::select! {
            // Nothing is ever sent: an error is the end. Packages that take longer are left to each
            // plugin that has them, and those of others delay these by a few seconds at most.
            _ = timeout(COMPILED_WITHIN, end.changed()) => true,
            order = self.orders.next() => match order {
                Order::Stop => false,
                Order::Halt => self.rest(inbox, Status::Stopped).await.is_some(),
                Order::Restart(_) => true,
            },
        }
    }

    /// Waits until it is its turn to start; nothing when told to stop meanwhile.
    async fn turn(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        backoff: &Backoff,
        patient: bool,
    ) -> Option<Begun> {
        loop {
            let turn = self.services.starts.turn(backoff.again());
            tokio::select! {
                biased;
                order = self.orders.next() => match order {
                    Order::Stop => return None,
                    Order::Halt => {
                        self.rest(inbox, Status::Stopped).await?;
                        self.counters.set(Status::Starting);
                    }
                    Order::Restart(_) => {}
                },
                place = turn => return Some((place, self.look(patient))),
            }
        }
    }

    /// Waits until a life that was told to end has had its time for that: the hub's grace, or the
    /// time that a callback may take. A life that takes longer is ended where it is.
    async fn overdue(&self) -> Ending {
        let order = self.orders.due().await;
        let wall = Duration::from_millis(self.spec.limits.callback_wall);
        let within = match self.orders.is_urgent(order) {
            true => self.services.grace,
            false => self.services.grace.max(wall),
        };
        tokio::time::sleep(within).await;
        let seconds = within.as_secs_f64().round();
        let line = format!("the plugin did not stop within {seconds} s and is ended");
        self.spec.log.hub(Level::Error, &line);
        self.orders.settle(order).into()
    }

    /// Does the work after a life that ended so; false when no further life begins.
    async fn after(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        backoff: &mut Backoff,
        ending: Ending,
    ) -> bool {
        match ending {
            Ending::Stopped => false,
            Ending::Restart(asked) => {
                backoff.restarted(asked);
                let reason = "the plugin is being restarted".to_owned();
                asked == Asked::Operator || self.pause(inbox, backoff, reason, Level::Status).await
            }
            Ending::Halted => self.rest(inbox, Status::Stopped).await.is_some(),
            // This ending was taken care of before: nothing has lived.
            Ending::Unprepared(_) => true,
            Ending::Failed(
                failure @ (InstanceFailure::StartFailed | InstanceFailure::Declined(_)),
            ) => self.leave_off(inbox, &failure).await,
            Ending::Failed(failure) => {
                let reason = self.spec.log.origin().failure(&failure);
                self.fail(inbox, backoff, reason).await
            }
        }
    }

    /// Does the work after a failure: a pause, or the end of trying.
    async fn fail(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        backoff: &mut Backoff,
        reason: String,
    ) -> bool {
        self.spec.log.hub(Level::Error, &reason);
        self.counters.failed();
        self.counters.broke("", &reason);
        let failures = backoff.failed();
        if failures < self.spec.limits.restarts {
            return self.pause(inbox, backoff, reason, Level::Error).await;
        }
        let hit = Limits::hit("restarts", failures, self.spec.limits.restarts);
        let hit = self.spec.log.origin().limit(&hit);
        let again = backoff.parked(self.services.parked);
        let verb = restart_verb(&self.spec.name);
        let until = match again {
            Some(again) => format!("for {} s, or until `{verb}`", again.as_secs()),
            None => format!("until `{verb}`"),
        };
        let line = match self.starts_again() {
            true => format!("the plugin is parked {until}; last reason: {reason}; {hit}"),
            false => format!("the plugin is not started again; last reason: {reason}"),
        };
        self.spec.log.hub(Level::Error, &line);
        let wake = again.map(|again| tokio::time::Instant::now() + again);
        loop {
            let parked = Status::Parked {
                reason: reason.clone(),
            };
            let woken = match self.counters.status() {
                // Told to wait while it was parked.
                Status::Stopped => self.rest_until(inbox, Status::Stopped, None).await,
                _ => self.rest_until(inbox, parked, wake).await,
            };
            match woken {
                Woken::Stop => return false,
                Woken::Asked(Asked::Operator) => {
                    backoff.restarted(Asked::Operator);
                    return true;
                }
                // Plugins that start one another again would never be parked.
                Woken::Asked(Asked::Itself | Asked::Other) => {}
                Woken::Time => {
                    let line = "the plugin was parked and is tried again";
                    self.spec.log.hub(Level::Status, line);
                    return true;
                }
            }
        }
    }

    /// Waits before the next start; false when told to stop meanwhile.
    async fn pause(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        backoff: &mut Backoff,
        reason: String,
        level: Level,
    ) -> bool {
        let pause = backoff.pause();
        // `cordon run` ends with the first failure.
        if self.starts_again() || level == Level::Status {
            let line = format!("the plugin is started again in {} s", pause.as_secs());
            self.spec.log.hub(level, &line);
        }
        let pause = scattered(pause);
        self.counters
            .set_until(Status::Restarting { reason }, Some(pause));
        let wake = tokio::time::Instant::now() + pause;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(wake) => return true,
                order = self.orders.next() => match order {
                    Order::Stop => return false,
                    Order::Halt => {
                        return self.rest(inbox, Status::Stopped).await.is_some();
                    }
                    Order::Restart(Asked::Operator) => {
                        backoff.restarted(Asked::Operator);
                        return true;
                    }
                    Order::Restart(Asked::Itself | Asked::Other) => {}
                },
                // An event for a plugin that is not there is lost, as when it is off.
                event = inbox.recv() => if event.is_none() {
                    return false;
                },
            }
        }
    }

    /// Whether a plugin that has failed is started again, or can be: not in `cordon run`.
    fn starts_again(&self) -> bool {
        *self.spec.log.origin() != Origin::Run
    }

    /// Waits a moment because the engine is full; the instance is not to blame.
    async fn wait_for_room(&self, inbox: &mut mpsc::Receiver<Event>) -> bool {
        let line = "the plugin waits until one of the places for instances is free; raise \
                    `instances` under [hub]";
        if self.counters.no_room() {
            self.spec.log.hub(Level::Error, line);
        }
        tokio::select! {
            () = tokio::time::sleep(scattered(NO_ROOM)) => true,
            order = self.orders.next() => match order {
                Order::Stop => false,
                Order::Halt => self.rest(inbox, Status::Stopped).await.is_some(),
                Order::Restart(_) => true,
            },
        }
    }

    /// Waits until somebody has it started again; nothing when told to stop for good.
    async fn rest(&self, inbox: &mut mpsc::Receiver<Event>, status: Status) -> Option<Asked> {
        match self.rest_until(inbox, status, None).await {
            Woken::Asked(asked) => Some(asked),
            Woken::Stop | Woken::Time => None,
        }
    }

    /// Waits until somebody has it started again, or until this moment. An instance that is told to
    /// wait is stopped from then on, and no time wakes it.
    async fn rest_until(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        status: Status,
        mut wake: Option<tokio::time::Instant>,
    ) -> Woken {
        let wait = wake.map(|wake| wake.saturating_duration_since(tokio::time::Instant::now()));
        self.counters.set_until(status, wait);
        loop {
            let time = async {
                match wake {
                    Some(wake) => tokio::time::sleep_until(wake).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                order = self.orders.next() => match order {
                    Order::Stop => return Woken::Stop,
                    Order::Restart(asked) => return Woken::Asked(asked),
                    Order::Halt => {
                        self.counters.set(Status::Stopped);
                        wake = None;
                    }
                },
                event = inbox.recv() => match event {
                    Some(event) => drop(event),
                    None => return Woken::Stop,
                },
                () = time => return Woken::Time,
            }
        }
    }

    /// Behaviour spec 2.2: a plugin that could not be imported is not tried again. Python has told
    /// the reason already. A plugin whose files have changed is another plugin.
    async fn leave_off(
        &self,
        inbox: &mut mpsc::Receiver<Event>,
        failure: &InstanceFailure,
    ) -> bool {
        self.counters.failed();
        let looks = !self.services.parked.is_zero();
        if self.starts_again() {
            let verb = restart_verb(&self.spec.name);
            let line = match looks {
                true => format!("the plugin stays off until `{verb}`, or until its files change"),
                false => format!("the plugin stays off until `{verb}`"),
            };
            self.spec.log.hub(Level::Error, &line);
        }
        let reason = failure.to_string();
        let before = self.fingerprint().await;
        loop {
            let reason = reason.clone();
            let wake = looks.then(|| tokio::time::Instant::now() + self.services.parked);
            match self
                .rest_until(inbox, Status::Parked { reason }, wake)
                .await
            {
                Woken::Stop => return false,
                Woken::Asked(_) => return true,
                Woken::Time => {
                    if self.fingerprint().await != before {
                        let line = "the plugin's files have changed, and it is tried again";
                        self.spec.log.hub(Level::Status, line);
                        return true;
                    }
                }
            }
        }
    }

    /// The fingerprint of the plugin's files, read where files are read; nothing when that fails.
    async fn fingerprint(&self) -> Option<u64> {
        let folder = self.spec.folders.plugin.clone();
        let files = &self.services.pools.files;
        let work = move || fingerprint::of(&folder);
        files.run(&self.spec.account, work).await.ok()
    }
}

/// Why an instance no longer rests.
enum Woken {
    /// It is told to stop for good.
    Stop,
    /// Somebody has it started again.
    Asked(Asked),
    /// It is time.
    Time,
}

/// The verb with which the operator starts an instance again, as a shell takes it.
fn restart_verb(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    match !name.is_empty() && name.chars().all(plain) {
        true => format!("cordon restart {name}"),
        false => format!("cordon restart '{}'", name.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verb_is_what_a_shell_takes() {
        assert_eq!(restart_verb("HW-1"), "cordon restart HW-1");
        assert_eq!(restart_verb("Living room"), "cordon restart 'Living room'");
        assert_eq!(restart_verb("Ann's"), "cordon restart 'Ann'\\''s'");
        assert_eq!(restart_verb(""), "cordon restart ''");
    }
}
