//! `indigo.controlPage`: pages of controls, which this server keeps and does not show.

use serde_json::{Value, json};

use super::{Context, common, unknown};
use crate::failure::Failure;
use crate::table::Collection;

const TABLE: Collection = Collection::ControlPages;

pub(super) async fn run(context: Context<'_>, command: &str) -> Result<Value, Failure> {
    match command {
        "create" => create(&context).await,
        "replaceOnServer" => {
            let allowed = [
                "name",
                "description",
                "remoteDisplay",
                "hideTabBar",
                "backgroundImage",
                "backgroundColor",
                "width",
                "height",
            ];
            common::replace(&context, TABLE, &allowed, &[]).await
        }
        _ => match common::run(&context, TABLE, command).await {
            Some(done) => done,
            None => Err(unknown(&format!("controlPage.{command}"))),
        },
    }
}

fn pixels(given: Option<f64>) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "clamped before")]
    let whole = given.unwrap_or(0.0).clamp(0.0, 100_000.0) as i64;
    json!(whole)
}

async fn create(context: &Context<'_>) -> Result<Value, Failure> {
    let arguments = &context.arguments;
    let name = arguments.needed_text("name")?;
    let folder = common::folder_id(context, TABLE, arguments.given("folder"))?;
    let mut fields = common::fields(name, arguments.text("description")?.unwrap_or(""), folder);
    for (key, value) in [
        (
            "hideTabBar",
            json!(arguments.flag("hideTabBar")?.unwrap_or(false)),
        ),
        (
            "backgroundImage",
            json!(arguments.text("backgroundImage")?.unwrap_or("")),
        ),
        (
            "backgroundColor",
            json!(arguments.text("backgroundColor")?.unwrap_or("")),
        ),
        ("width", pixels(arguments.number("width")?)),
        ("height", pixels(arguments.number("height")?)),
    ] {
        fields.insert(key.to_owned(), value);
    }
    context.add(common::object(context, TABLE, fields)).await
}
