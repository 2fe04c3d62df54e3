//! The step of an action group, schedule or trigger that a dialog configures.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{DialogError, Subject, Values};
use crate::action::{MOST_STEPS, Step};
use crate::caller::Caller;
use crate::database::Database;
use crate::failure::Failure;
use crate::object::Object;
use crate::plugin::Plugin;
use crate::server::IndigoServer;
use crate::table::Collection;

/// Class of the actions that plugins define.
const CLASS: &str = "indigo.PluginAction";

/// The place where an action is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The action group, schedule or trigger.
    pub owner: i64,
    /// The number of the step, from 0. Without one, a new step is added behind the others.
    pub index: Option<usize>,
}

/// The subject with the device and the properties that its step has already.
pub(super) fn resolved(
    server: &IndigoServer,
    plugin: &Plugin,
    subject: Subject,
) -> Result<Subject, DialogError> {
    let Subject::Action {
        type_id,
        device,
        props,
        place: Some(place),
    } = subject
    else {
        return Ok(subject);
    };
    let database = server.database();
    let owner = database.any(place.owner).filter(|it| has_steps(it));
    let owner = owner.ok_or_else(|| {
        let text = format!(
            "no action group, schedule or trigger has the id {}",
            place.owner
        );
        DialogError::Missing(text)
    })?;
    let (device, props) = match place.index {
        None => (device, props),
        Some(index) => {
            let step = found(owner, index, plugin.id(), &type_id)?;
            let saved = step.fields.get("props").and_then(Value::as_object);
            let device = match device {
                0 => step.number("deviceId"),
                given => given,
            };
            (device, saved.cloned().unwrap_or_default())
        }
    };
    // A plugin that defines such an action counts on a device.
    let defined = plugin.bundle.definitions.actions.find(&type_id);
    let needed = defined.is_some_and(|action| action.device_filter.is_some());
    let is_device = |it: &Object| it.table == Collection::Devices.objects();
    if needed && !database.any(device).is_some_and(|it| is_device(it)) {
        let text = format!("the action `{type_id}` works on a device; name one that is there");
        return Err(DialogError::Wrong(text));
    }
    Ok(Subject::Action {
        type_id,
        device,
        props,
        place: Some(place),
    })
}

/// Puts the values of a dialog into their step. Returns the number of the step.
pub(super) async fn put(
    server: &IndigoServer,
    plugin: &Arc<Plugin>,
    place: Place,
    (type_id, device): (&str, i64),
    values: &Values,
) -> Result<usize, DialogError> {
    let defined = plugin.bundle.definitions.actions.find(type_id);
    let name = defined.map_or("", |action| action.name.as_str());
    let gone = || Failure::value("what has the action is no longer there");
    let find = |database: &Database| database.any(place.owner).cloned().ok_or_else(gone);
    let operator = Caller::Operator("api-http");
    let edited = server.alter(&operator, None, find, |_, owner| {
        let index = match place.index {
            Some(index) => {
                let known = found(owner, index, plugin.id(), type_id);
                known.map_err(|error| Failure::value(error.to_string()))?;
                index
            }
            None => {
                let fields = json!({"pluginId": plugin.id(), "pluginTypeId": type_id,
                    "description": name});
                owner.hidden.actions.push(Step::new(CLASS, fields));
                owner.hidden.actions.len().saturating_sub(1)
            }
        };
        if owner.hidden.actions.len() > MOST_STEPS {
            let text = format!("there are {MOST_STEPS} actions at most");
            return Err(Failure::value(text));
        }
        if let Some(step) = owner.hidden.actions.get_mut(index) {
            step.fields.insert("deviceId".to_owned(), device.into());
            step.fields.insert("props".to_owned(), json!(values));
        }
        Ok((index, Vec::new()))
    });
    Ok(edited.await?.1)
}

fn has_steps(object: &Object) -> bool {
    let with = [
        Collection::ActionGroups,
        Collection::Schedules,
        Collection::Triggers,
    ];
    with.iter().any(|it| object.table == it.objects())
}

/// The step of this number, if it is this action.
fn found<'a>(
    owner: &'a Object,
    index: usize,
    plugin: &str,
    type_id: &str,
) -> Result<&'a Step, DialogError> {
    let step = owner.hidden.actions.get(index).filter(|step| {
        step.class == CLASS
            && step.text("pluginId") == plugin
            && step.text("pluginTypeId") == type_id
    });
    step.ok_or_else(|| {
        let name = owner.name();
        let text = format!("step {index} of '{name}' is no action `{type_id}` of this plugin");
        DialogError::Missing(text)
    })
}
