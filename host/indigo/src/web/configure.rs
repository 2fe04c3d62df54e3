//! `/cordon/indigo/command`: every command of the server, for whoever may change what the
//! house consists of. Clients of the original do this over a protocol of its own.

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::{Asked, Sent};
use super::answer::{Reply, body, error};
use super::command::{carry_out, status, written};
use super::keys::Wanted;

/// A command by its name without `indigo.`, and what goes with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Message {
    command: String,
    #[serde(default)]
    arguments: Value,
}

/// `POST /cordon/indigo/command`.
pub(super) async fn post(State(api): State<IndigoApi>, asked: Asked, sent: Sent) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    let message: Message = body(&sent.bytes().await?)?;
    let arguments = match message.arguments {
        Value::Null => json!({}),
        given => given,
    };
    let done = carry_out(&api.server, "api-http", &message.command, arguments).await;
    let result =
        done.map_err(|failure| error(status(failure.kind), "refused", &failure.message))?;
    written(&api, "{\"result\":".to_owned(), result).await
}
