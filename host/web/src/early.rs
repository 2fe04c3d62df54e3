//! Answers that are given before the work on a request is done, usually errors.

use axum::response::{IntoResponse, Response};

/// Such an answer. Small enough to be passed on by `?`.
#[derive(Debug)]
pub struct Early(Box<Response>);

/// What a handler returns.
pub type Reply = Result<Response, Early>;

impl From<Response> for Early {
    fn from(answer: Response) -> Self {
        Self(Box::new(answer))
    }
}

impl IntoResponse for Early {
    fn into_response(self) -> Response {
        *self.0
    }
}
