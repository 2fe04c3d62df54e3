//! Commands of a plugin about itself: its preferences, its messages, the restarts of its objects.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Context, own};
use crate::bounds;
use crate::failure::Failure;
use crate::keys;
use crate::object::map_weight;
use crate::preferences::{self, Written};
use crate::server::IndigoServer;
use cordon_base::limits::Limits;
use cordon_base::log::Level;

pub(super) async fn save(context: &Context<'_>) -> Result<Value, Failure> {
    let plugin = own(context)?;
    let given = context.arguments.dict("pluginPrefs")?;
    let given = given.ok_or_else(|| Failure::wrong_type("pluginPrefs is missing"))?;
    let (weight, limit) = (map_weight(given), plugin.limits.stored_bytes);
    if weight > limit {
        return Err(Limits::hit("stored-bytes", weight, limit).into());
    }
    // The file is longer, by indents and by characters that XML writes as several. A file that
    // could not be read again at the next start would be lost as a whole.
    let written = Written::of(given);
    if written.bytes > preferences::longest(limit) {
        let used = written.bytes.div_ceil(preferences::TIMES);
        return Err(Limits::hit("stored-bytes", used, limit).into());
    }
    if written.has_too_many() {
        let text = format!("{} preferences are too many", written.values);
        return Err(Failure::value(text));
    }
    // Room for a copy of the preferences, and for the text of the file.
    let copy = bounds::map_footprint(given);
    context.room(written.bytes.saturating_mul(2).saturating_add(copy))?;
    let mut given = given.clone();
    let left = keys::leave_out(&mut given, keys::is_preference);
    plugin.tell_left_out(left);
    // One save after the other: two threads of a plugin may save at the same time.
    let turn = plugin.saving.lock().await;
    let (data, id) = (plugin.data.clone(), plugin.id().to_owned());
    let files = &context.server.pools.files;
    let saved = files.run(&plugin.account, move || {
        preferences::save(&data, &id, &given, limit)
    });
    let saved = saved.await;
    drop(turn);
    match saved {
        Ok(Ok(())) => Ok(Value::Null),
        Ok(Err(error)) => {
            plugin.log.hub(Level::Error, &format!("not saved: {error}"));
            Err(Failure::other("the preferences could not be saved"))
        }
        Err(_) => Err(Failure::other("the preferences could not be saved")),
    }
}

/// Whether an object of the plugin may be restarted because it changed.
pub(super) fn may_restart(context: &Context<'_>) -> Result<Value, Failure> {
    let plugin = own(context)?;
    let id = context.arguments.given("id").and_then(Value::as_i64);
    let id = id.ok_or_else(|| Failure::wrong_type("id must be a number"))?;
    let object = context.server.database().any(id).cloned();
    let may = match object {
        Some(object) => {
            context.owns(&object)?;
            plugin.may_restart_object(&object)
        }
        // It is gone: nothing is started any more.
        None => true,
    };
    Ok(Value::Bool(may))
}

pub(super) fn broadcast(context: &Context<'_>) -> Result<Value, Failure> {
    let sender = own(context)?;
    let message = context.arguments.needed_text("messageName")?;
    bounds::short("a name", message, bounds::NAME)?;
    let arg = context.arguments.given("arg");
    // Room for the argument's text, and for that of the call.
    context.room(arg.map_or(0, bounds::footprint).saturating_mul(2))?;
    let text = arg.map(Value::to_string).unwrap_or_default();
    let arguments: Arc<str> = format!("{{\"kind\":\"broadcast\",\"args\":[{text}]}}").into();
    let bytes = u64::try_from(arguments.len()).unwrap_or(u64::MAX);
    let limit = sender.limits.broadcast_bytes;
    if bytes > limit {
        return Err(Limits::hit("broadcast-bytes", bytes, limit).into());
    }
    tell(
        context.server,
        sender.id(),
        sender.id(),
        message,
        &arguments,
    );
    Ok(Value::Null)
}

/// Sends a message of the server itself, in the name of the plugin that sends it in the original.
pub(crate) fn announce(server: &IndigoServer, sender: &str, message: &str, arg: Value) {
    let arguments = json!({ "kind": "broadcast", "args": [arg] });
    tell(server, "", sender, message, &arguments.to_string().into());
}

/// Tells the subscribers; `by` is the id of the plugin that has caused it, empty for none.
fn tell(server: &IndigoServer, by: &str, sender: &str, message: &str, arguments: &Arc<str>) {
    for plugin in server.plugins() {
        for method in plugin.methods(sender, message) {
            match plugin.admit(by) {
                Ok(()) => plugin.tell(&format!("plugin.{method}"), arguments),
                Err(error) => tracing::debug!(message, %error, "a subscriber was not told"),
            }
        }
    }
}
