//! The HTTP answer that a plugin's action returned.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use bytes::Bytes;
use hyper::body::{Frame, SizeHint};
use serde_json::{Map, Value};

use super::admission::Asked;
use super::answer::{UNKNOWN_ERROR, error};
use super::headers::Place;
use super::{file, headers};
use crate::bounds::{self, SMALL};
use crate::{IndigoServer, Plugin, Returned};
use cordon_base::account::Charge;

/// Bytes of a body that its connection gets at a time.
const PIECE: usize = 64 << 10;
/// The status by which a plugin says that a file is to be sent.
const SEND_FILE: u64 = 310;
/// Keys by which a dictionary of a plugin is an answer.
const KEYS: [&str; 4] = ["status", "headers", "content", "file_path"];

/// Makes an answer from a plugin's return value.
pub(super) async fn answer(
    server: &IndigoServer,
    plugin: &Arc<Plugin>,
    returned: Returned,
    asked: &Asked,
) -> Response {
    let Returned { value, charge } = returned;
    let writer = Writer {
        server,
        plugin,
        charge,
    };
    let made = match value {
        Value::Object(parts) if KEYS.iter().any(|key| parts.contains_key(*key)) => {
            dictionary(writer, parts, asked).await
        }
        other => {
            let mut headers = HeaderMap::new();
            default_type(&mut headers);
            let body = writer.body(other).await;
            body.map(|body| response(StatusCode::OK, headers, body))
        }
    };
    made.unwrap_or_else(|reason| {
        let text = format!("the plugin's reply cannot be sent: {reason}");
        error(StatusCode::INTERNAL_SERVER_ERROR, UNKNOWN_ERROR, &text)
    })
}

/// Writes the value that a plugin returned or raised as a body.
pub(super) struct Writer<'a> {
    pub(super) server: &'a IndigoServer,
    pub(super) plugin: &'a Arc<Plugin>,
    /// Room for the value in the plugin's account.
    pub(super) charge: Option<Charge>,
}

impl Writer<'_> {
    /// Writes the value, a large one on a pool, at the plugin's cost. The plugin pays for the body
    /// until it was sent, because a client may be slow to read it.
    pub(super) async fn body(self, value: Value) -> Result<Body, String> {
        let size = self.charge.as_ref().map_or(0, Charge::bytes);
        let content = if size <= SMALL {
            content(value)
        } else {
            let feeds = &self.server.pools().feeds;
            let written = feeds.run(&self.plugin.account, move || content(value));
            written.await.map_err(|error| error.to_string())?
        };
        let mut charge = self.charge;
        if let Some(charge) = &mut charge {
            charge.shrink_to(bounds::count(content.capacity()));
        }
        let paid = Paid {
            content,
            _charge: charge,
        };
        let rest = Bytes::from_owner(paid);
        Ok(Body::new(Pieces { rest }))
    }
}

/// The content of a plugin's reply on its way to a client.
struct Paid {
    content: Vec<u8>,
    _charge: Option<Charge>,
}

impl AsRef<[u8]> for Paid {
    fn as_ref(&self) -> &[u8] {
        &self.content
    }
}

/// A body that is handed to its connection piece by piece. The connection copies each piece that it
/// is handed, and nobody pays for the copy.
struct Pieces {
    rest: Bytes,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.rest.is_empty() {
            return Poll::Ready(None);
        }
        let length = self.rest.len().min(PIECE);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(bounds::count(self.rest.len()))
    }
}

async fn dictionary(
    writer: Writer<'_>,
    mut parts: Map<String, Value>,
    asked: &Asked,
) -> Result<Response, String> {
    let plugin = writer.plugin;
    let status = status(parts.get("status"))?;
    let mut headers = headers::of_plugin(parts.get("headers"), &Place::new(plugin.id(), asked))?;
    if let Some(path) = parts.get("file_path").filter(|path| !path.is_null()) {
        let path = path.as_str().ok_or("`file_path` is no text")?.to_owned();
        // 310 is between plugin and hub. Other statuses are the client's, such as that of a page
        // for things that were not found.
        let status = match status {
            SEND_FILE => StatusCode::OK,
            other => valid(other)?,
        };
        let owner = Arc::clone(plugin);
        let name = path.clone();
        let desk = file::Desk::new(&writer.server.pools().files, plugin);
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
    let status = valid(status)?;
    drop(parts);
    Ok(response(status, headers, writer.body(content).await?))
}

fn response(status: StatusCode, headers: HeaderMap, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// The key under which the runtime of plugins sends bytes that are no text, as base64.
const BYTES: &str = "cordon-bytes";

/// The bytes of a reply: those that the plugin returned, or a text.
fn content(value: Value) -> Vec<u8> {
    let sent = match &value {
        Value::Object(parts) if parts.len() == 1 => parts.get(BYTES).and_then(Value::as_str),
        _ => None,
    };
    let sent = sent.and_then(|sent| STANDARD.decode(sent).ok());
    sent.unwrap_or_else(|| text(value).into_bytes())
}

/// A text as it is, nothing as an empty text, and every other value as JSON.
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
