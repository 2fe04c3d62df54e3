//! Answers in JSON, those of errors among them.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

/// Which kind of error a plugin's address ended in; words of the plugin reference.
pub(super) const PLUGIN_DISABLED: &str = "plugin_disabled";
pub(super) const INVALID_PLUGIN: &str = "invalid_plugin";
pub(super) const INVALID_ACTION: &str = "invalid_action";
pub(super) const UNKNOWN_ERROR: &str = "unknown_error";

/// A value as an answer.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (status, headers, value.to_string()).into_response()
}

/// `{"error": ..., "description": ...}`.
pub(super) fn error(status: StatusCode, error: &str, description: &str) -> Response {
    json_answer(status, &json!({"error": error, "description": description}))
}

/// 401 with the way to log in.
pub(super) fn unauthorized(description: &str) -> Response {
    let mut answer = error(StatusCode::UNAUTHORIZED, "unauthorized", description);
    let challenge = HeaderValue::from_static("Bearer realm=\"indigo\"");
    answer
        .headers_mut()
        .insert(header::WWW_AUTHENTICATE, challenge);
    answer
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
