//! `indigo.devices.folder` and so on: making, changing and removing folders.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{Context, unknown};
use crate::database::{Database, Reference};
use crate::failure::Failure;
use crate::object::{Hidden, NO_FOLDER, Object};
use crate::table::{Collection, Table};

pub(super) async fn run(
    context: Context<'_>,
    collection: Collection,
    command: &str,
) -> Result<Value, Failure> {
    match command {
        "create" => {
            let name = context.arguments.needed_text("name")?;
            make(&context, collection, name, json!({})).await
        }
        "duplicate" => {
            let reference = context.arguments.subject()?;
            let old = {
                let database = context.server.database();
                database.get(collection.folders(), &reference)?.clone()
            };
            let copy = format!("{} copy", old.name());
            let name = context.arguments.text("duplicateName")?.unwrap_or(&copy);
            make(
                &context,
                collection,
                name,
                Value::Object(old.fields.clone()),
            )
            .await
        }
        "delete" => delete(&context, collection).await,
        "getId" => {
            let name = context.arguments.needed_text("name")?.to_owned();
            let reference = Reference::Name(name);
            let database = context.server.database();
            let found = database.find(collection.folders(), &reference);
            Ok(Value::from(found.map_or(0, |it| it.id)))
        }
        "displayInRemoteUI" => {
            let value = context.arguments.flag("value")?.unwrap_or(true);
            change(&context, collection, |folder| {
                folder.set("remoteDisplay", value)
            })
            .await
        }
        "replaceOnServer" => {
            let given = context
                .arguments
                .dict("object")?
                .cloned()
                .unwrap_or_default();
            change(&context, collection, |folder| {
                for key in ["name", "description", "remoteDisplay"] {
                    if let Some(value) = given.get(key) {
                        folder.set(key, value.clone());
                    }
                }
            })
            .await
        }
        _ => Err(unknown(&format!("{}.folder.{command}", collection.name()))),
    }
}

async fn make(
    context: &Context<'_>,
    collection: Collection,
    name: &str,
    like: Value,
) -> Result<Value, Failure> {
    let mut fields = Map::new();
    fields.insert("name".to_owned(), Value::from(name));
    let kept = |key: &str, default: Value| like.get(key).cloned().unwrap_or(default);
    fields.insert("description".to_owned(), kept("description", json!("")));
    fields.insert(
        "remoteDisplay".to_owned(),
        kept("remoteDisplay", json!(true)),
    );
    let folder = Object {
        id: 0,
        table: collection.folders(),
        fields,
        hidden: Hidden {
            charged: context.caller.plugin_id().unwrap_or_default().to_owned(),
            ..Hidden::default()
        },
    };
    context.add(folder).await
}

async fn change(
    context: &Context<'_>,
    collection: Collection,
    change: impl Fn(&mut Object),
) -> Result<Value, Failure> {
    let changed = context.change(collection.folders(), |folder| {
        change(folder);
        Ok(())
    });
    let changed = changed.await?;
    Ok(context.see(&changed))
}

/// How often a folder is looked at anew because its objects were changed meanwhile.
const ATTEMPTS: usize = 16;

/// How an attempt to remove a folder ended.
enum Attempt {
    /// It is gone.
    Removed,
    /// Others changed what was in it, and nothing was done.
    Changed,
}

/// Removes a folder; what is in it goes too, or comes to lie outside of folders.
async fn delete(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let (server, caller) = (context.server, context.caller);
    let reference = context.arguments.subject()?;
    let all = context
        .arguments
        .flag("deleteAllChildren")?
        .unwrap_or(false);
    let table = collection.objects();
    for _ in 0..ATTEMPTS {
        let (folder, inside) = {
            let database = server.database();
            let folder = database.get(collection.folders(), &reference)?.clone();
            let inside = inside(&database, table, folder.id);
            (folder, inside)
        };
        let mut moved = Vec::new();
        if !all {
            for object in &inside {
                let mut outside = Object::clone(object);
                outside.set("folderId", NO_FOLDER);
                moved.push(server.weigh(caller, outside, None)?);
            }
        }
        let edited = server.edit(caller, |edit| {
            let database = edit.database();
            let is_there = |now: &Arc<Object>| Arc::ptr_eq(now, &folder);
            let now = self::inside(database, table, folder.id);
            // Objects were made, moved or changed before this change had its turn.
            let same = |(a, b): (&Arc<Object>, &Arc<Object>)| match all {
                true => a.id == b.id,
                false => Arc::ptr_eq(a, b),
            };
            let same = now.len() == inside.len() && now.iter().zip(&inside).all(same);
            if !same || !database.any(folder.id).is_some_and(is_there) {
                return Ok(Attempt::Changed);
            }
            for (old, outside) in inside.iter().zip(moved) {
                edit.replace(old, outside, Vec::new())?;
            }
            if all {
                inside.iter().try_for_each(|it| edit.delete(it.id))?;
            }
            edit.delete(folder.id)?;
            Ok(Attempt::Removed)
        });
        match edited.await? {
            Attempt::Removed => return Ok(Value::Null),
            Attempt::Changed => {}
        }
    }
    let text = "the objects in the folder are changed all the time; try again";
    Err(Failure::other(text))
}

/// The objects in a folder, oldest first.
fn inside(database: &Database, table: Table, folder: i64) -> Vec<Arc<Object>> {
    let all = database.list(table);
    let inside = all.filter(|it| it.number("folderId") == folder);
    inside.cloned().collect()
}
