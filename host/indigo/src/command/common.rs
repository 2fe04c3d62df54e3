//! Commands that objects of several kinds have.

use serde_json::{Map, Value, json};

use super::Context;
use crate::action::Step;
use crate::bounds::count;
use crate::database::reference;
use crate::failure::Failure;
use crate::keys::check_keys;
use crate::object::{Hidden, NO_FOLDER, Object, map_weight};
use crate::table::Collection;
use crate::timestamp::timestamp;
use cordon_base::limits::Limits;

/// Most bytes of the properties that all plugins share. Any plugin may write there, at the cost of
/// the owner.
const SHARED: u64 = 64 << 10;

/// Bytes of an object's id and name in an answer, beside the name's text.
const NAMED: u64 = 1024;

/// Carries out a common command; nothing when the command is another one.
pub(super) async fn run(
    context: &Context<'_>,
    collection: Collection,
    command: &str,
) -> Option<Result<Value, Failure>> {
    let table = collection.objects();
    let changed = match command {
        "delete" => return Some(delete(context, collection).await),
        "duplicate" => return Some(duplicate(context, collection).await),
        "enable" => return Some(enable(context, collection).await),
        "getDependencies" => return Some(dependencies(context, collection)),
        "removeDelayedActions" => {
            let found = context.subject(table);
            return Some(found.map(|object| {
                context.server.timers.remove(object.id);
                Value::Null
            }));
        }
        "moveToFolder" => {
            let folder = folder_id(context, collection, context.arguments.given("value"));
            match folder {
                Ok(folder) => {
                    context
                        .change(table, |object| {
                            object.set("folderId", folder);
                            Ok(())
                        })
                        .await
                }
                Err(failure) => return Some(Err(failure)),
            }
        }
        "displayInRemoteUI" => {
            let value = match context.arguments.flag("value") {
                Ok(value) => value.unwrap_or(true),
                Err(failure) => return Some(Err(failure)),
            };
            context
                .change(table, |object| {
                    object.set("remoteDisplay", value);
                    Ok(())
                })
                .await
        }
        "replacePluginPropsOnServer" => return Some(props(context, collection).await),
        "replaceSharedPropsOnServer" => {
            let given = match context.arguments.dict("props") {
                Ok(given) => given.cloned().unwrap_or_default(),
                Err(failure) => return Some(Err(failure)),
            };
            context
                .change(table, |object| {
                    check_keys(&given)?;
                    let weight = map_weight(&given);
                    if weight > SHARED {
                        return Err(Limits::hit("stored-bytes", weight, SHARED).into());
                    }
                    object.set("sharedProps", Value::Object(given.clone()));
                    object.shared_by(context.caller.charged());
                    Ok(())
                })
                .await
        }
        _ => return None,
    };
    Some(changed.map(|object| context.see(&object)))
}

/// The id of the folder in an argument. A missing argument means no folder.
pub(super) fn folder_id(
    context: &Context<'_>,
    collection: Collection,
    value: Option<&Value>,
) -> Result<i64, Failure> {
    match value {
        None => Ok(NO_FOLDER),
        Some(value) if value.as_i64() == Some(NO_FOLDER) => Ok(NO_FOLDER),
        Some(value) => {
            let database = context.server.database();
            let folder = database.get(collection.folders(), &reference(value)?)?;
            Ok(folder.id)
        }
    }
}

/// A new object with these attributes, whose bytes are the caller's.
pub(crate) fn object(
    context: &Context<'_>,
    collection: Collection,
    fields: Map<String, Value>,
) -> Object {
    Object {
        id: 0,
        table: collection.objects(),
        fields,
        hidden: Hidden {
            charged: context.caller.charged().to_owned(),
            ..Hidden::default()
        },
    }
}

/// The attributes that every new object has.
pub(crate) fn fields(name: &str, description: &str, folder: i64) -> Map<String, Value> {
    let mut fields = Map::new();
    for (key, value) in [
        ("name", json!(name)),
        ("description", json!(description)),
        ("folderId", json!(folder)),
        ("remoteDisplay", json!(true)),
        ("globalProps", json!({})),
        ("sharedProps", json!({})),
    ] {
        fields.insert(key.to_owned(), value);
    }
    fields
}

async fn delete(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let object = context.subject(collection.objects())?;
    if object.flag("readOnly") {
        return Err(Failure::value(format!("'{}' is read-only", object.name())));
    }
    context
        .server
        .edit(context.caller, |edit| edit.delete(object.id))
        .await?;
    context.server.timers.remove(object.id);
    Ok(Value::Null)
}

async fn duplicate(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let old = context.subject(collection.objects())?;
    let name = match context.arguments.text("duplicateName")? {
        Some(name) => name.to_owned(),
        None => format!("{} copy", old.name()),
    };
    // Room for the copy, until the copy is weighed itself.
    let size = context.server.database().size(old.id);
    context.room(size.memory)?;
    let mut copy = Object::clone(&old);
    copy.set("name", name);
    // The copy of the operator counts for whom the original does.
    if context.caller.plugin().is_some() {
        copy.hidden.charged = context.caller.charged().to_owned();
    }
    copy.hidden.group = None;
    copy.forget_others();
    if copy.flag("readOnly") {
        copy.set("readOnly", false);
    }
    context.add(copy).await
}

/// Enables or disables an object, now or later, for good or for some time.
async fn enable(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let value = context.arguments.flag("value")?.unwrap_or(true);
    let delay = context.arguments.number("delay")?.unwrap_or(0.0);
    let duration = context.arguments.number("duration")?.unwrap_or(0.0);
    let object = context.subject(collection.objects())?;
    let timed = delay > 0.0 || duration > 0.0;
    if timed && collection == Collection::ActionGroups {
        return Err(Failure::unsupported(
            "an action group is enabled at once and for good; leave delay and duration out",
        ));
    }
    let later = |value: bool, seconds: f64| {
        let verb = if value { "Enable" } else { "Disable" };
        let (noun, key) = match collection {
            Collection::Triggers => ("Trigger", "triggerId"),
            Collection::Schedules => ("Schedule", "scheduleId"),
            _ => ("Device", "deviceId"),
        };
        let class = format!("indigo.{verb}{noun}Action");
        let step = Step::new(&class, json!({ key: object.id })).after(seconds);
        crate::execute::begin(context.server, context.caller, step, None)
    };
    if duration > 0.0 {
        later(!value, delay + duration)?;
    }
    if delay > 0.0 {
        later(value, delay)?;
        return Ok(Value::Null);
    }
    let changed = context
        .change(collection.objects(), |object| {
            object.set("enabled", value);
            Ok(())
        })
        .await?;
    Ok(context.see(&changed))
}

/// Replaces the properties that the calling plugin keeps with an object.
async fn props(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let given = context.arguments.dict("props")?.cloned();
    if let Some(given) = &given {
        check_keys(given)?;
    }
    let mut room = None;
    let changed = context
        .change(collection.objects(), |object| {
            drop(room.take());
            let plugin = match context.caller.plugin_id() {
                Some(id) => id.to_owned(),
                None => object.owner().to_owned(),
            };
            object.set_props(&plugin, given.clone());
            if collection == Collection::Devices && object.owner() == plugin {
                room = Some(super::states::settle_props(context, object)?);
            }
            Ok(())
        })
        .await?;
    Ok(context.see(&changed))
}

/// The objects that mention this one.
fn dependencies(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let object = context.subject(collection.objects())?;
    let mut found = Map::new();
    let mentions = |other: &Object| {
        let keys = ["deviceId", "variableId"];
        let fields = keys.iter().any(|key| other.number(key) == object.id);
        let asks = other.hidden.condition.as_ref();
        fields
            || other.hidden.actions.iter().any(|it| it.mentions(&object))
            || asks.is_some_and(|it| it.mentions(&object))
    };
    let go_on = context.patience();
    for collection in Collection::ALL {
        let all = context.server.database().measured(collection.objects());
        let mut list = Vec::new();
        for (it, _) in all {
            go_on()?;
            if !mentions(&it) {
                continue;
            }
            context.room(NAMED.saturating_add(count(it.name().len()).saturating_mul(3)))?;
            list.push(json!({ "ID": it.id, "Name": it.name() }));
        }
        found.insert(collection.name().to_owned(), Value::Array(list));
    }
    Ok(Value::Object(found))
}

/// Takes over the attributes that may be changed on a copy.
pub(super) async fn replace(
    context: &Context<'_>,
    collection: Collection,
    allowed: &[&str],
    owners: &[&str],
) -> Result<Value, Failure> {
    let given = context
        .arguments
        .dict("object")?
        .cloned()
        .unwrap_or_default();
    let changed = context
        .change(collection.objects(), |object| {
            let own = context.owns(object).is_ok();
            for (key, value) in &given {
                let may =
                    allowed.contains(&key.as_str()) || (own && owners.contains(&key.as_str()));
                let Some(old) = object.fields.get(key) else {
                    continue;
                };
                if !may || old == value {
                    continue;
                }
                let plain = !value.is_array() && !value.is_object();
                let fits = std::mem::discriminant(old) == std::mem::discriminant(value)
                    || (old.is_null() && plain)
                    || value.is_null();
                if !fits {
                    return Err(Failure::wrong_type(format!("{key} has the wrong type")));
                }
                object.set(key, value.clone());
                if key == "value" {
                    object.written_by(context.caller.charged());
                }
            }
            if collection == Collection::Devices {
                object.set("lastChanged", now());
            }
            Ok(())
        })
        .await?;
    Ok(context.see(&changed))
}

/// The local time in the format of attributes.
pub(super) fn now() -> String {
    timestamp(&jiff::Zoned::now())
}
