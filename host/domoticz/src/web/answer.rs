//! The JSON object that every API call returns.
//!
//! Domoticz answers mistakes with HTTP 200 and `"status": "ERR"`; clients look there.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Map, Value};

use cordon_web::budget::{self, Share};
use cordon_web::gzip;
use cordon_web::rows::{Each, Framed, Pieces};

/// Shorter answers are not compressed.
const SHORT: usize = 1 << 10;
/// Bytes that compressing takes.
const GZIP: usize = 320 << 10;
/// Bytes that a row takes before it is JSON, which is more than any of a few figures.
const ROW: usize = 1 << 10;

/// An answer: `status`, `title`, and the fields that the command adds.
pub(super) struct Answer {
    fields: Map<String, Value>,
    /// `result`, which is put together while it is sent.
    rows: Option<Box<dyn Pieces>>,
}

impl Answer {
    /// `status` OK.
    pub(super) fn ok(title: &str) -> Self {
        Self::new("OK", title)
    }

    /// `status` ERR with a `message` that tells the user how to go on.
    pub(super) fn error(title: &str, message: impl Into<String>) -> Self {
        Self::new("ERR", title).with("message", message.into())
    }

    /// `status` ERR and nothing else: Domoticz' answer to a command that it does not know.
    pub(super) fn unknown() -> Self {
        let mut answer = Self {
            fields: Map::new(),
            rows: None,
        };
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
        Self { fields, rows: None }
    }

    /// Adds a field.
    pub(super) fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.fields.insert(name.to_owned(), value.into());
        self
    }

    /// Adds `result`, which Domoticz leaves out when there is nothing in it.
    pub(super) fn with_result(self, rows: Vec<Value>) -> Self {
        let weight = rows.len().saturating_mul(ROW);
        self.with_each(rows.into_iter(), weight)
    }

    /// Adds a `result` whose rows are made while they are sent. `weight` is the size of their
    /// source in bytes.
    pub(super) fn with_each(
        self,
        rows: impl Iterator<Item = Value> + Send + 'static,
        weight: usize,
    ) -> Self {
        match Each::of(rows, weight) {
            Some(rows) => self.with_rows(rows),
            None => self,
        }
    }

    /// Adds `result`, which has at least one row.
    pub(super) fn with_rows(mut self, rows: impl Pieces) -> Self {
        self.rows = Some(Box::new(rows));
        self
    }

    /// The response to a client with this share; compressed if the client takes `gzip`.
    pub(super) async fn respond(self, share: Share, gzip: bool) -> Response {
        let Some(rows) = self.rows else {
            return whole(&Value::Object(self.fields), gzip);
        };
        let head = Value::Object(self.fields).to_string();
        let framed = Framed::result(head, rows);
        let length = framed.length();
        let gzip = gzip && length.is_none_or(|length| length >= SHORT);
        let beside = if gzip { GZIP } else { 0 };
        match share.send(Box::new(framed), beside).await {
            Some((all, pieces)) => respond(pieces, length.or(all), gzip),
            None => budget::full(),
        }
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
        // Only commands have rows, and they respond with their client's share.
        whole(&Value::Object(self.fields), false)
    }
}

fn whole(fields: &Value, gzip: bool) -> Response {
    let text = fields.to_string();
    let length = text.len();
    let gzip = gzip && length >= SHORT;
    respond(stream::iter([Bytes::from(text)]), Some(length), gzip)
}

/// `length` is that of all pieces, where it is known.
fn respond(
    pieces: impl Stream<Item = Bytes> + Send + 'static,
    length: Option<usize>,
    gzip: bool,
) -> Response {
    let body = match gzip {
        true => Body::from_stream(gzip::compress(pieces).map(Ok::<_, Infallible>)),
        false => Body::from_stream(pieces.map(Ok::<_, Infallible>)),
    };
    let headers = [
        (header::CONTENT_TYPE, "application/json;charset=UTF-8"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::VARY, "accept-encoding"),
    ];
    let mut response = (headers, body).into_response();
    let headers = response.headers_mut();
    if gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    } else if let Some(length) = length {
        headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
    }
    response
}
