//! What a plugin's action returned, as an HTTP answer.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::{Map, Value};

use super::admission::Asked;
use super::answer::{UNKNOWN_ERROR, error};
use super::headers::Place;
use super::{file, headers};
use crate::platform::indigo::Plugin;
use crate::pool::Pool;

/// The status by which a plugin says that a file is to be sent.
const SEND_FILE: u64 = 310;
/// What plugins answer with that makes a dictionary an answer.
const KEYS: [&str; 4] = ["status", "headers", "content", "file_path"];

/// Makes the answer of what a plugin returned.
pub(super) async fn answer(
    files: &Pool,
    plugin: &Arc<Plugin>,
    returned: Value,
    asked: &Asked,
) -> Response {
    match returned {
        Value::Object(parts) if KEYS.iter().any(|key| parts.contains_key(*key)) => {
            match dictionary(files, plugin, parts, asked).await {
                Ok(answer) => answer,
                Err(reason) => {
                    let text = format!("the plugin's reply cannot be sent: {reason}");
                    error(StatusCode::INTERNAL_SERVER_ERROR, UNKNOWN_ERROR, &text)
                }
            }
        }
        other => {
            let mut headers = HeaderMap::new();
            default_type(&mut headers);
            response(StatusCode::OK, headers, Body::from(text(other)))
        }
    }
}

async fn dictionary(
    files: &Pool,
    plugin: &Arc<Plugin>,
    mut parts: Map<String, Value>,
    asked: &Asked,
) -> Result<Response, String> {
    let status = status(parts.get("status"))?;
    let mut headers = headers::of_plugin(parts.get("headers"), &Place::new(plugin.id(), asked))?;
    if let Some(path) = parts.get("file_path").filter(|path| !path.is_null()) {
        let path = path.as_str().ok_or("`file_path` is no text")?.to_owned();
        // 310 is between plugin and hub; other statuses are the client's, as of a page
        // for what was not found.
        let status = match status {
            SEND_FILE => StatusCode::OK,
            other => valid(other)?,
        };
        let owner = Arc::clone(plugin);
        let name = path.clone();
        let desk = file::Desk::new(files, plugin);
        let opening = desk.run(move || file::open_of_plugin(&owner, &name));
        let found = opening.await;
        let shown: String = path.chars().take(200).collect();
        let found = found.map_err(|error| format!("file `{shown}`: {}", file::reason(&error)))?;
        let body = found.into_body(desk, &path, &mut headers);
        return Ok(response(status, headers, body));
    }
    if status == SEND_FILE {
        return Err("the status 310 needs a `file_path`".to_owned());
    }
    default_type(&mut headers);
    let content = parts.shift_remove("content").unwrap_or(Value::Null);
    Ok(response(valid(status)?, headers, Body::from(text(content))))
}

fn response(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Text as it is; everything else as JSON; nothing as nothing.
pub(super) fn text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn default_type(headers: &mut HeaderMap) {
    let json = HeaderValue::from_static("application/json");
    headers.entry(header::CONTENT_TYPE).or_insert(json);
}

fn status(value: Option<&Value>) -> Result<u64, String> {
    let number = match value {
        None | Some(Value::Null) => Some(200),
        Some(Value::String(text)) => text.trim().parse().ok(),
        Some(other) => other.as_u64(),
    };
    number.ok_or_else(|| "`status` is no whole number".to_owned())
}

fn valid(status: u64) -> Result<StatusCode, String> {
    let code = u16::try_from(status)
        .ok()
        .filter(|code| (200..600).contains(code));
    let code = code.and_then(|code| StatusCode::from_u16(code).ok());
    code.ok_or_else(|| format!("the status {status} is not from 200 to 599"))
}
