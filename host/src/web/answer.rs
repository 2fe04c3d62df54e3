//! The JSON object that every API call returns.
//!
//! Domoticz answers mistakes with HTTP 200 and `"status": "ERR"`; clients look there.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream, StreamExt};
use serde_json::{Map, Value};

use super::devices::Listing;
use super::gzip;

/// Shorter answers are not compressed.
const SHORT: usize = 1 << 10;

/// An answer: `status`, `title`, and what the command adds.
#[derive(Debug)]
pub(super) struct Answer {
    fields: Map<String, Value>,
    /// Rows that are JSON already.
    listing: Option<Listing>,
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
        let mut answer = Self {
            fields: Map::new(),
            listing: None,
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
        Self {
            fields,
            listing: None,
        }
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

    /// Adds `result` as it is put together.
    pub(super) fn with_listing(mut self, listing: Listing) -> Self {
        self.listing = Some(listing).filter(|listing| !listing.is_empty());
        self
    }

    /// The response to a client that takes `gzip`, or does not.
    pub(super) fn respond(self, gzip: bool) -> Response {
        let head = Value::Object(self.fields).to_string();
        match self.listing {
            Some(listing) => {
                // `,"result":[` and `]` are in the object's braces.
                let around = head.len().saturating_add(r#","result":[]"#.len());
                let length = listing.length().map(|length| length.saturating_add(around));
                respond(listing.pieces(head), length, gzip)
            }
            None => {
                let length = head.len();
                respond(stream::iter([Bytes::from(head)]), Some(length), gzip)
            }
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
        self.respond(false)
    }
}

/// `length` is that of all pieces, where it is known.
fn respond(
    pieces: impl Stream<Item = Bytes> + Send + 'static,
    length: Option<usize>,
    gzip: bool,
) -> Response {
    let gzip = gzip && length.is_none_or(|length| length >= SHORT);
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
