//! `/cordon/indigo/sleep` and `/cordon/indigo/wake`: for the hook of a system that goes
//! to sleep.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::IndigoApi;
use super::admission::Asked;
use super::answer::{Reply, json_answer};
use super::keys::Wanted;
use crate::sleep::Told;

/// The machine is about to sleep; answered when the plugins are ready for it.
pub(super) async fn sleep(State(api): State<IndigoApi>, asked: Asked) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    Ok(answer(api.server.prepare_to_sleep().await))
}

/// It is awake again.
pub(super) async fn wake(State(api): State<IndigoApi>, asked: Asked) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    Ok(answer(api.server.wake_up().await))
}

/// Always a success: a machine sleeps even when a plugin is not ready.
fn answer(told: Vec<(String, Told)>) -> Response {
    let word = |(id, told): (String, Told)| (id, Value::from(told.word()));
    let plugins: Map<_, _> = told.into_iter().map(word).collect();
    json_answer(StatusCode::OK, &json!({ "plugins": plugins }))
}
