//! Answers in JSON, those of errors among them.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

pub(super) use crate::web::early::{Early, Reply};

/// Which kind of error a plugin's address ended in; words of the plugin reference.
pub(super) const PLUGIN_DISABLED: &str = "plugin_disabled";
pub(super) const INVALID_PLUGIN: &str = "invalid_plugin";
pub(super) const INVALID_ACTION: &str = "invalid_action";
pub(super) const UNKNOWN_ERROR: &str = "unknown_error";

/// A value as an answer.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Response {
    json_body(status, Body::from(value.to_string()))
}

/// JSON that is written already as an answer.
pub(super) fn json_body(status: StatusCode, body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, body).into_response();
    // Whatever is full or stopped may be otherwise in a moment.
    if status == StatusCode::SERVICE_UNAVAILABLE {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    response
}

/// `{"error": ..., "description": ...}`.
pub(super) fn error(status: StatusCode, error: &str, description: &str) -> Response {
    json_answer(status, &json!({"error": error, "description": description}))
}

/// 405 with what is allowed.
pub(super) fn wrong_method(allowed: &'static str) -> Response {
    let text = format!("this address takes {allowed}");
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &text);
    answer
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

/// A body as JSON, or 400 with what is wrong with it.
pub(super) fn body<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Early> {
    serde_json::from_slice(bytes).map_err(|reason| {
        let text = reason.to_string();
        error(StatusCode::BAD_REQUEST, "invalid_request", &text).into()
    })
}
