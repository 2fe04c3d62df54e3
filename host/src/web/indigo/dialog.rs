//! `/cordon/indigo/dialogs/...`: dialogs of plugins.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::{Asked, Sent};
use super::answer::{Early, Reply, body, error, json_answer};
use super::command::status;
use super::keys::Wanted;
use crate::platform::indigo::CallError;
use crate::platform::indigo::definition::FieldKind;
use crate::platform::indigo::dialog::{
    DialogError, Place, Saved, Shown, ShownField, Subject, Values,
};

/// How long an answer waits for a plugin; a connection lives 30 s between answers.
const PATIENCE: Duration = Duration::from_secs(25);

/// What opens a dialog.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Opening {
    plugin_id: String,
    kind: String,
    #[serde(default)]
    type_id: String,
    #[serde(default)]
    object_id: i64,
    name: Option<String>,
    #[serde(default)]
    props: Values,
    #[serde(default)]
    device_ids: Vec<i64>,
    /// The action group, schedule or trigger that the action belongs to.
    owner_id: Option<i64>,
    /// Which of its steps it is.
    step: Option<usize>,
}

/// What is done with a dialog.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Doing {
    #[serde(default)]
    values: Values,
    #[serde(default)]
    field: String,
    #[serde(default)]
    execute: bool,
}

/// `POST /cordon/indigo/dialogs`: opens one.
pub(super) async fn open(State(api): State<IndigoApi>, asked: Asked, sent: Sent) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    let opening: Opening = body(&sent.bytes().await?)?;
    let subject = subject(&opening)
        .map_err(|reason| error(StatusCode::BAD_REQUEST, "invalid_request", &reason))?;
    let dialogs = Arc::clone(&api.dialogs);
    let work = async move { dialogs.open(&opening.plugin_id, subject).await };
    let shown = patiently(work).await??;
    Ok(json_answer(StatusCode::CREATED, &shown_json(&shown)))
}

/// `DELETE /cordon/indigo/dialogs/ID`: cancels it.
pub(super) async fn cancel(
    State(api): State<IndigoApi>,
    Path(id): Path<String>,
    asked: Asked,
) -> Reply {
    api.admit(&asked, Wanted::Configure, "DELETE")?;
    let dialogs = Arc::clone(&api.dialogs);
    patiently(async move { dialogs.cancel(&id).await }).await??;
    Ok(json_answer(StatusCode::OK, &json!({"cancelled": true})))
}

/// `POST /cordon/indigo/dialogs/ID/{values,press,save}`.
pub(super) async fn act(
    State(api): State<IndigoApi>,
    Path((id, action)): Path<(String, String)>,
    asked: Asked,
    sent: Sent,
) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    let sent = sent.bytes().await?;
    let doing = match sent.is_empty() {
        true => Doing::default(),
        false => body(&sent)?,
    };
    let dialogs = Arc::clone(&api.dialogs);
    let shown = match action.as_str() {
        "values" => dialogs.enter(&id, &doing.values)?,
        "press" => {
            let work = async move { dialogs.press(&id, &doing.field, &doing.values).await };
            patiently(work).await??
        }
        "save" => {
            let work = async move { dialogs.save(&id, &doing.values, doing.execute).await };
            let saved = patiently(work).await??;
            return Ok(json_answer(StatusCode::OK, &saved_json(saved)));
        }
        _ => {
            let text = "a dialog takes values, press and save";
            return Err(error(StatusCode::NOT_FOUND, "not_found", text).into());
        }
    };
    Ok(json_answer(StatusCode::OK, &shown_json(&shown)))
}

/// Waits for plugins, but not so long that the connection ends before its answer. The work
/// itself goes on, also when the client is gone: half of it would be worse.
async fn patiently<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Early> {
    match tokio::time::timeout(PATIENCE, tokio::spawn(work)).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(_)) => {
            let text = "the hub failed in this";
            Err(error(StatusCode::INTERNAL_SERVER_ERROR, "unknown_error", text).into())
        }
        Err(_) => {
            let text = format!(
                "the plugin takes longer than {} s; it goes on, and the dialog is busy until then",
                PATIENCE.as_secs()
            );
            Err(error(StatusCode::GATEWAY_TIMEOUT, "timeout", &text).into())
        }
    }
}

impl From<DialogError> for Early {
    fn from(failed: DialogError) -> Self {
        refused(&failed).into()
    }
}

fn subject(opening: &Opening) -> Result<Subject, String> {
    let type_id = opening.type_id.clone();
    let name = opening.name.clone();
    match opening.kind.as_str() {
        "device" => Ok(Subject::Device {
            type_id,
            device: opening.object_id,
            name,
        }),
        "action" => Ok(Subject::Action {
            type_id,
            device: opening.object_id,
            props: opening.props.clone(),
            place: opening.owner_id.map(|owner| Place {
                owner,
                index: opening.step,
            }),
        }),
        "event" => Ok(Subject::Event {
            type_id,
            trigger: opening.object_id,
            name,
        }),
        "menu" => Ok(Subject::Menu { item: type_id }),
        "prefs" => Ok(Subject::Preferences),
        "factory" => Ok(Subject::Factory {
            devices: opening.device_ids.clone(),
        }),
        other => {
            let shown: String = other.chars().take(40).collect();
            Err(format!(
                "`kind` is `{shown}`; expected device, action, event, menu, prefs or factory"
            ))
        }
    }
}

fn refused(failed: &DialogError) -> Response {
    let text = failed.to_string();
    let (status, word) = match failed {
        DialogError::NotOpen(_) => (StatusCode::NOT_FOUND, "not_open"),
        DialogError::TooMany => (StatusCode::SERVICE_UNAVAILABLE, "too_many"),
        DialogError::Missing(_) => (StatusCode::NOT_FOUND, "not_found"),
        DialogError::Wrong(_) => (StatusCode::BAD_REQUEST, "invalid_request"),
        DialogError::Busy => (StatusCode::CONFLICT, "busy"),
        DialogError::Call(call) => match call {
            CallError::NoSuchPlugin(_) => (StatusCode::NOT_FOUND, "invalid_plugin"),
            CallError::NotRunning(_) => (StatusCode::SERVICE_UNAVAILABLE, "plugin_disabled"),
            CallError::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "plugin_busy"),
            CallError::Timeout { .. } => (StatusCode::GATEWAY_TIMEOUT, "timeout"),
        },
        DialogError::Raised { detail, .. } => {
            let body = json!({"error": "raised", "description": text, "exception": detail});
            return json_answer(StatusCode::INTERNAL_SERVER_ERROR, &body);
        }
        DialogError::Refused(failure) => (status(failure.kind), "refused"),
    };
    error(status, word, &text)
}

fn shown_json(shown: &Shown) -> Value {
    let fields: Value = shown.fields.iter().map(field_json).collect();
    json!({
        "dialog": shown.id,
        "title": shown.title,
        "buttonTitle": shown.button,
        "supportUrl": shown.support_url,
        "fields": fields,
        "values": shown.values,
        "errors": shown.errors,
        "alert": shown.alert,
    })
}

fn field_json(shown: &ShownField) -> Value {
    let field = &shown.field;
    let mut seen = json!({
        "id": field.id,
        "type": field.kind.name(),
        "label": field.label,
        "description": field.description,
        "title": field.title,
        "tooltip": field.tooltip,
        "visible": shown.visible,
        "enabled": shown.enabled,
        "hidden": field.hidden,
        "readOnly": field.read_only,
        "secure": field.secure,
        "hasCallback": field.callback.is_some(),
        "layout": {
            "fontColor": field.layout.font_color,
            "fontSize": field.layout.font_size,
            "alignText": field.layout.align_text,
            "alignWithControl": field.layout.align_with_control,
            "alwaysUseInDialogHeightCalc": field.layout.always_in_height,
            "rows": field.layout.rows,
        },
    });
    if matches!(field.kind, FieldKind::Menu | FieldKind::List)
        && let Some(seen) = seen.as_object_mut()
    {
        let pair = |(value, label): &(String, String)| json!({"value": value, "label": label});
        let options: Value = shown.options.iter().map(pair).collect();
        seen.insert("options".to_owned(), options);
    }
    seen
}

fn saved_json(saved: Saved) -> Value {
    match saved {
        Saved::Yes {
            values,
            object,
            step,
            result,
        } => json!({"saved": true, "values": values, "objectId": object, "step": step,
            "result": result}),
        Saved::No(shown) => {
            let mut seen = shown_json(&shown);
            if let Some(seen) = seen.as_object_mut() {
                seen.insert("saved".to_owned(), Value::Bool(false));
            }
            seen
        }
    }
}
