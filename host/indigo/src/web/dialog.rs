//! `/cordon/indigo/dialogs/...`: dialogs of plugins.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::IndigoApi;
use super::admission::{Asked, Sent};
use super::answer::{Early, Reply, charged_answer, error, json_answer, json_bytes};
use super::command::status;
use super::keys::Wanted;
use crate::CallError;
use crate::dialog::{DialogError, Place, Saved, Shown, ShownField, Subject, Values};
use cordon_base::account::Account;

/// How long an answer waits for a plugin; a connection lives 30 s between answers.
const PATIENCE: Duration = Duration::from_secs(25);

/// Longest exception of a plugin that is told, in bytes.
const EXCEPTION: usize = 256 << 10;

/// A request that opens a dialog.
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
    /// The number of the step in its owner.
    step: Option<usize>,
}

/// A request to a dialog that is open.
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

/// `POST /cordon/indigo/dialogs`: opens a dialog.
pub(super) async fn open(State(api): State<IndigoApi>, asked: Asked, sent: Sent) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    let share = api.share(&asked);
    let (opening, _room): (Opening, _) = api.read(&share, sent.bytes(&share).await?).await?;
    let subject = subject(&opening)
        .map_err(|reason| error(StatusCode::BAD_REQUEST, "invalid_request", &reason))?;
    let account = api.dialogs.account_of(&opening.plugin_id)?;
    let dialogs = Arc::clone(&api.dialogs);
    let work = async move {
        let shown = dialogs.open(&opening.plugin_id, subject).await?;
        Ok(answer(StatusCode::CREATED, &shown))
    };
    patiently(&api, account, work).await
}

/// `DELETE /cordon/indigo/dialogs/ID`: cancels a dialog.
pub(super) async fn cancel(
    State(api): State<IndigoApi>,
    Path(id): Path<String>,
    asked: Asked,
) -> Reply {
    api.admit(&asked, Wanted::Configure, "DELETE")?;
    let account = api.dialogs.account(&id)?;
    let dialogs = Arc::clone(&api.dialogs);
    let work = async move {
        dialogs.cancel(&id).await?;
        Ok(json_answer(StatusCode::OK, &json!({"cancelled": true})))
    };
    patiently(&api, account, work).await
}

/// `POST /cordon/indigo/dialogs/ID/{values,press,save}`.
pub(super) async fn act(
    State(api): State<IndigoApi>,
    Path((id, action)): Path<(String, String)>,
    asked: Asked,
    sent: Sent,
) -> Reply {
    api.admit(&asked, Wanted::Configure, "POST")?;
    let share = api.share(&asked);
    let sent = sent.bytes(&share).await?;
    let (doing, _room) = match sent.is_empty() {
        true => (Doing::default(), None),
        false => api.read(&share, sent).await?,
    };
    if !matches!(action.as_str(), "values" | "press" | "save") {
        let text = "a dialog takes values, press and save";
        return Err(error(StatusCode::NOT_FOUND, "not_found", text).into());
    }
    let account = api.dialogs.account(&id)?;
    let dialogs = Arc::clone(&api.dialogs);
    let payer = Arc::clone(&account);
    let work = async move {
        let Doing {
            values,
            field,
            execute,
        } = doing;
        let shown = match action.as_str() {
            "values" => dialogs.enter(&id, &values)?,
            "press" => dialogs.press(&id, &field, &values).await?,
            _ => {
                let saved = dialogs.save(&id, &values, execute).await?;
                return Ok(saved_answer(&saved, &payer));
            }
        };
        Ok(answer(StatusCode::OK, &shown))
    };
    patiently(&api, account, work).await
}

/// Waits for plugins, but not so long that the connection ends before its answer. The work itself
/// goes on, also when the client is gone: half of it would be worse. Its computations are done
/// where they keep nobody waiting.
async fn patiently(
    api: &IndigoApi,
    account: Arc<Account>,
    work: impl Future<Output = Result<Response, DialogError>> + Send + 'static,
) -> Reply {
    let dialogs = Arc::clone(&api.dialogs);
    let work = async move {
        let done = dialogs.apart(&account, async move { work.await.map_err(Early::from) });
        done.await?
    };
    match tokio::time::timeout(PATIENCE, tokio::spawn(work)).await {
        Ok(Ok(done)) => done,
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

/// A dialog as its user sees it.
fn answer(status: StatusCode, shown: &Shown) -> Response {
    let seen = Seen { shown, saved: None };
    charged_answer(status, &seen, &shown.account)
}

fn saved_answer(saved: &Saved, account: &Arc<Account>) -> Response {
    match saved {
        Saved::Yes {
            values,
            object,
            step,
            result,
        } => {
            let seen = SeenSaved {
                saved: true,
                values,
                object_id: *object,
                step: *step,
                result: result.as_ref(),
            };
            charged_answer(StatusCode::OK, &seen, account)
        }
        Saved::No(shown) => {
            let saved = Some(false);
            charged_answer(StatusCode::OK, &Seen { shown, saved }, account)
        }
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
            // The plugin's log has the whole exception.
            let told = json_bytes(detail, EXCEPTION).map(|_| detail);
            let body = json!({"error": "raised", "description": text, "exception": told});
            return json_answer(StatusCode::INTERNAL_SERVER_ERROR, &body);
        }
        DialogError::Refused(failure) => (status(failure.kind), "refused"),
    };
    error(status, word, &text)
}

/// A dialog, or `saved: false` with the dialog that stays open. Its JSON is written field by field,
/// never held as a whole.
struct Seen<'a> {
    shown: &'a Shown,
    saved: Option<bool>,
}

impl Serialize for Seen<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let shown = self.shown;
        let mut seen = serializer.serialize_map(None)?;
        seen.serialize_entry("dialog", &shown.id)?;
        seen.serialize_entry("title", &shown.title)?;
        seen.serialize_entry("buttonTitle", &shown.button)?;
        seen.serialize_entry("supportUrl", &shown.support_url)?;
        seen.serialize_entry("fields", &Fields(&shown.fields))?;
        seen.serialize_entry("values", &shown.values)?;
        seen.serialize_entry("errors", &shown.errors)?;
        seen.serialize_entry("alert", &shown.alert)?;
        if let Some(saved) = self.saved {
            seen.serialize_entry("saved", &saved)?;
        }
        seen.end()
    }
}

struct Fields<'a>(&'a [ShownField]);

impl Serialize for Fields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(SeenField))
    }
}

struct SeenField<'a>(&'a ShownField);

impl Serialize for SeenField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let field = &self.0.field;
        let mut seen = serializer.serialize_map(None)?;
        seen.serialize_entry("id", &field.id)?;
        seen.serialize_entry("type", field.kind.name())?;
        seen.serialize_entry("label", &field.label)?;
        seen.serialize_entry("description", &field.description)?;
        seen.serialize_entry("title", &field.title)?;
        seen.serialize_entry("tooltip", &field.tooltip)?;
        seen.serialize_entry("visible", &self.0.visible)?;
        seen.serialize_entry("enabled", &self.0.enabled)?;
        seen.serialize_entry("hidden", &field.hidden)?;
        seen.serialize_entry("readOnly", &field.read_only)?;
        seen.serialize_entry("secure", &field.secure)?;
        seen.serialize_entry("hasCallback", &field.callback.is_some())?;
        let layout = json!({
            "fontColor": field.layout.font_color,
            "fontSize": field.layout.font_size,
            "alignText": field.layout.align_text,
            "alignWithControl": field.layout.align_with_control,
            "alwaysUseInDialogHeightCalc": field.layout.always_in_height,
            "rows": field.layout.rows,
        });
        seen.serialize_entry("layout", &layout)?;
        if let Some(options) = &self.0.options {
            seen.serialize_entry("options", &Pairs(options))?;
        }
        seen.end()
    }
}

struct Pairs<'a>(&'a [(String, String)]);

impl Serialize for Pairs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let pair = |(value, label): &'_ (String, String)| json!({"value": value, "label": label});
        serializer.collect_seq(self.0.iter().map(pair))
    }
}

/// A dialog that was saved.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SeenSaved<'a> {
    saved: bool,
    values: &'a Values,
    object_id: Option<i64>,
    step: Option<usize>,
    result: Option<&'a Value>,
}
