//! The times at which schedules are due. A schedule is planned anew when the attributes that its
//! time follows from were changed. No other schedule is planned with it, and whoever changed it
//! pays.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::{Timestamp, Zoned};
use serde_json::Value;

use super::caller::Caller;
use super::clock::{CALLER, begin};
use super::database::{Database, Reference};
use super::failure::FailureKind;
use super::object::Object;
use super::plugin::{Plugin, Waiting};
use super::schedule;
use super::server::IndigoServer;
use super::table::Collection;
use super::timestamp::timestamp;
use super::trigger;
use cordon_base::log::Level;

/// The schedules as the clock has them.
#[derive(Default)]
pub(super) struct Plans {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Schedules to look at, each with the plugin that changed it, if a plugin did.
    marked: HashMap<i64, Option<Arc<Plugin>>>,
    plans: HashMap<i64, Plan>,
    /// The schedules that are due at some time, the next one first.
    order: BTreeSet<(Timestamp, i64)>,
}

struct Plan {
    /// The schedule as it was seen last.
    object: Arc<Object>,
    /// The plugin that has set its times, if it was one.
    by: Option<Arc<Plugin>>,
    time: Time,
}

/// The known part of when a schedule is due.
enum Time {
    /// Nothing yet.
    Open,
    /// It is being planned, or executed.
    AtWork,
    /// The time at which the schedule is due next, if it is.
    Known(Option<Zoned>),
}

/// The outcome for a time that was found.
enum Settled {
    /// The time holds for the schedule as it is now.
    Holds(Arc<Object>),
    /// The schedule was changed meanwhile, into this one.
    Changed(Arc<Object>),
    /// The schedule was removed meanwhile.
    Gone,
}

impl Plans {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A schedule was made, changed or removed by this plugin, if it was one. The server's own
    /// changes do not hide that a plugin has changed it, too.
    pub(super) fn mark(&self, id: i64, by: Option<Arc<Plugin>>) {
        let mut state = self.state();
        let marked = state.marked.entry(id).or_default();
        if by.is_some() {
            *marked = by;
        }
    }

    /// How long until a schedule is due.
    fn next(&self, now: Timestamp) -> Option<Duration> {
        let state = self.state();
        let (next, _) = state.order.first()?;
        Some(Duration::try_from(next.duration_since(now)).unwrap_or_default())
    }

    /// The schedules that are due, each with the plugin that has set its times; they count as
    /// at work.
    fn due(&self, now: Timestamp) -> Vec<(Arc<Object>, Option<Arc<Plugin>>)> {
        let mut state = self.state();
        let mut due = Vec::new();
        while let Some((_, id)) = state.order.first().copied().filter(|(at, _)| *at <= now) {
            state.order.pop_first();
            if let Some(plan) = state.plans.get_mut(&id) {
                plan.time = Time::AtWork;
                due.push((Arc::clone(&plan.object), plan.by.clone()));
            }
        }
        due
    }

    fn take_marked(&self) -> HashMap<i64, Option<Arc<Plugin>>> {
        std::mem::take(&mut self.state().marked)
    }
}

impl State {
    fn forget(&mut self, id: i64) {
        if let Some(plan) = self.plans.remove(&id) {
            self.unorder(&plan.time, id);
        }
    }

    fn unorder(&mut self, time: &Time, id: i64) {
        if let Time::Known(Some(next)) = time {
            self.order.remove(&(next.timestamp(), id));
        }
    }

    /// Notes a schedule as it is now. Returns whether the caller is to plan it, and whether it was
    /// never seen before. `by` has changed it.
    fn see(&mut self, object: Arc<Object>, by: Option<&Arc<Plugin>>) -> (bool, bool) {
        let id = object.id;
        let Some(mut plan) = self.plans.remove(&id) else {
            let (by, time) = (by.cloned(), Time::AtWork);
            self.plans.insert(id, Plan { object, by, time });
            return (true, true);
        };
        let same = schedule::has_same_times(&plan.object, &object);
        if !same {
            plan.by = by.cloned();
        }
        let wanted = match plan.time {
            Time::AtWork => false,
            Time::Open => true,
            Time::Known(_) => !same,
        };
        if wanted {
            self.unorder(&plan.time, id);
            plan.time = Time::AtWork;
        }
        plan.object = object;
        self.plans.insert(id, plan);
        (wanted, false)
    }
}

/// A schedule that is being worked at. When the work is given up in the middle, the schedule is
/// looked at again.
struct AtWork {
    server: Arc<IndigoServer>,
    id: i64,
}

impl AtWork {
    /// Says when the schedule is due next.
    fn settle(&self, object: &Arc<Object>, next: Option<&Zoned>) -> Settled {
        let mut state = self.server.plans.state();
        let Some(plan) = state.plans.get_mut(&self.id) else {
            return Settled::Gone;
        };
        if !schedule::has_same_times(object, &plan.object) {
            return Settled::Changed(Arc::clone(&plan.object));
        }
        plan.time = Time::Known(next.cloned());
        let object = Arc::clone(&plan.object);
        if let Some(next) = next {
            state.order.insert((next.timestamp(), self.id));
        }
        Settled::Holds(object)
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        let mut state = self.server.plans.state();
        if let Some(plan) = state.plans.get_mut(&self.id)
            && matches!(plan.time, Time::AtWork)
        {
            plan.time = Time::Open;
        }
        drop(state);
        self.server.timers.changed.notify_one();
    }
}

/// Looks at the schedules that were changed and begins those that are due. Returns the time until
/// another one is due.
pub(super) fn advance(server: &Arc<IndigoServer>) -> Option<Duration> {
    for (id, by) in server.plans.take_marked() {
        look(server, id, by);
    }
    let now = Zoned::now().timestamp();
    for (object, by) in server.plans.due(now) {
        let payer = payer(server, by, &object);
        let work = AtWork {
            server: Arc::clone(server),
            id: object.id,
        };
        begin(server, &payer, move |server, payer| {
            fire(server, payer, &work, object);
        });
    }
    server.plans.next(now)
}

/// Looks for schedules that no change has told of. Some were there before the hub. Others were put
/// back because a change was not stored, or the planning of them was given up.
pub(super) fn sweep(server: &Arc<IndigoServer>) {
    let all: Vec<Arc<Object>> = {
        let database = server.database();
        let all = database.list(Collection::Schedules.objects());
        all.cloned().collect()
    };
    let ids: HashSet<i64> = all.iter().map(|it| it.id).collect();
    let mut untold = Vec::new();
    {
        let mut state = server.plans.state();
        let gone = state.plans.keys().filter(|id| !ids.contains(id));
        for id in gone.copied().collect::<Vec<_>>() {
            state.forget(id);
        }
        for object in all {
            match state.plans.get(&object.id) {
                Some(plan) if Arc::ptr_eq(&plan.object, &object) => match &plan.time {
                    Time::Open => {
                        state.marked.entry(object.id).or_default();
                    }
                    Time::Known(next) => untold.push((object, next.clone())),
                    Time::AtWork => {}
                },
                _ => {
                    state.marked.entry(object.id).or_default();
                }
            }
        }
    }
    for (object, next) in untold {
        announce(server, &object, next.as_ref());
    }
}

/// Plans a schedule anew where that is needed.
fn look(server: &Arc<IndigoServer>, id: i64, by: Option<Arc<Plugin>>) {
    let table = Collection::Schedules.objects();
    let found = server.database().any(id).cloned();
    let Some(object) = found.filter(|it| it.table == table) else {
        server.plans.state().forget(id);
        return;
    };
    let (wanted, first) = server.plans.state().see(Arc::clone(&object), by.as_ref());
    if !wanted {
        return;
    }
    let payer = payer(server, by, &object);
    let work = AtWork {
        server: Arc::clone(server),
        id,
    };
    begin(server, &payer, move |server, _| {
        let now = Zoned::now();
        let next = schedule::next(&object, &server.sun, &now);
        if first {
            tell_missed(server, &object, next.as_ref(), &now);
        }
        settle(server, &work, object, next);
    });
}

/// The one who pays for planning a schedule: the plugin that changed it, or else the plugin that
/// the schedule counts for.
fn payer(server: &IndigoServer, by: Option<Arc<Plugin>>, object: &Object) -> Caller {
    let plugin = by.or_else(|| server.plugin(&object.hidden.charged));
    plugin.map_or(CALLER, Caller::Plugin)
}

/// Executes a schedule whose time has come, and plans it again. It is the doing of the plugin
/// whose schedule it is, or that has set its times, and within the limits of that one.
fn fire(server: &Arc<IndigoServer>, payer: &Caller, work: &AtWork, planned: Arc<Object>) {
    let found = server.database().any(planned.id).cloned();
    let Some(object) = found else {
        server.plans.state().forget(planned.id);
        return;
    };
    // A schedule that was changed at the last moment is planned, not executed.
    let same = schedule::has_same_times(&planned, &object);
    if same {
        let doer = match payer {
            Caller::Plugin(_) => Caller::Chain(payer.chain()),
            other => other.clone(),
        };
        let data = || trigger::event(&object, &CALLER);
        trigger::happened(server, &doer, &object, data);
    }
    let next = match same && schedule::is_over(&object) {
        true => None,
        false => schedule::next(&object, &server.sun, &Zoned::now()),
    };
    if same && next.is_none() && object.flag("autoDelete") {
        // So that the schedule is not planned again until it is gone.
        work.settle(&object, None);
        return delete(server, object.id);
    }
    settle(server, work, object, next);
}

/// Keeps when a schedule is due next, and announces it.
fn settle(
    server: &Arc<IndigoServer>,
    work: &AtWork,
    mut object: Arc<Object>,
    mut next: Option<Zoned>,
) {
    loop {
        match work.settle(&object, next.as_ref()) {
            Settled::Holds(now) => return announce(server, &now, next.as_ref()),
            Settled::Changed(now) => object = now,
            Settled::Gone => return,
        }
        next = schedule::next(&object, &server.sun, &Zoned::now());
    }
}

/// Removes a schedule that is over.
fn delete(server: &Arc<IndigoServer>, id: i64) {
    let server = Arc::clone(server);
    tokio::spawn(async move {
        let deleted = server.edit(&CALLER, |edit| edit.delete(id)).await;
        if let Err(failure) = deleted {
            tracing::error!(%failure, "a schedule stays");
        }
    });
}

/// Says that a schedule's time passed while the hub was off. The announced time is in the store, so
/// this shows when the hub first looks at the schedule. Nothing is made up for: work meant for the
/// morning is wrong in the evening.
fn tell_missed(server: &IndigoServer, schedule: &Object, next: Option<&Zoned>, now: &Zoned) {
    let announced = schedule.text("nextExecution").parse::<DateTime>();
    let Some(missed) = announced.ok().filter(|it| *it <= now.datetime()) else {
        return;
    };
    let moment = |time: DateTime| time.strftime("%Y-%m-%d %H:%M:%S").to_string();
    let next = match next {
        Some(next) => format!("it is due next at {}", moment(next.datetime())),
        None => "it is not due again".to_owned(),
    };
    let line = format!(
        "schedule '{}' was due at {} while the hub was off and was not executed; {next}",
        schedule.name(),
        moment(missed)
    );
    server.note_about(&CALLER, schedule, Level::Warning, &line);
}

/// Writes the next time into the object, where it changed. Nobody waits for the write, because a
/// plugin may have many schedules, which would hold up those of others.
fn announce(server: &Arc<IndigoServer>, object: &Arc<Object>, next: Option<&Zoned>) {
    let text = next.map_or(Value::Null, |next| Value::from(timestamp(next)));
    if object.fields.get("nextExecution") == Some(&text) {
        return;
    }
    let caller = server.acting_for(object, &CALLER);
    let (held, most) = caller.steps(server);
    // With so many changes on their way already, the time is announced at the next sweep.
    let Ok(waiting) = Waiting::take(held, 1, most) else {
        return;
    };
    let server = Arc::clone(server);
    let wanted = Reference::Id(object.id);
    tokio::spawn(async move {
        let find = |database: &Database| {
            let table = Collection::Schedules.objects();
            database.get(table, &wanted).cloned()
        };
        let edited = server.alter(&caller, None, find, |_, schedule| {
            schedule.set("nextExecution", text.clone());
            Ok(((), Vec::new()))
        });
        if let Err(failure) = edited.await
            && failure.kind != FailureKind::Key
        {
            let line = format!("the next time of a schedule is not stored: {failure}");
            server.note(&caller, Level::Error, &line);
        }
        drop(waiting);
    });
}
