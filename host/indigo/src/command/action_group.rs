//! `indigo.actionGroup`: steps under a name.

use serde_json::{Value, json};

use super::{Context, common, unknown};
use crate::action::{MOST_STEPS, Step};
use crate::bounds;
use crate::condition::Condition;
use crate::execute;
use crate::failure::Failure;
use crate::object::map_weight;
use crate::state::truth;
use crate::table::Collection;
use crate::trigger::{event, merge};

const TABLE: Collection = Collection::ActionGroups;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "create" => create(&context).await,
        "execute" => {
            let group = context.subject(TABLE.objects())?;
            if group.fields.get("enabled").and_then(truth) == Some(false) {
                return Ok(Value::Null);
            }
            let mut data = event_data(&context, "event_data")?;
            merge(&mut data, event(&group, context.caller));
            execute::run_all(context.server, context.caller, &group.hidden.actions, &data);
            Ok(Value::Null)
        }
        "replaceOnServer" => {
            let allowed = ["name", "description", "remoteDisplay"];
            common::replace(&context, TABLE, &allowed, &[]).await
        }
        "setActions" => set_actions(&context, TABLE).await,
        "getActions" => get_actions(&context, TABLE),
        _ => match common::run(&context, TABLE, command).await {
            Some(done) => done,
            None => Err(unknown(&format!("actionGroup.{command}"))),
        },
    }
}

async fn create(context: &Context<'_>) -> Result<Value, Failure> {
    let name = context.arguments.needed_text("name")?;
    let folder = common::folder_id(context, TABLE, context.arguments.given("folder"))?;
    let description = context.arguments.text("description")?.unwrap_or("");
    let fields = common::fields(name, description, folder);
    let mut group = common::object(context, TABLE, fields);
    group.hidden.actions = steps(context)?.unwrap_or_default();
    context.add(group).await
}

/// The data that is given to an event. Every step that follows from the event gets a copy.
pub(super) fn event_data(context: &Context<'_>, name: &str) -> Result<Value, Failure> {
    let Some(given) = context.arguments.dict(name)? else {
        return Ok(json!({}));
    };
    let weight = map_weight(given);
    if weight > bounds::count(bounds::EVENT_DATA) {
        return Err(Failure::value(format!(
            "{name} has {weight} bytes, {} are allowed",
            bounds::EVENT_DATA
        )));
    }
    Ok(Value::Object(given.clone()))
}

/// The steps in an argument: `actions`, a list of action objects. The original's scripts cannot set
/// steps.
pub(super) fn steps(context: &Context<'_>) -> Result<Option<Vec<Step>>, Failure> {
    let Some(given) = context.arguments.given("actions") else {
        return Ok(None);
    };
    operators(context, "actions")?;
    let steps: Vec<Step> = serde_json::from_value(given.clone())
        .map_err(|error| Failure::value(format!("actions: {error}")))?;
    if steps.len() > MOST_STEPS {
        let text = format!("there are {MOST_STEPS} actions at most");
        return Err(Failure::value(text));
    }
    Ok(Some(steps))
}

/// Refuses everybody but the operator, who alone says which actions the hub does by itself, as in
/// the original.
fn operators(context: &Context<'_>, name: &str) -> Result<(), Failure> {
    match context.caller.plugin() {
        None => Ok(()),
        Some(_) => Err(Failure::unsupported(format!(
            "{name} are the operator's business; a plugin makes the object and leaves it to the user"
        ))),
    }
}

/// The conditions in an argument.
pub(super) fn condition(context: &Context<'_>) -> Result<Option<Condition>, Failure> {
    let Some(given) = context.arguments.given("condition") else {
        return Ok(None);
    };
    operators(context, "condition")?;
    let condition = serde_json::from_value(given.clone());
    condition
        .map(Some)
        .map_err(|error| Failure::value(format!("condition: {error}")))
}

/// The steps and the condition of an object, which no attribute shows.
pub(super) fn get_actions(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    operators(context, "actions")?;
    let object = context.subject(collection.objects())?;
    Ok(json!({ "actions": object.hidden.actions, "condition": object.hidden.condition }))
}

/// Replaces the steps of an object, and the condition if one is given.
pub(super) async fn set_actions(
    context: &Context<'_>,
    collection: Collection,
) -> Result<Value, Failure> {
    let steps = steps(context)?;
    let condition = condition(context)?;
    let changed = context
        .change(collection.objects(), |object| {
            if let Some(steps) = &steps {
                object.hidden.actions.clone_from(steps);
            }
            if condition.is_some() {
                object.hidden.condition.clone_from(&condition);
            }
            Ok(())
        })
        .await?;
    Ok(json!({ "actions": changed.hidden.actions, "condition": changed.hidden.condition }))
}
