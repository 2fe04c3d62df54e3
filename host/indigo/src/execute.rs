//! Carries out the steps of commands, triggers and schedules.
//!
//! A device's state is its plugin's. A step about a device becomes a call of the plugin that owns
//! it, with an action object, and nothing else happens here.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::action::Step;
use super::caller::Caller;
use super::condition::Surroundings;
use super::control;
use super::database::{Database, Reference, reference};
use super::failure::{Failure, FailureKind};
use super::hold::Hold;
use super::object::Object;
use super::plugin::{Answer, Answered, CallError, Plugin, Returned, Waiting};
use super::server::IndigoServer;
use super::table::{Collection, Table};
use super::timers::Delayed;
use super::view::view;
use cordon_base::limits::Limits;
use cordon_base::log::Level;

/// How many events may follow from one another before the hub takes them for a loop.
const CHAIN: u32 = 16;

/// How many changes of the operator's own triggers may be on their way.
const STEPS: u64 = 4096;

/// How long an action of a plugin may take where somebody waits for its result.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// Carries a step out, or puts it off when it has a delay.
///
/// # Errors
///
/// The step is wrong, or a limit.
pub(super) fn begin(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    step: Step,
    data: Option<Value>,
) -> Result<(), Failure> {
    if step.delay > 0.0 {
        return server.timers.add(Delayed {
            caller: caller.clone(),
            step,
            data,
            charge: None,
        });
    }
    perform(server, caller, step, data)
}

/// Begins a step where nobody is left to be told of a failure.
pub(super) fn begin_unasked(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    step: Step,
    data: Option<Value>,
) {
    let class = step.class.clone();
    if let Err(failure) = begin(server, caller, step, data) {
        complain(server, caller, &class, &failure);
    }
}

/// Says that a step was not carried out.
pub(super) fn complain(server: &IndigoServer, caller: &Caller, class: &str, failure: &Failure) {
    let line = format!("{class}: {failure}");
    match (&failure.limit, caller.plugin()) {
        (Some(hit), Some(plugin)) => plugin.log.limit(hit),
        _ => server.note(caller, Level::Error, &line),
    }
}

/// Carries out the steps of a trigger, a schedule or an action group.
pub(super) fn run_all(server: &Arc<IndigoServer>, caller: &Caller, steps: &[Step], data: &Value) {
    let chain = caller.follow();
    if chain.depth() > CHAIN {
        let line = format!("{CHAIN} events followed from one another; the chain ends here");
        server.note(caller, Level::Error, &line);
        return;
    }
    for step in steps {
        if !chain.take() {
            let line = "one event has a thousand consequences; what is left of them is not done";
            server.note(caller, Level::Error, line);
            return;
        }
        begin_unasked(server, &chain, step.clone(), Some(data.clone()));
    }
}

fn perform(
    server: &Arc<IndigoServer>,
    caller: &Caller,
    step: Step,
    data: Option<Value>,
) -> Result<(), Failure> {
    if let Some(back) = step.complement() {
        server.timers.add(Delayed {
            caller: caller.clone(),
            step: back,
            data: data.clone(),
            charge: None,
        })?;
    }
    let class = step.class.strip_prefix("indigo.").unwrap_or(&step.class);
    match class {
        "PluginAction" => {
            let (plugin, name, arguments, _room) =
                plugin_action(server, caller, &step, data, false)?;
            plugin.admit(caller.charged()).map_err(busy)?;
            plugin.tell(&name, &arguments.to_string().into());
            Ok(())
        }
        "ExecuteGroupAction" => {
            let group = find(server, Collection::ActionGroups, &step, "groupId")?;
            let data = data.unwrap_or_else(|| super::trigger::event(&group, caller));
            run_all(server, caller, &group.hidden.actions, &data);
            Ok(())
        }
        "ModifyVariableAction"
        | "EnableTriggerAction"
        | "DisableTriggerAction"
        | "EnableScheduleAction"
        | "DisableScheduleAction"
        | "EnableDeviceAction"
        | "DisableDeviceAction" => {
            let (held, most) = caller.steps(server);
            let waiting = Waiting::take(held, 1, most)
                .map_err(|used| Failure::from(Limits::hit("inbox", used, most)))?;
            let server = Arc::clone(server);
            let caller = caller.follow();
            // In a task of its own, because changes wait for the disk.
            tokio::spawn(async move {
                if let Err(failure) = modify(&server, &caller, &step).await {
                    complain(&server, &caller, &step.class, &failure);
                }
                drop(waiting);
            });
            Ok(())
        }
        "EmailAction" => server.send_mail_of(caller, &step, data.unwrap_or_default()),
        "ExecuteScriptAction" => Err(Failure::unsupported(
            "this server runs no scripts outside of plugins; make the script an action of a \
             plugin and use a PluginAction",
        )),
        "ResetInterfacesAction" | "SendInsteonGroupCommandAction" => Err(Failure::unsupported(
            format!("this server has no Insteon, X10 or Z-Wave interface, so there is no {class}"),
        )),
        "SprinklerAction" => super::sprinkler::carry_out(server, caller, &step),
        _ if control::takes(class) => control::control(server, caller, &step),
        _ => Err(Failure::value(format!("there is no action {class}"))),
    }
}

/// The object that a field of a step names.
///
/// # Errors
///
/// The field is missing, or the object does not exist.
pub(super) fn find(
    server: &IndigoServer,
    collection: Collection,
    step: &Step,
    key: &str,
) -> Result<Arc<Object>, Failure> {
    let wanted = match step.fields.get(key) {
        Some(value) => reference(value)?,
        None => return Err(Failure::wrong_type(format!("{key} is missing"))),
    };
    let database = server.database();
    database.get(collection.objects(), &wanted).cloned()
}

/// The reason why a plugin could not be called, as the caller of a command is told.
pub(super) fn busy(error: CallError) -> Failure {
    match error {
        CallError::Timeout { .. } => Failure::new(FailureKind::Timeout, error.to_string()),
        CallError::NoSuchPlugin(_) | CallError::NotRunning(_) => {
            Failure::new(FailureKind::Plugin, error.to_string())
        }
        CallError::Busy(_) => Failure::new(FailureKind::Busy, error.to_string()),
    }
}

/// The call that an action of a plugin becomes.
fn plugin_action(
    server: &IndigoServer,
    caller: &Caller,
    step: &Step,
    data: Option<Value>,
    waited_for: bool,
) -> Result<(Arc<Plugin>, String, Value, Hold), Failure> {
    let hold = Hold::new(server.account(caller));
    let id = step.text("pluginId");
    let plugin = server.plugin(id).ok_or_else(|| Failure::no_plugin(id))?;
    let kind = step.text("pluginTypeId");
    let declared = plugin.bundle.definitions.actions.find(kind);
    let callback = declared.and_then(|it| it.callback.as_deref());
    let Some(callback) = callback else {
        return Err(Failure::value(format!(
            "plugin '{id}' has no action '{kind}'"
        )));
    };
    let mut action = step.clone();
    let device = match step.fields.get("deviceId") {
        None | Some(Value::Null) => Value::Null,
        Some(value) if value.as_i64() == Some(0) => Value::Null,
        Some(_) => {
            let device = find(server, Collection::Devices, step, "deviceId")?;
            // Operators may name a device by its name as well; plugins get its id.
            let id = Value::from(device.id);
            action.fields.insert("deviceId".to_owned(), id);
            hold.take(server.database().size(device.id).shown())?;
            view(&device, Some(plugin.id()))
        }
    };
    let mut arguments = json!({
        "kind": "action",
        "args": [action.object(), device, waited_for],
    });
    if let (Some(data), Some(map)) = (data, arguments.as_object_mut()) {
        map.insert("event_data".to_owned(), data);
    }
    let name = format!("plugin.{callback}");
    Ok((plugin, name, arguments, hold))
}

/// Carries out an action of a plugin and returns the plugin's answer.
///
/// # Errors
///
/// The step is wrong, the plugin raised, or it did not answer.
pub(super) async fn ask(
    server: &IndigoServer,
    caller: &Caller,
    step: &Step,
) -> Result<Returned, Failure> {
    let (plugin, name, arguments, room) = plugin_action(server, caller, step, None, true)?;
    let text: Arc<str> = arguments.to_string().into();
    drop((arguments, room));
    plugin.admit(caller.charged()).map_err(busy)?;
    let answer = plugin.call_text(&name, &text, PATIENCE).await;
    drop(text);
    let Answered { answer, charge } = answer.map_err(busy)?;
    match answer {
        Answer::Returned(value) => Ok(Returned { value, charge }),
        Answer::NotDefined => Err(Failure::other(format!(
            "plugin '{}' has no method for action '{}'",
            plugin.id(),
            step.text("pluginTypeId")
        ))),
        Answer::Raised(why) => {
            let text = |key: &str| why.get(key).and_then(Value::as_str).unwrap_or_default();
            let (class, message) = (text("type"), text("message"));
            Err(Failure::other(format!(
                "the action raised {class}: {message}"
            )))
        }
    }
}

/// Steps that change objects of the server itself.
async fn modify(server: &Arc<IndigoServer>, caller: &Caller, step: &Step) -> Result<(), Failure> {
    let class = step.class.strip_prefix("indigo.").unwrap_or(&step.class);
    let (collection, key) = match class {
        "EnableTriggerAction" | "DisableTriggerAction" => (Collection::Triggers, "triggerId"),
        "EnableScheduleAction" | "DisableScheduleAction" => (Collection::Schedules, "scheduleId"),
        "EnableDeviceAction" | "DisableDeviceAction" => (Collection::Devices, "deviceId"),
        _ => (Collection::Variables, "variableId"),
    };
    let id = find(server, collection, step, key)?.id;
    let wanted = Reference::Id(id);
    let find = |database: &Database| database.get(collection.objects(), &wanted).cloned();
    let changed = server.alter(caller, None, find, |old, object| {
        if collection == Collection::Variables {
            if old.flag("readOnly") {
                return Err(Failure::value(format!("'{}' is read-only", old.name())));
            }
            let value = variable(step, old.text("value"))?;
            object.set("value", value);
            object.written_by(caller.charged());
        } else {
            object.set("enabled", class.starts_with("Enable"));
        }
        Ok(((), Vec::new()))
    });
    changed.await.map(drop)
}

fn variable(step: &Step, old: &str) -> Result<String, Failure> {
    let given = step.fields.get("variableValue");
    let given = given.and_then(|value| super::state::text(value, None));
    let by = |sign: f64| {
        let step = given
            .as_deref()
            .and_then(|it| it.trim().parse::<f64>().ok());
        let old = old.trim().parse::<f64>().unwrap_or(0.0);
        (old + sign * step.unwrap_or(1.0)).to_string()
    };
    match step.text("variableAction") {
        "IncrementValue" => Ok(by(1.0)),
        "DecrementValue" => Ok(by(-1.0)),
        "SetValue" | "" => Ok(given.unwrap_or_default()),
        other => Err(Failure::value(format!(
            "there is no kVariableAction.{other}"
        ))),
    }
}

/// The time and the objects by which conditions are judged now.
pub(super) fn surroundings<'a>(
    server: &IndigoServer,
    find: &'a dyn Fn(Table, &Reference) -> Option<Arc<Object>>,
) -> Surroundings<'a> {
    let now = jiff::Zoned::now();
    let minute = u32::from(now.hour().unsigned_abs()) * 60 + u32::from(now.minute().unsigned_abs());
    Surroundings {
        find,
        daylight: server.sun.is_up(&now),
        minute,
    }
}

impl Caller {
    /// The count of changes on their way that nobody waits for, and how many there may be.
    pub(super) fn steps<'a>(&'a self, server: &'a IndigoServer) -> (&'a Arc<AtomicU64>, u64) {
        match self.plugin() {
            Some(plugin) => (&plugin.steps, plugin.limits.inbox),
            None => (&server.steps, STEPS),
        }
    }

    /// The origin of events that follow from this one, one event further.
    pub(super) fn follow(&self) -> Self {
        let mut chain = self.chain();
        chain.depth = chain.depth.saturating_add(1);
        Self::Chain(chain)
    }

    /// Takes one of the steps that may follow from the first event.
    fn take(&self) -> bool {
        let chain = self.chain();
        let less = |left: u32| left.checked_sub(1);
        chain
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less)
            .is_ok()
    }
}
