//! Answers in JSON.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use cordon_web::early::Early;

use crate::operator::OperatorError;

/// Why a request is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// The reason, in words.
    pub error: String,
    /// The remedy, unless the reason says it.
    pub hint: Option<String>,
}

/// An answer with this content.
pub(crate) fn json(content: &impl Serialize) -> Response {
    with_status(StatusCode::OK, content)
}

/// The answer to a request that is refused.
pub(crate) fn refused(status: StatusCode, error: impl Into<String>) -> Early {
    with_hint(status, error, None)
}

/// The same with a remedy.
pub(crate) fn with_hint(status: StatusCode, error: impl Into<String>, hint: Option<&str>) -> Early {
    let refusal = Refusal {
        error: error.into(),
        hint: hint.map(str::to_owned),
    };
    with_status(status, &refusal).into()
}

/// The answer to a request for which there is no room at present.
pub(crate) fn busy(error: &str) -> Early {
    let hint = Some("try again in a moment");
    with_hint(StatusCode::SERVICE_UNAVAILABLE, error, hint)
}

/// The answer to a request that the hub did not carry out.
pub(crate) fn not_done(error: OperatorError) -> Early {
    let status = match error {
        OperatorError::Missing(_) => StatusCode::NOT_FOUND,
        OperatorError::Refused(_) => StatusCode::CONFLICT,
        OperatorError::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    refused(status, error.to_string())
}

fn with_status(status: StatusCode, content: &impl Serialize) -> Response {
    let Ok(text) = serde_json::to_vec(content) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = (status, text).into_response();
    mark(&mut response, "application/json");
    if matches!(
        status,
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS
    ) {
        let soon = HeaderValue::from_static("1");
        response.headers_mut().insert(header::RETRY_AFTER, soon);
    }
    response
}

/// Names the type of an answer. It holds texts of plugins, which no browser may take for a page, and
/// is out of date at once.
pub(crate) fn mark(response: &mut Response, kind: &'static str) {
    const NOSNIFF: HeaderName = HeaderName::from_static("x-content-type-options");
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, kind),
        (header::CACHE_CONTROL, "no-store"),
        (NOSNIFF, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
