//! Answers in JSON, including those about errors.

use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use cordon_base::account::{Account, Charge};
pub(super) use cordon_web::early::{Early, Reply};

/// The kinds of error in which a plugin's address may end, in words of the plugin reference.
pub(super) const PLUGIN_DISABLED: &str = "plugin_disabled";
/// The hub's own word.
pub(super) const PLUGIN_STARTING: &str = "plugin_starting";
pub(super) const INVALID_PLUGIN: &str = "invalid_plugin";
pub(super) const INVALID_ACTION: &str = "invalid_action";
pub(super) const UNKNOWN_ERROR: &str = "unknown_error";

/// Most bytes of an answer that is as large as a plugin makes it.
const LONGEST: usize = 16 << 20;

/// A value as an answer.
pub(super) fn json_answer(status: StatusCode, value: &Value) -> Response {
    text_answer(status, value.to_string())
}

/// An answer with a value that is as large as a plugin makes it. Its length is known and charged
/// before it is written, and the charge is held until the answer is sent. To be called where it
/// keeps nobody waiting.
pub(super) fn charged_answer(
    status: StatusCode,
    value: &impl Serialize,
    account: &Arc<Account>,
) -> Response {
    let refused = |text: &str| error(StatusCode::INSUFFICIENT_STORAGE, "too_large", text);
    let Some(bytes) = json_bytes(value, LONGEST) else {
        return refused(&format!("the answer has more than {LONGEST} bytes"));
    };
    let charge = match account.charge(u64::try_from(bytes).unwrap_or(u64::MAX)) {
        Ok(charge) => charge,
        Err(hit) => return refused(&hit.to_string()),
    };
    let mut text = Vec::with_capacity(bytes);
    if serde_json::to_writer(&mut text, value).is_err() {
        return refused("the answer cannot be written");
    }
    let paid = Paid {
        text,
        _charge: charge,
    };
    text_answer(status, Bytes::from_owner(paid))
}

/// A text that is paid for.
struct Paid {
    text: Vec<u8>,
    _charge: Charge,
}

impl AsRef<[u8]> for Paid {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

/// How many bytes a value takes as JSON, without writing it; nothing where they are more than
/// `most`.
pub(super) fn json_bytes(value: &impl Serialize, most: usize) -> Option<usize> {
    let mut counter = Counter {
        bytes: 0,
        left: most,
    };
    serde_json::to_writer(&mut counter, value).ok()?;
    Some(counter.bytes)
}

/// Counts the bytes that are written to it.
struct Counter {
    bytes: usize,
    left: usize,
}

impl io::Write for Counter {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        let left = self.left.checked_sub(piece.len());
        self.left = left.ok_or_else(|| io::Error::other("too long"))?;
        self.bytes = self.bytes.saturating_add(piece.len());
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// JSON as an answer.
pub(super) fn text_answer(status: StatusCode, text: impl Into<Body>) -> Response {
    let headers = [
        (header::CONTENT_TYPE, "application/json"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    let mut response = (status, headers, text.into()).into_response();
    // A service that is full or stopped may be otherwise in a moment.
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

/// 503 for something that is off until somebody turns it on: there is no use in asking again soon.
pub(super) fn unavailable(word: &str, description: &str) -> Response {
    let mut answer = error(StatusCode::SERVICE_UNAVAILABLE, word, description);
    answer.headers_mut().remove(header::RETRY_AFTER);
    answer
}

/// 405 with the methods that are allowed.
pub(super) fn wrong_method(allowed: &'static str) -> Response {
    let text = format!("this address takes {allowed}");
    let mut answer = error(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", &text);
    answer
        .headers_mut()
        .insert(header::ALLOW, HeaderValue::from_static(allowed));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use cordon_base::limits::Limits;

    #[test]
    fn what_is_written_is_counted_before() {
        let value = json!({"a": ["\u{1}\"x", 1.5, null], "b": {}});
        let bytes = value.to_string().len();
        assert_eq!(json_bytes(&value, bytes), Some(bytes));
        assert_eq!(json_bytes(&value, bytes - 1), None);
    }

    #[tokio::test]
    async fn an_answer_is_paid_for_until_it_is_sent() {
        let limits = Limits {
            host_memory: 1000,
            ..Limits::default()
        };
        let account = Account::new(&limits);
        let of = |text: &str| charged_answer(StatusCode::OK, &text, &account);
        let first = of(&"x".repeat(598));
        assert_eq!((first.status(), account.used()), (StatusCode::OK, 600));
        // Control characters take six bytes each.
        for text in ["x".repeat(500), "\u{1}".repeat(100)] {
            let refused = of(&text);
            assert_eq!(refused.status(), StatusCode::INSUFFICIENT_STORAGE);
        }
        let sent = axum::body::to_bytes(first.into_body(), 1000).await;
        assert_eq!(sent.unwrap().len(), 600);
        assert_eq!(account.used(), 0);
        let hub = Account::of_hub();
        let large = charged_answer(StatusCode::OK, &"x".repeat(LONGEST), &hub);
        assert_eq!(large.status(), StatusCode::INSUFFICIENT_STORAGE);
    }
}
