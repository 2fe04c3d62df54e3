//! `/cordon/indigo/command`: every command of the server, for clients that may change the setup of
//! the house. Clients of the original do this over a protocol of its own.

use std::sync::Arc;

use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::{Asked, Sent};
use super::answer::{Reply, error};
use super::command::{carry_out, status, written};
use super::keys::Wanted;
use crate::caller::Caller;

/// A command by its name without `indigo.`, with its arguments.
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
    let share = api.share(&asked);
    let (message, room): (Message, _) = api.read(&share, sent.bytes(&share).await?).await?;
    let arguments = match message.arguments {
        Value::Null => json!({}),
        given => given,
    };
    let (server, command) = (Arc::clone(&api.server), message.command);
    let caller = Caller::client("api-http", &asked.sender(&api.access));
    let doing = async move { carry_out(&server, &caller, &command, arguments).await };
    let done = api.apart(room.as_ref(), doing).await?;
    let result =
        done.map_err(|failure| error(status(failure.kind), "refused", &failure.message))?;
    written(&api, &share, "{\"result\":".to_owned(), result).await
}
