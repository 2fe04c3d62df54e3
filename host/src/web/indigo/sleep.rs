//! `/cordon/indigo/sleep` and `/cordon/indigo/wake`: for the hook of a system that goes
//! to sleep.

use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::IndigoApi;
use super::answer::{json_answer, wrong_method};
use super::keys::Wanted;
use crate::platform::indigo::sleep::Told;

/// The machine is about to sleep; answered when the plugins are ready for it.
pub(super) async fn sleep(
    State(api): State<IndigoApi>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = allowed(&api, &method, &uri, &headers) {
        return refusal;
    }
    answer(api.server.prepare_to_sleep().await)
}

/// It is awake again.
pub(super) async fn wake(
    State(api): State<IndigoApi>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = allowed(&api, &method, &uri, &headers) {
        return refusal;
    }
    answer(api.server.wake_up().await)
}

#[expect(
    clippy::result_large_err,
    reason = "a response is an answer, not an error"
)]
fn allowed(
    api: &IndigoApi,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), Response> {
    api.admit(headers, uri, Wanted::Everything)?;
    if method == Method::POST {
        Ok(())
    } else {
        Err(wrong_method("POST"))
    }
}

/// Always a success: a machine sleeps even when a plugin is not ready.
fn answer(told: Vec<(String, Told)>) -> Response {
    let word = |(id, told): (String, Told)| (id, Value::from(told.word()));
    let plugins: Map<_, _> = told.into_iter().map(word).collect();
    json_answer(StatusCode::OK, &json!({ "plugins": plugins }))
}
