//! The JSON object that every API call returns.
//!
//! Domoticz answers mistakes with HTTP 200 and `"status": "ERR"`; clients look there.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

/// An answer: `status`, `title`, and what the command adds.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Answer {
    fields: Map<String, Value>,
}

impl Answer {
    /// `status` OK.
    pub(super) fn ok(title: &str) -> Self {
        Self::new("OK", title)
    }

    /// `status` ERR with a `message` that says what to do.
    pub(super) fn error(title: &str, message: impl Into<String>) -> Self {
        Self::new("ERR", title).with("message", message.into())
    }

    /// `status` ERR and nothing else: what Domoticz says to what it does not know.
    pub(super) fn unknown() -> Self {
        let mut answer = Self { fields: Map::new() };
        answer
            .fields
            .insert("status".to_owned(), Value::from("ERR"));
        answer
    }

    /// `status` ERR to a request that did not get as far as a command.
    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::error("Error", message)
    }

    fn new(status: &str, title: &str) -> Self {
        let mut fields = Map::new();
        fields.insert("status".to_owned(), Value::from(status));
        fields.insert("title".to_owned(), Value::from(title));
        Self { fields }
    }

    /// Adds a field.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Adds `result`, which Domoticz leaves out when there is nothing in it.
    pub(super) fn with_result(self, rows: Vec<Value>) -> Self {
        if rows.is_empty() {
            return self;
        }
        self.with("result", rows)
    }

    /// The response of a command for a plugin that is behind: the client may come back.
    pub(super) fn busy(self) -> Response {
        let mut response = self.with_status(StatusCode::SERVICE_UNAVAILABLE);
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
        response
    }

    /// The response with an HTTP status other than 200.
    pub(super) fn with_status(self, status: StatusCode) -> Response {
        (status, self).into_response()
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let headers = [
            (header::CONTENT_TYPE, "application/json;charset=UTF-8"),
            (header::CACHE_CONTROL, "no-cache"),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        ];
        (headers, Value::Object(self.fields).to_string()).into_response()
    }
}
