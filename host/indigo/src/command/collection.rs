//! `indigo.devices`, `indigo.variables` and so on: reading and subscribing.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Context, unknown};
use crate::bounds::count;
use crate::caller::Caller;
use crate::database::{Reference, reference};
use crate::failure::Failure;
use crate::filter::Filter;
use crate::object::Object;
use crate::table::{Collection, Table};

pub(super) async fn run(
    context: Context<'_>,
    collection: Collection,
    command: &str,
) -> Result<Value, Failure> {
    match command.split_once('.') {
        Some(("folders", command)) => read(&context, collection.folders(), command),
        Some(("folder", command)) => super::folder::run(context, collection, command).await,
        Some(_) => Err(unknown(&format!("{}.{command}", collection.name()))),
        None if command == "subscribeToChanges" => {
            if let Caller::Plugin(plugin) = context.caller {
                plugin.follow(collection);
            }
            Ok(Value::Null)
        }
        None => read(&context, collection.objects(), command),
    }
}

fn read(context: &Context<'_>, table: Table, command: &str) -> Result<Value, Failure> {
    let server = context.server;
    match command {
        "get" => {
            let reference = context.arguments.subject()?;
            let object = server.database().get(table, &reference)?.clone();
            context.show(&object)
        }
        "contains" => {
            let reference = context.arguments.subject()?;
            Ok(Value::from(
                server.database().find(table, &reference).is_some(),
            ))
        }
        "getName" => {
            let reference = context.arguments.subject()?;
            let database = server.database();
            let found = database.find(table, &reference);
            Ok(Value::from(found.map_or("", |it| it.name())))
        }
        "getId" => {
            let name = context.arguments.first(&["name", "id"]);
            let name = name.ok_or_else(|| Failure::wrong_type("name is missing"))?;
            // Plugins also ask for the id of an object by its id.
            let reference = reference(name)?;
            let database = server.database();
            let found = database.find(table, &reference);
            Ok(Value::from(found.map_or(0, |it| it.id)))
        }
        "objects" if context.arguments.given("ids").is_some() => some(context, table),
        "list" | "objects" | "names" | "len" => list(context, table, command),
        _ => Err(unknown(&format!("{}.{command}", table.collection.name()))),
    }
}

/// Bytes of a name's entry in an answer beside the name's text.
const NAMED: u64 = 1024;

/// The objects with these ids, in the order of the ids. Objects that are gone are left out.
fn some(context: &Context<'_>, table: Table) -> Result<Value, Failure> {
    let ids = context.arguments.list("ids")?;
    let database = context.server.database();
    let mut found = Vec::new();
    let mut bytes = 0_u64;
    for id in ids.iter().filter_map(Value::as_i64) {
        if let Some(object) = database.find(table, &Reference::Id(id)) {
            bytes = bytes.saturating_add(database.size(id).shown());
            found.push(Arc::clone(object));
        }
    }
    drop(database);
    context.room(bytes)?;
    let go_on = context.patience();
    let see = |it: &Arc<Object>| go_on().map(|()| context.see(it));
    found.iter().map(see).collect()
}

fn list(context: &Context<'_>, table: Table, command: &str) -> Result<Value, Failure> {
    let server = context.server;
    let text = context.arguments.text("filter")?.unwrap_or("");
    let plugins: Vec<String> = server
        .plugins()
        .iter()
        .map(|it| it.id().to_owned())
        .collect();
    let filter = Filter::parse(text, context.caller.plugin_id(), &plugins)?;
    // Filters and views are made without the lock, so that nobody else waits.
    let all = server.database().measured(table);
    let go_on = context.patience();
    let mut found = Vec::new();
    let mut bytes = 0_u64;
    for (object, size) in all {
        go_on()?;
        if table.folders || filter.takes(&object) {
            bytes = bytes.saturating_add(match command {
                "objects" => size.shown(),
                _ => NAMED.saturating_add(count(object.name().len()).saturating_mul(3)),
            });
            found.push(object);
        }
    }
    context.room(bytes)?;
    let found = found.iter();
    Ok(match command {
        "list" => found.map(|it| it.id).collect(),
        "names" => found.map(|it| json!([it.id, it.name()])).collect(),
        "len" => Value::from(found.len()),
        _ => {
            let see = |it: &Arc<Object>| go_on().map(|()| context.see(it));
            return found.map(see).collect();
        }
    })
}
