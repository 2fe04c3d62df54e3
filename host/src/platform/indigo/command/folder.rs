//! `indigo.devices.folder` and so on: making, changing and removing folders.

use serde_json::{Map, Value, json};

use super::{Context, unknown};
use crate::platform::indigo::failure::Failure;
use crate::platform::indigo::object::{Hidden, NO_FOLDER, Object};
use crate::platform::indigo::table::Collection;

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
            let reference = crate::platform::indigo::database::Reference::Name(name);
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
    let made = context
        .server
        .edit(context.caller, |edit| edit.create(folder))
        .await?;
    Ok(context.server.see(context.caller, &made))
}

async fn change(
    context: &Context<'_>,
    collection: Collection,
    change: impl FnOnce(&mut Object),
) -> Result<Value, Failure> {
    let reference = context.arguments.subject()?;
    let edited = context.server.edit(context.caller, |edit| {
        let old = edit.database().get(collection.folders(), &reference)?;
        let mut folder = Object::clone(old);
        change(&mut folder);
        edit.update(folder, Vec::new())
    });
    let folder = edited.await?;
    Ok(context.server.see(context.caller, &folder))
}

/// Removes a folder; what is in it goes too, or comes to lie outside of folders.
async fn delete(context: &Context<'_>, collection: Collection) -> Result<Value, Failure> {
    let reference = context.arguments.subject()?;
    let all = context
        .arguments
        .flag("deleteAllChildren")?
        .unwrap_or(false);
    let edited = context.server.edit(context.caller, |edit| {
        let database = edit.database();
        let folder = database.get(collection.folders(), &reference)?.id;
        let inside = database.list(collection.objects());
        let inside: Vec<_> = inside
            .filter(|it| it.number("folderId") == folder)
            .cloned()
            .collect();
        for object in inside {
            if all {
                edit.delete(object.id)?;
            } else {
                let mut object = Object::clone(&object);
                object.set("folderId", NO_FOLDER);
                edit.update(object, Vec::new())?;
            }
        }
        edit.delete(folder)
    });
    edited.await?;
    Ok(Value::Null)
}
