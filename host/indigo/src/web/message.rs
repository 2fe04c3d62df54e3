//! `/message/PLUGINID/ACTIONID/...`: requests that a plugin answers.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::admission::{Asked, Sent};
use super::answer::{
    Early, INVALID_ACTION, INVALID_PLUGIN, PLUGIN_DISABLED, PLUGIN_STARTING, Reply, UNKNOWN_ERROR,
    error, json_answer, unavailable,
};
use super::keys::{Wanted, is_key_name};
use super::reply::{self, Writer};
use super::{IndigoApi, parts, sandbox};
use crate::{Answer, Answered, CallError, Plugin, Returned};

/// How long a plugin may take; the reference says to stay under 15 to 20 s.
pub(super) const DEADLINE: Duration = Duration::from_secs(20);
/// Requests that may wait for one plugin at a time.
pub(super) const MAX_WAITING: usize = 16;
/// Those of one user or address among them, so that some are left to the others.
pub(super) const MAX_EACH: usize = 8;

/// A request for an action. The rest of the path goes to the plugin.
pub(super) async fn with_path(
    State(api): State<IndigoApi>,
    Path((plugin, action, _)): Path<(String, String, String)>,
    asked: Asked,
    sent: Sent,
) -> Reply {
    handle(&api, &plugin, &action, &asked, sent).await
}

/// A request for an action.
pub(super) async fn without_path(
    State(api): State<IndigoApi>,
    Path((plugin, action)): Path<(String, String)>,
    asked: Asked,
    sent: Sent,
) -> Reply {
    handle(&api, &plugin, &action, &asked, sent).await
}

async fn handle(api: &IndigoApi, plugin: &str, action: &str, asked: &Asked, sent: Sent) -> Reply {
    if let Some(there) = api.elsewhere(plugin, asked) {
        return Ok(there);
    }
    api.admit(asked, Wanted::Pages(plugin), "GET, POST")?;
    let (plugin, callback, name) = target(api, plugin, action)?;
    let props = props(asked, &sent.bytes(&api.share(asked)).await?)
        .map_err(|reason| error(StatusCode::BAD_REQUEST, UNKNOWN_ERROR, &reason))?;
    let asker = (plugin.id().to_owned(), asked.sender(&api.access));
    let asker = api.askers.take(asker);
    let Some(_place) = asker.and_then(|it| Some((it, api.places.take(plugin.id().to_owned())?)))
    else {
        let text = format!(
            "{MAX_WAITING} requests wait for this plugin already, or {MAX_EACH} of this user"
        );
        return Err(error(StatusCode::SERVICE_UNAVAILABLE, UNKNOWN_ERROR, &text).into());
    };
    let call = format!("plugin.{callback}");
    let arguments = json!({"kind": "http", "args": [{
        "class": "indigo.PluginAction",
        "configured": true,
        "description": name,
        "delayAmount": 0,
        "replaceExisting": false,
        "textToSpeak": "",
        "deviceId": 0,
        "pluginId": plugin.id(),
        "pluginTypeId": action,
        "props": props,
    }, null, true]});
    let answered = match plugin.call(&call, &arguments, api.deadline).await {
        Ok(Answered { answer, charge }) => match answer {
            Answer::Returned(value) => {
                let returned = Returned { value, charge };
                reply::answer(&api.server, &plugin, returned, asked).await
            }
            Answer::NotDefined => {
                let text = format!("the plugin has no method `{callback}`");
                error(StatusCode::NOT_IMPLEMENTED, INVALID_ACTION, &text)
            }
            Answer::Raised(detail) => {
                let writer = Writer {
                    server: &api.server,
                    plugin: &plugin,
                    charge,
                };
                raised(writer, &callback, &detail).await
            }
        },
        Err(failed) => unanswered(&plugin, &failed),
    };
    Ok(sandbox(api, plugin.id(), &asked.headers, answered))
}

/// The plugin, the method and the name of the action.
fn target(
    api: &IndigoApi,
    plugin: &str,
    action: &str,
) -> Result<(Arc<Plugin>, String, String), Early> {
    let Some(found) = api.server.plugin(plugin) else {
        let text = "the hub has no plugin with this id";
        return Err(error(StatusCode::NOT_IMPLEMENTED, INVALID_PLUGIN, text).into());
    };
    let defined = found.bundle.definitions.actions.find(action);
    let callback = defined.and_then(|it| Some((it.callback.clone()?, it.name.clone())));
    let Some((callback, name)) = callback else {
        let text = "the plugin defines no action with this id and a method";
        return Err(error(StatusCode::NOT_IMPLEMENTED, INVALID_ACTION, text).into());
    };
    if !found.running() {
        return Err(not_running(&found).into());
    }
    Ok((found, callback, name))
}

/// The answer for a plugin that does not run. A client is told to come back soon while the plugin
/// is being started, and only then.
fn not_running(plugin: &Plugin) -> Response {
    let port = plugin.port();
    if port.is_some_and(|port| matches!(port.status().0.as_str(), "starting" | "restarting")) {
        let text = "the plugin is being started; ask again in a moment";
        return error(StatusCode::SERVICE_UNAVAILABLE, PLUGIN_STARTING, text);
    }
    let text = "the plugin is installed and does not run";
    unavailable(PLUGIN_DISABLED, text)
}

/// Headers that are kept from the plugin: secrets of the client, also those that it has for other
/// servers under this host's name, and addresses that may have keys.
const KEPT: [HeaderName; 4] = [
    header::AUTHORIZATION,
    header::PROXY_AUTHORIZATION,
    header::COOKIE,
    header::REFERER,
];

/// The properties of the request that the plugin is told. The key that opened the address is kept
/// from the plugin.
fn props(asked: &Asked, body: &[u8]) -> Result<Map<String, Value>, String> {
    let Asked {
        method,
        uri,
        headers,
        ..
    } = asked;
    let mut props = Map::new();
    let mut set = |key: &str, value: Value| drop(props.insert(key.to_owned(), value));
    set("incoming_request_method", method.as_str().into());
    let mut seen: Map<String, Value> = Map::new();
    for (name, value) in headers {
        if KEPT.contains(name) {
            continue;
        }
        let value = String::from_utf8_lossy(value.as_bytes());
        // In HTTP, several headers of one name mean one header with commas.
        let joined = match seen.get(name.as_str()).and_then(Value::as_str) {
            Some(before) => format!("{before}, {value}"),
            None => value.into_owned(),
        };
        seen.insert(name.as_str().to_owned(), joined.into());
    }
    set("headers", Value::Object(seen));
    let mut query = parts::query_pairs(uri)?;
    query.retain(|(name, _)| !is_key_name(name));
    if !query.is_empty() {
        set("url_query_args", Value::Object(parts::dictionary(query)));
    }
    // Always there: the vendor's own sample looks into it without asking.
    set("file_path", parts::path_parts(uri.path(), 3)?.into());
    if method == Method::POST && !body.is_empty() {
        let text = std::str::from_utf8(body)
            .map_err(|_| "the body is not UTF-8, and this address takes text only".to_owned())?;
        if is_form(headers) {
            set(
                "body_params",
                Value::Object(parts::dictionary(parts::pairs(text)?)),
            );
        }
        // Beside a form too: plugins read forms from either.
        set("request_body", text.into());
    }
    Ok(props)
}

pub(super) fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or("");
    let kind = value.split(';').next().unwrap_or("").trim();
    kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

async fn raised(writer: Writer<'_>, callback: &str, detail: &Value) -> Response {
    let part = |key: &str| detail.get(key).and_then(Value::as_str);
    let message = part("message").unwrap_or("");
    let kind = part("type").unwrap_or("an exception");
    let description = format!("`{callback}` raised {kind}: {message}");
    let exception = part("traceback").unwrap_or(&description);
    let body = json!({"error": UNKNOWN_ERROR, "description": description, "exception": exception});
    let mut answer = json_answer(StatusCode::INTERNAL_SERVER_ERROR, &Value::Null);
    if let Ok(body) = writer.body(body).await {
        *answer.body_mut() = body;
    }
    answer
}

fn unanswered(plugin: &Arc<Plugin>, failed: &CallError) -> Response {
    let (status, word) = match failed {
        CallError::NoSuchPlugin(_) => (StatusCode::NOT_IMPLEMENTED, INVALID_PLUGIN),
        CallError::NotRunning(_) => return not_running(plugin),
        CallError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, UNKNOWN_ERROR),
        CallError::Timeout { .. } => (StatusCode::GATEWAY_TIMEOUT, UNKNOWN_ERROR),
    };
    error(status, word, &failed.to_string())
}
