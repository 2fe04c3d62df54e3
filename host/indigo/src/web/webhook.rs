//! `/webhook/ID`: fires the triggers that wait for it.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::admission::{Asked, Sent};
use super::answer::{Reply, error, json_answer, unavailable, wrong_method};
use super::keys::{Wanted, is_key_name};
use super::message::is_form;
use super::{IndigoApi, parts};
use crate::webhook::{Processing, WEB_SERVER, hooks, receive as fire};

/// Longest id in bytes.
const LONGEST: usize = 256;

/// A request for a webhook.
pub(super) async fn receive(
    State(api): State<IndigoApi>,
    Path(id): Path<String>,
    asked: Asked,
    sent: Sent,
) -> Reply {
    api.admit(&asked, Wanted::Pages(WEB_SERVER), "GET, POST")?;
    let mut known = match id.len() <= LONGEST {
        true => hooks(&api.server, &id),
        false => Vec::new(),
    };
    if known.is_empty() {
        let text = "no trigger waits for this webhook";
        return Err(error(StatusCode::NOT_FOUND, "not_found", text).into());
    }
    let is_get = asked.method == Method::GET;
    known.retain(|it| (it.processing == Processing::Get) == is_get);
    if known.is_empty() {
        return Err(wrong_method(if is_get { "POST" } else { "GET" }).into());
    }
    known.retain(|it| it.enabled);
    let Some(wanted) = known.first() else {
        let text = "the trigger that waits for this webhook is disabled";
        return Err(unavailable("trigger_disabled", text).into());
    };
    // A form and JSON may come to the same address, each to triggers of its own.
    let form = known.iter().any(|it| it.processing == Processing::Form);
    let processing = match form && is_form(&asked.headers) {
        true => Processing::Form,
        false => wanted.processing,
    };
    let wrong = |reason: String| error(StatusCode::BAD_REQUEST, "invalid_request", &reason);
    let share = api.share(&asked);
    let mut room = None;
    let data = match processing {
        Processing::Get => lists(parts::query_pairs(&asked.uri).map_err(wrong)?),
        Processing::Form => {
            let sent = sent.bytes(&share).await?;
            if !sent.is_empty() && !is_form(&asked.headers) {
                return Err(wrong("this webhook takes a form".to_owned()).into());
            }
            let text = std::str::from_utf8(&sent).map_err(|error| wrong(error.to_string()))?;
            lists(parts::pairs(text).map_err(wrong)?)
        }
        Processing::Json => match api.read(&share, sent.bytes(&share).await?).await? {
            (data @ (Value::Object(_) | Value::Array(_)), taken) => {
                room = taken;
                data
            }
            _ => return Err(wrong("a dictionary or a list is needed".to_owned()).into()),
        },
    };
    let server = Arc::clone(&api.server);
    let sender = asked.sender(&api.access);
    let firing = async move { fire(&server, &id, processing, data, &sender) };
    api.apart(room.as_ref(), firing).await?;
    Ok(json_answer(StatusCode::OK, &json!({"success": true})))
}

/// Names with lists of values, because a name may come several times. The key is left out.
fn lists(pairs: Vec<(String, String)>) -> Value {
    let mut found: Map<String, Value> = Map::new();
    for (name, value) in pairs {
        if is_key_name(&name) {
            continue;
        }
        let values = found.entry(name).or_insert_with(|| json!([]));
        if let Some(values) = values.as_array_mut() {
            values.push(value.into());
        }
    }
    Value::Object(found)
}
