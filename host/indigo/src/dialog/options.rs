//! The options of menus and lists, from the definition, the server or the plugin.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::registry::ask_or_nothing;
use super::values::choose_first;
use super::{Dialog, DialogError, Pairs, SHOWN, size};
use crate::caller::Caller;
use crate::definition::{Field, ObjectClass, Options};
use crate::failure::Failure;
use crate::plugin::Plugin;
use crate::server::IndigoServer;
use cordon_base::account::Charge;

/// Most options of a menu or list. Further ones that a plugin returns are left out.
const MAX_OPTIONS: usize = 10_000;

/// Fills in the options of all menus and lists, and the first option of empty menus.
pub(super) async fn fill(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    dialog: &mut Dialog,
    only_dynamic: bool,
) -> Result<(), DialogError> {
    dialog.pay()?;
    let fields: Vec<Arc<Field>> = dialog.ui.fields.clone();
    let known = dialog.options.iter().zip(0..);
    let mut places: HashMap<String, usize> =
        known.map(|((id, _), place)| (id.clone(), place)).collect();
    for field in fields {
        let Some(options) = &field.options else {
            continue;
        };
        let dynamic = matches!(
            options,
            Options::Method {
                dynamic_reload: true,
                ..
            }
        );
        if only_dynamic && !dynamic {
            continue;
        }
        // The charge for the plugin's answer is kept until the options have their own.
        let (pairs, answered) = pairs(server, plugin, dialog, options).await?;
        let room = size(&pairs).saturating_mul(SHOWN);
        dialog.charge.grow(room).map_err(|hit| {
            plugin.log.limit(&hit);
            Failure::from(hit)
        })?;
        drop(answered);
        choose_first(&field, &pairs, &mut dialog.values);
        let place = *places
            .entry(field.id.clone())
            .or_insert(dialog.options.len());
        match dialog.options.get_mut(place) {
            Some((_, old)) => *old = Arc::new(pairs),
            None => dialog.options.push((field.id.clone(), Arc::new(pairs))),
        }
    }
    dialog.pay()
}

async fn pairs(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    dialog: &Dialog,
    options: &Options,
) -> Result<(Pairs, Option<Charge>), DialogError> {
    match options {
        Options::Fixed(choices) => {
            let pair = choices
                .iter()
                .map(|it| (it.value.clone(), it.label.clone()));
            Ok((pair.collect(), None))
        }
        Options::Objects { class, filter } => {
            let pairs = objects(server, plugin, *class, filter).await?;
            Ok((pairs, None))
        }
        Options::Method { name, filter, .. } => {
            let name = format!("plugin.{name}");
            let arguments = dialog.subject.list_arguments(filter, &dialog.values);
            // A list that cannot be made is empty; the plugin's log has the reason.
            let answer = ask_or_nothing(plugin, &name, &arguments).await?;
            Ok(answer.map_or_else(Default::default, |it| (made(it.value), it.charge)))
        }
    }
}

async fn objects(
    server: &Arc<IndigoServer>,
    plugin: &Arc<Plugin>,
    class: ObjectClass,
    filter: &str,
) -> Result<Pairs, DialogError> {
    let caller = Caller::Plugin(Arc::clone(plugin));
    let arguments = json!({ "filter": filter });
    if class == ObjectClass::SerialPorts {
        let ports = server
            .command(&caller, "server.getSerialPorts", arguments)
            .await;
        let Ok(Value::Object(ports)) = ports else {
            return Ok(Vec::new());
        };
        // Shown by their paths, as documented.
        return Ok(ports
            .into_iter()
            .map(|(path, _)| (path.clone(), path))
            .collect());
    }
    let collection = class.name().trim_start_matches("indigo.");
    let command = format!("{collection}.names");
    let names = server.command(&caller, &command, arguments).await?;
    Ok(made(names))
}

/// Pairs as a plugin returns them: `(value, label)`, as a tuple or a list; a lone text is both. An
/// item without a value is left out.
fn made(answer: Value) -> Pairs {
    let Value::Array(items) = answer else {
        return Vec::new();
    };
    let pairs = items.into_iter().filter_map(|item| match item {
        Value::Array(pair) => {
            let value = text(pair.first()?)?;
            let label = pair.get(1).and_then(text).unwrap_or_else(|| value.clone());
            Some((value, label))
        }
        other => text(&other).map(|value| (value.clone(), value)),
    });
    pairs.take(MAX_OPTIONS).collect()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_come_as_plugins_make_them() {
        let answer = json!([
            ["a", "A"],
            [5, "five"],
            [null, "none"],
            ["b"],
            "c",
            [],
            {},
            ["d", 7]
        ]);
        let pair = |value: &str, label: &str| (value.to_owned(), label.to_owned());
        let expected = [
            pair("a", "A"),
            pair("5", "five"),
            pair("b", "b"),
            pair("c", "c"),
            pair("d", "7"),
        ];
        assert_eq!(made(answer), expected);
        assert!(made(Value::Null).is_empty() && made(json!({})).is_empty());
        let many = Value::Array(vec![json!("x"); MAX_OPTIONS + 1]);
        assert_eq!(made(many).len(), MAX_OPTIONS);
    }
}
