//! `indigo.variable`: values by name.

use serde_json::{Value, json};

use super::{Context, common, unknown};
use crate::bounds::quoted;
use crate::failure::Failure;
use crate::state::text;
use crate::table::Collection;

const TABLE: Collection = Collection::Variables;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "create" => create(&context).await,
        "updateValue" => update(&context).await,
        "replaceOnServer" => {
            if let Some(object) = context.arguments.dict("object")?
                && let Some(Value::String(name)) = object.get("name")
            {
                check_name(name)?;
            }
            // Whether it is read-only never changes.
            let allowed: &[&str] = match context.subject(TABLE.objects())?.flag("readOnly") {
                true => &["description", "remoteDisplay"],
                false => &["name", "description", "value", "remoteDisplay"],
            };
            common::replace(&context, TABLE, allowed, &[]).await
        }
        _ => match common::run(&context, TABLE, command).await {
            Some(done) => done,
            None => Err(unknown(&format!("variable.{command}"))),
        },
    }
}

/// Refuses a name with white space or other than plain characters, because names of variables stand
/// in other texts.
fn check_name(name: &str) -> Result<(), Failure> {
    let fits = |character: char| character.is_alphanumeric() || "_-.".contains(character);
    if name.is_empty() || !name.chars().all(fits) {
        return Err(Failure::value(format!(
            "'{}' is no name of a variable; letters, digits and _ are",
            quoted(name)
        )));
    }
    Ok(())
}

async fn create(context: &Context<'_>) -> Result<Value, Failure> {
    let name = context.arguments.needed_text("name")?;
    check_name(name)?;
    let value = value(context)?.unwrap_or_default();
    let folder = common::folder_id(context, TABLE, context.arguments.given("folder"))?;
    let mut fields = common::fields(name, "", folder);
    fields.insert("value".to_owned(), json!(value));
    fields.insert("readOnly".to_owned(), json!(false));
    context.add(common::object(context, TABLE, fields)).await
}

async fn update(context: &Context<'_>) -> Result<Value, Failure> {
    let value = value(context)?.ok_or_else(|| Failure::wrong_type("value is missing"))?;
    let changed = context
        .change(TABLE.objects(), |variable| {
            if variable.flag("readOnly") {
                return Err(Failure::value(format!(
                    "'{}' is read-only",
                    variable.name()
                )));
            }
            variable.set("value", value.clone());
            variable.written_by(context.caller.charged());
            Ok(())
        })
        .await?;
    Ok(context.see(&changed))
}

/// The value in an argument. A value is always text, so plugins must convert others themselves.
fn value(context: &Context<'_>) -> Result<Option<String>, Failure> {
    match (context.arguments.given("value"), context.caller.plugin_id()) {
        (None, _) => Ok(None),
        (Some(Value::String(value)), _) => Ok(Some(value.clone())),
        // Over HTTP, numbers come as numbers.
        (Some(other), None) => Ok(text(other, None)),
        (Some(_), Some(_)) => Err(Failure::wrong_type("value must be a str")),
    }
}
